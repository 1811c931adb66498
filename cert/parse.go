package cert

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"

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
		if c, ok := parseRelative(der); ok {
			return c, nil
		}
		return nil, formError("not a certificate: %w", err)
	}
	return c, nil
}

// parseRelative reads a certificate that has a distribution point relative to the issuer of its list, for which
// crypto/x509 has no reading: it is shown the certificate with that extension under a name that it does not know.
func parseRelative(der []byte) (*x509.Certificate, bool) {
	const known, hidden = "\x06\x03\x55\x1d\x1f", "\x06\x03\x55\x1d\x00"
	if bytes.Count(der, []byte(known)) != 1 {
		return nil, false
	}
	c, err := x509.ParseCertificate(bytes.Replace(der, []byte(known), []byte(hidden), 1))
	if err != nil {
		return nil, false
	}
	tbs := bytes.Index(c.Raw, c.RawTBSCertificate)
	c.Raw = bytes.Clone(der)
	c.RawTBSCertificate = c.Raw[tbs : tbs+len(c.RawTBSCertificate)]
	here := asn1.ObjectIdentifier{2, 5, 29, 0}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		if !e.Id.Equal(here) {
			continue
		}
		e.Id = oidCRLDP
		points, ok := parsePoints(e.Value)
		relative := false
		for _, p := range points {
			relative = relative || p.relative != nil
		}
		if !ok || !relative {
			return nil, false
		}
		if e.Critical {
			c.UnhandledCriticalExtensions = nil
		}
		return c, !e.Critical
	}
	return nil, false
}

func formError(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "certificate-form", format, args...)
}
