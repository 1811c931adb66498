package records

import (
	"database/sql"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Tables are those in which something of a record stands, for the cleaning of the database.
var Tables = []string{"vault_records", "record_entries", "record_contracts", "record_holds"}

// Ended is a record whose last day is over, with the id of the certificate of its destruction.
type Ended struct {
	ID, Certificate jitsuin.ID
	Tenant          string
}

// NextEnd gives the first last day of a record that nobody holds; "" for none.
func NextEnd(tx *store.Tx) (last string, err error) {
	err = tx.QueryRow(`/* every tenant: what falls due */ SELECT COALESCE(MIN(keep_until), '') FROM vault_records WHERE keep_until <> '' AND held = 0`).Scan(&last)
	return last, err
}

// Ends lists the first last days to come, with how many records end on each.
func Ends(tx *store.Tx) (days []string, counts []int, err error) {
	rows, err := tx.Query(`/* every tenant: what falls due */ SELECT keep_until, COUNT(*) FROM vault_records WHERE keep_until <> '' AND held = 0 GROUP BY keep_until ORDER BY keep_until LIMIT 200`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var day string
		var n int
		if err := rows.Scan(&day, &n); err != nil {
			return nil, nil, err
		}
		days, counts = append(days, day), append(counts, n)
	}
	return days, counts, rows.Err()
}

// Due lists records whose last day is before today and that nobody holds, at most so many. Ids of certificates are drawn.
func Due(tx *store.Tx, today jitsuin.Date, limit int) ([]Ended, error) {
	return store.Collect(func(s store.Scanner) (e Ended, err error) {
		e.Certificate = jitsuin.NewID()
		return e, s.Scan(&e.ID, &e.Tenant)
	})(tx.Query(`/* every tenant: the end of retention */ SELECT id, tenant FROM vault_records WHERE keep_until <> '' AND keep_until < $1 AND held = 0 ORDER BY keep_until LIMIT $2`, today.String(), limit))
}

// Destroy erases a record and leaves its certificate. ok is false where it was destroyed meanwhile, or is held, or has to be
// kept longer. A record that no law asks for (of the time before records had entries) leaves none, and its id is "".
func Destroy(tx *store.Tx, e Ended, at time.Time) (d api.Destruction, ok bool, err error) {
	h, err := scanHead(tx.QueryRow(`SELECT `+headColumns+` FROM vault_records WHERE tenant = $1 AND id = $2 AND held = 0 AND keep_until <> '' AND keep_until < $3`,
		e.Tenant, e.ID, jitsuin.DateOf(at).String()))
	if errors.Is(err, sql.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	for _, statement := range []string{
		`DELETE FROM record_entries WHERE tenant = $1 AND record = $2`,
		`DELETE FROM record_contracts WHERE tenant = $1 AND record = $2`,
		`DELETE FROM record_holds WHERE tenant = $1 AND record = $2`,
		`DELETE FROM vault_records WHERE tenant = $1 AND id = $2`,
	} {
		if _, err := tx.Exec(statement, e.Tenant, e.ID); err != nil {
			return d, false, err
		}
	}
	k, err := h.keeping()
	if err != nil {
		return d, true, nil // a repetition: kept for a week, by no rule of law
	}
	d = api.Destruction{ID: e.Certificate, Tenant: h.tenant, Record: h.ID, Verification: h.Verification, Kind: h.Kind, MadeAt: h.MadeAt, KeptUntil: h.KeepUntil,
		Rule: k.ID, Law: h.Law, Entries: h.Entries, Head: h.Head, DestroyedAt: at}
	_, err = tx.Exec(`INSERT INTO record_destructions (`+destructionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)`,
		d.ID, d.Tenant, d.Record, d.Verification, string(d.Kind), store.Micros(d.MadeAt), d.KeptUntil.String(), d.Rule, d.Law, d.Entries, d.Head, store.Micros(at))
	return d, true, err
}

const destructionColumns = `id, tenant, record, verification, kind, made_at, kept_until, rule, law, entries, head, destroyed_at, cleaned_at`

func scanDestruction(s store.Scanner) (d api.Destruction, err error) {
	var made, destroyed, cleaned int64
	var until string
	if err = s.Scan(&d.ID, &d.Tenant, &d.Record, &d.Verification, &d.Kind, &made, &until, &d.Rule, &d.Law, &d.Entries, &d.Head, &destroyed, &cleaned); err != nil {
		return d, err
	}
	d.MadeAt, d.DestroyedAt = store.Time(made), store.Time(destroyed)
	if cleaned != 0 {
		at := store.Time(cleaned)
		d.CleanedAt = &at
	}
	return d, d.KeptUntil.UnmarshalText([]byte(until))
}

// Unclean tells whether records were destroyed whose traces may still lie in the database's files.
func Unclean(tx *store.Tx) (yes bool, err error) {
	var n int
	err = tx.QueryRow(`/* every tenant: cleaning the files */ SELECT COUNT(*) FROM (SELECT 1 FROM record_destructions WHERE cleaned_at = 0 LIMIT 1) AS one`).Scan(&n)
	return n > 0, err
}

// Cleaned notes that the files were rid of everything that was destroyed until an instant.
func Cleaned(tx *store.Tx, until, at time.Time) error {
	_, err := tx.Exec(`/* every tenant: cleaning the files */ UPDATE record_destructions SET cleaned_at = $1 WHERE cleaned_at = 0 AND destroyed_at <= $2`, store.Micros(at), store.Micros(until))
	return err
}

// GetDestruction gives a tenant's certificate; NotFound for any other.
func GetDestruction(tx *store.Tx, tenant string, id jitsuin.ID) (api.Destruction, error) {
	d, err := scanDestruction(tx.QueryRow(`SELECT `+destructionColumns+` FROM record_destructions WHERE tenant = $1 AND id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "destruction-unknown", "there is no such certificate of yours")
	}
	return d, err
}
