package minister

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

const (
	columns   = `id, verifier, name, ground, granted_on, until, state, reason`
	selectAll = `SELECT ` + columns + ` FROM accreditations ORDER BY verifier, number`
	selectOne = `SELECT ` + columns + ` FROM accreditations WHERE id = $1`
	// selectLast finds the newest accreditation of a verifier.
	selectLast = `SELECT ` + columns + `, number FROM accreditations WHERE verifier = $1 ORDER BY number DESC LIMIT 1`

	upsert = `INSERT INTO accreditations (id, verifier, name, ground, granted_on, until, state, reason, number)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, until = excluded.until, state = excluded.state, reason = excluded.reason`
	insertDecision = `INSERT INTO decisions (accreditation, number, decided_at, decided_by, state, until, reason, official)
		SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6, $7 FROM decisions WHERE accreditation = $1`
	selectDecisions = `SELECT decided_at, decided_by, state, until, reason, official FROM decisions WHERE accreditation = $1 ORDER BY number`
)

func scan(s store.Scanner, more ...any) (a api.Accreditation, err error) {
	var granted, until string
	err = s.Scan(append([]any{&a.ID, &a.Verifier, &a.Name, &a.Ground, &granted, &until, &a.State, &a.Reason}, more...)...)
	if err != nil {
		return a, err
	}
	err = errors.Join(a.GrantedOn.UnmarshalText([]byte(granted)), a.Until.UnmarshalText([]byte(until)))
	return a, err
}

// list gives every accreditation, ordered by verifier.
func list(ctx context.Context, db *store.DB) (all []api.Accreditation, err error) {
	err = db.View(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(func(s store.Scanner) (api.Accreditation, error) { return scan(s) })(tx.Query(selectAll))
		return err
	})
	return all, err
}

// find gives one accreditation with its history.
func find(ctx context.Context, db *store.DB, id jitsuin.ID) (a api.Accreditation, h []api.Step, err error) {
	err = db.View(ctx, func(tx *store.Tx) error {
		var err error
		if a, err = scan(tx.QueryRow(selectOne, id)); err != nil {
			return err
		}
		h, err = store.Collect(scanStep)(tx.Query(selectDecisions, id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "accreditation-unknown", "there is no such accreditation")
	}
	return a, h, err
}

func scanStep(s store.Scanner) (h api.Step, err error) {
	var micros int64
	var until string
	if err := s.Scan(&micros, &h.By, &h.State, &until, &h.Reason, &h.Official); err != nil {
		return h, err
	}
	h.At = store.Time(micros)
	err = h.Until.UnmarshalText([]byte(until))
	return h, err
}

// last gives the newest accreditation of a verifier and how many there have been; zero for none.
func last(tx *store.Tx, verifier string) (a api.Accreditation, number int64, err error) {
	a, err = scan(tx.QueryRow(selectLast, verifier), &number)
	if errors.Is(err, sql.ErrNoRows) {
		return api.Accreditation{}, 0, nil
	}
	return a, number, err
}

// save stores a and the decision that made it so.
func save(tx *store.Tx, a api.Accreditation, number int64, at time.Time, by who) error {
	if _, err := tx.Exec(upsert, a.ID, a.Verifier, a.Name, a.Ground, a.GrantedOn.String(), a.Until.String(), a.State, a.Reason, number); err != nil {
		return err
	}
	_, err := tx.Exec(insertDecision, a.ID, store.Micros(at), by.instance, a.State, a.Until.String(), a.Reason, by.official)
	return err
}
