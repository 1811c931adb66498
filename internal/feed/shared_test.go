package feed

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

// Two processes with one PostgreSQL database append and number at the same time; readers ask
// either. There is no gap, each subject keeps its order, and nobody is told a wrong alarm.
func TestTwoProcessesOneDatabase(t *testing.T) {
	pg, ok := storetest.Postgres(t)
	if !ok {
		t.Skip("NO POSTGRESQL")
	}
	const writers, each = 4, 60
	url := pg.Fresh(t)
	processes := []*sender{newSender(t, openDB(t, url), fileMarks(t)), newSender(t, openDB(t, url), fileMarks(t))}
	ctx, stop := context.WithCancel(t.Context())
	var running, writing sync.WaitGroup
	for _, p := range processes {
		running.Go(func() {
			if err := p.seq.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	turns := &alternating{processes: processes}
	r := newReader(t, openDB(t, "sqlite::memory:"), turns)
	r.f.cfg.Wait = 50 * time.Millisecond
	running.Go(func() {
		if err := r.f.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				// Two writers share each subject, so that appends conflict.
				if err := processes[w%2].append(fmt.Sprintf("s%d", w/2), fmt.Sprintf("%d-%d", w, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	for deadline := time.Now().Add(time.Minute); r.f.Health().Cursor.N < writers*each; {
		if time.Now().After(deadline) {
			t.Fatalf("the reader stands at %+v", r.f.Health())
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	running.Wait()
	if n := number(t, r.db, `SELECT COUNT(*) FROM effects WHERE times = 1`); n != writers*each {
		t.Errorf("%d events had their effect once, want %d", n, writers*each)
	}
	db := processes[0].db
	if n := number(t, db, `SELECT MAX(n) FROM feed_events`); n != writers*each {
		t.Errorf("the last number is %d, want %d", n, writers*each)
	}
	if n := number(t, db, `SELECT COUNT(*) FROM feed_events a JOIN feed_events b
		ON a.subject = b.subject AND a.version < b.version AND a.n > b.n`); n != 0 {
		t.Errorf("%d pairs of events of one subject are out of order", n)
	}
	want := readMap(t, db, `SELECT e.subject, e.body FROM feed_events e JOIN feed_latest l ON e.n = l.n`)
	for subject, value := range r.state() {
		if want[subject] != `{"value":"`+value+`"}` {
			t.Errorf("%s is %s, want %s", subject, value, want[subject])
		}
	}
}

// alternating asks one process after the other, as behind a load balancer.
type alternating struct {
	processes []*sender
	n         int
}

// RoundTrip asks the process whose turn it is.
func (a *alternating) RoundTrip(r *http.Request) (*http.Response, error) {
	a.n++
	return a.processes[a.n%len(a.processes)].RoundTrip(r)
}

// On a database that hands out insertion ids in blocks an event may stand before its predecessor;
// it waits for it, even in another batch.
func TestIdsOutOfOrder(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	for i, v := range []int{3, 1, 2} {
		err := s.db.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO feed_outbox (id, topic, subject, version, type, recorded_at, origin, body)
				VALUES ($1, $2, 'a', $3, 'set', 1, '', $4)`, i+1, topic, v, fmt.Sprintf(`{"value":"%d"}`, v))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.seq.cfg.Batch = 2
	for range 2 {
		if _, err := s.seq.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	r.mustPoll()
	wantState(t, r, "a", "3")
}
