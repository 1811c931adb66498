package cert

import (
	"crypto/x509"

	"github.com/jitsuin/jitsuin"
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
