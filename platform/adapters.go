package platform

import (
	"context"
	"crypto"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/adapter"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/platform/records"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// desk is the platform's own story as the adapters see it.
type desk struct{ p *Platform }

// terms are what an adapter asks of a check beyond what the API of the platform does.
type terms struct {
	vouched bool             // the digest stands for a document that the tenant holds
	who     adapter.Who      // who may be accepted
	nonce   string           // digest of a nonce that is taken once, "" for none
	kind    jitsuin.CertKind // with which the nonce was signed
	// accept, where it is not nil, is told in the transaction of a login that passed who it is.
	accept func(tx *store.Tx, user string) error
	// signed, where it is not nil, is told in the transaction of a document that passed which check it was, and who signed.
	signed func(tx *store.Tx, check jitsuin.ID, user string) error
	way    map[string]string // how the card was reached, for the operation log; nil for a holder
}

type termsKey struct{}

func withTerms(ctx context.Context, t terms) context.Context {
	return context.WithValue(ctx, termsKey{}, t)
}

// termsOf gives the terms of a check, none outside an adapter.
func termsOf(ctx context.Context) terms {
	t, _ := ctx.Value(termsKey{}).(terms)
	return t
}

// allow refuses a user who is not the one that the adapter's caller speaks of.
func (t terms) allow(u api.User) error {
	switch {
	case t.who == adapter.Newcomer && !u.New:
		return jitsuin.Errorf(jitsuin.Conflict, "user-known", "the person is a user of yours already")
	case t.who == adapter.Known && u.New:
		return jitsuin.Errorf(jitsuin.NotFound, "user-unknown", "the person is no user of yours")
	}
	return nil
}

// accepted tells who logged in, in the transaction that logs it.
func (t terms) accepted(tx *store.Tx, u *api.User) error {
	if t.accept == nil || u == nil {
		return nil
	}
	return t.accept(tx, u.ID)
}

// turnedAway tells that a check passed and its person was refused by the terms.
func turnedAway(err error) bool {
	code := jitsuin.CodeOf(err)
	return code == "user-known" || code == "user-unknown"
}

// logTurnedAway logs a check whose person was turned away: it was made, and nobody was accepted.
func (p *Platform) logTurnedAway(ctx context.Context, e entry, used []metering.Use, cause error) error {
	e.user, e.userNew = "", false
	return errors.Join(cause, p.DB.Update(ctx, func(tx *store.Tx) error {
		if err := metering.Record(tx, e.tenant, e.checkedAt, used...); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, e.checkedAt, e.line()); err != nil {
			return err
		}
		return putEntry(tx, e)
	}))
}

// Document implements adapter.Desk.
func (d desk) Document(ctx context.Context, s adapter.Signed, who adapter.Who) (adapter.Outcome, error) {
	raw, err := cms.Bare(s.Certificate, s.Hash, s.Value)
	if err != nil {
		return adapter.Outcome{}, err
	}
	in := api.VerificationRequest{Signature: raw, Document: s.Content, Purpose: adapter.GrantOf(ctx).Purpose, IdentifyUser: new(who != adapter.Unnamed)}
	t := terms{who: who, kind: jitsuin.SignCert}
	if s.Content == nil {
		t.vouched, in.DocumentDigest = true, s.Digest
	} else {
		t.nonce = nonceDigest(s)
	}
	tenant := httpapi.CallerOf(ctx).ID
	v, err := d.p.verify(withTerms(ctx, t), tenant, in)
	if err != nil {
		return adapter.Outcome{}, err
	}
	if err := d.name(ctx, tenant, v.ID, linkOf(jitsuin.SignCert, s.Certificate), s.Hash); err != nil {
		return adapter.Outcome{}, err
	}
	return d.Check(ctx, v.ID)
}

// Nonce implements adapter.Desk.
func (d desk) Nonce(ctx context.Context, s adapter.Signed, who adapter.Who) (adapter.Outcome, error) {
	p, tenant := d.p, httpapi.CallerOf(ctx).ID
	if err := p.mayVerify(ctx); err != nil {
		return adapter.Outcome{}, err
	}
	known, leave, err := p.turn(ctx, tenant)
	if err != nil {
		return adapter.Outcome{}, err
	}
	defer leave()
	anchors, err := p.trusted()
	if err != nil {
		return adapter.Outcome{}, err
	}
	t := terms{who: who, nonce: nonceDigest(s), kind: jitsuin.AuthCert}
	if before, err := d.answered(ctx, tenant, t.nonce); err != nil || before != "" {
		if err != nil {
			return adapter.Outcome{}, err
		}
		return d.Check(ctx, before)
	}
	now := p.Clock.Now()
	answer, w := signature.Answer{Certificate: s.Certificate, Signature: s.Value}, p.witnessBy(p.validityOf(known), true)
	path, err := signature.VerifyRawNonce(ctx, answer, s.Hash, s.Digest,
		signature.Policy{Anchors: anchors, At: now, Revocation: w, Kind: jitsuin.AuthCert})
	if ctx.Err() != nil {
		return adapter.Outcome{}, ctx.Err()
	}
	l, err := p.conclude(withTerms(ctx, t), tenant, api.ChallengeText{Purpose: string(rules.PurposeLogin)}, s.Certificate, loginReport(path, s.Certificate, now, err), who != adapter.Unnamed, w.used(metering.Login, jitsuin.AuthCert))
	if err != nil {
		return adapter.Outcome{}, err
	}
	if err := d.name(ctx, tenant, l.ID, linkOf(jitsuin.AuthCert, s.Certificate), s.Hash); err != nil {
		return adapter.Outcome{}, err
	}
	return d.Check(ctx, l.ID)
}

