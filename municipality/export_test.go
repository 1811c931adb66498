package municipality

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// PutChecked stores a case as a successful check leaves it, before J-LIS is told. Nothing goes on
// with it unless the town runs.
func (t *Town) PutChecked(ctx context.Context, l ImportLine) (id jitsuin.ID, err error) {
	id = jitsuin.NewID()
	return id, t.DB.Update(ctx, func(tx *store.Tx) error {
		r, err := readRecord(tx, l.Subject)
		if err != nil {
			return err
		}
		c := &caseFile{ID: id, Type: api.NewCard, State: api.Checked, Subject: l.Subject, Kinds: []jitsuin.CertKind{jitsuin.AuthCert}, Form: l.Items, Revision: r.Revision}
		return t.saveCase(tx, c)
	})
}

// NotifyAt is the second half of step ③, with a position that was taken earlier.
func (t *Town) NotifyAt(ctx context.Context, id jitsuin.ID, at jitsuin.Position) (again bool, err error) {
	err = t.DB.Update(ctx, func(tx *store.Tx) (err error) {
		again, err = t.notify(tx, id, at)
		return err
	})
	return again, err
}

// Amend changes a record as an act at the counter does, without the counter.
func (t *Town) Amend(ctx context.Context, r api.ChangeRequest) error {
	return t.DB.Update(ctx, func(tx *store.Tx) error {
		s, err := t.situate(tx, r)
		if err != nil {
			return err
		}
		after, err := decide(r, s)
		if err != nil {
			return err
		}
		_, err = t.enact(ctx, tx, r, s, after)
		return err
	})
}

// Case gives a case without the API.
func (t *Town) Case(ctx context.Context, id jitsuin.ID) (api.Application, error) {
	return t.application(ctx, id)
}

// Stock puts numbers in stock.
func (t *Town) Stock(ctx context.Context, pairs ...jukinet.NumberPair) error {
	return t.DB.Update(ctx, func(tx *store.Tx) error { return stockNumbers(tx, jukinet.Numbers{Pairs: pairs}) })
}
