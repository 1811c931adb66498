package main

import (
	"context"
	"fmt"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/municipality"
)

type counterCmd struct {
	Ticket counterTicketCmd `cmd:"" help:"Print a link that signs a clerk in at a municipality's counter, once, within two minutes."`
}

type counterTicketCmd struct {
	actorConfig
	Clerk string `help:"Name of the clerk; it stands in every record." required:"" placeholder:"NAME"`
}

func (counterTicketCmd) Help() string {
	return `The municipality must be running, and the command needs its files: run it on the same machine.

Example:  jitsuin counter ticket --config jitsuin-data/config/municipality-91201.yaml --clerk "窓口 一郎"`
}

func (c *counterTicketCmd) Run(ctx context.Context, face *ui.Face) error {
	link, err := municipality.TicketLink(ctx, c.Config, c.Clerk)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(face.Out, link)
	return err
}
