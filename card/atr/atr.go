// Package atr reads answers to reset (ISO 7816-3 §8.2) and lists those that Individual Number Cards
// were seen with, by reader and maker.
//
// It owns the list and the check of the form. Whoever recognises a card by its ATR alone goes wrong with
// the next batch or the next reader: the list is for testers, and no client here decides by it.
package atr

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Known is an ATR that a card of this kind was seen with.
type Known struct {
	Name string // for a command line
	ATR  string // hex
	What string
}

// All are the ATRs of public client software (OpenSC's list of cards for Windows), the first being the one
// of our chip and the only one in OpenSC's own table.
var All = []Known{
	{"contact", "3BE000FF8131FE4514", "contacts, T=1, no historical bytes; the one that OpenSC's driver lists"},
	{"contact-2", "3BDA13FF8131FB46801239 2F31C173C601C03B", "contacts, ten historical bytes"},
	{"contact-3", "3BC5FF8131FB458073C6010000", "contacts, five historical bytes"},
	{"contact-4", "3BF59100FF918171FE4000420001 00D1D6", "contacts, with TC1 and T=1 twice"},
	{"contact-5", "3BF59100FF918171FE4000420001 B3A115", "contacts, like contact-4 with another last part"},
	{"contactless", "3B888001000005E0B381A1007F", "type B, made by the reader of the card's ATQB (PC/SC part 3)"},
	{"contactless-2", "3B888001000041E0B381A1003B", "type B, another ATQB"},
	{"contactless-3", "3B888001004B51FF0081D100BC", "type B, another ATQB"},
	{"contactless-4", "3B888001004B51FFB381D1000F", "type B, another ATQB"},
}

// Bytes gives the ATR.
func (k Known) Bytes() []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(k.ATR, " ", ""))
	if err != nil {
		panic(err) // a slip in the list above; a test reads all of it
	}
	return b
}

// Find gives the known one with these bytes.
func Find(b []byte) (Known, bool) {
	for _, k := range All {
		if bytes.Equal(k.Bytes(), b) {
			return k, true
		}
	}
	return Known{}, false
}

// Named gives the bytes of a known one by its name, or those that hex spells. Invalid "atr" for what is
// neither, or has not the form of an ATR.
func Named(name string) ([]byte, error) {
	for _, k := range All {
		if k.Name == name {
			return k.Bytes(), nil
		}
	}
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "").Replace(name))
	if err != nil {
		var names []string
		for _, k := range All {
			names = append(names, k.Name)
		}
		return nil, jitsuin.Errorf(jitsuin.Invalid, "atr", "%q is neither the name of an ATR nor its bytes in hex", name).
			WithHint("the names are %s", strings.Join(names, ", "))
	}
	_, err = Parse(b)
	return b, err
}

// ATR is what an answer to reset says.
type ATR struct {
	Protocols  []int  // T, in the order offered; 0 where none is named
	Historical []byte // at most 15
}

// Parse reads an ATR and checks its lengths and check byte. Invalid "atr" with what is wrong.
func Parse(b []byte) (ATR, error) {
	wrong := func(text string) (ATR, error) {
		return ATR{}, jitsuin.Errorf(jitsuin.Invalid, "atr", "this is no answer to reset: %s", text)
	}
	if len(b) < 2 || len(b) > 33 {
		return wrong("it has 2 to 33 bytes")
	}
	if b[0] != 0x3B && b[0] != 0x3F {
		return wrong("it begins with 3B or 3F")
	}
	var a ATR
	rest, y, check := b[2:], b[1]>>4, false
	for y != 0 {
		n := 0
		for bit := range 4 {
			n += int(y>>bit) & 1
		}
		if n > len(rest) {
			return wrong("its interface bytes end too soon")
		}
		if y&8 == 0 {
			rest = rest[n:]
			break
		}
		td := rest[n-1]
		rest, y = rest[n:], td>>4
		a.Protocols = append(a.Protocols, int(td&0xF))
		check = check || td&0xF != 0
	}
	k := int(b[1] & 0xF)
	if check {
		k++
	}
	if len(rest) != k {
		return wrong("its length does not fit what it says")
	}
	a.Historical = rest[:b[1]&0xF]
	if len(a.Protocols) == 0 {
		a.Protocols = []int{0}
	}
	if !check {
		return a, nil
	}
	var sum byte
	for _, c := range b[1:] {
		sum ^= c
	}
	if sum != 0 {
		return wrong("its check byte is wrong")
	}
	return a, nil
}
