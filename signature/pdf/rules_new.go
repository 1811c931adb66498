package pdf

import "slices"

// newKeys are what a new signature field and its widgets may have.
var newKeys = []Name{"Type", "Subtype", "FT", "T", "TU", "V", "F", "Ff", "P", "Rect", "AP", "AS", "MK", "Lock", "SV", "Kids",
	"Parent", "DA", "Q", "M", "NM", "BS", "Border", "StructParent", "H", "C", "DR"}

// newField looks at a field that was added: it must be a signature field.
func (c *comparer) newField(o Object, p parent) error {
	ref, ok := o.(Ref)
	if !ok {
		c.forbid(0, "a field was added inside the form's list")
		return nil
	}
	dict := c.added(ref)
	if dict == nil || dict.Get("FT") != Name("Sig") {
		c.forbid(ref.Num, "a field was added that is no signature field")
		return nil
	}
	f := p.enter(dict, ref)
	for _, e := range dict.Entries {
		if !slices.Contains(newKeys, e.Key) {
			c.forbid(ref.Num, "a signature field was added with /%s", e.Key)
			return nil
		}
	}
	level := LevelSign
	if v := dict.Get("V"); v != nil {
		level = c.newSignature(ref.Num, v)
	}
	widgets := []Ref{ref}
	if dict.Has("Kids") {
		kids, err := c.new.Array(dict.Get("Kids"))
		if err != nil {
			return err
		}
		widgets = nil
		for _, kid := range kids {
			w, ok := kid.(Ref)
			if added := c.added(w); !ok || added == nil || added.Has("T") {
				c.forbid(ref.Num, "a signature field was added with kids that are no new widgets")
				return nil
			}
			widgets = append(widgets, w)
		}
	}
	for _, w := range widgets {
		if err := c.newWidget(w, f.name); err != nil {
			return err
		}
	}
	c.note(ref.Num, level, "the signature field %.80q was added", f.name)
	return nil
}

// added gives the dictionary of an object that is new, nil for any other.
func (c *comparer) added(ref Ref) *Dict {
	diff := c.changed[ref.Num]
	if diff == nil || diff.old != nil || diff.err != nil {
		return nil
	}
	dict, ok := diff.new.(*Dict)
	if !ok || dict.dup {
		return nil
	}
	return dict
}

// newWidget looks at a widget of a new signature field. What is shown of it must not cover what was signed.
func (c *comparer) newWidget(ref Ref, name string) error {
	dict := c.added(ref)
	for _, e := range dict.Entries {
		if !slices.Contains(newKeys, e.Key) {
			c.forbid(ref.Num, "a widget was added with /%s", e.Key)
		}
	}
	c.fresh[ref.Num] = true
	if c.unseen(dict) {
		return nil
	}
	switch {
	case c.certain:
		c.forbid(ref.Num, "the signature field %.80q was added where it is seen, after a certification", name)
	case c.locked(name):
		c.forbid(ref.Num, "the signature field %.80q was added where it is seen, after a signature that locks fields", name)
	default:
		return c.covers(ref, dict, name)
	}
	return nil
}

// unseen tells whether a widget shows nothing: no area, hidden, or no appearance and none to be made.
func (c *comparer) unseen(dict *Dict) bool {
	flags, _ := dict.Get("F").(int64)
	if flags&(2|32) != 0 {
		return true
	}
	r, ok := c.rectangle(c.new, dict.Get("Rect"))
	if ok && (r[0] == r[2] || r[1] == r[3]) {
		return true
	}
	mk, err := c.new.Dict(dict.Get("MK"))
	if err != nil || mk.Has("BG") || mk.Has("BC") || mk.Has("CA") {
		return false
	}
	ap, err := c.new.Dict(dict.Get("AP"))
	return err == nil && (ap == nil || !ap.Has("N"))
}

// rectangle reads a rectangle and puts its corners in order.
func (c *comparer) rectangle(v View, o Object) ([4]float64, bool) {
	var r [4]float64
	a, err := v.Array(o)
	if err != nil || len(a) != 4 {
		return r, false
	}
	for i := range a {
		n, err := v.Resolve(a[i])
		if err != nil {
			return r, false
		}
		switch n := n.(type) {
		case int64:
			r[i] = float64(n)
		case float64:
			r[i] = n
		default:
			return r, false
		}
	}
	return [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}, true
}

// covers refuses a widget that is seen and was added after signing.
func (c *comparer) covers(ref Ref, dict *Dict, name string) error {
	c.forbid(ref.Num, "the signature field %.80q was added where it is seen", name)
	return nil
}
