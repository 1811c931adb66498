package xmldsig

import (
	"crypto"
	"hash"
	"io"

	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// tee is a hash that hands on what it is fed.
type tee struct {
	hash.Hash
	to io.Writer
}

// Write implements io.Writer.
func (t tee) Write(b []byte) (int, error) {
	if _, err := t.to.Write(b); err != nil {
		return 0, err
	}
	return t.Hash.Write(b)
}

// WriteReference writes the octets that a reference of s digests, its transforms applied, within what is left
// of the document's MaxWork. Archive time-stamps cover them (ETSI EN 319 132-1 §5.5.2). It does not compare.
func (d *Document) WriteReference(w io.Writer, s *Signature, r *Reference, o Options) error {
	v := &verification{d: d, o: o, s: s, r: &Result{}, to: w}
	_, err := v.digestOf(s, r, crypto.SHA256)
	return err
}

// Write writes nodes of the document in canonical form, within what is left of MaxWork.
func (d *Document) Write(w io.Writer, set xmltree.Set, m xmltree.Method) error {
	return d.Tree.Canonical(&meter{w: w, left: &d.left}, set, m)
}
