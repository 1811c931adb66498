package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidOtherType  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidMD5        = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	oidRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidRSASHA256  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSASHA384  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}

	attrContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	attrDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	attrTime        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	attrCertV2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	attrCertV1      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	attrProtection  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
)

// forgery is a signature put together by hand, so that every rule can be broken on its own while
// the arithmetic stays right. The zero value with who is a sound one over document.
type forgery struct {
	who           signtest.Identity
	certificate   []byte                  // embedded instead of who's
	attributes    [][]byte                // nil: contentType and messageDigest
	direct        bool                    // no signed attributes
	contentType   asn1.ObjectIdentifier   // of the encapsulated content
	content       []byte                  // embedded; nil: detached
	digestOID     asn1.ObjectIdentifier   // as named; the arithmetic is SHA-256's
	sigOID        asn1.ObjectIdentifier   // as named
	sigParams     []byte                  // as named
	order         func(encoded [][]byte)  // how the attributes stand in the file
	covered       func([][]byte) [][]byte // how they are signed; nil: in the order of DER
	opts          crypto.SignerOpts
	raw           []byte // the value, instead of the key's
	keyID         []byte
	signerVersion int64 // 0: as the identifier wants it
}

func attribute(oid asn1.ObjectIdentifier, values ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(values, nil)) })
		})
	})
}

func build(f func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

// tlvOf writes an element with parts inside.
func tlvOf(tag byte, parts ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(parts, nil)) })
	})
}

// addTo gives the serial number of c, moved.
func addTo(c *x509.Certificate, by int64) *big.Int {
	return new(big.Int).Add(c.SerialNumber, big.NewInt(by))
}

func oidValue(oid asn1.ObjectIdentifier) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
}

func octets(v []byte) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1OctetString(v) })
}

func digestValue(content []byte) []byte {
	sum := sha256.Sum256(content)
	return octets(sum[:])
}

// plainAttributes are the two that must be there.
func plainAttributes() [][]byte {
	return [][]byte{attribute(attrContentType, oidValue(oidData)), attribute(attrDigest, digestValue(document))}
}

func (f forgery) make(t testing.TB) []byte {
	t.Helper()
	if f.attributes == nil {
		f.attributes = plainAttributes()
	}
	if f.contentType == nil {
		f.contentType = oidData
	}
	if f.digestOID == nil {
		f.digestOID = oidSHA256
	}
	if f.sigOID == nil {
		f.sigOID, f.sigParams = oidRSASHA256, []byte{5, 0}
	}
	if f.opts == nil {
		f.opts = crypto.SHA256
	}
	if f.certificate == nil {
		f.certificate = f.who.Certificate.Raw
	}
	if f.raw != nil {
		return build(func(b *cryptobyte.Builder) { f.encode(b, f.raw) })
	}
	sum := sha256.Sum256(f.signedBytes())
	value, err := f.who.Key.Sign(rand.Reader, sum[:], f.opts)
	if err != nil {
		t.Fatal(err)
	}
	return build(func(b *cryptobyte.Builder) { f.encode(b, value) })
}

func (f forgery) signedBytes() []byte {
	if f.direct {
		if f.content != nil {
			return f.content
		}
		return document
	}
	sorted := slices.Clone(f.attributes)
	slices.SortFunc(sorted, bytes.Compare)
	if f.covered != nil {
		sorted = f.covered(f.attributes)
	}
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(sorted, nil)) })
	})
}

func (f forgery) encode(b *cryptobyte.Builder, value []byte) {
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	algorithm := func(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, params []byte) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddBytes(params)
		})
	}
	signer := func(b *cryptobyte.Builder) {
		if f.signerVersion == 0 {
			f.signerVersion = 1
			if f.keyID != nil {
				f.signerVersion = 3
			}
		}
		b.AddASN1Int64(f.signerVersion)
		if f.keyID != nil {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(f.keyID) })
		} else {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(f.who.Certificate.RawIssuer)
				b.AddASN1BigInt(f.who.Certificate.SerialNumber)
			})
		}
		algorithm(b, f.digestOID, nil)
		if !f.direct {
			all := slices.Clone(f.attributes)
			slices.SortFunc(all, bytes.Compare)
			if f.order != nil {
				f.order(all)
			}
			b.AddASN1(tag(0), func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(all, nil)) })
		}
		algorithm(b, f.sigOID, f.sigParams)
		b.AddASN1OctetString(value)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(tag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { algorithm(b, f.digestOID, nil) })
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(f.contentType)
					if f.content != nil {
						b.AddASN1(tag(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(f.content) })
					}
				})
				b.AddASN1(tag(0), func(b *cryptobyte.Builder) { b.AddBytes(f.certificate) })
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SEQUENCE, signer) })
			})
		})
	})
}
