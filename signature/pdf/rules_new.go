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
	if dict.Get("V") == nil {
		c.forbid(ref.Num, "the signature field %.80q was added and is not signed", f.name)
		return nil
	}
	level := c.newSignature(ref.Num, dict.Get("V"))
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
		c.look(ref.Num, name, true)
	}
	return nil
}

// unseen tells whether a widget shows nothing: no area, hidden, or no appearance and none to be made.
func (c *comparer) unseen(dict *Dict) bool { return c.unseenIn(c.new, dict) }

func (c *comparer) unseenIn(v View, dict *Dict) bool {
	flags, _ := dict.Get("F").(int64)
	if flags&2 != 0 { // hidden; what is not to be viewed may still be printed
		return true
	}
	r, ok := c.rectangle(v, dict.Get("Rect"))
	if ok && (r[0] == r[2] || r[1] == r[3]) {
		return true
	}
	mk, err := v.Dict(dict.Get("MK"))
	if err != nil || mk.Has("BG") || mk.Has("BC") || mk.Has("CA") {
		return false
	}
	ap, err := v.Dict(dict.Get("AP"))
	return err == nil && (ap == nil || len(ap.Entries) == 0)
}

// rectangle reads a rectangle and puts its corners in order.
func (c *comparer) rectangle(v View, o Object) (rect, bool) {
	var r rect
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
	return rect{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}, true
}

// shown is a widget that shows something new and must be looked at where it stands on a page.
type shown struct {
	name  string
	added bool // it is new; otherwise its field was there
	met   bool // on a page
}

// look has a widget looked at where it stands.
func (c *comparer) look(num int, name string, added bool) {
	c.seen[num] = &shown{name: name, added: added}
}

// stands judges a widget of a page that shows something new. What is new covers nothing at all. A place
// that was there was seen when the page was signed, and words in it are its own, unless it is so large
// that it can take the page's place.
func (c *comparer) stands(p Page, ref Ref, s *shown) {
	s.met = true
	v := c.old
	if s.added {
		v = c.new
	}
	dict, err := v.Dict(ref)
	if err != nil || dict == nil {
		c.forbid(ref.Num, "the field %.80q cannot be read where it stands", s.name)
		return
	}
	const unbound = 8 | 16 // no zoom, no rotate: it reaches beyond its rectangle
	flags, _ := dict.Get("F").(int64)
	target, ok := c.rectangle(v, dict.Get("Rect"))
	if !s.added && ok && !c.large(p, target) {
		return
	}
	if m := c.markingsOf(p); !ok || s.added && flags&unbound != 0 || m.meets(target, s.added) {
		c.forbid(ref.Num, "the field %.80q covers something that the page shows", s.name)
		return
	}
	if s.added && c.overAnnotation(p, target) {
		c.forbid(ref.Num, "the field %.80q was added over an annotation", s.name)
	}
}

// large tells whether a rectangle is more than a quarter of its page.
func (c *comparer) large(p Page, r rect) bool {
	page, ok := c.rectangle(c.old, c.old.inherited(p.Dict, "MediaBox"))
	return !ok || 4*(r[2]-r[0])*(r[3]-r[1]) > (page[2]-page[0])*(page[3]-page[1])
}

// markingsOf reads what a page showed, once.
func (c *comparer) markingsOf(p Page) *markings {
	m := c.pageMarks[p.Ref.Num]
	if m == nil {
		m = c.old.markings(p.Dict)
		c.pageMarks[p.Ref.Num] = m
	}
	return m
}

// overAnnotation tells whether a rectangle lies over an annotation that the page had.
func (c *comparer) overAnnotation(p Page, target rect) bool {
	annotations, err := c.old.Array(p.Dict.Get("Annots"))
	if err != nil {
		return true
	}
	for _, a := range annotations {
		dict, err := c.old.Dict(a)
		if err != nil {
			return true
		}
		if dict == nil || c.unseenIn(c.old, dict) {
			continue
		}
		if r, ok := c.rectangle(c.old, dict.Get("Rect")); !ok || r.meets(target) {
			return true
		}
	}
	return false
}
