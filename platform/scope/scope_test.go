package scope_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/scope"
)

func TestAStatementNamesItsTenant(t *testing.T) {
	for _, q := range []string{
		`SELECT body FROM checks WHERE id = $2 AND tenant = $1`,
		"SELECT body\n\tFROM checks\n\tWHERE tenant = $1 AND id = $2",
		`UPDATE notes SET body = $3 WHERE tenant = $1 AND id = $2`,
		`DELETE FROM notes WHERE tenant = $1`,
		`INSERT INTO notes (tenant, id) VALUES ($1, $2)`,
		`INSERT INTO notes (tenant, id) VALUES ($1, $2) ON CONFLICT (tenant, id) DO UPDATE SET id = excluded.id`,
		`SELECT name FROM tenants WHERE id = $1`,
		`UPDATE tenants SET name = $2 WHERE id = $1`,
	} {
		if err := scope.Check(q); err != nil {
			t.Errorf("%v", err)
		}
	}
	for _, q := range []string{
		`SELECT body FROM checks WHERE id = $1`,
		`SELECT body FROM checks WHERE id = $2 AND tenant = $2`,
		`SELECT body FROM checks WHERE tenant = $1 OR id = $2`,
		`SELECT body FROM checks WHERE tenant = $1 UNION SELECT body FROM checks`,
		`SELECT tenant FROM checks`,
		`SELECT body FROM checks WHERE tenant = $10`,
		`UPDATE notes SET tenant = $2 WHERE id = $1`,
		`UPDATE notes SET tenant = $1 WHERE id = $2`,
		`INSERT INTO notes (id, tenant) VALUES ($1, $2)`,
		`INSERT INTO notes (tenant, id) VALUES ($2, $1)`,
		`DELETE FROM notes`,
	} {
		if err := scope.Check(q); jitsuin.CodeOf(err) != "statement-without-tenant" {
			t.Errorf("%s: %v", q, err)
		}
	}
}

var notes = fstest.MapFS{"00001_notes.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (tenant TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (tenant, id));\n")}}

func TestATenantSeesItsOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db, err := store.Open(context.Background(), url, notes)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		seen := func(tenant string) (n int) {
			err := db.View(t.Context(), func(tx *store.Tx) error {
				return scope.Of(tx, tenant).QueryRow(`SELECT COUNT(*) FROM notes WHERE tenant = $1`).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		err = db.Update(t.Context(), func(tx *store.Tx) error {
			_, err := scope.Of(tx, "tenant:a").Exec(`INSERT INTO notes (tenant, id) VALUES ($1, $2)`, "x")
			return err
		})
		if err != nil || seen("tenant:a") != 1 || seen("tenant:b") != 0 {
			t.Errorf("a sees %d, b sees %d, %v", seen("tenant:a"), seen("tenant:b"), err)
		}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			var n int
			return scope.Of(tx, "tenant:b").QueryRow(`SELECT COUNT(*) FROM notes`).Scan(&n)
		})
		if jitsuin.CodeOf(err) != "statement-without-tenant" {
			t.Errorf("a statement about everybody: %v", err)
		}
	})
}
