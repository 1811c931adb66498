package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

func TestMigrations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		other := fstest.MapFS{"00001_first.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other_things (id {{ID}});")}}
		first, err := store.Open(t.Context(), url, tables(), store.Also("other", other))
		if err != nil {
			t.Fatal(err)
		}
		update(t, first, `INSERT INTO things (name) VALUES ($1)`, "kept")
		count(t, first, `SELECT COUNT(*) FROM other_things`) // both sets have a version 1
		first.Close()

		newer, err := store.Open(t.Context(), url, tables("ALTER TABLE things ADD COLUMN note TEXT;"))
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, newer, `SELECT COUNT(*) FROM things WHERE note IS NULL`); n != 1 {
			t.Errorf("%d rows survived the migration", n)
		}
		newer.Close()

		_, err = store.Open(t.Context(), url, tables())
		if jitsuin.KindOf(err) != jitsuin.Conflict || jitsuin.CodeOf(err) != "schema-newer" {
			t.Errorf("an older program opened a newer schema: %v", err)
		}
		if _, err = store.Open(t.Context(), url, tables("ALTER TABLE things ADD COLUMN note TEXT;", "CREATE NONSENSE;")); err == nil {
			t.Error("a broken migration passed")
		}
	})
}

func TestProcessesStartTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				db, err := store.Open(t.Context(), url, tables("CREATE TABLE more (id {{ID}});"))
				if err != nil {
					t.Error(err)
					return
				}
				db.Close()
			})
		}
		wg.Wait()
	})
}

func TestSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file?with%odd#name.db")
	db := open(t, path)
	update(t, db, `INSERT INTO things (name) VALUES ($1)`, "a")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	var journal string
	var synchronous, keys int
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.QueryRow(`PRAGMA journal_mode`).Scan(&journal); err != nil {
			return err
		}
		if err := tx.QueryRow(`PRAGMA foreign_keys`).Scan(&keys); err != nil {
			return err
		}
		return tx.QueryRow(`PRAGMA synchronous`).Scan(&synchronous)
	})
	if err != nil || journal != "wal" || synchronous != 2 || keys != 1 {
		t.Errorf("journal %s, synchronous %d, foreign keys %d, %v", journal, synchronous, keys, err)
	}
}

func TestBadURLs(t *testing.T) {
	for url, kind := range map[string]jitsuin.Kind{
		"": jitsuin.Invalid,
		filepath.Join(t.TempDir(), "missing", "x.db"): jitsuin.Unavailable,
		"postgres://user:secret@127.0.0.1:1/db":       jitsuin.Unavailable,
		"postgres://user:secret@host:port/db":         jitsuin.Invalid,
	} {
		_, err := store.Open(t.Context(), url, nil)
		if jitsuin.KindOf(err) != kind {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
	junk := filepath.Join(t.TempDir(), "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), junk, tables()); err == nil {
		t.Error("a text file was opened as a database")
	}
}
