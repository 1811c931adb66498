package store_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

const schema = `-- +goose Up
CREATE TABLE things (id {{ID}}, name TEXT NOT NULL UNIQUE, seal {{BLOB}}, at BIGINT NOT NULL DEFAULT 0);
CREATE TABLE counters (name TEXT PRIMARY KEY, n BIGINT NOT NULL);
`

func tables(files ...string) fstest.MapFS {
	m := fstest.MapFS{"00001_first.sql": {Data: []byte(schema)}}
	for i, text := range files {
		m[[]string{"00002_second.sql", "00003_third.sql"}[i]] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text)}
	}
	return m
}

func open(t testing.TB, url string, opts ...store.Option) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, tables(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func update(t testing.TB, db *store.DB, query string, args ...any) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err })
	if err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, db *store.DB, query string, args ...any) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// One SQL text serves both databases only because modernc binds $N by its number and not by
// first appearance; another SQLite driver would silently swap values.
func TestOrdinals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		for range 3 { // unprepared, then prepared
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				var a, b, c, d string
				err := tx.QueryRow(`SELECT CAST($3 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($1 AS TEXT)`,
					"one", "two", "three").Scan(&a, &b, &c, &d)
				if got := a + " " + b + " " + c + " " + d; got != "three one two one" {
					t.Errorf("bound as %q", got)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		const upsert = `INSERT INTO counters (n, name) VALUES ($2, $1) ON CONFLICT (name) DO UPDATE SET n = counters.n + $2`
		for range 3 {
			update(t, db, upsert, "x", 5)
		}
		if got := count(t, db, `SELECT n FROM counters WHERE name = $1`, "x"); got != 15 {
			t.Errorf("n = %d, want 15", got)
		}
	})
}

func TestValuesComeBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		at := time.Date(2026, 4, 1, 9, 0, 0, 123456000, time.UTC)
		update(t, db, `INSERT INTO things (name, seal, at) VALUES ($1, $2, $3)`, "実印𠮷", []byte{0, 255}, store.Micros(at))
		update(t, db, `INSERT INTO things (name) VALUES ($1)`, "second")
		type thing struct {
			id   int64
			name string
			seal []byte
			at   time.Time
		}
		scan := store.Collect(func(s store.Scanner) (v thing, err error) {
			var micros int64
			err = s.Scan(&v.id, &v.name, &v.seal, &micros)
			v.at = store.Time(micros)
			return v, err
		})
		var got []thing
		err := db.View(t.Context(), func(tx *store.Tx) (err error) {
			got, err = scan(tx.Query(`SELECT id, name, seal, at FROM things ORDER BY id`))
			return err
		})
		if err != nil || len(got) != 2 {
			t.Fatal(got, err)
		}
		if got[0].name != "実印𠮷" || string(got[0].seal) != "\x00\xff" || !got[0].at.Equal(at) || got[0].id >= got[1].id {
			t.Errorf("%+v", got)
		}
		if got[1].seal != nil || !got[1].at.IsZero() {
			t.Errorf("a row without values reads %+v", got[1])
		}
	})
}

func TestErrorRollsBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		mine := jitsuin.Errorf(jitsuin.Conflict, "mine", "no")
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(`INSERT INTO things (name) VALUES ($1)`, "lost"); err != nil {
				return err
			}
			tx.AfterCommit(func() { t.Error("a hook ran after a rollback") })
			return mine
		})
		if !errors.Is(err, mine) || count(t, db, `SELECT COUNT(*) FROM things`) != 0 {
			t.Errorf("err %v, rows remain", err)
		}
		func() {
			defer func() { recover() }()
			db.Update(t.Context(), func(tx *store.Tx) error {
				tx.Exec(`INSERT INTO things (name) VALUES ($1)`, "lost")
				panic("a defect of the caller")
			})
		}()
		if count(t, db, `SELECT COUNT(*) FROM things`) != 0 {
			t.Error("a panic committed")
		}
	})
}

func TestDuplicate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		update(t, db, `INSERT INTO things (name) VALUES ($1)`, "a")
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO things (name) VALUES ($1)`, "a")
			return err
		})
		if !store.IsDuplicate(err) {
			t.Errorf("not a duplicate: %v", err)
		}
		err = db.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO things (name) VALUES (NULL)`)
			return err
		})
		if err == nil || store.IsDuplicate(err) {
			t.Errorf("a missing name is called a duplicate: %v", err)
		}
	})
}

func TestViewCannotWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		err := db.View(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO things (name) VALUES ($1)`, "a")
			return err
		})
		if err == nil || count(t, db, `SELECT COUNT(*) FROM things`) != 0 {
			t.Errorf("a View wrote: %v", err)
		}
	})
}

func TestCancelled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO things (name) VALUES ($1)`, "a")
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) || count(t, db, `SELECT COUNT(*) FROM things`) != 0 {
			t.Errorf("cancelled before the commit: %v", err)
		}
		if err := db.View(ctx, func(*store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a View in a cancelled context: %v", err)
		}
		update(t, db, `INSERT INTO things (name) VALUES ($1)`, "b") // the connection still works
	})
}

// A transaction ends with its context between two statements and between two rows, with the context's error; what it has left open holds
// nobody up.
func TestCancelledInBetween(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		for _, name := range []string{"a", "b", "c"} {
			update(t, db, `INSERT INTO things (name) VALUES ($1)`, name)
		}
		const all = `SELECT name FROM things ORDER BY name`
		for what, run := range map[string]func(context.Context, func(*store.Tx) error) error{"View": db.View, "Update": db.Update} {
			ctx, cancel := context.WithCancel(t.Context())
			err := run(ctx, func(tx *store.Tx) error {
				var name string
				if err := tx.QueryRow(all).Scan(&name); err != nil {
					return err
				}
				cancel()
				return tx.QueryRow(all).Scan(&name)
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s between two statements: %v", what, err)
			}
			ctx, cancel = context.WithCancel(t.Context())
			seen := 0
			err = run(ctx, func(tx *store.Tx) error {
				rows, err := tx.Query(all)
				if err != nil {
					return err
				}
				for rows.Next() {
					seen++
					cancel()
				}
				return rows.Err() // and does not close them
			})
			if !errors.Is(err, context.Canceled) || seen != 1 {
				t.Errorf("%s between two rows, after %d: %v", what, seen, err)
			}
			err = run(t.Context(), func(tx *store.Tx) error {
				rows, err := tx.Query(all)
				if err != nil {
					return err
				}
				if !rows.Next() { // and leaves the rest
					t.Errorf("%s: no row", what)
				}
				return nil
			})
			if err != nil && url[:8] != "postgres" { // whose connection is busy with the rows
				t.Errorf("%s that leaves rows open: %v", what, err)
			}
			var kept *store.Tx
			if err := run(t.Context(), func(tx *store.Tx) error { kept = tx; return nil }); err != nil {
				t.Fatal(err)
			}
			if _, err := kept.Exec(`DELETE FROM things`); !errors.Is(err, sql.ErrTxDone) {
				t.Errorf("%s: its transaction after its end: %v", what, err)
			}
		}
		update(t, db, `INSERT INTO things (name) VALUES ($1)`, "d")
		if n := count(t, db, `SELECT COUNT(*) FROM things`); n != 4 {
			t.Errorf("%d things", n)
		}
	})
}

// More readers than there are connections wait for one another, and who waits can be cancelled; a closed database begins nothing.
func TestManyReaders(t *testing.T) {
	db := open(t, storetest.SQLite().Fresh(t))
	var all sync.WaitGroup
	begun, release := make(chan struct{}, 64), make(chan struct{})
	for range 32 {
		all.Go(func() {
			err := db.View(t.Context(), func(tx *store.Tx) error {
				begun <- struct{}{}
				<-release
				var n int
				return tx.QueryRow(`SELECT COUNT(*) FROM things`).Scan(&n)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range 8 {
		<-begun
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := db.View(ctx, func(*store.Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a reader too many: %v", err)
	}
	update(t, db, `INSERT INTO things (name) VALUES ($1)`, "beside") // readers do not hold the writer up
	close(release)
	all.Wait()
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		_, err := tx.Exec(`INSERT INTO things (name) VALUES ($1)`, "under way")
		return err
	})
	if err != nil {
		t.Errorf("an Update that was under way: %v", err)
	}
	for what, run := range map[string]func(context.Context, func(*store.Tx) error) error{"View": db.View, "Update": db.Update} {
		if err := run(t.Context(), func(*store.Tx) error { return nil }); jitsuin.CodeOf(err) != "database-unavailable" {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

// While one transaction holds the only writer, another that waits for it can be cancelled.
func TestWaitingForTheWriterCanBeCancelled(t *testing.T) {
	db := open(t, storetest.SQLite().Fresh(t))
	err := db.Update(t.Context(), func(*store.Tx) error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := db.Update(ctx, func(*store.Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited on: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := open(t, url)
		err := db.View(t.Context(), func(tx *store.Tx) error {
			var n int
			return tx.QueryRow(`SELECT n FROM counters WHERE name = $1`, "none").Scan(&n)
		})
		if !errors.Is(err, sql.ErrNoRows) {
			t.Error(err)
		}
	})
}
