package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jitsuin/jitsuin/card/probe"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

type cardProbeCmd struct {
	data
	cardFlag
	JSON bool `name:"json" help:"Print the report as JSON."`
}

func (cardProbeCmd) Help() string {
	return `It reads what can be read without a PIN and reports forms and lengths, nothing that is about a person or this one card, so that the report may be published; look it over before you do.
No command is sent that could change the card or cost a try. Without --card it takes the one reader with a card. A trace (--trace) shows what was read, and is not for publishing.

Example:  jitsuin card probe --card pcsc:`
}

func (c *cardProbeCmd) Run(ctx context.Context, face *ui.Face) (err error) {
	if c.Card == "" {
		c.Card = "pcsc:"
	}
	return c.withChannel(ctx, face, c.Data, func(on opened) error {
		report, err := probe.Card(ctx, on.channel)
		if err != nil {
			return err
		}
		if c.JSON {
			encoder := json.NewEncoder(face.Out)
			encoder.SetIndent("", "  ")
			return encoder.Encode(report)
		}
		return report.WriteText(face.Out, face.Lang)
	})
}

// opened is a card with nothing selected, and where it is.
type opened struct {
	place   holder.Place
	channel reader.Card
}

// withChannel opens a card without asking what kind it is.
func (c cardFlag) withChannel(ctx context.Context, face *ui.Face, data string, use func(opened) error) (err error) {
	cards, done, err := c.cards(face, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	place, err := cards.Place(ctx, c.Card)
	if err != nil {
		return err
	}
	channel, err := cards.Channel(ctx, place)
	if err != nil {
		return err
	}
	defer channel.Close()
	return use(opened{place, channel})
}
