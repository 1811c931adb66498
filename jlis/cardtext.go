package jlis

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
)

type (
	cardTextIn  struct{ Body api.CardTextRequest }
	cardTextOut struct{ Body api.CardText }
)

func (a *Agency) cardTextRoute() {
	httpapi.Register(a.API, httpapi.Operation{ID: "card-text", Method: http.MethodPost, Path: "/card-texts",
		Summary: "The text of a card after a move or a change of name, signed",
		Description: "For the municipality of residence. What is signed is what our own register says, with the My Number that the network says; " +
			"where the municipality's items differ, the answer waits some seconds for the register. Repeated, the answer is the same.",
		Policy: httpapi.Roles("municipality")}, a.cardText)
}

// cardText signs what the register says of a card's holder.
func (a *Agency) cardText(ctx context.Context, in *cardTextIn) (*cardTextOut, error) {
	if a.faceCVC == nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "no-production", "the key of card-face signatures has no certificate yet")
	}
	caller := httpapi.CallerOf(ctx).ID
	c, err := a.cardOfResident(ctx, in.Body, caller)
	if err != nil {
		a.Log.InfoContext(ctx, "card text refused", "municipality", caller, "subject", in.Body.Subject, "refused", jitsuin.CodeOf(err))
		return nil, err
	}
	items, err := contents.ItemsFile(in.Body.Items)
	if err != nil {
		return nil, err
	}
	rewriting, err := a.noteCardText(ctx, c, caller, items)
	if err != nil {
		return nil, err
	}
	number, err := a.cardNumber(ctx, jukinet.CardNumberRequest{Application: rewriting, Subject: c.Subject})
	if err != nil {
		return nil, fmt.Errorf("the number for the card: %w", err)
	}
	tbs, err := contents.AuthenticToSign(contents.MyNumberFile(number), items)
	if err != nil {
		return nil, err
	}
	sig, err := faceSigner{a, c.Application}.Sign(ctx, tbs)
	if err != nil {
		return nil, err
	}
	a.Log.InfoContext(ctx, "card text signed", "municipality", caller, "subject", c.Subject, "card", c.ID)
	return &cardTextOut{api.CardText{Items: items, Authentic: contents.AuthenticFile(tbs, sig), CVC: a.faceCVC}}, nil
}

// cardOfResident finds the card, and waits until the register says of its holder what the municipality says.
func (a *Agency) cardOfResident(ctx context.Context, r api.CardTextRequest, caller string) (c card, err error) {
	signals, stop := a.DB.Watch(applicationSignal)
	defer stop()
	late := time.NewTimer(a.registerWait)
	defer late.Stop()
	for {
		var p person
		err := a.DB.View(ctx, func(tx *store.Tx) (err error) {
			if c, err = findCard(tx, `WHERE subject = $1 AND number = $2 AND state = 'received'`, string(r.Subject), r.Number); err != nil {
				return err
			}
			p, _, err = findPerson(tx, r.Subject)
			return err
		})
		switch {
		case err != nil:
			return c, err
		case c.ID == "" || r.Number == "":
			return c, jitsuin.Errorf(jitsuin.NotFound, "card-unknown", "no such card was made for this person")
		case caller == "municipality:"+string(p.Municipality) && p.State == jitsuin.Present && p.Items == r.Items:
			return c, nil
		}
		select {
		case <-ctx.Done():
			return c, ctx.Err()
		case <-signals:
		case <-late.C:
			if caller != "municipality:"+string(p.Municipality) || p.State != jitsuin.Present {
				return c, jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "the holder does not live in the municipality that asks")
			}
			return c, jitsuin.Errorf(jitsuin.Unavailable, "register-behind", "the register has not heard of the holder's present items yet").
				WithHint("try again when the change has been passed on")
		}
	}
}

// noteCardText records that a municipality has a card's text signed, and gives the identifier of it.
func (a *Agency) noteCardText(ctx context.Context, c card, caller string, items []byte) (id jitsuin.ID, err error) {
	drawn, digest := jitsuin.NewID(), sha256.Sum256(items)
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO card_text (id, card, municipality, items, made_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (card, items) DO NOTHING`,
			string(drawn), string(c.ID), caller, digest[:], store.Micros(a.Clock.Now()))
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT id FROM card_text WHERE card = $1 AND items = $2`, string(c.ID), digest[:]).Scan(&id)
	})
	return id, err
}
