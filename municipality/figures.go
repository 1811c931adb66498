package municipality

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

var (
	casesOpen = metrics.NewGauge("municipality_cases_open", "Cases of the counter that are not closed, by type and state.", "type", "state")
	casesDue  = metrics.NewGauge("municipality_cases_due", "Cases in which the town has something to do by itself, without a person.")
	casesAge  = metrics.NewGauge("municipality_cases_due_oldest_seconds", "For how long in civil time the longest of them has waited.")
	numbers   = metrics.NewGauge("municipality_numbers_left", "Unused numbers that the network has set aside for new residents of this town.")
)

// longestLook is how many waiting cases are looked at for the oldest: they are moments old unless
// something stands still, and then any of them tells.
const longestLook = 200

// readFigures gives what is the town's own.
func (t *Town) readFigures(ctx context.Context, w *metrics.Writer) error {
	type count struct {
		kind, state string
		n           float64
	}
	var open []count
	var updated []time.Time
	var due, left float64
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		open, err = store.Collect(func(s store.Scanner) (c count, err error) { return c, s.Scan(&c.kind, &c.state, &c.n) })(
			tx.Query(`SELECT type, state, COUNT(*) FROM counter_case WHERE id IN (SELECT id FROM open_case) GROUP BY type, state`))
		if err != nil {
			return err
		}
		if err = tx.QueryRow(`SELECT COUNT(*) FROM counter_case WHERE due = 1`).Scan(&due); err != nil {
			return err
		}
		if err = tx.QueryRow(`SELECT COUNT(*) FROM number_stock WHERE used = 0`).Scan(&left); err != nil {
			return err
		}
		updated, err = store.Collect(scanUpdated)(tx.Query(`SELECT body FROM counter_case WHERE due = 1 LIMIT $1`, longestLook))
		return err
	})
	if err != nil {
		return err
	}
	states := map[[2]string]float64{}
	for _, kind := range []api.ApplicationType{api.NewCard, api.Reissue} {
		for _, state := range []api.ApplicationState{api.Received, api.InquirySent, api.Checked, api.Notified, api.Delivered, api.Ready} {
			states[[2]string{string(kind), string(state)}] = 0
		}
	}
	for _, c := range open {
		states[[2]string{c.kind, c.state}] = c.n
	}
	for of, n := range states {
		w.Set(casesOpen, n, of[0], of[1])
	}
	oldest := time.Duration(0)
	for _, at := range updated {
		oldest = max(oldest, t.Clock.Now().Sub(at))
	}
	w.Set(casesDue, due)
	w.Set(casesAge, oldest.Seconds())
	w.Set(numbers, left)
	return nil
}

// scanUpdated reads of a case nothing but when it last changed.
func scanUpdated(s store.Scanner) (time.Time, error) {
	var body string
	if err := s.Scan(&body); err != nil {
		return time.Time{}, err
	}
	var c struct {
		UpdatedAt time.Time `json:"updated_at"`
	}
	return c.UpdatedAt, json.Unmarshal([]byte(body), &c)
}
