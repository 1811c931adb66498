package main

import (
	"fmt"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/reference"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say whether configuration files are right, and where they are not."`
	Show  configShowCmd  `cmd:"" help:"Print every member of a role's configuration file with its meaning and default."`
}

type configCheckCmd struct {
	File []string `arg:"" help:"Configuration files." type:"path"`
}

func (configCheckCmd) Help() string {
	return `Nothing is opened, made or changed; the actor may run. Exit 1 where something is wrong.

Example:  jitsuin config check jitsuin-data/config/*.yaml`
}

func (c *configCheckCmd) Run(face *ui.Face) error {
	var last error
	for _, path := range c.File {
		instance, err := country.CheckConfig(path, "")
		if err != nil {
			if last != nil {
				face.Warn("%v", last)
			}
			last = err
			continue
		}
		if _, err := fmt.Fprintf(face.Out, "%s: right, it configures %s\n", path, instance); err != nil {
			return err
		}
	}
	return last
}

type configShowCmd struct {
	Role string `arg:"" help:"A role: municipality, jukinet, jlis, minister, platform, tsa, service, holder, cards, country or verifier."`
}

func (configShowCmd) Help() string {
	return `Example:  jitsuin config show jlis`
}

func (c *configShowCmd) Run(face *ui.Face) error {
	text, err := reference.Of(c.Role)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(face.Out, text)
	return err
}
