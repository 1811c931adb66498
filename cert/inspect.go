package cert

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Inspect reads one certificate as Parse does and, beyond it, refuses all that is not DER or not of the syntax of RFC 5280
// §4: extensions that are known and malformed, serial numbers of zero or more than 20 octets, algorithm
// parameters that no standard has. breach is the first MUST of the profile that a well-formed certificate breaks, ""
// if none. The error is of kind Invalid with the code "certificate-form".
func Inspect(der []byte) (c *x509.Certificate, breach string, err error) {
	if c, err = Parse(der); err != nil {
		return nil, "", err
	}
	d, problem := readDetails(c, true)
	if problem == "" {
		problem = d.form
	}
	if problem != "" {
		return nil, "", formError("not a certificate as RFC 5280 has it: %s", problem)
	}
	return c, d.breach, nil
}

const maxRequest = 64 << 10 // octets of one certification request

// ParseRequest reads one PKCS #10 certification request (RFC 2986) in DER of at most 64 KiB. The signature, by which the
// asker shows the private key, is the caller's to check. The error is of kind Invalid with the code "certificate-form".
func ParseRequest(der []byte) (*x509.CertificateRequest, error) {
	if len(der) > maxRequest || !strictDER(der, maxDepth) {
		return nil, formError("not one DER value of at most %d octets", maxRequest)
	}
	if !requestForm(der) {
		return nil, formError("not a certification request as RFC 2986 has it")
	}
	r, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, formError("not a certification request: %w", err)
	}
	return r, nil
}

// requestForm checks what crypto/x509 passes over: version, name, attributes, unused bits.
func requestForm(der cryptobyte.String) bool {
	var outer, info, alg, sig, name, key, attributes cryptobyte.String
	var version int
	if !der.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&info, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&alg, cbasn1.SEQUENCE) ||
		!outer.ReadASN1(&sig, cbasn1.BIT_STRING) || !outer.Empty() || len(sig) < 2 || sig[0] != 0 || !plainAlgorithm(alg) {
		return false
	}
	if !info.ReadASN1Integer(&version) || version != 0 || !info.ReadASN1Element(&name, cbasn1.SEQUENCE) || !nameForm(name) ||
		!info.ReadASN1(&key, cbasn1.SEQUENCE) || !info.ReadASN1(&attributes, explicit(0)) || !info.Empty() {
		return false
	}
	for !attributes.Empty() {
		var one, id, values cryptobyte.String
		if !attributes.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
			!one.ReadASN1(&values, cbasn1.SET) || values.Empty() || !one.Empty() {
			return false
		}
	}
	return true
}

// NameText writes a DER Name as RFC 4514 does; what cannot be read is said to be so.
func NameText(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "(a name that cannot be read)"
	}
	return name.String()
}

// Base is the number of the list that a delta is based on, nil for a complete list.
func (c *CRL) Base() *big.Int { return c.base }

// Breach is the first MUST of RFC 5280 §5 that the list breaks, "" if none.
func (c *CRL) Breach() string { return c.breach }

// Scope lists what limits the list to some certificates, in words; nothing for a list of all.
func (c *CRL) Scope() (words []string) {
	s := c.scope
	if s == nil {
		return nil
	}
	for _, n := range s.names {
		switch n.tag {
		case nameDirectory:
			words = append(words, "point: "+NameText(n.value))
		case nameURI:
			words = append(words, "point: "+string(n.value))
		default:
			words = append(words, "point: of another form")
		}
	}
	for _, f := range []struct {
		on   bool
		word string
	}{{s.relative != nil, "point: relative to the issuer"}, {s.userOnly, "users only"}, {s.caOnly, "CAs only"}, {s.attributeOnly, "attribute certificates only"},
		{s.hasReasons, "some reasons only"}, {s.indirect, "indirect"}} {
		if f.on {
			words = append(words, f.word)
		}
	}
	return words
}
