package platform

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin"
)

// withoutContent gives a SignedData as it is kept: the same signature, detached. The document of an
// embedding signature is cut out, because no document is stored here; the signature still verifies
// together with it. Only DER is cut; a detached signature is kept as it came.
func withoutContent(der []byte) ([]byte, error) {
	notDER := jitsuin.Errorf(jitsuin.Unsupported, "embedded-ber", "a signature that embeds its document must be DER").
		WithHint("sign detached, or encode with definite lengths").At("signature")
	in := cryptobyte.String(der)
	var info, oid, wrapped, signed cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() || !info.ReadASN1Element(&oid, cbasn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&wrapped, explicit0) || !wrapped.ReadASN1(&signed, cbasn1.SEQUENCE) {
		return nil, notDER
	}
	var version, algorithms, encap, contentType cryptobyte.String
	if !signed.ReadASN1Element(&version, cbasn1.INTEGER) || !signed.ReadASN1Element(&algorithms, cbasn1.SET) ||
		!signed.ReadASN1(&encap, cbasn1.SEQUENCE) || !encap.ReadASN1Element(&contentType, cbasn1.OBJECT_IDENTIFIER) {
		return nil, notDER
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(oid)
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(version)
				b.AddBytes(algorithms)
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(contentType) })
				b.AddBytes(signed) // certificates, lists and signers as they came
			})
		})
	})
	return b.Bytes()
}

var explicit0 = cbasn1.Tag(0).ContextSpecific().Constructed()
