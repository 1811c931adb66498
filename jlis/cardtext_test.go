package jlis

import (
	"bytes"
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
)

func (c *country) text(as string, r api.CardTextRequest) (api.CardText, error) {
	return api.Client{Remote: c.as(as, "jlis:1")}.CardText(c.Context(), r)
}

// numberOf gives the number that the Agency drew for a card.
func (c *country) numberOf(id jitsuin.ID) (number string) {
	c.Helper()
	must(c, c.agency.DB.View(c.Context(), func(tx *store.Tx) error {
		found, err := findCard(tx, `WHERE id = $1`, string(id))
		number = found.Number
		return err
	}))
	return number
}

// textIsRefused: nobody has a text signed that the register does not bear out.
func (c *country) textIsRefused(subject, card jitsuin.ID) {
	c.Helper()
	number := c.numberOf(card)
	good := api.CardTextRequest{Subject: subject, Number: number, Items: hanako}
	with := func(change func(*api.CardTextRequest)) api.CardTextRequest {
		r := good
		change(&r)
		return r
	}
	c.agency.registerWait = 50 * time.Millisecond
	before := c.agency.signer.Last().Counter
	for _, refused := range []struct {
		what, as string
		request  api.CardTextRequest
		code     string
	}{
		{"another's card", asagiriID, with(func(r *api.CardTextRequest) { r.Subject = jitsuin.NewID() }), "card-unknown"},
		{"another card", asagiriID, with(func(r *api.CardTextRequest) { r.Number = "000000000000000" }), "card-unknown"},
		{"a name that nobody has recorded", asagiriID, with(func(r *api.CardTextRequest) { r.Items.Name = "霧島　太郎" }), "register-behind"},
		{"another town", "municipality:91202", good, "not-for-this-caller"},
	} {
		_, err := c.text(refused.as, refused.request)
		wantCode(c, refused.what, err, refused.code)
	}
	if _, err := c.text("platform:1", good); jitsuin.KindOf(err) != jitsuin.Denied {
		c.Errorf("a platform had a text signed: %v", err)
	}
	if now := c.agency.signer.Last().Counter; now != before {
		c.Errorf("%d signatures were made for what was refused", now-before)
	}
}

const asagiriID = "municipality:" + string(asagiri)

// textFollows: after a move the same town has the new items signed, as often as it asks, and a reader believes them. The
// request may come before the change does.
func (c *country) textFollows(subject, card jitsuin.ID) {
	c.Helper()
	c.agency.registerWait = 30 * time.Second
	var asked []jukinet.CardNumberRequest
	c.agency.cardNumber = func(ctx context.Context, r jukinet.CardNumberRequest) (jitsuin.MyNumber, error) {
		asked = append(asked, r)
		return sampleNumber(ctx, r)
	}
	defer func() { c.agency.cardNumber = sampleNumber }()
	r := api.CardTextRequest{Subject: subject, Number: c.numberOf(card), Items: moved}
	text, err := c.text(asagiriID, r)
	must(c, err)
	again, err := c.text(asagiriID, r)
	if err != nil || !bytes.Equal(again.Authentic, text.Authentic) {
		c.Errorf("asked again: %v", err)
	}
	if len(asked) != 2 || asked[0] != asked[1] || asked[0].Subject != subject {
		c.Errorf("the network was asked for %+v", asked)
	}
	anchor, err := c.agency.FaceAnchor()
	must(c, err)
	number, err := sampleNumber(c.Context(), asked[0])
	must(c, err)
	if err := anchor.VerifyText(contents.MyNumberFile(number), text.Items, text.Authentic, text.CVC); err != nil {
		c.Error(err)
	}
	if got, err := contents.ParseItems(text.Items); err != nil || got != moved {
		c.Errorf("the text says %+v, %v", got, err)
	}
}
