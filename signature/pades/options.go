package pades

import (
	"time"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/seal"
)

// Form is the form of a signature: its SubFilter (ISO 32000-2 table 260).
type Form string

const (
	// CAdES is that of PAdES. The claimed time stands in /M and nowhere else (EN 319 142-1 §6.3).
	CAdES Form = "ETSI.CAdES.detached"
	// PKCS7 is that of filings (登記・供託): signing-time is signed too, and /Name must be there.
	PKCS7 Form = "adbe.pkcs7.detached"
)

// Permission is what a certification (DocMDP, ISO 32000-2 §12.8.2.2) lets others do afterwards.
type Permission int

const (
	NotCertified  Permission = 0
	NoChanges     Permission = 1 // nothing; no further signature either
	FormsAndSigns Permission = 2 // fill in forms, sign
	Annotations   Permission = 3 // besides, add notes
)

// Lock (FieldMDP, ISO 32000-2 §12.8.2.4) is which fields may not change any more once the signature stands.
type Lock struct {
	Action string   // "All", "Include" (Fields alone) or "Exclude" (all but Fields)
	Fields []string // full names
}

// Options say how a document is to be signed.
type Options struct {
	Form     Form      // "" is CAdES
	At       time.Time // the time that the signature claims
	Name     string    // of who signs; PKCS7 needs it
	Reason   string    // why (理由)
	Location string    // where (場所)
	Contact  string

	// Field is the full name of an empty signature field to fill, or the name of the new one. "" fills none and
	// takes the first free name of Signature1, Signature2, ….
	Field   string
	Certify Permission
	Lock    *Lock
	Seal    *Appearance // nil: nothing is to be seen
}

// Appearance is a seal on a page.
type Appearance struct {
	Seal *seal.Seal
	Page int // from 1
	// X and Y are the lower left corner as a person sees the page, in points (1/72 inch) from its lower left corner.
	// Negative ones are distances of the seal's other edges from the right and from above.
	X, Y float64
	Side float64 // of the square, in points; 0 is DefaultSide. An existing field has its own place and size.
}

// DefaultSide of a seal is 15 mm, as that of a registered seal (実印).
const DefaultSide = 42.5

// Bounds of what a caller writes into a document.
const (
	maxText  = 500 // characters of a name, reason, …
	maxField = 100 // of the name of a field
	minSide  = 10  // points
	maxSide  = 400
	maxLock  = 1000 // fields of a lock
)

func invalid(field, format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "pdf-options", format, args...).At(field)
}

// check refuses what cannot stand in a document: Invalid "pdf-options", with the member's name.
func (o *Options) check() error {
	if o.Form == "" {
		o.Form = CAdES
	}
	for _, t := range []struct{ field, text string }{{"name", o.Name}, {"reason", o.Reason}, {"location", o.Location}, {"contact", o.Contact}} {
		if utf8.RuneCountInString(t.text) > maxText || !utf8.ValidString(t.text) {
			return invalid(t.field, "the %s has more than %d characters, or is not UTF-8", t.field, maxText)
		}
	}
	switch {
	case o.Form != CAdES && o.Form != PKCS7:
		return invalid("form", "a signature has the form %s or %s", CAdES, PKCS7)
	case o.At.IsZero() || o.At.Year() < 1900 || o.At.Year() > 9999:
		return invalid("at", "a signature needs its time")
	case o.Form == PKCS7 && o.Name == "":
		return invalid("name", "%s needs the name of who signs", PKCS7)
	case utf8.RuneCountInString(o.Field) > maxField || !utf8.ValidString(o.Field):
		return invalid("field", "the name of a field has more than %d characters, or is not UTF-8", maxField)
	case o.Certify < NotCertified || o.Certify > Annotations:
		return invalid("certify", "a certification permits 1, 2 or 3")
	}
	if err := o.Lock.check(); err != nil {
		return err
	}
	return o.Seal.check()
}

func (l *Lock) check() error {
	if l == nil || l.Action == "All" && len(l.Fields) == 0 ||
		(l.Action == "Include" || l.Action == "Exclude") && len(l.Fields) > 0 && len(l.Fields) <= maxLock {
		return nil
	}
	return invalid("lock", "a lock is All without fields, or Include or Exclude with 1 to %d", maxLock)
}

func (a *Appearance) check() error {
	switch {
	case a == nil:
		return nil
	case a.Seal == nil || a.Page < 1:
		return invalid("seal", "a seal has a name and stands on a page from 1")
	case a.Side != 0 && !(a.Side >= minSide && a.Side <= maxSide):
		return invalid("seal", "a seal is %d to %d points wide", minSide, maxSide)
	}
	if a.Side == 0 {
		a.Side = DefaultSide
	}
	return nil
}
