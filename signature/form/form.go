package form

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
)

// Bounds of a form; lengths of texts are in characters.
const (
	MaxSize    = 64 << 10 // bytes of a form's JSON
	maxFields  = 40
	maxClauses = 40
	maxOptions = 40
	maxTitle   = 100
	maxLabel   = 100
	maxClause  = 1000
	maxIntro   = 1000
	MaxValue   = 200 // of a value that a person types or an issuer sets
)

// Text is one text in both languages. The document itself is Japanese; the English is for the screen.
type Text struct {
	JA string `json:"ja"`
	EN string `json:"en"`
}

// Source says where a field's value comes from.
type Source string

const (
	FromCertificate Source = "certificate" // one of the four items of the certificate that signs
	FromPerson      Source = "person"      // typed or chosen in the holder
	FromIssuer      Source = "issuer"      // fixed by who issues the form
)

// Names of the four items.
const (
	ItemName      = "name"
	ItemAddress   = "address"
	ItemBirthDate = "birth_date"
	ItemSex       = "sex"
)

// Form is what an issuer asks a person to sign.
type Form struct {
	ID string `json:"id"` // the kind of form, such as account-opening
	// Number is the issuer's own number of this one application. It binds the document to the issuer's
	// case: a document with another number is an answer to something else.
	Number  string  `json:"number"`
	Title   Text    `json:"title"`
	Issuer  Text    `json:"issuer"`
	Intro   Text    `json:"intro"`
	Fields  []Field `json:"fields"`
	Clauses []Text  `json:"clauses,omitempty"` // what is agreed to, in order; numbered in the document
}

// Field is one line of a form.
type Field struct {
	Name  string `json:"name"` // a-z, 0-9 and _
	Label Text   `json:"label"`
	From  Source `json:"from"`
	// Item, of FromCertificate: name, address, birth_date or sex.
	Item string `json:"item,omitempty"`
	// Of FromPerson: Options make a choice, none a text of at most Max characters (MaxValue where 0).
	Options  []Option `json:"options,omitempty"`
	Required bool     `json:"required,omitempty"`
	Max      int      `json:"max,omitempty"`
	Help     *Text    `json:"help,omitempty"`
	// Value, of FromIssuer.
	Value string `json:"value,omitempty"`
}

// Option is one answer of a choice; the document shows its Label.
type Option struct {
	Value string `json:"value"`
	Label Text   `json:"label"`
}

// Parse reads a form's JSON and checks it: Invalid "form-json" where it cannot be read or has unknown
// members, and the errors of Check.
func Parse(raw []byte) (Form, error) {
	var f Form
	if err := strict(raw, &f); err != nil {
		return Form{}, err
	}
	return f, f.Check()
}

func strict(raw []byte, into any) error {
	if len(raw) > MaxSize {
		return jitsuin.Errorf(jitsuin.Invalid, "form-json", "the form has more than %d bytes", MaxSize)
	}
	if !utf8.Valid(raw) {
		return jitsuin.Errorf(jitsuin.Invalid, "form-json", "the form is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "form-json", "the form cannot be read: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return jitsuin.Errorf(jitsuin.Invalid, "form-json", "something follows the form")
	}
	return nil
}

func bad(field, format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "form-content", format, args...).At(field)
}

