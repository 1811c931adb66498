package pades

import (
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// mayFill holds the signature to what an empty field demands of it: its seed value (ISO 32000-2 §12.7.5.5, table 237) and
// its lock, which becomes part of the signature.
func (s *source) mayFill(f *pdf.Field, k *kind) error {
	if err := s.seedValue(f, *k); err != nil {
		return err
	}
	lock, err := s.optional(f.Dict.Get("Lock"), "/Lock of the field")
	if err != nil || lock == nil {
		return err
	}
	action, _ := lock.Get("Action").(pdf.Name)
	names, err := s.arrayAt(lock.Get("Fields"), "/Fields of a lock")
	if err != nil {
		return err
	}
	if lock.Has("P") {
		return jitsuin.Errorf(jitsuin.Unsupported, "pdf-field", "the field %q demands that its signature certifies the document", f.Name).At("field")
	}
	l := &Lock{Action: string(action)}
	for _, n := range names {
		v, err := s.Resolve(n)
		if err != nil {
			return err
		}
		if name, ok := v.(pdf.String); ok {
			l.Fields = append(l.Fields, name.Text())
		}
	}
	if err := l.check(); err != nil {
		return odd("the lock of the field %q is broken", f.Name)
	}
	if k.options.Lock != nil {
		return jitsuin.Errorf(jitsuin.Conflict, "pdf-field", "the field %q has a lock of its own", f.Name).At("lock")
	}
	k.options.Lock = l
	return nil
}

// seedValue refuses a field whose demands are not met, or not known: Ff says which members are demands.
func (s *source) seedValue(f *pdf.Field, k kind) error {
	seed, err := s.optional(f.Dict.Get("SV"), "/SV of the field")
	if err != nil || seed == nil {
		return err
	}
	demands, _ := seed.Get("Ff").(int64)
	const filter, subFilter = 1, 2
	subs, err := s.arrayAt(seed.Get("SubFilter"), "/SubFilter of a seed value")
	switch {
	case err != nil:
		return err
	case demands&filter != 0 && seed.Get("Filter") != pdf.Name("Adobe.PPKLite"),
		demands&subFilter != 0 && !slices.Contains(subs, pdf.Object(pdf.Name(k.options.Form))),
		demands&^(filter|subFilter) != 0, seed.Has("MDP"):
		return jitsuin.Errorf(jitsuin.Unsupported, "pdf-field", "the field %q demands of a signature what this one does not have", f.Name).At("field")
	}
	return nil
}
