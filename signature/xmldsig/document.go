package xmldsig

import (
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
	"github.com/jitsuin/jitsuin/signature/internal/xpath"
)

// Limits on what is judged of one document.
const (
	MaxSignatures = 100      // ds:Signature elements in one document
	MaxReferences = 1000     // references of one signature, those in manifests among them
	MaxTransforms = 8        // of one reference
	MaxWork       = 48 << 20 // octets put in canonical form or decoded for all signatures of one document
)

// Document is a document with its signatures.
type Document struct {
	Tree       *xmltree.Tree
	Signatures []*Signature // every ds:Signature, in document order, also those inside one another
	ids        map[string]target
	indexedAll bool
	budget     *xpath.Budget
	left       int64 // octets that may still be put in canonical form
}

// target is where an Id stands, and how often.
type target struct {
	node  xmltree.ID
	count int
}

// Signature is one ds:Signature as it stands. Fields are None or empty where the part is missing.
type Signature struct {
	Node       xmltree.ID
	ID         string
	SignedInfo xmltree.ID
	Value      xmltree.ID // SignatureValue
	KeyInfo    xmltree.ID
	Objects    []xmltree.ID
	References []*Reference

	form        xmltree.Method // of SignedInfo
	formURI     string
	scheme      scheme
	schemeURI   string
	context     []byte // of Ed25519ctx and Ed25519ph
	salt        int    // RSASSA-PSS, -1 for the length of the hash
	value       []byte
	malformed   string // what breaks the rules of the syntax, "" for nothing
	unsupported string // what is understood and not provided
}

// Reference is one ds:Reference, in SignedInfo or in a Manifest.
type Reference struct {
	Node   xmltree.ID
	ID     string
	URI    string
	HasURI bool
	Type   string

	transforms []transform
	digestURI  string
	digest     []byte
	malformed  string
}

// File tells whether the reference is to something beside the document.
func (r *Reference) File() bool { return r.HasURI && r.URI != "" && r.URI[0] != '#' }

// All gives the references of s with those in the manifests inside it, whether these are signed or not.
func (s *Signature) All(d *Document) []*Reference {
	all := s.References
	for n := s.Node; n < d.Tree.End(s.Node); n++ {
		if d.Tree.Is(n, Namespace, "Reference") && d.Tree.Is(d.Tree.Parent(n), Namespace, "Manifest") && len(all) < MaxReferences {
			all = append(all[:len(all):len(all)], d.readReference(n))
		}
	}
	return all
}

// transform is one ds:Transform.
type transform struct {
	uri  string
	node xmltree.ID
	form xmltree.Method // of a canonical form
}

// Parse reads a document and finds its signatures; there may be none. The errors are those of the XML
// reader, and Limited for more signatures than are judged. A signature that is malformed is
// no error here: Verify says so.
func Parse(in []byte) (*Document, error) {
	tree, err := xmltree.Parse(in)
	if err != nil {
		return nil, err
	}
	d := &Document{Tree: tree, left: MaxWork}
	for _, n := range tree.FindAll(Namespace, "Signature") {
		if len(d.Signatures) == MaxSignatures {
			return nil, jitsuin.Errorf(jitsuin.Limited, "xml-signatures", "the document has more than %d signatures", MaxSignatures)
		}
		d.Signatures = append(d.Signatures, d.read(n))
	}
	return d, nil
}

// read takes a ds:Signature apart (XMLDSig 1.1 §4.2).
func (d *Document) read(n xmltree.ID) *Signature {
	s := &Signature{Node: n, SignedInfo: xmltree.None, Value: xmltree.None, KeyInfo: xmltree.None, salt: -1}
	s.ID, _ = d.Tree.Attribute(n, "", "Id")
	if !d.blank(n) {
		s.malformed = "text between the parts of the signature"
		return s
	}
	c := d.Tree.FirstElement(n)
	if !d.Tree.Is(c, Namespace, "SignedInfo") {
		s.malformed = "no SignedInfo at the head of the signature"
		return s
	}
	s.SignedInfo = c
	if c = d.Tree.NextElement(c); !d.Tree.Is(c, Namespace, "SignatureValue") {
		s.malformed = "no SignatureValue after SignedInfo"
		return s
	}
	s.Value = c
	if c = d.Tree.NextElement(c); d.Tree.Is(c, Namespace, "KeyInfo") {
		s.KeyInfo = c
		c = d.Tree.NextElement(c)
	}
	for ; c != xmltree.None; c = d.Tree.NextElement(c) {
		if !d.Tree.Is(c, Namespace, "Object") {
			s.malformed = "an element that has no place in a signature"
			return s
		}
		s.Objects = append(s.Objects, c)
	}
	var ok bool
	d.readSignedInfo(s)
	if s.value, ok = d.base64(s.Value); s.malformed == "" && (!ok || len(s.value) == 0) {
		s.malformed = "SignatureValue is not base64"
	}
	return s
}

