package console

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// actSignal is given when some act has come further.
const actSignal = "console.act"

func scanAct(s store.Scanner) (*actFile, error) {
	var body string
	if err := s.Scan(&body); err != nil {
		return nil, err
	}
	a := &actFile{}
	return a, json.Unmarshal([]byte(body), a)
}

// readAct gives an act; NotFound where there is none.
func readAct(tx *store.Tx, id jitsuin.ID) (*actFile, error) {
	a, err := scanAct(tx.QueryRow(`SELECT body FROM act WHERE id = $1`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "act-unknown", "the console has done no such act")
	}
	return a, err
}

// insertAct stores a new act. An act that is there already (the same click once more) is given back and
// nothing is stored; a person for whom another act is under way is a Conflict "act-running".
func insertAct(tx *store.Tx, a *actFile) (had *actFile, err error) {
	had, err = readAct(tx, a.ID)
	if jitsuin.KindOf(err) != jitsuin.NotFound {
		return had, err
	}
	var n int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM act WHERE subject = $1 AND state = $2`, string(a.Subject), actRunning).Scan(&n); err != nil {
		return nil, err
	}
	if n > 0 {
		return nil, jitsuin.Errorf(jitsuin.Conflict, "act-running", "another act for this person is under way")
	}
	return nil, saveAct(tx, a)
}

// saveAct stores how far an act has come and tells who follows it.
func saveAct(tx *store.Tx, a *actFile) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode an act: %w", err)
	}
	story := 0
	if a.Story {
		story = 1
	}
	_, err = tx.Exec(`INSERT INTO act (id, subject, kind, state, story, rev, started_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, rev = excluded.rev, body = excluded.body`,
		string(a.ID), string(a.Subject), string(a.Kind), a.State, story, a.Rev, store.Micros(a.Started), string(body))
	tx.Notify(actSignal)
	return err
}

// runningActs lists the acts that are under way.
func runningActs(tx *store.Tx) ([]*actFile, error) {
	return store.Collect(scanAct)(tx.Query(`SELECT body FROM act WHERE state = $1 ORDER BY started_at, id`, actRunning))
}

// mostActs is how many of a person's acts a page shows.
const mostActs = 50

// actsOf lists what was done for a person, the newest first.
func actsOf(tx *store.Tx, subject jitsuin.ID) ([]*actFile, error) {
	return store.Collect(scanAct)(tx.Query(`SELECT body FROM act WHERE subject = $1 ORDER BY started_at DESC, id LIMIT $2`, string(subject), mostActs))
}

// storyBegin gives the act that began the story which is told now, nil before the first.
func storyBegin(tx *store.Tx) (*actFile, error) {
	a, err := scanAct(tx.QueryRow(`SELECT body FROM act WHERE story = 1 AND kind = $1 ORDER BY started_at DESC, id LIMIT 1`, string(actBegin)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return a, err
}

// act reads an act.
func (d *desk) act(ctx context.Context, id jitsuin.ID) (a *actFile, err error) {
	err = d.DB.View(ctx, func(tx *store.Tx) error {
		a, err = readAct(tx, id)
		return err
	})
	return a, err
}

// actsOf reads what was done for a person.
func (d *desk) actsOf(ctx context.Context, subject jitsuin.ID) (all []*actFile, err error) {
	err = d.DB.View(ctx, func(tx *store.Tx) error {
		all, err = actsOf(tx, subject)
		return err
	})
	return all, err
}
