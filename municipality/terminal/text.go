package terminal

import (
	"context"
	"errors"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/production"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// UpdateText writes what the register says of a resident into the text of the card on the reader ch (券面記載事項の変更),
// which stays the caller's to close; PINs and everything else stay as they are. Where the terminal failed before,
// the same call begins again. A card without a face, such as one of the first release, is left as it is.
// Errors: those of api.Client.CardText, and the card's.
func (t *Terminal) UpdateText(ctx context.Context, subject jitsuin.ID, ch reader.Channel) error {
	number, err := cardNumber(ctx, ch)
	if err != nil || number == "" {
		return err
	}
	text, err := t.Town.CardText(ctx, subject, api.CardTextRequest{Clerk: t.Clerk, Number: number})
	if err != nil {
		return fmt.Errorf("the text of the card: %w", err)
	}
	if err := production.Rewrite(ctx, ch, t.Identity, production.Text{Items: text.Items, Authentic: text.Authentic, CVC: text.CVC}); err != nil {
		return fmt.Errorf("write the text of the card: %w", err)
	}
	return nil
}

// cardNumber reads the number of a card, "" where it has none.
func cardNumber(ctx context.Context, ch reader.Channel) (string, error) {
	app, err := reader.Select(ctx, ch, card.AIDCommon)
	if jitsuin.CodeOf(err) == "card-application" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	record, err := app.ReadRecord(ctx, card.FileCommonNumber, 1)
	if status, ok := errors.AsType[*reader.StatusError](err); ok && status.SW == card.SWRecordNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	n, err := contents.ParseCardNumber(record)
	return n.Serial, err
}