// blank tells whether an element with children holds no text but white space.
func (d *Document) blank(n xmltree.ID) bool {
	var b []byte
	for c := d.Tree.FirstChild(n); c != xmltree.None; c = d.Tree.Next(c) {
		if k := d.Tree.Kind(c); k == xmltree.Text || k == xmltree.CDATA {
			b = d.Tree.AppendText(b[:0], c)
			if strings.Trim(string(b), " \t\r\n") != "" {
				return false
			}
		}
	}
	return true
}

// readSignedInfo reads algorithms and references (XMLDSig 1.1 §4.4).
func (d *Document) readSignedInfo(s *Signature) {
	t := d.Tree
	form := t.FirstElement(s.SignedInfo)
	if !d.blank(s.SignedInfo) || !t.Is(form, Namespace, "CanonicalizationMethod") {
		s.malformed = "no CanonicalizationMethod at the head of SignedInfo"
		return
	}
	s.formURI, _ = t.Attribute(form, "", "Algorithm")
	var known bool
	if s.form, known = Canonicalization(s.formURI); !known {
		s.unsupported = "the canonical form " + clip(s.formURI)
	} else if s.malformed = d.prefixes(form, &s.form); s.malformed != "" {
		return
	}
	method := t.NextElement(form)
	if !t.Is(method, Namespace, "SignatureMethod") {
		s.malformed = "no SignatureMethod in SignedInfo"
		return
	}
	d.readMethod(s, method)
	for c := t.NextElement(method); c != xmltree.None; c = t.NextElement(c) {
		if !t.Is(c, Namespace, "Reference") {
			s.malformed = "an element that has no place in SignedInfo"
			return
		}
		if len(s.References) == MaxReferences {
			s.unsupported = "more references than are judged"
			return
		}
		s.References = append(s.References, d.readReference(c))
	}
	if len(s.References) == 0 {
		s.malformed = "no Reference in SignedInfo"
	}
}

// readReference reads one reference (XMLDSig 1.1 §4.4.3).
func (d *Document) readReference(n xmltree.ID) *Reference {
	t := d.Tree
	r := &Reference{Node: n}
	r.ID, _ = t.Attribute(n, "", "Id")
	r.URI, r.HasURI = t.Attribute(n, "", "URI")
	r.Type, _ = t.Attribute(n, "", "Type")
	c := t.FirstElement(n)
	if t.Is(c, Namespace, "Transforms") {
		r.malformed = d.readTransforms(r, c)
		c = t.NextElement(c)
	}
	if r.malformed != "" {
		return r
	}
	if !d.blank(n) || !t.Is(c, Namespace, "DigestMethod") {
		r.malformed = "no DigestMethod in a reference"
		return r
	}
	r.digestURI, _ = t.Attribute(c, "", "Algorithm")
	if c = t.NextElement(c); !t.Is(c, Namespace, "DigestValue") || t.NextElement(c) != xmltree.None {
		r.malformed = "no DigestValue at the end of a reference"
		return r
	}
	var ok bool
	if r.digest, ok = d.base64(c); !ok || len(r.digest) == 0 {
		r.malformed = "a DigestValue that is not base64"
	}
	return r
}

func (d *Document) readTransforms(r *Reference, n xmltree.ID) (malformed string) {
	t := d.Tree
	if !d.blank(n) {
		return "text between transforms"
	}
	for c := t.FirstElement(n); c != xmltree.None; c = t.NextElement(c) {
		if !t.Is(c, Namespace, "Transform") {
			return "an element that has no place among transforms"
		}
		if len(r.transforms) == MaxTransforms {
			return "more transforms than are judged"
		}
		one := transform{node: c}
		one.uri, _ = t.Attribute(c, "", "Algorithm")
		if form, ok := Canonicalization(one.uri); ok {
			one.form = form
			if malformed := d.prefixes(c, &one.form); malformed != "" {
				return malformed
			}
		}
		r.transforms = append(r.transforms, one)
	}
	return ""
}

// prefixes reads InclusiveNamespaces below the element that names a canonical form (Exclusive C14N §4).
func (d *Document) prefixes(n xmltree.ID, m *xmltree.Method) (malformed string) {
	for c := d.Tree.FirstElement(n); c != xmltree.None; c = d.Tree.NextElement(c) {
		if !m.Exclusive || !d.Tree.Is(c, Exclusive, "InclusiveNamespaces") {
			return "a parameter that the canonical form does not have"
		}
		list, _ := d.Tree.Attribute(c, "", "PrefixList")
		for _, p := range strings.Fields(list) {
			if p == "#default" {
				p = ""
			}
			m.Prefixes = append(m.Prefixes, p)
		}
		if len(m.Prefixes) > xmltree.MaxScope {
			return "more prefixes than are judged"
		}
	}
	return ""
}

// clip shortens what a document says for a report.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
