package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/judge"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// maxEvidenceFile is the largest revocation list or response that is put into a document.
const maxEvidenceFile = 16 << 20

type preserveCmd struct {
	data
	File         string   `arg:"" help:"The signed PDF; - is standard input."`
	Out          string   `help:"Where the result goes; - is standard output. The default is FILE-preserved.pdf." placeholder:"FILE"`
	Field        string   `help:"The signature field that the evidence is for. The default is the document as a whole." placeholder:"NAME"`
	Certificates []string `help:"Certificates of authorities to put in, PEM or DER, or folders of them." placeholder:"FILE|FOLDER" sep:"none"`
	CRL          []string `name:"crl" help:"Revocation list to put in." placeholder:"FILE" sep:"none"`
	OCSP         []string `name:"ocsp" help:"OCSP response to put in." placeholder:"FILE" sep:"none"`
	ByRight      bool     `name:"resident-status" help:"Status of residents' certificates may be passed on here (公的個人認証法52条). Without this it is refused."`
	stamping
}

func (preserveCmd) Help() string {
	return `What a later verifier needs goes into the PDF (B-LT), and a time-stamp over all of it (B-LTA). Done again before the time-stamp's certificate ends, it renews the proof. Nothing is fetched but the time-stamp, and nothing is put in but what is named here.

Example:  jitsuin preserve contract-signed.pdf --certificates anchors --tsa http://tsa.example/`
}

func (c *preserveCmd) Run(ctx context.Context, face *ui.Face, country *calls) error {
	switch {
	case c.Out == "" && c.File == "-":
		c.Out = "-"
	case c.Out == "":
		c.Out = strings.TrimSuffix(c.File, filepath.Ext(c.File)) + "-preserved.pdf"
	}
	named := len(c.Certificates) + len(c.CRL) + len(c.OCSP)
	switch {
	case c.Out == "-" && face.IsTerminal():
		return ui.Usage("a PDF is no text for a terminal").WithHint("name a file with --out")
	case c.Out != "-" && filepath.Clean(c.Out) == filepath.Clean(c.File):
		return ui.Usage("--out would overwrite the document")
	case named == 0 && c.TSA == "" && !c.Timestamp:
		return ui.Usage("there is nothing to put in").WithHint("name certificates, lists or responses, or say --timestamp")
	}
	stamp, err := c.stamper(c.Data)
	if err != nil {
		return err
	}
	document, err := face.ReadFile(c.File, maxSignedPDF)
	if err != nil {
		return err
	}
	if named > 0 {
		e, err := c.evidence(face)
		if err != nil {
			return err
		}
		if document, err = pades.Preserve(document, country.civil(ctx, face, c.Data), e); err != nil {
			return err
		}
	}
	if stamp != nil {
		if document, err = pades.Archive(ctx, document, stamp, 0); err != nil {
			return err
		}
	}
	return face.WriteFile(c.Out, document)
}

// evidence reads what was named.
func (c *preserveCmd) evidence(face *ui.Face) (e pades.Evidence, err error) {
	e.Field, e.ResidentStatus = c.Field, c.ByRight
	if e.Certificates, err = judge.Certificates("--certificates", c.Certificates); err != nil {
		return e, err
	}
	for _, some := range []struct {
		names []string
		to    *[][]byte
	}{{c.CRL, &e.CRLs}, {c.OCSP, &e.OCSPs}} {
		for _, name := range some.names {
			raw, err := face.ReadFile(name, maxEvidenceFile)
			if err != nil {
				return e, err
			}
			*some.to = append(*some.to, raw)
		}
	}
	return e, nil
}
