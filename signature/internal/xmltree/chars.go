package xmltree

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Classes of ASCII characters.
const (
	classStart uint8 = 1 << iota // may begin a name (XML 1.0 §2.3 [4]), the colon left out
	className                    // may stand in a name, the colon left out
	classSpace                   // white space
	classValue                   // in an attribute value: read or written otherwise than it stands
	classText                    // in a text: likewise, or its end
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
	for _, b := range "\t\n\r&<\"'" {
		c[b] |= classValue
	}
	for _, b := range "\r&<>" {
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

// firstBad gives the offset of the first octet that is not part of a character of XML in UTF-8, -1
// where there is none, and tells whether there are carriage returns.
func firstBad(b []byte) (at int, cr bool) {
	const high, low = 0x8080808080808080, 0x2020202020202020
	for i := 0; i < len(b); {
		for i+8 <= len(b) { // eight octets at a time, or those before the first that is not ASCII
			w := binary.LittleEndian.Uint64(b[i:])
			marks, size := (w-low)&^w&high, 8
			if beyond := w & high; beyond != 0 {
				size = bits.TrailingZeros64(beyond) / 8
				marks &= 1<<(8*size) - 1
			}
			for ; marks != 0; marks &= marks - 1 {
				switch k := i + bits.TrailingZeros64(marks)/8; {
				case b[k] == '\r':
					cr = true
				case b[k] < 0x20 && b[k] != '\n' && b[k] != '\t':
					return k, cr
				}
			}
			i += size
			if size < 8 {
				break
			}
		}
		for ; i < len(b) && i+8 > len(b) && b[i] < utf8.RuneSelf; i++ { // the last ones
			if c := b[i]; c < 0x20 && c != '\n' && c != '\t' {
				if c != '\r' {
					return i, cr
				}
				cr = true
			}
		}
		for i < len(b) && b[i] >= utf8.RuneSelf {
			if c := b[i]; c > 0xE0 && c < 0xED && i+2 < len(b) && b[i+1]&0xC0 == 0x80 && b[i+2]&0xC0 == 0x80 { // three octets, for speed
				i += 3
				continue
			}
			r, n := utf8.DecodeRune(b[i:])
			if n == 1 || !isChar(r) {
				return i, cr
			}
			i += n
		}
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
