package feed

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, in, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A sender's database file is replaced by a backup. Nothing is numbered or served until a new
// epoch is started; then readers become what the sender is, without a gap in anyone's knowledge.
func TestRolledBackDatabase(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "s.db"), filepath.Join(dir, "backup.db")
	marks := fileMarks(t)
	db := openDB(t, path)
	s := newSender(t, db, marks)
	r := newReader(t, openDB(t, storetest.SQLite().Fresh(t)), s)
	s.must("kept", "1", "changed", "1")
	if err := s.append("unnumbered", "1"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil { // a clean backup
		t.Fatal(err)
	}
	copyFile(t, path, backup)
	s.db = openDB(t, path)
	s.restart()
	s.must("changed", "2", "lost", "1")
	r.mustPoll()
	wantState(t, r, "kept", "1", "changed", "2", "lost", "1", "unnumbered", "1")

	s.db.Close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		os.Remove(path + suffix)
	}
	copyFile(t, backup, path)
	s.db = openDB(t, path)
	s.restart()
	refused := func() {
		t.Helper()
		if err := s.seq.Health(); jitsuin.CodeOf(err) != CodeRolledBack {
			t.Errorf("health %v", err)
		}
		if n, err := s.seq.Step(t.Context()); n != 0 || jitsuin.CodeOf(err) != CodeRolledBack {
			t.Errorf("numbered %d: %v", n, err)
		}
		for _, what := range []string{"", "/head", "/snapshot", "?after=1.1"} {
			if resp := get(t, s, "/feeds/changes"+what); resp.StatusCode != 503 || resp.Header.Get("Feed-Error") != CodeRolledBack {
				t.Errorf("%s: %d %s", what, resp.StatusCode, resp.Header.Get("Feed-Error"))
			}
		}
		if err := r.poll(); jitsuin.KindOf(err) != jitsuin.Unavailable || r.f.Health().Trouble == nil {
			t.Errorf("the reader: %v", err)
		}
	}
	refused()
	if err := s.append("new", "1"); err != nil { // business goes on
		t.Fatal(err)
	}
	refused()
	s.restart()
	refused()

	epoch, err := s.seq.NewEpoch(t.Context(), 0)
	if err != nil || epoch != 2 {
		t.Fatal(epoch, err)
	}
	s.must("changed", "3")
	r.mustPoll() // the snapshot
	r.mustPoll()
	wantState(t, r, "kept", "1", "changed", "3", "unnumbered", "1", "new", "1")
	if at := r.f.Health().Cursor; at != (jitsuin.Position{Epoch: 2, N: 3}) {
		t.Errorf("the cursor is %s", at)
	}
	late := newReader(t, openDB(t, "sqlite::memory:"), s) // one that starts only now ends in the same state
	late.mustPoll()
	late.mustPoll()
	wantState(t, late, "kept", "1", "changed", "3", "unnumbered", "1", "new", "1")
}

