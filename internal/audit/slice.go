package audit

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Slice is the part of a log that shows a period. It begins with the last line before the period that says that the
// actor runs, and ends with the first one after it, so that the hours at its edges are covered; and it
// goes on to the next places that a witness has stated, so that nothing at its edges can be changed.
type Slice struct {
	Period     Span
	Statements []string // all that are known

	first, last jitsuin.Position // of the lines that were written
}

var errEnough = errors.New("the slice is read")

// Write gives the lines of the slice, as feed.ReadLog does.
func (s *Slice) Write(tx *store.Tx, do func(line []byte) error) error {
	from, to, err := s.bounds(tx)
	if err != nil || from == (jitsuin.Position{}) {
		return err
	}
	before := jitsuin.Position{Epoch: from.Epoch, N: from.N - 1}
	s.first, s.last = jitsuin.Position{}, jitsuin.Position{}
	err = feed.ReadLog(tx, Topic, before, func(line []byte) error {
		at, _, _ := glance(line)
		if at.Compare(to) > 0 {
			return errEnough
		}
		if s.last = at; s.first == (jitsuin.Position{}) {
			s.first = at
		}
		return do(line)
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return err
}

// glance reads of a line what is needed to find a slice; nothing of it is checked.
func glance(line []byte) (at jitsuin.Position, recorded time.Time, act string) {
	var e struct {
		Epoch      uint32    `json:"epoch"`
		N          uint64    `json:"n"`
		RecordedAt time.Time `json:"recorded_at"`
		Body       struct {
			Act string `json:"act"`
		} `json:"body"`
	}
	_ = json.Unmarshal(line, &e) // a line that cannot be read is taken along, and found bad by who checks
	return jitsuin.Position{Epoch: e.Epoch, N: e.N}, e.RecordedAt, e.Body.Act
}

// bounds gives the first and the last line of the slice; none where the log is empty.
func (s *Slice) bounds(tx *store.Tx) (from, to jitsuin.Position, err error) {
	stated := map[jitsuin.Position]bool{}
	for _, compact := range s.Statements {
		if seen, ok := seenIn(compact); ok {
			stated[seen] = true
		}
	}
	var anchor, first, end jitsuin.Position // the line after the last stated one; the wanted first and last line
	none := jitsuin.Position{}
	done, after := false, true // after: the line before was a stated one, or there was none
	err = feed.ReadLog(tx, Topic, none, func(line []byte) error {
		at, recorded, act := glance(line)
		if after && !done {
			anchor = at
		}
		after = stated[at]
		word := Line{Act: act}.isPresence()
		if first == none || word && !recorded.After(s.Period.From) {
			first, from = at, anchor
		}
		if !done {
			end = at
		}
		if word && !recorded.Before(s.Period.To) {
			done = true
		}
		if to = at; done && stated[at] {
			return errEnough
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		err = nil
	case done:
		to = end // the witness has not come so far
	}
	return from, to, err
}

// seenIn reads from a statement, unchecked, which place it is about.
func seenIn(compact string) (jitsuin.Position, bool) {
	s, err := peekStatement(compact)
	return s.Seen.Position(), err == nil
}

// Within gives those statements that are about lines of the slice which was written, or the line before it, and all
// that were made between them.
func (s *Slice) Within(all []string, keys Keys) (within []string) {
	var low, high uint64
	numbers := map[string]uint64{}
	for _, compact := range all {
		st, err := ReadStatement(compact, keys)
		if err != nil {
			continue
		}
		numbers[compact] = st.Number
		at := st.Seen.Position()
		if s.first == (jitsuin.Position{}) || at.Compare(s.last) > 0 || at.Compare(jitsuin.Position{Epoch: s.first.Epoch, N: s.first.N - 1}) < 0 {
			continue
		}
		if low == 0 || st.Number < low {
			low = st.Number
		}
		high = max(high, st.Number)
	}
	for _, compact := range all {
		if n := numbers[compact]; low > 0 && n >= low && n <= high {
			within = append(within, compact)
		}
	}
	return within
}
