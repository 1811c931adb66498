package pades

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf16"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// raw is an object that is written already.
type raw []byte

// text is a text string (ISO 32000-2 §7.9.2.2).
type text string

// octets is a byte string, written in hexadecimal.
type octets []byte

// appendObject writes an object as it stands in a file (ISO 32000-2 §7.3). Strings that were read are written as they
// were; a stream cannot stand inside another object and is not written here.
func appendObject(b []byte, o pdf.Object) []byte {
	switch v := o.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case pdf.Name:
		return appendName(b, v)
	case pdf.String:
		return append(b, v.Raw...)
	case pdf.Ref:
		return fmt.Appendf(b, "%d %d R", v.Num, v.Gen)
	case pdf.Array:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendObject(b, e)
		}
		return append(b, ']')
	case *pdf.Dict:
		return appendDict(b, v)
	case raw:
		return append(b, v...)
	case text:
		return appendText(b, string(v))
	case octets:
		return fmt.Appendf(b, "<%x>", []byte(v))
	}
	panic(fmt.Sprintf("pades: an object of type %T is not written", o)) // a defect: every caller names its types
}

// appendDict writes a dictionary, one entry a line.
func appendDict(b []byte, d *pdf.Dict) []byte {
	b = append(b, "<<\n"...)
	for _, e := range d.Entries {
		b = append(appendName(b, e.Key), ' ')
		b = append(appendObject(b, e.Value), '\n')
	}
	return append(b, ">>"...)
}

// appendName writes a name; what is not a regular printing character becomes #xx (ISO 32000-2 §7.3.5).
func appendName(b []byte, n pdf.Name) []byte {
	b = append(b, '/')
	for i := range len(n) {
		switch c := n[i]; {
		case c <= ' ' || c > '~', c == '#', c == '/', c == '%', c == '(', c == ')', c == '<', c == '>', c == '[', c == ']', c == '{', c == '}':
			b = fmt.Appendf(b, "#%02X", c)
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendText writes ASCII as a literal string and everything else as UTF-16BE with its mark, in hexadecimal, which
// every reader since PDF 1.0 understands.
func appendText(b []byte, s string) []byte {
	if isASCII(s) {
		b = append(b, '(')
		for i := range len(s) {
			if c := s[i]; c == '(' || c == ')' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, s[i])
		}
		return append(b, ')')
	}
	b = append(b, "<feff"...)
	for _, u := range utf16.Encode([]rune(s)) {
		b = fmt.Appendf(b, "%04x", u)
	}
	return append(b, '>')
}

// isASCII tells whether s has printing ASCII characters alone.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// date writes a time to the second in Japanese time (ISO 32000-2 §7.9.4).
func date(t time.Time) text {
	return text(t.In(jitsuin.JST).Format("D:20060102150405+09'00'"))
}

// dict makes a dictionary from keys and values in turn; a nil value leaves its key out.
func dict(keysAndValues ...any) *pdf.Dict {
	d := &pdf.Dict{}
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		if keysAndValues[i+1] != nil {
			d.Entries = append(d.Entries, pdf.Entry{Key: pdf.Name(keysAndValues[i].(string)), Value: keysAndValues[i+1]})
		}
	}
	return d
}

// with gives a copy of d in which key has value.
func with(d *pdf.Dict, key pdf.Name, value pdf.Object) *pdf.Dict {
	c := &pdf.Dict{Entries: make([]pdf.Entry, 0, len(d.Entries)+1)}
	found := false
	for _, e := range d.Entries {
		if e.Key == key {
			e.Value, found = value, true
		}
		c.Entries = append(c.Entries, e)
	}
	if !found {
		c.Entries = append(c.Entries, pdf.Entry{Key: key, Value: value})
	}
	return c
}
