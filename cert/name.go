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
	ina, inb := cryptobyte.String(a), cryptobyte.String(b)
	var na, nb, one, other cryptobyte.String
	if !ina.ReadASN1(&na, cbasn1.SEQUENCE) || !ina.Empty() || !inb.ReadASN1(&nb, cbasn1.SEQUENCE) || !inb.Empty() {
		return false
	}
	for !na.Empty() && !nb.Empty() {
		if !na.ReadASN1(&one, cbasn1.SET) || !nb.ReadASN1(&other, cbasn1.SET) || !sameRDN(one, other) {
			return false
		}
	}
	return na.Empty() && nb.Empty()
}

func sameRDN(a, b cryptobyte.String) bool {
	if bytes.Equal(a, b) {
		return true
	}
	ina, inb := a, b
	var one, other attribute
	if one.read(&ina) && ina.Empty() && other.read(&inb) && inb.Empty() { // as nearly all are
		return bytes.Equal(one.oid, other.oid) && one.sameValue(other)
	}
	fa, ok1 := foldRDN(a)
	fb, ok2 := foldRDN(b)
	return ok1 && ok2 && fa == fb
}

// attribute is one AttributeTypeAndValue.
type attribute struct {
	oid, value cryptobyte.String
	tag        cbasn1.Tag
}

func (a *attribute) read(in *cryptobyte.String) bool {
	var body cryptobyte.String
	return in.ReadASN1(&body, cbasn1.SEQUENCE) && body.ReadASN1(&a.oid, cbasn1.OBJECT_IDENTIFIER) && body.ReadAnyASN1(&a.value, &a.tag) && body.Empty()
}

// folds tells whether case, spaces and the type of the string are of no account.
func (a attribute) folds() bool {
	return a.tag == cbasn1.PrintableString || a.tag == cbasn1.UTF8String || a.tag == cbasn1.IA5String
}

func (a attribute) sameValue(b attribute) bool {
	if a.folds() && b.folds() {
		return foldText(string(a.value)) == foldText(string(b.value))
	}
	return a.tag == b.tag && bytes.Equal(a.value, b.value)
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
		var a attribute
		if !a.read(&set) {
			return "", false
		}
		text, kind := string(a.value), string([]byte{byte(a.tag)})
		if a.folds() {
			text, kind = foldText(text), "s"
		}
		// Lengths keep a value from looking like the beginning of another part.
		parts = append(parts, fmt.Sprintf("%d:%s%s%d:%s", len(a.oid), a.oid, kind, len(text), text))
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
		var a attribute
		if !a.read(&set) || !oidForm(a.oid) {
			return false
		}
		if _, ok := stringForm(a.tag, a.value); !ok {
			return false
		}
	}
	return true
}

// printableNames tells whether all PrintableStrings of a Name whose form was checked keep to their alphabet (X.680 §41.4).
func printableNames(der []byte) bool {
	in := cryptobyte.String(der)
	var rdns, set cryptobyte.String
	in.ReadASN1(&rdns, cbasn1.SEQUENCE)
	for rdns.ReadASN1(&set, cbasn1.SET) {
		for a := (attribute{}); a.read(&set); {
			if a.tag == cbasn1.PrintableString && bytes.ContainsAny(a.value, "&*@_") {
				return false
			}
		}
	}
	return true
}

// attributes gives the values of the attributes of a type in a Name whose form was checked.
func attributes(der []byte, id string) (values []string) {
	in := cryptobyte.String(der)
	var rdns, set cryptobyte.String
	in.ReadASN1(&rdns, cbasn1.SEQUENCE)
	for rdns.ReadASN1(&set, cbasn1.SET) {
		for a := (attribute{}); a.read(&set); {
			if string(a.oid) == id {
				values = append(values, string(a.value))
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
