package platform

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
)

const nonceSize = 32 // bytes

// challenge makes and remembers a login challenge for a tenant's origin. Its times are wall time.
func (p *Platform) challenge(ctx context.Context, tenant string, in api.ChallengeRequest) (api.Challenge, error) {
	if err := p.mayVerify(ctx); err != nil {
		return api.Challenge{}, err
	}
	today := jitsuin.DateOf(p.Clock.Now())
	known, err := p.mayCheck(tenant, today)
	if err == nil && in.PINless {
		err = rules.PINlessUse(known.contract.PINless, today)
	}
	if err != nil {
		return api.Challenge{}, err
	}
	if in.PINless {
		in.Purpose = api.PINlessPurpose + in.Purpose
	} else if strings.HasPrefix(in.Purpose, api.PINlessPurpose) {
		return api.Challenge{}, jitsuin.Errorf(jitsuin.Invalid, "purpose-pinless", "a purpose that says that no PIN is asked for belongs to a challenge that is such a one").At("purpose")
	}
	if err := p.mayAskFrom(ctx, tenant, in.Origin); err != nil {
		return api.Challenge{}, err
	}
	now := time.Now()
	id := jitsuin.NewID()
	c := api.ChallengeText{Origin: in.Origin, ClientID: tenant, Purpose: in.Purpose, Nonce: newNonce(),
		IssuedAt: now.Unix(), ExpiresAt: now.Add(p.cfg.ChallengeLife).Unix(), Txn: string(id), PINless: in.PINless}
	if err := c.ToSign().Check(); err != nil {
		return api.Challenge{}, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return api.Challenge{}, err
	}
	err = p.DB.Update(ctx, func(tx *store.Tx) error { return putChallenge(tx, id, tenant, text, c.ToSign().ExpiresAt) })
	return api.Challenge{ID: id, Challenge: c}, err
}

// putChallenge remembers a challenge that a tenant's login will be checked against.
func putChallenge(tx *store.Tx, id jitsuin.ID, tenant string, text []byte, until time.Time) error {
	_, err := tx.Exec(`INSERT INTO login_challenges (id, tenant, challenge, expires_at, used_at) VALUES ($1, $2, $3, $4, 0)`,
		id, tenant, string(text), store.Micros(until))
	return err
}

// useChallenge takes a tenant's challenge out of the world before anything is checked with it:
// whatever comes of the answer, it is not answered twice. Another tenant's is refused as if it
// did not exist.
func (p *Platform) useChallenge(ctx context.Context, tenant string, id jitsuin.ID) (c api.ChallengeText, err error) {
	now := time.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		var text string
		var used int64
		err := tx.QueryRow(`SELECT challenge, used_at FROM login_challenges WHERE id = $1 AND tenant = $2`, id, tenant).Scan(&text, &used)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return jitsuin.Errorf(jitsuin.NotFound, "challenge-unknown", "there is no such challenge of yours")
		case err != nil:
			return err
		case used != 0:
			return jitsuin.Errorf(jitsuin.Conflict, "challenge-used", "the challenge has been answered before").WithHint("begin the login anew")
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return fmt.Errorf("the stored challenge: %w", err)
		}
		_, err = tx.Exec(`UPDATE login_challenges SET used_at = $1 WHERE id = $2 AND tenant = $3`, store.Micros(now), id, tenant)
		return err
	})
	return c, err
}

// forgetChallenges drops challenges that expired before a time.
func (p *Platform) forgetChallenges(ctx context.Context, before time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`/* every tenant: challenges expire */ DELETE FROM login_challenges WHERE expires_at < $1`, store.Micros(before))
		return err
	})
}

// login checks the answer to a challenge. What is wrong with certificate or signature is a report;
// a challenge that is unknown, used or expired is an error.
func (p *Platform) login(ctx context.Context, tenant string, in api.LoginRequest) (api.Login, error) {
	if err := p.mayVerify(ctx); err != nil {
		return api.Login{}, err
	}
	known, leave, err := p.turn(ctx, tenant)
	if err != nil {
		return api.Login{}, err
	}
	defer leave()
	anchors, err := p.trusted()
	if err != nil {
		return api.Login{}, err
	}
	leaf, err := cert.Parse(in.Certificate)
	if err != nil {
		return api.Login{}, err
	}
	c, err := p.useChallenge(ctx, tenant, in.Challenge)
	if err != nil {
		return api.Login{}, err
	}
	return p.judgeLogin(ctx, tenant, p.validityOf(known), c, leaf, in, anchors)
}

