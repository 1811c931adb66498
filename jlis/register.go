package jlis

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

// person is what the Agency knows of somebody: the register as of the last notice.
type person struct {
	Subject      jitsuin.ID
	Municipality jitsuin.MunicipalityCode
	State        jitsuin.ResidentState
	Items        jitsuin.FourItems
}

// applicationSignal is given whenever an application may be able to go on.
const applicationSignal = "jlis.applications"

// applyRegister gives an event of the registry network its effect.
func (a *Agency) applyRegister(_ context.Context, tx *store.Tx, e feed.Event) error {
	switch e.Type {
	case jukinet.TypeChange:
		var c jitsuin.Change
		if err := e.Decode(&c); err != nil {
			return err
		}
		return a.applyChange(tx, c, e)
	case jukinet.TypeHighWater:
		var h jukinet.HighWater
		if err := e.Decode(&h); err != nil {
			return err
		}
		return applyHighWater(tx, h)
	}
	return jitsuin.Errorf(jitsuin.Invalid, "event-unknown", "the registry network sent an event of the type %q", e.Type)
}

// applyHighWater notes that every notice of a municipality up to a position has reached us. In a new
// epoch of the network's feed an older mark may come; it is what the network now stands for.
func applyHighWater(tx *store.Tx, h jukinet.HighWater) error {
	if err := h.Municipality.Check(); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO town_mark (municipality, epoch, n) VALUES ($1, $2, $3)
		ON CONFLICT (municipality) DO UPDATE SET epoch = excluded.epoch, n = excluded.n`,
		string(h.Municipality), h.Position.Epoch, h.Position.N)
	tx.Notify(applicationSignal)
	return err
}

// applyChange records a change of a resident and, in the same transaction, what it does to the
// certificates: the recording is the moment at which they end (異動等失効情報の記録).
func (a *Agency) applyChange(tx *store.Tx, c jitsuin.Change, e feed.Event) error {
	if _, err := jitsuin.ParseID(string(c.Subject)); err != nil {
		return err
	}
	if err := c.Municipality.Check(); err != nil {
		return err
	}
	before, known, err := findPerson(tx, c.Subject)
	if err != nil {
		return err
	}
	if !known && !enters(c.Cause) {
		return jitsuin.Errorf(jitsuin.NotFound, "person-unknown", "a change (%s) of somebody of whom nothing is recorded here", c.Cause)
	}
	if seen, err := seenBefore(tx, c, known); err != nil || seen {
		return err
	}
	effect, err := a.cfg.practice().Effect(c, before.Items)
	if err != nil {
		return err
	}
	now := a.Clock.Now()
	if err := savePerson(tx, c, now); err != nil {
		return err
	}
	if err := a.endCertificates(tx, c, effect, a.recordedBefore(e, now), now); err != nil {
		return err
	}
	tx.Notify(applicationSignal)
	return nil
}

// seenBefore tells whether this very act was recorded before, and notes it. A registry network that was
// restored from a backup begins a new epoch and sends again what it reads again; nobody goes back to where they
// were by it. Acts are told apart by their request; the entries of an older register have none, and are
// each a person's first.
func seenBefore(tx *store.Tx, c jitsuin.Change, known bool) (bool, error) {
	if c.RequestID == "" {
		return known && c.Cause == jitsuin.CauseEntered, nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return false, fmt.Errorf("encode a change: %w", err)
	}
	digest := sha256.Sum256(text)
	r, err := tx.Exec(`INSERT INTO change_seen (subject, digest) VALUES ($1, $2) ON CONFLICT (subject, digest) DO NOTHING`, string(c.Subject), digest[:])
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 0, err
}

// enters tells whether a cause may bring somebody new.
func enters(c jitsuin.Cause) bool {
	return c == jitsuin.CauseMoveIn || c == jitsuin.CauseBirth || c == jitsuin.CauseEntered
}

func findPerson(tx *store.Tx, subject jitsuin.ID) (p person, known bool, err error) {
	var birth string
	p.Subject = subject
	err = tx.QueryRow(`SELECT municipality, state, name, address, birth_date, sex FROM person WHERE subject = $1`, string(subject)).
		Scan(&p.Municipality, &p.State, &p.Items.Name, &p.Items.Address, &birth, &p.Items.Sex)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	p.Items.BirthDate, err = jitsuin.ParseDate(birth)
	return p, err == nil, err
}

func savePerson(tx *store.Tx, c jitsuin.Change, now time.Time) error {
	_, err := tx.Exec(`INSERT INTO person (subject, municipality, state, name, address, birth_date, sex, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (subject) DO UPDATE SET municipality = excluded.municipality,
		state = excluded.state, name = excluded.name, address = excluded.address, birth_date = excluded.birth_date,
		sex = excluded.sex, changed_at = excluded.changed_at`,
		string(c.Subject), string(c.Municipality), string(c.State), c.Items.Name, c.Items.Address, c.Items.BirthDate.String(),
		string(c.Items.Sex), store.Micros(now))
	return err
}

// endCertificates does what a change does to the certificates: now, or noted for the day that the
// law names. at is the moment of the effect, which is now but after a restore. What an earlier departure had
// planned is off, unless the person is still leaving.
func (a *Agency) endCertificates(tx *store.Tx, c jitsuin.Change, effect rules.Revocation, at, now time.Time) error {
	if c.Cause == jitsuin.CauseMoveOut || c.State != jitsuin.Abroad {
		if _, err := tx.Exec(`DELETE FROM revocation_due WHERE subject = $1`, string(c.Subject)); err != nil {
			return err
		}
	}
	for _, kind := range jitsuin.CertKinds {
		end := effect.Of(kind)
		if end.Timing == rules.Keep {
			continue
		}
		why := revocation{At: at, Recorded: now, Reason: end.Reason, Cause: string(c.Cause), Rule: effect.Rule.ID, Town: c.Municipality}
		if end.Timing == rules.OnDate && end.On.Start().After(now) {
			why.At = end.On.Start()
			if err := a.planRevocation(tx, c.Subject, kind, why); err != nil {
				return err
			}
			continue
		}
		if err := a.revokeAll(tx, c.Subject, kind, why); err != nil {
			return err
		}
	}
	return nil
}
