package jitsuin

// CertKind is which of a resident's two certificates is meant.
type CertKind string

const (
	// SignCert is the certificate for digital signatures (署名用電子証明書): it carries the
	// four items, its key stamps documents, its password has 6 to 16 characters.
	SignCert CertKind = "sign"
	// AuthCert is the certificate for user authentication (利用者証明用電子証明書): it carries
	// no personal data, its key proves presence, its PIN has four digits.
	AuthCert CertKind = "auth"
)

// CertKinds lists both kinds, the signature certificate first.
var CertKinds = [2]CertKind{SignCert, AuthCert}

// Valid tells whether k is one of the two kinds.
func (k CertKind) Valid() bool { return k == SignCert || k == AuthCert }

// RevocationReason is a CRLReason of RFC 5280 §5.3.1 by its name.
type RevocationReason string

const (
	ReasonUnspecified          RevocationReason = "unspecified"
	ReasonKeyCompromise        RevocationReason = "keyCompromise"
	ReasonCACompromise         RevocationReason = "cACompromise"
	ReasonAffiliationChanged   RevocationReason = "affiliationChanged"
	ReasonSuperseded           RevocationReason = "superseded"
	ReasonCessationOfOperation RevocationReason = "cessationOfOperation"
	ReasonCertificateHold      RevocationReason = "certificateHold"
	ReasonRemoveFromCRL        RevocationReason = "removeFromCRL"
)

var reasonCodes = map[RevocationReason]int{
	ReasonUnspecified: 0, ReasonKeyCompromise: 1, ReasonCACompromise: 2, ReasonAffiliationChanged: 3,
	ReasonSuperseded: 4, ReasonCessationOfOperation: 5, ReasonCertificateHold: 6, ReasonRemoveFromCRL: 8,
}

// Code gives the CRLReason number; ok is false for an unknown name.
func (r RevocationReason) Code() (code int, ok bool) {
	code, ok = reasonCodes[r]
	return code, ok
}

// ReasonOf gives the name of a CRLReason number; ok is false for a number that RFC 5280 does not know.
func ReasonOf(code int) (r RevocationReason, ok bool) {
	for r, c := range reasonCodes {
		if c == code {
			return r, true
		}
	}
	return "", false
}
