package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/judge"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature/report"
)

type verifyCmd struct {
	data
	Detached      []string  `help:"The document, where it is not inside the signature." placeholder:"FILE" sep:"none"`
	Digest        string    `help:"The digest of the document in hexadecimal, where the document itself is not at hand: of time-stamps and of CMS signatures." placeholder:"HEX"`
	At            time.Time `help:"The instant that is asked about. The default is now: civil time where the country in the data folder runs." placeholder:"RFC3339"`
	Anchors       []string  `help:"Certificates of trusted authorities, PEM or DER, or folders of them; none leaves trust out. The default are those of the country in the data folder." placeholder:"FILE|FOLDER|none" sep:"none"`
	Intermediates []string  `help:"Further certificates of authorities, which are not trusted by being here." placeholder:"FILE|FOLDER" sep:"none"`
	CRL           []string  `name:"crl" help:"Revocation list." placeholder:"FILE" sep:"none"`
	OCSP          []string  `name:"ocsp" help:"OCSP response." placeholder:"FILE" sep:"none"`
	StatusFolder  string    `name:"status" help:"Folder of revocation lists, as the stand-alone verifier has one, in place of --crl and --ocsp. It is read once." placeholder:"FOLDER" type:"path"`
	Proven        bool      `help:"Ask about the earliest instant that a good time-stamp proves, in place of --at."`
	JSON          bool      `name:"json" help:"Print the report as JSON."`
	Batch         string    `help:"Judge one request a line, and print one report a line as JSON." placeholder:"FILE.jsonl" sep:"none"`

	reportFlags

	Policy         []string `help:"Of chain: a policy that the path must be valid for." placeholder:"OID" sep:"none"`
	ExplicitPolicy bool     `help:"Of chain: the path must be valid for one of the policies."`
	InhibitMapping bool     `help:"Of chain: no policy may stand for another."`
	InhibitAny     bool     `help:"Of chain: anyPolicy counts for nothing."`

	Auto      judgeCmd `cmd:"" default:"withargs" help:"Tell the format from the file; the word may be left out."`
	CMS       judgeCmd `cmd:"" name:"cms" help:"Read the file as CMS or CAdES."`
	PDF       judgeCmd `cmd:"" name:"pdf" help:"Read the file as a PDF."`
	XML       judgeCmd `cmd:"" name:"xml" help:"Read the file as XML with signatures (XMLDSig, XAdES)."`
	Timestamp judgeCmd `cmd:"" name:"timestamp" help:"Read the file as a time-stamp (RFC 3161)."`
	JWS       judgeCmd `cmd:"" name:"jws" help:"Read the file as a JSON Web Signature."`
	Chain     judgeCmd `cmd:"" help:"Ask whether a valid path leads from a certificate to an anchor (RFC 5280)."`
	Status    judgeCmd `cmd:"" help:"Ask only whether a certificate is in force: good passes, revoked fails."`
	CAdES     judgeCmd `cmd:"" name:"cades" hidden:""`
	PAdES     judgeCmd `cmd:"" name:"pades" hidden:""`
	XMLDSig   judgeCmd `cmd:"" name:"xmldsig" hidden:""`
	XAdES     judgeCmd `cmd:"" name:"xades" hidden:""`
	TST       judgeCmd `cmd:"" name:"tst" hidden:""`
}

func (verifyCmd) Help() string {
	return `Status comes from --crl and --ocsp, or from the folder --status, alone: nothing is fetched, and what is not known never passes.

With --batch each line is {"id", "mode", "file", "detached", "at", "anchors", "intermediates": [], "crl": [], "ocsp": [], "policies": {"initial": [], "require_explicit", "inhibit_mapping", "inhibit_any"}}, all but file optional, paths relative to the batch. The answers come in the same order, with the same id. The exit code is 0 when every line was judged, whatever the verdicts.

Exit codes: 0 passed, 1 failed, 2 cannot be decided, 3 not supported, 4 not a signature, 64 wrong usage, 74 a file cannot be read. With --anchors none: 0 or 1 by integrity alone.

Example:  jitsuin verify contract-signed.pdf --anchors ca.pem --crl ca.crl
          jitsuin verify letter.txt.p7s --detached letter.txt --anchors ca.pem --crl ca.crl`
}

// judgeCmd is what follows the word for a mode.
type judgeCmd struct {
	File string `arg:"" optional:"" help:"The signature, or with chain and status the certificate; - is standard input."`
}

func (j *judgeCmd) Run(ctx context.Context, face *ui.Face, country *calls, k *kong.Context, c *verifyCmd) error {
	r, err := c.request(ctx, face, country)
	if err != nil {
		return err
	}
	r.Mode, r.File = judge.Mode(k.Selected().Name), j.File
	switch {
	case c.Schema:
		_, err := face.Out.Write(report.Schema())
		return err
	case c.Batch != "" && j.File != "":
		return ui.Usage("--batch names its files itself: leave %s out", j.File)
	case c.Batch != "":
		return c.batch(ctx, face, r)
	case j.File == "":
		return ui.Usage("name the file that is to be judged, or --batch")
	}
	if err := c.check(face, j.File); err != nil {
		return err
	}
	found, err := judge.Verify(ctx, face, r)
	if err != nil {
		return err
	}
	d, err := c.document(face, found, j.File, r.Now)
	if err != nil {
		return err
	}
	if err := errors.Join(c.print(face, d, found.ExitCode()), c.reportFlags.write(ctx, face, d, r.Now)); err != nil {
		return err
	}
	if code := found.ExitCode(); code != 0 {
		return ui.Status(code)
	}
	return nil
}

// request is what the command line says, the file and the mode apart.
func (c *verifyCmd) request(ctx context.Context, face *ui.Face, country *calls) (judge.Request, error) {
	now := country.civil(ctx, face, c.Data)
	if c.At.IsZero() {
		c.At = now
	}
	initial, err := judge.ParseOIDs(c.Policy)
	if err != nil {
		return judge.Request{}, err
	}
	return judge.Request{Detached: c.Detached, Digest: c.Digest, At: c.At, Now: now, Proven: c.Proven,
		Anchors: c.Anchors, Intermediates: c.Intermediates, CRLs: c.CRL, OCSPs: c.OCSP, StatusFolder: c.StatusFolder, DefaultAnchors: anchors(c.Data),
		Policies: cert.PolicyInputs{Initial: initial, RequireExplicit: c.ExplicitPolicy, InhibitMapping: c.InhibitMapping, InhibitAny: c.InhibitAny}}, nil
}

// batch ends with the code of files that cannot be read where a line could not be judged at all.
func (c *verifyCmd) batch(ctx context.Context, face *ui.Face, base judge.Request) error {
	if len(c.Detached)+len(c.Intermediates)+len(c.CRL)+len(c.OCSP)+len(c.Policy)+len(c.Digest) > 0 || c.StatusFolder != "" {
		return ui.Usage("with --batch each line says what belongs to it; only --anchors, --at and --proven hold for all")
	}
	in, _, err := face.Open(c.Batch)
	if err != nil {
		return err
	}
	defer in.Close()
	folder := filepath.Dir(c.Batch)
	failed, err := judge.Batch(ctx, face, in, folder, base, face.Out)
	if err == nil && failed > 0 {
		face.Warn("%d lines of the batch could not be judged; each says why", failed)
		return ui.Status(ui.ExitInput)
	}
	return err
}
