package rules

import (
	"strings"

	"github.com/jitsuin/jitsuin"
)

// PINKind is one of the secrets that a card compares.
type PINKind string

const (
	SignPassword PINKind = "sign"           // 署名用パスワード
	AuthPIN      PINKind = "auth"           // 利用者証明用暗証番号
	TextPIN      PINKind = "text"           // 券面事項入力補助用暗証番号
	ResidentPIN  PINKind = "resident"       // 住民基本台帳用暗証番号
	CheckA       PINKind = "check-number-a" // 照合番号A: the My Number
	CheckB       PINKind = "check-number-b" // 照合番号B: birth YYMMDD of the era, expiry YYYY, security code
)

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// PINRule says what a secret looks like and how often it may be wrong. N is the number of tries;
// only a correct entry resets the count, never time.
type PINRule struct {
	Kind     PINKind
	Min, Max int  // length in characters
	Letters  bool // capital letters beside digits, and at least one of each
	Kiosk    bool // can be reset at a convenience store with the other PIN; otherwise at the counter only
	Rule
}

// PINRules lists the secrets of a card.
func PINRules() []PINRule {
	card := since(2016, 1, 1)
	return []PINRule{
		{SignPassword, 6, 16, true, true, Rule{ID: "pin-sign", N: 5, Unit: Tries, InForce: card,
			Text:   Text{"署名用パスワードは英大文字と数字の両方を含む6〜16文字。5回連続の誤りでロックする。", "The signature password has 6 to 16 capital letters and digits, at least one of each; five wrong entries in a row lock it."},
			Source: cite(cpsJPKI, "「暗証番号」", "\"PINs\"", Official)}},
		{AuthPIN, 4, 4, false, true, Rule{ID: "pin-auth", N: 3, Unit: Tries, InForce: card,
			Text:   Text{"利用者証明用暗証番号は数字4桁。3回連続の誤りでロックする。", "The authentication PIN has four digits; three wrong entries in a row lock it."},
			Source: cite(cpsJPKI, "「暗証番号」", "\"PINs\"", Official)}},
		{TextPIN, 4, 4, false, false, Rule{ID: "pin-text", N: 3, Unit: Tries, InForce: card,
			Text:   Text{"券面事項入力補助用暗証番号は数字4桁。3回連続の誤りでロックする。", "The text PIN has four digits; three wrong entries in a row lock it."},
			Source: cite(cpsJPKI, "「暗証番号」", "\"PINs\"", Official)}},
		{ResidentPIN, 4, 4, false, false, Rule{ID: "pin-resident", N: 3, Unit: Tries, InForce: card,
			Text:   Text{"住民基本台帳用暗証番号は数字4桁。3回連続の誤りでロックする。", "The resident-register PIN has four digits; three wrong entries in a row lock it."},
			Source: cite(cpsJPKI, "「暗証番号」", "\"PINs\"", Unverified, "The number of tries was not found in a source.")}},
		{CheckA, 12, 12, false, false, Rule{ID: "pin-check-a", N: 10, Unit: Tries, InForce: card,
			Text:   Text{"照合番号Aは個人番号12桁。10回の誤りでロックする。", "Check number A is the twelve digits of My Number; ten wrong entries lock it."},
			Source: cite(cpsJPKI, "「暗証番号」", "\"PINs\"", OurReading, "The number of tries of A was not found; taken to be that of B.")}},
		{CheckB, 14, 14, false, false, Rule{ID: "pin-check-b", N: 10, Unit: Tries, InForce: card,
			Text:   Text{"照合番号Bは14桁（和暦の生年月日6桁・有効期限の西暦4桁・セキュリティコード4桁）。10回の誤りでロックする。", "Check number B has 14 digits (birth in the era calendar, year of expiry, security code); ten wrong entries lock it."},
			Source: cite(cpsJPKI, "「暗証番号」", "\"PINs\"", Official)}},
	}
}

// PINOf gives the rule of one secret; it fails with kind Invalid for an unknown one.
func PINOf(k PINKind) (PINRule, error) {
	for _, r := range PINRules() {
		if r.Kind == k {
			return r, nil
		}
	}
	return PINRule{}, jitsuin.Errorf(jitsuin.Invalid, "pin-kind", "unknown PIN %q", k)
}

// CheckPIN tells whether a secret that somebody chose has the form that the card demands. The
// error, of kind Invalid, says what the form is and nothing of what was typed.
func CheckPIN(k PINKind, p jitsuin.PIN) error {
	r, err := PINOf(k)
	if err != nil {
		return err
	}
	secret := p.Reveal()
	alphabet := digits
	if r.Letters {
		alphabet += letters
	}
	mixed := !r.Letters || strings.ContainsAny(secret, digits) && strings.ContainsAny(secret, letters)
	if len(secret) < r.Min || len(secret) > r.Max || strings.Trim(secret, alphabet) != "" || !mixed {
		return jitsuin.Errorf(jitsuin.Invalid, "pin-form", "%s", r.Text.EN).WithHint("%s", r.Text.JA).At("pin")
	}
	return nil
}
