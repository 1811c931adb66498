package store

import (
	"context"
	"database/sql"
)

// SQLite parses a statement each time unless it is prepared. A text seen for the first time runs
// unprepared and is prepared when the transaction has given the connection back (the writer has
// only one); from then on it is reused. pgx does the same by itself for PostgreSQL.

const maxStatements = 512 // texts that are built at run time must not grow the cache without end

type stmtKey struct {
	handle *sql.DB
	query  string
}

// prepared gives query as a statement of this transaction, nil where it is not prepared yet.
func (tx *Tx) prepared(query string) *sql.Stmt {
	if tx.db.dialect != sqlite {
		return nil
	}
	tx.db.stmtMu.RLock()
	s := tx.db.stmts[stmtKey{tx.handle(), query}]
	tx.db.stmtMu.RUnlock()
	if s == nil {
		tx.fresh = append(tx.fresh, query)
		return nil
	}
	return tx.tx.StmtContext(tx.ctx, s)
}

func (db *DB) prepare(ctx context.Context, handle *sql.DB, queries []string) {
	for _, q := range queries {
		key := stmtKey{handle, q}
		db.stmtMu.RLock()
		known, full := db.stmts[key] != nil, len(db.stmts) >= maxStatements
		db.stmtMu.RUnlock()
		if known || full {
			continue
		}
		s, err := handle.PrepareContext(ctx, q)
		if err != nil {
			continue // the statement goes on unprepared and reports its error when it runs
		}
		db.stmtMu.Lock()
		if db.stmts[key] == nil {
			db.stmts[key], s = s, nil
		}
		db.stmtMu.Unlock()
		if s != nil {
			s.Close()
		}
	}
}

func (db *DB) closeStatements() {
	db.stmtMu.Lock()
	defer db.stmtMu.Unlock()
	for key, s := range db.stmts {
		s.Close()
		delete(db.stmts, key)
	}
}
