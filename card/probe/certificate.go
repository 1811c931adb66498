package probe

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"time"
)

// Certificate is what one is made of, without what is in it.
type Certificate struct {
	File      string `json:"file"`
	Error     string `json:"error,omitempty"` // where it is none
	Size      int    `json:"size,omitempty"`
	Authority bool   `json:"authority,omitempty"`
	// SHA256 is the fingerprint, and Names what stands in the subject: of an authority alone.
	SHA256     string      `json:"sha256,omitempty"`
	Names      []string    `json:"names,omitempty"`
	Issuer     []Attribute `json:"issuer,omitempty"`
	Subject    []Attribute `json:"subject,omitempty"`
	Algorithm  string      `json:"algorithm,omitempty"`
	Key        string      `json:"key,omitempty"`
	SerialSize int         `json:"serial_size,omitempty"` // octets
	// Years is how long it lasts, rounded up; EndOfDay tells that it ends at 23:59:59 in Japan.
	Years      int         `json:"years,omitempty"`
	EndOfDay   bool        `json:"end_of_day,omitempty"`
	Extensions []Extension `json:"extensions,omitempty"`
	Policies   []string    `json:"policies,omitempty"`
	OCSP       []string    `json:"ocsp,omitempty"`
}

// Attribute is the form of one part of a name.
type Attribute struct {
	Type   string `json:"type"`           // OID
	String string `json:"string"`         // tag of the string's type: 12 UTF8String, 19 PrintableString
	Size   int    `json:"size,omitempty"` // left out for a place
}

// Extension is the form of one.
type Extension struct {
	OID      string `json:"oid"`
	Critical bool   `json:"critical,omitempty"`
	Size     int    `json:"size,omitempty"` // left out where it says something about the holder
}

const (
	oidLocality           = "2.5.4.7"
	oidAlternativeName    = "2.5.29.17"
	oidDistributionPoints = "2.5.29.31"
)

var japan = time.FixedZone("JST", 9*60*60)

func certificate(file string, content []byte, authority bool) Certificate {
	out := Certificate{File: file, Size: len(content), Authority: authority}
	c, err := x509.ParseCertificate(trimmed(content))
	if err != nil {
		out.Error = "it is no certificate" // what the parser says may quote its content
		return out
	}
	out.Size = len(c.Raw)
	if authority {
		out.SHA256, out.Names = fmt.Sprintf("%x", sha256.Sum256(c.Raw)), names(c.RawSubject)
	}
	out.Issuer, out.Subject = attributes(c.RawIssuer), attributes(c.RawSubject)
	out.Algorithm, out.SerialSize = c.SignatureAlgorithm.String(), len(c.SerialNumber.Bytes())
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		out.Key = fmt.Sprintf("RSA %d, e = %d", k.N.BitLen(), k.E)
	case *ecdsa.PublicKey:
		out.Key = k.Curve.Params().Name
	}
	out.Years = int(c.NotAfter.Sub(c.NotBefore)/(366*24*time.Hour)) + 1
	h, m, s := c.NotAfter.In(japan).Clock()
	out.EndOfDay = h == 23 && m == 59 && s == 59
	for _, e := range c.Extensions {
		size := len(e.Value)
		if id := e.Id.String(); !authority && (id == oidAlternativeName || id == oidDistributionPoints) {
			size = 0 // how long a name, an address or a town's name is, is the holder's
		}
		out.Extensions = append(out.Extensions, Extension{e.Id.String(), e.Critical, size})
	}
	for _, p := range c.Policies {
		out.Policies = append(out.Policies, p.String())
	}
	out.OCSP = c.OCSPServer
	return out
}

// trimmed cuts what stands behind the certificate in its file.
func trimmed(b []byte) []byte {
	if len(b) > 4 && b[0] == 0x30 && b[1] == 0x82 {
		return b[:min(len(b), 4+int(b[2])<<8+int(b[3]))]
	}
	return b
}

type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

type attributeSET []attribute

func parts(name []byte) []attribute {
	var sets []attributeSET
	if _, err := asn1.Unmarshal(name, &sets); err != nil {
		return nil
	}
	var all []attribute
	for _, s := range sets {
		all = append(all, s...)
	}
	return all
}

func attributes(name []byte) []Attribute {
	var all []Attribute
	for _, a := range parts(name) {
		size := len(a.Value.Bytes)
		if a.Type.String() == oidLocality {
			size = 0
		}
		all = append(all, Attribute{a.Type.String(), fmt.Sprint(a.Value.Tag), size})
	}
	return all
}

func names(name []byte) []string {
	var all []string
	for _, a := range parts(name) {
		all = append(all, printable(string(a.Value.Bytes)))
	}
	return all
}
