package main

import (
	"context"
	"os"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/mpa"
)

type holderNativeCmd struct {
	faceFlags
	Legacy bool     `help:"Allow mode 01, which signs with the authentication key what a page chose. For tests of pages that need it."`
	Origin []string `arg:"" optional:"" help:"What the browser passes to its hosts; not used: the manifest says which extensions may call." hidden:""`
}

func (holderNativeCmd) Help() string {
	return `A browser starts it by a manifest of native messaging and speaks with it over standard input and output: modes 01, 02, 04 and 05.
Browsers pass no flags: let the manifest name a script with this line.

Example:  exec jitsuin holder native --card pcsc: --face-anchor face.pub --legacy`
}

func (c *holderNativeCmd) Run(ctx context.Context, face *ui.Face) error {
	cards := holder.CardsIn(c.Data)
	place, err := cards.Place(ctx, c.Card)
	if err != nil {
		return err
	}
	h := &mpa.Host{Legacy: c.Legacy, UUID: string(jitsuin.NewID()),
		Open:   func(ctx context.Context) (reader.Channel, error) { return cards.Channel(ctx, place) },
		Anchor: func() (contents.Anchor, error) { return c.anchor(place) }}
	return h.Serve(ctx, os.Stdin, face.Out)
}
