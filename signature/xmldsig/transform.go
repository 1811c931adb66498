package xmldsig

import (
	"crypto"
	"errors"
	"hash"
	"io"
	"slices"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// perNode is what looking at a node costs of MaxWork, beside what is written.
const perNode = 16

// data is what runs through the transforms of a reference (XMLDSig 1.1 §4.4.3.2): nodes of a tree, or octets.
type data struct {
	tree   *xmltree.Tree // nil: octets
	set    xmltree.Set
	octets []byte
	own    bool // the nodes are the document's
}

// digested is what a reference was found to cover.
type digested struct {
	sum  []byte
	size int64
	own  *xmltree.Set // nodes of the document that were put in canonical form in the end, nil for none
	text bool         // of those only the text was digested
	file bool

	comments bool // comments were digested
}

// errWork ends what takes too long.
var errWork = fail(cms.FaultUnsupported, "the signatures of the document cover more than is judged")

// meter counts octets on their way against what is left for the document.
type meter struct {
	w    io.Writer
	left *int64
	n    int64
}

func (m *meter) Write(b []byte) (int, error) {
	m.n += int64(len(b))
	if *m.left -= int64(len(b)); *m.left < 0 {
		return 0, errWork
	}
	return m.w.Write(b)
}

// digestOf dereferences, transforms and digests.
func (v *verification) digestOf(s *Signature, r *Reference, h crypto.Hash) (out digested, err error) {
	x, err := v.dereference(r)
	if err != nil {
		return out, err
	}
	out.file = x.tree == nil
	for i, t := range r.transforms {
		last := i == len(r.transforms)-1
		form, canonical := canonicalForms[t.uri]
		switch {
		case canonical && last:
			form.Prefixes = t.form.Prefixes
			if x, err = v.nodes(x); err != nil {
				return out, err
			}
			return v.digestNodes(x, form, h, out.file)
		case canonical:
			x, err = v.canonical(x, t.form)
		case t.uri == base64Decoding:
			if last && x.own {
				kept := x.set
				out.own, out.text = &kept, true
			}
			x, err = v.decode(x)
		case t.uri == enveloped:
			x, err = v.leaveOut(x, s)
		case t.uri == xpathFilter:
			x, err = v.filter(x, t)
		case t.uri == xpathFilter2:
			x, err = v.filter2(x, t)
		default:
			err = fail(cms.FaultUnsupported, "the transform "+clip(t.uri))
		}
		if err != nil {
			return out, err
		}
	}
	if x.tree != nil {
		return v.digestNodes(x, xmltree.Method{}, h, out.file)
	}
	w := v.hash(h)
	w.Write(x.octets)
	out.sum, out.size = w.Sum(nil), int64(len(x.octets))
	return out, nil
}

// dereference gives what the URI points at.
func (v *verification) dereference(r *Reference) (data, error) {
	if !r.HasURI {
		return data{}, fail(cms.FaultUnsupported, "a reference without a URI")
	}
	if r.File() {
		b, ok := v.content(r.URI)
		if !ok {
			return data{}, fail(cms.FaultNoContent, "the file "+clip(r.URI)+" is not at hand")
		}
		if v.d.left -= int64(len(b)); v.d.left < 0 {
			return data{}, errWork
		}
		return data{octets: b}, nil
	}
	at, comments, err := v.d.locate(r.URI)
	if err != nil {
		return data{}, err
	}
	return data{tree: v.d.Tree, set: xmltree.Set{Top: at, Comments: comments}, own: true}, nil
}

// nodes gives x as nodes: octets are read as a document.
func (v *verification) nodes(x data) (data, error) {
	if x.tree != nil {
		return x, nil
	}
	tree, err := xmltree.Parse(x.octets)
	if err != nil {
		return x, fail(cms.FaultContent, "what a transform reads is no document: "+err.Error())
	}
	return data{tree: tree, set: xmltree.Set{Comments: true}}, nil
}

// digestNodes puts nodes in canonical form on their way into the digest.
func (v *verification) digestNodes(x data, m xmltree.Method, h crypto.Hash, file bool) (out digested, err error) {
	w := v.hash(h)
	v.d.left -= int64(x.tree.End(x.set.Top)-x.set.Top) * perNode
	count := meter{w: w, left: &v.d.left}
	if err := x.tree.Canonical(&count, x.set, m); err != nil {
		return out, asFailure(err)
	}
	if count.n == 0 {
		return out, fail(cms.FaultAmbiguous, "the transforms leave nothing")
	}
	out = digested{sum: w.Sum(nil), size: count.n, file: file}
	if x.own {
		set := x.set
		out.own, out.comments = &set, set.Comments && m.Comments
	}
	return out, nil
}

// hash is where what a reference covers goes in the end.
func (v *verification) hash(h crypto.Hash) hash.Hash {
	if v.to != nil {
		return tee{h.New(), v.to}
	}
	return h.New()
}

// asFailure keeps failures and takes other errors of the canonical form for one.
func asFailure(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return fail(cms.FaultUnsupported, err.Error())
}

// buffer gathers octets.
type buffer struct{ b []byte }

func (o *buffer) Write(b []byte) (int, error) {
	o.b = append(o.b, b...)
	return len(b), nil
}

// canonical puts nodes in canonical form for a further transform, which loses where they came from.
func (v *verification) canonical(x data, m xmltree.Method) (data, error) {
	x, err := v.nodes(x)
	if err != nil {
		return x, err
	}
	var out buffer
	if err := x.tree.Canonical(&meter{w: &out, left: &v.d.left}, x.set, m); err != nil {
		return x, asFailure(err)
	}
	return data{octets: out.b}, nil
}

// decode is the base64 transform (XMLDSig 1.1 §6.6.2): of nodes their text is taken.
func (v *verification) decode(x data) (data, error) {
	text := slices.Clone(x.octets)
	if x.tree != nil {
		if x.set.Keep != nil || len(x.set.Without) > 0 {
			return x, fail(cms.FaultUnsupported, "base64 of filtered nodes")
		}
		text = x.tree.StringValue(nil, x.set.Top)
	}
	if v.d.left -= int64(len(text)); v.d.left < 0 {
		return x, errWork
	}
	out, ok := decode64(text)
	if !ok {
		return x, fail(cms.FaultContent, "what is to be decoded is not base64")
	}
	return data{octets: out}, nil
}

// leaveOut is the enveloped-signature transform (XMLDSig 1.1 §6.6.4). Nodes inside the signature stay, as in other
// implementations, though the standard would leave nothing of them: the digest tells what was meant.
func (v *verification) leaveOut(x data, s *Signature) (data, error) {
	if !x.own {
		return x, fail(cms.FaultFormat, "enveloped-signature of another document")
	}
	x.set.Without = without(x.set.Without, s.Node)
	return x, nil
}

// without adds a subtree to an ascending list, which stays as it is for others that hold it.
func without(list []xmltree.ID, n xmltree.ID) []xmltree.ID {
	at, found := slices.BinarySearch(list, n)
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), at, n)
}
