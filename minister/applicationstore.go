package minister

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

// applicationSignal is given when some application has changed.
const applicationSignal = "minister.application"

// who acts: the instance that called, and the person of the office where there is one.
type who struct{ instance, official string }

// said is what an act on an application, or on an audit, said.
type said struct {
	Criteria []string `json:"criteria,omitempty"`
	Outcome  string   `json:"outcome,omitempty"`
	Words    string   `json:"words,omitempty"`
	// Request is what was filed or amended, whole.
	Request any `json:"request,omitempty"`
}

func scanApplication(s store.Scanner) (a api.Application, err error) {
	var body string
	if err := s.Scan(&body); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return a, fmt.Errorf("a stored application: %w", err)
	}
	return a, nil
}

// getApplication gives an application; NotFound where there is none, or where it is not verifier's, unless verifier is "".
func getApplication(tx *store.Tx, id jitsuin.ID, verifier string) (api.Application, error) {
	a, err := scanApplication(tx.QueryRow(`SELECT body FROM application WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && verifier != "" && a.Verifier != verifier {
		return api.Application{}, jitsuin.Errorf(jitsuin.NotFound, "application-unknown", "there is no such application")
	}
	return a, err
}

// listApplications gives a verifier's applications, or everybody's, the newest last.
func listApplications(tx *store.Tx, verifier string) ([]api.Application, error) {
	if verifier != "" {
		return store.Collect(scanApplication)(tx.Query(`SELECT body FROM application WHERE verifier = $1 ORDER BY number`, verifier))
	}
	return store.Collect(scanApplication)(tx.Query(`SELECT body FROM application ORDER BY verifier, number`))
}

// putApplication stores an application with the act that made it so, and tells who waits.
func putApplication(tx *store.Tx, a *api.Application, act string, by who, at time.Time, what said) error {
	a.Version, a.UpdatedAt = a.Version+1, at
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if a.Version == 1 {
		_, err = tx.Exec(`INSERT INTO application (id, verifier, number, state, version, body) SELECT $1, $2, COUNT(*) + 1, $3, $4, $5 FROM application WHERE verifier = $2`,
			a.ID, a.Verifier, a.State, a.Version, string(body))
	} else {
		_, err = tx.Exec(`UPDATE application SET state = $2, version = $3, body = $4 WHERE id = $1`, a.ID, a.State, a.Version, string(body))
	}
	if err != nil {
		return err
	}
	words, err := json.Marshal(what)
	if err != nil {
		return err
	}
	tx.Notify(applicationSignal)
	_, err = tx.Exec(`INSERT INTO application_step (application, number, at, act, actor, official, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Version, store.Micros(at), act, by.instance, by.official, string(words))
	return err
}

func applicationSteps(tx *store.Tx, id jitsuin.ID) ([]api.ApplicationStep, error) {
	return store.Collect(func(s store.Scanner) (step api.ApplicationStep, err error) {
		var micros int64
		var body string
		if err := s.Scan(&micros, &step.Act, &step.By, &step.Official, &body); err != nil {
			return step, err
		}
		var what said
		if err := json.Unmarshal([]byte(body), &what); err != nil {
			return step, fmt.Errorf("a stored step: %w", err)
		}
		step.At, step.Criteria, step.Outcome, step.Words = store.Time(micros), what.Criteria, what.Outcome, what.Words
		return step, nil
	})(tx.Query(`SELECT at, act, actor, official, body FROM application_step WHERE application = $1 ORDER BY number`, id))
}
