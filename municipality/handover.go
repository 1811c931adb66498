package municipality

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// beginHandover gives the terminal the chip (⑥). It reads only, so it may be repeated and needs no
// stored result; the handle is a secret that the table of requests should not have.
func (t *Town) beginHandover(ctx context.Context, id jitsuin.ID) (out api.Handover, err error) {
	err = t.DB.View(ctx, func(tx *store.Tx) error {
		c, err := readCase(tx, id)
		if err != nil {
			return err
		}
		if err := mayHandOver(tx, c); err != nil {
			return err
		}
		handle, err := readChip(tx, c.Card)
		out = api.Handover{Card: c.Card, Handle: handle}
		return err
	})
	t.logCase(ctx, "handover", httpapi.CallerOf(ctx).ID, api.Application{ID: id}, err)
	return out, err
}

// mayHandOver refuses to hand a card to somebody who has died or left meanwhile.
func mayHandOver(tx *store.Tx, c *caseFile) error {
	if c.Type != api.NewCard {
		return jitsuin.Errorf(jitsuin.Conflict, "no-chip-here", "the card of a re-issue is the resident's own")
	}
	if err := c.in(api.Ready); err != nil {
		return err
	}
	return stillResident(tx, c)
}

func stillResident(tx *store.Tx, c *caseFile) error {
	r, err := readRecord(tx, c.Subject)
	if err == nil && (r == nil || r.State != jitsuin.Present) {
		err = jitsuin.Errorf(jitsuin.Conflict, "not-resident", "the applicant is not on the register any more").
			WithHint("the card is not handed over")
	}
	return err
}

// complete records that the resident has the card (⑥). A new card is then passed on at the card host.
func (t *Town) complete(ctx context.Context, id jitsuin.ID, clerk string) (api.Application, error) {
	out, err := t.change(ctx, "complete", id, clerk, func(tx *store.Tx, c *caseFile) (*jitsuin.Error, error) {
		if c.State == api.Done || c.Completing != "" {
			return nil, nil // the terminal begins again after a crash
		}
		if c.Type == api.Reissue {
			if err := c.in(api.Delivered); err != nil {
				return nil, err
			}
			return nil, t.finish(tx, c)
		}
		if err := mayHandOver(tx, c); err != nil {
			return nil, err
		}
		c.Completing = clerk
		return nil, nil
	})
	t.logCase(ctx, "complete", clerk, out, err)
	if err != nil {
		return out, err
	}
	return t.advanced(ctx, id)
}

// certifyTerminal has J-LIS sign the key of the counter's terminal, so that chips trust it.
func (t *Town) certifyTerminal(ctx context.Context, publicKey []byte) ([]byte, error) {
	terminal := httpapi.CallerOf(ctx).ID
	out, err := t.agency.RegisterTerminal(ctx, jlis.TerminalRequest{Terminal: terminal, PublicKey: publicKey})
	t.Log.InfoContext(ctx, "terminal certified", "clerk", terminal, "act", "certify-terminal", "request_id", httpapi.RequestID(ctx), "refused", jitsuin.CodeOf(err))
	return out, err
}

// applyAgency gives an event of J-LIS its effect.
func (t *Town) applyAgency(_ context.Context, tx *store.Tx, e feed.Event) error {
	switch e.Type {
	case jlis.TypeDelivered:
		var d jlis.Delivered
		if err := e.Decode(&d); err != nil {
			return err
		}
		if err := t.adopt(tx, d); err != nil {
			return err
		}
		return t.withCase(tx, d.Application, func(c *caseFile) error { return c.deliver(d) })
	case jlis.TypeRefused:
		var r jlis.Refused
		if err := e.Decode(&r); err != nil {
			return err
		}
		if known, err := knowsCase(tx, r.Application); err != nil || !known && t.Restored() != nil {
			return err // a case that is lost, and came to nothing
		}
		return t.withCase(tx, r.Application, func(c *caseFile) error { return c.refused(r, e.RecordedAt) })
	case jlis.TypeRevoked:
		var r jlis.Revoked
		if err := e.Decode(&r); err != nil {
			return err
		}
		return t.markRevoked(tx, r)
	}
	return unknownEvent(e)
}

func (t *Town) withCase(tx *store.Tx, id jitsuin.ID, fn func(*caseFile) error) error {
	c, err := readCase(tx, id)
	if err != nil {
		return err
	}
	if err := fn(c); err != nil {
		return err
	}
	return t.saveCase(tx, c)
}

// markRevoked notes in the person's cases that a certificate has lapsed. One that another town
// delivered is not known here, and that is no error.
func (t *Town) markRevoked(tx *store.Tx, r jlis.Revoked) error {
	all, err := casesOf(tx, r.Subject)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.revoked(r) {
			if err := t.saveCase(tx, c); err != nil {
				return err
			}
		}
	}
	return nil
}
