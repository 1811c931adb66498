package signature

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// nameOf writes a DER name as RFC 4514 does; pkix.Name would join the two localities of a
// resident's name to one part.
func nameOf(der []byte) string {
	if s, ok := plainName(der); ok {
		return s
	}
	return anyName(der)
}

// anyName is nameOf by the library, whose way through reflection is a tenth of a verification.
func anyName(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "(a name that cannot be read)"
	}
	return name.String()
}

// attributeNames are the types of RFC 4514 §3 below 2.5.4, by their last number.
var attributeNames = map[byte]string{3: "CN", 5: "SERIALNUMBER", 6: "C", 7: "L", 8: "ST", 9: "STREET", 10: "O", 11: "OU", 17: "POSTALCODE"}

// plainName is nameOf for names of known types with UTF-8 or printable strings, which all of the JPKI
// and most others are. ok is false for any other.
func plainName(der cryptobyte.String) (s string, ok bool) {
	var names cryptobyte.String
	if !der.ReadASN1(&names, cbasn1.SEQUENCE) || !der.Empty() {
		return "", false
	}
	var parts []string
	for !names.Empty() {
		var set cryptobyte.String
		if !names.ReadASN1(&set, cbasn1.SET) || set.Empty() {
			return "", false
		}
		part := ""
		for !set.Empty() {
			one, ok := plainAttribute(&set)
			if !ok {
				return "", false
			}
			if part != "" {
				part += "+"
			}
			part += one
		}
		parts = append(parts, part)
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
		if i > 0 {
			b.WriteByte(',')
		}
	}
	return b.String(), true
}

// plainAttribute reads and writes one type and its value.
func plainAttribute(set *cryptobyte.String) (string, bool) {
	var body, oid, value cryptobyte.String
	var tag cbasn1.Tag
	if !set.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) ||
		len(oid) != 3 || oid[0] != 0x55 || oid[1] != 4 || !body.ReadAnyASN1(&value, &tag) || !body.Empty() {
		return "", false
	}
	name, known := attributeNames[oid[2]]
	switch {
	case !known, tag != cbasn1.UTF8String && tag != cbasn1.PrintableString:
		return "", false
	case tag == cbasn1.UTF8String && !utf8.Valid(value), tag == cbasn1.PrintableString && strings.ContainsFunc(string(value), unprintable):
		return "", false
	}
	return name + "=" + escaped(string(value)), true
}

// unprintable tells whether c is none of the characters of PrintableString (X.680 §41.4), with the two
// that are often found there.
func unprintable(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune(" '()+,-./:=?*&", c)
}

// escaped writes a value as RFC 4514 §2.4 does.
func escaped(value string) string {
	if !strings.ContainsAny(value, ",+\"\\<>;") && !strings.HasPrefix(value, " ") && !strings.HasSuffix(value, " ") && !strings.HasPrefix(value, "#") {
		return value
	}
	var b strings.Builder
	for i, c := range value {
		if strings.ContainsRune(",+\"\\<>;", c) || c == ' ' && (i == 0 || i == len(value)-1) || c == '#' && i == 0 {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
