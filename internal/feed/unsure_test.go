package feed

import (
	"testing"

	"github.com/jitsuin/jitsuin/internal/store"
)

// A numbering that failed may have been done all the same. The process that goes on finds that out
// at its next step and gives the events out; it does not wait for a later event of the topic.
func TestANumberingOfWhichNobodyKnowsIsGivenOut(t *testing.T) {
	for name, fault := range map[string]store.Fault{"lost": store.CommitLost, "persisted": store.CommitPersisted} {
		for _, where := range []string{"the database", "the high-water file"} {
			next, marks := store.NoFault, newMarks()
			s := newSender(t, openDB(t, "sqlite::memory:", store.WithFaults(func() store.Fault { return next })), marks)
			if err := s.append("a", "1"); err != nil {
				t.Fatal(err)
			}
			if where == "the database" {
				next = fault
			} else {
				marks.fault = fault
			}
			if _, err := s.seq.Step(t.Context()); err == nil {
				t.Fatalf("%s, %s: no error", where, name)
			}
			next = store.NoFault
			if _, err := s.seq.Step(t.Context()); err != nil {
				t.Fatalf("%s, %s: %v", where, name, err)
			}
			if head, err := s.seq.Head(t.Context(), topic); err != nil || head.N != 1 {
				t.Errorf("%s, %s: the head is %s, %v", where, name, head.Position, err)
			}
		}
	}
}
