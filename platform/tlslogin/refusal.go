package tlslogin

import (
	"crypto/x509"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
)

// Why a certificate is refused: outcomes of an errand, for each of which the catalogue has a title and what to do next
// (tlslogin.OUTCOME.title, .next).
const (
	None      = "tls-none"       // no certificate was shown
	Expired   = "tls-expired"    // or not in force yet
	Revoked   = "tls-revoked"    // or suspended
	UnknownCA = "tls-unknown-ca" // not of J-LIS, or nothing that its authorities would issue
	OtherKind = "tls-signature"  // the signature certificate
	Unsure    = "tls-unsure"     // its status cannot be had now
)

// Refusals are all of them.
var Refusals = []string{None, Expired, Revoked, UnknownCA, OtherKind, Unsure}

// RefusalOf says why a certificate was refused, from a report that is not passed.
func RefusalOf(leaf *x509.Certificate, r *signature.Report) string {
	if kind, _ := cert.KindOf(leaf); kind == jitsuin.SignCert {
		return OtherKind
	}
	return ReasonOf(r.SubIndication)
}

// ReasonOf says why a certificate that is of the right kind was refused.
func ReasonOf(sub signature.SubIndication) string {
	switch sub {
	case signature.TryLater:
		return Unsure
	case signature.Revoked:
		return Revoked
	case signature.Expired, signature.NotYetValid, signature.OutOfBoundsNoPOE:
		return Expired
	}
	return UnknownCA
}
