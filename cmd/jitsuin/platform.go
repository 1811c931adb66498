package main

import (
	"context"
	"fmt"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
)

type platformCmd struct {
	Invite platformInviteCmd `cmd:"" help:"Print a link by which somebody joins the platform operator's office with their own card, once, within a day."`
}

type platformInviteCmd struct {
	actorConfig
	Name   string   `help:"What the person is called at work; it stands in every line of the operation log." required:"" placeholder:"NAME"`
	Role   []string `help:"A duty: administrator, tenant-desk, records-desk, operations; or auditor alone. May be repeated." required:"" placeholder:"ROLE"`
	Reason string   `help:"Why, for the operation log." required:"" placeholder:"WHY"`
}

func (platformInviteCmd) Help() string {
	return `For the first people, and for the day on which no administrator can log in. The platform must be running, and the command
needs its files: run it on the same machine.

Example:  jitsuin platform invite --config jitsuin-data/config/platform-1.yaml --name "管理 花子" --role administrator --reason "first administrator"`
}

func (c *platformInviteCmd) Run(ctx context.Context, face *ui.Face) error {
	link, err := platform.InviteLink(ctx, c.Config, api.InvitationRequest{Name: c.Name, Roles: c.Role, Reason: c.Reason})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(face.Out, link)
	return err
}
