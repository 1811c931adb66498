package xmltree

import (
	"io"
	"slices"

	"github.com/jitsuin/jitsuin"
)

// Method is a canonical form: Canonical XML 1.0 where nothing is set.
type Method struct {
	Exclusive bool     // Exclusive XML Canonicalization 1.0
	Eleven    bool     // Canonical XML 1.1
	Comments  bool     // with comments
	Prefixes  []string // Exclusive: InclusiveNamespaces PrefixList, "" for #default
}

// Set is a set of nodes of one tree: the subtree of Top, less what the other fields take out.
// Attributes and namespaces are in the set where their element is.
type Set struct {
	Top      ID   // an element, or the document (0)
	Without  []ID // subtrees that are not in the set, ascending
	Comments bool // whether comments are in the set at all
	Keep     Bits // nodes that are in the set; nil for all of them
}

// Bits is a set of IDs.
type Bits []uint64

// NewBits gives an empty set for the nodes of t.
func (t *Tree) NewBits() Bits { return make(Bits, (len(t.nodes)+63)/64) }

// Has tells whether n is in b.
func (b Bits) Has(n ID) bool { return b[n>>6]>>(uint(n)&63)&1 != 0 }

// Set puts n in b.
func (b Bits) Set(n ID) { b[n>>6] |= 1 << (uint(n) & 63) }

// Clear takes n out of b.
func (b Bits) Clear(n ID) { b[n>>6] &^= 1 << (uint(n) & 63) }

// maxSteps bounds the search for namespaces of elements whose parents are not in the set, which is
// the one part of the work that can grow faster than input and output.
const maxSteps = 20_000_000

// Canonical writes the canonical form of s to w. It can be much longer than the document, where long
// namespaces are written again and again: w bounds it, for its first error ends the work. The error
// is w's, or Limited where the set is scattered so that it would take too long.
func (t *Tree) Canonical(w io.Writer, s Set, m Method) error {
	c := canonicaliser{t: t, m: m, set: s, out: output{w: w, text: t.text}}
	c.run()
	c.out.flush()
	return c.out.err
}

// canonicaliser walks over a set in document order.
type canonicaliser struct {
	t        *Tree
	m        Method
	set      Set
	out      output
	without  int        // the first of set.Without that may still come
	open     []opened   // elements of the set whose end tags are still to be written
	rendered []rendered // exclusive: namespaces written at open elements
	decls    []int32    // scratch
	attrs    []written  // scratch
	scratch  []byte
	steps    int
}

// opened is an element whose end tag is still to be written.
type opened struct {
	id   ID
	mark int // how many namespaces were rendered outside it
}

// rendered is a namespace that was written at an open element: declaration decl (0: the default taken back).
type rendered struct {
	decl        int32
	prefix, uri string
}

// run writes every node of the set.
func (c *canonicaliser) run() {
	t := c.t
	end := t.nodes[c.set.Top].end
	for i := c.set.Top; i < end && c.out.err == nil; {
		c.closeBefore(i)
		n := &t.nodes[i]
		switch {
		case c.excluded(i):
			i = n.end
		case n.kind == Element && c.whole(i, n):
			c.out.span(n.from, n.to)
			i = n.end
		default:
			if n.kind != Document && (c.set.Keep == nil || c.set.Keep.Has(i)) {
				c.node(i, n)
			}
			i++
		}
	}
	c.closeBefore(end)
}

// excluded tells whether the subtree at i is taken out.
func (c *canonicaliser) excluded(i ID) bool {
	for c.without < len(c.set.Without) && c.set.Without[c.without] < i {
		c.without++
	}
	return c.without < len(c.set.Without) && c.set.Without[c.without] == i
}

