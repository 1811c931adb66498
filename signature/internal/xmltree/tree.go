package xmltree

import (
	"bytes"
	"strings"
)

// Limits on what is read. A document beyond one of them is refused with the kind Limited.
const (
	MaxInput      = 16 << 20 // octets, after decoding to UTF-8
	MaxDepth      = 256      // elements inside one another
	MaxNodes      = 300_000  // elements, texts, comments and instructions
	MaxAttributes = 300_000  // in the whole document
	MaxOwn        = 1024     // attributes of one element
	MaxDeclared   = 100_000  // namespace declarations in the whole document
	MaxScope      = 256      // namespace declarations in scope at one place
	MaxName       = 1024     // octets of a qualified name
)

// Namespaces that are bound without a declaration.
const (
	NamespaceXML   = "http://www.w3.org/XML/1998/namespace"
	NamespaceXMLNS = "http://www.w3.org/2000/xmlns/"
)

// ID names a node: its place in document order. 0 is the document itself.
type ID int32

// None is no node.
const None ID = -1

// Kind is the kind of a node.
type Kind uint8

const (
	Document Kind = iota
	Element
	Text
	CDATA // a section; its content is text
	Comment
	Instruction
)

// What the reader found out about the form of a node's own bytes.
const (
	formStart   uint8 = 1 << iota // start tag: spelt canonically, but for the '/' of an empty element. Other kinds: all of it is
	formEnd                       // end tag: spelt canonically
	superfluous                   // declares a namespace that is in scope already
	dirty                         // some node of the subtree, itself included, is not canonical
	hasComment                    // some node of the subtree is a comment
	mixed                         // elements: names in the subtree are bound by several declarations, or declared in it
)

// node is one node. Offsets point into Tree.text.
type node struct {
	parent ID
	end    ID    // the node after the subtree
	from   int32 // first octet
	to     int32 // octet after the last
	body   int32 // elements: octet after the start tag; else the first octet of the content
	tail   int32 // elements: first octet of the end tag, == to where there is none; else after the content
	scope  int32 // declaration that was made last among those in scope, 0 for none
	space  int32 // declaration that binds the element's prefix, 0 for none
	attr   int32 // first attribute
	attrs  uint16
	name   uint16 // octets of the qualified name, after from and '<' (or "<?")
	prefix uint16 // octets of the prefix, 0 for none
	kind   Kind
	form   uint8
}

// attribute is one attribute; declarations are none.
type attribute struct {
	at, value int32 // offsets of name and value
	length    int32 // octets of the value
	space     int32 // declaration that binds the prefix, spaceXML, or 0 for none
	name      uint16
	prefix    uint16
	form      bool // the value is spelt canonically
}

// spaceXML stands for the declaration of the prefix xml, which nobody makes.
const spaceXML = -1

// declaration is one namespace declaration, linked to the one made before it in its scope.
type declaration struct {
	prefix string
	uri    string
	up     int32
	node   ID
}

// Tree is one document. It is never changed after Parse and may be read by several goroutines.
type Tree struct {
	text  []byte
	nodes []node
	attrs []attribute
	decls []declaration // [0] is none
	root  ID
	utf8  bool // the input was UTF-8
}

// Root gives the document element.
func (t *Tree) Root() ID { return t.root }

// Len gives how many nodes there are, the document among them; all IDs are below it.
func (t *Tree) Len() int { return len(t.nodes) }

// Source gives the document as UTF-8, which the caller must not change.
func (t *Tree) Source() []byte { return t.text }

// UTF8 tells whether the document came in UTF-8 and says nothing else of itself.
func (t *Tree) UTF8() bool { return t.utf8 }

// Kind gives the kind of n.
func (t *Tree) Kind(n ID) Kind { return t.nodes[n].kind }

// Parent gives the parent, None for the document.
func (t *Tree) Parent(n ID) ID { return t.nodes[n].parent }

// End gives the node that follows the subtree of n; n's descendants are the IDs between.
func (t *Tree) End(n ID) ID { return t.nodes[n].end }

// Span gives the octets of Source that n fills.
func (t *Tree) Span(n ID) (from, to int) { return int(t.nodes[n].from), int(t.nodes[n].to) }

