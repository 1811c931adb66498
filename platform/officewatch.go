package platform

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/office"
)

// A session lasts for hours, and a card may be lost meanwhile. So the certificate that let somebody in is asked about again: all the
// time in the background, and at once before an act that needs two people. One that is dead ends the session. Where its status
// cannot be had the session goes on, for reading and for what one person does alone, but nothing sensitive is proposed or approved.

const (
	watchEvery   = time.Minute
	forgetRounds = 60               // of the watch, until what is over is dropped
	checkEvery   = 10 * time.Minute // of a session's certificate, in the background
	freshEnough  = time.Minute      // before a sensitive act
)

// watchSessions asks about the certificates of open sessions, and notes proposals that nobody approved in time.
func (p *Platform) watchSessions(ctx context.Context) error {
	for round := 0; ; round++ {
		if err := p.watchOnce(ctx, time.Now().Add(-checkEvery)); err != nil {
			return err
		}
		if round%forgetRounds == 0 {
			now := time.Now()
			if err := p.DB.Update(ctx, func(tx *store.Tx) error { return office.Forget(tx, now) }); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

// watchOnce looks at the sessions whose certificates were not asked about since a time. An idle office writes nothing.
func (p *Platform) watchOnce(ctx context.Context, since time.Time) error {
	var open []office.Session
	var lapsed int
	civil, now := p.Clock.Now(), time.Now()
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		if open, err = office.Unchecked(tx, since); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT COUNT(*) FROM office_proposal WHERE state = $1 AND expires_at <= $2`, office.Waiting, store.Micros(now)).Scan(&lapsed)
	})
	if err != nil {
		return err
	}
	if lapsed > 0 {
		if err := p.DB.Update(ctx, func(tx *store.Tx) error { return office.Lapse(tx, civil, now) }); err != nil {
			return err
		}
	}
	for _, s := range open {
		if s.Over(now) {
			continue // dropped by forget
		}
		if err := p.recheck(ctx, s); err != nil && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "the certificate of a person of the office was not confirmed", "person", s.Person.ID, "code", jitsuin.CodeOf(err))
		}
	}
	return ctx.Err()
}

// fresh refuses a sensitive act unless the certificate of the session is good now.
func (p *Platform) fresh(ctx context.Context, s office.Session) error {
	if time.Since(s.CheckedAt) < freshEnough {
		return nil
	}
	return p.recheck(ctx, s)
}

// recheck asks about the certificate of a session again. Errors: Revoked "certificate-dead", and the session has ended; Unavailable
// "certificate-unchecked".
func (p *Platform) recheck(ctx context.Context, s office.Session) error {
	anchors, err := p.trusted()
	if err != nil {
		return err
	}
	leaf, err := cert.Parse(s.Certificate)
	if err != nil {
		return err
	}
	path, err := cert.ValidatePath(ctx, leaf, cert.PathOptions{Anchors: anchors, At: p.Clock.Now(), Kind: jitsuin.AuthCert, Revocation: p.newWitness(true)})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	outcome := outcomeOf(loginReport(path, leaf, p.Clock.Now(), err))
	now, civil := time.Now(), p.Clock.Now()
	switch {
	case outcome == office.Welcome && path.Status.State == cert.Good:
		return p.DB.Update(ctx, func(tx *store.Tx) error { return office.Checked(tx, s.Hash, now) })
	case outcome == office.Revoked || outcome == office.Expired:
		err := p.DB.Update(ctx, func(tx *store.Tx) error {
			had, err := office.EndSession(tx, s.Hash)
			if err != nil || !had {
				return err
			}
			return audit.Record(ctx, tx, civil, audit.Line{Who: p.Config.Instance, Act: "session-ended", Subject: string(s.Person.ID), Detail: map[string]string{"certificate": string(outcome)}})
		})
		if err != nil {
			return err
		}
		return jitsuin.Errorf(jitsuin.Revoked, "certificate-dead", "the certificate with which you logged in is no longer valid, and the session has ended")
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "certificate-unchecked", "it cannot be told now whether your certificate is still valid").
		WithHint("nothing sensitive is done meanwhile; try again in a little while")
}
