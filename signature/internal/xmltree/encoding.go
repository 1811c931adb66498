package xmltree

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/jitsuin/jitsuin"
)

// The encodings that are read beside UTF-8 and UTF-16, by their names in lower case: those of
// Japanese administration, and of Europe's. What a decoder cannot read is refused, never replaced.
var encodings = map[string]encoding.Encoding{
	"shift_jis": japanese.ShiftJIS, "windows-31j": japanese.ShiftJIS, "ms_kanji": japanese.ShiftJIS, "x-sjis": japanese.ShiftJIS,
	"euc-jp": japanese.EUCJP, "iso-8859-1": charmap.ISO8859_1, "iso-8859-2": charmap.ISO8859_2, "iso-8859-15": charmap.ISO8859_15,
	"windows-1250": charmap.Windows1250, "windows-1252": charmap.Windows1252,
}

// decode gives the document as UTF-8 without a byte order mark. UTF-16 needs its mark (XML 1.0 §4.3.3).
func decode(in []byte) (text []byte, utf8 bool, err error) {
	text, err = toUTF8(in)
	return text, err == nil && len(text) > 0 && len(text) <= len(in) && &text[0] == &in[len(in)-len(text)], err
}

func toUTF8(in []byte) ([]byte, error) {
	if len(in) > MaxInput {
		return nil, jitsuin.Errorf(jitsuin.Limited, "xml-size", "an XML document of more than %d octets is not read", MaxInput)
	}
	marked := true
	switch {
	case bytes.HasPrefix(in, []byte("\xEF\xBB\xBF")):
		in = in[3:]
	case bytes.HasPrefix(in, []byte("\xFE\xFF")):
		return fromUTF16(in[2:], binary.BigEndian)
	case bytes.HasPrefix(in, []byte("\xFF\xFE")):
		return fromUTF16(in[2:], binary.LittleEndian)
	default:
		marked = false
	}
	name, err := declaredEncoding(in)
	if err != nil {
		return nil, err
	}
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return in, nil
	}
	e := encodings[name]
	switch {
	case strings.HasPrefix(name, "utf-16"), marked && e != nil:
		return nil, invalid("encoding", 0, "the document declares the encoding %s and is in another one", name)
	case e == nil:
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "xml-encoding", "XML in the encoding %.40q is not read", name)
	}
	out, err := e.NewDecoder().Bytes(in)
	switch {
	case err != nil, bytes.ContainsRune(out, utf8.RuneError):
		return nil, invalid("encoding", 0, "the document is not in the encoding %s that it declares", name)
	case len(out) > MaxInput:
		return nil, jitsuin.Errorf(jitsuin.Limited, "xml-size", "an XML document of more than %d octets is not read", MaxInput)
	}
	return out, nil
}

func fromUTF16(in []byte, order binary.ByteOrder) ([]byte, error) {
	if len(in)%2 != 0 {
		return nil, invalid("encoding", 0, "a document in UTF-16 ends in the middle of a character")
	}
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i += 2 {
		r := rune(order.Uint16(in[i:]))
		if utf16.IsSurrogate(r) {
			second := rune(0)
			if i += 2; i < len(in) {
				second = rune(order.Uint16(in[i:]))
			}
			if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
				return nil, invalid("encoding", 0, "half a character in UTF-16")
			}
		}
		out = utf8.AppendRune(out, r)
	}
	if len(out) > MaxInput {
		return nil, jitsuin.Errorf(jitsuin.Limited, "xml-size", "an XML document of more than %d octets is not read", MaxInput)
	}
	if name, err := declaredEncoding(out); err != nil || name != "" && name != "utf-16" {
		return nil, invalid("encoding", 0, "the document is in UTF-16 and declares another encoding")
	}
	return out, nil
}

// declaredEncoding gives the name in the XML declaration in lower case, "" for none.
func declaredEncoding(in []byte) (string, error) {
	d, _, err := readDeclaration(in)
	return strings.ToLower(d.encoding), err
}

// xmlDeclaration is what an XML declaration says (XML 1.0 §2.8 [23]).
type xmlDeclaration struct{ encoding string }

// readDeclaration reads the XML declaration at the head of in, where there is one, and gives its length.
func readDeclaration(in []byte) (d xmlDeclaration, size int, err error) {
	if !bytes.HasPrefix(in, []byte("<?xml")) || len(in) < 6 || !isSpace(in[5]) {
		return d, 0, nil
	}
	end := bytes.Index(in[:min(len(in), 512)], []byte("?>"))
	if end < 0 {
		return d, 0, invalid("declaration", 0, "the XML declaration does not end")
	}
	rest := in[5:end]
	values, order := [3]string{}, -1
	for {
		trimmed := bytes.TrimLeft(rest, " \t\r\n")
		if len(trimmed) == 0 {
			break
		}
		i, value, after := pseudoAttribute(trimmed)
		if i <= order || len(trimmed) == len(rest) || i > 0 && order < 0 {
			return d, 0, invalid("declaration", 0, "the XML declaration is malformed")
		}
		values[i], order, rest = value, i, after
	}
	switch {
	case order < 0 || !strings.HasPrefix(values[0], "1."):
		return d, 0, invalid("declaration", 0, "the XML declaration is malformed")
	case values[0] != "1.0":
		return d, 0, jitsuin.Errorf(jitsuin.Unsupported, "xml-version", "XML of version %.10q is not read", values[0])
	}
	return xmlDeclaration{values[1]}, end + 2, nil
}

// pseudoAttribute reads version, encoding or standalone, and gives which; -1 for none of them.
func pseudoAttribute(in []byte) (which int, value string, rest []byte) {
	for i, name := range []string{"version", "encoding", "standalone"} {
		after, found := bytes.CutPrefix(in, []byte(name))
		if !found {
			continue
		}
		after = bytes.TrimLeft(after, " \t\r\n")
		if len(after) == 0 || after[0] != '=' {
			return -1, "", nil
		}
		after = bytes.TrimLeft(after[1:], " \t\r\n")
		if len(after) == 0 || after[0] != '"' && after[0] != '\'' {
			return -1, "", nil
		}
		end := bytes.IndexByte(after[1:], after[0])
		if end < 0 {
			return -1, "", nil
		}
		value = string(after[1 : end+1])
		if i == 1 && !encodingName(value) || i == 2 && value != "yes" && value != "no" {
			return -1, "", nil
		}
		return i, value, after[end+2:]
	}
	return -1, "", nil
}

// encodingName tells whether s is spelt as the name of an encoding (XML 1.0 §4.3.3 [81]).
func encodingName(s string) bool {
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || classes[c]&className == 0) {
			return false
		}
	}
	return s != ""
}
