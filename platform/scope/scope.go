// Package scope makes the statements of one tenant. In each of them $1 is the tenant, put there by this
// package and by nobody else, and a statement that does not name it is refused before it reaches the
// database: to forget the tenant is an error that the first test sees, not a leak.
//
// It owns no table. What concerns all tenants (lists of the office, clearing up) is for *store.Tx itself,
// and belongs in functions whose names say so.
package scope

import (
	"database/sql"
	"regexp"
	"strings"
	"sync"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Tx is a transaction as one tenant may use it.
type Tx struct {
	tx     *store.Tx
	tenant string
}

// Of gives the tenant's statements in a transaction.
func Of(tx *store.Tx, tenant string) Tx { return Tx{tx, tenant} }

// Tenant gives whose statements they are.
func (t Tx) Tenant() string { return t.tenant }

// Row is the result of QueryRow.
type Row struct {
	row *store.Row
	err error
}

// Scan copies the row's columns into dest, or says sql.ErrNoRows.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dest...)
}

// QueryRow runs a statement that gives at most one row; args are $2 and on.
func (t Tx) QueryRow(query string, args ...any) Row {
	if err := t.check(query); err != nil {
		return Row{err: err}
	}
	return Row{row: t.tx.QueryRow(query, t.with(args)...)}
}

// Query runs a statement that gives rows; args are $2 and on.
func (t Tx) Query(query string, args ...any) (*store.Rows, error) {
	if err := t.check(query); err != nil {
		return nil, err
	}
	return t.tx.Query(query, t.with(args)...)
}

// Exec runs a statement that gives none; args are $2 and on.
func (t Tx) Exec(query string, args ...any) (sql.Result, error) {
	if err := t.check(query); err != nil {
		return nil, err
	}
	return t.tx.Exec(query, t.with(args)...)
}

func (t Tx) with(args []any) []any { return append([]any{t.tenant}, args...) }

func (t Tx) check(query string) error {
	if t.tenant == "" {
		return jitsuin.Errorf(jitsuin.Internal, "tenant-missing", "a tenant's statement was made for nobody")
	}
	return Check(query)
}

var (
	known  sync.Map // of texts that were checked
	spaces = regexp.MustCompile(`\s+`)
	// bound is how a statement names its tenant: a condition, the first column of a new row, or the row of the
	// tenant itself.
	bound = regexp.MustCompile(`(?i)\btenant = \$1\b|^INSERT INTO \w+ \(tenant[,)].* (VALUES|SELECT) \(?\$1\b|^(SELECT .* FROM|UPDATE) tenants\b.* WHERE id = \$1\b`)
	loose = regexp.MustCompile(`(?i)\b(OR|UNION)\b|(SET|,) tenant = `)
)

// Check refuses a statement that is not bound to the tenant in $1. It reads the text, so it is strict: one
// with OR or UNION, which might leave the condition, is refused too, and one that gives a row to another.
func Check(query string) error {
	if _, ok := known.Load(query); ok {
		return nil
	}
	text := strings.TrimSpace(spaces.ReplaceAllString(query, " "))
	if !bound.MatchString(text) || loose.MatchString(text) {
		return jitsuin.Errorf(jitsuin.Internal, "statement-without-tenant", "a statement is not bound to its tenant: %s", text)
	}
	known.Store(query, true)
	return nil
}
