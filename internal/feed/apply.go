package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// standing is how far a feed has been read and applied.
type standing struct {
	cursor
	applied jitsuin.Position
	parked  int
}

func (f *Follower) standing(ctx context.Context) (s standing, err error) {
	err = f.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if s.cursor, err = readCursor(tx, f.cfg.Source, f.cfg.Topic); err != nil {
			return err
		}
		if s.applied, err = Applied(tx, f.cfg.Source, f.cfg.Topic); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT COUNT(*) FROM feed_parked WHERE source = $1 AND topic = $2`,
			f.cfg.Source, f.cfg.Topic).Scan(&s.parked)
	})
	if err != nil {
		return s, fmt.Errorf("read the cursor: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.health.Cursor, f.health.Applied, f.health.Parked = s.Position, s.applied, s.parked
	return s, nil
}

// Applied gives the position up to which all events of a source's topic have been applied: the
// cursor, or just before the first parked event. Parked is not applied.
func Applied(tx *store.Tx, source, topic string) (jitsuin.Position, error) {
	var p jitsuin.Position
	err := tx.QueryRow(`SELECT epoch, n FROM feed_parked WHERE source = $1 AND topic = $2 ORDER BY epoch, n LIMIT 1`,
		source, topic).Scan(&p.Epoch, &p.N)
	if err == nil {
		p.N--
		return p, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	c, err := readCursor(tx, source, topic)
	return c.Position, err
}

func readCursor(tx *store.Tx, source, topic string) (c cursor, err error) {
	var hash []byte
	err = tx.QueryRow(`SELECT epoch, n, hash FROM feed_cursors WHERE source = $1 AND topic = $2`,
		source, topic).Scan(&c.Epoch, &c.N, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return cursor{}, nil
	}
	copy(c.Hash[:], hash)
	return c, err
}

// step is what one transaction of a reader does.
type step struct {
	from, to  cursor // the stored cursor before and after
	events    []Event
	authority uint32 // of a snapshot: its epoch, which its events count for; 0 in the stream
	park      error  // why the first event is parked instead of applied, or nil
}

// applyError is an error of Apply or Erased, as against one of the machinery.
type applyError struct{ error }

func (e applyError) Unwrap() error { return e.error }

// apply takes events in transactions of a batch each. Where one of a batch fails, the transaction
// is undone, those before it are applied alone, and the failed one is parked.
func (f *Follower) apply(ctx context.Context, at cursor, authority uint32, events []Event) error {
	for limit := f.cfg.Batch; len(events) > 0; {
		n := min(limit, len(events))
		s := f.step(at, authority, events[:n])
		failed, err := f.transact(ctx, s)
		switch {
		case err == nil:
			limit = f.cfg.Batch
		case failed < 0 || isTransient(err):
			return fmt.Errorf("apply events after %s: %w", at.Position, err)
		case failed > 0:
			limit = failed
			continue
		default:
			n = 1
			s = f.step(at, authority, events[:1])
			s.park = err
			if _, err := f.transact(ctx, s); err != nil {
				return fmt.Errorf("park event %s: %w", events[0].Position(), err)
			}
			f.cfg.Log.Error("feed: an event is parked", "at", events[0].Position().String(), "type", events[0].Type, "error", err)
		}
		at, events = s.to, events[n:]
	}
	return nil
}

func (f *Follower) step(at cursor, authority uint32, events []Event) step {
	s := step{from: at, to: at, events: events, authority: authority}
	if last := events[len(events)-1]; authority == 0 {
		s.to = cursor{last.Position(), last.Hash}
	}
	return s
}

// transact does s. failed is the index of the event whose Apply gave err, or -1.
func (f *Follower) transact(ctx context.Context, s step) (failed int, err error) {
	parked := 0
	err = f.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		failed, parked = -1, 0
		if err := f.expect(tx, s.from); err != nil {
			return err
		}
		waiting, err := f.parkedSubjects(tx)
		if err != nil {
			return err
		}
		for i, e := range s.events {
			wasParked, err := f.take(ctx, tx, s, e, waiting)
			if _, ok := errors.AsType[applyError](err); ok {
				failed = i
			}
			if err != nil {
				return err
			}
			if wasParked {
				parked++
			}
		}
		if err := f.saveCursor(tx, s.to); err != nil {
			return err
		}
		return f.onBatch(tx)
	})
	if err == nil {
		f.mu.Lock()
		f.health.ParkedTotal += uint64(parked)
		f.mu.Unlock()
	}
	return failed, err
}

// take applies, skips or parks one event. waiting has the subjects with parked events.
func (f *Follower) take(ctx context.Context, tx *store.Tx, s step, e Event, waiting map[string]bool) (parked bool, err error) {
	authority := e.Epoch
	if s.authority != 0 {
		authority = s.authority
		if err := f.supersede(tx, e, authority, waiting); err != nil {
			return false, err
		}
	}
	if waiting[e.Subject] || s.park != nil {
		done, err := f.isApplied(tx, e, authority)
		if done || err != nil {
			return false, err
		}
		cause := s.park
		if cause == nil {
			cause = jitsuin.Errorf(jitsuin.Conflict, "feed-parked-behind", "an earlier event of the subject is parked")
		}
		waiting[e.Subject] = true
		return f.park(tx, e, authority, cause)
	}
	return false, f.effect(ctx, tx, e, authority)
}

// effect applies e unless it, or a later event of its subject, was applied before.
func (f *Follower) effect(ctx context.Context, tx *store.Tx, e Event, authority uint32) error {
	r, err := tx.Exec(`INSERT INTO feed_applied (source, topic, subject, epoch, version, hash) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (source, topic, subject) DO UPDATE SET epoch = excluded.epoch, version = excluded.version, hash = excluded.hash
		WHERE feed_applied.epoch < excluded.epoch OR (feed_applied.epoch = excluded.epoch AND feed_applied.version < excluded.version)`,
		f.cfg.Source, f.cfg.Topic, e.Subject, authority, e.Version, e.Hash[:])
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); n == 0 || err != nil {
		return err
	}
	apply := f.cfg.Apply
	if e.IsErased() {
		apply = f.cfg.Erased
	}
	if apply == nil {
		return nil
	}
	if err := apply(ctx, tx, e); err != nil {
		return applyError{err}
	}
	return nil
}

func (f *Follower) isApplied(tx *store.Tx, e Event, authority uint32) (bool, error) {
	var n int
	err := tx.QueryRow(`SELECT COUNT(*) FROM feed_applied WHERE source = $1 AND topic = $2 AND subject = $3
		AND (epoch > $4 OR (epoch = $4 AND version >= $5))`,
		f.cfg.Source, f.cfg.Topic, e.Subject, authority, e.Version).Scan(&n)
	return n > 0, err
}

// expect makes sure that nobody else has moved the cursor.
func (f *Follower) expect(tx *store.Tx, from cursor) error {
	c, err := readCursor(tx, f.cfg.Source, f.cfg.Topic)
	if err == nil && c != from {
		err = jitsuin.Errorf(jitsuin.Unavailable, "feed-moved", "another process reads this feed and stands at %s", c.Position)
	}
	return err
}

func (f *Follower) saveCursor(tx *store.Tx, c cursor) error {
	_, err := tx.Exec(`INSERT INTO feed_cursors (source, topic, epoch, n, hash) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (source, topic) DO UPDATE SET epoch = excluded.epoch, n = excluded.n, hash = excluded.hash`,
		f.cfg.Source, f.cfg.Topic, c.Epoch, c.N, c.Hash[:])
	return err
}

func (f *Follower) onBatch(tx *store.Tx) error {
	if f.cfg.OnBatch == nil {
		return nil
	}
	applied, err := Applied(tx, f.cfg.Source, f.cfg.Topic)
	if err != nil {
		return err
	}
	return f.cfg.OnBatch(tx, applied)
}
