package municipality

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// staleHandle is how the card host says that a card is not here any more.
const staleHandle = "stale-handle"

// passedOnMeanwhile tells, where the town's database was restored, whether an error says that the card has gone
// on after the backup: a chip does not go back in time. It is with the resident then.
func (t *Town) passedOnMeanwhile(err error) bool {
	return t.Restored() != nil && jitsuin.CodeOf(err) == staleHandle
}

// closeCase closes a case whose card turned out to be with the resident.
func (t *Town) closeCase(ctx context.Context, id jitsuin.ID) error {
	t.Log.WarnContext(ctx, "a card was handed over after the backup; its case is closed", "application", id)
	return t.DB.Update(ctx, func(tx *store.Tx) error {
		c, err := readCase(tx, id)
		if err != nil || !c.open() {
			return err
		}
		if err := dropChip(tx, c.Card); err != nil {
			return err
		}
		return t.finish(tx, c)
	})
}

// findCards looks, once after a restore, which of the chips that were here then are here still.
func (t *Town) findCards(ctx context.Context) error {
	if t.Restored() == nil || t.Restored().CaughtUp {
		return nil
	}
	handles := map[jitsuin.ID]string{}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		ready, err := store.Collect(scanCase)(tx.Query(`SELECT body FROM counter_case WHERE state = $1`, string(api.Ready)))
		for _, c := range ready {
			if handles[c.ID], err = readChip(tx, c.Card); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for id, handle := range handles {
		_, err := t.cards.Info(ctx, host.Handle(handle))
		if t.passedOnMeanwhile(err) {
			err = t.closeCase(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
