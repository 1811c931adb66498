package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
)

type cardAPDUCmd struct {
	data
	oneCard
	Changes  bool     `help:"On a plastic card: send also commands that could change it or cost a try."`
	Commands []string `arg:"" optional:"" help:"What to do, each as one line of the shell; without any, lines are read from standard input."`
}

func (cardAPDUCmd) Help() string {
	return shellHelp + `
On a card in a reader, a command in hex that could change the card or cost a try is refused without --changes. PINs and My Number are masked in what is shown.

Example:  jitsuin card apdu "select jpki" "file 000A" "read 16"`
}

const shellHelp = `Each line is a command for the card; what was sent and answered is shown with its meaning.
  00 A4 04 0C ...      a command APDU in hex, short or extended
  select NAME          an application: jpki, text, visual, resident, common, issuer, or its AID in hex
  file ID              a file of it by its four hex digits
  read [N]             the selected file from its beginning, all of it or N bytes
  record N             record N of the selected file
  tries                the tries left of the selected PIN; costs none
  verify sign|auth     ask for the password or PIN, without echo, and show it to the card once
  data TAG             a data object of the issuer (GET DATA)
  challenge            eight random bytes
  atr, reset, power    the card's answer to reset; reset it; cut its supply
  help, quit`

func (c *cardAPDUCmd) Run(ctx context.Context, face *ui.Face) error {
	pins, err := c.pins()
	if err != nil {
		return err
	}
	return c.withChannel(ctx, face, c.Data, func(on opened) error {
		s := newShell(face, on, pins, c.Changes)
		for _, line := range c.Commands {
			if _, err := s.line(ctx, line); err != nil {
				return err
			}
		}
		if len(c.Commands) > 0 {
			return nil
		}
		return s.run(ctx)
	})
}

// run reads lines until quit, their end, or that of ctx. A line that is wrong is said and costs nothing; a
// card that is gone ends it.
func (s *shell) run(ctx context.Context) error {
	lines := bufio.NewScanner(s.face.In)
	lines.Buffer(nil, maxLine)
	for {
		if s.face.IsTerminal() {
			fmt.Fprint(s.face.Err, "card> ")
		}
		if !lines.Scan() {
			return lines.Err()
		}
		quit, err := s.line(ctx, strings.TrimSpace(lines.Text()))
		switch {
		case quit:
			return nil
		case err == nil:
		case isSlip(err):
			s.face.Warn("%v", err)
		default:
			return err
		}
	}
}
