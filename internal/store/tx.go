package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jitsuin/jitsuin"
)

// Tx is one attempt of a transaction. It is valid inside the closure it was given to, in one
// goroutine, and bound to the context of its Update or View.
type Tx struct {
	db    *DB
	ctx   context.Context // of its statements
	ends  context.Context // with which the transaction ends
	tx    *sql.Tx
	rerun error    // the first conflict seen, even where the closure swallowed it
	sick  error    // the first error seen that speaks of the database's health
	after []func() // run after the commit
	named []string // signals given after the commit
	fresh []string // query texts to prepare once the connection is free

	reading bool // of a View
}

func (tx *Tx) handle() *sql.DB {
	if tx.reading {
		return tx.db.read
	}
	return tx.db.write
}

// Exec runs a statement that gives no rows.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	if s := tx.prepared(query); s != nil {
		r, err := s.ExecContext(tx.ctx, args...)
		return r, tx.note(err)
	}
	r, err := tx.tx.ExecContext(tx.ctx, query, args...)
	return r, tx.note(err)
}

// Query runs a statement that gives rows. The rows must be closed (or read to their end) before
// the next statement; Collect does both.
func (tx *Tx) Query(query string, args ...any) (*Rows, error) {
	var rows *sql.Rows
	var err error
	if s := tx.prepared(query); s != nil {
		rows, err = s.QueryContext(tx.ctx, args...)
	} else {
		rows, err = tx.tx.QueryContext(tx.ctx, query, args...)
	}
	if err != nil {
		return nil, tx.note(err)
	}
	return &Rows{rows, tx}, nil
}

// QueryRow runs a statement that gives at most one row; its Scan says sql.ErrNoRows if there is none.
func (tx *Tx) QueryRow(query string, args ...any) *Row {
	if s := tx.prepared(query); s != nil {
		return &Row{s.QueryRowContext(tx.ctx, args...), tx}
	}
	return &Row{tx.tx.QueryRowContext(tx.ctx, query, args...), tx}
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
// and a failing database, so that the closure's error gets the kind Unavailable. That the context ended the transaction is the context's error.
func (tx *Tx) note(err error) error {
	switch {
	case err == nil:
	case errors.Is(err, sql.ErrTxDone) && tx.ends.Err() != nil:
		return tx.ends.Err()
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
	tx *Tx
}

// Err gives the error that ended the iteration early, if one did.
func (r *Rows) Err() error { return r.tx.note(r.Rows.Err()) }

// Row is the result of QueryRow.
type Row struct {
	row *sql.Row
	tx  *Tx
}

// Scan copies the row's columns into dest, or says sql.ErrNoRows.
func (r *Row) Scan(dest ...any) error { return r.tx.note(r.row.Scan(dest...)) }

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
