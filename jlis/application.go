package jlis

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
)

// States of an application. A waiting one has left nothing; see issue.go for the steps between.
const (
	appWaiting   = "waiting"   // for its place in the register, and then for the check
	appIntended  = "intended"  // the certificates' bytes are recorded
	appIssued    = "issued"    // the certificates exist; a new card waits for them to be written
	appDelivered = "delivered" // the municipality has been told
	appRefused   = "refused"
)

// application is a case of the Agency.
type application struct {
	api.Application
	State     string
	AppliedAt time.Time // civil time at which the municipality recorded it
}

// applyApplication takes in the applications of one municipality.
func (a *Agency) applyApplication(town jitsuin.MunicipalityCode) func(context.Context, *store.Tx, feed.Event) error {
	return func(_ context.Context, tx *store.Tx, e feed.Event) error {
		if e.Type != api.TypeApplication {
			return jitsuin.Errorf(jitsuin.Invalid, "event-unknown", "municipality %s sent an event of the type %q", town, e.Type)
		}
		var in api.Application
		if err := e.Decode(&in); err != nil {
			return err
		}
		if in.Municipality != town {
			return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "municipality %s applies for %s", town, in.Municipality)
		}
		for _, id := range []jitsuin.ID{in.ID, in.Subject} {
			if _, err := jitsuin.ParseID(string(id)); err != nil {
				return err
			}
		}
		return takeIn(tx, in, e.RecordedAt)
	}
}

func takeIn(tx *store.Tx, in api.Application, appliedAt time.Time) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var had string
	err = tx.QueryRow(`SELECT body FROM application WHERE id = $1`, string(in.ID)).Scan(&had)
	switch {
	case err == nil && had == string(body):
		return nil
	case err == nil:
		return jitsuin.Errorf(jitsuin.Conflict, "application-known", "there is another application with this identifier")
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	_, err = tx.Exec(`INSERT INTO application (id, subject, municipality, epoch, n, state, body, applied_at, received_at, code)
		VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8, '')`,
		string(in.ID), string(in.Subject), string(in.Municipality), in.Position.Epoch, in.Position.N, string(body),
		store.Micros(appliedAt), store.Micros(time.Now()))
	tx.Notify(applicationSignal)
	return err
}

func findApplication(tx *store.Tx, id jitsuin.ID) (app application, err error) {
	var body string
	var at int64
	err = tx.QueryRow(`SELECT state, body, applied_at FROM application WHERE id = $1`, string(id)).Scan(&app.State, &body, &at)
	if err != nil {
		return app, err
	}
	app.AppliedAt = store.Time(at)
	return app, json.Unmarshal([]byte(body), &app.Application)
}

// moveApplication moves an application on; one that stands elsewhere by now is a Conflict.
func moveApplication(tx *store.Tx, id jitsuin.ID, from, to, code string) error {
	res, err := tx.Exec(`UPDATE application SET state = $3, code = $4 WHERE id = $1 AND state = $2`, string(id), from, to, code)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return jitsuin.Errorf(jitsuin.Conflict, "application-moved", "the application is not %s any more: %w", from, err)
	}
	return nil
}

// maxParked is how many parked events are looked through; with more nothing is sure.
const maxParked = 1000

// reached tells whether the register is as new as the application demands: the network has passed
// on all notices up to its position, and none of the person's is parked here.
func (a *Agency) reached(tx *store.Tx, app api.Application) (bool, error) {
	var mark jitsuin.Position
	err := tx.QueryRow(`SELECT epoch, n FROM town_mark WHERE municipality = $1`, string(app.Municipality)).Scan(&mark.Epoch, &mark.N)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil || mark.Compare(app.Position) < 0 {
		return false, err
	}
	parked, err := feed.Parked(tx, a.cfg.Jukinet, jukinet.TopicToJLIS, maxParked)
	if err != nil || len(parked) == maxParked {
		return false, err
	}
	for _, p := range parked {
		if p.Subject == string(app.Subject) {
			return false, nil
		}
	}
	return true, nil
}

const (
	workers     = 4           // applications worked on at a time
	workAgain   = time.Second // after a failure, and as a safety net without a signal
	maxRunnable = 1000
)

// workApplications brings applications forward as they can go on.
func (a *Agency) workApplications(ctx context.Context) error {
	signals, stop := a.DB.Watch(applicationSignal)
	defer stop()
	tick := time.NewTicker(workAgain)
	defer tick.Stop()
	w := crew{agency: a, busy: map[jitsuin.ID]bool{}, pause: map[jitsuin.ID]time.Time{}, done: make(chan outcome, workers)}
	defer w.all.Wait()
	for {
		if err := w.start(ctx); err != nil && ctx.Err() == nil {
			a.Log.ErrorContext(ctx, "applications cannot be read", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
		case <-tick.C:
		case o := <-w.done:
			w.note(ctx, o)
		}
	}
}

// crew is the applications that are being worked on.
type crew struct {
	agency *Agency
	busy   map[jitsuin.ID]bool
	pause  map[jitsuin.ID]time.Time // until when a failed one rests
	done   chan outcome
	all    sync.WaitGroup
}

type outcome struct {
	id  jitsuin.ID
	err error
}

func (w *crew) start(ctx context.Context) error {
	if len(w.busy) == workers {
		return nil
	}
	ids, err := w.agency.runnable(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if len(w.busy) == workers {
			return nil
		}
		if w.busy[id] || time.Now().Before(w.pause[id]) {
			continue
		}
		w.busy[id] = true
		w.all.Go(func() { w.done <- outcome{id, w.agency.issue(ctx, id)} })
	}
	return nil
}

func (w *crew) note(ctx context.Context, o outcome) {
	delete(w.busy, o.id)
	delete(w.pause, o.id)
	if o.err == nil {
		return
	}
	w.pause[o.id] = time.Now().Add(workAgain)
	if ctx.Err() == nil && !errors.Is(o.err, errNotReached) {
		w.agency.Log.ErrorContext(ctx, "an application does not go on and is tried again", "application", o.id, "err", o.err)
	}
}

// runnable lists applications that are not at their end and, where they wait for the register,
// whose position has come; the oldest first.
func (a *Agency) runnable(ctx context.Context) (ids []jitsuin.ID, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		ids, err = store.Collect(func(s store.Scanner) (id jitsuin.ID, err error) { return id, s.Scan(&id) })(
			tx.Query(`SELECT a.id FROM application a LEFT JOIN town_mark m ON m.municipality = a.municipality
				WHERE a.state IN ('intended', 'issued')
				OR (a.state = 'waiting' AND (m.epoch > a.epoch OR (m.epoch = a.epoch AND m.n >= a.n)))
				ORDER BY a.received_at, a.id LIMIT $1`, maxRunnable))
		return err
	})
	return ids, err
}

// requestOf puts the work on an application under the request that began it.
func requestOf(ctx context.Context, app application) context.Context {
	if app.RequestID == "" {
		return ctx
	}
	return httpapi.WithRequestID(ctx, app.RequestID)
}
