package openid

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// client is a row of openid_clients.
type client struct {
	id, tenant           string
	meta                 Metadata
	secret, registration string // digests
	madeAt, endedAt      time.Time
}

const clientColumns = `id, tenant, metadata, secret, registration, made_at, ended_at`

func scanClient(s store.Scanner) (c client, err error) {
	var raw []byte
	var made, ended int64
	if err = s.Scan(&c.id, &c.tenant, &raw, &c.secret, &c.registration, &made, &ended); err != nil {
		return c, err
	}
	c.madeAt, c.endedAt = store.Time(made), store.Time(ended)
	return c, json.Unmarshal(raw, &c.meta)
}

var errClientUnknown = jitsuin.Errorf(jitsuin.NotFound, "client-unknown", "there is no such client")

// findClient gives a client that is in use; one that ended, and one that never was, are NotFound alike.
func findClient(tx *store.Tx, id string) (client, error) {
	c, err := scanClient(tx.QueryRow(`/* every tenant: a client's id tells whose it is */ SELECT `+clientColumns+` FROM openid_clients WHERE id = $1 AND ended_at = 0`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, errClientUnknown
	}
	return c, err
}

func (p *Provider) client(ctx context.Context, id string) (c client, err error) {
	if id == "" || len(id) > 255 {
		return c, errClientUnknown
	}
	err = p.DB.View(ctx, func(tx *store.Tx) error { c, err = findClient(tx, id); return err })
	return c, err
}

// clientNow gives a client and whether its tenant may log people in now, and has also read what else is needed of it.
func (p *Provider) clientNow(ctx context.Context, id string, also func(tx *store.Tx, c client) error) (c client, standing, err error) {
	if id == "" || len(id) > 255 {
		return c, nil, errClientUnknown
	}
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		if c, err = findClient(tx, id); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx, c); err != nil {
				return err
			}
		}
		standing = p.Host.Standing(tx, c.tenant)
		if _, said := errors.AsType[*jitsuin.Error](standing); !said {
			return standing // the database's own, or none
		}
		return nil
	})
	return c, standing, err
}

// standing tells whether a tenant may log people in now.
func (p *Provider) standing(ctx context.Context, tenant string) error {
	return p.DB.View(ctx, func(tx *store.Tx) error { return p.Host.Standing(tx, tenant) })
}

// Registered is a client with what is told of it once: its secret and the token that manages it.
type Registered struct {
	ID                string `json:"client_id"`
	IssuedAt          int64  `json:"client_id_issued_at"`
	Secret            string `json:"client_secret,omitempty"`
	SecretExpiresAt   int64  `json:"client_secret_expires_at"` // never: 0
	RegistrationToken string `json:"registration_access_token,omitempty"`
	RegistrationURI   string `json:"registration_client_uri"`
	Metadata
}

// Prepared is a client that is not registered yet.
type Prepared struct {
	Registered
	tenant string
}

// Prepare checks what a tenant registers and draws what is drawn; Put then registers it.
func (p *Provider) Prepare(ctx context.Context, tenant string, m Metadata) (Prepared, error) {
	m.fill()
	if err := m.check(); err != nil {
		return Prepared{}, err
	}
	for _, o := range m.origins() {
		if err := p.Host.MayUse(ctx, tenant, o); err != nil {
			return Prepared{}, err
		}
	}
	return p.prepared(tenant, m), nil
}

func (p *Provider) prepared(tenant string, m Metadata) Prepared {
	c := Prepared{tenant: tenant, Registered: Registered{ID: string(jitsuin.NewID()), IssuedAt: p.Now().Unix(), RegistrationToken: web.NewToken(), Metadata: m}}
	if m.AuthMethod == AuthBasic || m.AuthMethod == AuthPost {
		c.Secret = web.NewToken()
	} else {
		c.Metadata.AssertionAlg = m.AssertionAlg
	}
	c.RegistrationURI = p.url(issuers[0], issuers[0].register) + "/" + c.ID
	return c
}

// Put registers a client that Prepare gave, with its line in the operation log.
func (p *Provider) Put(ctx context.Context, tx *store.Tx, c Prepared) error {
	raw, err := json.Marshal(c.Metadata)
	if err != nil {
		return err
	}
	secret := ""
	if c.Secret != "" {
		secret = web.Hash(c.Secret)
	}
	if _, err := tx.Exec(`INSERT INTO openid_clients (id, tenant, metadata, secret, registration, made_at, changed_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $6, 0)`,
		c.ID, c.tenant, string(raw), secret, web.Hash(c.RegistrationToken), c.IssuedAt*1e6); err != nil {
		return err
	}
	return p.Host.Record(ctx, tx, c.tenant, "openid-client-registered", c.ID, map[string]string{"auth": c.AuthMethod, "scope": c.Scope})
}

// Clients gives a tenant's clients, the latest first, without secrets.
func (p *Provider) Clients(ctx context.Context, tenant string) ([]Registered, error) {
	var all []client
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(scanClient)(tx.Query(`SELECT `+clientColumns+` FROM openid_clients WHERE tenant = $1 AND ended_at = 0 ORDER BY made_at DESC, id`, tenant))
		return err
	})
	out := []Registered{}
	for _, c := range all {
		out = append(out, p.shown(c))
	}
	return out, err
}

func (p *Provider) shown(c client) Registered {
	return Registered{ID: c.id, IssuedAt: c.madeAt.Unix(), RegistrationURI: p.url(issuers[0], issuers[0].register) + "/" + c.id, Metadata: c.meta}
}

// End ends a tenant's client at once: its sessions, codes and tokens too. Another tenant's, and one that never was, are NotFound alike.
func (p *Provider) End(ctx context.Context, tx *store.Tx, tenant, id string) error {
	now := store.Micros(p.Now())
	done, err := tx.Exec(`UPDATE openid_clients SET ended_at = $1, changed_at = $1 WHERE id = $2 AND tenant = $3 AND ended_at = 0`, now, id, tenant)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errClientUnknown)
	}
	for _, text := range []string{`UPDATE openid_sessions SET ended_at = $1 WHERE client = $2 AND tenant = $3 AND ended_at = 0`,
		`UPDATE openid_tokens SET revoked_at = $1 WHERE client = $2 AND tenant = $3 AND revoked_at = 0`,
		`UPDATE openid_codes SET used_at = $1 WHERE client = $2 AND tenant = $3 AND used_at = 0`} {
		if _, err := tx.Exec(text, now, id, tenant); err != nil {
			return err
		}
	}
	return p.Host.Record(ctx, tx, tenant, "openid-client-ended", id, nil)
}

// change replaces what a client registered.
func (p *Provider) change(ctx context.Context, tx *store.Tx, c client, m Metadata) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE openid_clients SET metadata = $1, changed_at = $2 WHERE id = $3 AND tenant = $4`, string(raw), store.Micros(p.Now()), c.id, c.tenant); err != nil {
		return err
	}
	return p.Host.Record(ctx, tx, c.tenant, "openid-client-changed", c.id, map[string]string{"auth": m.AuthMethod, "scope": m.Scope})
}
