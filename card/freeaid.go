package card

import (
	"bytes"
	"encoding/hex"

	"github.com/jitsuin/jitsuin"
)

// Lengths of an application's name (ISO 7816-4 §8.2.1.2).
const (
	aidMin = 5
	aidMax = 16
)

// ownNames are the names that the card itself has or had; no application of the free area may be taken for one of
// them. The test of the layouts compares them with what the profiles lay out.
var ownNames = []string{
	"\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01", // 公的個人認証AP
	"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08", // 券面事項入力補助AP
	"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x02", // 券面事項確認AP
	"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x01", // 住基AP
	"\xD3\x92\x10\x00\x31\x00\x01\x01\x01\x00", // 共通カードAP
	"\xA0\x00\x00\x01\x51\x00\x00\x00",         // issuer's domain
}

// CheckProviderAID tells whether aid may name an application of the free area: 5 to 16 bytes, of the national or the
// proprietary category of ISO 7816-5 (first half-byte D or F: the international names are looked for by software for
// other cards, which would take this card for theirs), and not to be confused with a name of the card's own. Errors
// are Invalid "aid-form" and Conflict "aid-reserved".
func CheckProviderAID(aid []byte) error {
	if len(aid) < aidMin || len(aid) > aidMax || aid[0]>>4 != 0xD && aid[0]>>4 != 0xF {
		return jitsuin.Errorf(jitsuin.Invalid, "aid-form", "the name of an application in the free area has 5 to 16 bytes and begins with D or F").At("aid")
	}
	for _, own := range ownNames {
		if AIDsCollide(aid, []byte(own)) {
			return jitsuin.Errorf(jitsuin.Conflict, "aid-reserved", "the name %X could be taken for an application of the card itself", aid).At("aid")
		}
	}
	return nil
}

// ParseProviderAID reads a name in hex and checks it as CheckProviderAID does.
func ParseProviderAID(text string) ([]byte, error) {
	aid, err := hex.DecodeString(text)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "aid-form", "the name of an application is written in hex").At("aid")
	}
	return aid, CheckProviderAID(aid)
}

// AIDsCollide tells whether one of two names is the beginning of the other, or both are the same: SELECT by the
// beginning of a name could then find the wrong one.
func AIDsCollide(a, b []byte) bool { return bytes.HasPrefix(a, b) || bytes.HasPrefix(b, a) }

// townSpace begins the names of the municipalities' applications in the sandbox: proprietary category, "JITSU", 01.
const townSpace = "\xF0JITSU\x01"

// TownAID gives the name of a municipality's application number n: a prefix of ours, its code in three bytes of
// binary coded digits, n. So towns cannot collide with each other, and the minister keeps out of their space.
func TownAID(code jitsuin.MunicipalityCode, n byte) []byte {
	aid := []byte(townSpace)
	digits := "0" + string(code)
	for i := 0; i+1 < len(digits); i += 2 {
		aid = append(aid, digits[i]<<4|digits[i+1]&0xF)
	}
	return append(aid, n)
}

// InTownSpace tells whether a name belongs to the municipalities' names, or could be confused with one.
func InTownSpace(aid []byte) bool { return AIDsCollide(aid, []byte(townSpace)) }
