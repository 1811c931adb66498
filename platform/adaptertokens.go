package platform

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/adapter"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

// adapterTokenPrefix begins every adapter token, so that scanners for leaked secrets find it.
const adapterTokenPrefix = "jad_"

// adapterTokensKept is how long tokens that ended stay in the list.
const adapterTokensKept = 365 * 24 * time.Hour

// maxAdapterTokens is how many tokens of a tenant may be in force at a time.
const maxAdapterTokens = 20

// makeAdapterToken makes a token for a tenant. The token is in the first answer alone: the result that is kept for a
// repetition is without it, as is everything else that is stored.
func (p *Platform) makeAdapterToken(ctx context.Context, tenant string, r api.AdapterTokenRequest) (api.AdapterToken, error) {
	t, err := newAdapterToken(r, time.Now())
	if err != nil {
		return t, err
	}
	if _, err := rules.LegalReading(jitsuin.SignCert, rules.Purpose(t.Purpose), jitsuin.DateOf(p.Clock.Now())); err != nil {
		return api.AdapterToken{}, err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	token := adapterTokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
	made, err := httpapi.Once(ctx, p.DB, "adapter-token", r, func(tx *store.Tx) (api.AdapterToken, error) {
		if err := mayHoldAnother(tx, tenant, t.MadeAt); err != nil {
			return t, err
		}
		if err := putAdapterToken(tx, tenant, t, tokenDigest(token)); err != nil {
			return t, err
		}
		return t, audit.Record(ctx, tx, p.Clock.Now(), audit.Line{Act: "adapter-token-made", Subject: string(t.ID), Tenant: tenant,
			Detail: map[string]string{"name": t.Name, "scopes": scopesText(t.Scopes), "expires_at": t.ExpiresAt.Format(time.RFC3339)}})
	})
	if err == nil && made.ID == t.ID { // made now, and not by the request that this one repeats
		made.Token = token
	}
	return made, err
}

// newAdapterToken checks a request and fills in what it leaves out.
func newAdapterToken(r api.AdapterTokenRequest, now time.Time) (api.AdapterToken, error) {
	t := api.AdapterToken{ID: jitsuin.NewID(), Name: r.Name, Purpose: r.Purpose, MadeAt: now.UTC().Truncate(time.Second)}
	if t.Purpose == "" {
		t.Purpose = string(rules.PurposeContract)
	}
	if !api.Printing(r.Name) {
		return t, jitsuin.Errorf(jitsuin.Invalid, "token-name", "the token's name has characters that do not print").At("name")
	}
	for _, s := range []string{api.ScopeVerify, api.ScopeLegacyNonce} {
		if slices.Contains(r.Scopes, s) {
			t.Scopes = append(t.Scopes, s)
		}
	}
	if len(t.Scopes) == 0 || len(t.Scopes) != len(r.Scopes) {
		return t, jitsuin.Errorf(jitsuin.Invalid, "token-scopes", "the scopes are verify, legacy-nonce or both, each once").At("scopes")
	}
	days := r.Days
	if days == 0 {
		days = api.AdapterTokenDays
	}
	if days < 0 || days > api.MaxAdapterTokenDays {
		return t, jitsuin.Errorf(jitsuin.Invalid, "token-days", "a token lasts between 1 and %d days", api.MaxAdapterTokenDays).At("days")
	}
	t.ExpiresAt = t.MadeAt.AddDate(0, 0, days)
	return t, nil
}

func scopesText(scopes []string) string { raw, _ := json.Marshal(scopes); return string(raw) }

func tokenDigest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func mayHoldAnother(tx *store.Tx, tenant string, now time.Time) error {
	var n int
	err := tx.QueryRow(`SELECT COUNT(*) FROM adapter_tokens WHERE tenant = $1 AND expires_at > $2 AND revoked_at = 0`, tenant, store.Micros(now)).Scan(&n)
	if err == nil && n >= maxAdapterTokens {
		err = jitsuin.Errorf(jitsuin.Limited, "tokens-many", "%d adapter tokens are in force, which is the most", n).WithHint("revoke those that nobody uses")
	}
	return err
}

const adapterTokenColumns = `id, name, scopes, purpose, made_at, expires_at, revoked_at`

func putAdapterToken(tx *store.Tx, tenant string, t api.AdapterToken, digest string) error {
	_, err := tx.Exec(`INSERT INTO adapter_tokens (id, tenant, name, scopes, purpose, digest, made_at, expires_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		t.ID, tenant, t.Name, scopesText(t.Scopes), t.Purpose, digest, store.Micros(t.MadeAt), store.Micros(t.ExpiresAt))
	return err
}

func scanAdapterToken(s store.Scanner) (t api.AdapterToken, err error) {
	var scopes string
	var made, expires, revoked int64
	if err = s.Scan(&t.ID, &t.Name, &scopes, &t.Purpose, &made, &expires, &revoked); err != nil {
		return t, err
	}
	t.MadeAt, t.ExpiresAt = store.Time(made), store.Time(expires)
	if revoked != 0 {
		at := store.Time(revoked)
		t.RevokedAt = &at
	}
	return t, json.Unmarshal([]byte(scopes), &t.Scopes)
}

func (p *Platform) adapterTokens(ctx context.Context, tenant string) (list []api.AdapterToken, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		list, err = store.Collect(scanAdapterToken)(tx.Query(`SELECT `+adapterTokenColumns+` FROM adapter_tokens WHERE tenant = $1 ORDER BY made_at DESC, id`, tenant))
		return err
	})
	return append([]api.AdapterToken{}, list...), err
}

// revokeAdapterToken ends a tenant's token at once. Another tenant's, and one that never was, are refused alike.
func (p *Platform) revokeAdapterToken(ctx context.Context, tenant string, id jitsuin.ID) (api.AdapterToken, error) {
	now := time.Now().UTC().Truncate(time.Second)
	return httpapi.Once(ctx, p.DB, "revoke-adapter-token", id, func(tx *store.Tx) (api.AdapterToken, error) {
		t, err := scanAdapterToken(tx.QueryRow(`SELECT `+adapterTokenColumns+` FROM adapter_tokens WHERE id = $1 AND tenant = $2`, id, tenant))
		if errors.Is(err, sql.ErrNoRows) {
			err = jitsuin.Errorf(jitsuin.NotFound, "token-unknown", "there is no such adapter token of yours")
		}
		if err != nil || t.RevokedAt != nil {
			return t, err
		}
		t.RevokedAt = &now
		if _, err := tx.Exec(`UPDATE adapter_tokens SET revoked_at = $1 WHERE id = $2 AND tenant = $3`, store.Micros(now), id, tenant); err != nil {
			return t, err
		}
		return t, audit.Record(ctx, tx, p.Clock.Now(), audit.Line{Act: "adapter-token-revoked", Subject: string(id), Tenant: tenant})
	})
}

// adapterGrant tells what a token allows. A wrong, an expired and a revoked token are refused alike.
func (p *Platform) adapterGrant(ctx context.Context, token string) (g adapter.Grant, err error) {
	var scopes string
	var expires, revoked int64
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`/* every tenant: the token tells whose it is */
			SELECT tenant, id, scopes, purpose, expires_at, revoked_at FROM adapter_tokens WHERE digest = $1`, tokenDigest(token)).
			Scan(&g.Tenant, &g.Token, &scopes, &g.Purpose, &expires, &revoked)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && (revoked != 0 || !time.Now().Before(store.Time(expires))) {
		return adapter.Grant{}, jitsuin.Errorf(jitsuin.Unauthenticated, "adapter-token", "the token is not one of ours, has expired or was revoked").
			WithHint("the tenant makes another at POST /v1/adapter-tokens")
	}
	if err != nil {
		return adapter.Grant{}, err
	}
	return g, json.Unmarshal([]byte(scopes), &g.Scopes)
}

// enterAdapter is httpapi.Foreign.Enter: a request without a token stays nobody's.
func (p *Platform) enterAdapter(r *http.Request) (context.Context, error) {
	token, ok := adapter.TokenOf(r)
	if !ok {
		return r.Context(), nil
	}
	g, err := p.adapterGrant(r.Context(), token)
	if err != nil {
		return r.Context(), err
	}
	return adapter.With(r.Context(), g), nil
}

// forgetAdapters drops what the adapters need only for a while: nonces, and tokens that ended long ago.
func (p *Platform) forgetAdapters(ctx context.Context, now time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`/* every tenant: their time is over */ DELETE FROM adapter_nonces WHERE used_at < $1`, store.Micros(now.Add(-httpapi.RequestsKept))); err != nil {
			return err
		}
		_, err := tx.Exec(`/* every tenant: their time is over */ DELETE FROM adapter_tokens WHERE expires_at < $1`, store.Micros(now.Add(-adapterTokensKept)))
		return err
	})
}
