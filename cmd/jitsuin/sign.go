package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// maxEmbedded is the largest document that is put inside a signature; readers take 64 MiB in all.
const maxEmbedded = 60 << 20

type signCmd struct {
	data
	oneCard
	File     string `arg:"" help:"The document; - is standard input."`
	Out      string `help:"Where the result goes; - is standard output. The default is FILE.p7s, and for a PDF FILE-signed.pdf." placeholder:"FILE"`
	Format   string `help:"pades signs a PDF inside itself; adbe does so in the form for registration and deposit (登記・供託); cades makes a signature beside any document. The default is pades for a PDF, and else cades." enum:",cades,pades,adbe" default:"" placeholder:"cades|pades|adbe"`
	Embedded bool   `help:"Put the document inside the signature (cades)."`
	stamping
	signPDF
}

func (signCmd) Help() string {
	return `A PDF is signed as PAdES: its bytes stay, and the signature follows them. Other documents get a CMS signature (CAdES B-B, with a time-stamp B-T, in DER) in a file of its own. The password is asked for at the terminal, with the tries that are left; it is never tried twice.

Example:  jitsuin sign contract.pdf --card 3f2a --seal
          jitsuin sign contract.pdf --format cades --timestamp
          jitsuin sign application.pdf --format adbe --out filed.pdf`
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
	whole, err := c.choose(face, content)
	if err != nil {
		return err
	}
	act := holder.Act{PINs: pins, At: country.civil(ctx, face, c.Data), Warn: func(w holder.Warning) error {
		face.Warn("%s", w.Message)
		return nil
	}}
	if c.inside() {
		return c.signPDF.run(ctx, face, c, whole, act)
	}
	return c.beside(ctx, face, io.MultiReader(bytes.NewReader(whole), content), size, act)
}

// inside tells whether the signature goes into the PDF.
func (c *signCmd) inside() bool { return c.Format == "pades" || c.Format == "adbe" }

// choose decides on the format by the document's first bytes where none was asked for. It gives what it has read: the
// whole document where it is to be signed inside itself.
func (c *signCmd) choose(face *ui.Face, content io.Reader) ([]byte, error) {
	head := make([]byte, len("%PDF-"))
	n, err := io.ReadFull(content, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	pdf := string(head) == "%PDF-"
	if c.Format == "" {
		c.Format = "cades"
		if pdf && !c.Embedded && !strings.HasSuffix(c.Out, ".p7s") {
			c.Format = "pades"
		}
	}
	if err := c.settle(face, pdf); err != nil || !c.inside() {
		return head, err
	}
	return ui.ReadAll(io.MultiReader(bytes.NewReader(head), content), c.File, maxSignedPDF)
}

// settle fills in where the result goes, and refuses what does not go together.
func (c *signCmd) settle(face *ui.Face, pdf bool) error {
	switch {
	case c.Out == "" && c.File == "-":
		c.Out = "-"
	case c.Out == "" && c.inside():
		c.Out = strings.TrimSuffix(c.File, filepath.Ext(c.File)) + "-signed.pdf"
	case c.Out == "":
		c.Out = c.File + ".p7s"
	}
	switch {
	case c.inside() && !pdf:
		return ui.Usage("%s is no PDF", c.File).WithHint("--format cades signs any document")
	case c.inside() && c.Embedded:
		return ui.Usage("--embedded is for --format cades: a PDF is signed inside itself")
	case !c.inside() && c.signPDF.asked():
		return ui.Usage("a seal, a name and the like are for a PDF that is signed inside itself").WithHint("leave them out, or choose --format pades")
	case c.Out == "-" && face.IsTerminal():
		return ui.Usage("what is signed is no text for a terminal").WithHint("name a file with --out")
	case c.Out != "-" && filepath.Clean(c.Out) == filepath.Clean(c.File):
		return ui.Usage("--out would overwrite the document")
	}
	return nil
}

// beside makes a signature in a file of its own.
func (c *signCmd) beside(ctx context.Context, face *ui.Face, content io.Reader, size int64, act holder.Act) error {
	stamp, err := c.stamper(c.Data)
	if err != nil {
		return err
	}
	card, done, err := c.open(ctx, face, c.Data)
	if err != nil {
		return err
	}
	defer done()
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
	if stamp == nil {
		return face.WriteFile(c.Out, der)
	}
	stamped, err := cms.AddTimestamp(ctx, der, 0, stamp)
	if err != nil { // the card has signed: that is not thrown away
		face.Warn("the signature has no time-stamp, and is written without one")
		return errors.Join(err, face.WriteFile(c.Out, der))
	}
	return face.WriteFile(c.Out, stamped)
}

// check refuses what cannot end well before anything is read.
func (c *signCmd) check(face *ui.Face) error {
	if c.File == "-" && c.PINFD == 0 {
		return ui.Usage("standard input cannot be both the document and the PIN").WithHint("give the PIN through another descriptor: --pin-fd 3 3<FILE")
	}
	if c.Out == "-" && face.IsTerminal() || c.Out == "" && c.File == "-" && face.IsTerminal() {
		return ui.Usage("what is signed is no text for a terminal").WithHint("name a file with --out")
	}
	return nil
}
