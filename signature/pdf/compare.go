package pdf

import (
	"bytes"
	"fmt"

	"github.com/jitsuin/jitsuin"
)

// Level orders what may be done to a document after it was signed, from harmless to forbidden.
type Level int

const (
	LevelNone     Level = iota // nothing was changed
	LevelEvidence              // evidence of validation, document time-stamps, metadata, document information
	LevelSign                  // a further signature in a field of its own or one that was empty
	LevelFill                  // form fields were filled in
	LevelAnnotate              // notes and markings that cover nothing
	LevelOther                 // anything else
)

var levelNames = [...]string{"none", "evidence", "sign", "fill", "annotate", "other"}

// String gives the level's stable name.
func (l Level) String() string { return levelNames[min(max(l, 0), LevelOther)] }

// Bounds of a comparison.
const (
	maxChanges = 16      // changes that are told, all are counted
	maxRows    = 1 << 20 // rows of cross-references that are looked at
	maxChanged = 1 << 16 // objects that differ
)

// Change is one thing that was done to the document after a signature.
type Change struct {
	Object int // number of the object, 0 for the trailer
	What   string
	Level  Level
}

// difference is an object whose bytes are not the same in both views.
type difference struct {
	old, new Object
	known    bool // a rule allowed the change
	anyEdge  bool // it may be referred to from anywhere
	err      error
}

// edge is a reference: from an object, under the innermost key, to an object.
type edge struct {
	from int
	key  Name
	to   int
}

// comparer compares the document as it was when s was made with the document as it is now.
type comparer struct {
	d        *Document
	s        *Signature
	old, new View
	changed  map[int]*difference
	allowed  map[edge]bool  // references to changed objects that rules have followed
	watched  map[int]bool   // unchanged objects on the way that rules took to changed ones
	fresh    map[int]bool   // widgets of new signature fields
	seen     map[int]*shown // widgets that show something new
	locks    []lock

	pageMarks map[int]*markings
	certain   bool // a certification signature is in force
}

// compareAll classifies for every signature what was changed after it.
func (d *Document) compareAll(all []*Signature) {
	for _, s := range all {
		switch {
		case s.Revision < 0:
			s.Level = LevelOther
			s.Changes = []Change{{0, "it covers no revision of the file", LevelOther}}
		case s.Coverage == CoversPart:
			s.Level = LevelOther
			s.Changes = []Change{{0, "bytes after the end of the file", LevelOther}}
		case s.Revision < len(d.revisions)-1:
			d.compare(s)
		}
	}
}

// compare fills in what was changed after s.
func (d *Document) compare(s *Signature) {
	c := &comparer{d: d, s: s, old: d.At(s.Revision), new: d.Current(),
		changed: map[int]*difference{}, allowed: map[edge]bool{}, watched: map[int]bool{}, fresh: map[int]bool{}, seen: map[int]*shown{}, pageMarks: map[int]*markings{}}
	for _, step := range []func() error{c.permissions, c.collect, c.trailer, c.conclude} {
		if err := step(); err != nil {
			c.note(0, LevelOther, "the revisions cannot be compared: %v", err)
			return
		}
	}
}

// note records a change.
func (c *comparer) note(num int, l Level, format string, args ...any) {
	change := Change{num, fmt.Sprintf(format, args...), l}
	switch {
	case len(c.s.Changes) < maxChanges:
		c.s.Changes = append(c.s.Changes, change)
	case l > c.s.Level:
		c.s.Changes[maxChanges-1] = change // the gravest is always told
	}
	c.s.Level = max(c.s.Level, l)
}

// forbid records a change that nothing allows.
func (c *comparer) forbid(num int, format string, args ...any) {
	c.note(num, LevelOther, format, args...)
}

