package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/report"
)

// reportFlags say what comes of a verification beside what is printed.
type reportFlags struct {
	Purpose   string   `help:"What the document is received for; the report then says what the law makes of it." placeholder:"WORD"`
	Report    []string `help:"Also write the whole report to a file: a page (.html), a PDF (.pdf), text (.txt) or data (.json)." placeholder:"FILE" sep:"none"`
	ReportKey string   `help:"Private key and certificate (PEM) that sign a PDF report." placeholder:"FILE.pem" sep:"none"`
	Schema    bool     `help:"Print the JSON Schema of reports, and judge nothing."`
}

// maxReported is how much of a file is read to name it in a report: what is judged has no more.
const maxReported = 64 << 20

// check refuses what cannot be written before anything is judged.
func (c *reportFlags) check(face *ui.Face, file string) error {
	if c.Purpose != "" && !slices.Contains(rules.Purposes(), rules.Purpose(c.Purpose)) {
		return ui.Usage("there is no purpose %q", c.Purpose).WithHint("%s", "one of "+strings.Join(purposeWords(), ", "))
	}
	pdf := false
	for _, name := range c.Report {
		switch ending(name) {
		case ".pdf":
			pdf = true
		case ".html", ".htm", ".txt", ".json":
		default:
			return ui.Usage("--report %s: the ending says what is written, .html, .pdf, .txt or .json", name)
		}
		if file != "-" && filepath.Clean(name) == filepath.Clean(file) {
			return ui.Usage("--report %s would overwrite what is judged", name)
		}
	}
	if c.ReportKey != "" && !pdf {
		return ui.Usage("--report-key signs a PDF: name one with --report FILE.pdf")
	}
	if c.ReportKey != "" {
		_, err := c.sealer(face)
		return err
	}
	return nil
}

func ending(name string) string { return strings.ToLower(filepath.Ext(name)) }

func purposeWords() []string {
	var words []string
	for _, p := range rules.Purposes() {
		words = append(words, string(p))
	}
	return words
}

// document joins what was found with what the law makes of it. It has no serial numbers: they are for
// the check alone (Act, art. 19(2)).
func (c *reportFlags) document(face *ui.Face, found *signature.Report, file string, at time.Time) (*report.Document, error) {
	d, err := report.New(found, rules.Purpose(c.Purpose))
	if err != nil {
		return nil, err
	}
	if c.ReportKey != "" {
		s, err := c.sealer(face)
		if err != nil {
			return nil, err
		}
		d.Made(report.PlainName(s.Certificate.Subject.String()), at)
	}
	if file == "-" {
		return d, nil
	}
	raw, err := face.ReadFile(file, maxReported)
	if err != nil {
		return nil, err
	}
	return d.Of(filepath.Base(file), raw), nil
}

// write writes the files of --report. at is when they are made, civil time.
func (c *reportFlags) write(ctx context.Context, face *ui.Face, d *report.Document, at time.Time) error {
	for _, name := range c.Report {
		raw, err := c.render(ctx, face, d, ending(name), at)
		if err == nil {
			err = face.WriteFile(name, raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *reportFlags) render(ctx context.Context, face *ui.Face, d *report.Document, ending string, at time.Time) ([]byte, error) {
	switch ending {
	case ".pdf":
		if c.ReportKey == "" {
			face.Note("the PDF is not signed: name the verifier's own key with --report-key, or it is no evidence of the check")
			return d.PDF(face.Lang)
		}
		s, err := c.sealer(face)
		if err != nil {
			return nil, err
		}
		return d.SealedPDF(ctx, face.Lang, s, at)
	case ".txt":
		return []byte(d.Text(face.Lang)), nil
	case ".json":
		return d.JSON()
	}
	return d.HTML(face.Lang)
}

// maxReportKey is the size of the largest file with key and certificates.
const maxReportKey = 1 << 20

func (c *reportFlags) sealer(face *ui.Face) (*report.Sealer, error) {
	text, err := face.ReadFile(c.ReportKey, maxReportKey)
	if err != nil {
		return nil, err
	}
	return report.ReadSealer(text)
}

// print writes what stands at the terminal: the verdict, what it means and what to do first.
func (c *verifyCmd) print(face *ui.Face, d *report.Document, code int) error {
	if c.JSON {
		raw, err := d.JSON()
		if err != nil {
			return err
		}
		_, err = face.Out.Write(raw)
		return err
	}
	first, rest, _ := strings.Cut(d.Brief(face.Lang), "\n")
	_, err := fmt.Fprintf(face.Out, "%s\n%s", face.Judged(first, code), rest)
	return err
}
