package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature/filing"
	"github.com/jitsuin/jitsuin/signature/pades"
)

type filingCmd struct {
	File string `arg:"" help:"The signed PDF; - is standard input."`
	JSON bool   `name:"json" help:"Print the checks as JSON."`
}

func (filingCmd) Help() string {
	return `Nine checks (C1 to C9) of the form that the online application system for registration and deposit (登記・供託オンライン申請システム) takes as 電子署名付きPDFファイル. Whether the certificate is valid is not looked at: jitsuin verify does that.

Exit codes: 0 the form is taken, 1 it would be rejected, 3 encrypted or too large, 4 no PDF that can be read.

Example:  jitsuin filing application.pdf`
}

func (c *filingCmd) Run(ctx context.Context, face *ui.Face) error {
	document, err := face.ReadFile(c.File, pades.MaxDocument)
	if err != nil {
		return err
	}
	r, err := filing.Examine(ctx, document)
	switch {
	case err == nil:
	case jitsuin.KindOf(err) == jitsuin.Invalid:
		r = &filing.Report{Unreadable: err.Error(), Checks: []filing.Check{}}
	default:
		return err
	}
	code := 0
	switch {
	case r.Unreadable != "":
		code = exitMalformed
	case !r.Accepted:
		code = 1
	}
	if c.JSON {
		e := json.NewEncoder(face.Out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		err = e.Encode(r)
	} else {
		first, rest, _ := strings.Cut(r.Text(face.Lang), "\n")
		_, err = fmt.Fprintf(face.Out, "%s\n%s", face.Judged(first, code), rest)
	}
	if err == nil && code != 0 {
		err = ui.Status(code)
	}
	return err
}
