package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

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

type versionCmd struct{}

func (versionCmd) Help() string { return "Example:  jitsuin version" }

func (versionCmd) Run(face *ui.Face) error {
	facts := fmt.Sprintf("jitsuin %s\n%s\nplatform %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	names := map[string]string{"vcs.revision": "revision", "vcs.time": "committed", "vcs.modified": "modified", "CGO_ENABLED": "cgo"}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if name := names[s.Key]; name != "" {
				facts += name + " " + s.Value + "\n"
			}
		}
	}
	_, err := fmt.Fprint(face.Out, facts)
	return err
}

type completionCmd struct {
	Shell string `arg:"" help:"Which shell: ${enum}." enum:"bash,zsh,fish"`
}

func (completionCmd) Help() string { return "Example:  source <(jitsuin completion bash)" }

func (c *completionCmd) Run(face *ui.Face, k *kong.Kong) error {
	return complete.Write(face.Out, c.Shell, k.Model)
}