// The high-water file is gone with the machine, but a reader knows better.
func TestReaderAheadStopsTheSender(t *testing.T) {
	old := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	s := newSender(t, openDB(t, "sqlite::memory:"), fileMarks(t))
	r := newReader(t, openDB(t, "sqlite::memory:"), old)
	old.must("a", "1", "a", "2", "a", "3")
	r.mustPoll()
	s.must("a", "1")
	s.srv.cfg.DistrustCursors = true
	r.f.cfg.HTTP.Transport = s
	wantAlarm(t, r.poll(), CodeBehind)
	if s.seq.Health() != nil {
		t.Error("a distrusted reader stopped the sender")
	}
	s.srv.cfg.DistrustCursors = false
	if resp := get(t, s, "/feeds/changes?after=4000000000.1"); resp.StatusCode != 409 || s.seq.Health() != nil {
		t.Errorf("an absurd cursor was believed: %d", resp.StatusCode)
	}
	wantAlarm(t, r.poll(), CodeBehind)
	for range 2 {
		if n, err := s.seq.Step(t.Context()); n != 0 || jitsuin.CodeOf(err) != CodeRolledBack {
			t.Errorf("numbered %d: %v", n, err)
		}
		s.restart() // it does not forget
	}
	if _, err := s.seq.NewEpoch(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	r.mustPoll()
	wantState(t, r, "a", "1")
}

// The backup was restored and numbered on without the file: the same number is another event.
func TestOtherHistoryUnderTheSameNumbers(t *testing.T) {
	marks := newMarks()
	s := newSender(t, openDB(t, "sqlite::memory:"), marks)
	s.must("a", "1", "b", "1")
	for _, more := range []string{"", "c"} { // as many events as were given out, and more
		other := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
		other.must("a", "1", "b", "other")
		if more != "" {
			other.must(more, "1")
		}
		other.marks = marks
		other.restart()
		if err := other.seq.Health(); jitsuin.CodeOf(err) != CodeRolledBack {
			t.Errorf("with %q: %v", more, err)
		}
	}
}

func TestNewEpochIsAboveAllThatIsKnown(t *testing.T) {
	marks := newMarks()
	marks.marks["elsewhere"] = Mark{Position: jitsuin.Position{Epoch: 7, N: 3}}
	s := newSender(t, openDB(t, "sqlite::memory:"), marks)
	for _, c := range []struct{ atLeast, want uint32 }{{0, 8}, {3, 9}, {20, 20}} {
		if got, err := s.seq.NewEpoch(t.Context(), c.atLeast); got != c.want || err != nil {
			t.Errorf("at least %d: %d, %v", c.atLeast, got, err)
		}
	}
	s.must("a", "1")
	if h, err := s.seq.Head(t.Context(), topic); err != nil || h.Position != (jitsuin.Position{Epoch: 20, N: 1}) {
		t.Errorf("%v %v", h, err)
	}
}

// Two processes share the database; one of them starts the new epoch and the other goes on.
func TestNewEpochElsewhere(t *testing.T) {
	marks := newMarks()
	s := newSender(t, openDB(t, "sqlite::memory:"), marks)
	s.must("a", "1")
	marks.marks[topic] = Mark{Position: jitsuin.Position{Epoch: 1, N: 9}}
	s.restart()
	if s.seq.Health() == nil {
		t.Fatal("a file ahead was accepted")
	}
	command := newSender(t, s.db, newMarks())
	if _, err := command.seq.NewEpoch(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.seq.Refresh(t.Context()); err != nil || s.seq.Health() != nil {
		t.Errorf("it does not go on: %v", err)
	}
	s.must("b", "1")
}

// What the reader cannot forget stops it; nothing is half done.
func TestForgetFails(t *testing.T) {
	old := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	r := newReader(t, openDB(t, "sqlite::memory:"), old)
	old.must("a", "1", "lost", "1")
	r.mustPoll()
	s.must("a", "1")
	if _, err := s.seq.NewEpoch(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	r.f.cfg.HTTP.Transport = s
	forget := r.f.cfg.Forget
	r.f.cfg.Forget = func(_ context.Context, _ *store.Tx, subject string) error {
		if subject != "lost" {
			t.Errorf("forgets %s", subject)
		}
		return errors.New("it has grown on me")
	}
	wantAlarm(t, r.poll(), CodeForget)
	wantState(t, r, "a", "1", "lost", "1")
	r.f.cfg.Forget = forget
	r.mustPoll()
	wantState(t, r, "a", "1")
}

// A standby that lacks the last events takes over while the sender runs: the next numbering, and
// the next answer, find out.
func TestRolledBackWhileRunning(t *testing.T) {
	for name, find := range map[string]func(*sender) error{
		"numbering": func(s *sender) error { _, err := s.seq.Step(t.Context()); return err },
		"looking":   func(s *sender) error { return s.seq.Refresh(t.Context()) },
	} {
		s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
		s.must("a", "1")
		head, err := s.seq.Head(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		s.must("a", "2")
		err = s.db.Update(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(`DELETE FROM feed_events WHERE n = 2`); err != nil {
				return err
			}
			return writeHead(tx, topic, head)
		})
		if err != nil {
			t.Fatal(err)
		}
		if resp := get(t, s, "/feeds/changes?after=1.1"); resp.Header.Get("Feed-Error") != CodeRolledBack {
			t.Errorf("%s: served %d", name, resp.StatusCode)
		}
		if err := s.append("b", "1"); err != nil {
			t.Fatal(err)
		}
		if err := find(s); jitsuin.CodeOf(err) != CodeRolledBack {
			t.Errorf("%s: %v", name, err)
		}
		if n := number(t, s.db, `SELECT COUNT(*) FROM feed_events`); n != 1 || s.seq.Health() == nil {
			t.Errorf("%s: %d events are numbered", name, n)
		}
	}
}

// A fresh reader takes a part of a snapshot and fails; then the sender loses the whole topic. What the reader
// has of it is forgotten, although its cursor still stands before the first event.
func TestAPartOfALostSnapshotIsForgotten(t *testing.T) {
	marks := newMarks()
	s := newSender(t, openDB(t, "sqlite::memory:"), marks)
	if _, err := s.seq.NewEpoch(t.Context(), 0); err != nil { // so that a fresh reader begins with the snapshot
		t.Fatal(err)
	}
	s.must("a", "1", "b", "1")
	if _, err := s.seq.NewEpoch(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	r.f.cfg.Batch = 1
	r.fail["b"] = jitsuin.Errorf(jitsuin.Unavailable, "not-now", "later")
	if err := r.poll(); err == nil {
		t.Fatal("the whole snapshot was taken")
	}
	wantState(t, r, "a", "1")

	lost := newSender(t, openDB(t, "sqlite::memory:"), marks)
	if _, err := lost.seq.NewEpoch(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	r.f.cfg.HTTP.Transport = lost
	clear(r.fail)
	r.mustPoll()
	r.mustPoll()
	wantState(t, r)
}

// noPast is a sender that does not know the parameter.
type noPast struct{ *sender }

func (s noPast) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	q.Del("past")
	r = r.Clone(r.Context())
	r.URL.RawQuery = q.Encode()
	return s.sender.RoundTrip(r)
}

// Somebody who watches over the chain and was behind when new epochs began reads what the sender still has of the earlier ones, as far
// as it continues what was read.
func TestWhatIsLeftOfEarlierEpochsContinuesTheChain(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	tail, err := NewTail(source(s))
	if err != nil {
		t.Fatal(err)
	}
	s.must("a", "1", "b", "1", "a", "2")
	first, err := tail.Next(t.Context(), Mark{}, 0)
	if err != nil || len(first) != 3 {
		t.Fatal(first, err)
	}
	for range 2 {
		if _, err := s.seq.NewEpoch(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		s.must("b", "2")
	}
	if _, err := tail.Next(t.Context(), Mark{first[0].Position(), first[0].Hash}, 0); !IsNewEpoch(err) {
		t.Errorf("of an earlier epoch, without asking for the past: %v", err)
	}
	for name, k := range map[string]struct {
		after Mark
		want  []string
	}{
		"the first of three": {Mark{first[0].Position(), first[0].Hash}, []string{"1.2", "1.3", "2.1"}},
		"the last":           {Mark{first[2].Position(), first[2].Hash}, []string{"2.1"}},
		"the beginning":      {Mark{}, []string{"1.1", "1.2", "1.3", "2.1"}},
		"one that is lost":   {Mark{jitsuin.Position{Epoch: 1, N: 9}, Hash{9}}, nil},
		"another line there": {Mark{first[1].Position(), Hash{9}}, nil},
	} {
		got, err := tail.Past(t.Context(), k.after, 3)
		var at []string
		for _, e := range got {
			at = append(at, e.Position().String())
		}
		if err != nil || !slices.Equal(at, k.want) {
			t.Errorf("after %s: %v, not %v; %v", name, at, k.want, err)
		}
	}
	// A line that was changed since ends it, without an error: what comes after it is as good as lost.
	if err := s.db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE feed_events SET subject = 'z' WHERE epoch = 1 AND n = 3`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got, err := tail.Past(t.Context(), Mark{first[0].Position(), first[0].Hash}, 3); err != nil || len(got) != 1 || got[0].N != 2 {
		t.Errorf("before a changed line: %+v, %v", got, err)
	}
	// A sender that knows of no past answers as to any cursor of an earlier epoch.
	old, err := NewTail(source(noPast{s}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := old.Past(t.Context(), Mark{first[0].Position(), first[0].Hash}, 3); err != nil || len(got) != 0 {
		t.Errorf("of a sender that knows of no past: %+v, %v", got, err)
	}
	// What was numbered and not given out is not given out here either.
	if err := s.append("c", "1"); err != nil {
		t.Fatal(err)
	}
	other, err := NewSequencer(t.Context(), SequencerConfig{DB: s.db, HighWater: newMarks(), Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if resp := get(t, s, "/feeds/changes?after=3.0&past=true"); resp.StatusCode != 200 || strings.Count(body(t, resp), "\n") != 1 {
		t.Errorf("beyond the head: %d", resp.StatusCode)
	}
	if resp := get(t, s, "/feeds/changes?past=true&limit=0"); resp.StatusCode != 400 {
		t.Errorf("a limit of 0: %d", resp.StatusCode)
	}
}
