package production

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Text is what a counter writes into a card after a move or a change of name: files of the text application, signed
// by the issuer.
type Text struct {
	Items, Authentic, CVC []byte
}

// Rewrite writes them, with a counter's terminal. Pictures, check numbers and My Number stay: the face is as it was
// printed, with a note of the change. Where it ends in between the card's text is not believed until the same
// call is made again. A card without text (a telephone) is NotFound "card-application".
func Rewrite(ctx context.Context, ch reader.Channel, terminal reader.Terminal, t Text) error {
	aid, files := card.AIDText, []file{{card.FileTextItems, t.Items}, {card.FileTextAuthentic, t.Authentic}, {card.FileTextCVC, t.CVC}}
	app, err := reader.Select(ctx, ch, aid)
	if jitsuin.CodeOf(err) == "card-application" {
		// The next card has the items beside its certificates, and the certificate of the signing key in the visual application.
		if app, err = reader.Select(ctx, ch, card.AIDVisual); err == nil {
			err = app.Authenticate(ctx, terminal)
		}
		if err == nil {
			err = app.Replace(ctx, card.FileVisualCVC, t.CVC)
		}
		if err != nil {
			return err
		}
		files = []file{{card.FileNextItems, t.Items}, {card.FileNextAuthentic, t.Authentic}}
		app, err = reader.Select(ctx, ch, card.AIDJPKI)
	}
	if err == nil {
		err = app.Authenticate(ctx, terminal)
	}
	if err != nil {
		return err
	}
	return replace(ctx, app, files...)
}
