package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Observer is told how transactions fare. A field may be nil; the functions must be quick.
type Observer struct {
	Committed func(took time.Duration) // COMMIT alone, not what went before
	Rerun     func()                   // an attempt lost against another transaction and is made again
	Unknown   func()                   // a commit ended with CodeUnknown
}

// Observe has o told of every Update and View.
func Observe(o Observer) Option { return func(opts *options) { opts.observer = o } }

func (o Observer) committed(took time.Duration) {
	if o.Committed != nil {
		o.Committed(took)
	}
}

func (o Observer) rerun() {
	if o.Rerun != nil {
		o.Rerun()
	}
}

func (o Observer) unknown() {
	if o.Unknown != nil {
		o.Unknown()
	}
}

// Size is how much room a database takes, in bytes. WAL is SQLite's write-ahead log, which a
// checkpoint empties; 0 elsewhere.
type Size struct{ Main, WAL int64 }

// Size looks how large the database is.
func (db *DB) Size(ctx context.Context) (s Size, err error) {
	switch {
	case db.dialect == postgres:
		err = db.View(ctx, func(tx *Tx) error { return tx.QueryRow(`SELECT pg_database_size(current_database())`).Scan(&s.Main) })
	case db.path != "":
		if s.Main, err = fileSize(db.path); err == nil {
			s.WAL, err = fileSize(db.path + "-wal")
		}
	}
	if err != nil {
		return Size{}, fmt.Errorf("size of the database: %w", err)
	}
	return s, nil
}

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Connections tells of the writing connections: how many are in use, and for how long transactions
// have waited for one altogether.
func (db *DB) Connections() sql.DBStats {
	if db.dialect == sqlite {
		return db.writer.stats()
	}
	return db.write.Stats()
}
