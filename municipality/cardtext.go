package municipality

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

type (
	cardTextIn struct {
		ID   string `path:"id" maxLength:"32"`
		Body api.CardTextRequest
	}
	cardTextOut struct{ Body api.CardText }
)

func (t *Town) cardTextRoute(counter httpapi.Policy) {
	httpapi.Register(t.API, httpapi.Operation{ID: "card-text", Method: http.MethodPost, Path: "/residents/{id}/card-text", Policy: counter,
		Summary: "What the counter writes into a resident's card after a move or a change of name, signed by J-LIS"}, t.cardText)
}

// cardText has J-LIS sign what the register says of a resident. Nothing of the answer is kept here.
func (t *Town) cardText(ctx context.Context, in *cardTextIn) (*cardTextOut, error) {
	var r *record
	err := t.DB.View(ctx, func(tx *store.Tx) (err error) {
		r, err = residentHere(tx, jitsuin.ID(in.ID))
		return err
	})
	var text jlis.CardText
	if err == nil {
		text, err = t.agency.CardText(ctx, jlis.CardTextRequest{Subject: r.Subject, Number: in.Body.Number, Items: r.Items})
	}
	t.Log.InfoContext(ctx, "card text", "clerk", in.Body.Clerk, "subject", in.ID, "request_id", httpapi.RequestID(ctx), "refused", jitsuin.CodeOf(err))
	if err != nil {
		return nil, err
	}
	return &cardTextOut{api.CardText(text)}, nil
}
