package form

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
)

// Format names how a document is drawn from its data.
const Format = "jitsuin-application-v1"

// Filled is a form with its values: what is attached to the document as JSON.
type Filled struct {
	Format string `json:"format"`
	Form   Form   `json:"form"`
	// Values by the name of the field. A date is YYYY-MM-DD, a sex its code, a choice the value of its
	// option; a field of the person that was left out is not there.
	Values map[string]string `json:"values"`
	Date   jitsuin.Date      `json:"date"` // on which it was filled in, civil time
}

// Problem is what is wrong with what a person typed into one field.
type Problem struct {
	Field string
	Code  string // "missing", "long", "choice", "characters"; "unknown" for a field that is not the person's
	Max   int    // of "long"
}

// Problems are all of them, in the order of the fields.
type Problems []Problem

func (p Problems) Error() string {
	var words []string
	for _, one := range p {
		words = append(words, one.Field+": "+one.Code)
	}
	return strings.Join(words, ", ")
}

// ProblemsOf gives what an error of Fill says about the fields.
func ProblemsOf(err error) Problems {
	p, _ := errors.AsType[Problems](err)
	return p
}

// Fill fills a form in on a day: items are those of the certificate that is about to sign, typed what the
// person typed, by field. What is wrong with typed is Invalid "form-values", with all problems: ProblemsOf.
func Fill(f Form, items jitsuin.FourItems, typed map[string]string, on jitsuin.Date) (Filled, error) {
	if err := f.Check(); err != nil {
		return Filled{}, err
	}
	out := Filled{Format: Format, Form: f, Values: map[string]string{}, Date: on}
	var wrong Problems
	for _, d := range f.Fields {
		value := strings.TrimSpace(typed[d.Name])
		switch d.From {
		case FromCertificate:
			value = itemOf(items, d.Item)
		case FromIssuer:
			value = d.Value
		case FromPerson:
			if code := d.wrong(value); code != "" {
				wrong = append(wrong, Problem{d.Name, code, d.longest()})
			}
		}
		if value != "" {
			out.Values[d.Name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(typed)) {
		if d, ok := f.Field(name); !ok || d.From != FromPerson {
			wrong = append(wrong, Problem{Field: name, Code: "unknown"})
		}
	}
	if wrong != nil {
		return Filled{}, jitsuin.Errorf(jitsuin.Invalid, "form-values", "the form is not filled in: %w", wrong)
	}
	return out, out.Check()
}

func (d Field) longest() int {
	if d.Max == 0 {
		return MaxValue
	}
	return d.Max
}

// wrong gives the code of what is wrong with a person's value, "" for nothing.
func (d Field) wrong(value string) string {
	switch {
	case value == "" && d.Required:
		return "missing"
	case value == "":
		return ""
	case len(d.Options) > 0 && !slices.ContainsFunc(d.Options, func(o Option) bool { return o.Value == value }):
		return "choice"
	case utf8.RuneCountInString(value) > d.longest():
		return "long"
	case !isText(value, d.longest()):
		return "characters"
	}
	return ""
}

func itemOf(i jitsuin.FourItems, item string) string {
	switch item {
	case ItemName:
		return i.Name
	case ItemAddress:
		return i.Address
	case ItemBirthDate:
		return i.BirthDate.String()
	case ItemSex:
		return string(i.Sex)
	}
	return ""
}

// Check tells whether f could have come from Fill: Invalid "form-content" names what could not.
func (f Filled) Check() error {
	if err := f.Form.Check(); err != nil {
		return err
	}
	if f.Format != Format || f.Date.IsZero() {
		return bad("format", "the document is of another format, or without a date")
	}
	for name := range f.Values {
		if _, ok := f.Form.Field(name); !ok {
			return bad("values", "there is a value for no field of the form")
		}
	}
	for _, d := range f.Form.Fields {
		value := f.Values[d.Name]
		ok := false
		switch d.From {
		case FromCertificate:
			ok = soundItem(d.Item, value)
		case FromIssuer:
			ok = value == d.Value
		case FromPerson:
			ok = d.wrong(value) == "" && strings.TrimSpace(value) == value
		}
		if _, there := f.Values[d.Name]; !ok || there && value == "" {
			return bad(d.Name, "the value of %q is none that the field may have", d.Name)
		}
	}
	return nil
}

func soundItem(item, value string) bool {
	switch item {
	case ItemBirthDate:
		d, err := jitsuin.ParseDate(value)
		return err == nil && d.String() == value
	case ItemSex:
		return jitsuin.Sex(value).Valid()
	}
	return isText(value, MaxValue)
}

// Item gives one of the four items as the document shows it; ok is false where the form does not ask for it.
func (f Filled) Item(item string) (value string, ok bool) {
	for _, d := range f.Form.Fields {
		if d.From == FromCertificate && d.Item == item {
			return f.Values[d.Name], true
		}
	}
	return "", false
}

// Differences names the items in which the document and a certificate differ, of those that the document
// shows, in its order: a document whose signer is somebody else.
func (f Filled) Differences(signer jitsuin.FourItems) []string {
	var d []string
	for _, item := range f.Form.Items() {
		if value, _ := f.Item(item); value != itemOf(signer, item) {
			d = append(d, item)
		}
	}
	return d
}

// Shown gives the value that a field of the certificate or of the issuer will have, as the document writes it;
// items are those of the certificate that is about to sign.
func Shown(d Field, items jitsuin.FourItems) string {
	if d.From == FromCertificate {
		return d.write(itemOf(items, d.Item))
	}
	return d.write(d.Value)
}

func (f Filled) shown(d Field) string { return d.write(f.Values[d.Name]) }

// write gives a value as the document writes it.
func (d Field) write(value string) string {
	switch {
	case value == "":
		return "（記入なし）"
	case d.Item == ItemBirthDate:
		on, err := jitsuin.ParseDate(value)
		if err != nil {
			return value
		}
		return dateText(on)
	case d.Item == ItemSex:
		return map[jitsuin.Sex]string{jitsuin.Male: "男", jitsuin.Female: "女", jitsuin.SexUnknown: "不明", jitsuin.SexNotApplicable: "適用不能"}[jitsuin.Sex(value)]
	}
	for _, o := range d.Options {
		if o.Value == value {
			return o.Label.JA
		}
	}
	return value
}

func fmtClause(n int) string { return fmt.Sprintf("第%d条", n) }
