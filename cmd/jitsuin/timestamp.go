package main

import (
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// stampTime is how long a time-stamping authority may take to answer.
const stampTime = 30 * time.Second

// timeDiffers is how far a stated time may lie from ours before a person is told.
const timeDiffers = 5 * time.Minute

// timeAuthority is the flag of commands that have something time-stamped.
type timeAuthority struct {
	TSA string `name:"tsa" help:"Address of the time-stamping authority. The default is that of the country in the data folder." placeholder:"URL"`
}

// client is the way to the authority.
func (a timeAuthority) client(data string) (*tsp.Client, error) {
	c := &tsp.Client{URL: a.TSA, HTTP: &http.Client{Timeout: stampTime}}
	if c.URL != "" {
		return c, nil
	}
	origin, err := country.Folder(data).TimeAuthority()
	if err != nil {
		return nil, err
	}
	c.URL = origin
	return c, nil
}

// stamping are the flags of commands that time-stamp only where that is asked for.
type stamping struct {
	Timestamp bool `help:"Have a time-stamping authority state when what is signed existed (B-T, B-LTA); naming one with --tsa does too."`
	timeAuthority
}

// stamper asks the authority for a time-stamp, nil where none is wanted. That there is one is found
// before the card signs.
func (s stamping) stamper(data string) (cms.Timestamper, error) {
	if !s.Timestamp && s.TSA == "" {
		return nil, nil
	}
	client, err := s.client(data)
	if err != nil {
		return nil, err
	}
	return client.Token, nil
}

type timestampCmd struct {
	data
	timeAuthority
	File string `arg:"" help:"What is to be stamped; - is standard input."`
	Out  string `help:"Where the answer goes; - is standard output. The default is FILE.tsr. A name that ends in .tst gets the token alone." placeholder:"FILE.tsr"`
}

func (timestampCmd) Help() string {
	return `The authority is sent the SHA-256 digest of the file and a number drawn for this request, never the file. Its answer must belong to the request and be sound; whether the authority is trusted is asked with: jitsuin verify timestamp FILE.tsr --detached FILE.

Example:  jitsuin timestamp contract.pdf`
}

func (c *timestampCmd) Run(ctx context.Context, face *ui.Face, country *calls) error {
	switch {
	case c.Out == "" && c.File == "-":
		c.Out = "-"
	case c.Out == "":
		c.Out = c.File + ".tsr"
	}
	switch {
	case c.Out == "-" && face.IsTerminal():
		return ui.Usage("a time-stamp is no text for a terminal").WithHint("name a file with --out")
	case c.Out != "-" && filepath.Clean(c.Out) == filepath.Clean(c.File):
		return ui.Usage("--out would overwrite the document")
	}
	client, err := c.client(c.Data)
	if err != nil {
		return err
	}
	sum, err := digest(ctx, face, c.File)
	if err != nil {
		return err
	}
	token, err := client.Stamp(ctx, crypto.SHA256, sum)
	if err != nil {
		return err
	}
	return c.write(face, token, country.civil(ctx, face, c.Data))
}

// write puts the answer where it belongs and says in a line what it states.
func (c *timestampCmd) write(face *ui.Face, token *tsp.Token, now time.Time) error {
	if off := token.Info.Time.Sub(now); off.Abs() > timeDiffers {
		face.Warn("the time-stamp states a time that is %v from the time here", off.Round(time.Second))
	}
	content := token.DER
	if !strings.EqualFold(filepath.Ext(c.Out), ".tst") {
		var err error
		if content, err = tsp.Grant(token.DER).Marshal(); err != nil {
			return err
		}
	}
	if err := face.WriteFile(c.Out, content); err != nil || c.Out == "-" {
		return err
	}
	_, err := fmt.Fprintf(face.Out, "%s  %s\n", token.Info.Time.In(jitsuin.JST).Format("2006-01-02 15:04:05.000 JST"), c.Out)
	return err
}

// digest reads a file and gives its SHA-256.
func digest(ctx context.Context, face *ui.Face, name string) ([]byte, error) {
	content, size, err := face.Open(name)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	document, done := face.Reading(content, size)
	defer done()
	h, buffer := sha256.New(), make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := document.Read(buffer)
		h.Write(buffer[:n])
		if err == io.EOF {
			return h.Sum(nil), nil
		}
		if err != nil {
			return nil, err
		}
	}
}
