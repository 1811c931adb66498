package cert

import (
	"crypto/x509"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of what is read. They are far above every certificate of the profiles.
const (
	maxCertificate = 64 << 10 // octets of one certificate
	maxDepth       = 24       // nesting of DER values
)

// Parse reads one certificate. The input must be exactly one DER certificate of at most 64 KiB:
// no trailing octets, no indefinite or padded lengths, nesting of at most 24. The error is a
// *jitsuin.Error of kind Invalid with the code "certificate-form".
func Parse(der []byte) (*x509.Certificate, error) {
	if len(der) > maxCertificate {
		return nil, formError("a certificate has at most %d octets, not %d", maxCertificate, len(der))
	}
	if !strictDER(der, maxDepth) {
		return nil, formError("not one DER value: lengths must be definite and minimal, with nothing after the end")
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, formError("not a certificate: %w", err)
	}
	return c, nil
}

func formError(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "certificate-form", format, args...)
}

// strictDER walks one value: definite minimal lengths, low tag numbers, bounded nesting, and nothing after it.
// Values inside OCTET STRINGs are opaque here; their readers check them.
func strictDER(der []byte, depth int) bool {
	in := cryptobyte.String(der)
	return derElement(&in, depth) && in.Empty()
}

func derElement(in *cryptobyte.String, depth int) bool {
	var body cryptobyte.String
	var tag cbasn1.Tag
	if depth == 0 || !in.ReadAnyASN1(&body, &tag) {
		return false
	}
	if tag&0x20 == 0 {
		return true
	}
	for !body.Empty() {
		if !derElement(&body, depth-1) {
			return false
		}
	}
	return true
}
