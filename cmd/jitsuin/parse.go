package main

import (
	"encoding/json"

	"github.com/alecthomas/kong"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/read"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
)

// parseCmd shows what stands in one file of a public-key infrastructure.
type parseCmd struct {
	JSON bool `name:"json" help:"Print what was read as JSON."`

	Cert parseFile `cmd:"" help:"A certificate (RFC 5280)."`
	CRL  parseFile `cmd:"" name:"crl" help:"A certificate revocation list (RFC 5280)."`
	OCSP parseFile `cmd:"" name:"ocsp" help:"An OCSP response (RFC 6960)."`
	CSR  parseFile `cmd:"" name:"csr" help:"A certification request (RFC 2986)."`
}

func (parseCmd) Help() string {
	return `The file is DER, or PEM with one such thing in it. Nothing is judged but the form, and that strictly: what is not DER, and not of the syntax of its standard, is refused. Whether a certificate holds is asked with verify.

Exit codes: 0 it is well formed, 4 it is not, 64 wrong usage, 74 the file cannot be read.

Example:  jitsuin parse cert ca.pem --json`
}

// parseFile is what follows the word for a kind.
type parseFile struct {
	File string `arg:"" help:"DER or PEM; - is standard input."`
}

// maxParsed is the size of the largest file that is parsed.
const maxParsed = 256 << 20

// exitMalformed is that of verify for what is no signature.
const exitMalformed = 4

func (p *parseFile) Run(face *ui.Face, k *kong.Context, c *parseCmd) error {
	raw, err := face.ReadFile(p.File, maxParsed)
	if err != nil {
		return err
	}
	d, err := read.Parse(read.Kind(k.Selected().Name), raw)
	if err != nil {
		face.Warn("%s: %v", p.File, err)
		return ui.Status(exitMalformed)
	}
	if !c.JSON {
		return d.Text(face.Out)
	}
	e := json.NewEncoder(face.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}
