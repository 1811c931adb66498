package jlis

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/jlis/signer"
)

// What a database that was put back does not know any more, and what becomes of it:
//
//   - Certificates issued since. They are in chips, and the signer's journal has an account of each
//     with its serial number. They are dead from now on: revoked in OCSP and on every list, so that
//     nobody takes them for good because no record tells of them. Their applications are read
//     again from the municipalities' feeds, and new certificates are made for them.
//   - Revocations since. The registry network's feed is read again from the old place, so they are
//     recorded again, with the moment at which the network passed them on; until that is done the status
//     origin answers nobody.
//   - Serial numbers given since. The epoch rises, outside the database, above every one that was used.
//   - Numbers of revocation lists. They go on from the seconds since 1970, far above any count.
//
// Where the journal was lost with the database, nobody knows which certificates were issued since.
// OCSP then says unknown of them, as of everything that was never issued; a list cannot name them.

// Recovery is what Recover has found. It has no serial number: it is for a person to read.
type Recovery struct {
	Epoch uint32 // of serial numbers, from now on
	// Unknown are the signatures of which the database knew nothing, without their serial numbers.
	Unknown []signer.Receipt
	// Dead counts the certificates that were declared dead, by kind: issued since the backup, or about to be then.
	Dead map[jitsuin.CertKind]int
	// Nameless counts the certificates among Unknown that cannot be declared dead: the journal does not
	// have their serial number (signed by the first release), or it is that of another certificate.
	Nameless int
}

// Recover brings the Agency back after its database was restored: by names the person, atLeast is
// the lowest epoch of serial numbers from now on. It belongs between New and Run. Repeated, it does
// no harm. A journal that was lost or is another's is a Conflict.
func (a *Agency) Recover(ctx context.Context, by string, atLeast uint32) (Recovery, error) {
	unknown, stopped := a.journal.get()
	if stopped != nil && jitsuin.CodeOf(stopped) != "journal-ahead" || by == "" {
		return Recovery{}, jitsuin.Errorf(jitsuin.Conflict, "journal-not-reconcilable", "the journal is not reconciled: %w", stopped)
	}
	var err error
	r := Recovery{Dead: map[jitsuin.CertKind]int{}}
	if r.Epoch, err = a.signer.NewEpoch(atLeast); err != nil {
		return r, fmt.Errorf("new epoch: %w", err)
	}
	if len(a.all) == 0 { // nothing was signed since New, but what there is must be known
		if err := a.readAuthorities(ctx); err != nil {
			return r, err
		}
	}
	floor := uint64(time.Now().Unix())
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		r.Unknown, r.Dead, r.Nameless = nil, map[jitsuin.CertKind]int{}, 0
		for _, u := range unknown {
			if err := a.bury(tx, &r, u, "no record, reconciled by "+by); err != nil {
				return err
			}
		}
		if err := a.buryIntents(tx, &r); err != nil {
			return err
		}
		return a.restart(tx, floor)
	})
	if err != nil {
		return r, fmt.Errorf("reconcile the journal: %w", err)
	}
	a.Log.WarnContext(ctx, "the journal of signatures was reconciled", "by", by, "signatures", len(unknown), "epoch", r.Epoch)
	if err := a.checkJournal(ctx); err != nil {
		return r, err
	}
	return r, a.openKeys(ctx)
}

// ReconcileJournal ends a stop of signing after a person has found out why the journal is ahead of
// the database, which was not restored by jitsuin: by names them. It does what Recover does, and gives
// the signatures that no record tells of. Where nothing is stopped it does nothing.
func (a *Agency) ReconcileJournal(ctx context.Context, by string) ([]signer.Receipt, error) {
	if _, stopped := a.journal.get(); stopped == nil {
		return nil, nil
	}
	r, err := a.Recover(ctx, by, feed.EpochAt(time.Now()))
	return r.Unknown, err
}

