package municipality

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// caseSignal is given when some case has changed.
const caseSignal = "municipality.case"

func scanCase(s store.Scanner) (*caseFile, error) {
	var body string
	if err := s.Scan(&body); err != nil {
		return nil, err
	}
	c := &caseFile{}
	return c, json.Unmarshal([]byte(body), c)
}

// readCase gives a case; NotFound where there is none.
func readCase(tx *store.Tx, id jitsuin.ID) (*caseFile, error) {
	c, err := scanCase(tx.QueryRow(`SELECT body FROM counter_case WHERE id = $1`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "application-unknown", "this town has no such application")
	}
	if err != nil {
		return nil, fmt.Errorf("read a case: %w", err)
	}
	return c, nil
}

// saveCase stores a case, closes its claim on the certificate kinds when it is over, and tells who waits.
func (t *Town) saveCase(tx *store.Tx, c *caseFile) error {
	c.UpdatedAt = t.Clock.Now()
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a case: %w", err)
	}
	due := 0
	if c.due() {
		due = 1
	}
	_, err = tx.Exec(`INSERT INTO counter_case (id, subject, type, state, due, body, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, due = excluded.due, body = excluded.body, updated_at = excluded.updated_at`,
		string(c.ID), string(c.Subject), string(c.Type), string(c.State), due, string(body), store.Micros(c.UpdatedAt))
	if err != nil {
		return fmt.Errorf("store a case: %w", err)
	}
	if !c.open() {
		if _, err := tx.Exec(`DELETE FROM open_case WHERE subject = $1 AND id = $2`, string(c.Subject), string(c.ID)); err != nil {
			return err
		}
	}
	tx.Notify(caseSignal)
	return nil
}

// claim takes the certificate kinds for a new case; a Conflict where an open case has one of them.
func claim(tx *store.Tx, c *caseFile) error {
	for _, kind := range c.Kinds {
		r, err := tx.Exec(`INSERT INTO open_case (subject, kind, id) VALUES ($1, $2, $3) ON CONFLICT (subject, kind) DO NOTHING`,
			string(c.Subject), string(kind), string(c.ID))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return jitsuin.Errorf(jitsuin.Conflict, "case-open", "this person has an open case for the %s certificate", kind).
				WithHint("finish or refuse that case first")
		}
	}
	return nil
}

// dueCases lists the cases in which the town has something to do.
func dueCases(tx *store.Tx) ([]jitsuin.ID, error) {
	return store.Collect(func(s store.Scanner) (jitsuin.ID, error) {
		var id string
		err := s.Scan(&id)
		return jitsuin.ID(id), err
	})(tx.Query(`SELECT id FROM counter_case WHERE due = 1 ORDER BY id`))
}

// casesOf lists a person's cases that have certificates.
func casesOf(tx *store.Tx, subject jitsuin.ID) ([]*caseFile, error) {
	return store.Collect(scanCase)(tx.Query(`SELECT body FROM counter_case WHERE subject = $1 AND state IN ($2, $3, $4) ORDER BY id`,
		string(subject), string(api.Delivered), string(api.Ready), string(api.Done)))
}

func saveChip(tx *store.Tx, card jitsuin.ID, handle string) error {
	_, err := tx.Exec(`INSERT INTO chip (card, handle) VALUES ($1, $2) ON CONFLICT (card) DO UPDATE SET handle = excluded.handle`,
		string(card), handle)
	return err
}

func readChip(tx *store.Tx, card jitsuin.ID) (handle string, err error) {
	err = tx.QueryRow(`SELECT handle FROM chip WHERE card = $1`, string(card)).Scan(&handle)
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "chip-unknown", "the chip is not here")
	}
	return handle, err
}

func dropChip(tx *store.Tx, card jitsuin.ID) error {
	_, err := tx.Exec(`DELETE FROM chip WHERE card = $1`, string(card))
	return err
}
