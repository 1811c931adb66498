package actor

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

func ownMigrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

// The clock feed: one subject whose state is how far civil time is ahead of wall time.
const (
	TopicClock   = "clock"
	TypeClock    = "clock.moved"
	ClockSubject = "civil"
)

// ClockMoved is the body of a clock event.
type ClockMoved struct {
	OffsetMicros int64 `json:"offset_us"`
}

// initClock restores the civil clock as it was and follows the clock feed, if the configuration names one.
func (a *Actor) initClock(ctx context.Context) error {
	offset, err := a.storedOffset(ctx)
	if err != nil {
		return err
	}
	a.Clock = clock.New(offset)
	a.Go("clock", a.keepClock)
	if a.Config.Clock != "" && a.Config.Clock != a.Self.ID {
		a.Follow(a.Config.Clock, TopicClock, func(_ context.Context, tx *store.Tx, e feed.Event) error {
			var m ClockMoved
			if err := e.Decode(&m); err != nil {
				return err
			}
			return a.SetClock(tx, time.Duration(m.OffsetMicros)*time.Microsecond)
		})
	}
	httpapi.Register(a.API, httpapi.Operation{ID: "clock", Method: "GET", Path: "/clock", Summary: "Civil time here",
		Description: "With fired, answers once all that was due at or before that time has fired (at most after 10 s).",
		Policy:      httpapi.Public("the time is no secret")}, a.clockNow)
	return nil
}

func (a *Actor) storedOffset(ctx context.Context) (time.Duration, error) {
	return StoredOffset(ctx, a.DB, a.Config.ClockOffset)
}

// StoredOffset reads how far civil time is ahead from an actor's database, which may be one that is only open for
// reading; what the configuration says where nothing is stored.
func StoredOffset(ctx context.Context, db *store.DB, configured time.Duration) (time.Duration, error) {
	micros := configured.Microseconds()
	err := db.View(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(`SELECT offset_micros FROM civil_clock WHERE one = 1`).Scan(&micros)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return time.Duration(micros) * time.Microsecond, err
}

const clockSignal = "actor.clock"

// SetClock stores a new offset in the transaction; the clock moves once it is committed.
func (a *Actor) SetClock(tx *store.Tx, offset time.Duration) error {
	_, err := tx.Exec(`INSERT INTO civil_clock (one, offset_micros) VALUES (1, $1)
		ON CONFLICT (one) DO UPDATE SET offset_micros = excluded.offset_micros WHERE excluded.offset_micros > civil_clock.offset_micros`,
		offset.Microseconds())
	tx.AfterCommit(func() { a.Clock.Set(offset) })
	tx.Notify(clockSignal)
	return err
}

// keepClock moves the clock to what is stored, also where a commit took effect and nobody learnt of it.
func (a *Actor) keepClock(ctx context.Context) error {
	signals, stop := a.DB.Watch(clockSignal)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
		}
		offset, err := a.storedOffset(ctx)
		if err != nil {
			return err // the task is started again
		}
		a.Clock.Set(offset)
	}
}

type clockIn struct {
	Fired time.Time `query:"fired" doc:"wait until all that was due by then has fired"`
}

// ClockState is the answer of GET /clock.
type ClockState struct {
	Now          time.Time `json:"now"`
	OffsetMicros int64     `json:"offset_us"`
	FiredThrough time.Time `json:"fired_through"`
}

type clockOut struct{ Body ClockState }

func (a *Actor) clockNow(ctx context.Context, in *clockIn) (*clockOut, error) {
	if !in.Fired.IsZero() {
		wait, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := a.schedule.WaitFired(wait, in.Fired); err != nil {
			return nil, jitsuin.Errorf(jitsuin.Unavailable, "not-fired", "what was due by %s has not all fired yet", in.Fired.Format(time.RFC3339))
		}
	}
	return &clockOut{ClockState{a.Clock.Now(), a.Clock.Offset().Microseconds(), a.schedule.FiredThrough()}}, nil
}
