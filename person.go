package jitsuin

import (
	"log/slog"
	"strings"
)

// Sex (性別) in the codes of JIS X 0303 / ISO 5218, as the card writes it.
type Sex string

const (
	SexUnknown       Sex = "0" // 不明
	Male             Sex = "1" // 男
	Female           Sex = "2" // 女
	SexNotApplicable Sex = "9" // 適用不能
)

// Valid tells whether s is one of the four codes.
func (s Sex) Valid() bool { return len(s) == 1 && strings.Contains("0129", string(s)) }

// FourItems (基本4情報) are what the state says of a person: name, address, date of birth, sex.
// Name is surname U+3000 given name; both texts are full-width.
type FourItems struct {
	Name      string `json:"name" doc:"氏名, surname and given name joined by U+3000"`
	Address   string `json:"address" doc:"住所, full-width"`
	BirthDate Date   `json:"birth_date" doc:"生年月日, YYYY-MM-DD"`
	Sex       Sex    `json:"sex" enum:"0,1,2,9" doc:"性別: 1 male, 2 female, 9 not applicable, 0 unknown"`
}

// Differences names the items in which f and g differ, in the order name, address, birth_date, sex.
func (f FourItems) Differences(g FourItems) []string {
	var d []string
	for _, c := range []struct {
		name string
		same bool
	}{{"name", f.Name == g.Name}, {"address", f.Address == g.Address},
		{"birth_date", f.BirthDate == g.BirthDate}, {"sex", f.Sex == g.Sex}} {
		if !c.same {
			d = append(d, c.name)
		}
	}
	return d
}

// Check tells what is missing or malformed in f; Field is the member at fault.
func (f FourItems) Check() error {
	switch {
	case strings.TrimSpace(f.Name) == "":
		return Errorf(Invalid, "four-items", "the name is missing").At("name")
	case strings.TrimSpace(f.Address) == "":
		return Errorf(Invalid, "four-items", "the address is missing").At("address")
	case f.BirthDate.IsZero():
		return Errorf(Invalid, "four-items", "the date of birth is missing").At("birth_date")
	case !f.Sex.Valid():
		return Errorf(Invalid, "four-items", "the sex code must be 0, 1, 2 or 9").At("sex")
	case len([]rune(f.Name)) > 100 || len([]rune(f.Address)) > 200:
		return Errorf(Invalid, "four-items", "a name has at most 100 characters, an address at most 200")
	}
	return nil
}

// MyNumber (個人番号) has 12 digits, the last a check digit. It prints as ***; only code
// that is entitled to it calls Reveal. Its JSON form is the plain digits, so a wire type that
// holds one belongs to statutory users alone.
type MyNumber string

// ResidentCode (住民票コード) has 11 digits, the last a check digit. It prints as ***.
type ResidentCode string

const hidden = "***"

// String hides the number.
func (MyNumber) String() string { return hidden }

// GoString hides the number.
func (MyNumber) GoString() string { return hidden }

// LogValue hides the number, which a log in JSON would write plain.
func (MyNumber) LogValue() slog.Value { return slog.StringValue(hidden) }

// Reveal gives the digits to code that is entitled to them.
func (n MyNumber) Reveal() string { return string(n) }

// String hides the code.
func (ResidentCode) String() string { return hidden }

// GoString hides the code.
func (ResidentCode) GoString() string { return hidden }

// LogValue hides the code, which a log in JSON would write plain.
func (ResidentCode) LogValue() slog.Value { return slog.StringValue(hidden) }

// Reveal gives the digits to code that is entitled to them.
func (c ResidentCode) Reveal() string { return string(c) }

// PIN is what a person types: the four-digit PIN (暗証番号) or the signature password
// (署名用パスワード). It prints as ***, in JSON too.
type PIN string

// String hides the PIN.
func (PIN) String() string { return hidden }

// GoString hides the PIN.
func (PIN) GoString() string { return hidden }

// MarshalText hides the PIN: a PIN that is encoded as JSON is lost.
func (PIN) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Reveal gives what was typed, to be sent to a card.
func (p PIN) Reveal() string { return string(p) }

// MunicipalityCode (全国地方公共団体コード) is five digits: two of the prefecture, three of the
// municipality. The sandbox uses invented prefectures 91 to 93 only.
type MunicipalityCode string

// Prefecture gives the first two digits.
func (c MunicipalityCode) Prefecture() string {
	if len(c) < 2 {
		return ""
	}
	return string(c[:2])
}

// Check tells whether c has five digits.
func (c MunicipalityCode) Check() error {
	if len(c) != 5 || strings.Trim(string(c), "0123456789") != "" {
		return Errorf(Invalid, "municipality-code", "a municipality code has five digits").At("municipality")
	}
	return nil
}
