package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/judge"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature"
)

type verifyCmd struct {
	data
	Detached      []string  `help:"The document, where it is not inside the signature." placeholder:"FILE" sep:"none"`
	At            time.Time `help:"The instant that is asked about. The default is now: civil time where the country in the data folder runs." placeholder:"RFC3339"`
	Anchors       []string  `help:"Certificates of trusted authorities, PEM or DER, or folders of them; none leaves trust out. The default are those of the country in the data folder." placeholder:"FILE|FOLDER|none" sep:"none"`
	Intermediates []string  `help:"Further certificates of authorities, which are not trusted by being here." placeholder:"FILE|FOLDER" sep:"none"`
	CRL           []string  `name:"crl" help:"Revocation list." placeholder:"FILE" sep:"none"`
	OCSP          []string  `name:"ocsp" help:"OCSP response." placeholder:"FILE" sep:"none"`
	JSON          bool      `name:"json" help:"Print the report as JSON."`

	Auto    judgeCmd `cmd:"" default:"withargs" help:"Tell the format from the file; the word may be left out."`
	CMS     judgeCmd `cmd:"" name:"cms" help:"Read the file as CMS or CAdES."`
	Status  judgeCmd `cmd:"" help:"Ask only whether a certificate is in force: good passes, revoked fails."`
	CAdES   judgeCmd `cmd:"" name:"cades" hidden:""`
	PDF     judgeCmd `cmd:"" name:"pdf" hidden:""`
	PAdES   judgeCmd `cmd:"" name:"pades" hidden:""`
	XMLDSig judgeCmd `cmd:"" name:"xmldsig" hidden:""`
	XAdES   judgeCmd `cmd:"" name:"xades" hidden:""`
	TST     judgeCmd `cmd:"" name:"tst" hidden:""`
	JWS     judgeCmd `cmd:"" name:"jws" hidden:""`
}

func (verifyCmd) Help() string {
	return `Status comes from --crl and --ocsp alone: nothing is fetched, and what is not known never passes. PDF, XML, time-stamps and JWS are recognised and answered with UNSUPPORTED.

Exit codes: 0 passed, 1 failed, 2 cannot be decided, 3 not supported, 4 not a signature, 64 wrong usage, 74 a file cannot be read. With --anchors none: 0 or 1 by integrity alone.

Example:  jitsuin verify contract.pdf.p7s --detached contract.pdf --anchors ca.pem --crl ca.crl`
}

// judgeCmd is what follows the word for a mode.
type judgeCmd struct {
	File string `arg:"" help:"The signature, or with status the certificate; - is standard input."`
}

func (j *judgeCmd) Run(ctx context.Context, face *ui.Face, country *calls, k *kong.Context, c *verifyCmd) error {
	now := country.civil(ctx, face, c.Data)
	if c.At.IsZero() {
		c.At = now
	}
	report, err := judge.Verify(ctx, face, judge.Request{Mode: judge.Mode(k.Selected().Name), File: j.File, Detached: c.Detached, At: c.At, Now: now,
		Anchors: c.Anchors, Intermediates: c.Intermediates, CRLs: c.CRL, OCSPs: c.OCSP, DefaultAnchors: anchors(c.Data)})
	if err != nil {
		return err
	}
	if err := c.write(face, report); err != nil {
		return err
	}
	if code := report.ExitCode(); code != 0 {
		return ui.Status(code)
	}
	return nil
}

// write leaves serial numbers out: they are for the check alone (Act, art. 19(2)).
func (c *verifyCmd) write(face *ui.Face, report *signature.Report) error {
	if c.JSON {
		e := json.NewEncoder(face.Out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(report.Public())
	}
	first, rest, _ := strings.Cut(report.Text(face.Lang), "\n")
	_, err := fmt.Fprintf(face.Out, "%s\n%s", face.Judged(first, report.ExitCode()), rest)
	return err
}
