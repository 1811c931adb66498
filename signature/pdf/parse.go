package pdf

import (
	"bytes"

	"github.com/jitsuin/jitsuin"
)

// Bounds of one object.
const (
	maxDepth    = 64      // arrays and dictionaries inside each other
	maxElements = 1 << 17 // elements of arrays and entries of dictionaries, all told
	maxName     = 1 << 10 // bytes of a name as written
)

// Classes of bytes (ISO 32000-2 §7.2.3).
const (
	regular = iota
	white
	delimiter
)

var (
	class    [256]byte
	hexValue [256]byte // 255 for what is no digit
)

func init() {
	for _, c := range []byte("\x00\t\n\f\r ") {
		class[c] = white
	}
	for _, c := range []byte("()<>[]{}/%") {
		class[c] = delimiter
	}
	for i := range hexValue {
		hexValue[i] = 255
	}
	for i, c := range []byte("0123456789") {
		hexValue[c] = byte(i)
	}
	for i, c := range []byte("abcdef") {
		hexValue[c], hexValue[c-32] = byte(10+i), byte(10+i)
	}
}

// malformed makes the error of a file that breaks the syntax at a place.
func malformed(at int, format string, args ...any) error {
	e := jitsuin.Errorf(jitsuin.Invalid, "pdf-malformed", format, args...)
	return jitsuin.Errorf(jitsuin.Invalid, "pdf-malformed", "%s (at byte %d)", e.Message, at)
}

// parser reads objects from buf. It never looks past the end of buf.
type parser struct {
	buf      []byte
	pos      int
	depth    int
	elements int
	contents bool // the value of a /Contents is being read: its digits are checked by who uses it
}

// longHex is the length from which the digits of a /Contents are not looked at while parsing.
const longHex = 512

// space skips white space and comments.
func (p *parser) space() {
	for p.pos < len(p.buf) {
		switch c := p.buf[p.pos]; {
		case class[c] == white:
			p.pos++
		case c == '%':
			for p.pos < len(p.buf) && p.buf[p.pos] != '\n' && p.buf[p.pos] != '\r' {
				p.pos++
			}
		default:
			return
		}
	}
}

// white skips white space, not comments.
func (p *parser) white() {
	for p.pos < len(p.buf) && class[p.buf[p.pos]] == white {
		p.pos++
	}
}

// word gives the run of regular bytes at the place.
func (p *parser) word() []byte {
	start := p.pos
	for p.pos < len(p.buf) && class[p.buf[p.pos]] == regular {
		p.pos++
	}
	return p.buf[start:p.pos]
}

// keyword reads exactly word, after white space.
func (p *parser) keyword(word string) bool {
	p.space()
	start := p.pos
	if string(p.word()) == word {
		return true
	}
	p.pos = start
	return false
}

// integer reads an unsigned integer of at most 19 digits, after white space.
func (p *parser) integer() (int, bool) {
	p.space()
	start := p.pos
	n, ok := digits(p.word())
	if !ok {
		p.pos = start
	}
	return n, ok
}

