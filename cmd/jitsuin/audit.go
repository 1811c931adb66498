package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/audits"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Tell whether an operation log is whole, or name the first bad entry."`
	Pack   auditPackCmd   `cmd:"" help:"Write the signed pack of a period that an auditor takes away."`
	Export auditExportCmd `cmd:"" help:"Write an operation log into a file that can be checked off line."`
}

// auditPlace is where the platform is.
type auditPlace struct {
	data
	Config string `help:"Configuration file of one platform (YAML), in place of a country's folder." placeholder:"FILE" type:"path"`
}

func (p auditPlace) place() audits.Place { return audits.Place{Data: p.Data, Config: p.Config} }

type auditVerifyCmd struct {
	auditPlace
	File       string `arg:"" optional:"" help:"A pack, or an exported log. Without one the databases are looked at." type:"existingfile"`
	Key        string `help:"Public key of the directory's operator (PEM); of a country operator.pub.pem in its folder." placeholder:"FILE" type:"existingfile"`
	Directory  string `help:"The signed list of instances, for an exported log; of a country directory.jws in its folder." placeholder:"FILE" type:"existingfile"`
	Statements string `help:"Statements of the witness that were fetched from it: one a line, or its answers." placeholder:"FILE" type:"existingfile"`
	JSON       bool   `help:"Print what was found as JSON, for programs."`
}

func (auditVerifyCmd) Help() string {
	return `It only looks, also beside a platform that runs. Exit 0: whole. 1: an entry is bad, and the first one is named. 2: no entry is bad, and something is missing (lines lost by a restore, hours without a word).

Example:  jitsuin audit verify --key operator.pub.pem pack.zip`
}

func (c *auditVerifyCmd) Run(ctx context.Context, face *ui.Face) error {
	var more []string
	if c.Statements != "" {
		content, err := os.ReadFile(c.Statements)
		if err != nil {
			return err
		}
		if more, err = audits.ReadStatements(content); err != nil {
			return err
		}
	}
	found, err := c.look(ctx, more)
	if err != nil {
		return err
	}
	code := 0
	for _, f := range found {
		if code != 1 && f.Code() > 0 {
			code = f.Code()
		}
		if err := c.print(face, f); err != nil {
			return err
		}
	}
	if code > 0 {
		return ui.Status(code)
	}
	return nil
}

func (c *auditVerifyCmd) look(ctx context.Context, more []string) ([]audits.Found, error) {
	if c.File == "" {
		return audits.Databases(ctx, c.place(), more)
	}
	path, directory := c.Key, c.Directory
	if path == "" {
		if path = filepath.Join(c.Data, "operator.pub.pem"); !isThere(path) {
			return nil, ui.Usage("--key names the public key of the directory's operator")
		}
	}
	if beside := filepath.Join(c.Data, "directory.jws"); directory == "" && isThere(beside) {
		directory = beside
	}
	key, err := actor.ReadPublicKey(path)
	if err != nil {
		return nil, err
	}
	f, err := audits.File(c.File, key, directory, more)
	return []audits.Found{f}, err
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (c *auditVerifyCmd) print(face *ui.Face, f audits.Found) error {
	if c.JSON {
		enc := json.NewEncoder(face.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(f)
	}
	for _, l := range f.Say(face.Lang) {
		if _, err := fmt.Fprintln(face.Out, face.Judged(l.Text, l.Code)); err != nil {
			return err
		}
	}
	return nil
}

type auditPackCmd struct {
	auditPlace
	From string `help:"First civil day of the period, YYYY-MM-DD." required:"" placeholder:"DAY"`
	To   string `help:"Last civil day of the period." required:"" placeholder:"DAY"`
	Out  string `help:"The file to write." required:"" placeholder:"FILE" type:"path"`
}

func (auditPackCmd) Help() string {
	return `One folder for each accreditation criterion, with the evidence of the period and the documents that the application names; what is missing is named. It names people of the office and addresses: hand it to the auditor alone.

Example:  jitsuin audit pack --from 2026-04-01 --to 2027-03-31 --out pack.zip`
}

func (c *auditPackCmd) Run(ctx context.Context, face *ui.Face) error {
	from, err := jitsuin.ParseDate(c.From)
	if err != nil {
		return ui.Usage("--from: %v", err)
	}
	to, err := jitsuin.ParseDate(c.To)
	if err != nil {
		return ui.Usage("--to: %v", err)
	}
	if to.Before(from) {
		return ui.Usage("--to comes before --from")
	}
	return whole(c.Out, func(w io.Writer) error {
		m, err := audits.Pack(ctx, c.place(), audit.PeriodOf(from, to), w)
		if err != nil {
			return err
		}
		for _, l := range m.Missing {
			face.Note("missing [%s]: %s (%s)", l.Criterion, l.What, l.Why)
		}
		_, err = fmt.Fprintf(face.Out, "%s: %d files, %d things missing, %d gaps\n", c.Out, len(m.Files), len(m.Missing), len(m.Gaps))
		return err
	})
}

type auditExportCmd struct {
	auditPlace
	Out string `help:"The file to write." required:"" placeholder:"FILE" type:"path"`
}

func (auditExportCmd) Help() string {
	return `The whole log, with what the witness has stated, and its head signed with the platform's key.

Example:  jitsuin audit export --data jitsuin-data --out log.ndjson`
}

func (c *auditExportCmd) Run(ctx context.Context, face *ui.Face) error {
	return whole(c.Out, func(w io.Writer) error {
		lines, err := audits.Export(ctx, c.place(), w)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(face.Out, "%s: %d lines\n", c.Out, lines)
		return err
	})
}

// whole writes a file that is there when it is whole, and readable by its owner alone.
func whole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	err = write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
