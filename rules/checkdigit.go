package rules

import (
	"strings"

	"github.com/jitsuin/jitsuin"
)

var myNumberCheck = series{{
	ID: "my-number-check-digit", N: 12, Unit: Chars, InForce: always(),
	Text: Text{"個人番号は12桁。検査用数字は、下位からの各桁に2〜7、2〜6を乗じた和を11で割った余りを11から引いた数（余りが1以下なら0）。",
		"My Number has 12 digits. Its check digit is 11 minus the remainder by 11 of the digits weighted 2 to 7, 2 to 6 from the right; 0 where the remainder is 0 or 1."},
	Source: cite(regCard, "5条", "art. 5", Primary),
}}

var residentCodeCheck = series{{
	ID: "resident-code-check-digit", N: 11, Unit: Chars, InForce: always(),
	Text: Text{"住民票コードは11桁。検査数字は、下位からの各桁に2〜7、2〜5を乗じた和を11で割った余りを11から引いた数。余りが0又は1となるコードは用いない。",
		"A resident code has 11 digits. Its check digit is 11 minus the remainder by 11 of the digits weighted 2 to 7, 2 to 5 from the right; codes with a remainder of 0 or 1 are not used."},
	Source: cite(regResident, "1条", "art. 1", OurReading, "The formula is a notice that was not found; published test codes agree with it. What it says for remainders 0 and 1 is unknown."),
}}

func checkDigitRules() []series { return []series{myNumberCheck, residentCodeCheck} }

// weighted gives the sum, by 11, of the digits weighted 2 to 7 and again from 2, from the right.
func weighted(body string) int {
	sum := 0
	for i := range len(body) {
		weight := 2 + i%6
		sum += weight * int(body[len(body)-1-i]-'0')
	}
	return sum % 11
}

func onlyDigits(s string, n int) bool { return len(s) == n && strings.Trim(s, digits) == "" }

// MyNumberCheckDigit gives the check digit for the first 11 digits of a My Number.
func MyNumberCheckDigit(first11 string) (byte, error) {
	if !onlyDigits(first11, 11) {
		return 0, jitsuin.Errorf(jitsuin.Invalid, "my-number-form", "the body of a My Number has 11 digits")
	}
	if r := weighted(first11); r > 1 {
		return '0' + byte(11-r), nil
	}
	return '0', nil
}

// CheckMyNumber tells whether a My Number has 12 digits and the right check digit.
func CheckMyNumber(n jitsuin.MyNumber) error {
	s := n.Reveal()
	if !onlyDigits(s, myNumberCheck[0].N) {
		return jitsuin.Errorf(jitsuin.Invalid, "my-number-form", "a My Number has 12 digits").At("my_number")
	}
	if want, err := MyNumberCheckDigit(s[:11]); err != nil || s[11] != want {
		return jitsuin.Errorf(jitsuin.Invalid, "my-number-check", "the check digit of the My Number is wrong").At("my_number")
	}
	return nil
}

// ResidentCodeCheckDigit gives the check digit for the first 10 digits of a resident code. It fails
// with kind Unsupported where the remainder is 0 or 1: what the digit is then is not published.
func ResidentCodeCheckDigit(first10 string) (byte, error) {
	if !onlyDigits(first10, 10) {
		return 0, jitsuin.Errorf(jitsuin.Invalid, "resident-code-form", "the body of a resident code has 10 digits")
	}
	r := weighted(first10)
	if r <= 1 {
		return 0, jitsuin.Errorf(jitsuin.Unsupported, "resident-code-remainder", "the check digit for a remainder of 0 or 1 is not published")
	}
	return '0' + byte(11-r), nil
}

// CheckResidentCode tells whether a resident code has 11 digits and the right check digit.
func CheckResidentCode(c jitsuin.ResidentCode) error {
	s := c.Reveal()
	if !onlyDigits(s, residentCodeCheck[0].N) {
		return jitsuin.Errorf(jitsuin.Invalid, "resident-code-form", "a resident code has 11 digits").At("resident_code")
	}
	if want, err := ResidentCodeCheckDigit(s[:10]); err != nil || s[10] != want {
		return jitsuin.Errorf(jitsuin.Invalid, "resident-code-check", "the check digit of the resident code is wrong").At("resident_code")
	}
	return nil
}