// FirstChild gives the first child of any kind, or None. Like all ways from node to node it takes None.
func (t *Tree) FirstChild(n ID) ID {
	if n != None && n+1 < t.nodes[n].end {
		return n + 1
	}
	return None
}

// Next gives the following sibling of any kind, or None.
func (t *Tree) Next(n ID) ID {
	if n == None {
		return None
	}
	p := t.nodes[n].parent
	if next := t.nodes[n].end; p != None && next < t.nodes[p].end {
		return next
	}
	return None
}

// FirstElement gives the first child that is an element, or None.
func (t *Tree) FirstElement(n ID) ID { return t.elementFrom(t.FirstChild(n)) }

// NextElement gives the following sibling that is an element, or None.
func (t *Tree) NextElement(n ID) ID { return t.elementFrom(t.Next(n)) }

func (t *Tree) elementFrom(n ID) ID {
	for n != None && t.nodes[n].kind != Element {
		n = t.Next(n)
	}
	return n
}

// HasComments tells whether there is a comment in the subtree of n.
func (t *Tree) HasComments(n ID) bool { return t.nodes[n].form&hasComment != 0 }

// Within tells whether n lies in the subtree of top, top itself included.
func (t *Tree) Within(n, top ID) bool { return n >= top && n < t.nodes[top].end }

// Name gives an element's prefix and local name, or an instruction's target as local name.
func (t *Tree) Name(n ID) (prefix, local []byte) {
	nd := &t.nodes[n]
	at := nd.from + 1
	if nd.kind == Instruction {
		at++
	}
	return split(t.text[at:at+int32(nd.name)], nd.prefix)
}

func split(name []byte, prefix uint16) ([]byte, []byte) {
	if prefix == 0 {
		return nil, name
	}
	return name[:prefix], name[prefix+1:]
}

// Space gives the namespace of an element, "" for none.
func (t *Tree) Space(n ID) string { return t.uri(t.nodes[n].space) }

func (t *Tree) uri(decl int32) string {
	if decl == spaceXML {
		return NamespaceXML
	}
	return t.decls[decl].uri
}

// Is tells whether n is the element local in the namespace space.
func (t *Tree) Is(n ID, space, local string) bool {
	if n < 0 || t.nodes[n].kind != Element {
		return false
	}
	_, name := t.Name(n)
	return string(name) == local && t.Space(n) == space
}

// FindAll gives all elements of a name, in document order.
func (t *Tree) FindAll(space, local string) (found []ID) {
	for i := range t.nodes {
		n := &t.nodes[i]
		size := int(n.name)
		if n.prefix > 0 {
			size -= int(n.prefix) + 1
		}
		if size == len(local) && n.kind == Element && t.Is(ID(i), space, local) {
			found = append(found, ID(i))
		}
	}
	return found
}

