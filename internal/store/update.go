package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jitsuin/jitsuin"
)

// CodeUnknown is the code of the Unavailable error that Update gives when the connection was lost
// during COMMIT: the transaction took effect, or it did not. The caller must read to find out.
const CodeUnknown = "commit-unknown"

const commitTimeout = 30 * time.Second

// Update runs fn in a read-write transaction and commits it. Where the database reports a
// conflict (SQLSTATE 40001 or 40P01, SQLITE_BUSY) fn is run again from the start, after a short
// pause, so fn does no I/O, draws no randomness, signs nothing, and assigns rather than adds to
// variables outside it; what must happen once goes into AfterCommit. fn must not start another
// transaction.
//
// An error of fn rolls back and is returned as it is. Unavailable means that the database cannot
// be reached ("database-unavailable"), that conflicts did not end ("database-contended"), or that
// nobody knows whether the commit took effect (CodeUnknown). Once COMMIT is sent, cancelling ctx
// no longer stops it.
func (db *DB) Update(ctx context.Context, fn func(tx *Tx) error) error {
	return db.run(ctx, fn, db.update)
}

// View runs fn in a read-only transaction that sees one consistent snapshot. It may be run again
// like the closure of Update. What is decided from reads and then written belongs in one Update:
// on PostgreSQL a View takes no part in the detection of conflicts.
func (db *DB) View(ctx context.Context, fn func(tx *Tx) error) error {
	return db.run(ctx, fn, db.view)
}

func (db *DB) run(ctx context.Context, fn func(*Tx) error, attempt func(context.Context, func(*Tx) error) error) error {
	wait := db.opts.backoff
	for n := 1; ; n++ {
		err := attempt(ctx, fn)
		var again rerunError
		if !errors.As(err, &again) {
			return err
		}
		db.opts.observer.rerun()
		if n >= db.opts.attempts {
			return jitsuin.Errorf(jitsuin.Unavailable, "database-contended",
				"gave up after %d conflicting transactions: %w", n, again.cause)
		}
		if err := pause(ctx, wait/2+rand.N(wait)); err != nil {
			return err
		}
		wait = min(2*wait, 200*time.Millisecond)
	}
}

// rerunError says that an attempt had no effect and may be made again.
type rerunError struct{ cause error }

func (e rerunError) Error() string { return "rerun: " + e.cause.Error() }

func (db *DB) view(ctx context.Context, fn func(*Tx) error) error {
	tx, err := db.begin(ctx, false)
	if err != nil {
		return notBegun(err)
	}
	defer tx.end()
	err = fn(tx)
	if err != nil && tx.rerun != nil {
		return rerunError{tx.rerun}
	}
	return tx.outcome(err)
}

func (db *DB) update(ctx context.Context, fn func(*Tx) error) error {
	tx, err := db.begin(ctx, true)
	if err != nil {
		return notBegun(err)
	}
	defer tx.end()
	err = tx.outcome(fn(tx))
	if err == nil {
		err = ctx.Err()
	}
	if tx.rerun != nil {
		return rerunError{tx.rerun}
	}
	if err != nil {
		return err
	}
	sent := time.Now()
	if err := db.commit(tx); err != nil {
		if jitsuin.CodeOf(err) == CodeUnknown {
			db.opts.observer.unknown()
			db.signal(tx.named) // it may have happened, and a signal says no more than: look
		}
		return err
	}
	db.opts.observer.committed(time.Since(sent))
	tx.end()
	for _, f := range tx.after {
		f()
	}
	db.signal(tx.named)
	return nil
}

// begin begins a transaction that the caller ends. On PostgreSQL one that writes has a context of its own, so that cancelling ctx never
// interrupts COMMIT.
func (db *DB) begin(ctx context.Context, write bool) (*Tx, error) {
	if db.dialect == sqlite {
		return db.beginOnLane(ctx, write)
	}
	if !write {
		stx, err := db.read.BeginTx(ctx, viewOptions)
		return &Tx{ctx: ctx, ends: ctx, tx: stx, cancel: func() {}}, err
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	stx, err := db.write.BeginTx(own, updateOptions)
	if !stop() && err == nil {
		stx.Rollback()
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, errors.Join(ctx.Err(), err)
	}
	return &Tx{ctx: ctx, ends: ctx, tx: stx, cancel: cancel}, nil
}

func (db *DB) commit(tx *Tx) error {
	fault := NoFault
	if db.opts.faults != nil {
		fault = db.opts.faults()
	}
	if fault == CommitLost {
		return unknown(errors.Join(errInjected, tx.rollback()))
	}
	err := tx.commit()
	switch {
	case err == nil && fault == CommitPersisted:
		return unknown(errInjected)
	case err == nil:
		return nil
	case isConflict(err):
		return rerunError{err}
	case isRefused(err):
		return fmt.Errorf("commit: %w", err)
	}
	return unknown(err)
}

func unknown(cause error) error {
	return jitsuin.Errorf(jitsuin.Unavailable, CodeUnknown,
		"it is not known whether the transaction took effect: %w", cause)
}

// notBegun sorts an error of BEGIN, after which nothing has happened yet.
func notBegun(err error) error {
	if isConflict(err) {
		return rerunError{err}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, sql.ErrConnDone) {
		return jitsuin.Errorf(jitsuin.Unavailable, "database-unavailable", "the database is closed: %w", err)
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "database-unavailable", "begin a transaction: %w", err)
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
