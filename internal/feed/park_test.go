package feed

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

func (r *reader) parked() []ParkedEvent {
	r.t.Helper()
	var list []ParkedEvent
	err := r.db.View(context.Background(), func(tx *store.Tx) (err error) {
		list, err = Parked(tx, "town:91201", topic, 100)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// passedOn is the position that the reader gave its own readers.
func (r *reader) passedOn() int64 {
	r.t.Helper()
	return number(r.t, r.db, `SELECT n FROM passed_on`)
}

// One event that cannot be applied holds up its subject, and nobody else.
func TestFailingEventIsParked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
		r := newReader(t, openDB(t, url), s)
		s.must("good", "1", "bad", "1", "good", "2", "bad", "2", "other", "1")
		r.fail["bad"] = jitsuin.Errorf(jitsuin.Invalid, "not-a-state", "this cannot be")
		r.mustPoll()
		wantState(t, r, "good", "2", "other", "1")
		p := r.parked()
		if len(p) != 2 || p[0].N != 2 || p[0].Code != "not-a-state" || p[0].Tries != 1 ||
			p[1].N != 4 || p[1].Code != "feed-parked-behind" || p[1].Tries != 0 || string(p[1].Body) != `{"value":"2"}` {
			t.Errorf("parked %+v", p)
		}
		h := r.f.Health()
		if h.Cursor.N != 5 || h.Applied.N != 1 || h.Parked != 2 || h.ParkedTotal != 2 || h.Err() == nil {
			t.Errorf("health %+v", h)
		}
		if n := r.passedOn(); n != 1 {
			t.Errorf("passed on %d: parked is not applied", n)
		}

		s.must("bad", "3") // waits behind the others; they are tried again, and fail again
		r.mustPoll()
		wantState(t, r, "good", "2", "other", "1")
		if p := r.parked(); len(p) != 3 || p[0].Tries != 2 {
			t.Errorf("parked %+v", p)
		}

		delete(r.fail, "bad")
		if n, err := r.f.RetryParked(t.Context()); n != 3 || err != nil {
			t.Fatalf("retried %d: %v", n, err)
		}
		wantState(t, r, "good", "2", "other", "1", "bad", "3")
		r.mustPoll()
		if h := r.f.Health(); h.Err() != nil || h.Applied.N != 6 || r.passedOn() != 6 {
			t.Errorf("health %+v, passed on %d", h, r.passedOn())
		}
		if n := number(t, r.db, `SELECT COUNT(*) FROM effects WHERE times = 1`); n != 6 {
			t.Errorf("%d of 6 events had their effect once", n)
		}
	})
}

func TestParkedEventsAreRetriedByThemselves(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	s.must("bad", "1")
	r.fail["bad"] = errors.New("a defect")
	r.mustPoll()
	delete(r.fail, "bad")
	r.mustPoll() // no new event, not yet time
	wantState(t, r)
	r.now = r.now.Add(time.Minute)
	r.mustPoll()
	wantState(t, r, "bad", "1")

	s.must("bad", "2")
	r.fail["bad"] = errors.New("a defect")
	r.mustPoll()
	delete(r.fail, "bad")
	s.must("other", "1") // a new event brings the parked ones along
	r.mustPoll()
	wantState(t, r, "bad", "2", "other", "1")
}

// What may pass by itself holds the feed up and parks nothing.
func TestTransientErrorHoldsTheFeedUp(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	s.must("a", "1", "b", "1")
	r.fail["b"] = jitsuin.Errorf(jitsuin.Unavailable, "elsewhere", "something does not answer")
	for range 2 {
		if err := r.poll(); jitsuin.CodeOf(err) != "elsewhere" {
			t.Errorf("got %v", err)
		}
	}
	wantState(t, r)
	if h := r.f.Health(); h.Cursor.N != 0 || h.Parked != 0 || h.Trouble == nil || h.Alarm != nil {
		t.Errorf("health %+v", h)
	}
	delete(r.fail, "b")
	r.mustPoll()
	wantState(t, r, "a", "1", "b", "1")
	if r.f.Health().Err() != nil {
		t.Error(r.f.Health().Err())
	}
}

// An error's text is kept for people, but not without end.
func TestParkedMessageIsLimited(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	s.must("bad", "1")
	r.fail["bad"] = errors.New(strings.Repeat("実", 10000))
	r.mustPoll()
	if p := r.parked(); len(p) != 1 || len(p[0].Message) > maxMessage || !strings.HasPrefix(p[0].Message, "実") {
		t.Errorf("parked %d, %d bytes", len(p), len(p[0].Message))
	}
}

// rewind sets the cursor back to the start, as somebody who wants everything read again may.
func (r *reader) rewind() {
	r.t.Helper()
	err := r.db.Update(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM feed_cursors`)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// Reading everything again applies nothing twice and parks nothing that was applied.
func TestReadAgainWithParkedEvents(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	s.must("bad", "1", "good", "1")
	r.mustPoll()
	r.fail["bad"] = errors.New("a defect")
	s.must("bad", "2", "bad", "3")
	r.mustPoll()
	r.rewind()
	r.mustPoll()
	if p, h := r.parked(), r.f.Health(); len(p) != 2 || p[0].N != 3 || h.Applied.N != 2 || h.ParkedTotal != 2 {
		t.Errorf("parked %+v, health %+v", p, h)
	}
	delete(r.fail, "bad")
	r.rewind()
	r.mustPoll()
	wantState(t, r, "bad", "3", "good", "1")
	if n := number(t, r.db, `SELECT COUNT(*) FROM effects WHERE times = 1`); n != 4 {
		t.Errorf("%d of 4 events had their effect once", n)
	}
}

// A state that cannot be applied in a snapshot is parked too, and what was parked before it in an
// earlier epoch no longer counts.
func TestParkedInASnapshot(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	r.fail["bad"] = errors.New("a defect")
	s.must("bad", "1", "bad", "2", "good", "1", "mended", "1")
	r.mustPoll()
	if _, err := s.seq.NewEpoch(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	s.must("bad", "3")
	r.mustPoll()
	if p := r.parked(); len(p) != 1 || p[0].Version != 3 {
		t.Errorf("parked %+v", p)
	}
	s.must("bad", "4")
	r.mustPoll()
	wantState(t, r, "good", "1", "mended", "1")
	if h := r.f.Health(); h.Parked != 2 || h.Applied != (jitsuin.Position{Epoch: 2}) {
		t.Errorf("health %+v", h)
	}
	delete(r.fail, "bad")
	if _, err := r.f.RetryParked(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantState(t, r, "good", "1", "mended", "1", "bad", "4")
}
