package xmltree

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// startTag reads a start tag or an empty element, resolves its names and notes how it is spelt.
func (p *parser) startTag() error {
	from, t := p.pos, p.t
	if p.depth >= MaxDepth {
		return limited("elements inside one another", MaxDepth)
	}
	if p.open == 0 && t.root != None {
		return invalid("element", from, "a second document element")
	}
	name, prefix, err := p.name(from + 1)
	if err != nil {
		return err
	}
	parent := p.open
	id := ID(len(t.nodes))
	t.nodes = append(t.nodes, node{kind: Element, parent: parent, from: int32(from), scope: t.nodes[parent].scope,
		attr: int32(len(t.attrs)), name: uint16(name), prefix: uint16(prefix), form: formStart})
	p.open, p.pos = id, from+1+name
	p.depth++
	if parent == 0 {
		t.root = id
	}
	n := &t.nodes[id]
	if p.pos < len(p.text) && p.text[p.pos] == '>' { // nearly always: a name and nothing else
		p.pos++
		n.body = int32(p.pos)
		return p.bind(n)
	}
	empty, err := p.attributes(id)
	if err != nil {
		return err
	}
	n.body = int32(p.pos)
	if err := p.resolve(n); err != nil {
		return err
	}
	if n.form&formStart == 0 || n.form&superfluous != 0 {
		n.form |= dirty
	}
	if empty {
		n.form |= dirty
		n.tail = int32(p.pos)
		p.close(n)
	}
	return nil
}

// attributes reads attributes and declarations up to the end of the tag.
func (p *parser) attributes(id ID) (empty bool, err error) {
	text, t := p.text, p.t
	canonical := true
	for {
		at := p.pos
		for p.pos < len(text) && isSpace(text[p.pos]) {
			p.pos++
		}
		if p.pos+1 >= len(text) {
			return false, invalid("end", at, "a tag that does not end")
		}
		switch c := text[p.pos]; {
		case c == '>' || c == '/' && text[p.pos+1] == '>':
			if p.pos > at || !canonical {
				t.nodes[id].form &^= formStart
			}
			if c == '/' {
				p.pos++
			}
			p.pos++
			return c == '/', nil
		case p.pos == at:
			return false, invalid("attribute", at, "an attribute without white space before it")
		}
		canonical = canonical && p.pos == at+1 && text[at] == ' '
		a, spelt, err := p.attribute()
		if err != nil {
			return false, err
		}
		canonical = canonical && spelt
		if isDeclaration(text, &a) {
			canonical = canonical && int(t.nodes[id].attr) == len(t.attrs) // declarations come first
			err = p.declare(id, &a, &canonical)
		} else {
			t.attrs = append(t.attrs, a)
			t.nodes[id].attrs++
			switch {
			case t.nodes[id].attrs > MaxOwn:
				err = limited("attributes in one element", MaxOwn)
			case len(t.attrs) > MaxAttributes:
				err = limited("attributes", MaxAttributes)
			}
		}
		if err != nil {
			return false, err
		}
	}
}

// isDeclaration tells whether a is "xmlns" or has that prefix.
func isDeclaration(text []byte, a *attribute) bool {
	switch {
	case a.prefix == 5, a.prefix == 0 && a.name == 5:
		return string(text[a.at:a.at+5]) == "xmlns"
	}
	return false
}

// attribute reads one name, '=' and value. spelt tells whether it is all canonical.
func (p *parser) attribute() (a attribute, spelt bool, err error) {
	text, from := p.text, p.pos
	name, prefix, err := p.name(from)
	if err != nil {
		return a, false, err
	}
	at := from + name
	i := at
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i >= len(text) || text[i] != '=' {
		return a, false, invalid("attribute", i, "an attribute without a value")
	}
	i++
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i >= len(text) || text[i] != '"' && text[i] != '\'' {
		return a, false, invalid("attribute", i, "an attribute's value without quotation marks")
	}
	quote := text[i]
	spelt = i == at+1 && quote == '"'
	i++
	begin, canonical := i, true
	for {
		for i < len(text) && classes[text[i]]&classValue == 0 {
			i++
		}
		if i >= len(text) {
			return a, false, invalid("end", from, "an attribute that does not end")
		}
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			n := beyondASCII(text[i:])
			if n == 0 {
				return a, false, badCharacter(i)
			}
			i += n - 1
		case c == quote:
			a = attribute{at: int32(from), value: int32(begin), length: int32(i - begin), name: uint16(name), prefix: uint16(prefix), form: canonical}
			p.pos = i + 1
			return a, spelt && canonical, nil
		case c == '<':
			return a, false, invalid("attribute", i, "'<' in an attribute's value")
		case c == '\'': // written as it is
		case c == '&':
			r, n := reference(text[i:])
			if n == 0 {
				return a, false, invalid("reference", i, "a reference that is neither predefined nor a character")
			}
			canonical = canonical && canonicalReference(valueEscapes, r, text[i:i+n])
			i += n - 1
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			return a, false, badCharacter(i)
		default:
			canonical = false
		}
		i++
	}
}

