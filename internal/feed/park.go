package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// ParkedEvent is an event that waits because it, or an earlier one of its subject, failed.
type ParkedEvent struct {
	Event
	// Code and Message are of the last error: the event's own, or "feed-parked-behind".
	Code, Message     string
	Tries             int // 0 for one that has only waited behind another
	ParkedAt, TriedAt time.Time
}

// Parked lists at most limit parked events of a source's topic, the oldest first.
func Parked(tx *store.Tx, source, topic string, limit int) ([]ParkedEvent, error) {
	return store.Collect(func(s store.Scanner) (p ParkedEvent, err error) {
		var text string
		var parkedAt, triedAt int64
		if err := s.Scan(&text, &p.Code, &p.Message, &p.Tries, &parkedAt, &triedAt); err != nil {
			return p, err
		}
		p.ParkedAt, p.TriedAt = store.Time(parkedAt), store.Time(triedAt)
		return p, json.Unmarshal([]byte(text), &p.Event)
	})(tx.Query(`SELECT event, code, message, tries, parked_at, tried_at FROM feed_parked
		WHERE source = $1 AND topic = $2 ORDER BY epoch, n LIMIT $3`, source, topic, limit))
}

func (f *Follower) parkedSubjects(tx *store.Tx) (map[string]bool, error) {
	subjects, err := store.Collect(func(s store.Scanner) (subject string, err error) {
		return subject, s.Scan(&subject)
	})(tx.Query(`SELECT DISTINCT subject FROM feed_parked WHERE source = $1 AND topic = $2`, f.cfg.Source, f.cfg.Topic))
	waiting := map[string]bool{}
	for _, s := range subjects {
		waiting[s] = true
	}
	return waiting, err
}

// maxMessage is how much of an error's text is kept.
const maxMessage = 500

func describe(err error) (code, message string) {
	message = err.Error()
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	return jitsuin.CodeOf(err), message
}

// park stores e; parked is false where it is parked already.
func (f *Follower) park(tx *store.Tx, e Event, authority uint32, cause error) (parked bool, err error) {
	text, err := json.Marshal(e)
	if err != nil {
		return false, err
	}
	code, message := describe(cause)
	tries, now := 0, store.Micros(f.cfg.Now())
	if code != "feed-parked-behind" {
		tries = 1
	}
	r, err := tx.Exec(`INSERT INTO feed_parked (source, topic, epoch, n, authority, subject, event, code, message, tries, parked_at, tried_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT (source, topic, epoch, n) DO NOTHING`,
		f.cfg.Source, f.cfg.Topic, e.Epoch, e.N, authority, e.Subject, string(text), code, message, tries, now)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// retrySubjects is how many subjects one retry tries; the longest untried come first.
const retrySubjects = 100

// RetryParked tries parked events again now, each subject's in their order until one fails. It
// gives how many events were applied. Events that fail again are no error here; they stay parked.
func (f *Follower) RetryParked(ctx context.Context) (applied int, err error) {
	f.lastRetry = f.cfg.Now()
	var subjects []string
	err = f.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		subjects, err = store.Collect(func(s store.Scanner) (subject string, err error) {
			return subject, s.Scan(&subject)
		})(tx.Query(`SELECT subject FROM feed_parked WHERE source = $1 AND topic = $2
			GROUP BY subject ORDER BY MIN(tried_at), subject LIMIT $3`, f.cfg.Source, f.cfg.Topic, retrySubjects))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("list parked events: %w", err)
	}
	for _, subject := range subjects {
		for {
			done, err := f.retryFirst(ctx, subject)
			if err != nil {
				return applied, fmt.Errorf("retry parked events: %w", err)
			}
			if !done {
				break
			}
			applied++
		}
	}
	return applied, nil
}

// retryFirst applies the subject's first parked event. done is false where there is none, or where
// it fails again.
func (f *Follower) retryFirst(ctx context.Context, subject string) (done bool, err error) {
	err = f.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		done = false
		e, authority, err := f.firstParked(tx, subject)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f.effect(ctx, tx, e, authority); err != nil {
			return err
		}
		_, err = tx.Exec(`DELETE FROM feed_parked WHERE source = $1 AND topic = $2 AND epoch = $3 AND n = $4`,
			f.cfg.Source, f.cfg.Topic, e.Epoch, e.N)
		if err != nil {
			return err
		}
		done = true
		return f.onBatch(tx)
	})
	failure, ok := errors.AsType[applyError](err)
	if !ok || ctx.Err() != nil {
		return done && err == nil, err
	}
	code, message := describe(failure)
	return false, f.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		e, _, err := f.firstParked(tx, subject)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE feed_parked SET code = $5, message = $6, tries = tries + 1, tried_at = $7
			WHERE source = $1 AND topic = $2 AND epoch = $3 AND n = $4`,
			f.cfg.Source, f.cfg.Topic, e.Epoch, e.N, code, message, store.Micros(f.cfg.Now()))
		return err
	})
}

func (f *Follower) firstParked(tx *store.Tx, subject string) (e Event, authority uint32, err error) {
	var text string
	err = tx.QueryRow(`SELECT event, authority FROM feed_parked
		WHERE source = $1 AND topic = $2 AND subject = $3 ORDER BY epoch, n LIMIT 1`,
		f.cfg.Source, f.cfg.Topic, subject).Scan(&text, &authority)
	if err != nil {
		return e, 0, err
	}
	return e, authority, json.Unmarshal([]byte(text), &e)
}
