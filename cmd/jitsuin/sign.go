package main

import (
	"context"
	"path/filepath"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

// maxEmbedded is the largest document that is put inside a signature; readers take 64 MiB in all.
const maxEmbedded = 60 << 20

type signCmd struct {
	data
	oneCard
	File     string `arg:"" help:"The document; - is standard input."`
	Out      string `help:"Where the signature goes; - is standard output. The default is FILE.p7s." placeholder:"FILE.p7s"`
	Embedded bool   `help:"Put the document inside the signature."`
}

func (signCmd) Help() string {
	return `The signature is CMS (CAdES B-B) in DER. The password is asked for at the terminal, with the tries that are left; it is never tried twice.

Example:  jitsuin sign contract.pdf --card 3f2a`
}

func (c *signCmd) Run(ctx context.Context, face *ui.Face, country *calls) error {
	if err := c.check(face); err != nil {
		return err
	}
	pins, err := c.pins()
	if err != nil {
		return err
	}
	content, size, err := face.Open(c.File)
	if err != nil {
		return err
	}
	defer content.Close()
	card, done, err := c.open(ctx, face, c.Data)
	if err != nil {
		return err
	}
	defer done()
	act := holder.Act{PINs: pins, At: country.civil(ctx, face, c.Data), Warn: func(w holder.Warning) error {
		face.Warn("%s", w.Message)
		return nil
	}}
	var der []byte
	if c.Embedded {
		var whole []byte
		if whole, err = ui.ReadAll(content, c.File, maxEmbedded); err == nil {
			der, err = card.Enveloping(ctx, whole, act)
		}
	} else {
		document, end := face.Reading(content, size)
		der, err = card.Document(ctx, document, act)
		end()
	}
	if err != nil {
		return err
	}
	return face.WriteFile(c.Out, der)
}

// check fills in where the signature goes, and refuses what cannot end well before anybody types a password.
func (c *signCmd) check(face *ui.Face) error {
	switch {
	case c.Out == "" && c.File == "-":
		c.Out = "-"
	case c.Out == "":
		c.Out = c.File + ".p7s"
	}
	switch {
	case c.File == "-" && c.PINFD == 0:
		return ui.Usage("standard input cannot be both the document and the PIN").WithHint("give the PIN through another descriptor: --pin-fd 3 3<FILE")
	case c.Out == "-" && face.IsTerminal():
		return ui.Usage("a signature is no text for a terminal").WithHint("name a file with --out")
	case c.Out != "-" && filepath.Clean(c.Out) == filepath.Clean(c.File):
		return ui.Usage("--out would overwrite the document")
	}
	return nil
}