// Check tells what is missing, malformed or too much. The error is Invalid "form-content" and names the member.
func (f Form) Check() error {
	switch {
	case !isWord(f.ID):
		return bad("id", "a form is named in lower-case letters, digits, - and _, at most 64")
	case f.Number == "" || len(f.Number) > 64 || strings.Trim(f.Number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.") != "":
		return bad("number", "the issuer's number has 1 to 64 letters, digits, -, _ and .")
	case len(f.Fields) == 0 || len(f.Fields) > maxFields:
		return bad("fields", "a form has 1 to %d fields", maxFields)
	case len(f.Clauses) > maxClauses:
		return bad("clauses", "a form has at most %d clauses", maxClauses)
	}
	texts := []struct {
		field string
		text  Text
		max   int
	}{{"title", f.Title, maxTitle}, {"issuer", f.Issuer, maxTitle}, {"intro", f.Intro, maxIntro}}
	for _, c := range f.Clauses {
		texts = append(texts, struct {
			field string
			text  Text
			max   int
		}{"clauses", c, maxClause})
	}
	for _, t := range texts {
		if err := t.text.check(t.field, t.max); err != nil {
			return err
		}
	}
	return f.checkFields()
}

func (f Form) checkFields() error {
	seen, items := map[string]bool{}, map[string]bool{}
	for _, d := range f.Fields {
		if err := d.check(); err != nil {
			return err
		}
		if seen[d.Name] || d.Item != "" && items[d.Item] {
			return bad("fields", "two fields are the same: %q", d.Name)
		}
		seen[d.Name], items[d.Item] = true, true
	}
	return nil
}

func (d Field) check() error {
	if !isWord(d.Name) {
		return bad("fields", "a field is named in lower-case letters, digits, - and _, at most 64")
	}
	if err := d.Label.check(d.Name, maxLabel); err != nil {
		return err
	}
	if d.Help != nil {
		if err := d.Help.check(d.Name, maxIntro); err != nil {
			return err
		}
	}
	person := len(d.Options) > 0 || d.Required || d.Max != 0 || d.Help != nil
	switch d.From {
	case FromCertificate:
		if d.Item != ItemName && d.Item != ItemAddress && d.Item != ItemBirthDate && d.Item != ItemSex || person || d.Value != "" {
			return bad(d.Name, "the field %q of the certificate names one of the four items and nothing else", d.Name)
		}
	case FromIssuer:
		if d.Item != "" || person || !isText(d.Value, MaxValue) {
			return bad(d.Name, "the field %q of the issuer has a value of 1 to %d characters and nothing else", d.Name, MaxValue)
		}
	case FromPerson:
		if d.Item != "" || d.Value != "" || d.Max < 0 || d.Max > MaxValue || len(d.Options) > maxOptions || len(d.Options) > 0 && d.Max != 0 {
			return bad(d.Name, "the field %q of the person has options or a longest length of at most %d", d.Name, MaxValue)
		}
		return d.checkOptions()
	default:
		return bad(d.Name, "the value of %q comes from nobody known", d.Name)
	}
	return nil
}

func (d Field) checkOptions() error {
	seen := map[string]bool{}
	for _, o := range d.Options {
		if !isWord(o.Value) || seen[o.Value] {
			return bad(d.Name, "an option of %q has no value, or that of another", d.Name)
		}
		seen[o.Value] = true
		if err := o.Label.check(d.Name, maxLabel); err != nil {
			return err
		}
	}
	return nil
}

func (t Text) check(field string, most int) error {
	if !isText(t.JA, most) || !isText(t.EN, 3*most) {
		return bad(field, "the text %q is missing in a language, too long (%d characters), or has characters that do not print", field, most)
	}
	return nil
}

// isText tells whether s is one line of 1 to most printing characters. Characters that steer how others
// are shown (format characters, such as right-to-left overrides) are refused: they would let
// a page say something else than its text.
func isText(s string, most int) bool {
	if strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > most || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, steers)
}

func steers(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) || r == utf8.RuneError || !unicode.IsGraphic(r)
}

func isWord(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// Field gives the field of a name; ok is false where there is none.
func (f Form) Field(name string) (d Field, ok bool) {
	for _, d := range f.Fields {
		if d.Name == name {
			return d, true
		}
	}
	return Field{}, false
}

// Items lists the items of the certificate that the form shows, in the order of its fields.
func (f Form) Items() []string {
	var all []string
	for _, d := range f.Fields {
		if d.From == FromCertificate {
			all = append(all, d.Item)
		}
	}
	return all
}
