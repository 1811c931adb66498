package xmldsig

import (
	"strings"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/xmltree"
)

// etsi begins the namespaces of XAdES, whose properties are judged above this package.
const etsi = "http://uri.etsi.org/01903/"

// saml begins the namespaces of the Security Assertion Markup Language.
const saml = "urn:oasis:names:tc:SAML:"

// maxLookups bounds the search for unsigned elements that look like signed ones.
const maxLookups = 200_000

// covers tells whether what a reference covers includes all of the subtree at n, ds:Signature elements and
// comments aside.
func (d *Document) covers(o *Outcome, n xmltree.ID) bool {
	s := o.Covered
	if !o.OK || s == nil || !d.Tree.Within(n, s.Top) || o.TextOnly && !d.textOnly(n) {
		return false
	}
	for _, out := range s.Without {
		switch {
		case d.Tree.Within(n, out):
			return false
		case d.Tree.Within(out, n) && !d.Tree.Is(out, Namespace, "Signature"):
			return false
		}
	}
	if s.Keep == nil {
		return true
	}
	for i := n; i < d.Tree.End(n); i++ {
		if !s.Keep.Has(i) && d.Tree.Kind(i) != xmltree.Comment {
			if !d.Tree.Is(i, Namespace, "Signature") {
				return false
			}
			i = d.Tree.End(i) - 1
		}
	}
	return true
}

// textOnly tells whether an element holds nothing but text.
func (d *Document) textOnly(n xmltree.ID) bool {
	_, ok := d.Tree.Content(n)
	return ok
}

// Entire tells whether one reference covers all of the document element, signatures aside.
func (d *Document) Entire(o *Outcome) bool { return d.covers(o, d.Tree.Root()) }

// whole tells whether the references of a signature cover all of the document: the document element with
// everything in it, signatures aside, and in the signature every ds:Object; where the signature is the
// document element, that and the files that it names.
func (d *Document) whole(s *Signature, r *Result) bool {
	for i := range r.References {
		if !r.References[i].OK {
			return false
		}
	}
	root := d.Tree.Root()
	if s.Node != root && !d.anyCovers(r, root) || d.splitText(r) || d.strayInstruction(r) {
		return false
	}
	for _, object := range s.Objects {
		if !d.objectCovered(r, object) {
			return false
		}
	}
	return len(r.References) > 0
}

// strayInstruction tells whether an instruction that nobody signed stands beside the document element: a
// style sheet there makes the document look as it likes.
func (d *Document) strayInstruction(r *Result) bool {
	for i := range r.References {
		if o := &r.References[i]; o.OK && o.Covered != nil && o.Covered.Top == 0 && o.Covered.Keep == nil {
			return false
		}
	}
	for n := d.Tree.FirstChild(0); n != xmltree.None; n = d.Tree.Next(n) {
		if d.Tree.Kind(n) == xmltree.Instruction {
			return true
		}
	}
	return false
}

// splitText tells whether a comment that nobody signed stands within the text of an element. Some
// readers take the text up to the comment for all of it.
func (d *Document) splitText(r *Result) bool {
	t := d.Tree
	if !t.HasComments(t.Root()) {
		return false
	}
	for i := range r.References {
		if o := &r.References[i]; o.Comments && d.covers(o, t.Root()) {
			return false
		}
	}
	for n := t.Root(); int(n) < t.Len(); n++ {
		if t.Kind(n) == xmltree.Element && t.HasComments(n) && d.leafWithComment(n) {
			return true
		}
	}
	return false
}

// leafWithComment tells whether an element holds text and comments, and no elements.
func (d *Document) leafWithComment(n xmltree.ID) bool {
	comment := false
	for c := d.Tree.FirstChild(n); c != xmltree.None; c = d.Tree.Next(c) {
		switch d.Tree.Kind(c) {
		case xmltree.Element:
			return false
		case xmltree.Comment:
			comment = true
		}
	}
	return comment && !d.blank(n)
}

func (d *Document) anyCovers(r *Result, n xmltree.ID) bool {
	for i := range r.References {
		if d.covers(&r.References[i], n) {
			return true
		}
	}
	return false
}

// objectCovered tells whether a ds:Object is signed, itself or all that it holds. The properties of XAdES
// protect themselves.
func (d *Document) objectCovered(r *Result, n xmltree.ID) bool {
	if d.anyCovers(r, n) {
		return true
	}
	children := 0
	for c := d.Tree.FirstElement(n); c != xmltree.None; c = d.Tree.NextElement(c) {
		children++
		_, local := d.Tree.Name(c)
		xades := strings.HasPrefix(d.Tree.Space(c), etsi) && strings.HasPrefix(string(local), "QualifyingProperties")
		if !xades && !d.anyCovers(r, c) {
			return false
		}
	}
	return d.blank(n) && children > 0
}

// VerifyAll judges every signature of the document, and what they leave unsigned: a program that uses the
// document may look there. It must not be called for one document by several goroutines at once.
func (d *Document) VerifyAll(o Options) []*Result {
	all := make([]*Result, len(d.Signatures))
	for i, s := range d.Signatures {
		all[i] = d.verify(s, o)
	}
	d.places(all)
	for i, s := range d.Signatures {
		all[i].Whole = d.whole(s, all[i])
	}
	return all
}

