package openid

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Times of a signing key, wall time. A key is published before it signs, so that whoever keeps the set has it when it does, and
// after it signed last, until all that it signed has expired. Then it still tells whether an id_token_hint is ours.
const (
	keyBefore  = 24 * time.Hour
	keyAfter   = 48 * time.Hour
	keyKept    = 365 * 24 * time.Hour
	keysStale  = time.Minute // how long this process believes its own list
	keysMaxAge = 3600        // seconds for which others may keep the set
)

// signingKey is a row of openid_keys.
type signingKey struct {
	n        int64
	kid      string
	key      *ecdsa.PrivateKey
	activeAt time.Time
}

// keyring is the keys as this process read them.
type keyring struct {
	mu     sync.Mutex // owns the rest
	all    []signingKey
	readAt time.Time
}

// Rotate draws the first key, or the next one where it is time, and forgets those that are too old. Two processes that do so at a time
// end with the same keys: a key has a number, and the first who writes it has drawn it.
func (p *Provider) Rotate(ctx context.Context) error {
	defer p.staleKeys() // another process may have turned them
	all, err := p.readKeys(ctx)
	if err != nil {
		return err
	}
	now := p.Now()
	if len(all) == 0 {
		return p.addKey(ctx, 1, now, now)
	}
	last := all[len(all)-1]
	if now.Sub(last.activeAt) >= p.KeyLife-keyBefore {
		return p.addKey(ctx, last.n+1, now, now.Add(keyBefore))
	}
	return nil
}

// Replace has a fresh key sign at once, and what the others signed is ours no more: for a key that somebody stole.
func (p *Provider) Replace(ctx context.Context) error {
	all, err := p.readKeys(ctx)
	if err != nil {
		return err
	}
	next := int64(1)
	if len(all) > 0 {
		next = all[len(all)-1].n + 1
	}
	if err := p.addKey(ctx, next, p.Now(), p.Now()); err != nil {
		return err
	}
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM openid_keys WHERE n < $1`, next)
		return err
	})
	p.staleKeys()
	return err
}

func (p *Provider) staleKeys() {
	p.keys.mu.Lock()
	defer p.keys.mu.Unlock()
	p.keys.readAt = time.Time{}
}

func (p *Provider) addKey(ctx context.Context, n int64, now, active time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	kid := string(jitsuin.NewID())
	sealed := p.seal("signing key", kid, der)
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`DELETE FROM openid_keys WHERE n < $1 AND active_at < $2`, n-1, store.Micros(now.Add(-keyKept))); err != nil {
			return err
		}
		done, err := tx.Exec(`INSERT INTO openid_keys (n, kid, sealed, made_at, active_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (n) DO NOTHING`, n, kid, sealed, store.Micros(now), store.Micros(active))
		if err != nil {
			return err
		}
		if drawn, err := done.RowsAffected(); err != nil || drawn == 0 {
			return err
		}
		return p.Host.Record(ctx, tx, "", "openid-key-drawn", kid, nil)
	})
	p.staleKeys()
	return err
}

func (p *Provider) readKeys(ctx context.Context) (all []signingKey, err error) {
	type row struct {
		signingKey
		sealed string
	}
	var rows []row
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		rows, err = store.Collect(func(s store.Scanner) (k row, err error) {
			var active int64
			err = s.Scan(&k.n, &k.kid, &k.sealed, &active)
			k.activeAt = store.Time(active)
			return k, err
		})(tx.Query(`SELECT n, kid, sealed, active_at FROM openid_keys ORDER BY n`))
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, k := range rows {
		der, err := p.unseal("signing key", k.kid, k.sealed)
		if err != nil {
			return nil, err
		}
		if k.key, err = x509.ParseECPrivateKey(der); err != nil {
			return nil, err
		}
		all = append(all, k.signingKey)
	}
	return all, nil
}

// known gives the keys, from memory where they were read lately.
func (p *Provider) known(ctx context.Context) ([]signingKey, error) {
	p.keys.mu.Lock()
	defer p.keys.mu.Unlock()
	now := p.Now()
	if since := now.Sub(p.keys.readAt); since >= 0 && since < keysStale {
		return p.keys.all, nil
	}
	all, err := p.readKeys(ctx)
	if err == nil {
		p.keys.all, p.keys.readAt = all, now
	}
	return all, err
}

// signer gives the key that signs now: the newest whose time has come.
func (p *Provider) signer(ctx context.Context) (k signingKey, err error) {
	all, err := p.known(ctx)
	if err != nil {
		return k, err
	}
	now := p.Now()
	for _, next := range all {
		if !next.activeAt.After(now) {
			k = next
		}
	}
	if k.key == nil {
		return k, jitsuin.Errorf(jitsuin.Unavailable, "openid-keys", "there is no key to sign with yet")
	}
	return k, nil
}

// published gives the public keys that relying parties need now.
func published(all []signingKey, now time.Time) (set jose.JSONWebKeySet) {
	set.Keys = []jose.JSONWebKey{}
	for i, k := range all {
		if i+1 < len(all) && now.After(all[i+1].activeAt.Add(keyAfter)) {
			continue
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.key.Public(), KeyID: k.kid, Algorithm: string(jose.ES256), Use: "sig"})
	}
	return set
}

func (p *Provider) serveKeys(w http.ResponseWriter, r *http.Request) error {
	all, err := p.known(r.Context())
	if err != nil {
		return err
	}
	writeKept(w, published(all, p.Now()))
	return nil
}

// sign writes claims as a JWT of a type with the key that signs now.
func (p *Provider) sign(ctx context.Context, typ jose.ContentType, claims []byte) (string, error) {
	k, err := p.signer(ctx)
	if err != nil {
		return "", err
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.key, KeyID: k.kid}}, (&jose.SignerOptions{}).WithType(typ))
	if err != nil {
		return "", err
	}
	jws, err := s.Sign(claims)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}
