package store_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

var scrubbed = fstest.MapFS{"00001_things.sql": {Data: []byte("-- +goose Up\nCREATE TABLE things (id TEXT PRIMARY KEY, word TEXT NOT NULL, body {{BLOB}} NOT NULL);\nCREATE INDEX things_word ON things (word);\n")}}

// Whatever was deleted is in no file any more: not in the database, its indexes and free pages, nor in its log. A file of
// before is written anew.
func TestScrubLeavesNothing(t *testing.T) {
	for _, erasing := range []bool{true, false} {
		url := storetest.SQLite().Fresh(t)
		var options []store.Option
		if erasing {
			options = append(options, store.Erasing())
		}
		db, err := store.Open(t.Context(), url, scrubbed, options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(db.Update(t.Context(), func(tx *store.Tx) error {
			for i := range 400 {
				word := strings.Repeat(string(rune('a'+i%26)), 5)
				if i%40 == 7 {
					word = "canary"
				}
				id := word + strings.Repeat("x", i%30) + string(rune('A'+i%26)) + strings.Repeat("y", i/26)
				if _, err := tx.Exec(`INSERT INTO things (id, word, body) VALUES ($1, $2, $3)`, id, word, bytes.Repeat([]byte(word), 10+i*7%3000)); err != nil {
					return err
				}
			}
			return nil
		}))
		left := func() (n int) {
			t.Helper()
			path := strings.TrimPrefix(url, "sqlite:")
			for _, name := range []string{path, path + "-wal"} {
				raw, err := os.ReadFile(name)
				must(err)
				n += bytes.Count(raw, []byte("canary"))
			}
			return n
		}
		must(db.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`DELETE FROM things WHERE word = $1`, "canary")
			return err
		}))
		if left() == 0 {
			t.Error("the search finds nothing before")
		}
		must(db.Scrub(t.Context()))
		if n := left(); (n == 0) != erasing {
			t.Errorf("erasing %v: %d times a word that was deleted", erasing, n)
		}
		must(db.Rewrite(t.Context()))
		if n := left(); n != 0 {
			t.Errorf("written anew: %d times", n)
		}
	}
}

func TestScrubOnEveryEngine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, err := store.Open(context.Background(), url, scrubbed, store.Erasing())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if err := db.Scrub(t.Context(), "things"); err != nil {
			t.Error(err)
		}
		if err := db.Rewrite(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
