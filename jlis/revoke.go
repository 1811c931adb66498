package jlis

import (
	"context"
	"database/sql"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
)

// revocation is one entry of what ended a certificate. At is the moment at which it lost effect:
// the recording, or the beginning of the day that the law names; Recorded is the recording. Town is told.
type revocation struct {
	At       time.Time
	Recorded time.Time
	Reason   jitsuin.RevocationReason
	Cause    string // of the change, or the card event
	Rule     string
	Town     jitsuin.MunicipalityCode
}

// revokeAll ends the certificates of a kind that the person has in force.
func (a *Agency) revokeAll(tx *store.Tx, subject jitsuin.ID, kind jitsuin.CertKind, why revocation) error {
	have, err := inForce(tx, subject, kind, why.At)
	if err != nil {
		return err
	}
	for _, r := range have {
		if err := a.revoke(tx, r, why); err != nil {
			return err
		}
	}
	return nil
}

// revoke records the revocation of a certificate and tells the status nodes and the municipality,
// all in tx. The table takes one revocation per certificate. What rests on the certificate, the one of
// its kind on a telephone, ends with it; one that was suspended lost effect then and never got it back.
func (a *Agency) revoke(tx *store.Tx, r record, why revocation) error {
	held, err := closeSuspension(tx, r, why.Recorded, releasedByEnd)
	if err != nil {
		return err
	}
	if held != nil && held.Before(why.At) {
		why.At = *held
	}
	if why.At.Before(r.NotBefore) { // recorded again after a restore, of a certificate made meanwhile
		why.At = r.NotBefore
	}
	keep, err := rules.KeepingOf(rules.RecordRevocation, jitsuin.DateOf(why.Recorded))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO revocation (kind, serial, effective_at, recorded_at, reason, cause, rule, keep_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		string(r.Kind), r.Serial.String(), store.Micros(why.At), store.Micros(why.Recorded), string(why.Reason), why.Cause, why.Rule, keep.Until(r.lastDay()).String())
	if err != nil {
		return err
	}
	if err := a.appendStatus(tx, r, standing{held: held, dead: &why}); err != nil || r.onPhone() {
		return err // a telephone's is between its holder and us
	}
	_, err = feed.Append(tx, a.toTown(why.Town, string(r.Kind)+":"+r.Serial.String(), api.TypeRevoked,
		api.Revoked{Subject: r.Subject, Kind: r.Kind, EffectiveAt: why.At, RecordedAt: why.Recorded, Reason: why.Reason, Cause: why.Cause}))
	if err != nil {
		return err
	}
	return a.endPhone(tx, r, why)
}

// endPhone ends what rests on a certificate of the card.
func (a *Agency) endPhone(tx *store.Tx, r record, why revocation) error {
	event, err := rules.EventOf(rules.EventCardCertRevoked)
	if err != nil {
		return err
	}
	effect, err := event.Effect(r.Kind)
	if err != nil {
		return err
	}
	resting, err := onPhoneInForce(tx, r.Subject, r.Kind, why.At)
	if err != nil {
		return err
	}
	for _, p := range resting {
		if err := a.revoke(tx, p, revocation{At: why.At, Recorded: why.Recorded, Reason: effect.Of(r.Kind).Reason, Cause: string(event.Event), Rule: event.ID}); err != nil {
			return err
		}
	}
	return nil
}

// standing is what became of a certificate since its issue. The zero value is a good one.
type standing struct {
	held, released *time.Time // the last suspension
	dead           *revocation
}

// appendStatus tells the status nodes what a certificate's status is now.
func (a *Agency) appendStatus(tx *store.Tx, r record, now standing) error {
	var issuer string
	for _, u := range a.all {
		if u.name == r.Authority {
			issuer = u.keyID()
		}
	}
	if issuer == "" {
		return jitsuin.Errorf(jitsuin.Internal, "no-authority", "a certificate's authority %s is not there", r.Authority)
	}
	e := api.StatusEvent{Kind: r.Kind, Serial: r.Serial.String(), Issuer: issuer, Municipality: r.Municipality,
		IssuedAt: r.NotBefore, NotAfter: r.NotAfter, State: api.StateGood, HeldAt: now.held, ReleasedAt: now.released}
	switch {
	case now.dead != nil:
		e.State, e.RevokedAt, e.Reason = api.StateRevoked, &now.dead.At, now.dead.Reason
	case now.held != nil && now.released == nil:
		e.State, e.Reason = api.StateHeld, jitsuin.ReasonCertificateHold
	}
	_, err := feed.Append(tx, feed.Draft{Topic: api.TopicStatus, Subject: e.Serial, Type: api.TypeStatus, Body: e, RecordedAt: a.Clock.Now()})
	return err
}

// planRevocation notes a revocation for a later day, in the place of an earlier plan.
func (a *Agency) planRevocation(tx *store.Tx, subject jitsuin.ID, kind jitsuin.CertKind, why revocation) error {
	_, err := tx.Exec(`INSERT INTO revocation_due (subject, kind, due_at, reason, cause, rule, municipality) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (subject, kind) DO UPDATE SET due_at = excluded.due_at, reason = excluded.reason, cause = excluded.cause,
		rule = excluded.rule, municipality = excluded.municipality`,
		string(subject), string(kind), store.Micros(why.At), string(why.Reason), why.Cause, why.Rule, string(why.Town))
	tx.AfterCommit(a.PokeJobs)
	return err
}

// dueRevocations is the job that records planned revocations when their day has come.
func (a *Agency) dueRevocations() clock.Job {
	return clock.Job{Name: "revocations on their day",
		Next: func(ctx context.Context) (due time.Time, ok bool, err error) {
			var first sql.NullInt64
			err = a.DB.View(ctx, func(tx *store.Tx) error {
				return tx.QueryRow(`SELECT MIN(due_at) FROM revocation_due`).Scan(&first)
			})
			return store.Time(first.Int64), first.Valid, err
		},
		Fire: a.fireRevocations, List: a.plannedRevocations}
}

type plan struct {
	subject jitsuin.ID
	kind    jitsuin.CertKind
	revocation
}

// fireRevocations records what is due, each plan with its effect in one transaction.
func (a *Agency) fireRevocations(ctx context.Context, now time.Time) error {
	for {
		done := false
		err := a.DB.Update(ctx, func(tx *store.Tx) error {
			due, err := store.Collect(scanPlan)(tx.Query(`SELECT subject, kind, due_at, reason, cause, rule, municipality FROM revocation_due
				WHERE due_at <= $1 ORDER BY due_at, subject, kind LIMIT 100`, store.Micros(now)))
			if err != nil {
				return err
			}
			done = len(due) == 0
			for _, p := range due {
				p.Recorded = now
				if err := a.revokeAll(tx, p.subject, p.kind, p.revocation); err != nil {
					return err
				}
				if _, err := tx.Exec(`DELETE FROM revocation_due WHERE subject = $1 AND kind = $2`, string(p.subject), string(p.kind)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || done {
			return err
		}
	}
}

func scanPlan(s store.Scanner) (p plan, err error) {
	var at int64
	err = s.Scan(&p.subject, &p.kind, &at, &p.Reason, &p.Cause, &p.Rule, &p.Town)
	p.At = store.Time(at)
	return p, err
}
