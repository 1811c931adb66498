package cms

import (
	"cmp"
	"crypto"
	"slices"
)

// indexed names what an index has of an attribute: the hash, and the version, which says of what.
type indexed struct {
	hash    crypto.Hash
	version int
}

// sound tells whether st is an archive time-stamp that covers what it says.
func (st *Stamp) sound() bool { return st.index != nil && st.Fault == "" }

// covers tells whether the sound archive time-stamp st covers other.
func (st *Stamp) covers(other *Stamp) bool {
	if other.Kind == StampContent {
		return true // it is signed, and the signed attributes are covered
	}
	as := indexed{st.index.hash, st.index.version}
	what, digests := other.typed, other.ofTyped
	if as.version == 1 {
		what, digests = other.attribute, other.ofWhole
	}
	if digests[as] == "" {
		digests[as] = string(sum(as.hash, what))
	}
	return st.index.unsigned[digests[as]]
}

// seal sorts time-stamps as Stamps describes and finds which are sealed. Who is sealed relies on no
// order: what is not covered by all that come behind it is not.
func seal(all []Stamp) {
	for i := range all {
		for j := range all {
			if i != j && all[i].sound() && all[j].sound() && all[i].covers(&all[j]) {
				all[i].above++
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Stamp) int {
		return cmp.Or(cmp.Compare(a.Kind.rank(), b.Kind.rank()), cmp.Compare(a.above, b.above))
	})
	for i := range all {
		behind := all[i+1:]
		all[i].Sealed = !slices.ContainsFunc(behind, func(a Stamp) bool { return a.sound() && !a.covers(&all[i]) })
	}
}

// rank is the order in which time-stamps of different kinds can have been made.
func (k StampKind) rank() int {
	return slices.Index([]StampKind{StampContent, StampSignature, StampReferences, StampArchiveOld, StampArchive}, k)
}
