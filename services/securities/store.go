package securities

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// request leads a browser to its holder and back; see the table.
type request struct {
	txn         jitsuin.ID
	act         api.Act
	state       string
	browser     string
	application string
	open        string
	expiresAt   time.Time // wall
	answer      string
	code        string
	usedAt      time.Time // wall; zero before
	outcome     outcome
	customer    jitsuin.ID
}

const requestColumns = `txn, act, state, browser, application, open, expires_at, answer, code, used_at, outcome, customer`

func scanRequest(s store.Scanner) (r request, err error) {
	var ends, used int64
	err = s.Scan(&r.txn, &r.act, &r.state, &r.browser, &r.application, &r.open, &ends, &r.answer, &r.code, &used, &r.outcome, &r.customer)
	r.expiresAt = store.Time(ends)
	if used != 0 {
		r.usedAt = store.Time(used)
	}
	return r, err
}

func putRequest(tx *store.Tx, r request) error {
	_, err := tx.Exec(`INSERT INTO requests (`+requestColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', 0, '', '')`,
		r.txn, string(r.act), r.state, hashed(r.browser), r.application, r.open, store.Micros(r.expiresAt))
	return err
}

// newRequest is the request that the platform made, bound to a browser.
func newRequest(made client.MadeRequest, act api.Act, state, browser, application string) request {
	return request{txn: made.Txn, act: act, state: state, browser: browser, application: application, open: made.Open, expiresAt: made.ExpiresAt}
}

func putApplication(tx *store.Tx, a application, encoded []byte) error {
	_, err := tx.Exec(`INSERT INTO applications (number, form, drawn_at, expires_at, outcome, decided_at, customer, verification, report, items)
		VALUES ($1, $2, $3, $4, '', 0, '', '', 'null', 'null')`, a.Number, encoded, store.Micros(a.DrawnAt), store.Micros(a.ExpiresAt))
	return err
}

// getApplication gives an application with what was received for it; NotFound for none.
func getApplication(tx *store.Tx, number string) (application, error) {
	a := application{Number: number}
	var encoded, report []byte
	var drawn, ends, decided int64
	err := tx.QueryRow(`SELECT form, drawn_at, expires_at, outcome, decided_at, customer, verification, report FROM applications WHERE number = $1`, number).
		Scan(&encoded, &drawn, &ends, &a.Outcome, &decided, &a.Customer, &a.Verification, &report)
	if errors.Is(err, sql.ErrNoRows) {
		return a, jitsuin.Errorf(jitsuin.NotFound, "application-unknown", "there is no application with this number")
	}
	if err != nil {
		return a, err
	}
	a.DrawnAt, a.ExpiresAt = store.Time(drawn), store.Time(ends)
	if decided != 0 {
		a.DecidedAt = store.Time(decided)
	}
	if err := errors.Join(json.Unmarshal(encoded, &a.form), json.Unmarshal(report, &a.Report)); err != nil {
		return a, err
	}
	d := &signedDocument{}
	var at int64
	err = tx.QueryRow(`SELECT received_at, content, signature, check_id FROM documents WHERE application = $1`, number).Scan(&at, &d.content, &d.signature, &d.checkID)
	if errors.Is(err, sql.ErrNoRows) {
		return a, nil
	}
	d.receivedAt = store.Time(at)
	a.signed = d
	return a, err
}

// settleApplication stores what became of an application, unless something did already: then it gives false.
func settleApplication(tx *store.Tx, number string, d decision, customer jitsuin.ID, at time.Time) (bool, error) {
	report, err := json.Marshal(d.report)
	if err != nil {
		return false, err
	}
	var kept *jitsuin.FourItems // of nobody but a customer
	if customer != "" {
		kept = d.checked.Items
	}
	items, err := json.Marshal(kept)
	if err != nil {
		return false, err
	}
	r, err := tx.Exec(`UPDATE applications SET outcome = $1, decided_at = $2, customer = $3, verification = $4, report = $5, items = $6 WHERE number = $7 AND outcome = ''`,
		string(d.outcome), store.Micros(at), customer, d.verification, string(report), string(items), number)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// forgetApplications drops requests that are over, and applications that came to nothing, by wall time.
func forgetApplications(tx *store.Tx, now time.Time) error {
	if _, err := tx.Exec(`DELETE FROM requests WHERE expires_at < $1`, store.Micros(now.Add(-24*time.Hour))); err != nil {
		return err
	}
	over := store.Micros(now.Add(-applicationLife))
	if _, err := tx.Exec(`DELETE FROM documents WHERE application IN (SELECT number FROM applications WHERE expires_at < $1 AND outcome NOT IN ('opened', 'known'))`, over); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM applications WHERE expires_at < $1 AND outcome NOT IN ('opened', 'known')`, over)
	return err
}
