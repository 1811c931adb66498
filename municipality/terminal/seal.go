package terminal

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// LoadSeal lays the town's seal-registration application (印鑑登録証) on the card that the resident has put on the reader
// ch, which stays the caller's to close. The town asks J-LIS for leave and answers the chip; its keys never come here.
// Where the terminal failed before, the same call begins again: until the last step nobody can select what
// was left. Errors: those of api.Client.SealPermit, and the card's.
func (t *Terminal) LoadSeal(ctx context.Context, subject jitsuin.ID, ch reader.Channel) (api.SealCard, error) {
	area, err := reader.OpenFreeArea(ctx, ch)
	if err != nil {
		return api.SealCard{}, err
	}
	permit, err := t.Town.SealPermit(ctx, subject, api.SealPermitRequest{Clerk: t.Clerk, Chip: area.Chip, Challenge: area.Challenge})
	if err != nil {
		return api.SealCard{}, err
	}
	if err := area.Authenticate(ctx, permit.Authentication); err != nil {
		return api.SealCard{}, err
	}
	aid := freearea.SealAID(t.Town.Code())
	err = freearea.Load(ctx, area, aid, permit.ReaderKey, func(ctx context.Context, public *ecdsa.PublicKey) (_, _ []byte, err error) {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return nil, nil, jitsuin.Errorf(jitsuin.Invalid, "card-data", "the card's public key: %w", err)
		}
		signed, err := t.Town.SealRecord(ctx, permit.ID, der)
		return signed.Record, signed.Signature, err
	})
	if err != nil {
		return api.SealCard{}, err
	}
	return t.Town.SealLoaded(ctx, permit.ID, t.Clerk)
}

// DeleteSeal takes the application off the card on the reader, as the holder asks, with the counter's own terminal:
// it needs no ordinance any more. A card that does not have it is no error: the terminal may have failed after the card
// had done its part.
func (t *Terminal) DeleteSeal(ctx context.Context, subject jitsuin.ID, ch reader.Channel) error {
	area, err := reader.OpenFreeArea(ctx, ch)
	if err != nil {
		return err
	}
	if err := area.AuthenticateCounter(ctx, t.Identity); err != nil {
		return err
	}
	if err := area.Delete(ctx, freearea.SealAID(t.Town.Code())); err != nil && jitsuin.CodeOf(err) != "card-file" {
		return err
	}
	cards, err := t.Town.SealCards(ctx, subject)
	if err != nil {
		return err
	}
	for _, c := range cards {
		if c.Chip != area.Chip || c.State != api.SealBegun && c.State != api.SealLoaded {
			continue
		}
		if _, err := t.Town.SealDeleted(ctx, c.ID, t.Clerk); err != nil {
			return err
		}
	}
	return nil
}
