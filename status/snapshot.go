package status

import (
	"bytes"
	"iter"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

var endOfTime = time.Unix(math.MaxUint32, 0)

// List is what is dead at one instant, frozen, in the order of serial numbers, which tells nothing of
// the order of issue. It costs 24 octets an entry.
type List struct{ entries []listEntry }

type listEntry struct {
	serial cert.Serial
	at     uint32 // of its death
	reason uint8
}

// Len is the number of entries.
func (l *List) Len() int { return len(l.entries) }

// All runs over the entries for a revocation list, any number of times the same.
func (l *List) All() iter.Seq[cert.CRLEntry] {
	return func(yield func(cert.CRLEntry) bool) {
		for i := range l.entries {
			e := &l.entries[i]
			c := change{since: e.at, reason: e.reason}
			if !yield(cert.CRLEntry{Serial: e.serial[:], RevokedAt: c.diedAt(), Reason: c.why()}) {
				return
			}
		}
	}
}

// Snapshot lists the certificates of a municipality ("" for all) that are revoked or held as of an
// instant. Those that expired before dropBefore are left out: a list gives the time of the
// list before it, so that an entry appears on one list made after its expiry and on no later one
// (RFC 5280 §3.3). The zero time drops nothing. The set is locked a page at a time only.
func (s *Set) Snapshot(town jitsuin.MunicipalityCode, asOf, dropBefore time.Time) *List {
	l := &List{}
	s.mu.RLock()
	only, known := s.townNo[town]
	anywhere, some := s.townNo[""] // of certificates whose municipality is not known
	epochs := make(map[uint32][]*page, len(s.epochs))
	for epoch, pages := range s.epochs {
		epochs[epoch] = slices.Clone(*pages)
	}
	s.mu.RUnlock()
	if town != "" && !known && !some {
		return l
	}
	keep := func(pg *page, i uint16) bool {
		return (town == "" || known && pg.slots[i].town == only || some && pg.slots[i].town == anywhere) && (dropBefore.IsZero() || !expiry(pg.slots[i].notAfter).Before(dropBefore))
	}
	for epoch, pages := range epochs {
		for n, pg := range pages {
			if pg != nil {
				s.collect(l, pg, place{epoch, uint32(n) << pageBits}, clampUnix(asOf), keep)
			}
		}
	}
	slices.SortFunc(l.entries, func(a, b listEntry) int { return bytes.Compare(a.serial[:], b.serial[:]) })
	return l
}

// collect adds the dead of one page: under the lock what they are, after it their serial numbers.
func (s *Set) collect(l *List, pg *page, base place, asOf uint32, keep func(*page, uint16) bool) {
	var ordinals []uint32
	first := len(l.entries)
	s.mu.RLock()
	for w, word := range pg.touched {
		for ; word != 0; word &= word - 1 {
			i := uint16(w<<6 + bits.TrailingZeros64(word))
			at := place{base.epoch, base.ordinal | uint32(i)}
			c := s.standing(pg, at, i, asOf)
			if c.dead() && keep(pg, i) {
				ordinals = append(ordinals, at.ordinal)
				l.entries = append(l.entries, listEntry{at: c.since, reason: c.reason})
			}
		}
	}
	s.mu.RUnlock()
	for k, ordinal := range ordinals {
		l.entries[first+k].serial, _ = s.codec.Encode(base.epoch, uint64(ordinal)) // the epoch was decoded, so it encodes
	}
}
