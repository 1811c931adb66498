package rules

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"pgregory.net/rapid"
)

func TestMyNumber(t *testing.T) {
	// Numbers that manuals and articles print as samples.
	for _, n := range []jitsuin.MyNumber{"123456789018", "983205673214", "379474484458", "454972364860", "507957100721"} {
		if err := CheckMyNumber(n); err != nil {
			t.Errorf("%s: %v", n.Reveal(), err)
		}
	}
	for n, code := range map[jitsuin.MyNumber]string{
		"123456789012": "my-number-check", // on the sample card of the slides, and not valid
		"123456789019": "my-number-check", "12345678901": "my-number-form", "1234567890188": "my-number-form",
		"": "my-number-form", "12345678901X": "my-number-form", "１２３４": "my-number-form", "12345678901\x00": "my-number-form",
	} {
		err := CheckMyNumber(n)
		if jitsuin.CodeOf(err) != code || jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%q: %v, want %s", n.Reveal(), err, code)
		}
		if n != "" && strings.Contains(err.Error(), n.Reveal()) {
			t.Errorf("the error tells the number: %v", err)
		}
	}
}

func TestResidentCode(t *testing.T) {
	for _, c := range []jitsuin.ResidentCode{"24727059608", "24846016224", "25208017643"} { // published test codes
		if err := CheckResidentCode(c); err != nil {
			t.Errorf("%s: %v", c.Reveal(), err)
		}
	}
	for _, c := range []jitsuin.ResidentCode{"24727059607", "2472705960", "247270596088", "", "2472705960A"} {
		if err := CheckResidentCode(c); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%q was taken: %v", c.Reveal(), err)
		}
	}
	for _, body := range []string{"0000000000", "0000000006"} { // remainders 0 and 12-11
		if _, err := ResidentCodeCheckDigit(body); jitsuin.KindOf(err) != jitsuin.Unsupported {
			t.Errorf("%s: %v, want unsupported", body, err)
		}
		for _, digit := range digits {
			if err := CheckResidentCode(jitsuin.ResidentCode(body + string(digit))); err == nil {
				t.Errorf("%s%c was taken", body, digit)
			}
		}
	}
}

func swapDigit(s string, i int, to byte) string { return s[:i] + string(to) + s[i+1:] }

// One wrong digit is always noticed, except where My Number gives two remainders the digit 0.
func TestOneWrongDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{11}`).Draw(t, "body")
		check, err := MyNumberCheckDigit(body)
		if err != nil {
			t.Fatal(err)
		}
		whole := body + string(check)
		if err := CheckMyNumber(jitsuin.MyNumber(whole)); err != nil {
			t.Fatal(err)
		}
		for i := range whole {
			for _, to := range []byte(digits) {
				wrong := swapDigit(whole, i, to)
				blind := i < 11 && weighted(whole[:11]) <= 1 && weighted(wrong[:11]) <= 1
				if noticed := CheckMyNumber(jitsuin.MyNumber(wrong)) != nil; to != whole[i] && !noticed && !blind {
					t.Fatalf("digit %d of %s as %c goes unnoticed", i, whole, to)
				}
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{10}`).Draw(t, "body")
		check, err := ResidentCodeCheckDigit(body)
		if err != nil {
			return
		}
		whole := body + string(check)
		for i := range whole {
			for _, to := range []byte(digits) {
				if to != whole[i] && CheckResidentCode(jitsuin.ResidentCode(swapDigit(whole, i, to))) == nil {
					t.Fatalf("digit %d of %s as %c goes unnoticed", i, whole, to)
				}
			}
		}
	})
}
