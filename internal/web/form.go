package web

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Field is one question of a form. Label, Help and the options' labels are keys of the catalogue.
type Field struct {
	Name  string
	Label string
	Help  string // support text above the field; "" for none
	// LabelText and HelpText are shown in the place of Label and Help where they are not "": words that are
	// no text of the catalogue, such as those of a form that a stranger sends.
	LabelText, HelpText string
	Kind                FieldKind
	Need                bool // ※必須
	// Options of a choice; Keep says which is taken where nothing was chosen.
	Options []Option
	Max     int    // characters; 200 where it is 0
	Width   string // narrow, medium or "" for the full width
	// Auto is the autocomplete attribute (HTML): "off" where it is "".
	Auto string
	// Numeric shows a keypad of digits.
	Numeric bool
}

// FieldKind says how a field is typed.
type FieldKind string

const (
	TextField   FieldKind = "text"
	DateField   FieldKind = "date" // YYYY-MM-DD
	ChoiceField FieldKind = "choice"
	RadioField  FieldKind = "radio"
	CheckField  FieldKind = "check"
	// SecretField is a PIN: never shown again, never filled in by a browser.
	SecretField FieldKind = "secret"
)

// Option is one answer of a choice. Text, where it is not "", is shown in the place of the catalogue's Label.
type Option struct{ Value, Label, Text string }

// Form is a form with what was typed into it and what is wrong with it. Secrets are read and
// never written.
type Form struct {
	Fields []Field
	values url.Values
	errors map[string]Problem
	order  []string // of errors
}

// Problem is what is wrong with one field: a key of the catalogue, or a text that is shown as it is.
type Problem struct {
	Key   string
	Pairs []any
	Text  string
}

// NewForm takes the fields and what was typed; values may be nil.
func NewForm(values url.Values, fields ...Field) *Form {
	if values == nil {
		values = url.Values{}
	}
	return &Form{Fields: fields, values: values, errors: map[string]Problem{}}
}

// Get gives what was typed, without blanks around it. A secret is given as it was typed.
func (f *Form) Get(name string) string {
	v := f.values.Get(name)
	if i := f.find(name); i >= 0 && f.Fields[i].Kind == SecretField {
		return v
	}
	return strings.TrimSpace(v)
}

// Set puts a value in, such as what is known already.
func (f *Form) Set(name, value string) { f.values.Set(name, value) }

// Checked tells whether a check box is ticked.
func (f *Form) Checked(name string) bool { return f.values.Get(name) != "" }

// Date reads a date field. What is no date is noted as a problem of the field.
func (f *Form) Date(name string) jitsuin.Date {
	text := f.Get(name)
	if text == "" {
		return jitsuin.Date{}
	}
	d, err := jitsuin.ParseDate(text)
	if err != nil {
		f.Wrong(name, "common.form.date")
	}
	return d
}

// Wrong notes what is wrong with a field: a text of the catalogue. The first note of a field stays.
func (f *Form) Wrong(name, key string, pairs ...any) { f.note(name, Problem{Key: key, Pairs: pairs}) }

// WrongText notes what is wrong in words that are no text of the catalogue, such as those of an API.
func (f *Form) WrongText(name, text string) { f.note(name, Problem{Text: text}) }

func (f *Form) note(name string, p Problem) {
	if _, has := f.errors[name]; !has {
		f.errors[name] = p
		f.order = append(f.order, name)
	}
}

// Check notes what every form can see by itself: missing answers, answers that are too long, choices
// that were not offered. It gives whether nothing is wrong.
func (f *Form) Check() bool {
	for _, d := range f.Fields {
		v := f.Get(d.Name)
		longest := d.Max
		if longest == 0 {
			longest = 200
		}
		switch {
		case v == "" && d.Need:
			f.Wrong(d.Name, "common.form.missing")
		case len([]rune(v)) > longest:
			f.Wrong(d.Name, "common.form.long", "max", longest)
		case v != "" && (d.Kind == ChoiceField || d.Kind == RadioField) &&
			!slices.ContainsFunc(d.Options, func(o Option) bool { return o.Value == v }):
			f.Wrong(d.Name, "common.form.choice")
		case v != "" && d.Kind == DateField:
			f.Date(d.Name)
		}
	}
	return f.OK()
}

// OK tells that nothing is noted.
func (f *Form) OK() bool { return len(f.errors) == 0 }

func (f *Form) find(name string) int {
	return slices.IndexFunc(f.Fields, func(d Field) bool { return d.Name == name })
}

// fieldView is what the template of a field sees.
type fieldView struct {
	Field
	Lang  Lang
	Value string
	Error string
}

// formView is what the template of a form sees.
type formView struct {
	*Form
	Lang Lang
}

func (f *Form) view(name string, l Lang) (fieldView, error) {
	i := f.find(name)
	if i < 0 {
		return fieldView{}, fmt.Errorf("the form has no field %q", name)
	}
	v := fieldView{Field: f.Fields[i], Lang: l, Value: f.values.Get(name), Error: f.errorText(name, l)}
	if v.Kind == SecretField {
		v.Value = ""
	}
	return v, nil
}

func (f *Form) errorText(name string, l Lang) string {
	p, wrong := f.errors[name]
	switch {
	case !wrong:
		return ""
	case p.Key != "":
		return Text(l, p.Key, p.Pairs...)
	}
	return p.Text
}

// All gives every field, for {{form}}.
func (v formView) All() ([]fieldView, error) {
	all := make([]fieldView, 0, len(v.Fields))
	for _, d := range v.Fields {
		one, err := v.view(d.Name, v.Lang)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Summary lists what is wrong, for the box at the top that takes the focus. A note about no field of
// the form (its name is "") stands without a link.
func (v formView) Summary() []struct{ Name, Label, Text string } {
	var all []struct{ Name, Label, Text string }
	for _, name := range v.order {
		line := struct{ Name, Label, Text string }{Name: name, Text: v.errorText(name, v.Lang)}
		if i := v.find(name); i >= 0 {
			line.Label = v.Fields[i].labelIn(v.Lang)
		} else {
			line.Name = ""
		}
		all = append(all, line)
	}
	return all
}

func (d Field) labelIn(l Lang) string {
	if d.LabelText != "" {
		return d.LabelText
	}
	return Text(l, d.Label)
}

// LabelIn gives the text of the label.
func (v fieldView) LabelIn() string { return v.labelIn(v.Lang) }

// HelpIn gives the support text, "" for none.
func (v fieldView) HelpIn() string {
	if v.HelpText != "" || v.Help == "" {
		return v.HelpText
	}
	return Text(v.Lang, v.Help)
}

// OptionText gives the text of an option.
func (v fieldView) OptionText(o Option) string {
	if o.Text != "" {
		return o.Text
	}
	return Text(v.Lang, o.Label)
}
