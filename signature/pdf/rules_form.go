package pdf

import "slices"

// form compares the interactive forms.
func (c *comparer) form(from int, o, n Object) error {
	old, err := c.old.Dict(o)
	if err != nil {
		return err
	}
	new, err := c.new.Dict(n)
	if err != nil {
		return err
	}
	if new == nil && old != nil {
		c.forbid(from, "the form was removed")
		return nil
	}
	if old != nil && old.dup || new != nil && new.dup {
		c.forbid(from, "the form has a key twice")
		return nil
	}
	c.explain(o, from, "AcroForm")
	holder := from
	if ref, ok := o.(Ref); ok {
		holder = ref.Num
	}
	for _, key := range keys(old, new) {
		v, w := old.Get(key), new.Get(key)
		switch key {
		case "Fields":
			err = c.fieldList(holder, key, v, w, parent{})
		case "SigFlags":
		case "DR":
			err = c.resources(holder, v, w)
		case "DA", "Q":
			if v != nil && !equal(v, w) {
				c.forbid(holder, "/%s of the form was changed", key)
			}
		case "NeedAppearances":
			if !equal(v, w) && w != nil && w != Object(false) {
				c.forbid(holder, "/NeedAppearances of the form was changed")
			}
		default:
			if !equal(v, w) {
				c.forbid(holder, "/%s of the form was changed", key)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resources allows additions to the form's default resources, and nothing else about them.
func (c *comparer) resources(from int, o, n Object) error {
	old, err := c.old.Dict(o)
	if err != nil || old == nil {
		return err
	}
	new, err := c.new.Dict(n)
	if err != nil {
		return err
	}
	if old.dup || new == nil || new.dup {
		c.forbid(from, "the resources of the form were removed or have a key twice")
		return nil
	}
	c.explain(o, from, "DR")
	holder := from
	if ref, ok := o.(Ref); ok {
		holder = ref.Num
	}
	for _, e := range old.Entries {
		v, w := e.Value, new.Get(e.Key)
		if equal(v, w) && !c.differsAt(v) || e.Key == "XObject" { // fonts alone make appearances (§12.7.4.3)
			continue
		}
		was, err := c.old.Resolve(v)
		if err != nil {
			return err
		}
		is, err := c.new.Resolve(w)
		if err != nil {
			return err
		}
		if !extends(was, is) {
			c.forbid(holder, "/%s in the resources of the form was changed", e.Key)
		}
		c.explain(v, holder, e.Key)
	}
	return nil
}

// extends tells whether a dictionary has all that another has; other objects are to be equal.
func extends(was, is Object) bool {
	old, ok1 := was.(*Dict)
	new, ok2 := is.(*Dict)
	if !ok1 || !ok2 {
		return equal(was, is)
	}
	for _, e := range old.Entries {
		if !equal(e.Value, new.Get(e.Key)) {
			return false
		}
	}
	return !old.dup && !new.dup
}

// parent is what a field inherits, and whether it was signed just now.
type parent struct {
	name  string
	kind  Name
	flags int
	depth int
	ref   Ref
}

// fieldList compares two lists of fields: those that were there stay, in their order; those that came
// are new signature fields.
func (c *comparer) fieldList(from int, key Name, o, n Object, p parent) error {
	old, err := c.old.Array(o)
	if err != nil {
		return err
	}
	new, err := c.new.Array(n)
	if err != nil {
		return err
	}
	if p.depth > maxDepth {
		return malformed(0, "the form is too deep")
	}
	c.explain(o, from, key)
	holder := from
	if ref, ok := o.(Ref); ok {
		holder, key = ref.Num, ""
	}
	i := 0
	for _, f := range new {
		if i < len(old) && equal(old[i], f) {
			i++
			ref, ok := f.(Ref)
			if !ok {
				continue // written inside, and equal
			}
			c.allowed[edge{holder, key, ref.Num}] = true
			if err := c.field(ref, p); err != nil {
				return err
			}
			continue
		}
		if err := c.newField(f, p); err != nil {
			return err
		}
	}
	if i < len(old) {
		c.forbid(from, "a field was removed from the form or moved in it")
	}
	return nil
}

// field compares a field that was there.
func (c *comparer) field(ref Ref, p parent) error {
	old, err := c.old.Dict(ref)
	if err != nil {
		return err
	}
	new, err := c.new.Dict(ref)
	if err != nil {
		return err
	}
	if old == nil || new == nil || old.dup || new.dup {
		c.forbid(ref.Num, "a field was removed, added under an old number, or has a key twice")
		return nil
	}
	p = p.enter(old, ref)
	kids, err := c.old.Array(old.Get("Kids"))
	if err != nil {
		return err
	}
	kind := fieldChange{c: c, num: ref.Num, name: p.name, kind: p.kind, flags: p.flags}
	kind.begin(old, new)
	if err := kind.compare(old, new, ref.Num); err != nil {
		return err
	}
	c.widgetEdges(ref.Num)
	if !old.Has("Kids") && !new.Has("Kids") {
		return nil
	}
	if c.haveNames(kids) {
		return c.fieldList(ref.Num, "Kids", old.Get("Kids"), new.Get("Kids"), p)
	}
	if !equal(old.Get("Kids"), new.Get("Kids")) || c.differsAt(old.Get("Kids")) {
		c.forbid(ref.Num, "the widgets of a field were changed")
		return nil
	}
	for _, kid := range kids {
		if err := c.widget(kid, kind); err != nil {
			return err
		}
	}
	return nil
}

// enter adds what a field has itself to what it inherits.
func (p parent) enter(dict *Dict, ref Ref) parent {
	if t, ok := dict.Get("T").(String); ok {
		if p.name != "" {
			p.name += "."
		}
		p.name += t.Text()
	}
	if t, ok := dict.Get("FT").(Name); ok {
		p.kind = t
	}
	if n, ok := dict.Get("Ff").(int64); ok {
		p.flags = int(n)
	}
	p.depth++
	p.ref = ref
	return p
}

// haveNames tells whether kids are fields: only fields have /T.
func (c *comparer) haveNames(kids Array) bool {
	for _, kid := range kids {
		if dict, err := c.old.Dict(kid); err == nil && dict.Has("T") {
			return true
		}
	}
	return false
}

// widget compares one widget of a field.
func (c *comparer) widget(kid Object, f fieldChange) error {
	ref, ok := kid.(Ref)
	if !ok {
		return nil // written inside the list, which is equal
	}
	old, err := c.old.Dict(ref)
	if err != nil {
		return err
	}
	new, err := c.new.Dict(ref)
	if err != nil {
		return err
	}
	if old == nil || new == nil || old.dup || new.dup || new.Has("T") {
		c.forbid(ref.Num, "a widget was removed, added under an old number, or has a key twice")
		return nil
	}
	c.widgetEdges(ref.Num)
	return f.compare(old, new, ref.Num)
}

// widgetEdges lets a field or widget be referred to as fields and widgets are. Only entries that
// serve fields alone may differ in it.
func (c *comparer) widgetEdges(num int) {
	diff := c.changed[num]
	if diff == nil {
		return
	}
	diff.known, diff.anyEdge = true, true
}

// fieldChange is what may be changed about one field.
type fieldChange struct {
	c       *comparer
	num     int
	name    string
	kind    Name
	flags   int
	signing bool // it was empty and now has a signature
	level   Level
}

// Keys that may change with a field's value.
var (
	signKeys = []Name{"V", "AP", "AS", "F", "M", "P", "Type", "Subtype", "DA", "NM"}
	fillKeys = []Name{"V", "AP", "AS", "I", "RV", "M"}
)

// Flags of fields (§12.7.4.1) and of annotations (§12.5.3).
const (
	readOnly  = 1
	invisible = 1 | 2 | 32 // invisible, hidden, no view
)

// begin sees whether a signature field is signed just now.
func (f *fieldChange) begin(old, new *Dict) {
	f.level = LevelFill
	if f.kind != "Sig" {
		return
	}
	f.level = LevelSign
	v, w := old.Get("V"), new.Get("V")
	was, err := f.c.old.Resolve(v)
	switch {
	case err != nil:
		f.c.forbid(f.num, "the value of a signature field cannot be read: %v", err)
	case was != nil && !equal(v, w):
		f.c.forbid(f.num, "the signature of the field %.80q was replaced or removed", f.name)
	case was == nil && w != nil:
		f.signing = true
		f.level = f.c.newSignature(f.num, w)
	}
}

// newSignature gives the level of a signature that was put into a field.
func (c *comparer) newSignature(num int, v Object) Level {
	if ref, ok := v.(Ref); ok {
		if _, l, had, err := c.old.where(ref.Num); err != nil || had && l.kind != free {
			c.forbid(num, "a field was given a value that the signed revision had elsewhere")
		}
	}
	dict, err := c.new.Dict(v)
	switch {
	case err != nil || dict == nil:
		c.forbid(num, "a signature that was put in cannot be read")
	case dict.Get("SubFilter") == Name(SubRFC3161):
		return LevelEvidence
	}
	return LevelSign
}

// compare compares a field or one of its widgets.
func (f *fieldChange) compare(old, new *Dict, num int) error {
	changed := false
	for _, key := range keys(old, new) {
		v, w := old.Get(key), new.Get(key)
		switch {
		case key == "Kids" || key == "AP":
		case equal(v, w):
			if key == "V" && f.kind != "Sig" && f.c.differsAt(v) {
				f.c.explain(v, num, key)
				changed = true
			}
		case key == "Ff" && lockedOnly(v, w):
		case !f.mayChange(key, v, w):
			f.c.forbid(num, "/%s of the field %.80q was changed", key, f.name)
		default:
			changed = true
		}
	}
	look, err := f.appearance(old.Get("AP"), new.Get("AP"), num)
	if err != nil {
		return err
	}
	if changed || look {
		f.record(num)
	}
	return nil
}

// record notes the change, forbidden where the field is locked or may only be read.
func (f *fieldChange) record(num int) {
	switch {
	case f.kind != "Sig" && f.flags&readOnly != 0:
		f.c.forbid(num, "the field %.80q may only be read and was filled in", f.name)
	case f.level != LevelEvidence && f.c.locked(f.name):
		f.c.forbid(num, "the field %.80q was locked by a signature and was changed", f.name)
	case f.signing:
		f.c.note(num, f.level, "the field %.80q was signed", f.name)
	default:
		f.c.note(num, f.level, "the field %.80q was filled in", f.name)
	}
}

// lockedOnly tells whether the flags of a field changed to read-only and in nothing else.
func lockedOnly(old, new Object) bool {
	was, ok1 := old.(int64)
	is, ok2 := new.(int64)
	return (ok1 || old == nil) && ok2 && is == was|readOnly
}

// mayChange tells whether a key may change.
func (f *fieldChange) mayChange(key Name, old, new Object) bool {
	switch {
	case f.kind != "Sig":
		return slices.Contains(fillKeys, key)
	case !f.signing || !slices.Contains(signKeys, key):
		return false
	case key == "F": // shown where it was not is more than signing
		was, _ := old.(int64)
		return was&invisible == 0
	case key == "P" || key == "Type" || key == "Subtype" || key == "NM":
		return old == nil
	}
	return true
}

// appearance compares /AP and tells whether it differs. Where it may, all that only the old
// appearance consists of may differ with it.
func (f *fieldChange) appearance(o, n Object, num int) (bool, error) {
	c := f.c
	same := equal(o, n)
	if same && !c.treeDiffers(o) {
		return false, nil
	}
	if f.kind == "Sig" && !f.signing || f.kind == "Btn" || f.kind == "" {
		if !same {
			c.forbid(num, "the appearance of the field %.80q was changed", f.name)
		}
		return true, nil // objects below are not explained
	}
	if ref, ok := o.(Ref); ok && !same {
		c.watched[ref.Num] = true // given up here, it must not have served elsewhere
	}
	if f.kind != "Btn" {
		c.look(num, f.name, false)
	}
	return true, c.explainTree(o, num, "AP", maxLook)
}

// maxLook is how many objects of an appearance are followed.
const maxLook = 256

// treeDiffers tells whether any object below o was changed.
func (c *comparer) treeDiffers(o Object) bool {
	seen := map[int]bool{}
	var todo []Ref
	add := func(k Name, r Ref) {
		if !seen[r.Num] && !backward[k] && len(seen) < maxLook {
			seen[r.Num] = true
			todo = append(todo, r)
		}
	}
	references(o, "AP", add)
	for len(todo) > 0 {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if c.changed[r.Num] != nil {
			return true
		}
		if inner, err := c.old.Object(r); err == nil {
			references(inner, "", add)
		}
	}
	return false
}
