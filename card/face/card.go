package face

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/face/internal/draw"
	"github.com/jitsuin/jitsuin/rules"
)

// Size of a card in millimetres (ISO/IEC 7810, ID-1).
const (
	Width  = 85.6
	Height = 53.98
)

// Card is what is printed on a card. Person is as on the day when the card was made: what changed since stands in
// Notes. What is not known is left out of the drawing: an empty text, a date of zero.
type Card struct {
	Person
	Head         string       // who issued it: see HeadOf
	Expires      jitsuin.Date // last day of the card
	Number       string       // of the card (製造番号), at most 16 letters and digits
	SecurityCode string       // four digits
	Notes        []Note       // 追記, the oldest first
	SignUntil    jitsuin.Date // last day of the signature certificate on the chip; no date: it has none
	AuthUntil    jitsuin.Date // of the authentication certificate
}

// Note (追記) is a change that was written on the card after it was made.
type Note struct {
	On   jitsuin.Date // when it was recorded
	Text string       // what it says, such as 住所　…; see Written
	By   string       // the head of the municipality, whose mark stands beside it
}

// NotesFit is how many notes the face has room for. Those after have none: the holder needs a new card
// (余白がなくなったとき), and the face says how many are missing.
const NotesFit = 4

// HeadOf names the head of a municipality by its name: 例示市 has a 例示市長, a ward a 区長.
func HeadOf(municipality string) string {
	if municipality == "" {
		return ""
	}
	return municipality + "長"
}

// Written gives what is written in the 追記欄 for a change of the four items, one text for each that differs.
func Written(before, after jitsuin.FourItems) []string {
	values := map[string]string{"name": "氏名　" + after.Name, "address": "住所　" + after.Address,
		"birth_date": "生年月日　" + inEra(after.BirthDate), "sex": "性別　" + sexText(after.Sex)}
	var texts []string
	for _, item := range before.Differences(after) {
		texts = append(texts, values[item])
	}
	return texts
}

// Check tells what cannot be printed.
func (c Card) Check() error {
	if err := c.Items.Check(); err != nil {
		return err
	}
	if c.PhotoOn.IsZero() {
		return jitsuin.Errorf(jitsuin.Invalid, "photo-day", "the day of the photo is missing").At("photo_on")
	}
	if len(c.Number) > 16 || strings.Trim(c.Number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return jitsuin.Errorf(jitsuin.Invalid, "card-number", "a card's number has at most 16 letters and digits").At("number")
	}
	if c.SecurityCode != "" {
		return checkCode(c.SecurityCode)
	}
	return nil
}

// Purpose is for what My Number may be asked (番号法 art. 9, 19): one of Purposes.
type Purpose string

const (
	SocialSecurity Purpose = "social-security" // 社会保障
	Tax            Purpose = "tax"             // 税
	Disaster       Purpose = "disaster"        // 災害対策
	Ordinance      Purpose = "ordinance"       // 条例で定める事務
)

// Purposes lists the lawful purposes.
var Purposes = []Purpose{SocialSecurity, Tax, Disaster, Ordinance}

// Japanese names a purpose as the law does.
func (p Purpose) Japanese() string {
	return map[Purpose]string{SocialSecurity: "社会保障", Tax: "税", Disaster: "災害対策", Ordinance: "条例で定める事務"}[p]
}

// Disclosure is My Number with who has it shown and what for. There is none without both.
type Disclosure struct {
	number  jitsuin.MyNumber
	body    string
	purpose Purpose
}

// CheckPurpose refuses a body without a name (Denied number-body) and a purpose that is none of Purposes (Denied
// number-purpose).
func CheckPurpose(body string, purpose Purpose) error {
	if !slices.Contains(Purposes, purpose) {
		return jitsuin.Errorf(jitsuin.Denied, "number-purpose", "My Number is shown for social security, tax, disaster response, or what an ordinance names, and for nothing else").
			WithHint("state one of: social-security, tax, disaster, ordinance")
	}
	if strings.TrimSpace(body) == "" || len([]rune(body)) > 100 {
		return jitsuin.Errorf(jitsuin.Denied, "number-body", "the body that asks for My Number must be named, in at most 100 characters")
	}
	return nil
}

// Disclose lets a number be drawn for a body that is entitled by law or ordinance and states a lawful purpose. It
// refuses any other purpose (Denied number-purpose). Whoever calls it has recorded body and purpose.
func Disclose(n jitsuin.MyNumber, body string, purpose Purpose) (*Disclosure, error) {
	if err := CheckPurpose(body, purpose); err != nil {
		return nil, err
	}
	if err := rules.CheckMyNumber(n); err != nil {
		return nil, err
	}
	return &Disclosure{n, body, purpose}, nil
}

// Sheet is one side of a card, drawn.
type Sheet struct {
	canvas             *draw.Canvas
	title, description string
}

// SVG gives the side as one file that needs nothing else: text is in outlines, so that it looks the same everywhere;
// title and description say what stands there, My Number never.
func (s Sheet) SVG() []byte { return s.canvas.SVG("mm", s.title, s.description) }

// PNG gives the side in pixels, so many across: 200 to 4000.
func (s Sheet) PNG(across int) ([]byte, error) {
	if across < 200 || across > 4000 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "picture-width", "a side is drawn 200 to 4000 pixels wide")
	}
	return encodePNG(s.canvas.Image(float64(across) / Width))
}

// Description is what a side says, for those who cannot see it: My Number never.
func (s Sheet) Description() string { return s.description }

// inEra writes 昭和55年2月17日, or the plain date before the eras.
func inEra(d jitsuin.Date) string {
	e, err := rules.InEra(d)
	if err != nil {
		return d.String()
	}
	return e.String()
}

func western(d jitsuin.Date) string { return fmt.Sprintf("%d年%d月%d日", d.Year, d.Month, d.Day) }

func sexText(s jitsuin.Sex) string {
	return map[jitsuin.Sex]string{jitsuin.Male: "男", jitsuin.Female: "女", jitsuin.SexNotApplicable: "適用不能"}[s]
}