// judgeLogin judges what a person answered to a challenge of a tenant's that nobody has answered before, asks for status in a way, and logs it.
func (p *Platform) judgeLogin(ctx context.Context, tenant, validity string, c api.ChallengeText, leaf *x509.Certificate, in api.LoginRequest, anchors []*x509.Certificate) (api.Login, error) {
	w, now := p.witnessBy(validity, true), p.Clock.Now()
	answer := signature.Answer{Certificate: leaf, Signature: in.Signature, DigestAlg: in.DigestAlg}
	if answer.DigestAlg == "" {
		answer.DigestAlg = suiteDigest(leaf)
	}
	path, err := c.ToSign().Verify(ctx, answer, time.Now(), signature.Policy{Anchors: anchors, At: now, Revocation: w, Kind: jitsuin.AuthCert})
	if expired := jitsuin.CodeOf(err); expired == "challenge-expired" || expired == "challenge-early" || ctx.Err() != nil {
		return api.Login{}, err
	}
	return p.conclude(ctx, tenant, c, leaf, loginReport(path, leaf, now, err), in.Identifies(), w.used(metering.Login, jitsuin.AuthCert))
}

func suiteDigest(c *x509.Certificate) string {
	h, err := cms.SuiteHash(c.PublicKey)
	if err != nil {
		return ""
	}
	return cms.HashName(h)
}

// conclude names the user of a login that passed, where they are to be named, logs it and meters what was used.
func (p *Platform) conclude(ctx context.Context, tenant string, c api.ChallengeText, leaf *x509.Certificate, r *signature.Report, identify bool, used []metering.Use) (api.Login, error) {
	if err := p.served(r); err != nil {
		return api.Login{}, err
	}
	p.count.judged(sortLogin, r)
	passed := r.Verdict == signature.Passed
	own := linkOf(jitsuin.AuthCert, leaf)
	links, whole := []jlis.Link{own}, false
	open, err := json.Marshal(r)
	if err != nil {
		return api.Login{}, err
	}
	out := api.Login{ID: jitsuin.NewID(), At: r.At, Report: *r, PINless: c.PINless}
	e := entry{id: out.ID, tenant: tenant, sort: sortLogin, purpose: c.Purpose, checkedAt: r.At, verdict: string(r.Verdict), why: whyNot(r),
		report: string(open), requestID: httpapi.RequestID(ctx)}
	fresh := jitsuin.NewID()
	note := func(tx *store.Tx) error {
		line := e
		out.User = nil
		if err := mayVerifyOn(tx, jitsuin.DateOf(r.At)); err != nil {
			return err
		}
		if passed && identify {
			u, err := assignUser(tx, tenant, links, whole, fresh, r.At)
			if err == nil {
				err = termsOf(ctx).allow(u)
			}
			if err != nil {
				return err
			}
			line.user, line.userNew, out.User = u.ID, u.New, &u
		}
		if passed {
			if err := termsOf(ctx).take(ctx, tx, e); err != nil {
				return err
			}
			if err := termsOf(ctx).accepted(tx, out.User); err != nil {
				return err
			}
		}
		told := line.line()
		maps.Copy(told.Detail, termsOf(ctx).way)
		if err := audit.Record(ctx, tx, r.At, told); err != nil {
			return err
		}
		if err := metering.Record(tx, tenant, r.At, used...); err != nil {
			return err
		}
		return putLogin(tx, line, leaf, r)
	}
	err = p.DB.Update(ctx, note)
	if errors.Is(err, errStranger) { // J-LIS tells whose certificate it is
		if links, err = p.askLinks(ctx, own); err == nil {
			whole = true
			err = p.DB.Update(ctx, note)
		}
	}
	if turnedAway(err) {
		err = p.logTurnedAway(ctx, e, used, err)
	}
	return out, err
}

// putLogin notes a login in the log, with the certificate on which it rests, or for whose sake it was refused.
func putLogin(tx *store.Tx, e entry, leaf *x509.Certificate, r *signature.Report) error {
	if err := putEntry(tx, e); err != nil {
		return err
	}
	if r.Verdict != signature.Passed {
		return putRefused(tx, e, jitsuin.AuthCert, leaf, r)
	}
	return putHeld(tx, e.tenant, e.id, e.user, heldOf(jitsuin.AuthCert, leaf), r.At)
}