// declare takes a namespace declaration in (Namespaces in XML 1.0 §3).
func (p *parser) declare(id ID, a *attribute, canonical *bool) error {
	t := p.t
	var prefix []byte
	if a.prefix != 0 {
		prefix = p.text[a.at+6 : a.at+int32(a.name)]
	}
	uri := p.text[a.value : a.value+a.length]
	if !a.form || bytes.IndexByte(uri, '&') >= 0 {
		uri = unescape(nil, uri, true)
	}
	isXML := string(prefix) == "xml"
	switch {
	case string(prefix) == "xmlns", string(uri) == NamespaceXMLNS, isXML != (string(uri) == NamespaceXML), len(prefix) > 0 && len(uri) == 0:
		return invalid("namespace", int(a.at), "a namespace declaration that is not allowed")
	case isXML && p.xml == id:
		return invalid("namespace", int(a.at), "a prefix that is declared twice")
	case isXML:
		p.xml, *canonical = id, false // it says nothing and is never written (C14N 1.0 §2.3)
		return nil
	}
	if err := p.declaredTwice(id, prefix, a, canonical); err != nil {
		return err
	}
	if p.scope++; p.scope > MaxScope {
		return limited("namespace declarations in one scope", MaxScope)
	}
	if len(t.decls) > MaxDeclared {
		return limited("namespace declarations", MaxDeclared)
	}
	n := &t.nodes[id]
	d := declaration{up: n.scope, node: id, prefix: p.intern(prefix, false), uri: p.intern(uri, true)}
	if bound, ok := t.Resolve(n.parent, d.prefix); ok && bound == d.uri {
		n.form |= superfluous
	}
	n.scope = int32(len(t.decls))
	t.decls = append(t.decls, d)
	return nil
}

// declaredTwice refuses a prefix that the same element has declared, and notes the order.
func (p *parser) declaredTwice(id ID, prefix []byte, a *attribute, canonical *bool) error {
	t, last := p.t, true
	for d := t.nodes[id].scope; d != 0 && t.decls[d].node == id; d = t.decls[d].up {
		other := t.decls[d].prefix
		if string(prefix) == other {
			return invalid("namespace", int(a.at), "a prefix that is declared twice")
		}
		if last {
			*canonical = *canonical && other < string(prefix)
			last = false
		}
	}
	return nil
}

// intern gives b as a string, the same one as in one of the latest declarations where it is there.
func (p *parser) intern(b []byte, uri bool) string {
	const latest = 8
	for i := len(p.t.decls) - 1; i >= 0 && i >= len(p.t.decls)-latest; i-- {
		s := p.t.decls[i].prefix
		if uri {
			s = p.t.decls[i].uri
		}
		if s == string(b) {
			return s
		}
	}
	return string(b)
}

// find gives the declaration that binds prefix in a scope, 0 for none.
func (p *parser) find(scope int32, prefix []byte) int32 {
	for d := scope; d != 0; d = p.t.decls[d].up {
		if p.t.decls[d].prefix == string(prefix) {
			return d
		}
	}
	return 0
}

// resolve binds the prefixes of an element and its attributes, and puts these in order (C14N 1.0 §2.2).
func (p *parser) resolve(n *node) error {
	text, t := p.text, p.t
	if err := p.bind(n); err != nil {
		return err
	}
	own := t.attrs[n.attr:]
	for i := range own {
		a := &own[i]
		if a.prefix == 0 {
			continue
		}
		prefix := text[a.at : a.at+int32(a.prefix)]
		if string(prefix) == "xml" {
			a.space = spaceXML
		} else if a.space = p.find(n.scope, prefix); a.space == 0 {
			return invalid("namespace", int(a.at), "an attribute with a prefix that is not declared")
		} else {
			n.form |= mixed
		}
	}
	return t.sortAttributes(n, own)
}

// bind binds the prefix of an element.
func (p *parser) bind(n *node) error {
	if up := &p.t.nodes[n.parent]; n.prefix == 0 && up.prefix == 0 && n.scope == up.scope && n.parent > 0 {
		n.space = up.space
		return nil
	}
	prefix := p.text[n.from+1 : n.from+1+int32(n.prefix)]
	n.space = p.find(n.scope, prefix)
	switch {
	case string(prefix) == "xml":
		n.space = spaceXML
	case n.space == 0 && n.prefix > 0:
		return invalid("namespace", int(n.from), "an element with a prefix that is not declared")
	}
	return nil
}

// sortAttributes puts the attributes of an element in canonical order, notes where they did not stand in it, and
// refuses two of one name.
func (t *Tree) sortAttributes(n *node, own []attribute) error {
	for i := 1; i < len(own); i++ {
		switch c := t.compare(&own[i-1], &own[i]); {
		case c < 0:
			continue
		case i < 8 && c > 0: // nearly always few: put in its place among those before
			a := own[i]
			k := i
			for k > 0 && t.compare(&own[k-1], &a) > 0 {
				own[k] = own[k-1]
				k--
			}
			own[k] = a
			n.form &^= formStart
			if k == 0 || t.compare(&own[k-1], &own[k]) != 0 {
				continue
			}
		case c > 0:
			n.form &^= formStart
			slices.SortFunc(own, func(a, b attribute) int { return t.compare(&a, &b) })
			for k := 1; k < len(own); k++ {
				if t.compare(&own[k-1], &own[k]) == 0 {
					return invalid("attribute", int(own[k].at), "two attributes of one name in one element")
				}
			}
			return nil
		}
		return invalid("attribute", int(own[i].at), "two attributes of one name in one element")
	}
	return nil
}

// compare orders attributes by namespace, then by local name (C14N 1.0 §2.2).
func (t *Tree) compare(a, b *attribute) int {
	if a.space != b.space {
		x, y := t.uri(a.space), t.uri(b.space)
		if x < y {
			return -1
		}
		if x > y {
			return 1
		}
	}
	_, la := split(t.text[a.at:a.at+int32(a.name)], a.prefix)
	_, lb := split(t.text[b.at:b.at+int32(b.name)], b.prefix)
	return bytes.Compare(la, lb)
}
