package tsp_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSignedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidData        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidMD5         = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	oidECSHA256    = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidESS1        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidESS2        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// forgery is a token put together by hand, so that every rule can be broken on its own while the
// arithmetic stays right: what stands in it is what the unit's key signs.
type forgery struct {
	who       signtest.Identity // P-256
	info      tsp.Info
	content   func(info []byte) []byte // changes the encoded TSTInfo before it is signed
	detached  bool
	outer     asn1.ObjectIdentifier // eContentType
	inner     asn1.ObjectIdentifier // content-type attribute
	ess       [][]byte              // whole attributes
	certs     []*x509.Certificate
	signers   int
	direct    bool // no signed attributes
	afterward func(token []byte) []byte
}

// sound is the forgery that is none: a token over covered.
func sound(t testing.TB, covered []byte) *forgery {
	t.Helper()
	a := signtest.NewTSA(t)
	sum := sha256.Sum256(covered)
	imprint, err := tsp.NewImprint(crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	accuracy := tsp.Accuracy(time.Second)
	f := &forgery{info: tsp.Info{Policy: signtest.TimePolicy, Imprint: imprint, Serial: big.NewInt(7), Time: signtest.Now,
		Accuracy: &accuracy, Nonce: big.NewInt(99)}, outer: tsp.OIDTSTInfo, inner: tsp.OIDTSTInfo, signers: 1}
	f.by(a.Unit)
	return f
}

// by has another identity sign, and names it everywhere.
func (f *forgery) by(who signtest.Identity) {
	f.who, f.ess, f.certs = who, [][]byte{ess2(who.Certificate)}, []*x509.Certificate{who.Certificate}
}

// with has a certificate with another extension or usage, for the unit's own key.
func (f *forgery) with(t testing.TB, change func(*x509.Certificate)) {
	t.Helper()
	a := signtest.NewTSA(t)
	f.by(signtest.Identity{Certificate: signtest.Leaf(t, a.Root, a.Unit.Key, change), Key: a.Unit.Key})
}

func (f *forgery) token(t testing.TB) []byte {
	t.Helper()
	content, err := tsp.MarshalInfo(&f.info)
	if err != nil {
		t.Fatal(err)
	}
	if f.content != nil {
		content = f.content(content)
	}
	attributes := f.attributes(content)
	digest := sha256.Sum256(content)
	if !f.direct {
		digest = sha256.Sum256(attributes)
	}
	value, err := f.who.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	der := build(func(b *cryptobyte.Builder) { f.write(b, content, attributes, value) })
	if f.afterward != nil {
		der = f.afterward(der)
	}
	return der
}

// attributes is the SET OF that is signed.
func (f *forgery) attributes(content []byte) []byte {
	digest := sha256.Sum256(content)
	all := [][]byte{
		attribute(oidContentType, build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(f.inner) })),
		attribute(oidDigest, build(func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest[:]) })),
	}
	all = append(all, f.ess...)
	slices.SortFunc(all, bytes.Compare)
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(all, nil)) })
	})
}

func (f *forgery) write(b *cryptobyte.Builder, content, attributes, value []byte) {
	sequence := func(b *cryptobyte.Builder, inside func(*cryptobyte.Builder)) { b.AddASN1(cbasn1.SEQUENCE, inside) }
	algorithm := func(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
		sequence(b, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
	}
	sequence(b, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(context(0), func(b *cryptobyte.Builder) {
			sequence(b, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(3)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { algorithm(b, oidSHA256) })
				sequence(b, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(f.outer)
					if !f.detached {
						b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
					}
				})
				if len(f.certs) > 0 {
					b.AddASN1(context(0), func(b *cryptobyte.Builder) {
						for _, c := range f.certs {
							b.AddBytes(c.Raw)
						}
					})
				}
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					for range f.signers {
						sequence(b, func(b *cryptobyte.Builder) {
							b.AddASN1Int64(1)
							sequence(b, func(b *cryptobyte.Builder) {
								b.AddBytes(f.who.Certificate.RawIssuer)
								b.AddASN1BigInt(f.who.Certificate.SerialNumber)
							})
							algorithm(b, oidSHA256)
							if !f.direct {
								b.AddUint8(uint8(context(0)))
								b.AddBytes(attributes[1:])
							}
							algorithm(b, oidECSHA256)
							b.AddASN1OctetString(value)
						})
					}
				})
			})
		})
	})
}

func attribute(oid asn1.ObjectIdentifier, values ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(values, nil)) })
		})
	})
}

// nested writes octets in an OCTET STRING inside three sequences: one ESSCertID in a SigningCertificate.
func nested(sum []byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum) })
			})
		})
	})
}

func ess2(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.Raw)
	return attribute(oidESS2, nested(sum[:]))
}

func ess1(c *x509.Certificate) []byte {
	sum := sha1.Sum(c.Raw)
	return attribute(oidESS1, nested(sum[:]))
}

func build(f func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func context(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

// directory writes a distinguished name as GeneralName.
func directory(subject []byte) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(context(4), func(b *cryptobyte.Builder) { b.AddBytes(subject) })
	}
}
