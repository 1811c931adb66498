package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/console"
	"github.com/jitsuin/jitsuin/country/tour"
)

type upCmd struct {
	data
	Listen  string    `help:"Where the console is to be reached; the other actors move with it. A new country takes localhost:8400, an old one stays where it was." placeholder:"HOST:PORT"`
	Reset   bool      `help:"Remove the country in the folder and make a new one."`
	Clock   time.Time `help:"Civil time to begin with, or to move forward to." placeholder:"RFC3339"`
	Seed    uint64    `help:"Seed of the sample people of a new country; keys are always fresh." default:"1" placeholder:"N"`
	Cadence string    `help:"How status is published: immediate, or official (OCSP every quarter hour, lists daily). A new country takes immediate." enum:",immediate,official" default:"" placeholder:"WHEN"`
}

func (upCmd) Help() string {
	return `A country that is in the folder goes on as it was left. Ctrl-C ends it cleanly.

Example:  jitsuin up --reset --clock 2027-01-15T09:00:00+09:00`
}

func (c *upCmd) Run(ctx context.Context, face *ui.Face, world *calls) error {
	return world.up(ctx, country.Options{Data: c.Data, Listen: c.Listen, Reset: c.Reset, Clock: c.Clock, Seed: c.Seed,
		Cadence: c.Cadence, Version: programVersion(), Out: face.Out, Log: face.Log, Pages: console.Pages})
}

type serveCmd struct {
	Actor  string `arg:"" optional:"" help:"Role of the actor, checked against the file: municipality, jukinet, jlis, minister, platform, tsa, holder, cards, country or service."`
	Config string `help:"Configuration file of the actor (YAML)." required:"" placeholder:"FILE" type:"path"`
}

func (serveCmd) Help() string {
	return `It is the same code as in jitsuin up, which writes such files into FOLDER/config.

Example:  jitsuin serve jlis --config /etc/jitsuin/jlis.yaml --log json`
}

func (c *serveCmd) Run(ctx context.Context, face *ui.Face, world *calls) error {
	return world.serve(ctx, c.Actor, c.Config, face.Log)
}

type tourCmd struct {
	data
	Out      string `help:"Folder for the evidence of every step." placeholder:"FOLDER" type:"path"`
	Contract string `help:"PDF that is signed in place of the application for the account." placeholder:"FILE" type:"existingfile"`
}

func (tourCmd) Help() string {
	return `Where no country runs in the folder, a temporary one is made and removed. Exit 1 where an expectation was not met.

Example:  jitsuin tour --out evidence`
}

func (c *tourCmd) Run(ctx context.Context, face *ui.Face, world *calls) error {
	ok, err := world.tour(ctx, tour.Options{Data: c.Data, Out: c.Out, Contract: c.Contract, Lang: face.Lang,
		Writer: face.Out, Color: face.ColorOut, Log: face.Log})
	if err == nil && !ok {
		return ui.Status(1)
	}
	return err
}

type clockCmd struct {
	data
	Advance span      `help:"How far to move: years, months, weeks, days, hours, such as 1mo or 2d12h." placeholder:"SPAN" xor:"to"`
	To      time.Time `help:"Where to move." placeholder:"RFC3339" xor:"to"`
}

func (clockCmd) Help() string {
	return `Civil time is the time of the law: validity, deadlines, revocation lists. It moves forward only, and the command ends when all that fell due has been done.

Example:  jitsuin clock --advance 1mo`
}

func (c *clockCmd) Run(ctx context.Context, face *ui.Face, world *calls) error {
	now, err := world.now(ctx, c.Data)
	if err != nil {
		return err
	}
	to := c.To
	if !c.Advance.isZero() {
		to = c.Advance.from(now)
	}
	if !to.IsZero() {
		if now, err = world.move(ctx, c.Data, to); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(face.Out, now.In(jitsuin.JST).Format(time.RFC3339))
	return err
}
