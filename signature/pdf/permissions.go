package pdf

import (
	"slices"
	"strings"
)

// lock is what a FieldMDP transform or a field's /Lock dictionary says (ISO 32000-2 §12.7.5.5, §12.8.2.4).
type lock struct {
	action Name
	fields []string
}

// holds tells whether the lock is on the field.
func (l lock) holds(name string) bool {
	named := slices.ContainsFunc(l.fields, func(f string) bool {
		return f == name || strings.HasPrefix(name, f+".")
	})
	switch l.action {
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return true // All, and whatever is not known
}

func (c *comparer) locked(name string) bool {
	return slices.ContainsFunc(c.locks, func(l lock) bool { return l.holds(name) })
}

// permissions finds what the signatures of the old view allow after them.
func (c *comparer) permissions() error {
	c.s.Permits = LevelSign
	certifier, level := c.d.certifier(c.old)
	if level > 0 {
		c.certain = true
		c.s.Permits = permitted(level)
	}
	fields, err := c.old.Fields()
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f.Type != "Sig" || f.Value == nil {
			continue
		}
		dict, err := c.old.Dict(f.Value)
		if err != nil {
			return err
		}
		if dict == nil {
			continue
		}
		for _, t := range c.d.transforms(c.old, dict) {
			switch {
			case t.method == "FieldMDP":
				c.locks = append(c.locks, t.lock)
			case t.method == "DocMDP" && f.Value != Object(certifier):
				c.restrict(permitted(t.level))
			}
		}
		if err := c.fieldLock(f); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) restrict(l Level) { c.s.Permits = min(c.s.Permits, l) }

// fieldLock reads the /Lock dictionary of a field that is signed; it may restrict the whole document, too.
func (c *comparer) fieldLock(f Field) error {
	dict, err := c.old.Dict(f.Dict.Get("Lock"))
	if err != nil || dict == nil {
		return err
	}
	c.locks = append(c.locks, lockOf(c.old, dict))
	if p, ok := dict.Get("P").(int64); ok {
		c.restrict(permitted(int(p)))
	}
	return nil
}

// permitted translates P of DocMDP (§12.8.2.2). What is not known permits nothing.
func permitted(p int) Level {
	switch p {
	case 2:
		return LevelFill
	case 3:
		return LevelAnnotate
	}
	return LevelEvidence
}

// transform is one entry of a signature's /Reference.
type transform struct {
	method Name
	level  int
	lock   lock
}

// maxReferences is how many entries of /Reference are read.
const maxReferences = 16

// transforms reads a signature's /Reference. What cannot be read forbids everything.
func (d *Document) transforms(v View, dict *Dict) []transform {
	a, err := v.Array(dict.Get("Reference"))
	if err != nil || len(a) > maxReferences {
		return []transform{{method: "DocMDP", level: 1}}
	}
	var all []transform
	for _, o := range a {
		r, err := v.Dict(o)
		if err != nil || r == nil || r.dup {
			return []transform{{method: "DocMDP", level: 1}}
		}
		t := transform{level: 2}
		t.method, _ = r.Get("TransformMethod").(Name)
		params, err := v.Dict(r.Get("TransformParams"))
		switch {
		case err != nil || params != nil && params.dup:
			t.level = 1
		case t.method == "DocMDP":
			if p := params.Get("P"); p != nil {
				n, _ := p.(int64)
				t.level = int(n)
			}
			if t.level < 1 || t.level > 3 {
				t.level = 1
			}
		case t.method == "FieldMDP":
			t.lock = lockOf(v, params)
		}
		all = append(all, t)
	}
	return all
}

// maxLocked is how many names a lock may have; one of more locks every field.
const maxLocked = 1 << 9

// lockOf reads /Action and /Fields. What cannot be read locks every field.
func lockOf(v View, dict *Dict) lock {
	l := lock{}
	l.action, _ = dict.Get("Action").(Name)
	a, err := v.Array(dict.Get("Fields"))
	if err != nil {
		return lock{}
	}
	if len(a) > maxLocked {
		return lock{}
	}
	for _, o := range a {
		if s, ok := o.(String); ok {
			l.fields = append(l.fields, s.Text())
		}
	}
	return l
}

// certifier gives the signature that the catalog's /Perms names as the certification, and its P; 0
// where there is none, 1 where it cannot be read.
func (d *Document) certifier(v View) (Ref, int) {
	c, _, err := v.Catalog()
	if err != nil {
		return Ref{}, 1
	}
	perms, err := v.Dict(c.Get("Perms"))
	if err != nil {
		return Ref{}, 1
	}
	if !perms.Has("DocMDP") {
		return Ref{}, 0
	}
	ref, ok := perms.Get("DocMDP").(Ref)
	dict, err := v.Dict(perms.Get("DocMDP"))
	if err != nil || dict == nil || !ok {
		return ref, 1
	}
	for _, t := range d.transforms(v, dict) {
		if t.method == "DocMDP" {
			return ref, t.level
		}
	}
	return ref, 1
}

// certification gives P where s certifies the document, 0 where it does not.
func (d *Document) certification(s *Signature) int {
	if ref, level := d.certifier(d.At(s.Revision)); ref == s.Ref {
		return level
	}
	return 0
}
