package cert

import (
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// TBS gives the DER of the to-be-signed certificate (RFC 5280 §4.1). The same template always gives the
// same octets. The signature algorithm is that of the suite of the issuer's key (the subject's own for a CA).
// The error is of kind Invalid and names the field at fault.
func (t *Template) TBS() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	signer := t.Key
	if t.Issuer != nil {
		signer = t.Issuer.PublicKey
	}
	suite, err := SuiteOf(signer)
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(t.Key)
	if err != nil {
		return nil, keyError("not a public key: %w", err)
	}
	exts, err := t.extensions()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) }) // v3
		b.AddASN1BigInt(t.Serial)
		b.AddBytes(suite.algorithmID())
		b.AddBytes(t.issuerName())
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, t.NotBefore)
			addTime(b, t.LastDay.LastSecond())
		})
		b.AddBytes(t.subjectName())
		b.AddBytes(spki)
		b.AddASN1(explicit(3), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range exts {
					e.add(b)
				}
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-template", "building the certificate: %w", err)
	}
	return der, nil
}

func (t *Template) issuerName() []byte {
	if t.Issuer != nil {
		return t.Issuer.RawSubject
	}
	return encodeName(t.Realm.authorityName(t.Kind))
}

func (t *Template) subjectName() []byte {
	country, common := rdn{attrCountry, "JP"}, rdn{attrCommon, t.CommonName}
	switch t.Profile {
	case ProfileSign, ProfilePhoneSign:
		return encodeName([]rdn{country, {attrLocality, t.Place.Prefecture}, {attrLocality, t.Place.Municipality}, common})
	case ProfileAuth, ProfilePhoneAuth:
		return encodeName([]rdn{country, common})
	case ProfileResponder:
		return encodeName([]rdn{country, {attrOrg, t.Realm.Organization}, {attrOrgUnit, t.Realm.Agency}, common})
	}
	return t.issuerName()
}

// Assemble puts a signature to to-be-signed octets: a Certificate (RFC 5280 §4.1), in the same form also a
// CertificateList of moderate size. The algorithm is the one that tbs names inside.
func Assemble(tbs, signature []byte) ([]byte, error) {
	alg, ok := innerAlgorithm(tbs)
	if !ok || len(signature) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tbs-form", "not to-be-signed data, or no signature")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(alg)
		b.AddASN1BitString(signature)
	})
	return b.Bytes()
}

// innerAlgorithm finds the AlgorithmIdentifier in a TBSCertificate or TBSCertList: the first SEQUENCE,
// after version and serial number.
func innerAlgorithm(tbs []byte) ([]byte, bool) {
	in := cryptobyte.String(tbs)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	for range 3 {
		var element cryptobyte.String
		var tag cbasn1.Tag
		if !body.ReadAnyASN1Element(&element, &tag) {
			return nil, false
		}
		if tag == cbasn1.SEQUENCE {
			return element, true
		}
	}
	return nil, false
}

func explicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
func implicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }

// addTime writes UTCTime until 2049 and GeneralizedTime after (RFC 5280 §4.1.2.5).
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC().Truncate(time.Second)
	if y := t.Year(); y >= 1950 && y < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

// integerBytes gives the contents of a non-negative INTEGER from its big-endian magnitude.
func integerBytes(magnitude []byte) []byte {
	for len(magnitude) > 0 && magnitude[0] == 0 {
		magnitude = magnitude[1:]
	}
	if len(magnitude) == 0 || magnitude[0]&0x80 != 0 {
		return append([]byte{0}, magnitude...)
	}
	return magnitude
}
