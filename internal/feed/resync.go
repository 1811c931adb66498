package feed

import (
	"context"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// resync makes the reader's state the snapshot's, in this order, each step safe to repeat:
//
//  1. fetch the snapshot and verify its signature;
//  2. apply its events; what is the very event that was applied before has no new effect, anything
//     else has, even if its version is lower: the sender has lost the higher one;
//  3. forget the subjects that the sender has lost altogether;
//  4. set the cursor to the snapshot's position and drop what was parked in earlier epochs.
//
// Until step 4 the cursor is the old one, so after a crash it all begins again.
func (f *Follower) resync(ctx context.Context) (taken int, err error) {
	at, err := f.standing(ctx)
	if err != nil {
		return 0, err
	}
	s, err := f.cfg.snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if s.head.Epoch <= at.Epoch {
		return 0, jitsuin.Errorf(jitsuin.Unavailable, "feed-snapshot-old", "the snapshot is of epoch %d, the cursor %s", s.head.Epoch, at.Position)
	}
	err = s.events(f.cfg.Batch, func(events []Event) error {
		taken += len(events)
		return f.apply(ctx, at.cursor, s.head.Epoch, events)
	})
	if err != nil {
		return 0, err
	}
	to := cursor{jitsuin.Position{Epoch: s.head.Epoch, N: s.head.N}, s.head.Hash}
	lost := 0
	for done := false; !done; {
		n := 0
		if n, done, err = f.finish(ctx, at.cursor, to); err != nil {
			return 0, fmt.Errorf("finish the snapshot: %w", err)
		}
		lost += n
	}
	f.cfg.Log.Warn("feed: read anew from the snapshot of a new epoch", "from", at.Position.String(),
		"to", to.Position.String(), "subjects", s.head.Count, "lost", lost)
	return taken, nil
}

// supersede prepares for a snapshot's event: what is parked of its subject from earlier epochs no
// longer counts, and if this very event was applied before, it now counts as the new epoch's.
func (f *Follower) supersede(tx *store.Tx, e Event, authority uint32, waiting map[string]bool) error {
	if waiting[e.Subject] {
		_, err := tx.Exec(`DELETE FROM feed_parked WHERE source = $1 AND topic = $2 AND subject = $3 AND authority < $4`,
			f.cfg.Source, f.cfg.Topic, e.Subject, authority)
		if err != nil {
			return err
		}
		var left int
		err = tx.QueryRow(`SELECT COUNT(*) FROM feed_parked WHERE source = $1 AND topic = $2 AND subject = $3`,
			f.cfg.Source, f.cfg.Topic, e.Subject).Scan(&left)
		if err != nil {
			return err
		}
		waiting[e.Subject] = left > 0
	}
	_, err := tx.Exec(`UPDATE feed_applied SET epoch = $4 WHERE source = $1 AND topic = $2 AND subject = $3 AND hash = $5`,
		f.cfg.Source, f.cfg.Topic, e.Subject, authority, e.Hash[:])
	return err
}

// finish forgets a batch of lost subjects and, when none is left, moves the cursor.
func (f *Follower) finish(ctx context.Context, from, to cursor) (lost int, done bool, err error) {
	err = f.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		done = false
		if err := f.expect(tx, from); err != nil {
			return err
		}
		subjects, err := f.lostSubjects(tx, to.Epoch)
		if err != nil {
			return err
		}
		lost = len(subjects)
		for _, subject := range subjects {
			if err := f.forget(ctx, tx, subject); err != nil {
				return err
			}
		}
		if lost == f.cfg.Batch {
			return nil
		}
		_, err = tx.Exec(`DELETE FROM feed_parked WHERE source = $1 AND topic = $2 AND authority < $3`,
			f.cfg.Source, f.cfg.Topic, to.Epoch)
		if err != nil {
			return err
		}
		if err := f.saveCursor(tx, to); err != nil {
			return err
		}
		done = true
		return f.onBatch(tx)
	})
	return lost, done, err
}

// lostSubjects gives subjects that were applied before epoch and are not in its snapshot.
func (f *Follower) lostSubjects(tx *store.Tx, epoch uint32) ([]string, error) {
	return store.Collect(func(s store.Scanner) (subject string, err error) {
		return subject, s.Scan(&subject)
	})(tx.Query(`SELECT a.subject FROM feed_applied a WHERE a.source = $1 AND a.topic = $2 AND a.epoch < $3
		AND NOT EXISTS (SELECT 1 FROM feed_parked p WHERE p.source = a.source AND p.topic = a.topic
			AND p.subject = a.subject AND p.authority >= $3)
		ORDER BY a.subject LIMIT $4`, f.cfg.Source, f.cfg.Topic, epoch, f.cfg.Batch))
}

func (f *Follower) forget(ctx context.Context, tx *store.Tx, subject string) error {
	if f.cfg.Forget != nil {
		err := f.cfg.Forget(ctx, tx, subject)
		if err != nil && !isTransient(err) {
			return jitsuin.Errorf(jitsuin.Conflict, CodeForget, "a subject that the sender has lost cannot be forgotten: %w", err)
		}
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(`DELETE FROM feed_applied WHERE source = $1 AND topic = $2 AND subject = $3`,
		f.cfg.Source, f.cfg.Topic, subject)
	return err
}