// digits reads decimal digits and nothing else.
func digits(w []byte) (int, bool) {
	if len(w) == 0 || len(w) > 18 {
		return 0, false
	}
	n := 0
	for _, c := range w {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// object reads one object. A reference is told from an integer by what follows.
func (p *parser) object() (Object, error) {
	p.space()
	if p.pos >= len(p.buf) {
		return nil, malformed(p.pos, "an object is missing")
	}
	switch c := p.buf[p.pos]; c {
	case '/':
		return p.nameObject()
	case '(':
		return p.literal()
	case '[':
		return p.array()
	case '<':
		if p.pos+1 < len(p.buf) && p.buf[p.pos+1] == '<' {
			return p.dict()
		}
		return p.hex()
	}
	return p.atom()
}

// known are names that stand in almost every file, made once: a name in an Object costs room otherwise.
var known = map[string]Object{}

func init() {
	for _, n := range []Name{"AcroForm", "Annot", "Annots", "AP", "BBox", "ByteRange", "Catalog", "Contents", "Count", "DA", "DR", "DecodeParms",
		"Columns", "ETSI.CAdES.detached", "ETSI.RFC3161", "Adobe.PPKLite", "F", "FT", "Fields", "Filter", "First", "FlateDecode", "Font", "ID", "Index",
		"Info", "Kids", "Length", "M", "MediaBox", "Metadata", "N", "Name", "ObjStm", "P", "Page", "Pages", "Parent", "Predictor", "Prev", "Reason", "Rect",
		"Resources", "Root", "Sig", "SigFlags", "Size", "SubFilter", "Subtype", "T", "Type", "V", "W", "Widget", "XRef", "XObject", "adbe.pkcs7.detached"} {
		known[string(n)] = n
	}
}

// nameObject reads a name that is a value.
func (p *parser) nameObject() (Object, error) {
	start := p.pos
	p.pos++
	if o, ok := known[string(p.word())]; ok {
		return o, nil
	}
	p.pos = start
	return p.name()
}

// name reads a name. Zero bytes and broken #xx are refused, for readers differ on them.
func (p *parser) name() (Name, error) {
	start := p.pos
	p.pos++
	w := p.word()
	if len(w) > maxName {
		return "", malformed(start, "a name is longer than %d bytes", maxName)
	}
	if o, ok := known[string(w)]; ok {
		n, _ := o.(Name)
		return n, nil
	}
	if bytes.IndexByte(w, '#') < 0 {
		return Name(w), nil
	}
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		if w[i] != '#' {
			out = append(out, w[i])
			continue
		}
		if i+2 >= len(w) || hexValue[w[i+1]] > 15 || hexValue[w[i+2]] > 15 || w[i+1] == '0' && w[i+2] == '0' {
			return "", malformed(start, "a name has a broken #")
		}
		out = append(out, hexValue[w[i+1]]<<4|hexValue[w[i+2]])
		i += 2
	}
	return Name(out), nil
}

// literal reads a string in parentheses.
func (p *parser) literal() (String, error) {
	start, open := p.pos, 0
	for ; p.pos < len(p.buf); p.pos++ {
		switch p.buf[p.pos] {
		case '\\':
			p.pos++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				p.pos++
				return String{Raw: p.buf[start:p.pos], At: start}, nil
			}
		}
	}
	p.pos = len(p.buf)
	return String{}, malformed(start, "a string has no end")
}

// hex reads a string in hexadecimal.
func (p *parser) hex() (String, error) {
	start := p.pos
	n := bytes.IndexByte(p.buf[start:], '>')
	if n < 0 {
		p.pos = len(p.buf)
		return String{}, malformed(start, "a string in hexadecimal has no end")
	}
	if p.contents && n > longHex {
		p.pos = start + n + 1
		return String{Raw: p.buf[start:p.pos], At: start}, nil
	}
	for i, c := range p.buf[start+1 : start+n] {
		if hexValue[c] > 15 && class[c] != white {
			return String{}, malformed(start+1+i, "a string in hexadecimal has another byte in it")
		}
	}
	p.pos = start + n + 1
	return String{Raw: p.buf[start:p.pos], At: start}, nil
}

// enter counts one more level; leave undoes it.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return malformed(p.pos, "objects lie more than %d deep", maxDepth)
	}
	return nil
}

func (p *parser) count() error {
	if p.elements++; p.elements > maxElements {
		return jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "an object has more than %d elements", maxElements)
	}
	return nil
}

func (p *parser) array() (Array, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	a := Array{}
	for p.pos++; ; {
		p.space()
		if p.pos < len(p.buf) && p.buf[p.pos] == ']' {
			p.pos++
			return a, nil
		}
		o, err := p.object()
		if err != nil {
			return nil, err
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		a = append(a, o)
	}
}

func (p *parser) dict() (*Dict, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	d := &Dict{At: p.pos, Entries: make([]Entry, 0, 8)}
	for p.pos += 2; ; {
		p.space()
		if p.pos >= len(p.buf) {
			return nil, malformed(d.At, "a dictionary has no end")
		}
		switch p.buf[p.pos] {
		case '/':
		case '>':
			if p.pos+1 >= len(p.buf) || p.buf[p.pos+1] != '>' {
				return nil, malformed(p.pos, "a dictionary has a single > in it")
			}
			p.pos += 2
			d.End = p.pos
			d.finish()
			return d, nil
		default:
			return nil, malformed(p.pos, "a key of a dictionary is no name")
		}
		key, err := p.name()
		if err != nil {
			return nil, err
		}
		p.contents = key == "Contents"
		value, err := p.object()
		p.contents = false
		if err != nil {
			return nil, err
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		d.Entries = append(d.Entries, Entry{key, value})
	}
}
