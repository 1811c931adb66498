package pdf

import (
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxText is how much of a text string is decoded.
const maxText = 4096

// Text decodes a text string (ISO 32000-2 §7.9.2.2): UTF-16BE or UTF-8 with their marks, otherwise
// PDFDocEncoding, of which what lies outside ASCII and Latin-1 becomes U+FFFD. Controls become
// spaces, and what is longer than 4096 bytes is cut, for texts go into reports.
func (s String) Text() string {
	b := s.Bytes()
	if len(b) > maxText {
		b = b[:maxText]
	}
	var out string
	switch {
	case len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff:
		units := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
		}
		out = string(utf16.Decode(units))
	case len(b) >= 3 && string(b[:3]) == "\xef\xbb\xbf":
		out = strings.ToValidUTF8(string(b[3:]), "\ufffd")
	default:
		runes := make([]rune, 0, len(b))
		for _, c := range b {
			r := rune(c)
			if c >= 0x7f && c < 0xa1 {
				r = utf8.RuneError
			}
			runes = append(runes, r)
		}
		out = string(runes)
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, out)
}

// Date reads a date (§7.9.4): D:YYYYMMDDHHmmSSOHH'mm', from the year on every part may be left out.
func (s String) Date() (time.Time, bool) {
	t := strings.ReplaceAll(strings.TrimPrefix(string(s.Bytes()), "D:"), "'", "")
	i := strings.IndexAny(t, "Z+-")
	zone := ""
	if i >= 0 {
		t, zone = t[:i], t[i:]
	}
	const layout = "20060102150405"
	if len(t) < 4 || len(t) > len(layout) || len(t)%2 != 0 {
		return time.Time{}, false
	}
	switch {
	case zone == "" || zone[0] == 'Z':
		zone = "+0000"
	case len(zone) == 3:
		zone += "00"
	}
	at, err := time.Parse(layout[:len(t)]+"-0700", t+zone)
	if err != nil {
		return time.Time{}, false
	}
	return at, true
}
