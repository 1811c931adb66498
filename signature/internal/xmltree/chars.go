package xmltree

import (
	"unicode/utf8"
)

// Classes of ASCII characters.
const (
	classStart uint8 = 1 << iota // may begin a name (XML 1.0 §2.3 [4]), the colon left out
	className                    // may stand in a name, the colon left out
	classSpace                   // white space
	classValue                   // in an attribute value: its end, or to be looked at
	classText                    // in a text: likewise
)

var classes = func() (c [256]uint8) {
	for b := 'a'; b <= 'z'; b++ {
		c[b] |= classStart | className
		c[b-'a'+'A'] |= classStart | className
	}
	for b := '0'; b <= '9'; b++ {
		c[b] |= className
	}
	c['_'] |= classStart | className
	c['-'] |= className
	c['.'] |= className
	for _, b := range " \t\r\n" {
		c[b] |= classSpace
	}
	for b := range c {
		if b < ' ' || b >= utf8.RuneSelf {
			c[b] |= classValue | classText
		}
	}
	c['\t'] &^= classText
	c['\n'] &^= classText
	for _, b := range "&<\"'" {
		c[b] |= classValue
	}
	for _, b := range "&<>" {
		c[b] |= classText
	}
	return c
}()

func isSpace(b byte) bool { return classes[b]&classSpace != 0 }

// nameRune tells whether r, beyond ASCII, may stand in a name, or begin one (XML 1.0 §2.3 [4], [4a]).
func nameRune(r rune, begins bool) bool {
	switch {
	case r == 0xB7, r >= 0x300 && r <= 0x36F, r >= 0x203F && r <= 0x2040:
		return !begins
	case r >= 0xC0 && r <= 0x2FF:
		return r != 0xD7 && r != 0xF7
	case r >= 0x370 && r <= 0x1FFF:
		return r != 0x37E
	case r >= 0x200C && r <= 0x200D, r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF,
		r >= 0x3001 && r <= 0xD7FF, r >= 0xF900 && r <= 0xFDCF, r >= 0xFDF0 && r <= 0xFFFD, r >= 0x10000 && r <= 0xEFFFF:
		return true
	}
	return false
}

// isChar tells whether r is a character of XML (XML 1.0 §2.2 [2]).
func isChar(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// beyondASCII gives how many octets the character of XML at the head of b has, which is not ASCII; 0
// where it is none.
func beyondASCII(b []byte) int {
	if c := b[0]; c > 0xE0 && c < 0xED && len(b) > 2 && b[1]&0xC0 == 0x80 && b[2]&0xC0 == 0x80 { // for speed
		return 3
	}
	r, n := utf8.DecodeRune(b)
	if n == 1 || !isChar(r) {
		return 0
	}
	return n
}

// firstBad gives the offset of the first octet that is not part of a character of XML in UTF-8, -1
// where there is none, and tells whether there are carriage returns.
func firstBad(b []byte) (at int, cr bool) {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c >= utf8.RuneSelf:
			n := beyondASCII(b[i:])
			if n == 0 {
				return i, cr
			}
			i += n
			continue
		case c == '\r':
			cr = true
		case c < ' ' && c != '\t' && c != '\n':
			return i, cr
		}
		i++
	}
	return -1, cr
}

// predefined gives the character of one of the five entities (XML 1.0 §4.6), 0 for any other.
func predefined(name []byte) byte {
	switch string(name) {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	return 0
}

// reference reads the reference at the head of b, which begins with '&', and gives its character
// and its length. size is 0 where it is no reference that may stand here.
func reference(b []byte) (r rune, size int) {
	end := 0
	for i := 1; i < len(b) && i < 16; i++ {
		if b[i] == ';' {
			end = i
			break
		}
	}
	if end < 2 {
		return 0, 0
	}
	if b[1] != '#' {
		return rune(predefined(b[1:end])), sizeIf(predefined(b[1:end]) != 0, end+1)
	}
	digits, base := b[2:end], rune(10)
	if len(digits) > 0 && digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	if len(digits) == 0 {
		return 0, 0
	}
	for _, d := range digits {
		v := digit(d)
		if v < 0 || v >= base || r > utf8.MaxRune {
			return 0, 0
		}
		r = r*base + v
	}
	return r, sizeIf(isChar(r), end+1)
}

func sizeIf(ok bool, n int) int {
	if ok {
		return n
	}
	return 0
}

func digit(d byte) rune {
	switch {
	case d >= '0' && d <= '9':
		return rune(d - '0')
	case d >= 'a' && d <= 'f':
		return rune(d-'a') + 10
	case d >= 'A' && d <= 'F':
		return rune(d-'A') + 10
	}
	return -1
}

// unescape appends raw, a text or an attribute's value that was checked, as a processor reports it:
// references resolved, line ends as line feeds (§2.11), white space in attributes as spaces (§3.3.3).
func unescape(b, raw []byte, attribute bool) []byte {
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&':
			r, n := reference(raw[i:])
			b = utf8.AppendRune(b, r)
			i += max(n, 1)
			continue
		case c == '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			c = '\n'
			fallthrough
		case c == '\n', c == '\t':
			if attribute {
				b = append(b, ' ')
			} else if c == '\t' {
				b = append(b, '\t')
			} else {
				b = append(b, '\n')
			}
		default:
			b = append(b, c)
		}
		i++
	}
	return b
}

// lineFeeds appends raw with every line end as one line feed.
func lineFeeds(b, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '\r' {
			if i+1 < len(raw) && raw[i+1] == '\n' {
				continue
			}
			c = '\n'
		}
		b = append(b, c)
	}
	return b
}
