package platform

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

const roleTenant = "tenant"

var tenantForm = regexp.MustCompile(`^tenant:[a-z0-9][a-z0-9-]*$`)

// checkTenant refuses tenants that could never call: another role, a key that is not P-256, an
// origin that no browser sends.
func checkTenant(r api.TenantRequest) error {
	if !tenantForm.MatchString(r.ID) {
		return jitsuin.Errorf(jitsuin.Invalid, "tenant-id", "a tenant is named tenant:NAME, in lower-case letters, digits and hyphens").At("id")
	}
	if strings.TrimSpace(r.Name) == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "tenant-name", "the tenant's name is missing").At("name")
	}
	if !api.Printing(r.Name) || r.NameEN != "" && !api.Printing(r.NameEN) {
		return jitsuin.Errorf(jitsuin.Invalid, "tenant-name", "the tenant's name has characters that do not print").At("name")
	}
	if _, err := parseTenantKey(r.PublicKey); err != nil {
		return err
	}
	for _, o := range r.Origins {
		if err := checkOrigin(o); err != nil {
			return err
		}
	}
	return nil
}

func parseTenantKey(der []byte) (*ecdsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "tenant-key", "a tenant's key is a P-256 public key, DER SubjectPublicKeyInfo").At("public_key")
	}
	return key, nil
}

// checkOrigin accepts an origin as browsers write it (RFC 6454 §6.2): scheme, host, port, no more.
func checkOrigin(o string) error {
	u, err := url.Parse(o)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || o != u.Scheme+"://"+u.Host || o != strings.ToLower(o) {
		return jitsuin.Errorf(jitsuin.Invalid, "origin-form", "an origin is written https://host or https://host:port, in lower case").At("origins")
	}
	return nil
}

const upsertTenant = `INSERT INTO tenants (id, name, name_en, origins, public_key, deemed_since) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_en = excluded.name_en, origins = excluded.origins, public_key = excluded.public_key`

// putTenant stores a tenant; one that is there takes names, origins and key, and stays deemed since its day.
func putTenant(tx *store.Tx, r api.TenantRequest, since jitsuin.Date) error {
	origins, err := json.Marshal(append([]string{}, r.Origins...))
	if err != nil {
		return err
	}
	_, err = tx.Exec(upsertTenant, r.ID, r.Name, r.NameEN, string(origins), r.PublicKey, since.String())
	return err
}

// deemedSince gives the day since which a tenant is one, and its key; no day for nobody.
func deemedSince(tx *store.Tx, id string) (since jitsuin.Date, key []byte, err error) {
	var text string
	err = tx.QueryRow(`SELECT deemed_since, public_key FROM tenants WHERE id = $1`, id).Scan(&text, &key)
	if errors.Is(err, sql.ErrNoRows) {
		return since, nil, nil
	}
	if err != nil {
		return since, nil, err
	}
	err = since.UnmarshalText([]byte(text))
	return since, key, err
}

// register makes a tenant a deemed verifier from today on. Registered again with the same key, it
// takes the new name and origins; another key is a Conflict, for whoever holds the first one is the tenant.
func (p *Platform) register(ctx context.Context, r api.TenantRequest) (api.Tenant, error) {
	if err := checkTenant(r); err != nil {
		return api.Tenant{}, err
	}
	now := p.Clock.Now()
	today := jitsuin.DateOf(now)
	return httpapi.Once(ctx, p.DB, "register-tenant", r, func(tx *store.Tx) (api.Tenant, error) {
		since, key, err := deemedSince(tx, r.ID)
		act := "tenant-changed"
		switch {
		case err != nil:
			return api.Tenant{}, err
		case since.IsZero():
			since, act = today, "tenant-registered"
		case !bytes.Equal(key, r.PublicKey):
			return api.Tenant{}, jitsuin.Errorf(jitsuin.Conflict, "tenant-exists", "%s is registered already, with another key", r.ID)
		}
		if err := audit.Record(ctx, tx, now, audit.Line{Act: act, Subject: r.ID, Tenant: r.ID, Detail: map[string]string{"deemed_since": since.String()}}); err != nil {
			return api.Tenant{}, err
		}
		return api.Tenant{ID: r.ID, Name: r.Name, NameEN: r.NameEN, Origins: append([]string{}, r.Origins...), DeemedSince: since}, putTenant(tx, r, since)
	})
}

// registerOwn registers the one tenant of a stand-alone verifier as the configuration has it now.
func (p *Platform) registerOwn(ctx context.Context) error {
	key, err := actor.ReadPublicKey(p.cfg.Tenant.PublicKey)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	t := p.cfg.Tenant
	r := api.TenantRequest{ID: t.ID, Name: t.Name, NameEN: t.NameEN, Origins: t.Origins, PublicKey: der}
	if err := checkTenant(r); err != nil {
		return err
	}
	today := jitsuin.DateOf(p.Clock.Now())
	return p.DB.Update(ctx, func(tx *store.Tx) error { return putTenant(tx, r, today) })
}

const keyLookupTime = 5 * time.Second

// tenantKey is asked at POST /token who a caller is that the directory does not know.
func (p *Platform) tenantKey(id string) (httpapi.Caller, []jose.JSONWebKey, error) {
	if !tenantForm.MatchString(id) || p.cfg.Standalone && id != p.cfg.Tenant.ID {
		return httpapi.Caller{}, nil, errUnknownTenant()
	}
	ctx, cancel := context.WithTimeout(context.Background(), keyLookupTime)
	defer cancel()
	var der []byte
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT public_key FROM tenants WHERE id = $1`, id).Scan(&der)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = errUnknownTenant()
	}
	if err != nil {
		return httpapi.Caller{}, nil, err
	}
	key, err := parseTenantKey(der)
	if err != nil {
		return httpapi.Caller{}, nil, err
	}
	return httpapi.Caller{ID: id, Role: roleTenant}, []jose.JSONWebKey{{Key: key, Algorithm: string(jose.ES256), Use: "sig"}}, nil
}

func errUnknownTenant() error {
	return jitsuin.Errorf(jitsuin.NotFound, "tenant-unknown", "no such tenant is registered")
}

// mayAskFrom refuses an origin that the tenant has not registered.
func (p *Platform) mayAskFrom(ctx context.Context, tenant, origin string) error {
	var text string
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT origins FROM tenants WHERE id = $1`, tenant).Scan(&text)
	})
	if err != nil {
		return err
	}
	var origins []string
	if err := json.Unmarshal([]byte(text), &origins); err != nil {
		return err
	}
	if !slices.Contains(origins, origin) {
		return jitsuin.Errorf(jitsuin.Denied, "origin-not-registered", "%s has not registered this origin", tenant).At("origin")
	}
	return nil
}
