package cert

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// OCSPStatus is the status of a whole response (RFC 6960 §4.2.1).
type OCSPStatus int

const (
	OCSPSuccessful       OCSPStatus = 0
	OCSPMalformedRequest OCSPStatus = 1
	OCSPInternalError    OCSPStatus = 2
	OCSPTryLater         OCSPStatus = 3
	OCSPSigRequired      OCSPStatus = 5
	OCSPUnauthorized     OCSPStatus = 6
)

// String gives the name that RFC 6960 uses.
func (s OCSPStatus) String() string {
	names := [...]string{"successful", "malformedRequest", "internalError", "tryLater", "(4)", "sigRequired", "unauthorized"}
	if s < 0 || int(s) >= len(names) {
		return "undefined"
	}
	return names[s]
}

// Response gives the unsigned response that says no more than s, an error.
func (s OCSPStatus) Response() []byte { return []byte{0x30, 0x03, 0x0a, 0x01, byte(s)} }

// OCSPSingle is the answer for one certificate. RevokedAt and Reason belong to State Revoked.
type OCSPSingle struct {
	ID         CertID
	State      State // Good, Revoked or Unknown
	RevokedAt  time.Time
	Reason     jitsuin.RevocationReason
	ThisUpdate time.Time
	NextUpdate time.Time // zero for none
}

// OCSPTemplate is what a basic response says. Responder is the certificate of the signing key: delegated, with
// OCSPSigning, or the CA's own. The responder is named by key; its certificate goes along if delegated.
type OCSPTemplate struct {
	Responder  *x509.Certificate
	ProducedAt time.Time
	Singles    []OCSPSingle
	Nonce      []byte // echo of the request's
}

// TBS gives the DER of ResponseData (RFC 6960 §4.2.1).
func (t *OCSPTemplate) TBS() ([]byte, error) {
	keyID, ok := responderKey(t.Responder)
	if !ok || len(t.Singles) == 0 || t.ProducedAt.IsZero() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "ocsp-template", "a response needs a responder, a time and an answer")
	}
	for _, s := range t.Singles {
		if s.ThisUpdate.IsZero() || s.ID.Serial == nil || s.State == Revoked && s.RevokedAt.IsZero() {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "ocsp-template", "an answer needs a serial number and its times")
		}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(keyID) })
		b.AddASN1GeneralizedTime(t.ProducedAt.UTC())
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for i := range t.Singles {
				t.Singles[i].add(b)
			}
		})
		addNonce(b, explicit(1), t.Nonce)
	})
	return b.Bytes()
}

func responderKey(c *x509.Certificate) ([]byte, bool) {
	if c == nil {
		return nil, false
	}
	bits, ok := subjectPublicKey(c.RawSubjectPublicKeyInfo)
	if !ok {
		return nil, false
	}
	return sumOf(0, bits), true // SHA-1, whatever the suite (RFC 6960 §4.2.1)
}

func (s *OCSPSingle) add(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		s.ID.add(b)
		switch s.State {
		case Good:
			b.AddASN1(implicit(0), func(*cryptobyte.Builder) {})
		case Revoked:
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(s.RevokedAt.UTC())
				if code, ok := s.Reason.Code(); ok && code != 0 {
					b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(code)) })
				}
			})
		default:
			b.AddASN1(implicit(2), func(*cryptobyte.Builder) {})
		}
		b.AddASN1GeneralizedTime(s.ThisUpdate.UTC())
		if !s.NextUpdate.IsZero() {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(s.NextUpdate.UTC()) })
		}
	})
}

// Build makes the whole signed response, asking sign once for the octets of TBS.
func (t *OCSPTemplate) Build(ctx context.Context, sign SignFunc) ([]byte, error) {
	tbs, err := t.TBS()
	if err != nil {
		return nil, err
	}
	signature, err := sign(ctx, tbs)
	if err != nil {
		return nil, err
	}
	return t.Assemble(tbs, signature)
}

// Assemble puts a signature to the octets of TBS.
func (t *OCSPTemplate) Assemble(tbs, signature []byte) ([]byte, error) {
	suite, err := SuiteOf(t.Responder.PublicKey)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(int64(OCSPSuccessful))
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSPBasic)
				b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { t.addBasic(b, suite, tbs, signature) })
			})
		})
	})
	return b.Bytes()
}

func (t *OCSPTemplate) addBasic(b *cryptobyte.Builder, suite Suite, tbs, signature []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(suite.algorithmID())
		b.AddASN1BitString(signature)
		if t.Responder.IsCA {
			return
		}
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(t.Responder.Raw) })
		})
	})
}
