package main

import (
	"github.com/alecthomas/kong"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/complete"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/rules"
)

type rulesCmd struct{}

func (rulesCmd) Help() string {
	return `Each rule has its number, the time in which it is in force, the sentence in both languages and where it was found.

Example:  jitsuin rules | less`
}

func (rulesCmd) Run(face *ui.Face) error { return rules.WriteRegister(face.Out) }

type completionCmd struct {
	Shell string `arg:"" help:"Which shell: ${enum}." enum:"bash,zsh,fish"`
}

func (completionCmd) Help() string { return "Example:  source <(jitsuin completion bash)" }

func (c *completionCmd) Run(face *ui.Face, k *kong.Kong) error {
	return complete.Write(face.Out, c.Shell, k.Model)
}
