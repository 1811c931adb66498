package chaintest

import (
	"crypto/x509/pkix"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// AnyPolicy is the policy that stands for all.
const AnyPolicy = "2.5.29.32.0"

func der(f func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func sequence(f func(*cryptobyte.Builder)) []byte {
	return der(func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SEQUENCE, f) })
}

func tagged(n uint8, constructed bool) cbasn1.Tag {
	t := cbasn1.Tag(n).ContextSpecific()
	if constructed {
		t = t.Constructed()
	}
	return t
}

// Policies gives certificate policies, not critical.
func Policies(ids ...string) Option {
	return Extension("2.5.29.32", false, sequence(func(b *cryptobyte.Builder) {
		for _, id := range ids {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid(id)) })
		}
	}))
}

// Mappings maps policies to others: pairs of issuer's and subject's.
func Mappings(pairs ...string) Option {
	return Extension("2.5.29.33", true, sequence(func(b *cryptobyte.Builder) {
		for i := 0; i+1 < len(pairs); i += 2 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid(pairs[i]))
				b.AddASN1ObjectIdentifier(oid(pairs[i+1]))
			})
		}
	}))
}

// RequireExplicit is policyConstraints requireExplicitPolicy.
func RequireExplicit(skip byte) Option {
	return Extension("2.5.29.36", true, []byte{0x30, 3, 0x80, 1, skip})
}

// InhibitMapping is policyConstraints inhibitPolicyMapping.
func InhibitMapping(skip byte) Option {
	return Extension("2.5.29.36", true, []byte{0x30, 3, 0x81, 1, skip})
}

// InhibitAny is inhibitAnyPolicy.
func InhibitAny(skip byte) Option { return Extension("2.5.29.54", true, []byte{2, 1, skip}) }

// Name is a GeneralName.
type Name []byte

// DNS, MailName, URI, IP, Directory, Other and ID are GeneralNames of their forms.
func DNS(s string) Name      { return simple(2, []byte(s)) }
func MailName(s string) Name { return simple(1, []byte(s)) }
func URI(s string) Name      { return simple(6, []byte(s)) }
func IP(b ...byte) Name      { return simple(7, b) }
func ID(id string) Name {
	v, _ := asn1.Marshal(oid(id))
	return simple(8, v[2:])
}

// Other is an otherName with a UTF8String.
func Other(id, text string) Name {
	return der(func(b *cryptobyte.Builder) {
		b.AddASN1(tagged(0, true), func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid(id))
			b.AddASN1(tagged(0, true), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
			})
		})
	})
}

// Directory is a directoryName: country ZZ, the organisation, and the common name if there is one.
func Directory(organisation, cn string) Name { return directory(subject(organisation, cn)) }

// DirectoryOf is the directoryName of a node's subject.
func DirectoryOf(n *Node) Name { return directory(n.Cert.RawSubject) }

func directory(raw []byte) Name {
	return der(func(b *cryptobyte.Builder) {
		b.AddASN1(tagged(4, true), func(b *cryptobyte.Builder) { b.AddBytes(raw) })
	})
}

func subject(organisation, cn string) []byte {
	raw, err := asn1.Marshal(pkix.Name{Country: []string{"ZZ"}, Organization: []string{organisation}, CommonName: cn}.ToRDNSequence())
	if err != nil {
		panic(err)
	}
	return raw
}

func simple(n uint8, v []byte) Name {
	return der(func(b *cryptobyte.Builder) {
		b.AddASN1(tagged(n, false), func(b *cryptobyte.Builder) { b.AddBytes(v) })
	})
}

// SAN is a subjectAltName of any names, not critical.
func SAN(names ...Name) Option { return Extension("2.5.29.17", false, generalNames(names)) }

func generalNames(names []Name) []byte {
	return sequence(func(b *cryptobyte.Builder) {
		for _, n := range names {
			b.AddBytes(n)
		}
	})
}

// Constraints are critical nameConstraints.
func Constraints(permitted, excluded []Name) Option {
	return Extension("2.5.29.30", true, ConstraintsValue(permitted, excluded))
}

// ConstraintsValue is the value of nameConstraints.
func ConstraintsValue(permitted, excluded []Name) []byte {
	return sequence(func(b *cryptobyte.Builder) {
		for i, list := range [][]Name{permitted, excluded} {
			if list == nil {
				continue
			}
			b.AddASN1(tagged(uint8(i), true), func(b *cryptobyte.Builder) {
				for _, n := range list {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(n) })
				}
			})
		}
	})
}

// Point is one DistributionPoint.
type Point struct {
	Names    []Name
	Relative string // a common name below the issuer of the list
	Reasons  []byte // contents of ReasonFlags
	Issuer   []Name // cRLIssuer
}

func (p Point) name(b *cryptobyte.Builder) {
	switch {
	case p.Relative != "":
		b.AddASN1(tagged(0, true), func(b *cryptobyte.Builder) {
			b.AddASN1(tagged(1, true), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oid("2.5.4.3"))
					b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(p.Relative)) })
				})
			})
		})
	case p.Names != nil:
		b.AddASN1(tagged(0, true), func(b *cryptobyte.Builder) {
			b.AddASN1(tagged(0, true), func(b *cryptobyte.Builder) {
				for _, n := range p.Names {
					b.AddBytes(n)
				}
			})
		})
	}
}

// Points are cRLDistributionPoints.
func Points(points ...Point) Option {
	return Extension("2.5.29.31", false, sequence(func(b *cryptobyte.Builder) {
		for _, p := range points {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				p.name(b)
				if p.Reasons != nil {
					b.AddASN1(tagged(1, false), func(b *cryptobyte.Builder) { b.AddBytes(p.Reasons) })
				}
				if p.Issuer != nil {
					b.AddASN1(tagged(2, true), func(b *cryptobyte.Builder) {
						for _, n := range p.Issuer {
							b.AddBytes(n)
						}
					})
				}
			})
		}
	}))
}