// whole tells whether the element at i can be written as it stands in the input, all of it.
func (c *canonicaliser) whole(i ID, n *node) bool {
	if n.form&dirty != 0 || c.set.Keep != nil || i == c.set.Top && n.parent != 0 {
		return false
	}
	if c.m.Exclusive && (n.form&mixed != 0 || len(c.open) == 0 || n.scope != c.t.nodes[n.parent].scope || !c.written(n.space)) {
		return false
	}
	if n.form&hasComment != 0 && !(c.set.Comments && c.m.Comments) {
		return false
	}
	return c.without >= len(c.set.Without) || c.set.Without[c.without] >= n.end
}

// closeBefore writes the end tags of elements that end before node i.
func (c *canonicaliser) closeBefore(i ID) {
	for len(c.open) > 0 {
		last := c.open[len(c.open)-1]
		n := &c.t.nodes[last.id]
		if n.end > i {
			return
		}
		if n.form&formEnd != 0 {
			c.out.span(n.tail, n.to)
		} else {
			c.out.string("</")
			c.out.bytes(c.t.text[n.from+1 : n.from+1+int32(n.name)])
			c.out.string(">")
		}
		c.rendered = c.rendered[:last.mark]
		c.open = c.open[:len(c.open)-1]
	}
}

// node writes one node of the set, of an element only the start tag.
func (c *canonicaliser) node(i ID, n *node) {
	switch n.kind {
	case Element:
		mark := len(c.rendered)
		if c.m.Exclusive {
			c.startExclusive(i, n)
		} else {
			c.startInclusive(i, n)
		}
		c.open = append(c.open, opened{i, mark})
	case Comment:
		if c.set.Comments && c.m.Comments {
			c.outside(n, func() { c.verbatimOr(n, "<!--", nil, "-->") })
		}
	case Instruction:
		c.outside(n, func() {
			_, target := c.t.Name(i)
			c.verbatimOr(n, "<?", target, "?>")
		})
	default:
		if n.form&formStart != 0 {
			c.out.span(n.from, n.to)
			return
		}
		c.scratch = c.t.AppendText(c.scratch[:0], i)
		c.out.escaped(c.scratch, textEscapes)
	}
}

// outside writes a comment or instruction with the line feed that parts it from the document
// element, where it stands outside (C14N 1.0 §2.3).
func (c *canonicaliser) outside(n *node, write func()) {
	after := n.from > c.t.nodes[c.t.root].from
	if n.parent == 0 && after {
		c.out.string("\n")
	}
	write()
	if n.parent == 0 && !after {
		c.out.string("\n")
	}
}

// verbatimOr writes a comment or instruction as it stands, or anew with line feeds.
func (c *canonicaliser) verbatimOr(n *node, begin string, target []byte, end string) {
	if n.form&formStart != 0 {
		c.out.span(n.from, n.to)
		return
	}
	c.out.string(begin)
	c.out.bytes(target)
	if target != nil && n.tail > n.body {
		c.out.string(" ")
	}
	c.scratch = lineFeeds(c.scratch[:0], c.t.text[n.body:n.tail])
	c.out.bytes(c.scratch)
	c.out.string(end)
}

// orphan tells whether the parent of element i is not in the set, which then inherits what only
// stands further up.
func (c *canonicaliser) orphan(i ID, n *node) bool {
	return n.parent == 0 || i == c.set.Top || c.set.Keep != nil && !c.set.Keep.Has(n.parent)
}

// startInclusive writes a start tag with all namespaces that the nearest written ancestor has not.
func (c *canonicaliser) startInclusive(i ID, n *node) {
	t := c.t
	orphan := c.orphan(i, n) && n.parent != 0
	if !orphan && n.form&(formStart|superfluous) == formStart {
		c.startAsIs(n)
		return
	}
	c.decls = c.decls[:0]
	above := None
	if len(c.open) > 0 {
		above = c.open[len(c.open)-1].id
	}
	for d := n.scope; d != 0 && (orphan || t.decls[d].node == i); d = t.decls[d].up {
		decl := &t.decls[d]
		c.steps += 1 + len(c.decls)
		if slices.ContainsFunc(c.decls, func(o int32) bool { return t.decls[o].prefix == decl.prefix }) {
			continue // hidden by a nearer one
		}
		c.decls = append(c.decls, d)
	}
	if c.steps > maxSteps {
		c.out.err = jitsuin.Errorf(jitsuin.Limited, "xml-limit", "the nodes to be put in canonical form are too scattered")
	}
	c.decls = slices.DeleteFunc(c.decls, func(d int32) bool {
		if above == None {
			return t.decls[d].uri == ""
		}
		uri, ok := t.Resolve(above, t.decls[d].prefix)
		return ok && uri == t.decls[d].uri
	})
	c.attrs = c.attrs[:0]
	if orphan {
		c.inherit(n)
	}
	c.writeStart(n, false)
}