// bury notes a signature of which no record tells; a certificate is dead from now on.
func (a *Agency) bury(tx *store.Tx, r *Recovery, u signer.Receipt, note string) error {
	if err := noteSignature(tx, u, note); err != nil {
		return err
	}
	serial := cert.Serial(u.Serial)
	u.Serial = [16]byte{}
	r.Unknown = append(r.Unknown, u)
	kind, _, _ := strings.Cut(u.Key, "-")
	switch {
	case u.Purpose != signer.Certificate && u.Purpose != "":
		return nil
	case serial == cert.Serial{} || !jitsuin.CertKind(kind).Valid():
		r.Nameless++
		return nil
	}
	var known int // other bytes with a number that is given: the record speaks of the real one
	err := tx.QueryRow(`SELECT COUNT(*) FROM certificate WHERE kind = $1 AND serial = $2 AND state = 'issued'`, kind, serial.String()).Scan(&known)
	if err != nil || known > 0 {
		r.Nameless += known
		return err
	}
	return a.lay(tx, r, jitsuin.CertKind(kind), serial, u.Key)
}

// buryIntents gives up what was about to be signed: it may have been, and delivered. Our own
// certificates are left out: they are made again from the same bytes.
func (a *Agency) buryIntents(tx *store.Tx, r *Recovery) error {
	intents, err := certificatesIn(tx, `WHERE state = 'intended' AND subject <> ''`)
	if err != nil {
		return err
	}
	for _, c := range intents {
		if err := a.lay(tx, r, c.Kind, c.Serial, c.Authority); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`UPDATE certificate SET state = 'abandoned' WHERE state = 'intended' AND subject <> ''`)
	return err
}

// longest is above the validity of every certificate of a resident.
const longest = 11 * 366 * 24 * time.Hour

// lay records a certificate as dead and tells the status nodes, once.
func (a *Agency) lay(tx *store.Tx, r *Recovery, kind jitsuin.CertKind, serial cert.Serial, authority string) error {
	now := a.Clock.Now()
	res, err := tx.Exec(`INSERT INTO lost_certificate (kind, serial, authority, noted_at) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, serial) DO NOTHING`,
		string(kind), serial.String(), authority, store.Micros(now))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	r.Dead[kind]++
	return a.appendStatus(tx, record{Kind: kind, Serial: serial, Authority: authority, NotBefore: now, NotAfter: now.Add(longest)},
		standing{dead: &revocation{At: now, Recorded: now, Reason: jitsuin.ReasonUnspecified}})
}

// restart has applications begin anew that had not come to their certificates; their chips, which
// may have left this house since, are given up. Lists go on with numbers that were never given.
func (a *Agency) restart(tx *store.Tx, floor uint64) error {
	for _, u := range a.all {
		_, err := tx.Exec(`INSERT INTO crl_floor (authority, number) VALUES ($1, $2)
			ON CONFLICT (authority) DO UPDATE SET number = excluded.number WHERE excluded.number > crl_floor.number`, u.name, floor)
		if err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`UPDATE application SET state = 'waiting' WHERE state = 'intended'`); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM card WHERE application IN (SELECT id FROM application WHERE state = 'waiting')`)
	return err
}

// recordedBefore is the moment at which a change that is recorded again had its effect: while the
// Agency reads again what a restore has lost, that at which the network passed it on. It was
// recorded here a little later, and no record tells when; the earlier moment is the safe one.
func (a *Agency) recordedBefore(e feed.Event, now time.Time) time.Time {
	if a.register != nil && a.CatchingUp(a.register) && e.RecordedAt.Before(now) {
		return e.RecordedAt
	}
	return now
}

// heldBack is a status origin whose J-LIS was restored: it answers nobody until the registry network's feed has been
// read again and what came of that has reached the origin.
type heldBack struct {
	released atomic.Bool
	done     func() // tells the actor
	through  *jitsuin.Position
}

// look sees whether the hold is over. It is called by the reader of the status feed alone.
func (h *heldBack) look(ctx context.Context, n *node) {
	a := n.agency
	if h.released.Load() || a.CatchingUp(a.register) {
		return
	}
	if h.through == nil { // all that was recorded again has a number up to here
		through, err := a.Position(ctx, api.TopicStatus)
		if err != nil {
			return
		}
		h.through = &through
	}
	if n.caughtUp.Load() && n.follower.Position().Compare(*h.through) >= 0 {
		h.released.Store(true)
		h.done()
	}
}

// err is why nobody is told of any certificate while revocations may still be missing.
func (h *heldBack) err() error {
	if h.released.Load() {
		return nil
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "status-restored", "the record of revocations was restored and has not caught up with the registry network").
		WithHint("try again in a moment; it needs the registry network to answer")
}
