package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"time"
)

// A lane is a connection to SQLite with the statements that were prepared on it. database/sql's own transactions start a goroutine for
// each transaction and for each query, to end them with their context, and the driver another one for each statement: they take longer
// than most statements here. On a lane a transaction ends with its context between two statements or rows.
type lane struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStatements is how many texts are prepared on a lane: those that are built at run time must not grow it without end.
const maxStatements = 512

// stmt gives a query prepared, nil where it cannot be or there are too many.
func (l *lane) stmt(query string) *sql.Stmt {
	if s := l.stmts[query]; s != nil {
		return s
	}
	if len(l.stmts) >= maxStatements {
		return nil
	}
	s, err := l.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil // it says what is wrong when it is run
	}
	l.stmts[query] = s
	return s
}

// run runs a statement without rows.
func (l *lane) run(ctx context.Context, query string) error {
	var err error
	if s := l.stmt(query); s != nil {
		_, err = s.ExecContext(ctx)
	} else {
		_, err = l.conn.ExecContext(ctx, query)
	}
	return err
}

func (l *lane) close() {
	for _, s := range l.stmts {
		s.Close()
	}
	l.conn.Close()
}

// lanes are the lanes of one handle: as many as it may have connections.
type lanes struct {
	db   *sql.DB
	room chan struct{} // holds one for each lane that is taken

	mu     sync.Mutex // owns the rest
	free   []*lane    // the one that was used last is taken first: what it has read is still there
	closed bool
	waits  int64
	waited time.Duration
}

func newLanes(db *sql.DB, most int) *lanes { return &lanes{db: db, room: make(chan struct{}, most)} }

// take gives a lane to one transaction, and waits for one until ctx ends.
func (s *lanes) take(ctx context.Context) (*lane, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s.room <- struct{}{}:
	default:
		start := time.Now()
		select {
		case s.room <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		s.mu.Lock()
		s.waits, s.waited = s.waits+1, s.waited+time.Since(start)
		s.mu.Unlock()
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.room
		return nil, sql.ErrConnDone
	}
	if n := len(s.free); n > 0 {
		l := s.free[n-1]
		s.free = s.free[:n-1]
		s.mu.Unlock()
		return l, nil
	}
	s.mu.Unlock()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		<-s.room
		return nil, err
	}
	return &lane{conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

// give takes a lane back; err is what went wrong with it itself, after which it is not used any more.
func (s *lanes) give(l *lane, err error) {
	s.mu.Lock()
	keep := !s.closed && !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, sql.ErrConnDone)
	if keep {
		s.free = append(s.free, l)
	}
	s.mu.Unlock()
	if !keep {
		l.close()
	}
	<-s.room
}

// close closes the lanes that are free, and the others when they are given back.
func (s *lanes) close() {
	s.mu.Lock()
	free := s.free
	s.free, s.closed = nil, true
	s.mu.Unlock()
	for _, l := range free {
		l.close()
	}
}

func (s *lanes) stats() sql.DBStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := len(s.room)
	return sql.DBStats{MaxOpenConnections: cap(s.room), OpenConnections: used + len(s.free), InUse: used, Idle: len(s.free), WaitCount: s.waits, WaitDuration: s.waited}
}

// beginOnLane begins a transaction. To begin to write may wait for another process, until ctx ends.
func (db *DB) beginOnLane(ctx context.Context, write bool) (*Tx, error) {
	of, text, waiting := db.readers, "BEGIN", context.Background()
	if write {
		of, text, waiting = db.writer, "BEGIN IMMEDIATE", ctx
	}
	l, err := of.take(ctx)
	if err != nil {
		return nil, err
	}
	tx := &Tx{ctx: context.Background(), ends: ctx, lane: l, of: of}
	if err := l.run(waiting, text); err != nil {
		tx.end() // it may have begun all the same
		return nil, errors.Join(ctx.Err(), err)
	}
	return tx, nil
}
