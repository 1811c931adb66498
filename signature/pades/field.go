package pades

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// form is the document's interactive form (ISO 32000-2 §12.7.3). dict is nil where there is none.
type form struct {
	ref    pdf.Ref // zero where it stands in the catalog itself
	dict   *pdf.Dict
	fields []pdf.Field
}

// readForm reads the form with all terminal fields.
func (s *source) readForm() (f *form, err error) {
	f = &form{}
	if f.dict, f.ref, err = s.AcroForm(); err != nil {
		return nil, err
	}
	if f.dict != nil {
		if key, twice := f.dict.Duplicate(); twice {
			return nil, odd("/AcroForm has /%s twice", key)
		}
	}
	f.fields, err = s.Fields()
	return f, err
}

// signed tells whether a field is a signature field with a signature in it.
func signed(x pdf.Field) bool { return x.Type == "Sig" && x.Value != nil }

// uses tells whether a field or a group of fields has a name.
func (f *form) uses(name string) bool {
	return slices.ContainsFunc(f.fields, func(x pdf.Field) bool { return x.Name == name || strings.HasPrefix(x.Name, name+".") })
}

// empty finds the signature field to fill: nil where name is new or "". Conflict "pdf-field" where the field is
// signed already, Invalid where it is of another kind.
func (f *form) empty(name string) (*pdf.Field, error) {
	if name == "" {
		return nil, nil
	}
	i := slices.IndexFunc(f.fields, func(x pdf.Field) bool { return x.Name == name })
	switch {
	case i < 0 && f.uses(name):
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-field", "%q is a group of fields", name).At("field")
	case i < 0 && strings.Contains(name, "."):
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-field", "there is no field %q, and the name of a new one has no full stop", name).At("field")
	case i < 0:
		return nil, nil
	case f.fields[i].Type != "Sig":
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pdf-field", "the field %q is not one for a signature", name).At("field")
	case f.fields[i].Value != nil:
		return nil, jitsuin.Errorf(jitsuin.Conflict, "pdf-field", "the field %q is signed already", name).At("field")
	case f.fields[i].Ref == (pdf.Ref{}):
		return nil, odd("the field %q is not an object of its own", name)
	}
	return &f.fields[i], nil
}

// free gives the first free name of Signature1, Signature2, ….
func (f *form) free() string {
	for n := 1; ; n++ {
		if name := fmt.Sprintf("Signature%d", n); !f.uses(name) {
			return name
		}
	}
}
