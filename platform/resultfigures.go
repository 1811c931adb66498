package platform

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// pushed counts a try to push an event.
func (c counters) pushed(failed error) {
	outcome := "taken"
	switch jitsuin.CodeOf(failed) {
	case "webhook-answered":
		outcome = "answered"
	case "webhook-address", "webhook-url":
		outcome = "refused"
	case "webhook-unreachable":
		outcome = "unreachable"
	}
	c.pushes.WithLabelValues(outcome).Inc()
}

var (
	queueWaiting    = metrics.NewGauge("platform_queue_waiting", "Checks that wait to be made: items of batches, and what residents submitted.")
	queueOverdue    = metrics.NewGauge("platform_queue_overdue_seconds", "For how long the check that has been due for longest has not been made; 0 where none is due.")
	eventsWaiting   = metrics.NewGauge("platform_events_waiting", "Events for tenants with a webhook that were neither taken nor acknowledged.")
	eventsOldest    = metrics.NewGauge("platform_events_oldest_seconds", "How old the oldest of them is; 0 where there is none.")
	webhooksFailing = metrics.NewGauge("platform_webhooks_failing", "Tenants whose address did not take the last event that was sent to it.")
	webhooksStopped = metrics.NewGauge("platform_webhooks_stopped", "Tenants to whom nothing is pushed any more because their address took nothing for too long.")
	copiesKept      = metrics.NewGauge("platform_copies", "Documents of residents that wait for their tenant.")
	copiesDue       = metrics.NewGauge("platform_copies_due", "Documents of residents whose last day is over and that are still there.")
)

// resultState is how results fare on their way to tenants, at a moment. due and oldest are wall times, 0 for none.
type resultState struct {
	waiting, events, failing, stopped, copies, over int64
	due, oldest                                     int64
}

// resultsNow looks it up; today is the civil day.
func resultsNow(tx *store.Tx, now time.Time, today jitsuin.Date) (s resultState, err error) {
	for _, q := range []struct {
		query string
		args  []any
		into  []any
	}{
		{`/* every tenant: the operator's figures */ SELECT COUNT(*) FROM queued_checks WHERE state = $1`, []any{api.StateWaiting}, []any{&s.waiting}},
		{`/* every tenant: the operator's figures */ SELECT COALESCE(MIN(CASE WHEN next_try > queued_at THEN next_try ELSE queued_at END), 0) FROM queued_checks WHERE state = $1 AND next_try <= $2`,
			[]any{api.StateWaiting, store.Micros(now)}, []any{&s.due}},
		{`/* every tenant: the operator's figures */ SELECT COUNT(*), COALESCE(MIN(e.stored_at), 0) FROM webhooks w JOIN tenant_outboxes o ON o.tenant = w.tenant
			JOIN tenant_events e ON e.tenant = w.tenant AND e.n > w.sent_n AND e.n > o.read_n`, nil, []any{&s.events, &s.oldest}},
		{`/* every tenant: the operator's figures */ SELECT COALESCE(SUM(CASE WHEN tries > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(stopped), 0) FROM webhooks`, nil, []any{&s.failing, &s.stopped}},
		{`/* every tenant: the operator's figures */ SELECT COUNT(*), COALESCE(SUM(CASE WHEN destroy_on < $1 THEN 1 ELSE 0 END), 0) FROM submissions WHERE state = $2`,
			[]any{today.String(), api.SubmissionReady}, []any{&s.copies, &s.over}},
	} {
		if err := tx.QueryRow(q.query, q.args...).Scan(q.into...); err != nil {
			return s, err
		}
	}
	return s, nil
}

// readResults gives it to the operator's figures.
func (p *Platform) readResults(ctx context.Context, w *metrics.Writer) error {
	now, today := time.Now(), jitsuin.DateOf(p.Clock.Now())
	var s resultState
	if err := p.DB.View(ctx, func(tx *store.Tx) (err error) { s, err = resultsNow(tx, now, today); return err }); err != nil {
		return err
	}
	for f, v := range map[metrics.Figure]float64{queueWaiting: float64(s.waiting), queueOverdue: age(s.due, now), eventsWaiting: float64(s.events), eventsOldest: age(s.oldest, now),
		webhooksFailing: float64(s.failing), webhooksStopped: float64(s.stopped), copiesKept: float64(s.copies), copiesDue: float64(s.over)} {
		w.Set(f, v)
	}
	return nil
}

// age is how long ago a stored instant is, in seconds; 0 for none.
func age(micros int64, now time.Time) float64 {
	if micros == 0 {
		return 0
	}
	return max(0, now.Sub(store.Time(micros)).Seconds())
}