// Path writes where an element stands, as "/a/b[2]/c", for people. Prefixes are those of the document.
func (t *Tree) Path(n ID) string {
	var steps []string
	for ; n > 0; n = t.nodes[n].parent {
		steps = append(steps, t.step(n))
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(steps[i])
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// step writes n's name with its place among the siblings of that name, where it is not the only one.
func (t *Tree) step(n ID) string {
	nd := &t.nodes[n]
	if nd.kind != Element {
		return "node()"
	}
	name := t.text[nd.from+1 : nd.from+1+int32(nd.name)]
	before, after := 0, false
	for s := t.FirstElement(nd.parent); s != None; s = t.NextElement(s) {
		o := &t.nodes[s]
		if !bytes.Equal(t.text[o.from+1:o.from+1+int32(o.name)], name) || s == n {
			continue
		}
		if s > n {
			after = true
			break
		}
		before++
	}
	if before == 0 && !after {
		return string(name)
	}
	return string(name) + "[" + itoa(before+1) + "]"
}

func itoa(n int) string {
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

// Attributes gives how many attributes an element has, declarations not counted.
func (t *Tree) Attributes(n ID) int { return int(t.nodes[n].attrs) }

// AttributeAt gives an element's i-th attribute, in canonical order.
func (t *Tree) AttributeAt(n ID, i int) (space string, local []byte, value string) {
	a := &t.attrs[t.nodes[n].attr+int32(i)]
	_, local = split(t.text[a.at:a.at+int32(a.name)], a.prefix)
	return t.uri(a.space), local, t.value(a)
}

// Attribute gives the value of an attribute. space is "" for attributes without a prefix.
func (t *Tree) Attribute(n ID, space, local string) (value string, ok bool) {
	if n == None {
		return "", false
	}
	nd := &t.nodes[n]
	for i := nd.attr; i < nd.attr+int32(nd.attrs); i++ {
		a := &t.attrs[i]
		_, name := split(t.text[a.at:a.at+int32(a.name)], a.prefix)
		if string(name) == local && t.uri(a.space) == space {
			return t.value(a), true
		}
	}
	return "", false
}

// value gives an attribute's value as an XML processor reports it, normalised.
func (t *Tree) value(a *attribute) string {
	raw := t.text[a.value : a.value+a.length]
	if a.form && bytes.IndexByte(raw, '&') < 0 {
		return string(raw)
	}
	return string(unescape(nil, raw, true))
}

// AppendText appends the content of a text or section to b, with references resolved.
func (t *Tree) AppendText(b []byte, n ID) []byte {
	nd := &t.nodes[n]
	raw := t.text[nd.body:nd.tail]
	switch {
	case nd.kind == CDATA:
		return lineFeeds(b, raw)
	case nd.form&formStart != 0 && bytes.IndexByte(raw, '&') < 0:
		return append(b, raw...)
	}
	return unescape(b, raw, false)
}

// Content gives the text of an element that holds text and nothing else. ok is false where there is
// an element, a comment or an instruction in it: what they would be read as depends on the reader.
func (t *Tree) Content(n ID) (text []byte, ok bool) {
	if n == None {
		return nil, false
	}
	for c := n + 1; c < t.nodes[n].end; c++ {
		if k := t.nodes[c].kind; k != Text && k != CDATA {
			return nil, false
		}
		text = t.AppendText(text, c)
	}
	return text, true
}

// StringValue appends the string value of n (XPath 1.0 §5.2): all text below it, comments and
// instructions left out.
func (t *Tree) StringValue(b []byte, n ID) []byte {
	for c := n; c < t.nodes[n].end; c++ {
		if k := t.nodes[c].kind; k == Text || k == CDATA {
			b = t.AppendText(b, c)
		}
	}
	return b
}

// EachAttribute calls f with every attribute of the document, declarations left out.
// value is only good until f returns.
func (t *Tree) EachAttribute(f func(n ID, space string, local, value []byte)) {
	var scratch []byte
	for n := range t.nodes {
		nd := &t.nodes[n]
		for i := nd.attr; i < nd.attr+int32(nd.attrs); i++ {
			a := &t.attrs[i]
			_, local := split(t.text[a.at:a.at+int32(a.name)], a.prefix)
			value := t.text[a.value : a.value+a.length]
			if !a.form || bytes.IndexByte(value, '&') >= 0 {
				scratch = unescape(scratch[:0], value, true)
				value = scratch
			}
			f(ID(n), t.uri(a.space), local, value)
		}
	}
}

// Resolve gives the namespace that prefix is bound to at n; "" is the default namespace's prefix.
func (t *Tree) Resolve(n ID, prefix string) (uri string, ok bool) {
	if prefix == "xml" {
		return NamespaceXML, true
	}
	for d := t.nodes[n].scope; d != 0; d = t.decls[d].up {
		if t.decls[d].prefix == prefix {
			return t.decls[d].uri, true
		}
	}
	return "", prefix == ""
}

// Declared calls f with each namespace that is declared at n itself.
func (t *Tree) Declared(n ID, f func(prefix, uri string)) {
	for d := t.nodes[n].scope; d != 0 && t.decls[d].node == n; d = t.decls[d].up {
		f(t.decls[d].prefix, t.decls[d].uri)
	}
}

// Inner gives the octets of Source between the tags of an element. open is false for an element that is
// written as one tag: then they are those of the tag.
func (t *Tree) Inner(n ID) (from, to int, open bool) {
	nd := &t.nodes[n]
	if nd.tail == nd.to {
		return int(nd.from), int(nd.to), false
	}
	return int(nd.body), int(nd.tail), true
}
