package pdf

import "slices"

// fieldChange is what may be changed about one field.
type fieldChange struct {
	c       *comparer
	num     int
	name    string
	kind    Name
	flags   int
	signing bool // it was empty and now has a signature
	filled  bool // it has another value
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
				changed, f.filled = true, true
			}
		case key == "Ff" && lockedOnly(v, w):
		case !f.mayChange(key, v, w):
			f.c.forbid(num, "/%s of the field %.80q was changed", key, f.name)
		default:
			changed = true
			f.filled = f.filled || key == "V"
		}
	}
	look, err := f.appearance(old.Get("AP"), new.Get("AP"), num)
	if err != nil {
		return err
	}
	if look && f.kind != "Sig" && !f.filled {
		f.c.forbid(num, "the field %.80q looks otherwise and has the same value", f.name)
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
