package xmltree

import (
	"bytes"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
)

// Parse reads one document. It keeps in, which the caller must not change afterwards. What is not
// well-formed is refused with the kind Invalid, a document type declaration with the code
// "xml-doctype", what is too large with Limited, and an encoding that is not read with Unsupported.
func Parse(in []byte) (*Tree, error) {
	text, utf8, err := decode(in)
	if err != nil {
		return nil, err
	}
	p := parser{text: text, t: &Tree{text: text, utf8: utf8, root: None}}
	p.t.room()
	if err := p.document(); err != nil {
		return nil, err
	}
	return p.t, nil
}

// invalid makes the error for a document that is not well-formed at an octet.
func invalid(code string, at int, format string, args ...any) error {
	args = append(args, at)
	return jitsuin.Errorf(jitsuin.Invalid, "xml-"+code, format+" (octet %d)", args...)
}

func limited(what string, limit int) error {
	return jitsuin.Errorf(jitsuin.Limited, "xml-limit", "the document has more than %d %s", limit, what)
}

// parser walks over the text once.
type parser struct {
	text  []byte
	pos   int
	t     *Tree
	open  ID // the innermost open element; 0 outside the document element
	depth int
	scope int // declarations in scope at open
	xml   ID  // the element that declared the prefix xml last
}

// document reads prolog, document element and epilog (XML 1.0 §2.1 [1]).
func (p *parser) document() error {
	_, size, err := readDeclaration(p.text)
	if err != nil {
		return err
	}
	p.pos = size
	for p.pos < len(p.text) {
		if p.text[p.pos] != '<' {
			err = p.characters()
		} else {
			err = p.markup()
		}
		if err != nil {
			return err
		}
		if len(p.t.nodes) > MaxNodes {
			return limited("nodes", MaxNodes)
		}
	}
	switch {
	case p.open != 0:
		return invalid("end", p.pos, "the document ends inside an element")
	case p.t.root == None:
		return invalid("end", p.pos, "the document has no element")
	}
	p.t.nodes[0].end = ID(len(p.t.nodes))
	p.t.nodes[0].form = p.t.nodes[0].form | dirty
	return nil
}

// markup reads what begins with '<'.
func (p *parser) markup() error {
	rest := p.text[p.pos:]
	if len(rest) < 2 {
		return invalid("markup", p.pos, "a lone '<'")
	}
	switch rest[1] {
	case '/':
		return p.endTag()
	case '?':
		return p.instruction()
	case '!':
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			return p.comment()
		case bytes.HasPrefix(rest, []byte("<![CDATA[")) && p.open != 0:
			return p.section()
		case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
			return jitsuin.Errorf(jitsuin.Invalid, "xml-doctype", "the document has a document type declaration, which is refused unread (octet %d)", p.pos)
		}
		return invalid("markup", p.pos, "markup that may not stand here")
	}
	return p.startTag()
}

// add appends a node that has no children.
func (p *parser) add(k Kind, from, to, body, tail int, canonical bool) {
	form := formStart
	if !canonical {
		form = dirty
	}
	if k == Comment {
		form |= hasComment
	}
	p.t.nodes = append(p.t.nodes, node{kind: k, parent: p.open, end: ID(len(p.t.nodes) + 1), from: int32(from), to: int32(to),
		body: int32(body), tail: int32(tail), scope: p.t.nodes[p.open].scope, form: form})
	p.t.nodes[p.open].form |= form & (dirty | hasComment)
	p.pos = to
}

// characters reads a text up to the next markup.
func (p *parser) characters() error {
	from := p.pos
	end := bytes.IndexByte(p.text[from:], '<')
	if end < 0 {
		end = len(p.text) - from
	}
	raw := p.text[from : from+end]
	if p.open == 0 {
		for i, c := range raw {
			if !isSpace(c) {
				return invalid("text", from+i, "text outside the document element")
			}
		}
		p.pos += end
		return nil
	}
	canonical := true
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case classes[c]&classText == 0:
			i++
		case c >= utf8.RuneSelf:
			n := beyondASCII(raw[i:])
			if n == 0 {
				return badCharacter(from + i)
			}
			i += n
		case c == '&':
			r, n := reference(raw[i:])
			if n == 0 {
				return invalid("reference", from+i, "a reference that is neither predefined nor a character")
			}
			canonical = canonical && canonicalReference(textEscapes, r, raw[i:i+n])
			i += n
		case c == '>' && i >= 2 && raw[i-1] == ']' && raw[i-2] == ']':
			return invalid("text", from+i, "']]>' in a text")
		case c == '>', c == '\r':
			canonical = false
			i++
		default:
			return badCharacter(from + i)
		}
	}
	p.add(Text, from, from+end, from, from+end, canonical)
	return nil
}

func badCharacter(at int) error {
	return invalid("character", at, "an octet that is no character of XML in UTF-8")
}

// canonicalReference tells whether a reference is spelt as the canonical form spells its character.
func canonicalReference(escapes *[256]string, r rune, raw []byte) bool {
	return r < utf8.RuneSelf && escapes[r] == string(raw)
}

