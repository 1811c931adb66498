package jlis

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/signer"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/status"
)

// listValidity is what a revocation list promises: a day and a margin. Production's is not known.
const listValidity = 26 * time.Hour

// noEnd is later than any event that a status.Set can have.
var noEnd = time.Unix(math.MaxUint32, 0)

// listMaker makes revocation lists when they are asked for: with the cadence immediate a new one if
// the status has changed since the last or that is about to end, with official one a civil day, of
// its midnight. Numbers rise in the database, before the signer is asked, and are never given twice;
// every list is kept for the time that rules say.
type listMaker struct {
	agency *Agency

	mu    sync.Mutex // one list at a time
	lists map[listKey]list
}

type listKey struct {
	authority string
	town      jitsuin.MunicipalityCode
}

type list struct {
	der        []byte
	this, next time.Time
	set        *status.Set // of which the list tells changes
	changes    uint64
}

// get gives the present list of a municipality, the complete one for "".
func (m *listMaker) get(ctx context.Context, u *authority, set *status.Set, town jitsuin.MunicipalityCode) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := listKey{u.name, town}
	last, ok := m.lists[key]
	if !ok {
		var err error
		if last, err = m.stored(ctx, key); err != nil {
			return nil, err
		}
	}
	// Before the time and the snapshot: a change in between makes the next list, not none.
	changes := set.Changes(town)
	now := m.agency.Clock.Now().Truncate(time.Second)
	if m.holds(last, set, changes, now) {
		return last.der, nil
	}
	made, err := m.make(ctx, u, set, town, last, now)
	if ctx.Err() == nil {
		m.agency.count.lists.WithLabelValues(outcomeOf(err)).Inc()
	}
	if err != nil {
		return nil, fmt.Errorf("make a revocation list: %w", err)
	}
	made.set, made.changes = set, changes
	if m.lists == nil {
		m.lists = map[listKey]list{}
	}
	m.lists[key] = made
	return made.der, nil
}

// holds tells whether a list is still the one to give.
func (m *listMaker) holds(l list, set *status.Set, changes uint64, now time.Time) bool {
	switch {
	case l.der == nil || !now.Before(l.next.Add(-listValidity/12)):
		return false
	case m.agency.cfg.Status.Cadence == status.Official:
		return jitsuin.DateOf(l.this) == jitsuin.DateOf(now)
	}
	return l.set == set && l.changes == changes
}

// stored gives the newest list of the database; what it tells of is not known any more.
func (m *listMaker) stored(ctx context.Context, key listKey) (l list, err error) {
	err = m.agency.DB.View(ctx, func(tx *store.Tx) error {
		var this, next int64
		err := tx.QueryRow(`SELECT der, this_update, next_update FROM crl WHERE authority = $1 AND scope = $2 AND der IS NOT NULL
			ORDER BY number DESC LIMIT 1`, key.authority, string(key.town)).Scan(&l.der, &this, &next)
		l.this, l.next = store.Time(this), store.Time(next)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return l, err
}

// make makes a list: number and digest are recorded, then it is signed, then stored.
func (m *listMaker) make(ctx context.Context, u *authority, set *status.Set, town jitsuin.MunicipalityCode, last list, now time.Time) (l list, err error) {
	a := m.agency
	l.this = now
	asOf := noEnd // all that changes counted: another clock may have dated an event a little later
	if a.cfg.Status.Cadence == status.Official {
		if midnight := jitsuin.DateOf(now).Start(); midnight.After(last.this) {
			l.this = midnight
		}
		asOf = l.this
	}
	l.next = l.this.Add(listValidity)
	number, err := m.nextNumber(ctx, u)
	if err != nil {
		return l, err
	}
	t := cert.CRLTemplate{Issuer: u.cert, Number: number, ThisUpdate: l.this, NextUpdate: l.next}
	if town != "" {
		t.DistributionPoint = a.realm.DistributionPoint(u.kind, cert.Place(a.cfg.Places[town]))
	}
	var receipt signer.Receipt
	l.der, err = t.Build(ctx, set.Snapshot(town, asOf, last.this).All(), func(ctx context.Context, tbs []byte) (sig []byte, err error) {
		if err := m.intend(ctx, u, number, town, l, sha256.Sum256(tbs)); err != nil {
			return nil, err
		}
		sig, receipt, err = a.sign(ctx, u.name, signer.CRL, tbs)
		return sig, err
	})
	if err != nil {
		return l, err
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		if err := noteSignature(tx, receipt, "crl"); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE crl SET der = $3, counter = $4 WHERE authority = $1 AND number = $2`, u.name, number, l.der, receipt.Counter)
		return err
	})
	return l, err
}

func (m *listMaker) nextNumber(ctx context.Context, u *authority) (number uint64, err error) {
	err = m.agency.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COALESCE(MAX(number), 0) + 1 FROM (SELECT number FROM crl WHERE authority = $1
			UNION ALL SELECT number FROM crl_floor WHERE authority = $1) AS given`, u.name).Scan(&number)
	})
	return number, err
}

func (m *listMaker) intend(ctx context.Context, u *authority, number uint64, town jitsuin.MunicipalityCode, l list, digest [32]byte) error {
	keep, err := rules.KeepingOf(rules.RecordCRL, jitsuin.DateOf(l.this))
	if err != nil {
		return err
	}
	return m.agency.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO crl (authority, number, scope, this_update, next_update, digest, keep_until) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			u.name, number, string(town), store.Micros(l.this), store.Micros(l.next), digest[:], keep.Until(jitsuin.DateOf(l.this)).String())
		return err
	})
}
