package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

// Two handles, as two processes have, count the same row up: no increment is lost, and hooks run
// once per commit although closures run more often.
func TestConcurrentCounters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		handles := []*store.DB{open(t, url), open(t, url)}
		update(t, handles[0], `INSERT INTO counters (name, n) VALUES ($1, 0)`, "c")
		const each = 25
		var hooks, runs atomic.Int64
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for range each {
					err := handles[w%2].Update(t.Context(), func(tx *store.Tx) error {
						runs.Add(1)
						tx.AfterCommit(func() { hooks.Add(1) })
						var n int
						if err := tx.QueryRow(`SELECT n FROM counters WHERE name = $1`, "c").Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(`UPDATE counters SET n = $1 WHERE name = $2`, n+1, "c")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := count(t, handles[1], `SELECT n FROM counters WHERE name = $1`, "c"); n != 4*each || hooks.Load() != 4*each {
			t.Errorf("counted %d, hooks %d, want %d", n, hooks.Load(), 4*each)
		}
		t.Logf("%d closures for %d commits", runs.Load(), 4*each)
	})
}

// A closure that hides the conflict from its caller is rerun all the same.
func TestConflictCannotBeSwallowed(t *testing.T) {
	pg, ok := storetest.Postgres(t)
	if !ok {
		t.Skip("NO POSTGRESQL")
	}
	url := pg.Fresh(t)
	a, b := open(t, url), open(t, url)
	update(t, a, `INSERT INTO counters (name, n) VALUES ($1, 0)`, "c")
	for _, hide := range []string{"another error", "no error"} {
		runs := 0
		err := a.Update(t.Context(), func(tx *store.Tx) error {
			runs++
			n := 0
			if err := tx.QueryRow(`SELECT n FROM counters WHERE name = $1`, "c").Scan(&n); err != nil {
				return err
			}
			if runs == 1 {
				update(t, b, `UPDATE counters SET n = n + 10 WHERE name = $1`, "c")
			}
			_, err := tx.Exec(`UPDATE counters SET n = $1 WHERE name = $2`, n+1, "c")
			if err != nil && hide == "another error" {
				return fmt.Errorf("hidden: %s", err)
			}
			return nil
		})
		if err != nil || runs != 2 {
			t.Errorf("%s: ran %d times: %v", hide, runs, err)
		}
	}
	if n := count(t, a, `SELECT n FROM counters WHERE name = $1`, "c"); n != 22 {
		t.Errorf("n = %d, want 22", n)
	}
}

// Two transactions that each read what the other writes (write skew) cannot both commit.
func TestWriteSkew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		var start, done sync.WaitGroup
		start.Add(2)
		for _, name := range []string{"left", "right"} {
			done.Go(func() {
				once := sync.OnceFunc(start.Done)
				err := db.Update(t.Context(), func(tx *store.Tx) error {
					var others int
					if err := tx.QueryRow(`SELECT COUNT(*) FROM counters`).Scan(&others); err != nil {
						return err
					}
					once()
					if db.Shared() {
						start.Wait() // both have read before either writes
					}
					if others > 0 {
						return nil
					}
					_, err := tx.Exec(`INSERT INTO counters (name, n) VALUES ($1, 1)`, name)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if n := count(t, db, `SELECT COUNT(*) FROM counters`); n != 1 {
			t.Errorf("%d of two exclusive rows exist", n)
		}
	})
}

// The fault matrix in small: each way a commit can go wrong is reported as unknown, hooks do not
// run, what is in the database is what the fault says, and who watches is told to look: otherwise
// what was committed without an answer would lie there until the next commit.
func TestFaults(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		fault := store.NoFault
		db := open(t, url, store.WithFaults(func() store.Fault { return fault }))
		signals, stop := db.Watch("things")
		defer stop()
		for _, c := range []struct {
			name  string
			fault store.Fault
			rows  int
			hook  bool
		}{{"committed", store.NoFault, 1, true}, {"lost", store.CommitLost, 0, false}, {"persisted", store.CommitPersisted, 1, false}} {
			fault = c.fault
			hook := false
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				tx.AfterCommit(func() { hook = true })
				tx.Notify("things")
				_, err := tx.Exec(`INSERT INTO things (name) VALUES ($1)`, c.name)
				return err
			})
			if (err != nil) != (c.fault != store.NoFault) {
				t.Fatalf("%s: %v", c.name, err)
			}
			if err != nil && (jitsuin.KindOf(err) != jitsuin.Unavailable || jitsuin.CodeOf(err) != store.CodeUnknown) {
				t.Errorf("%s: kind %v, code %q", c.name, jitsuin.KindOf(err), jitsuin.CodeOf(err))
			}
			if hook != c.hook || len(signals) != 1 {
				t.Errorf("%s: hook %v, %d signals", c.name, hook, len(signals))
			}
			for len(signals) > 0 {
				<-signals
			}
			if n := count(t, db, `SELECT COUNT(*) FROM things WHERE name = $1`, c.name); n != c.rows {
				t.Errorf("%s: %d rows", c.name, n)
			}
		}
	})
}

func TestWatch(t *testing.T) {
	db := open(t, "sqlite::memory:")
	a, stopA := db.Watch("x")
	b, stopB := db.Watch("x")
	other, stopOther := db.Watch("y")
	defer stopA()
	defer stopOther()
	notify := func() {
		if err := db.Update(t.Context(), func(tx *store.Tx) error { tx.Notify("x"); tx.Notify("x"); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	notify()
	notify()
	if len(a) != 1 || len(b) != 1 || len(other) != 0 {
		t.Errorf("signals %d %d %d, want 1 1 0", len(a), len(b), len(other))
	}
	<-b
	stopB()
	notify()
	if len(b) != 0 {
		t.Error("a signal came after stop")
	}
}

// A server that goes away is Unavailable, whether or not the closure's own error says so.
func TestServerGone(t *testing.T) {
	pg, ok := storetest.Postgres(t)
	if !ok {
		t.Skip("NO POSTGRESQL")
	}
	db := open(t, pg.Fresh(t))
	killOthers := func(tx *store.Tx) error {
		_, err := tx.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		return err
	}
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		if err := db.View(t.Context(), func(other *store.Tx) error { return killOthers(other) }); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO things (name) VALUES ($1)`, "a")
		if err == nil {
			return errors.New("the statement went through a dead connection")
		}
		return fmt.Errorf("insert: %w", err)
	})
	if jitsuin.KindOf(err) != jitsuin.Unavailable || jitsuin.CodeOf(err) == store.CodeUnknown {
		t.Errorf("a connection lost in a statement: %v", err)
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		return db.View(t.Context(), func(other *store.Tx) error { return killOthers(other) })
	})
	if jitsuin.CodeOf(err) != store.CodeUnknown {
		t.Errorf("a connection lost before COMMIT was answered: %v", err)
	}
	update(t, db, `INSERT INTO things (name) VALUES ($1)`, "b") // it comes back by itself
}
