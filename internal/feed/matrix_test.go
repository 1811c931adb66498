package feed

import (
	"fmt"
	"testing"

	"github.com/jitsuin/jitsuin/internal/store"
)

// faultAt lets the n-th commit (from 1) go wrong.
func faultAt(n int, fault store.Fault) (next func() store.Fault, commits *int) {
	commits = new(int)
	return func() store.Fault {
		*commits++
		if *commits == n {
			return fault
		}
		return store.NoFault
	}, commits
}

var faults = map[string]store.Fault{"lost": store.CommitLost, "persisted": store.CommitPersisted}

// The fault matrix: one story is told again and again, each time with another commit or write of
// the high-water file failing, either without effect or with it, and the process dying of it. The
// story always ends the same way, because the next start repairs what was left.
func TestFaultMatrix(t *testing.T) {
	_, sends, raises, reads := tellStory(t, fault{})
	t.Logf("the story has %d commits of the sender, %d high-water writes, %d commits of the reader", sends, raises, reads)
	if sends < 8 || raises < 4 || reads < 8 {
		t.Fatal("the story is too short to prove anything")
	}
	for name, kind := range faults {
		for n := 1; n <= sends; n++ {
			t.Run(fmt.Sprintf("sender commit %d %s", n, name), func(t *testing.T) {
				if crashes, _, _, _ := tellStory(t, fault{sender: n, kind: kind}); crashes != 1 {
					t.Errorf("%d crashes", crashes)
				}
			})
		}
		for n := 1; n <= raises; n++ {
			t.Run(fmt.Sprintf("high-water write %d %s", n, name), func(t *testing.T) {
				if crashes, _, _, _ := tellStory(t, fault{raise: n, kind: kind}); crashes != 1 {
					t.Errorf("%d crashes", crashes)
				}
			})
		}
		for n := 1; n <= reads; n++ {
			t.Run(fmt.Sprintf("reader commit %d %s", n, name), func(t *testing.T) {
				if crashes, _, _, _ := tellStory(t, fault{reader: n, kind: kind}); crashes != 1 {
					t.Errorf("%d crashes", crashes)
				}
			})
		}
	}
}

type fault struct {
	sender, raise, reader int
	kind                  store.Fault
}

// countedMarks fails at the n-th write.
type countedMarks struct {
	*memoryMarks
	n      int
	kind   store.Fault
	writes int
}

func (m *countedMarks) Raise(marks map[string]Mark) error {
	m.writes++
	if m.writes == m.n {
		m.fault = m.kind
	}
	return m.memoryMarks.Raise(marks)
}

// tellStory appends, numbers, applies, parks, retries, starts a new epoch and resynchronises; any
// failure is a crash, after which everything starts again where it stood.
func tellStory(t *testing.T, at fault) (crashes, sends, raises, reads int) {
	sendFault, sendCommits := faultAt(at.sender, at.kind)
	readFault, readCommits := faultAt(at.reader, at.kind)
	marks := &countedMarks{memoryMarks: newMarks(), n: at.raise, kind: at.kind}
	s := newSender(t, openDB(t, "sqlite::memory:", store.WithFaults(sendFault)), marks)
	r := newReader(t, openDB(t, "sqlite::memory:", store.WithFaults(readFault)), s)

	until := func(what string, do func() error) {
		t.Helper()
		for try := 0; ; try++ {
			err := do()
			if err == nil {
				return
			}
			if crashes++; try > 2 {
				t.Fatalf("%s does not recover: %v", what, err)
			}
			s.restart()
			r = newReader(t, r.db, s).keep(r)
		}
	}
	appendOnce := func(subject, value string) {
		t.Helper()
		until("append", func() error {
			// After an unknown result the act is asked for, as a caller with a request id would.
			if number(t, s.db, `SELECT COUNT(*) FROM feed_outbox WHERE subject = $1 AND body = $2`, subject, `{"value":"`+value+`"}`) > 0 {
				return nil
			}
			return s.append(subject, value)
		})
	}
	step := func() { t.Helper(); until("sequence", func() error { _, err := s.seq.Step(t.Context()); return err }) }
	poll := func() { t.Helper(); until("read", r.pollSelf(&r)) }

	appendOnce("a", "1")
	appendOnce("bad", "1")
	step()
	appendOnce("a", "2")
	appendOnce("b", "1")
	step()
	r.fail["bad"] = fmt.Errorf("a defect")
	poll()
	delete(r.fail, "bad")
	until("retry", func() error { _, err := r.f.RetryParked(t.Context()); return err })
	epochs := number(t, s.db, `SELECT epoch FROM feed_epoch`)
	until("new epoch", func() error {
		if number(t, s.db, `SELECT epoch FROM feed_epoch`) > epochs {
			return nil
		}
		_, err := s.seq.NewEpoch(t.Context(), 0)
		return err
	})
	poll()
	appendOnce("b", "2")
	appendOnce("c", "1")
	step()
	poll()
	poll()

	wantState(t, r, "a", "2", "bad", "1", "b", "2", "c", "1")
	if once, all := number(t, r.db, `SELECT COUNT(*) FROM effects WHERE times = 1`), number(t, r.db, `SELECT COUNT(*) FROM effects`); once != 6 || all != 6 {
		t.Errorf("%d events had an effect, %d of them once, want 6", all, once)
	}
	if n := number(t, r.db, `SELECT COUNT(*) FROM feed_parked`); n != 0 {
		t.Errorf("%d events are still parked", n)
	}
	head, err := s.seq.Head(t.Context(), topic)
	if err != nil || marks.marks[topic] != head.mark() {
		t.Errorf("the high-water file says %v, the head is %v, %v", marks.marks[topic], head, err)
	}
	return crashes, *sendCommits, marks.writes, *readCommits
}

// keep lets a restarted reader fail as the one before.
func (r *reader) keep(old *reader) *reader {
	for subject, err := range old.fail {
		r.fail[subject] = err
	}
	return r
}

// pollSelf polls whichever reader is the present one.
func (r *reader) pollSelf(present **reader) func() error {
	return func() error { return (*present).poll() }
}