// startExclusive writes a start tag with the namespaces that it visibly uses and that no written
// ancestor has (Exclusive C14N §3).
func (c *canonicaliser) startExclusive(i ID, n *node) {
	t := c.t
	c.decls = c.decls[:0]
	undeclare := false
	if n.space != spaceXML {
		undeclare = c.use(n.space, n.prefix == 0)
	}
	for _, a := range t.attrs[n.attr : n.attr+int32(n.attrs)] {
		if a.space > 0 {
			c.use(a.space, false)
		}
	}
	for _, prefix := range c.m.Prefixes {
		if d := t.find(n.scope, prefix); d != 0 || prefix == "" {
			undeclare = c.use(d, prefix == "") || undeclare
		}
	}
	for _, d := range c.decls {
		c.rendered = append(c.rendered, rendered{d, t.decls[d].prefix, t.decls[d].uri})
	}
	if undeclare {
		c.rendered = append(c.rendered, rendered{})
	}
	if n.form&formStart != 0 && !undeclare && c.ownOnly(i, n) {
		c.startAsIs(n)
		return
	}
	c.attrs = c.attrs[:0]
	c.writeStart(n, undeclare)
}

// startAsIs writes a start tag that is spelt canonically.
func (c *canonicaliser) startAsIs(n *node) {
	if n.tail != n.to {
		c.out.span(n.from, n.body)
		return
	}
	c.out.span(n.from, n.body-2)
	c.out.string(">")
}

// written tells whether declaration d is in force in what was written.
func (c *canonicaliser) written(d int32) bool {
	if d == spaceXML {
		return true
	}
	decl := &c.t.decls[d]
	for r := len(c.rendered) - 1; r >= 0; r-- {
		if c.rendered[r].prefix == decl.prefix {
			return c.rendered[r].uri == decl.uri
		}
	}
	return decl.uri == ""
}

// use puts declaration d on the list of those to be written, unless it is written already. It tells
// whether the default namespace has to be taken back, for which there may be no declaration.
func (c *canonicaliser) use(d int32, isDefault bool) (undeclare bool) {
	if last := len(c.rendered) - 1; last >= 0 && c.rendered[last].decl == d && d != 0 {
		return false // nearly always
	}
	decl := &c.t.decls[d]
	for r := len(c.rendered) - 1; r >= 0; r-- {
		if c.rendered[r].prefix == decl.prefix {
			if c.rendered[r].uri == decl.uri {
				return false
			}
			if decl.uri == "" {
				return isDefault
			}
			break
		}
	}
	if decl.uri == "" {
		return false
	}
	if !slices.Contains(c.decls, d) {
		c.decls = append(c.decls, d)
	}
	return false
}

// ownOnly tells whether the declarations to be written are exactly those that element i makes.
func (c *canonicaliser) ownOnly(i ID, n *node) bool {
	own := 0
	for d := n.scope; d != 0 && c.t.decls[d].node == i; d = c.t.decls[d].up {
		own++
	}
	if own != len(c.decls) {
		return false
	}
	for _, d := range c.decls {
		if c.t.decls[d].node != i {
			return false
		}
	}
	return true
}

// find gives the declaration that binds prefix in a scope, 0 for none.
func (t *Tree) find(scope int32, prefix string) int32 {
	for d := scope; d != 0; d = t.decls[d].up {
		if t.decls[d].prefix == prefix {
			return d
		}
	}
	return 0
}