// nonceDigest names a nonce: by a digest of the one that was signed.
func nonceDigest(s adapter.Signed) string {
	sum := sha256.Sum256(append([]byte{byte(s.Hash)}, s.Digest...))
	return hex.EncodeToString(sum[:])
}

// answered gives the check in which a nonce was taken, "" for none; another request than that is refused.
func (d desk) answered(ctx context.Context, tenant, nonce string) (id jitsuin.ID, err error) {
	var txn string
	err = d.p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT txn, verification FROM adapter_nonces WHERE tenant = $1 AND kind = $2 AND digest = $3`, tenant, jitsuin.AuthCert, nonce).Scan(&txn, &id)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err == nil && txn != httpapi.IdempotencyKey(ctx):
		return "", errNonceUsed()
	}
	return id, err
}

func errNonceUsed() error {
	return jitsuin.Errorf(jitsuin.Unauthenticated, "nonce-used", "the nonce has been answered before").WithHint("begin the login anew with a fresh nonce")
}

// take uses the nonce of a login that passed up, in the transaction that accepts it.
func (t terms) take(ctx context.Context, tx *store.Tx, e entry) error {
	if t.nonce == "" {
		return nil
	}
	n, err := tx.Exec(`INSERT INTO adapter_nonces (tenant, kind, digest, txn, verification, used_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant, kind, digest) DO NOTHING`, e.tenant, t.kind, t.nonce, httpapi.IdempotencyKey(ctx), e.id, store.Micros(time.Now()))
	if err != nil {
		return err
	}
	if done, err := n.RowsAffected(); err != nil || done == 0 {
		return errors.Join(err, errNonceUsed())
	}
	return nil
}

// name keeps what APIs of others tell of a check: the certificate's name to the tenant, and the hash.
func (d desk) name(ctx context.Context, tenant string, check jitsuin.ID, l jlis.Link, h crypto.Hash) error {
	fresh, now := jitsuin.NewID(), d.p.Clock.Now()
	return d.p.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`INSERT INTO adapter_certificates (tenant, kind, serial, id, since) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant, kind, serial) DO NOTHING`, tenant, l.Kind, l.Serial, fresh, store.Micros(now)); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO adapter_checks (tenant, verification, certificate, hash)
			SELECT $1, $2, id, $3 FROM adapter_certificates WHERE tenant = $1 AND kind = $4 AND serial = $5
			ON CONFLICT (tenant, verification) DO NOTHING`, tenant, check, cms.HashName(h), l.Kind, l.Serial)
		return err
	})
}

// Check implements adapter.Desk.
func (d desk) Check(ctx context.Context, id jitsuin.ID) (o adapter.Outcome, err error) {
	tenant := httpapi.CallerOf(ctx).ID
	err = d.p.DB.View(ctx, func(tx *store.Tx) error {
		e, err := getEntry(tx, tenant, sortDocument, id)
		if jitsuin.KindOf(err) == jitsuin.NotFound {
			e, err = getEntry(tx, tenant, sortLogin, id)
		}
		if err != nil {
			return err
		}
		o = adapter.Outcome{ID: e.id, CheckedAt: e.checkedAt}
		if err := json.Unmarshal([]byte(e.report), &o.Report); err != nil {
			return fmt.Errorf("the stored report: %w", err)
		}
		if o.Digest, err = hex.DecodeString(e.digest); err != nil {
			return fmt.Errorf("the stored digest: %w", err)
		}
		if e.user != "" {
			o.User = &api.User{ID: e.user, New: e.userNew}
			if o.UserSince, err = userSince(tx, tenant, e.user); err != nil {
				return err
			}
		}
		return addNamed(tx, tenant, &o)
	})
	return o, err
}

func userSince(tx *store.Tx, tenant, user string) (time.Time, error) {
	var since int64
	err := tx.QueryRow(`SELECT COALESCE(MAX(first_seen), 0) FROM users WHERE tenant = $1 AND id = $2`, tenant, user).Scan(&since) // none where they were forgotten
	return store.Time(since), err
}

