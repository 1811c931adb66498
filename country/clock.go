package country

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

type moveIn struct {
	Body struct {
		To time.Time `json:"to" doc:"civil time to move to; never back"`
	}
}
type moveOut struct{ Body actor.ClockState }

// mover is the actor country:1 as the one that moves civil time.
type mover struct{ *actor.Actor }

func (c mover) offer() {
	anyone := httpapi.Checked("Every instance of the directory", func(context.Context, httpapi.Caller) error { return nil })
	c.Offer(actor.TopicClock, anyone)
	httpapi.Register(c.API, httpapi.Operation{ID: "move-clock", Method: "POST", Path: "/clock", Summary: "Move civil time forward",
		Policy: httpapi.Roles("country")}, func(ctx context.Context, in *moveIn) (*moveOut, error) {
		if err := c.move(ctx, in.Body.To); err != nil {
			return nil, err
		}
		return &moveOut{actor.ClockState{Now: c.Clock.Now(), OffsetMicros: c.Clock.Offset().Microseconds()}}, nil
	})
}

func (c mover) move(ctx context.Context, to time.Time) error {
	offset, err := c.Clock.OffsetFor(to)
	if err != nil {
		return err
	}
	offset = offset.Truncate(time.Microsecond)
	if err := writeOffset(c.Config.State, offset); err != nil {
		return err
	}
	return c.DB.Update(ctx, func(tx *store.Tx) error {
		if err := c.SetClock(tx, offset); err != nil {
			return err
		}
		_, err := feed.Append(tx, feed.Draft{Topic: actor.TopicClock, Subject: actor.ClockSubject, Type: actor.TypeClock,
			Body: actor.ClockMoved{OffsetMicros: offset.Microseconds()}, RecordedAt: to})
		return err
	})
}

// MoveClock moves the civil time of a running country and waits until every actor has done all
// that was due by then.
func MoveClock(ctx context.Context, f Folder, to time.Time) (actor.ClockState, error) {
	var state actor.ClockState
	facts, err := f.Facts()
	if err != nil {
		return state, err
	}
	self, err := f.Remote(Country, Country)
	if err != nil {
		return state, err
	}
	defer self.Close()
	if err := self.Call(ctx, "POST", "/clock", "", map[string]time.Time{"to": to}, &state); err != nil {
		return state, err
	}
	for id, n := range instances(facts.Sample()) {
		if n == 0 || id == Country || !HasClock(id) {
			continue
		}
		r, err := f.Remote(Country, id)
		if err != nil {
			return state, err
		}
		err = WaitFired(ctx, r, to)
		r.Close()
		if err != nil {
			return state, err
		}
	}
	return state, nil
}

// HasClock tells whether an instance that answers somewhere has a civil clock of its own: the card host
// has none, and the status origin that of J-LIS.
func HasClock(id string) bool { return roleOf(id) != "cards" && roleOf(id) != "status" }

// WaitFired waits until an actor's civil clock has come to t and nothing due by then is left.
func WaitFired(ctx context.Context, r *httpapi.Remote, t time.Time) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		s, err := httpapi.Do[actor.ClockState](ctx, r, "GET", "/clock?fired="+t.UTC().Format("2006-01-02T15:04:05.999999Z"), "", nil)
		if err == nil && !s.FiredThrough.Before(t.Truncate(time.Microsecond)) {
			return nil
		}
		if jitsuin.KindOf(err) != jitsuin.Unavailable && err != nil || time.Now().After(deadline) {
			return jitsuin.Errorf(jitsuin.Unavailable, "clock-behind", "%s has not done all that was due: %w", r.Target(), err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// CivilNow asks a running country for its civil time. It is Unavailable where the country does not run.
func CivilNow(ctx context.Context, f Folder) (actor.ClockState, error) {
	r, err := f.Remote(Country, Country)
	if err != nil {
		return actor.ClockState{}, err
	}
	defer r.Close()
	return httpapi.Do[actor.ClockState](ctx, r, "GET", "/clock", "", nil)
}

// offsetFile lies in the state folder of country:1 and says how far civil time is ahead of wall time,
// for commands that are used while the country does not run. The clock feed is what counts.
const offsetFile = "clock-offset"

func writeOffset(state string, offset time.Duration) error {
	if err := os.WriteFile(filepath.Join(state, offsetFile), []byte(offset.String()+"\n"), 0o600); err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "clock-offset", "the clock cannot be stored: %w", err)
	}
	return nil
}

// Civil gives the civil time of a country, whether it runs or not.
func (f Folder) Civil(ctx context.Context) (time.Time, error) {
	facts, err := f.Facts()
	if err != nil {
		return time.Time{}, err
	}
	if state, err := CivilNow(ctx, f); err == nil {
		return state.Now, nil
	}
	offset := facts.Civil.Sub(facts.Made)
	raw, err := os.ReadFile(f.Path("actors", fileName(Country), "state", offsetFile))
	if err == nil {
		offset, err = time.ParseDuration(strings.TrimSpace(string(raw)))
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil // never moved since it was made
	}
	if err != nil {
		return time.Time{}, jitsuin.Errorf(jitsuin.Invalid, "clock-offset", "the stored clock cannot be read: %w", err)
	}
	return time.Now().Add(offset).Truncate(time.Second), nil
}
