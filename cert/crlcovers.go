package cert

import "crypto/x509"

// Covers tells whether the list's scope includes a certificate, by the points that are named in it; the error says why
// not. It says nothing of time and signature.
func (c *CRL) Covers(cert *x509.Certificate) error { return c.covers(cert, nil) }
