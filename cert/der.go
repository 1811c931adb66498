package cert

import (
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// strictDER walks one value: definite minimal lengths, low tag numbers, bounded nesting, universal types in
// their one form and with contents that DER allows, and nothing after it. Values inside OCTET STRINGs
// are opaque here; their readers check them.
func strictDER(der []byte, depth int) bool {
	in := cryptobyte.String(der)
	return derElement(&in, depth) && in.Empty()
}

const (
	constructed   = 0x20
	classMask     = 0xc0
	universalMask = classMask | constructed
)

func derElement(in *cryptobyte.String, depth int) bool {
	var body cryptobyte.String
	var tag cbasn1.Tag
	if depth == 0 || !in.ReadAnyASN1(&body, &tag) {
		return false
	}
	if tag&classMask == 0 && !universalForm(tag, body) {
		return false
	}
	if tag&constructed == 0 {
		return true
	}
	for !body.Empty() {
		if !derElement(&body, depth-1) {
			return false
		}
	}
	return true
}

// universalForm checks one value of the universal class: SEQUENCE and SET are constructed, all others
// primitive (X.690 §10.2), and simple values are written in the one way of DER.
func universalForm(tag cbasn1.Tag, body []byte) bool {
	switch tag {
	case cbasn1.SEQUENCE, cbasn1.SET:
		return true
	case cbasn1.BOOLEAN:
		return len(body) == 1 && (body[0] == 0 || body[0] == 0xff)
	case cbasn1.INTEGER, cbasn1.ENUM:
		return minimalInteger(body)
	case cbasn1.NULL:
		return len(body) == 0
	case cbasn1.BIT_STRING:
		return bitStringForm(body)
	case cbasn1.OBJECT_IDENTIFIER:
		return oidForm(body)
	}
	return tag&constructed == 0 && tag != 0
}

// bitStringForm checks that unused bits are few and zero (X.690 §11.2.1).
func bitStringForm(body []byte) bool {
	if len(body) == 0 || body[0] > 7 || len(body) == 1 && body[0] != 0 {
		return false
	}
	return len(body) == 1 || body[len(body)-1]&(1<<body[0]-1) == 0
}

// oidForm checks that every arc is complete and minimal.
func oidForm(body []byte) bool {
	start := true
	for _, b := range body {
		if start && b == 0x80 {
			return false
		}
		start = b&0x80 == 0
	}
	return len(body) > 0 && start
}

// namedBitsOf reads the contents of a BIT STRING of at most 16 named bits, DER without trailing zeros: bit 0 is 1<<0. At
// least one must be set.
func namedBitsOf(body []byte) (bits uint16, ok bool) {
	if !bitStringForm(body) || len(body) < 2 || len(body) > 3 {
		return 0, false
	}
	last := body[len(body)-1]
	if last&(1<<body[0]) == 0 { // a trailing zero bit
		return 0, false
	}
	for i, b := range body[1:] {
		for j := range 8 {
			if b&(0x80>>j) != 0 {
				bits |= 1 << (8*i + j)
			}
		}
	}
	return bits, true
}

// stringForm tells whether tag is one of the types of DirectoryString, or IA5String, and whether the contents are
// of its alphabet. PrintableString is read with & * @ and _ too, as authorities write them.
func stringForm(tag cbasn1.Tag, body []byte) (isString, ok bool) {
	switch tag {
	case cbasn1.PrintableString:
		return true, allOctets(body, printable)
	case cbasn1.IA5String:
		return true, allOctets(body, func(b byte) bool { return b < 0x80 })
	case cbasn1.UTF8String:
		return true, utf8.Valid(body)
	case cbasn1.T61String:
		return true, true
	case tagBMPString:
		return true, len(body)%2 == 0
	case tagUniversalString:
		return true, len(body)%4 == 0
	}
	return false, true
}

const (
	tagUniversalString cbasn1.Tag = 28
	tagBMPString       cbasn1.Tag = 30
)

func printable(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	switch b {
	case ' ', '\'', '(', ')', '+', ',', '-', '.', '/', ':', '=', '?', '&', '*', '@', '_':
		return true
	}
	return false
}

func allOctets(b []byte, ok func(byte) bool) bool {
	for _, c := range b {
		if !ok(c) {
			return false
		}
	}
	return true
}
