package cert

import (
	"bytes"
	"encoding/asn1"
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
// string type of PrintableString and UTF8String values (RFC 5280 §7.1, for ASCII; others must be equal).
func SameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	na, ok1 := foldName(a)
	nb, ok2 := foldName(b)
	return ok1 && ok2 && na == nb
}

func foldName(der []byte) (string, bool) {
	in := cryptobyte.String(der)
	var rdns cryptobyte.String
	if !in.ReadASN1(&rdns, cbasn1.SEQUENCE) || !in.Empty() {
		return "", false
	}
	var out strings.Builder
	for !rdns.Empty() {
		var set cryptobyte.String
		if !rdns.ReadASN1(&set, cbasn1.SET) {
			return "", false
		}
		out.WriteString("/")
		for !set.Empty() {
			var atv, oid, value cryptobyte.String
			var tag cbasn1.Tag
			if !set.ReadASN1(&atv, cbasn1.SEQUENCE) || !atv.ReadASN1(&oid, cbasn1.OBJECT_IDENTIFIER) ||
				!atv.ReadAnyASN1(&value, &tag) || !atv.Empty() {
				return "", false
			}
			out.Write(oid)
			if tag == cbasn1.PrintableString || tag == cbasn1.UTF8String {
				out.WriteString("\x00s")
				out.WriteString(foldText(string(value)))
			} else {
				out.Write([]byte{0, byte(tag)})
				out.Write(value)
			}
			out.WriteString("\x00+")
		}
	}
	return out.String(), true
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
