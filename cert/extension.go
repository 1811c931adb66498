package cert

import (
	"encoding/asn1"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSKI        = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage   = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidBasic      = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidCRLDP      = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies   = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAKI        = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidEKU        = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidAIA        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidAccessOCSP = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}
	oidNoCheck    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidCPS        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidClientAuth = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	oidOCSPSign   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
)

// extension is one extension with its DER value.
type extension struct {
	id       asn1.ObjectIdentifier
	critical bool
	value    []byte
}

func (e extension) add(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(e.id)
		if e.critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1OctetString(e.value)
	})
}

// extensions lists the profile's extensions in their order.
func (t *Template) extensions() ([]extension, error) {
	keyID, err := KeyID(t.Key)
	if err != nil {
		return nil, err
	}
	ski := extension{oidSKI, false, octetString(keyID)}
	switch t.Profile {
	case ProfileCA:
		return []extension{
			{oidKeyUsage, true, []byte{0x03, 0x02, 0x01, 0x06}}, // keyCertSign, cRLSign
			{oidSAN, false, directoryNames(encodeName(t.Realm.authorityNameJA(t.Kind)))},
			{oidBasic, true, []byte{0x30, 0x03, 0x01, 0x01, 0xff}}, // CA, no path length
			{oidCRLDP, false, distributionPoints(t.issuerName())},
			ski,
		}, nil
	case ProfileResponder:
		return []extension{
			{oidAKI, false, t.authorityKeyID()},
			{oidKeyUsage, true, []byte{0x03, 0x02, 0x07, 0x80}}, // digitalSignature
			{oidEKU, false, sequenceOf(oidOCSPSign)},
			{oidNoCheck, false, []byte{0x05, 0x00}},
			ski,
		}, nil
	}
	return t.residentExtensions(ski)
}

func (t *Template) residentExtensions(ski extension) ([]extension, error) {
	kind, usage := jitsuin.AuthCert, []byte{0x03, 0x02, 0x07, 0x80} // digitalSignature
	if t.Profile.signs() {
		kind, usage = jitsuin.SignCert, []byte{0x03, 0x02, 0x06, 0xc0} // and nonRepudiation
	}
	policy, err := t.Realm.policyValue(t.Profile)
	if err != nil {
		return nil, err
	}
	exts := []extension{{oidAKI, false, t.authorityKeyID()}, {oidKeyUsage, true, usage}}
	if t.ClientAuth && kind == jitsuin.AuthCert {
		exts = append(exts, extension{oidEKU, false, sequenceOf(oidClientAuth)})
	}
	if kind == jitsuin.SignCert {
		exts = append(exts, extension{oidSAN, false, encodeItems(t.Items)})
	}
	if name, ok := extensionValue(t.Issuer, oidSAN); ok {
		exts = append(exts, extension{oidIAN, false, name}) // the CA's Japanese name
	}
	exts = append(exts, extension{oidCRLDP, false, distributionPoints(t.Realm.DistributionPoint(kind, t.Place))},
		extension{oidPolicies, true, policy}, ski)
	if t.OCSP != "" {
		exts = append(exts, extension{oidAIA, false, ocspAccess(t.OCSP)})
	}
	return exts, nil
}

// authorityKeyID is RFC 5280 §4.2.1.1.
func (t *Template) authorityKeyID() []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(implicit(0), func(b *cryptobyte.Builder) { b.AddBytes(t.Issuer.SubjectKeyId) })
			if !t.LongAKI {
				return
			}
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { addDirectoryName(b, t.Issuer.RawIssuer) })
			b.AddASN1(implicit(2), func(b *cryptobyte.Builder) { b.AddBytes(integerBytes(t.Issuer.SerialNumber.Bytes())) })
		})
	})
}

func (r Realm) policyValue(p Profile) ([]byte, error) {
	id := r.policy(p)
	if len(id) < 2 {
		return nil, templateError("realm", "the realm has no policy for the profile %s", p)
	}
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(id)
				if r.CPS == "" {
					return
				}
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidCPS)
						b.AddASN1(cbasn1.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(r.CPS)) })
					})
				})
			})
		})
	}), nil
}

func build(f func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic() // callers pass checked, bounded values: cannot fail
}

func octetString(v []byte) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1OctetString(v) })
}

func sequenceOf(ids ...asn1.ObjectIdentifier) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, id := range ids {
				b.AddASN1ObjectIdentifier(id)
			}
		})
	})
}

// addDirectoryName writes GeneralName directoryName; its tag [4] is explicit because Name is a CHOICE.
func addDirectoryName(b *cryptobyte.Builder, name []byte) {
	b.AddASN1(explicit(4), func(b *cryptobyte.Builder) { b.AddBytes(name) })
}

// directoryNames is GeneralNames of one directoryName.
func directoryNames(name []byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addDirectoryName(b, name) })
	})
}

// addFullName writes DistributionPointName fullName of one directoryName inside [0].
func addFullName(b *cryptobyte.Builder, name []byte) {
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addDirectoryName(b, name) })
	})
}

func distributionPoints(name []byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addFullName(b, name) })
		})
	})
}

func ocspAccess(uri string) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidAccessOCSP)
				b.AddASN1(implicit(6), func(b *cryptobyte.Builder) { b.AddBytes([]byte(uri)) })
			})
		})
	})
}