// section reads a CDATA section.
func (p *parser) section() error {
	from := p.pos
	body := from + len("<![CDATA[")
	end := bytes.Index(p.text[body:], []byte("]]>"))
	if end < 0 {
		return invalid("end", from, "a CDATA section that does not end")
	}
	if bad, _ := firstBad(p.text[body : body+end]); bad >= 0 {
		return badCharacter(body + bad)
	}
	p.add(CDATA, from, body+end+3, body, body+end, false)
	return nil
}

// comment reads a comment; there is no "--" inside one.
func (p *parser) comment() error {
	from := p.pos
	body := from + len("<!--")
	end := bytes.Index(p.text[body:], []byte("--"))
	if end < 0 {
		return invalid("end", from, "a comment that does not end")
	}
	to := body + end + 2
	if to >= len(p.text) || p.text[to] != '>' {
		return invalid("comment", body+end, "'--' in a comment")
	}
	bad, cr := firstBad(p.text[body : body+end])
	if bad >= 0 {
		return badCharacter(body + bad)
	}
	p.add(Comment, from, to+1, body, body+end, !cr)
	return nil
}

// instruction reads a processing instruction.
func (p *parser) instruction() error {
	from := p.pos
	name, prefix, err := p.name(from + 2)
	if err != nil {
		return err
	}
	target := p.text[from+2 : from+2+name]
	if prefix != 0 || len(target) == 3 && bytes.EqualFold(target, []byte("xml")) {
		return invalid("instruction", from, "a processing instruction that may not be named so here")
	}
	after := from + 2 + name
	end := bytes.Index(p.text[after:], []byte("?>"))
	if end < 0 {
		return invalid("end", from, "a processing instruction that does not end")
	}
	end += after
	body := after
	for body < end && isSpace(p.text[body]) {
		body++
	}
	if body == after && end > after {
		return invalid("instruction", after, "a processing instruction without white space after its target")
	}
	bad, cr := firstBad(p.text[body:end])
	if bad >= 0 {
		return badCharacter(body + bad)
	}
	canonical := !cr && (body == after || body == after+1 && p.text[after] == ' ' && body < end)
	p.add(Instruction, from, end+2, body, end, canonical)
	p.t.nodes[len(p.t.nodes)-1].name = uint16(name)
	return nil
}

// endTag closes the innermost element.
func (p *parser) endTag() error {
	from := p.pos
	if p.open == 0 {
		return invalid("end-tag", from, "an end tag outside the document element")
	}
	n := &p.t.nodes[p.open]
	name := p.text[n.from+1 : n.from+1+int32(n.name)]
	at := from + 2
	if !bytes.HasPrefix(p.text[at:], name) {
		return invalid("end-tag", from, "an end tag that is not that of the open element")
	}
	at += len(name)
	canonical := true
	for at < len(p.text) && isSpace(p.text[at]) {
		canonical = false
		at++
	}
	if at >= len(p.text) || p.text[at] != '>' {
		return invalid("end-tag", from, "an end tag that is not that of the open element")
	}
	n.tail = int32(from)
	if canonical {
		n.form |= formEnd
	} else {
		n.form |= dirty
	}
	p.pos = at + 1
	p.close(n)
	return nil
}

// close ends the innermost element at the parser's place.
func (p *parser) close(n *node) {
	n.end = ID(len(p.t.nodes))
	n.to = int32(p.pos)
	up := &p.t.nodes[n.parent]
	up.form |= n.form & (dirty | hasComment | mixed)
	if n.scope != up.scope || n.space != up.space {
		up.form |= mixed
		for d := n.scope; d != up.scope; d = p.t.decls[d].up {
			p.scope--
		}
	}
	p.open = n.parent
	p.depth--
}

// name reads a qualified name at an offset and gives its length and that of its prefix.
func (p *parser) name(at int) (length, prefix int, err error) {
	begins, colon := true, -1
	i := at
	for i < len(p.text) {
		c := p.text[i]
		switch {
		case c < utf8.RuneSelf && classes[c]&className != 0:
			if begins && classes[c]&classStart == 0 {
				return 0, 0, invalid("name", i, "a name that begins with %q", c)
			}
			i++
		case c == ':':
			if begins || colon >= 0 {
				return 0, 0, invalid("name", i, "a misplaced colon in a name")
			}
			colon, begins = i, true
			i++
			continue
		case c >= utf8.RuneSelf:
			n := beyondASCII(p.text[i:])
			if n == 0 {
				return 0, 0, badCharacter(i)
			}
			if c < 0xE4 && !(c == 0xE3 && p.text[i+1] != 0x80) || c > 0xEC { // from U+3040 to U+CFFF all are allowed
				if r, _ := utf8.DecodeRune(p.text[i:]); !nameRune(r, begins) {
					return 0, 0, invalid("name", i, "a character that may not stand in a name")
				}
			}
			i += n
		default:
			goto end
		}
		begins = false
	}
end:
	switch {
	case begins:
		return 0, 0, invalid("name", i, "a name is missing")
	case i-at > MaxName:
		return 0, 0, limited("octets in a name", MaxName)
	case colon >= 0:
		prefix = colon - at
	}
	return i - at, prefix, nil
}
