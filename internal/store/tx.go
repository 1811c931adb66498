package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Tx is one attempt of a transaction. It is valid inside the closure it was given to, in one
// goroutine, and bound to the context of its Update or View.
type Tx struct {
	ctx   context.Context // of its statements
	ends  context.Context // with which the transaction ends
	rerun error           // the first conflict seen, even where the closure swallowed it
	sick  error           // the first error seen that speaks of the database's health
	after []func()        // run after the commit
	named []string        // signals given after the commit

	tx     *sql.Tx // of PostgreSQL
	cancel func()  // ends it

	lane  *lane // of SQLite; nil once it was given back
	of    *lanes
	over  bool    // committed or rolled back
	lines []*Rows // to be closed before the lane is given back
}

// interruptible has statements end with the transaction's context: for those that take long.
func (tx *Tx) interruptible() { tx.ctx = tx.ends }

func (tx *Tx) commit() error {
	if tx.tx != nil {
		timer := time.AfterFunc(commitTimeout, tx.cancel)
		defer timer.Stop()
		return tx.tx.Commit()
	}
	err := tx.lane.run(context.Background(), "COMMIT")
	tx.over = err == nil
	return err
}

func (tx *Tx) rollback() error {
	if tx.tx != nil {
		return tx.tx.Rollback()
	}
	tx.over = true
	return tx.lane.run(context.Background(), "ROLLBACK")
}

// end rolls back what was not committed and gives the connection back. A second time it does nothing.
func (tx *Tx) end() {
	if tx.tx != nil {
		tx.tx.Rollback()
		tx.cancel()
		return
	}
	if tx.lane == nil {
		return
	}
	for _, r := range tx.lines {
		r.Close()
	}
	var err error
	if !tx.over {
		err = tx.rollback() // fails where SQLite has rolled back by itself
	}
	tx.of.give(tx.lane, err)
	tx.lane = nil
}

// live is nil as long as the transaction may go on.
func (tx *Tx) live() error {
	if tx.tx == nil && tx.lane == nil {
		return sql.ErrTxDone
	}
	return tx.ends.Err()
}

// Exec runs a statement that gives no rows.
func (tx *Tx) Exec(query string, args ...any) (r sql.Result, err error) {
	if err := tx.live(); err != nil {
		return nil, err
	}
	if tx.tx != nil {
		r, err = tx.tx.ExecContext(tx.ctx, query, args...)
	} else if s := tx.lane.stmt(query); s != nil {
		r, err = s.ExecContext(tx.ctx, args...)
	} else {
		r, err = tx.lane.conn.ExecContext(tx.ctx, query, args...)
	}
	return r, tx.note(err)
}

// Query runs a statement that gives rows. The rows must be closed (or read to their end) before
// the next statement; Collect does both.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	if err := tx.live(); err != nil {
		return nil, err
	}
	if tx.tx != nil {
		rows, err := tx.tx.QueryContext(tx.ctx, query, args...)
		if err != nil {
			return nil, tx.note(err)
		}
		return &Rows{Rows: rows, tx: tx}, nil
	}
	var rows *sql.Rows
	var err error
	if s := tx.lane.stmt(query); s != nil {
		rows, err = s.QueryContext(tx.ctx, args...)
	} else {
		rows, err = tx.lane.conn.QueryContext(tx.ctx, query, args...)
	}
	if err != nil {
		return nil, tx.note(err)
	}
	out := &Rows{Rows: rows, tx: tx}
	tx.lines = append(slices.DeleteFunc(tx.lines, func(r *Rows) bool { return r.read }), out)
	return out, nil
}

// QueryRow runs a statement that gives at most one row; its Scan says sql.ErrNoRows if there is none.
func (tx *Tx) QueryRow(query string, args ...any) *Row {
	if err := tx.live(); err != nil {
		return &Row{err: err, tx: tx}
	}
	if tx.tx != nil {
		return &Row{row: tx.tx.QueryRowContext(tx.ctx, query, args...), tx: tx}
	}
	if s := tx.lane.stmt(query); s != nil {
		return &Row{row: s.QueryRowContext(tx.ctx, args...), tx: tx}
	}
	return &Row{row: tx.lane.conn.QueryRowContext(tx.ctx, query, args...), tx: tx}
}

// AfterCommit has f run once the commit is known to have taken effect; not after an attempt that
// is rerun, fails, or ends with an unknown result. f must not block.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Notify gives the signal name to everyone who watches it in this process, after the commit.
func (tx *Tx) Notify(name string) {
	for _, n := range tx.named {
		if n == name {
			return
		}
	}
	tx.named = append(tx.named, name)
}

// note remembers a conflict, so that the transaction is rerun whatever the closure makes of it,
// and a failing database, so that the closure's error gets the kind Unavailable.
func (tx *Tx) note(err error) error {
	switch {
	case err == nil:
	case tx.rerun == nil && isConflict(err):
		tx.rerun = err
	case tx.sick == nil && isUnhealthy(err):
		tx.sick = err
	}
	return err
}

// outcome gives the error of an attempt whose closure returned err.
func (tx *Tx) outcome(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*jitsuin.Error](err); ok || tx.sick == nil {
		return err
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "database-unavailable", "the database: %w", err)
}

// Rows are the rows of a query.
type Rows struct {
	*sql.Rows
	tx   *Tx
	read bool // to the end, or closed
}

// Next goes on to the next row, as long as the transaction may go on.
func (r *Rows) Next() bool {
	if r.tx.ends.Err() != nil {
		return false
	}
	r.read = !r.Rows.Next()
	return !r.read
}

// Close ends the iteration.
func (r *Rows) Close() error {
	r.read = true
	return r.Rows.Close()
}

// Err gives the error that ended the iteration early, if one did.
func (r *Rows) Err() error {
	if err := r.tx.ends.Err(); err != nil {
		return err
	}
	return r.tx.note(r.Rows.Err())
}

// Row is the result of QueryRow.
type Row struct {
	row *sql.Row
	err error
	tx  *Tx
}

// Scan copies the row's columns into dest, or says sql.ErrNoRows.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.tx.note(r.row.Scan(dest...))
}

// Scanner is a Row or the current one of Rows, so that one function can read both.
type Scanner interface{ Scan(dest ...any) error }

// Collect reads all rows of a query with scan and closes them:
//
//	people, err := store.Collect(scanPerson)(tx.Query(`SELECT …`))
func Collect[T any](scan func(Scanner) (T, error)) func(*Rows, error) ([]T, error) {
	return func(rows *Rows, err error) ([]T, error) {
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		var all []T
		for rows.Next() {
			v, err := scan(rows)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, rows.Err()
	}
}
