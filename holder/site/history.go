package site

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

// What came of a request.
const (
	outcomeOpen    = "open"    // signed, and not yet delivered
	outcomeSent    = "sent"    // the relying party has the answer
	outcomeRefused = "refused" // it did not take the answer
	outcomeDenied  = "denied"  // the person said no
	outcomeLeft    = "left"    // a persona walked away: nothing is ever sent
)

// past is a request that was answered here.
type past struct {
	Txn     jitsuin.ID
	Act     api.Act
	Name    web.Pair
	Origin  string
	Purpose web.Pair
	Card    jitsuin.ID
	Label   string
	At      time.Time // civil time
	Outcome string
}

func errAnswered() error {
	return jitsuin.Errorf(jitsuin.Conflict, "request-answered", "the request has been answered already")
}

func (s *Site) notAnswered(ctx context.Context, txn jitsuin.ID) error {
	var n int
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM answers WHERE txn = $1`, txn).Scan(&n)
	})
	if err == nil && n > 0 {
		return errAnswered()
	}
	return err
}

// note takes a request out of the world before a key is used for it: Conflict "request-answered" where it was
// answered before, here or in another window.
func (s *Site) note(ctx context.Context, f *flow, outcome string) error {
	c, at, now := f.claims, s.Clock.Now(), time.Now()
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Exec(`INSERT INTO answers (txn, act, client, name_ja, name_en, origin, purpose_ja, purpose_en, card, at, noted_at, outcome)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (txn) DO NOTHING`,
			c.Txn, string(c.Act), c.Client.ID, c.Client.NameJA, c.Client.NameEN, c.Client.Origin, c.Purpose, c.PurposeEN, f.card, store.Micros(at), store.Micros(now), outcome)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return err
			}
			return errAnswered()
		}
		return nil
	})
}

// unnote gives a request back: the key was not used after all.
func (s *Site) unnote(ctx context.Context, txn jitsuin.ID) error {
	return s.DB.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM answers WHERE txn = $1 AND outcome = $2`, txn, outcomeOpen)
		return err
	})
}

func (s *Site) conclude(ctx context.Context, txn jitsuin.ID, outcome string) error {
	return s.DB.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE answers SET outcome = $1 WHERE txn = $2`, outcome, txn)
		return err
	})
}

const shownPast = 20

// lately lists what was answered here last.
func (s *Site) lately(ctx context.Context) (all []past, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		all = nil
		rows, err := tx.Query(`SELECT txn, act, name_ja, name_en, origin, purpose_ja, purpose_en, card, at, outcome FROM answers ORDER BY noted_at DESC LIMIT $1`, shownPast)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p past
			var at int64
			if err := rows.Scan(&p.Txn, &p.Act, &p.Name.JA, &p.Name.EN, &p.Origin, &p.Purpose.JA, &p.Purpose.EN, &p.Card, &at, &p.Outcome); err != nil {
				return err
			}
			p.At = time.UnixMicro(at)
			all = append(all, p)
		}
		return rows.Err()
	})
	for i := range all {
		if _, err := jitsuin.ParseID(string(all[i].Card)); err != nil {
			all[i].Label = string(all[i].Card) // in a reader
		} else if label, err := s.cards.Label(all[i].Card); err == nil {
			all[i].Label = label
		}
	}
	return all, err
}

// kept is how long the list goes back.
const kept = 90 * 24 * time.Hour

func (s *Site) forget(ctx context.Context) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM answers WHERE noted_at < $1`, store.Micros(time.Now().Add(-kept)))
		return err
	})
}
