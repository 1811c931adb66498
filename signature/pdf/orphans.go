package pdf

import (
	"bytes"
	"cmp"
	"slices"
)

// maxHits is how many mentions of /ByteRange outside the signatures are looked into.
const maxHits = 64

// maxStanding is how many rows of cross-references are put in order for that.
const maxStanding = 1 << 18

// place of an object in the file, for looking up what stands at a byte.
type standing struct {
	at, num int
	section *section
}

// addOrphans adds signature dictionaries that no field reaches. Those that a later revision
// replaced or freed are not part of the document and are left out, and so are usage rights
// signatures (§12.8.2.3), which are none over what the document says.
func (d *Document) addOrphans(all []*Signature) []*Signature {
	known := func(at int) bool {
		return slices.ContainsFunc(all, func(s *Signature) bool { return s.Dict != nil && s.Dict.At <= at && at < s.Dict.End })
	}
	var objects []standing
	nothing := -1 // what the last mention was in, where that was no signature
	mark := []byte("/ByteRange")
	for pos, hits := 0, 0; hits < maxHits; {
		i := bytes.Index(d.bytes[pos:], mark)
		if i < 0 {
			break
		}
		at := pos + i
		pos = at + len(mark)
		if known(at) {
			continue
		}
		hits++
		if objects == nil {
			objects = d.standing()
		}
		in := last(objects, at)
		if in < 0 || in == nothing {
			continue
		}
		if s := d.orphanAt(objects[in], at); s != nil {
			all = append(all, s)
		} else {
			nothing = in
		}
	}
	return all
}

// standing lists where all plain objects of all revisions stand, in order.
func (d *Document) standing() []standing {
	var all []standing
	rows := 0
	for _, s := range d.sections {
		for _, one := range []*section{s, s.hybrid} {
			if one == nil {
				continue
			}
			if err := one.load(); err != nil {
				return all
			}
			for _, sub := range one.subs {
				if rows += sub.count; rows > maxStanding {
					return all
				}
				for i := range sub.count {
					if l, err := one.entry(sub.rows, i); err == nil && l.kind == plain {
						all = append(all, standing{l.a, sub.first + i, s})
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b standing) int { return cmp.Compare(a.at, b.at) })
	return all
}

// last gives the object that begins last before a byte, -1 for none.
func last(objects []standing, at int) int {
	i, found := slices.BinarySearchFunc(objects, at, func(s standing, at int) int { return cmp.Compare(s.at, at) })
	if !found {
		i--
	}
	return i
}

// orphanAt gives the signature dictionary in force around a byte of an object, nil where there is none.
func (d *Document) orphanAt(o standing, at int) *Signature {
	now, l, ok, err := d.Current().where(o.num)
	if err != nil || !ok || now != o.section || l.kind != plain {
		return nil
	}
	ref := Ref{o.num, l.b}
	object, err := d.Current().Object(ref)
	if err != nil {
		return nil
	}
	dict := innermost(object, at)
	if dict == nil || !dict.Has("ByteRange") || !dict.Has("Contents") || d.usageRights(dict) {
		return nil
	}
	s := &Signature{Ref: ref, Dict: dict, Orphan: true, Revision: -1}
	s.SubFilter, _ = dict.Get("SubFilter").(Name)
	s.fault("orphan", "object %d is a signature, and no field of the form has it", o.num)
	return s
}

// usageRights tells whether a signature gives rights to a reader's software.
func (d *Document) usageRights(dict *Dict) bool {
	for _, t := range d.transforms(d.Current(), dict) {
		if t.method == "UR3" || t.method == "UR" {
			return true
		}
	}
	return false
}

// innermost gives the smallest dictionary around a byte of the file.
func innermost(o Object, at int) *Dict {
	switch o := o.(type) {
	case Array:
		for _, e := range o {
			if d := innermost(e, at); d != nil {
				return d
			}
		}
	case *Stream:
		return innermost(o.Dict, at)
	case *Dict:
		if at < o.At || at >= o.End {
			return nil
		}
		for _, e := range o.Entries {
			if d := innermost(e.Value, at); d != nil {
				return d
			}
		}
		return o
	}
	return nil
}

// order puts signatures in the order of the revisions that they cover, those without one last.
func order(all []*Signature) {
	rank := func(s *Signature) int {
		if s.Revision < 0 {
			return maxSections + 1
		}
		return s.Revision
	}
	slices.SortStableFunc(all, func(a, b *Signature) int { return cmp.Compare(rank(a), rank(b)) })
}
