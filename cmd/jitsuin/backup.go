package main

import (
	"context"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/keep"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country/backup"
)

// where is a country or one actor.
type where struct {
	data
	Config string `help:"Configuration file of one actor, in the place of a country's folder." placeholder:"FILE" type:"path"`
	Only   string `help:"One instance of the country, such as jlis:1." placeholder:"INSTANCE"`
}

// folder is the country's, where no actor alone is meant.
func (w where) folder() string {
	if w.Config != "" {
		return ""
	}
	return w.Data
}

type backupCmd struct {
	where
	Out            string   `help:"The file to write; an older one is replaced when the new one is whole." required:"" placeholder:"FILE" type:"path"`
	PassphraseFile string   `help:"File with the passphrase that opens the backup; - is standard input." placeholder:"FILE"`
	Recipient      []string `help:"An age recipient (age1…) that can open the backup; may be repeated." placeholder:"AGE"`
}

func (backupCmd) Help() string {
	return `It runs beside the running country and stops nothing. The file holds private keys and the resident register, so it is always encrypted.

Example:  jitsuin backup --data jitsuin-data --out country.backup --passphrase-file /root/passphrase`
}

func (c *backupCmd) Run(ctx context.Context, face *ui.Face) error {
	to, err := keep.Recipients(c.PassphraseFile, c.Recipient, face.In)
	if err != nil {
		return err
	}
	m, err := backup.Take(ctx, backup.Options{Data: c.folder(), Only: c.Only, Config: c.Config, Out: c.Out, Recipients: to, Version: version})
	if err != nil {
		return err
	}
	return keep.Taken(face.Out, c.Out, m)
}

type restoreCmd struct {
	where
	From             string `help:"The backup." placeholder:"FILE" type:"existingfile" xor:"from"`
	DatabaseRestored bool   `help:"The database of --config was put back by other means (PostgreSQL): only begin the new epochs." xor:"from"`
	Check            bool   `help:"Only check the whole backup and say what it holds."`
	PassphraseFile   string `help:"File with the passphrase; - is standard input." placeholder:"FILE"`
	Identity         string `help:"File with age identities (AGE-SECRET-KEY-…)." placeholder:"FILE" type:"existingfile"`
	By               string `help:"Who restores; it stands in J-LIS's account of signatures." env:"USER" default:"operator" placeholder:"NAME"`
}

func (restoreCmd) Help() string {
	return `The country or actor must be stopped. Everything is checked before anything is changed; what is replaced stays beside it. Chips that are there stay.
Every restored actor begins a new epoch of its feeds, J-LIS one of its serial numbers, so that no number is ever used twice.

Example:  jitsuin restore --from country.backup --data jitsuin-data --passphrase-file /root/passphrase`
}

func (c *restoreCmd) Run(ctx context.Context, face *ui.Face) error {
	if c.DatabaseRestored {
		if c.Config == "" {
			return ui.Usage("--database-restored needs --config")
		}
		r, err := backup.DatabaseRestored(ctx, c.Config, c.By, face.Log)
		if err != nil {
			return err
		}
		return keep.Restored(face.Out, backup.Manifest{}, []backup.Result{r})
	}
	if c.From == "" {
		return ui.Usage("--from names the backup")
	}
	with, err := keep.Identities(c.PassphraseFile, c.Identity, face.In)
	if err != nil {
		return err
	}
	if c.Check {
		m, err := backup.Look(c.From, with)
		if err != nil {
			return err
		}
		return keep.Holds(face.Out, m)
	}
	m, results, err := backup.Restore(ctx, backup.RestoreOptions{From: c.From, Data: c.folder(), Only: c.Only, Config: c.Config,
		Identities: with, By: c.By, Log: face.Log})
	if err != nil {
		return err
	}
	return keep.Restored(face.Out, m, results)
}
