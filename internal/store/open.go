package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// DB is an open database with its schema up to date. It is safe for concurrent use.
type DB struct {
	dialect dialect
	write   *sql.DB
	read    *sql.DB // the same as write, except for SQLite files
	writer  *lanes  // of write, for SQLite
	readers *lanes  // of read
	opts    options
	path    string // of an SQLite file, else ""
	frozen  bool   // of OpenReadOnly: opened while nobody else had the file open

	signalMu sync.Mutex // owns watchers
	watchers map[string]map[chan struct{}]bool
}

type options struct {
	sources  []source
	faults   func() Fault
	maxConns int
	attempts int
	backoff  time.Duration
	observer Observer
	erasing  bool // see Erasing
}

// source is one set of migrations with a version table of its own.
type source struct {
	table string
	files fs.FS
}

// Option changes how Open works.
type Option func(*options)

// Also adds the tables of another package to the database. Each set counts its versions in a
// table of its own (schema_NAME), so sets never collide; name has lower-case letters only.
func Also(name string, migrations fs.FS) Option {
	return func(o *options) { o.sources = append(o.sources, source{"schema_" + name, migrations}) }
}

// MaxConns limits the connections to PostgreSQL; the default is 16. SQLite always has one writer.
func MaxConns(n int) Option { return func(o *options) { o.maxConns = n } }

// Open opens the database that url names and brings its schema up to date.
//
//   - a path, or sqlite:PATH — an SQLite file (created with mode 0600): WAL, synchronous=FULL,
//     foreign keys on, one writer and a pool of readers;
//   - sqlite::memory: — an SQLite database that ends with the DB, for tests;
//   - postgres://… — PostgreSQL in isolation SERIALIZABLE.
//
// migrations holds NNNNN_name.sql files in goose's format at its top level; nil means none. In
// them {{BLOB}} stands for BLOB or BYTEA, {{JSON}} for TEXT, and {{ID}} for a primary key that
// counts upwards. A database whose schema is newer than the migrations known here is refused
// (Conflict, "schema-newer"); one that does not answer is Unavailable.
func Open(ctx context.Context, url string, migrations fs.FS, opts ...Option) (*DB, error) {
	o := options{maxConns: 16, attempts: 60, backoff: time.Millisecond}
	if migrations != nil {
		o.sources = append(o.sources, source{"schema_version", migrations})
	}
	for _, opt := range opts {
		opt(&o)
	}
	db := &DB{opts: o, watchers: map[string]map[chan struct{}]bool{}}
	var err error
	switch {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = db.openPostgres(url)
	case url == "":
		err = jitsuin.Errorf(jitsuin.Invalid, "database-url", "no database is named")
	default:
		err = db.openSQLite(strings.TrimPrefix(url, "sqlite:"))
	}
	if err != nil {
		return nil, err
	}
	if err := db.start(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) start(ctx context.Context) error {
	err := db.write.PingContext(ctx)
	for n := 1; isConflict(err) && n < db.opts.attempts; n++ { // another process opens the file or closes it: SQLite then does not wait by itself
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		err = db.write.PingContext(ctx)
	}
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "database-unavailable", "open the database: %w", err)
	}
	for _, s := range db.opts.sources {
		if err := db.migrate(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Shared tells whether other processes may write to the database while it is open here, so that
// signals of this process (Watch) do not tell of everything that happens.
func (db *DB) Shared() bool { return db.dialect == postgres }

// Close ends all connections. A transaction that is under way goes on to its end, and none begins any more.
func (db *DB) Close() error {
	if db.dialect == sqlite {
		db.writer.close()
		db.readers.close()
	}
	err := db.write.Close()
	if db.read != db.write {
		err = errors.Join(db.read.Close(), err)
	}
	return err
}
