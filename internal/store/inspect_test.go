package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

func TestLookingWritesNothingAndFindsWhatIsBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	if _, err := store.OpenReadOnly(t.Context(), path); jitsuin.CodeOf(err) != "database-missing" {
		t.Fatalf("a database that is not there: %v", err)
	}
	schema := fstest.MapFS{"00001_t.sql": {Data: []byte("-- +goose Up\nCREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT NOT NULL);\n")}}
	db, err := store.Open(t.Context(), path, schema)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		for i := range 2000 {
			if _, err := tx.Exec(`INSERT INTO t (a, b) VALUES ($1, $2)`, i, "a line of some length, so that there are many pages"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	look := func() (wrong []string, versions []store.Version) {
		t.Helper()
		peek, err := store.OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer peek.Close()
		if err := peek.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(`DELETE FROM t`); return err }); err == nil {
			t.Error("a database that is only looked at was written to")
		}
		if wrong, err = peek.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		schema["00002_u.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE u (a BIGINT);\n")}
		if len(wrong) == 0 {
			if versions, err = peek.Schema(t.Context(), schema, store.Also("other", schema)); err != nil {
				t.Fatal(err)
			}
		}
		return wrong, versions
	}
	wrong, versions := look() // beside the one who has it open
	if len(wrong) != 0 || len(versions) != 2 || versions[0] != (store.Version{Table: "schema_version", Have: 1, Know: 2}) ||
		versions[1] != (store.Version{Table: "schema_other", Have: 0, Know: 2}) {
		t.Errorf("%q, %+v", wrong, versions)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < 8192+4096; i++ {
		raw[i] ^= 0x5a
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if wrong, _ := look(); len(wrong) == 0 {
		t.Error("a broken page was not found")
	}
}
