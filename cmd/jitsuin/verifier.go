package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/verifier"
	"github.com/jitsuin/jitsuin/verifier/fetch"
)

type verifierCmd struct {
	Init   verifierInitCmd   `cmd:"" help:"Make the folders and the configuration file of a verifier."`
	Serve  verifierServeCmd  `cmd:"" help:"Serve page and API until interrupted, and look after the revocation lists."`
	Fetch  verifierFetchCmd  `cmd:"" help:"Fetch revocation lists now, for a verifier that runs or does not."`
	Status verifierStatusCmd `cmd:"" help:"Say whom the verifier trusts and how old its revocation lists are."`
}

func (verifierCmd) Help() string {
	return `For recipients of signed documents who have no country and no platform: own trust anchors, revocation lists in a folder, a page for people and an API for programs. Nothing that is sent to it is stored, and it works offline.

Example:  jitsuin verifier init ./verifier && jitsuin verifier serve --config ./verifier/verifier.yaml`
}

// verifierConfig is the flag of all that need a configuration.
type verifierConfig struct {
	Config string `help:"Configuration file." default:"verifier.yaml" placeholder:"FILE" type:"path"`
}

func (c verifierConfig) open(face *ui.Face) (*verifier.Verifier, *verifier.Config, error) {
	cfg, err := verifier.Load(c.Config)
	if err != nil {
		return nil, nil, err
	}
	v, err := verifier.Open(cfg, verifier.Options{Log: face.Log, Version: programVersion()})
	return v, cfg, err
}

type verifierInitCmd struct {
	Folder string `arg:"" help:"Folder that is made." type:"path"`
}

func (verifierInitCmd) Help() string {
	return `Example:  jitsuin verifier init ./verifier`
}

func (c *verifierInitCmd) Run(face *ui.Face) error {
	if err := verifier.Init(c.Folder); err != nil {
		return err
	}
	_, err := fmt.Fprintf(face.Out, `%[1]s is ready. Next:
  1. put the certificates of the authorities that you trust into %[1]s/anchors
  2. put revocation lists (CRL) into %[1]s/status, or name their sources in %[1]s/verifier.yaml
  3. jitsuin verifier serve --config %[1]s/verifier.yaml
`, c.Folder)
	return err
}

type verifierServeCmd struct{ verifierConfig }

func (verifierServeCmd) Help() string {
	return `Example:  jitsuin verifier serve --config verifier.yaml`
}

func (c *verifierServeCmd) Run(ctx context.Context, face *ui.Face) error {
	v, _, err := c.open(face)
	if err != nil {
		return err
	}
	return v.Run(ctx, func(address string) {
		fmt.Fprintf(face.Err, "jitsuin: the verifier is ready: http://%s/\n", address)
	})
}

type verifierFetchCmd struct {
	verifierConfig
	Source string `help:"Only this source, by its name in the configuration." placeholder:"NAME"`
}

func (verifierFetchCmd) Help() string {
	return `A newer list is put beside the older ones, never an older one in the place of a newer. Exit 1 where a source failed.

Example:  jitsuin verifier fetch --config verifier.yaml`
}

func (c *verifierFetchCmd) Run(ctx context.Context, face *ui.Face) error {
	v, _, err := c.open(face)
	if err != nil {
		return err
	}
	states, err := v.Fetch(ctx, c.Source)
	if err != nil {
		return err
	}
	failed := false
	for _, s := range states {
		if s.LastError != "" {
			failed = true
		}
		if err := printSource(face, s); err != nil {
			return err
		}
	}
	if failed {
		return ui.Status(1)
	}
	return nil
}

func printSource(face *ui.Face, s fetch.SourceState) error {
	text, code := fmt.Sprintf("%s: %d lists, %d new", s.Source, s.Lists, s.New), 0
	if s.LastError != "" {
		text, code = fmt.Sprintf("%s: %s", s.Source, s.LastError), 1
	}
	_, err := fmt.Fprintln(face.Out, face.Judged(text, code))
	return err
}

type verifierStatusCmd struct {
	verifierConfig
	JSON bool `name:"json" help:"Print it as JSON."`
}

func (verifierStatusCmd) Help() string {
	return `It looks into the folders and changes nothing. Exit 0 where every list is in its time, 1 where one has ended or none is there.

Example:  jitsuin verifier status --config verifier.yaml`
}

func (c *verifierStatusCmd) Run(face *ui.Face) error {
	v, _, err := c.open(face)
	if err != nil {
		return err
	}
	s := v.State()
	if c.JSON {
		e := json.NewEncoder(face.Out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		err = e.Encode(s)
	} else {
		err = printState(face, s)
	}
	if err == nil && s.Condition != verifier.Current {
		return ui.Status(1)
	}
	return err
}

// printState is for a person: what is wrong comes last, where it is seen.
func printState(face *ui.Face, s verifier.State) error {
	var all error
	line := func(code int, format string, args ...any) {
		_, err := fmt.Fprintln(face.Out, face.Judged(fmt.Sprintf(format, args...), code))
		all = errors.Join(all, err)
	}
	for _, a := range s.Anchors {
		line(0, "trusted until %s: %s (%.16s…)", day(a.NotAfter), a.Subject, a.SHA256)
	}
	for _, l := range s.Lists {
		switch {
		case l.Newest && l.Ended:
		case l.Newest:
			line(0, "list of %s, holds until %s, %d entries: %s %s", minute(l.ThisUpdate), minute(l.NextUpdate), l.Entries, l.Issuer, l.Partition)
		}
	}
	for _, src := range s.Sources {
		all = errors.Join(all, printSource(face, src))
	}
	for _, p := range s.Problems {
		line(2, "not used: %s: %s", p.File, p.Why)
	}
	for _, l := range s.Lists {
		if l.Newest && l.Ended {
			line(1, "list of %s has ended at %s: %s %s", minute(l.ThisUpdate), minute(l.NextUpdate), l.Issuer, l.Partition)
		}
	}
	if s.Condition == verifier.Missing {
		line(1, "there is no revocation list: nothing can pass")
	}
	return all
}

func day(t time.Time) string    { return t.In(jitsuin.JST).Format("2006-01-02") }
func minute(t time.Time) string { return t.In(jitsuin.JST).Format("2006-01-02 15:04") }
