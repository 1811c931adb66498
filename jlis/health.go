package jlis

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// waitsTooLong is when an application that has not come to its end is worth a person's look.
const waitsTooLong = time.Minute

// health adds what may be wrong here to /readyz; followed feeds tell of parked events themselves.
func (a *Agency) health() {
	a.API.Ready("journal of signatures", func(context.Context) error {
		_, stopped := a.journal.get()
		return stopped
	})
	a.API.Ready("signer", func(context.Context) error {
		if last := a.trouble.Load(); last != nil {
			return *last
		}
		return nil
	})
	a.API.Ready("applications", a.noneWaits)
}

func (a *Agency) noneWaits(ctx context.Context) error {
	var n int
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM application WHERE state NOT IN ('delivered', 'refused') AND received_at < $1`,
			store.Micros(time.Now().Add(-waitsTooLong))).Scan(&n)
	})
	if err == nil && n > 0 {
		err = jitsuin.Errorf(jitsuin.Unavailable, "applications-wait", "%d applications have waited for more than %v", n, waitsTooLong)
	}
	return err
}