// addNamed adds what the adapters kept of a check, and the signature value from the vault.
func addNamed(tx *store.Tx, tenant string, o *adapter.Outcome) error {
	var c adapter.Certificate
	var hash string
	var since int64
	err := tx.QueryRow(`SELECT c.id, c.kind, c.since, k.hash FROM adapter_checks k JOIN adapter_certificates c ON c.id = k.certificate AND c.tenant = k.tenant
		WHERE k.tenant = $1 AND k.verification = $2`, tenant, o.ID).Scan(&c.ID, &c.Kind, &since, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	c.Since, o.Certificate = store.Time(since), &c
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if cms.HashName(h) == hash {
			o.Hash = h
		}
	}
	f, record, err := evidence(tx, tenant, o.ID, records.FileSignature)
	if err != nil || record == "" {
		return err
	}
	sd, err := cms.Parse(f.Content)
	if err == nil && len(sd.All()) == 1 {
		o.Value = sd.All()[0].Value
	}
	return nil
}

// evidence gives a file of the record that a tenant's check left, and the record's id; none where there is none, or no more.
func evidence(tx *store.Tx, tenant string, check jitsuin.ID, name string) (f records.File, record jitsuin.ID, err error) {
	h, ok, err := records.OfCheck(tx, tenant, check)
	if err != nil || !ok {
		return f, "", err
	}
	f, err = records.ReadFile(tx, tenant, h.ID, name)
	if err != nil && jitsuin.KindOf(err) == jitsuin.NotFound {
		return f, "", nil
	}
	return f, h.ID, err
}

// Find implements adapter.Desk.
func (d desk) Find(ctx context.Context, user, certificate jitsuin.ID) (adapter.Outcome, error) {
	tenant := httpapi.CallerOf(ctx).ID
	var on restsOn
	err := d.p.DB.View(ctx, func(tx *store.Tx) (err error) {
		on, err = subjectOf(tx, tenant, user, certificate)
		return err
	})
	if err != nil {
		return adapter.Outcome{}, err
	}
	return d.Check(ctx, on.verification)
}

// subjectOf gives the check that a user was last accepted by, of a document before a login, or the last in which a certificate
// of that name was accepted.
func subjectOf(tx *store.Tx, tenant string, user, certificate jitsuin.ID) (on restsOn, err error) {
	unknown := jitsuin.Errorf(jitsuin.NotFound, "subject-unknown", "there is no such user or certificate of yours")
	if user != "" {
		all, err := newest(tx, tenant, string(user))
		if err == nil && len(all) == 0 {
			err = unknown
		}
		if err != nil {
			return on, err
		}
		return all[0], nil
	}
	on, err = scanRestsOn(tx.QueryRow(`SELECT `+heldColumns+` FROM check_certificates WHERE tenant = $1
		AND verification IN (SELECT verification FROM adapter_checks WHERE tenant = $1 AND certificate = $2) ORDER BY checked_at DESC, verification LIMIT 1`, tenant, certificate))
	if errors.Is(err, sql.ErrNoRows) {
		err = unknown
	}
	return on, err
}

// subject is what makes two looks the same one.
type subject struct{ User, Certificate jitsuin.ID }

// Standing implements adapter.Desk.
func (d desk) Standing(ctx context.Context, user, certificate jitsuin.ID) (api.StatusCheck, error) {
	tenant := httpapi.CallerOf(ctx).ID
	all, err := d.p.statusOnce(ctx, "adapter-status", subject{user, certificate}, func() (found []restsOn, _ []string, err error) {
		err = d.p.DB.View(ctx, func(tx *store.Tx) error {
			on, err := subjectOf(tx, tenant, user, certificate)
			found = []restsOn{on}
			return err
		})
		return found, nil, err
	}, string(rules.PurposeStillValid))
	if err != nil {
		return api.StatusCheck{}, err
	}
	return all.Checks[0], nil
}

// Items implements adapter.Desk.
func (d desk) Items(ctx context.Context, check jitsuin.ID) (*cert.Items, error) {
	tenant, now := httpapi.CallerOf(ctx).ID, d.p.Clock.Now()
	var kept records.File
	var record jitsuin.ID
	err := d.p.DB.Update(ctx, func(tx *store.Tx) (err error) {
		if kept, record, err = evidence(tx, tenant, check, records.FileCertificate); err != nil || record == "" {
			return err
		}
		return noteRead(ctx, tx, now, tenant, record, api.ReadBusiness, records.FileCertificate)
	})
	if err != nil || record == "" {
		return nil, err
	}
	leaf, err := cert.Parse(kept.Content)
	if err != nil {
		return nil, fmt.Errorf("the certificate in the record: %w", err)
	}
	items, err := cert.ItemsOf(leaf)
	return &items, err
}
