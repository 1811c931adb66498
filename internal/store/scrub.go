package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
)

// scrubTries and scrubPause are how long Scrub waits for readers of an older state to end.
const (
	scrubTries = 50
	scrubPause = 100 * time.Millisecond
)

// Erasing has SQLite overwrite what is deleted with zeros at once (PRAGMA secure_delete), in the file and in what is
// written of it to the log. It costs writes where much is deleted. PostgreSQL knows nothing like it.
func Erasing() Option { return func(o *options) { o.erasing = true } }

// Scrub rids the database's files of rows that were deleted, as far as its engine can.
//
// SQLite, opened with Erasing: the file has zeros where they stood, and the write-ahead log is emptied here, so that
// neither holds a byte of them. What was deleted before the database was first opened with Erasing needs Rewrite. What
// a file system or a disk keeps of overwritten blocks is beyond both.
//
// PostgreSQL: VACUUM on the tables makes the rows' room free for others at once and gives back what is free at a
// table's end; until room is written over, its bytes stay in the file, and in the server's own log as long as that is
// kept. Who must be sure of the disk encrypts it.
//
// Unavailable, "scrub-busy": somebody reads an older state and does not end; call again.
func (db *DB) Scrub(ctx context.Context, tables ...string) error {
	if db.dialect == postgres {
		for _, t := range tables {
			if _, err := db.write.ExecContext(ctx, `VACUUM `+t); err != nil {
				return fmt.Errorf("vacuum %s: %w", t, err)
			}
		}
		return nil
	}
	if db.path == "" {
		return nil
	}
	for range scrubTries {
		var busy, frames, done int
		err := db.outside(ctx, func(conn *sql.Conn) error {
			return conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &done)
		})
		if err != nil {
			return fmt.Errorf("empty the log of the database: %w", err)
		}
		if busy == 0 {
			return nil
		}
		if err := pause(ctx, scrubPause); err != nil {
			return err
		}
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "scrub-busy", "the log of the database could not be emptied: somebody still reads an older state")
}

// Rewrite writes an SQLite file anew from what is there (VACUUM), so that nothing is left in it of what was ever deleted. It
// takes a time that grows with the file, in which nothing can be written, and for a moment the room of a second file.
// On PostgreSQL it does nothing.
func (db *DB) Rewrite(ctx context.Context) error {
	if db.dialect == postgres {
		return nil
	}
	err := db.outside(ctx, func(conn *sql.Conn) error { _, err := conn.ExecContext(ctx, `VACUUM`); return err })
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "scrub-busy", "the database cannot be written anew now: %w", err)
	}
	return db.Scrub(ctx)
}

// outside does something with SQLite's writing connection that is no transaction.
func (db *DB) outside(ctx context.Context, do func(*sql.Conn) error) error {
	l, err := db.writer.take(ctx)
	if err != nil {
		return err
	}
	err = do(l.conn)
	db.writer.give(l, err)
	return err
}
