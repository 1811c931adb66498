package cert

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Attribute types of distinguished names (RFC 4519 §2).
var (
	attrCountry  = asn1.ObjectIdentifier{2, 5, 4, 6}
	attrLocality = asn1.ObjectIdentifier{2, 5, 4, 7}
	attrOrg      = asn1.ObjectIdentifier{2, 5, 4, 10}
	attrOrgUnit  = asn1.ObjectIdentifier{2, 5, 4, 11}
	attrCommon   = asn1.ObjectIdentifier{2, 5, 4, 3}
)

// rdn is one single-valued relative distinguished name.
type rdn struct {
	attr  asn1.ObjectIdentifier
	value string
}

// encodeName writes a Name: the country a PrintableString, all else UTF8String, as observed on CA certificates.
func encodeName(rdns []rdn) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, r := range rdns {
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(r.attr)
					tag := cbasn1.UTF8String
					if r.attr.Equal(attrCountry) {
						tag = cbasn1.PrintableString
					}
					b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(r.value)) })
				})
			})
		}
	})
	return b.BytesOrPanic() // of strings and constant OIDs: cannot fail
}

// SameName tells whether two DER Names are equal: octet by octet, or after folding case, spaces and the
// string type of PrintableString, UTF8String and IA5String values (RFC 5280 §7.1, for ASCII; others must be equal).
func SameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) > 2*len(b)+64 || len(b) > 2*len(a)+64 { // folding takes away little but spaces
		return false
	}
	na, ok1 := foldName(a)
	nb, ok2 := foldName(b)
	return ok1 && ok2 && slices.Equal(na, nb)
}

// foldName gives one text for each relative distinguished name, equal for those that are equal.
func foldName(der []byte) ([]string, bool) {
	in := cryptobyte.String(der)
	var rdns, set cryptobyte.String
	if !in.ReadASN1(&rdns, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	var out []string
	for !rdns.Empty() {
		if !rdns.ReadASN1(&set, cbasn1.SET) {
			return nil, false
		}
		one, ok := foldRDN(set)
		if !ok {
			return nil, false
		}
		out = append(out, one)
	}
	return out, true
}

func foldRDN(set cryptobyte.String) (string, bool) {
	var parts []string
	for !set.Empty() {
		var atv, oid, value cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadASN1(&atv, cbasn1.SEQUENCE) || !atv.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) ||
			!atv.ReadAnyASN1(&value, &tag) || !atv.Empty() {
			return "", false
		}
		text, kind := string(value), string([]byte{byte(tag)})
		if tag == cbasn1.PrintableString || tag == cbasn1.UTF8String || tag == cbasn1.IA5String {
			text, kind = foldText(text), "s"
		}
		// Lengths keep a value from looking like the beginning of another part.
		parts = append(parts, fmt.Sprintf("%d:%s%s%d:%s", len(oid), oid, kind, len(text), text))
	}
	slices.Sort(parts)
	return strings.Join(parts, ""), len(parts) > 0
}

// nameForm checks a Name: its structure, and the alphabets of its texts.
func nameForm(der []byte) bool {
	in := cryptobyte.String(der)
	var rdns cryptobyte.String
	if !in.ReadASN1(&rdns, cbasn1.SEQUENCE) || !in.Empty() {
		return false
	}
	for !rdns.Empty() {
		if !rdnForm(&rdns) {
			return false
		}
	}
	return true
}

// rdnForm reads one RelativeDistinguishedName with at least one attribute.
func rdnForm(in *cryptobyte.String) bool {
	var set cryptobyte.String
	if !in.ReadASN1(&set, cbasn1.SET) || set.Empty() {
		return false
	}
	for !set.Empty() {
		var atv, oid, value cryptobyte.String
		var tag cbasn1.Tag
		if !set.ReadASN1(&atv, cbasn1.SEQUENCE) || !atv.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) || !oidForm(oid) ||
			!atv.ReadAnyASN1(&value, &tag) || !atv.Empty() {
			return false
		}
		if _, ok := stringForm(tag, value); !ok {
			return false
		}
	}
	return true
}

// attributes gives the values of the attributes of a type in a Name whose form was checked.
func attributes(der []byte, id string) (values []string) {
	in := cryptobyte.String(der)
	var rdns, set, atv, oid, value cryptobyte.String
	var tag cbasn1.Tag
	in.ReadASN1(&rdns, cbasn1.SEQUENCE)
	for rdns.ReadASN1(&set, cbasn1.SET) {
		for set.ReadASN1(&atv, cbasn1.SEQUENCE) {
			if atv.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) && atv.ReadAnyASN1(&value, &tag) && string(oid) == id {
				values = append(values, string(value))
			}
		}
	}
	return values
}

// foldText lowers ASCII letters and makes every run of spaces one, none at the ends.
func foldText(s string) string {
	lower := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
	return strings.Join(strings.FieldsFunc(lower, func(r rune) bool { return r == ' ' }), " ")
}
