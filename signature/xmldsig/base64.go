package xmldsig

import (
	"encoding/base64"
	"math/big"

	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// base64 gives what an element that holds base64 and nothing else decodes to.
func (d *Document) base64(n xmltree.ID) ([]byte, bool) {
	text, ok := d.Tree.Content(n)
	if !ok {
		return nil, false
	}
	return decode64(text)
}

// decode64 decodes base64 (RFC 2045) with white space in it, in place. Nothing else may stand in it, and
// the padding must be there.
func decode64(text []byte) ([]byte, bool) {
	kept := text[:0]
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			kept = append(kept, c)
		}
	}
	n, err := base64.StdEncoding.Decode(kept, kept)
	return kept[:n], err == nil
}

// number gives a CryptoBinary (XMLDSig 1.1 §4.1.1).
func (d *Document) number(n xmltree.ID) *big.Int {
	b, ok := d.base64(n)
	if !ok || len(b) == 0 || len(b) > 2048 {
		return nil
	}
	return new(big.Int).SetBytes(b)
}
