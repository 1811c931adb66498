package doctor

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/sealed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// database looks at an actor's database and at what lies beside it to watch over it; once more where the
// actor was started meanwhile.
func (p *patient) database(ctx context.Context, s country.Settings) {
	before := len(p.report)
	if moved := p.lookAtDatabase(ctx, s); moved {
		p.report = p.report[:before]
		p.lookAtDatabase(ctx, s)
	}
}

func (p *patient) lookAtDatabase(ctx context.Context, s country.Settings) (moved bool) {
	// Before the database is looked at: an actor that runs raises the marks after it has committed.
	marks, marksErr := feed.PeekMarks(highWater(s))
	db, err := store.OpenReadOnly(ctx, s.Database)
	switch {
	case jitsuin.CodeOf(err) == "database-missing" && marks == nil && marksErr == nil:
		p.note("database-new", s.Instance)
		return false
	case jitsuin.CodeOf(err) == "database-missing":
		p.wrong("database-missing", s.Instance, p.name(s.Database))
		return false
	case err != nil:
		p.wrong("database-unreachable", s.Instance, plain(err))
		return false
	}
	defer db.Close()
	if !p.sound(ctx, s, db) || !p.schema(ctx, s, db) {
		return db.Moved()
	}
	p.marks(ctx, s, db, marks, marksErr)
	p.parked(ctx, s, db)
	p.offset(ctx, s, db)
	if s.Keys != "" {
		p.keys(s)
	}
	if s.Signer != "" {
		p.journal(ctx, s, db)
	}
	return db.Moved()
}

// sound has the database look through itself.
func (p *patient) sound(ctx context.Context, s country.Settings, db *store.DB) bool {
	deep, cancel := context.WithDeadline(ctx, p.deadline)
	defer cancel()
	broken, err := db.Check(deep)
	switch {
	case deep.Err() != nil && ctx.Err() == nil:
		p.note("database-long", s.Instance, p.Deep.String())
	case err != nil:
		p.wrong("database-unreachable", s.Instance, plain(err))
		return false
	case len(broken) > 0:
		p.wrong("database-broken", s.Instance, strings.Join(strings.Fields(broken[0]), " "), p.name(s.Database))
		return false
	default:
		p.well("database", s.Instance)
	}
	return true
}

// schema compares what the database is with what this program knows.
func (p *patient) schema(ctx context.Context, s country.Settings, db *store.DB) bool {
	versions, err := actor.Schema(ctx, db, s.Schema)
	if err != nil {
		p.wrong("database-unreachable", s.Instance, plain(err))
		return false
	}
	current := true
	for _, v := range versions {
		switch {
		case v.Have > v.Know:
			p.wrong("schema-newer", s.Instance, v.Table, v.Have, v.Know)
			return false
		case v.Have < v.Know:
			current = false
		}
	}
	if !current {
		p.note("schema-older", s.Instance)
		return false // tables that are looked at below may not be there yet
	}
	p.well("schema", s.Instance)
	return true
}

// marks compares the database with what was given out from it.
func (p *patient) marks(ctx context.Context, s country.Settings, db *store.DB, marks map[string]feed.Mark, marksErr error) {
	var numbered bool
	err := marksErr
	if err == nil {
		err = db.View(ctx, func(tx *store.Tx) (err error) {
			numbered, err = feed.CheckMarks(tx, marks)
			return err
		})
	}
	switch {
	case marksErr != nil:
		p.wrong("high-water-broken", s.Instance, p.name(highWater(s)), plain(err))
	case jitsuin.CodeOf(err) == feed.CodeRolledBack:
		p.wrong("rolled-back", s.Instance, plain(err))
	case err != nil:
		p.wrong("database-unreachable", s.Instance, plain(err))
	case numbered && marks == nil:
		p.wrong("high-water-missing", s.Instance, p.name(highWater(s)))
	default:
		p.well("high-water", s.Instance)
	}
}

// parked looks for events that wait for a person.
func (p *patient) parked(ctx context.Context, s country.Settings, db *store.DB) {
	var stuck []feed.Stuck
	err := db.View(ctx, func(tx *store.Tx) (err error) {
		stuck, err = feed.AllParked(tx)
		return err
	})
	if err != nil {
		p.wrong("database-unreachable", s.Instance, plain(err))
		return
	}
	for _, f := range stuck {
		p.wrong("parked", s.Instance, f.Events, f.Source, f.Topic)
	}
}

// offset notes how far civil time is ahead, as the actor has stored it.
func (p *patient) offset(ctx context.Context, s country.Settings, db *store.DB) {
	micros := s.ClockOffset.Microseconds()
	err := db.View(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(`SELECT offset_micros FROM civil_clock WHERE one = 1`).Scan(&micros)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil // it was never moved
		}
		return err
	})
	if err != nil {
		p.wrong("database-unreachable", s.Instance, plain(err))
		return
	}
	p.offsets[s.Instance] = time.Duration(micros) * time.Microsecond
}

// keys looks whether sealed keys open.
func (p *patient) keys(s country.Settings) {
	passphrase, err := os.ReadFile(s.Passphrase)
	if err != nil {
		return // said already
	}
	keys, err := sealed.Open(s.Keys, strings.TrimSpace(string(passphrase)))
	switch {
	case jitsuin.CodeOf(err) == "signer-passphrase":
		p.wrong("signer-passphrase", s.Instance, plain(err))
	case err != nil:
		p.wrong("signer-broken", s.Instance, plain(err))
	case len(keys) == 0:
		p.wrong("signer-missing", s.Instance, p.name(s.Keys))
	default:
		p.well("sealed-keys", s.Instance)
	}
}

// journal compares the account of the CA's signatures with the database.
func (p *patient) journal(ctx context.Context, s country.Settings, db *store.DB) {
	passphrase, err := os.ReadFile(s.Passphrase)
	if err != nil {
		return // said already
	}
	err = jlis.Inspect(ctx, db, func() (signer.Receipt, []signer.Receipt, error) {
		return signer.Peek(s.Signer, strings.TrimSpace(string(passphrase)))
	})
	switch code := jitsuin.CodeOf(err); code {
	case "journal-ahead", "journal-behind", "journal-differs", "journal-broken", "signer-missing", "signer-passphrase":
		p.wrong(code, s.Instance, plain(err))
	default:
		if err != nil {
			p.wrong("signer-broken", s.Instance, plain(err))
			return
		}
		p.well("journal", s.Instance)
	}
}
