package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// OpenReadOnly opens a database that is there, to look at it beside whoever uses it: nothing is
// migrated and nothing can be written. NotFound "database-missing" where an SQLite file is not there.
// Transactions are those of View; Update fails.
func OpenReadOnly(ctx context.Context, address string) (*DB, error) {
	db := &DB{opts: options{maxConns: 1, attempts: 3}, watchers: map[string]map[chan struct{}]bool{}}
	var err error
	if strings.Contains(address, "://") {
		err = db.openPostgres(address)
	} else {
		err = db.peekSQLite(strings.TrimPrefix(address, "sqlite:"))
	}
	if err != nil {
		return nil, err
	}
	if err := db.read.PingContext(ctx); err != nil {
		return nil, errors.Join(jitsuin.Errorf(jitsuin.Unavailable, "database-unavailable", "open the database: %w", err), db.Close())
	}
	return db, nil
}

func (db *DB) peekSQLite(path string) error {
	db.dialect = sqlite
	abs, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(abs)
	}
	if err != nil {
		return jitsuin.Errorf(jitsuin.NotFound, "database-missing", "the database is not there: %w", err)
	}
	db.path = abs
	name := "file:" + (&url.URL{Path: abs}).EscapedPath() + "?mode=ro&_busy_timeout=2000&_query_only=1&_dqs=0"
	if db.frozen = !db.hasWAL(); db.frozen {
		name += "&immutable=1" // nobody has it open: so SQLite makes no files beside it
	}
	if db.read, err = sql.Open("sqlite", name); err != nil {
		return fmt.Errorf("open SQLite for reading: %w", err)
	}
	db.read.SetMaxOpenConns(1)
	db.write = db.read
	db.readers = newLanes(db.read, 1)
	db.writer = db.readers
	return nil
}

func (db *DB) hasWAL() bool {
	_, err := os.Stat(db.path + "-wal")
	return err == nil
}

// Moved tells that somebody has opened the database for writing since OpenReadOnly found it at rest: what
// was read since may not fit together, and should be read again.
func (db *DB) Moved() bool { return db.frozen && db.hasWAL() }

// Check has the database look through itself and gives what it finds wrong, at most a few lines.
// PostgreSQL has no such check; there it only says whether it answers. A large database takes long:
// end ctx to give it up.
func (db *DB) Check(ctx context.Context) (wrong []string, err error) {
	if db.dialect == postgres {
		return nil, db.View(ctx, func(tx *Tx) error { var one int; return tx.QueryRow(`SELECT 1`).Scan(&one) })
	}
	err = db.View(ctx, func(tx *Tx) error {
		tx.interruptible()
		wrong, err = Collect(func(s Scanner) (line string, err error) { return line, s.Scan(&line) })(tx.Query(`PRAGMA integrity_check(5)`))
		return err
	})
	if err != nil && sqliteCode(err) == 0 {
		return nil, err
	}
	if err != nil { // a database so broken that the check itself does not come to its end
		return []string{err.Error()}, nil
	}
	if len(wrong) == 1 && wrong[0] == "ok" {
		return nil, nil
	}
	return wrong, nil
}

// Version is how far the schema of one set of migrations has come. Have is 0 where the set was never
// applied; a database that is older than the program is brought up to date when it is next opened.
type Version struct {
	Table      string
	Have, Know int64
}

// Schema compares the database's schema with the migrations that Open would be given.
func (db *DB) Schema(ctx context.Context, migrations fs.FS, opts ...Option) (versions []Version, err error) {
	if versions, err = Known(migrations, opts...); err != nil {
		return nil, err
	}
	for i := range versions {
		v := &versions[i]
		err := db.View(ctx, func(tx *Tx) error {
			return tx.QueryRow(`SELECT COALESCE(MAX(version_id), 0) FROM ` + v.Table + ` WHERE is_applied`).Scan(&v.Have)
		})
		if err != nil && !strings.Contains(err.Error(), v.Table) { // a table that is not there: never applied
			return nil, fmt.Errorf("read the schema version in %s: %w", v.Table, err)
		}
	}
	return versions, nil
}

// Known tells how far the migrations go that Open would be given, without a database.
func Known(migrations fs.FS, opts ...Option) (versions []Version, err error) {
	var o options
	if migrations != nil {
		o.sources = append(o.sources, source{"schema_version", migrations})
	}
	for _, opt := range opts {
		opt(&o)
	}
	for _, s := range o.sources {
		v := Version{Table: s.table}
		if v.Know, err = newest(s.files); err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, nil
}

// newest gives the highest number of NNNNN_name.sql.
func newest(files fs.FS) (last int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		last = max(last, n)
	}
	return last, err
}