// collect finds the objects that differ. No entry of an older revision may point past its end: what
// is put there later would change what that revision says.
func (c *comparer) collect() error {
	rows := 0
	for _, s := range c.d.sections {
		for _, one := range []*section{s, s.hybrid} {
			if one == nil {
				continue
			}
			if err := one.load(); err != nil {
				return err
			}
			for _, sub := range one.subs {
				if rows += sub.count; rows > maxRows {
					return jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "more than %d rows of cross-references", maxRows)
				}
				for i := range sub.count {
					if err := c.row(s, one, sub, i); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// row looks at one entry of a section; s is the section, one it or its hybrid stream.
func (c *comparer) row(s, one *section, sub subsection, i int) error {
	l, err := one.entry(sub.rows, i)
	if err != nil {
		return err
	}
	num := sub.first + i
	if l.kind == plain && l.a >= c.d.revisions[s.revision].End {
		c.forbid(num, "the cross-reference of revision %d points past its end", s.revision+1)
		return nil
	}
	if s.revision <= c.s.Revision || c.changed[num] != nil {
		return nil
	}
	diff, err := c.differs(num)
	if diff == nil || err != nil {
		return err
	}
	if len(c.changed) == maxChanged {
		return jitsuin.Errorf(jitsuin.Unsupported, "pdf-limit", "more than %d objects differ", maxChanged)
	}
	c.changed[num] = diff
	return nil
}

// differs gives an object's difference, nil where it says the same in both views.
func (c *comparer) differs(num int) (*difference, error) {
	was, old, had, err := c.old.where(num)
	if err != nil {
		return nil, err
	}
	is, now, has, err := c.new.where(num)
	switch {
	case err != nil:
		return nil, err
	case was == is, (!had || old.kind == free) && (!has || now.kind == free):
		return nil, nil
	case had && has && old.kind == plain && old == now:
		return nil, nil
	}
	diff := &difference{}
	if had && old.kind != free {
		diff.old, diff.err = c.old.Object(Ref{num, generationOf(old)})
	}
	if has && now.kind != free {
		var err error
		if diff.new, err = c.new.Object(Ref{num, generationOf(now)}); err != nil {
			diff.err = err
		}
	}
	switch {
	case diff.err != nil:
		return diff, nil
	case equal(diff.old, diff.new) && !container(diff.old):
		return nil, nil
	case now.kind == plain && had && old.kind != free && now.a < c.d.revisions[c.s.Revision].End:
		c.forbid(num, "the cross-reference was turned to other bytes of the signed revision")
	}
	return diff, nil
}

func generationOf(l location) int {
	if l.kind == plain {
		return l.b
	}
	return 0
}

// container tells whether o holds other objects.
func container(o Object) bool {
	st, ok := o.(*Stream)
	return ok && st.Dict.Get("Type") == Name("ObjStm")
}

// equal compares two objects; references are equal where they name the same object.
func equal(a, b Object) bool {
	switch a := a.(type) {
	case String:
		b, ok := b.(String)
		return ok && bytes.Equal(a.Bytes(), b.Bytes())
	case Array:
		b, ok := b.(Array)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case *Dict:
		b, ok := b.(*Dict)
		return ok && equalDicts(a, b)
	case *Stream:
		b, ok := b.(*Stream)
		return ok && equalDicts(a.Dict, b.Dict) && bytes.Equal(a.Raw, b.Raw)
	}
	switch b.(type) {
	case String, Array, *Dict, *Stream:
		return false
	}
	x, ok1 := float(a)
	y, ok2 := float(b)
	return a == b || ok1 && ok2 && x == y
}

// same tells whether two entries say the same: they are equal, or what they refer to is.
func (c *comparer) same(o, n Object) bool {
	if equal(o, n) {
		return true
	}
	was, err := c.old.Resolve(o)
	if err != nil || was == nil {
		return false
	}
	is, err := c.new.Resolve(n)
	return err == nil && equal(was, is)
}

// float gives the value of a number.
func float(o Object) (float64, bool) {
	switch n := o.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// equalDicts compares dictionaries whatever the order of their keys. One with a key twice equals none.
func equalDicts(a, b *Dict) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || len(a.Entries) != len(b.Entries) || a.dup || b.dup {
		return false
	}
	for _, e := range a.Entries {
		if !b.Has(e.Key) || !equal(e.Value, b.Get(e.Key)) {
			return false
		}
	}
	return true
}

// keys gives the keys of both dictionaries.
func keys(a, b *Dict) []Name {
	var all []Name
	if a != nil {
		for _, e := range a.Entries {
			all = append(all, e.Key)
		}
	}
	if b != nil {
		for _, e := range b.Entries {
			if !a.Has(e.Key) {
				all = append(all, e.Key)
			}
		}
	}
	return all
}

// explain marks a changed object as one whose change a rule allows, as far as it is reached by the
// reference from, under key, and by others that rules have followed.
func (c *comparer) explain(o Object, from int, key Name) {
	ref, ok := o.(Ref)
	if !ok {
		return
	}
	c.allowed[edge{from, key, ref.Num}] = true
	if diff := c.changed[ref.Num]; diff != nil {
		diff.known = true
	}
}

// explainAnywhere marks a changed object whose change is harmless whoever refers to it.
func (c *comparer) explainAnywhere(num int) {
	if diff := c.changed[num]; diff != nil {
		diff.known, diff.anyEdge = true, true
	}
}
