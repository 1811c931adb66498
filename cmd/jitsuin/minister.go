package main

import (
	"context"
	"fmt"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/minister"
)

type ministerCmd struct {
	Ticket ministerTicketCmd `cmd:"" help:"Print a link that signs an official in at the desk of the minister's office, once, within two minutes."`
}

type ministerTicketCmd struct {
	actorConfig
	Official string `help:"Name of the official; it stands in every decision's record." required:"" placeholder:"NAME"`
}

func (ministerTicketCmd) Help() string {
	return `The office must be running, and the command needs its files: run it on the same machine.

Example:  jitsuin minister ticket --config jitsuin-data/config/minister-1.yaml --official "主務 花子"`
}

func (c *ministerTicketCmd) Run(ctx context.Context, face *ui.Face) error {
	link, err := minister.TicketLink(ctx, c.Config, c.Official)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(face.Out, link)
	return err
}
