package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/jitsuin/jitsuin"
)

// Backend is a kind of database.
type Backend struct {
	Name  string // "sqlite" or "postgres"
	fresh func(testing.TB) string
}

// Fresh makes an empty database for t and gives its URL for store.Open. It is removed when t ends,
// so t must close what it opened.
func (b Backend) Fresh(t testing.TB) string {
	t.Helper()
	return b.fresh(t)
}

// Backends gives SQLite and, where it can be had, PostgreSQL.
func Backends(t testing.TB) []Backend {
	t.Helper()
	all := []Backend{SQLite()}
	if pg, ok := Postgres(t); ok {
		all = append(all, pg)
	}
	return all
}

// Each runs test once per backend, as a subtest, with a fresh database. A missing PostgreSQL is
// a skipped subtest, or a failed one under CI=true.
func Each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite().Fresh(t)) })
	t.Run("postgres", func(t *testing.T) {
		pg, ok := Postgres(t)
		if !ok {
			t.Skip("NO POSTGRESQL: this half of the suite was not run")
		}
		test(t, pg.Fresh(t))
	})
}

// SQLite gives a file per database.
func SQLite() Backend {
	return Backend{"sqlite", func(t testing.TB) string {
		return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	}}
}

// server is the PostgreSQL of this test process: started once, ended with the process.
var server = sync.OnceValues(func() (cluster, error) {
	if given := os.Getenv("JITSUIN_TEST_POSTGRES"); given != "" {
		return cluster{url: given}, nil
	}
	return startCluster()
})

// Postgres gives a database per test on the process's PostgreSQL server. ok is false where there
// is none; under CI=true that ends the test.
func Postgres(t testing.TB) (b Backend, ok bool) {
	t.Helper()
	pg, err := server()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PostgreSQL must be tested here: %v", err)
		}
		t.Logf("NO POSTGRESQL, testing without it: %v", err)
		return Backend{}, false
	}
	return Backend{"postgres", func(t testing.TB) string { return createDatabase(t, pg.url) }}, true
}

func createDatabase(t testing.TB, admin string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	name := "jitsuin_test_" + string(jitsuin.NewID())[:12]
	run := func(sqlText string) {
		db, err := sql.Open("pgx", admin)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(context.Background(), sqlText); err != nil {
			t.Fatalf("%s: %v", sqlText, err)
		}
	}
	run(fmt.Sprintf("CREATE DATABASE %s", name))
	t.Cleanup(func() { run(fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name)) })
	u.Path = "/" + name
	return u.String()
}
