package contents

import (
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// CardNumber is the first record of the common application: 製造番号 of fifteen digits, the
// municipality and the last day of validity.
type CardNumber struct {
	Serial       string
	Municipality jitsuin.MunicipalityCode
	Expiry       jitsuin.Date
}

// Record writes it: simple-TLV 01 1C and 28 digits.
func (n CardNumber) Record() ([]byte, error) {
	if len(n.Serial) != 15 || strings.Trim(n.Serial, "0123456789") != "" || len(n.Municipality) != 5 {
		return nil, badContent("common EF 0001", 0, "a card's number has fifteen digits and its municipality's code five")
	}
	return []byte("\x01\x1C" + n.Serial + string(n.Municipality) + string(basicDate(n.Expiry))), nil
}

// ParseCardNumber reads the record.
func ParseCardNumber(record []byte) (n CardNumber, err error) {
	const file = "common EF 0001"
	if len(record) != 30 || record[0] != 0x01 || record[1] != 0x1C || strings.Trim(string(record[2:]), "0123456789") != "" {
		return n, badContent(file, 0, "no record 1 of 28 digits")
	}
	digits := string(record[2:])
	n.Serial, n.Municipality = digits[:15], jitsuin.MunicipalityCode(digits[15:20])
	if err := n.Expiry.UnmarshalText([]byte(digits[20:24] + "-" + digits[24:26] + "-" + digits[26:])); err != nil {
		return n, badContent(file, 22, "no date of expiry")
	}
	return n, nil
}

// NumberA is check number A (照合番号A): My Number.
func NumberA(number jitsuin.MyNumber) jitsuin.PIN { return jitsuin.PIN(number.Reveal()) }

// NumberB is check number B (照合番号B): the date of birth as YYMMDD of the Japanese era, the year of
// expiry, and the security code of four digits that is printed on the card.
func NumberB(birth, expiry jitsuin.Date, code string) (jitsuin.PIN, error) {
	if len(code) != 4 || strings.Trim(code, "0123456789") != "" {
		return "", jitsuin.Errorf(jitsuin.Invalid, "security-code", "a security code has four digits").At("code")
	}
	day, err := BirthNumber(birth)
	if err != nil {
		return "", err
	}
	return jitsuin.PIN(fmt.Sprintf("%s%04d%s", day.Reveal(), expiry.Year, code)), nil
}

// BirthNumber is what opens the age: the date of birth as YYMMDD of the Japanese era.
func BirthNumber(birth jitsuin.Date) (jitsuin.PIN, error) {
	era, err := rules.InEra(birth)
	if err != nil {
		return "", err
	}
	return jitsuin.PIN(era.YYMMDD()), nil
}
