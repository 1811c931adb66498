package pades

import (
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// source is the document that is to be signed.
type source struct {
	pdf.View
	document *pdf.Document
	holding  []*pdf.Signature // earlier signatures, all of which hold
	rootRef  pdf.Ref
	root     *pdf.Dict
}

func odd(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "pdf-malformed", format, args...)
}

// dictAt resolves an object that must be a dictionary.
func (s *source) dictAt(o pdf.Object, what string) (*pdf.Dict, error) {
	v, err := s.Resolve(o)
	if err != nil {
		return nil, err
	}
	d, ok := v.(*pdf.Dict)
	if !ok {
		return nil, odd("%s is no dictionary", what)
	}
	if key, twice := d.Duplicate(); twice {
		return nil, odd("%s has /%s twice", what, key)
	}
	return d, nil
}

// optional resolves an object that is a dictionary where it is there at all.
func (s *source) optional(o pdf.Object, what string) (*pdf.Dict, error) {
	v, err := s.Resolve(o)
	if err != nil || v == nil {
		return nil, err
	}
	return s.dictAt(v, what)
}

// arrayAt resolves an object that is an array where it is there at all.
func (s *source) arrayAt(o pdf.Object, what string) (pdf.Array, error) {
	v, err := s.Resolve(o)
	if err != nil || v == nil {
		return nil, err
	}
	a, ok := v.(pdf.Array)
	if !ok {
		return nil, odd("%s is no array", what)
	}
	return a, nil
}

// numbers resolves an array of n numbers.
func (s *source) numbers(o pdf.Object, n int, what string) ([]float64, error) {
	a, err := s.arrayAt(o, what)
	if err != nil {
		return nil, err
	}
	if len(a) != n {
		return nil, odd("%s has %d numbers and not %d", what, len(a), n)
	}
	all := make([]float64, n)
	for i, e := range a {
		v, err := s.Resolve(e)
		if err != nil {
			return nil, err
		}
		switch x := v.(type) {
		case int64:
			all[i] = float64(x)
		case float64:
			all[i] = x
		default:
			return nil, odd("%s has something else than numbers", what)
		}
	}
	return all, nil
}
