// Package read turns one certificate, revocation list, OCSP response or certification request into facts
// that people and programs can read, or says why it is none.
//
// It owns the words and their order. What is well formed is package cert's to say; nothing is judged
// here: no signature is verified but a request's own, and nobody is trusted.
package read

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// Kind says as what a file is read.
type Kind string

const (
	Certificate Kind = "cert"
	CRL         Kind = "crl"
	OCSP        Kind = "ocsp"
	Request     Kind = "csr"
)

// labels are those of RFC 7468; files of OCSP have none of their own there.
var labels = map[Kind][]string{Certificate: {"CERTIFICATE"}, CRL: {"X509 CRL", "CRL"}, OCSP: {"OCSP RESPONSE"},
	Request: {"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}}

// Fact is one thing that stands in a document. Name is a stable word for programs.
type Fact struct {
	Name  string
	Value any // string, []string, int, bool or time.Time
}

// Document is what was read.
type Document struct {
	Kind  Kind
	Facts []Fact
}

// Parse reads DER, or the first block of PEM that has the right label. The error is of kind Invalid.
func Parse(kind Kind, raw []byte) (*Document, error) {
	der, err := unwrap(kind, raw)
	if err != nil {
		return nil, err
	}
	d := &Document{Kind: kind}
	switch kind {
	case Certificate:
		err = d.certificate(der)
	case CRL:
		err = d.crl(der)
	case OCSP:
		err = d.ocsp(der)
	default:
		err = d.request(der)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

func unwrap(kind Kind, raw []byte) ([]byte, error) {
	if !bytes.Contains(raw, []byte("-----BEGIN")) {
		return raw, nil
	}
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if slices.Contains(labels[kind], block.Type) {
			return block.Bytes, nil
		}
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "pem-label", "the file has no PEM block %s", labels[kind][0])
}

// add notes a fact; empty ones are left out.
func (d *Document) add(name string, value any) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	case time.Time:
		if v.IsZero() {
			return
		}
	}
	d.Facts = append(d.Facts, Fact{name, value})
}

func (d *Document) certificate(der []byte) error {
	c, breach, err := cert.Inspect(der)
	if err != nil {
		return err
	}
	d.add("version", c.Version)
	d.add("serial", hexOf(c.SerialNumber))
	d.add("issuer", cert.NameText(c.RawIssuer))
	d.add("subject", cert.NameText(c.RawSubject))
	d.add("not_before", c.NotBefore)
	d.add("not_after", c.NotAfter)
	d.add("key", keyText(c.PublicKey))
	d.add("signature_algorithm", c.SignatureAlgorithm.String())
	if c.BasicConstraintsValid {
		d.add("ca", c.IsCA)
		if c.IsCA && (c.MaxPathLen > 0 || c.MaxPathLenZero) {
			d.add("path_length", c.MaxPathLen)
		}
	}
	d.add("key_usage", usages(c.KeyUsage))
	if kind, ok := cert.KindOf(c); ok {
		d.add("jpki_kind", string(kind))
	}
	d.extensions(c)
	d.add("departs_from_profile", breach)
	return nil
}

// extensions lists all, and what the common ones say.
func (d *Document) extensions(c *x509.Certificate) {
	d.add("subject_key_id", hex.EncodeToString(c.SubjectKeyId))
	d.add("authority_key_id", hex.EncodeToString(c.AuthorityKeyId))
	var policies, names, all []string
	for _, p := range c.PolicyIdentifiers {
		policies = append(policies, p.String())
	}
	for _, n := range c.DNSNames {
		names = append(names, "dns:"+n)
	}
	for _, n := range c.EmailAddresses {
		names = append(names, "email:"+n)
	}
	for _, n := range c.IPAddresses {
		names = append(names, "ip:"+n.String())
	}
	for _, n := range c.URIs {
		names = append(names, "uri:"+n.String())
	}
	for _, e := range c.Extensions {
		mark := ""
		if e.Critical {
			mark = " critical"
		}
		all = append(all, e.Id.String()+mark)
	}
	d.add("policies", policies)
	d.add("alternative_names", names)
	d.add("crl_points", c.CRLDistributionPoints)
	d.add("ocsp", c.OCSPServer)
	d.add("extensions", all)
}

func (d *Document) request(der []byte) error {
	r, err := cert.ParseRequest(der)
	if err != nil {
		return err
	}
	d.add("subject", cert.NameText(r.RawSubject))
	d.add("key", keyText(r.PublicKey))
	d.add("signature_algorithm", r.SignatureAlgorithm.String())
	d.add("signed_by_its_key", r.CheckSignature() == nil)
	why := ""
	if err := cert.CheckSubjectKey(r.PublicKey); err != nil {
		why = err.Error()
	}
	d.add("key_not_certified_because", why)
	return nil
}

func hexOf(n *big.Int) string { return fmt.Sprintf("%X", n) }

func keyText(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d bits, exponent %d", k.N.BitLen(), k.E)
	case *ecdsa.PublicKey:
		return "EC " + k.Curve.Params().Name
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", key), "*")
}

var usageNames = []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
	"encipherOnly", "decipherOnly"}

func usages(u x509.KeyUsage) (names []string) {
	for i, name := range usageNames {
		if u&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
