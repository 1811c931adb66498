package xmldsig

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"io"
	"math/big"
	"net/url"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// fill computes digests and value of the signature that lies in whole with blanks.
func (m *maker) fill(whole []byte) ([]byte, error) {
	d, err := Parse(whole)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.Signatures, func(s *Signature) bool { return d.blankValue(s) })
	if i < 0 {
		return nil, jitsuin.Errorf(jitsuin.Internal, "xml-sign", "the signature is not where it was put")
	}
	blanks, err := m.digests(d, d.Signatures[i].Node)
	if err != nil {
		return nil, err
	}
	whole = insert(d.Tree.Source(), blanks)
	if d, err = Parse(whole); err != nil {
		return nil, err
	}
	info := d.Tree.FirstElement(d.Signatures[i].Node)
	sum, err := d.Digest(xmltree.Set{Top: info, Comments: true}, d.Signatures[i].form, m.hash)
	if err != nil {
		return nil, err
	}
	random := m.p.Random
	if random == nil {
		random = rand.Reader
	}
	value, err := m.value(random, sum)
	if err != nil {
		return nil, err
	}
	m.made = value
	at, _, _ := d.Tree.Inner(d.Tree.NextElement(info))
	return insert(d.Tree.Source(), []blank{{at, base64.StdEncoding.EncodeToString(value)}}), nil
}

// files gives the contents of the targets that are files.
func (m *maker) files(uri string) ([]byte, bool) {
	for _, t := range m.targets {
		if t.File != nil && url.PathEscape(t.File.Name) == uri {
			return t.File.Content, true
		}
	}
	return nil, false
}

// checked gives the signature only where it verifies: a target that the signature itself lies in, or whose
// place is ambiguous, would not.
func (m *maker) checked(signed []byte) ([]byte, error) {
	d, err := Parse(signed)
	if err != nil {
		return nil, err
	}
	for i, r := range d.VerifyAll(Options{Content: m.files}) {
		if !bytes.Equal(d.Signatures[i].value, m.made) {
			continue
		}
		for _, c := range r.Checks {
			if !c.OK && c.Fault != cms.FaultWeak {
				return nil, jitsuin.Errorf(jitsuin.Invalid, "xml-sign-target", "the signature would not verify: %s: expected %s, and it is %s", c.What, c.Expected, c.Got)
			}
		}
		return signed, nil
	}
	return nil, jitsuin.Errorf(jitsuin.Internal, "xml-sign", "the signature is not where it was put")
}

// blankValue tells whether a signature's value is still to be filled in.
func (d *Document) blankValue(s *Signature) bool {
	text, ok := d.Tree.Content(s.Value)
	return ok && len(text) == 0
}

// blank is text to be put in at an octet.
type blank struct {
	at   int
	text string
}

func insert(text []byte, blanks []blank) []byte {
	var out []byte
	last := 0
	for _, b := range blanks {
		out = append(append(out, text[last:b.at]...), b.text...)
		last = b.at
	}
	return append(out, text[last:]...)
}

// digests computes the digest of every reference of the signature at n.
func (m *maker) digests(d *Document, n xmltree.ID) ([]blank, error) {
	t := d.Tree
	s := d.read(n)
	v := &verification{d: d, s: s, o: Options{Content: m.files}}
	var blanks []blank
	info := t.FirstElement(n)
	for c := t.FirstElement(info); c != xmltree.None; c = t.NextElement(c) {
		if !t.Is(c, Namespace, "Reference") {
			continue
		}
		out, err := v.digestOf(s, d.readReference(c), m.hash)
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "xml-sign-target", "what is to be signed: %w", err)
		}
		last := t.FirstElement(c)
		for next := t.NextElement(last); next != xmltree.None; next = t.NextElement(next) {
			last = next
		}
		at, _, _ := t.Inner(last)
		blanks = append(blanks, blank{at, base64.StdEncoding.EncodeToString(out.sum)})
	}
	return blanks, nil
}

// value signs a digest and writes the value as XML signatures have it.
func (m *maker) value(random io.Reader, sum []byte) ([]byte, error) {
	raw, err := m.key.Sign(random, sum, m.hash)
	if err != nil {
		return nil, err
	}
	k, ok := m.key.Public().(*ecdsa.PublicKey)
	if !ok {
		return raw, nil
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(raw, &pair); err != nil || len(rest) > 0 {
		return nil, jitsuin.Errorf(jitsuin.Internal, "xml-sign", "the key answers no ECDSA signature")
	}
	size := (k.Params().N.BitLen() + 7) / 8
	out := make([]byte, 2*size)
	pair.R.FillBytes(out[:size])
	pair.S.FillBytes(out[size:])
	return out, nil
}
