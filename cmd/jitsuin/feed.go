package main

import (
	"context"
	"fmt"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/feeds"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
)

type feedCmd struct {
	Parked   feedParkedCmd   `cmd:"" help:"List the events that an actor could not apply, with the reason."`
	NewEpoch feedNewEpochCmd `cmd:"" help:"Start a new epoch of an actor's feeds after its database was restored."`
}

type actorConfig struct {
	Config string `help:"Configuration file of the actor (YAML)." required:"" placeholder:"FILE" type:"path"`
}

type feedParkedCmd struct{ actorConfig }

func (feedParkedCmd) Help() string {
	return `A parked event, and every later one about the same subject, waits until it can be applied; it is tried again by itself.

Example:  jitsuin feed parked --config jitsuin-data/config/jlis-1.yaml`
}

func (c *feedParkedCmd) Run(ctx context.Context, face *ui.Face) error {
	n, err := feeds.Parked(ctx, c.Config, face.Out)
	if err == nil && n == 0 {
		face.Note("nothing is parked")
	}
	return err
}

type feedNewEpochCmd struct {
	actorConfig
	AtLeast uint32 `help:"Lowest number of the new epoch; needed where the high-water file was lost too." placeholder:"N"`
}

func (feedNewEpochCmd) Help() string {
	return `The actor must be stopped. Readers start again from the snapshot, so that no number is ever used twice.

Example:  jitsuin feed new-epoch --config /etc/jitsuin/jukinet.yaml`
}

func (c *feedNewEpochCmd) Run(ctx context.Context, face *ui.Face) error {
	epoch, err := feeds.NewEpoch(ctx, c.Config, c.AtLeast, face.Log)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(face.Out, "epoch %d\n", epoch)
	return err
}