// holds tells whether a signature is intact, whoever made it.
func (r *Result) holds() bool {
	for _, c := range r.Checks {
		if !c.OK && c.Fault != cms.FaultWeak && c.Fault != cms.FaultKeyOnly {
			return false
		}
	}
	return true
}

// places refuses signatures over elements that stand where a reader of the document would not look.
func (d *Document) places(all []*Result) {
	t := d.Tree
	signed := map[string][]place{} // by local name
	var good []*Outcome
	for i, r := range all {
		s := d.Signatures[i]
		d.samlPlace(s, r)
		for j := range r.References {
			o := &r.References[j]
			if !o.OK || o.Target <= 0 {
				continue
			}
			if t.Is(o.Target, Namespace, "Object") && d.buried(o.Target) {
				r.ambiguous("an Object of a signature", "one inside another element of it")
			}
			if r.holds() && o.Covered != nil {
				good = append(good, o)
			}
			space := t.Space(o.Target)
			if space != Namespace && !strings.HasPrefix(space, etsi) {
				_, local := t.Name(o.Target)
				signed[string(local)] = append(signed[string(local)], place{o.Target, r, d.depth(o.Target)})
			}
		}
	}
	if len(signed) > 0 {
		d.twins(signed, good)
	}
}

// buried tells whether a ds:Object lies in a signature and is no part of it.
func (d *Document) buried(n xmltree.ID) bool {
	up := d.Tree.Parent(n)
	if d.Tree.Is(up, Namespace, "Signature") {
		return false
	}
	for ; up > 0; up = d.Tree.Parent(up) {
		if d.Tree.Is(up, Namespace, "Signature") {
			return true
		}
	}
	return false
}

// place is an element that a signature covers.
type place struct {
	node  xmltree.ID
	r     *Result
	depth int
}

func (r *Result) ambiguous(expected, got string) {
	r.Checks = append(r.Checks, cms.Check{What: "signed-place", Expected: expected, Got: got, Fault: cms.FaultAmbiguous})
}

func (d *Document) depth(n xmltree.ID) (depth int) {
	for n = d.Tree.Parent(n); n > 0; n = d.Tree.Parent(n) {
		depth++
	}
	return depth
}

// twins refuses signatures over an element where another one of the same name that nobody signed stands
// nearer to the document element, and in SAML and SOAP anywhere: that is how signed elements are
// moved aside for others (XML signature wrapping).
func (d *Document) twins(signed map[string][]place, good []*Outcome) {
	t := d.Tree
	lookups := 0
	for n := t.Root(); int(n) < t.Len(); n++ {
		if t.Kind(n) != xmltree.Element {
			continue
		}
		_, local := t.Name(n)
		places := signed[string(local)]
		if len(places) == 0 {
			continue
		}
		space, depth, covered := t.Space(n), -1, false
		for _, p := range places {
			if p.node == n || t.Space(p.node) != space {
				continue
			}
			if depth < 0 {
				depth = d.depth(n)
				for i := 0; i < len(good) && !covered; i++ {
					lookups++
					covered = d.includes(good[i], n)
				}
			}
			if lookups > maxLookups {
				p.r.ambiguous("signed elements in their places", "more elements of one name than are judged")
				return
			}
			if !covered && (depth < p.depth || strings.HasPrefix(space, saml) || isSOAP(space)) {
				p.r.ambiguous("no unsigned element like "+clip(t.Path(p.node))+" before it", clip(t.Path(n)))
				delete(signed, string(local))
				break
			}
		}
	}
}

// includes tells whether a reference covers the element n itself, as covers does for its subtree.
func (d *Document) includes(o *Outcome, n xmltree.ID) bool {
	s := o.Covered
	if o.TextOnly || !d.Tree.Within(n, s.Top) || s.Keep != nil && !s.Keep.Has(n) {
		return false
	}
	for _, out := range s.Without {
		if d.Tree.Within(n, out) {
			return false
		}
	}
	return true
}

func isSOAP(space string) bool {
	return space == "http://schemas.xmlsoap.org/soap/envelope/" || space == "http://www.w3.org/2003/05/soap-envelope"
}

// samlPlace holds signatures in SAML messages to their rule: a signature stands in what it signs and has one
// reference, to that (SAML 2.0 Core §5.4.1, §5.4.2; SAML 1.1 §5.4.1).
func (d *Document) samlPlace(s *Signature, r *Result) {
	t := d.Tree
	parent := t.Parent(s.Node)
	if parent <= 0 || !strings.HasPrefix(t.Space(parent), saml) {
		return
	}
	expected := "one reference, to the element that holds the signature"
	if len(s.References) != 1 || len(r.References) != 1 {
		r.ambiguous(expected, "another number of them")
		return
	}
	o := r.References[0]
	if o.OK && o.Target != parent && !(o.Target == 0 && parent == t.Root()) {
		r.ambiguous(expected, "a reference to another element")
	}
}
