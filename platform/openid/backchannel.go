package openid

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// How often a logout token is sent again, and when it is given up, wall time. Our choice: a client that was down for a day asks who is
// logged in anyway.
var (
	logoutPauses = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
	logoutGiveUp = 24 * time.Hour
)

const (
	logoutLease     = time.Minute // in which another process leaves it alone
	logoutTokenLife = 2 * time.Minute
	logoutsAtOnce   = 50
	idle            = 5 * time.Second // after which the queue is looked at for what another process put in
	logoutsKept     = 30 * 24 * time.Hour
	givenKept       = 365 * 24 * time.Hour // our choice: the operation log has it for longer
)

// logout is a row of openid_logouts.
type logout struct {
	id, tenant, client string
	issuer             issuer
	session, user      string
	address            string
	madeAt             time.Time
	tries              int
}

func scanLogout(s store.Scanner) (l logout, err error) {
	var path string
	var made int64
	err = s.Scan(&l.id, &l.tenant, &l.client, &path, &l.session, &l.user, &l.address, &made, &l.tries)
	l.issuer, l.madeAt = issuerOf(path), store.Time(made)
	return l, err
}

func (p *Provider) wake() {
	select {
	case p.poke <- struct{}{}:
	default:
	}
}

// SendLogouts tells clients that logins ended, until ctx ends.
func (p *Provider) SendLogouts(ctx context.Context) error {
	for {
		if err := p.sendDue(ctx); err != nil && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "logout tokens were not sent", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.poke:
		case <-time.After(idle):
		}
	}
}

// sendDue sends what is due. Each is claimed first, so that of two processes one sends it.
func (p *Provider) sendDue(ctx context.Context) error {
	now := p.Now()
	var due []logout
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = store.Collect(scanLogout)(tx.Query(`/* every tenant: the queue is one */ SELECT id, tenant, client, issuer, session, user_id, address, made_at, tries FROM openid_logouts
			WHERE ended_at = 0 AND next_at <= $1 ORDER BY next_at LIMIT $2`, store.Micros(now), logoutsAtOnce))
		return err
	})
	for _, l := range due {
		if err := p.sendOne(ctx, l); err != nil {
			return err
		}
	}
	return err
}

func (p *Provider) sendOne(ctx context.Context, l logout) error {
	now, mine := p.Now(), false
	err := p.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(`UPDATE openid_logouts SET tries = $1, next_at = $2 WHERE id = $3 AND tenant = $4 AND tries = $5 AND ended_at = 0`,
			l.tries+1, store.Micros(now.Add(logoutLease)), l.id, l.tenant, l.tries)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		mine = n == 1
		return err
	})
	if err != nil || !mine {
		return err
	}
	token, err := p.logoutToken(ctx, l)
	if err != nil {
		return err
	}
	failed := p.Host.Post(ctx, l.address, "application/x-www-form-urlencoded", url.Values{"logout_token": {token}}.Encode())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return p.noteSent(ctx, l, failed)
}

// logoutToken says to a client which login ended (Back-Channel Logout §2.4).
func (p *Provider) logoutToken(ctx context.Context, l logout) (string, error) {
	now := p.Now()
	raw, err := json.Marshal(map[string]any{"iss": p.url(l.issuer, ""), "sub": l.user, "aud": l.client, "iat": now.Unix(), "exp": now.Add(logoutTokenLife).Unix(),
		"jti": string(jitsuin.NewID()), "sid": l.session, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}})
	if err != nil {
		return "", err
	}
	return p.sign(ctx, "logout+jwt", raw)
}

// noteSent notes what came of it: taken, to be sent again, or given up.
func (p *Provider) noteSent(ctx context.Context, l logout, failed error) error {
	now := p.Now()
	ended, next, outcome := store.Micros(now), int64(0), "taken"
	if failed != nil {
		outcome = jitsuin.CodeOf(failed)
		if outcome == "" {
			outcome = "failed"
		}
		if again := now.Add(logoutPauses[min(l.tries, len(logoutPauses)-1)]); again.Sub(l.madeAt) < logoutGiveUp {
			ended, next = 0, store.Micros(again)
		}
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE openid_logouts SET ended_at = $1, next_at = $2, outcome = $3 WHERE id = $4 AND tenant = $5`, ended, next, outcome, l.id, l.tenant)
		if err != nil || ended == 0 {
			return err
		}
		return p.Host.Record(ctx, tx, l.tenant, "openid-logout-told", l.session, map[string]string{"client": l.client, "outcome": outcome})
	})
}

// Clean drops what is over, by wall time, and items of people when their access token is.
func (p *Provider) Clean(ctx context.Context) error {
	now := p.Now()
	day := store.Micros(now.Add(-24 * time.Hour))
	err := p.DB.Update(ctx, func(tx *store.Tx) error {
		for _, s := range []struct {
			text string
			at   int64
		}{
			{`DELETE FROM openid_seen WHERE expires_at < $1`, store.Micros(now)},
			{`/* every tenant: their time is over */ UPDATE openid_sessions SET items = '' WHERE items <> '' AND auth_time < $1`, store.Micros(now.Add(-requestLife - tokenLife))},
			{`/* every tenant: their time is over */ DELETE FROM openid_tokens WHERE expires_at < $1`, day},
			{`/* every tenant: their time is over */ DELETE FROM openid_codes WHERE expires_at < $1`, day},
			{`/* every tenant: their time is over */ DELETE FROM openid_requests WHERE expires_at < $1`, store.Micros(now.Add(-time.Hour))},
			{`/* every tenant: their time is over */ DELETE FROM openid_sessions WHERE expires_at < $1`, day},
			{`/* every tenant: their time is over */ DELETE FROM openid_sign_transactions WHERE expires_at < $1`, store.Micros(now.Add(-signedKept))},
			{`/* every tenant: their time is over */ DELETE FROM openid_given WHERE at < $1`, store.Micros(now.Add(-givenKept))},
			{`/* every tenant: their time is over */ DELETE FROM openid_logouts WHERE ended_at > 0 AND ended_at < $1`, store.Micros(now.Add(-logoutsKept))},
		} {
			if _, err := tx.Exec(s.text, s.at); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, p.Rotate(ctx))
}
