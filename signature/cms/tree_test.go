package cms_test

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/ber"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// node is one ASN.1 element of a structure that is taken apart to be put together wrongly.
type node struct {
	tag  byte
	body []byte // of a primitive one
	kids []*node
}

// tree takes BER apart, down to primitive elements.
func tree(t testing.TB, b []byte) *node {
	t.Helper()
	der, err := ber.Definite(bytes.Clone(b)) // nodes are changed in place
	if err != nil {
		t.Fatal(err)
	}
	in := cryptobyte.String(der)
	return nodes(t, in)[0]
}

func nodes(t testing.TB, in cryptobyte.String) []*node {
	var all []*node
	for !in.Empty() {
		var body cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&body, &tag) {
			t.Fatal("the test takes apart what is no DER")
		}
		n := &node{tag: byte(tag), body: body}
		if n.tag&0x20 != 0 {
			n.kids, n.body = nodes(t, body), nil
		}
		all = append(all, n)
	}
	return all
}

// bytes writes the element again, children in the order in which they stand.
func (n *node) bytes() []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(n.tag), func(b *cryptobyte.Builder) {
			b.AddBytes(n.body)
			for _, k := range n.kids {
				b.AddBytes(k.bytes())
			}
		})
	})
}

// kid finds the first child with a tag, nil for none.
func (n *node) kid(tag byte) *node {
	for _, k := range n.kids {
		if k.tag == tag {
			return k
		}
	}
	return nil
}

// drop removes the children with a tag.
func (n *node) drop(tag byte) {
	n.kids = slices.DeleteFunc(n.kids, func(k *node) bool { return k.tag == tag })
}

// clone copies deeply.
func (n *node) clone() *node {
	c := &node{tag: n.tag, body: bytes.Clone(n.body)}
	for _, k := range n.kids {
		c.kids = append(c.kids, k.clone())
	}
	return c
}

// The members of a ContentInfo with SignedData.
func (n *node) signedData() *node { return n.kids[1].kids[0] }
func (n *node) encap() *node      { return n.signedData().kids[2] }
func (n *node) signers() *node    { return n.signedData().kids[len(n.signedData().kids)-1] }
func (n *node) signer() *node     { return n.signers().kids[0] }

// Those of a SignerInfo.
func (n *node) signed() *node   { return n.kid(0xa0) }
func (n *node) unsigned() *node { return n.kid(0xa1) }
func (n *node) value() *node    { return n.kid(0x04) }

// attribute finds an attribute in a set of them.
func (n *node) attribute(oid asn1.ObjectIdentifier) *node {
	for _, a := range n.kids {
		if bytes.Equal(a.kids[0].bytes(), oidValue(oid)) {
			return a
		}
	}
	return nil
}

// addUnsigned adds an unsigned attribute to a SignerInfo.
func (n *node) addUnsigned(attribute *node) {
	if n.unsigned() == nil {
		n.kids = append(n.kids, &node{tag: 0xa1})
	}
	n.unsigned().kids = append(n.unsigned().kids, attribute)
}
