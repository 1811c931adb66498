package cms

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// members are the members of SignedData as they are written, whole elements each. A structure that
// was read is written again from them, so that what no change concerns keeps its octets.
type members struct {
	version      int
	digests      [][]byte // AlgorithmIdentifier
	encap        []byte   // EncapsulatedContentInfo
	certificates [][]byte // CertificateChoices
	lists        [][]byte // RevocationInfoChoice
	signers      []signerMembers
}

// signerMembers is one SignerInfo as it is written: version to signature in one piece, and the
// unsigned attributes.
type signerMembers struct {
	fixed    []byte
	unsigned [][]byte
}

// write gives the ContentInfo. It is DER where every element is.
func (m *members) write() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, m.body)
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write the signature: %w", err)
	}
	return der, nil
}

func (m *members) body(b *cryptobyte.Builder) {
	b.AddASN1Int64(int64(m.version))
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addAll(b, m.digests) })
	b.AddBytes(m.encap)
	if len(m.certificates) > 0 {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addAll(b, m.certificates) })
	}
	if len(m.lists) > 0 {
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { addAll(b, m.lists) })
	}
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		for _, s := range m.signers {
			b.AddBytes(s.element())
		}
	})
}

// element writes one SignerInfo.
func (s signerMembers) element() []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(s.fixed)
		if len(s.unsigned) > 0 {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { addAll(b, s.unsigned) })
		}
	})
	return b.BytesOrPanic() // it cannot fail: nothing here is written but lengths
}

// insert puts one element where the order of DER wants it and leaves the others in the order in
// which they stand, for some archive time-stamps cover that order.
func insert(set [][]byte, element []byte) [][]byte {
	at := slices.IndexFunc(set, func(other []byte) bool { return bytes.Compare(element, other) < 0 })
	if at < 0 {
		at = len(set)
	}
	return slices.Insert(slices.Clone(set), at, element)
}

// insertOnce is insert for an element that need not stand twice.
func insertOnce(set [][]byte, element []byte) [][]byte {
	if slices.ContainsFunc(set, func(other []byte) bool { return bytes.Equal(other, element) }) {
		return set
	}
	return insert(set, element)
}

// encapsulated writes EncapsulatedContentInfo; content nil leaves the content out.
func encapsulated(contentType asn1.ObjectIdentifier, content []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(contentType)
		if content != nil {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
		}
	})
	return b.Bytes()
}

// algorithm writes one AlgorithmIdentifier.
func (a Algorithm) element() []byte {
	var b cryptobyte.Builder
	addAlgorithm(&b, a.OID, a.Parameters)
	return b.BytesOrPanic() // the identifiers are constants or were read
}

// element writes one Attribute with its values in the order of DER.
func (a Attribute) element() ([]byte, error) {
	values := slices.SortedFunc(slices.Values(a.Values), bytes.Compare)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.Type)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addAll(b, values) })
	})
	return b.Bytes()
}
