package xmltree

import (
	"io"
	"slices"
	"strings"
)

// What the canonical form writes in place of a character (C14N 1.0 §2.3), by octet.
var (
	textEscapes  = &[256]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '\r': "&#xD;"}
	valueEscapes = &[256]string{'&': "&amp;", '<': "&lt;", '"': "&quot;", '\t': "&#x9;", '\n': "&#xA;", '\r': "&#xD;"}
)

// written is an attribute that is written; value stands in place of its own where fixed.
type written struct {
	attribute
	fixed bool
	text  string
}

// writeStart writes a start tag from c.decls, c.attrs (inherited ones) and n's own attributes.
func (c *canonicaliser) writeStart(n *node, undeclare bool) {
	t := c.t
	c.out.string("<")
	c.out.bytes(t.text[n.from+1 : n.from+1+int32(n.name)])
	if undeclare {
		c.out.string(` xmlns=""`)
	}
	if len(c.decls) > 1 {
		slices.SortFunc(c.decls, func(a, b int32) int { return strings.Compare(t.decls[a].prefix, t.decls[b].prefix) })
	}
	for _, d := range c.decls {
		decl := &t.decls[d]
		c.out.string(" xmlns")
		if decl.prefix != "" {
			c.out.string(":")
			c.out.string(decl.prefix)
		}
		c.out.string(`="`)
		c.out.escaped([]byte(decl.uri), valueEscapes)
		c.out.string(`"`)
	}
	own := t.attrs[n.attr : n.attr+int32(n.attrs)]
	if len(c.attrs) == 0 {
		for i := range own {
			c.writeAttribute(&own[i])
		}
	} else {
		c.writeSorted(own)
	}
	c.out.string(">")
}

// writeSorted writes own and inherited attributes, in their order.
func (c *canonicaliser) writeSorted(own []attribute) {
	t := c.t
	for _, a := range own {
		if !slices.ContainsFunc(c.attrs, func(w written) bool { return w.fixed && t.compare(&w.attribute, &a) == 0 }) {
			c.attrs = append(c.attrs, written{attribute: a})
		}
	}
	slices.SortFunc(c.attrs, func(a, b written) int { return t.compare(&a.attribute, &b.attribute) })
	for i := range c.attrs {
		a := &c.attrs[i]
		switch {
		case !a.fixed:
			c.writeAttribute(&a.attribute)
		case a.text != "":
			c.out.string(" ")
			c.out.bytes(t.text[a.at : a.at+int32(a.name)])
			c.out.string(`="`)
			c.out.escaped([]byte(a.text), valueEscapes)
			c.out.string(`"`)
		}
	}
}

func (c *canonicaliser) writeAttribute(a *attribute) {
	text := c.t.text
	raw := text[a.value : a.value+a.length]
	if a.form && text[a.value-1] == '"' && text[a.value-2] == '=' && a.at+int32(a.name) == a.value-2 {
		c.out.string(" ")
		c.out.span(a.at, a.value+a.length+1)
		return
	}
	c.out.string(" ")
	c.out.bytes(text[a.at : a.at+int32(a.name)])
	c.out.string(`="`)
	if a.form && text[a.value-1] == '"' {
		c.out.bytes(raw)
	} else {
		c.scratch = unescape(c.scratch[:0], raw, true)
		c.out.escaped(c.scratch, valueEscapes)
	}
	c.out.string(`"`)
}

// inherit puts the attributes of the xml namespace that n, whose parent is not in the set, takes over
// from its ancestors on c.attrs (C14N 1.0 §2.4; C14N 1.1 §2.4).
func (c *canonicaliser) inherit(n *node) {
	t := c.t
	own := t.attrs[n.attr : n.attr+int32(n.attrs)]
	for up := n.parent; up > 0; up = t.nodes[up].parent {
		a := &t.nodes[up]
		for _, attr := range t.attrs[a.attr : a.attr+int32(a.attrs)] {
			if attr.space != spaceXML {
				continue
			}
			local := string(t.text[attr.at+4 : attr.at+int32(attr.name)])
			if c.m.Eleven && local != "lang" && local != "space" {
				continue
			}
			same := func(o *attribute) bool { return o.space == spaceXML && t.compare(o, &attr) == 0 }
			if slices.ContainsFunc(own, func(o attribute) bool { return same(&o) }) ||
				slices.ContainsFunc(c.attrs, func(o written) bool { return same(&o.attribute) }) {
				continue
			}
			c.attrs = append(c.attrs, written{attribute: attr})
		}
	}
	if c.m.Eleven {
		c.fixBase(n)
	}
}

// output gathers small pieces and hands long runs of the input on as they are.
type output struct {
	w        io.Writer
	text     []byte
	from, to int32 // octets of text that are still to be written, after buf
	buf      []byte
	err      error
}

// direct is from how many octets on a run of the input is handed on without a copy.
const direct = 512

// span writes text[from:to]; neighbouring spans become one.
func (o *output) span(from, to int32) {
	if o.to == from {
		o.to = to
		return
	}
	o.settle()
	o.from, o.to = from, to
}

// settle takes the pending span into the buffer, or writes both.
func (o *output) settle() {
	if o.from == o.to {
		return
	}
	if o.to-o.from < direct {
		o.buf = append(o.buf, o.text[o.from:o.to]...)
		o.from, o.to = 0, 0
		if len(o.buf) > 4*direct {
			o.drain()
		}
		return
	}
	o.drain()
	o.write(o.text[o.from:o.to])
	o.from, o.to = 0, 0
}

func (o *output) drain() {
	o.write(o.buf)
	o.buf = o.buf[:0]
}

func (o *output) write(b []byte) {
	if o.err == nil && len(b) > 0 {
		_, o.err = o.w.Write(b)
	}
}

func (o *output) flush() {
	o.settle()
	o.drain()
}

func (o *output) string(s string) {
	o.settle()
	o.buf = append(o.buf, s...)
}

func (o *output) bytes(b []byte) {
	o.settle()
	o.buf = append(o.buf, b...)
}

// escaped writes b with what escapes says.
func (o *output) escaped(b []byte, escapes *[256]string) {
	o.settle()
	begin := 0
	for i, c := range b {
		if e := escapes[c]; e != "" {
			o.buf = append(append(o.buf, b[begin:i]...), e...)
			begin = i + 1
		}
	}
	o.buf = append(o.buf, b[begin:]...)
	if len(o.buf) > 4*direct {
		o.drain()
	}
}
