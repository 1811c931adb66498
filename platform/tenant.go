package platform

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

const roleTenant = "tenant"

var tenantForm = regexp.MustCompile(`^tenant:[a-z0-9][a-z0-9-]*$`)

// check refuses tenants that could never call, or that no person could be told the name of.
func (t tenant) check() error {
	if !tenantForm.MatchString(t.id) {
		return jitsuin.Errorf(jitsuin.Invalid, "tenant-id", "a tenant is named tenant:NAME, in lower-case letters, digits and hyphens").At("id")
	}
	if strings.TrimSpace(t.name) == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "tenant-name", "the tenant's name is missing").At("name")
	}
	for field, text := range map[string]string{"name": t.name, "name_en": t.nameEN, "contact.name": t.contact.Name, "contact.email": t.contact.Email, "contact.phone": t.contact.Phone, "contract.number": t.contract.Number} {
		if text != "" && !api.Printing(text) {
			return jitsuin.Errorf(jitsuin.Invalid, "tenant-name", "%s has characters that do not print", field).At(field)
		}
	}
	for _, o := range t.origins {
		if err := checkOrigin(o); err != nil {
			return err
		}
	}
	if t.validity != "" && t.validity != ValidityOCSP && t.validity != ValidityCRL {
		return jitsuin.Errorf(jitsuin.Invalid, "validity", "validity is ocsp or crl, not %q", t.validity).At("validity")
	}
	return checkContract(t.contract)
}

// checkContract refuses a contract by which nobody becomes a deemed verifier: one must entrust all systems that
// receive and that check validity (JPKI Act art. 17; the guideline for private users of JPKI).
func checkContract(c api.Contract) error {
	if c.Number == "" && c.Since.IsZero() && c.Until.IsZero() && len(c.Entrusts) == 0 {
		return nil
	}
	switch {
	case c.Number == "":
		return jitsuin.Errorf(jitsuin.Invalid, "contract-number", "the contract's number is missing").At("contract.number")
	case c.Since.IsZero():
		return jitsuin.Errorf(jitsuin.Invalid, "contract-days", "the contract's first day is missing").At("contract.since")
	case !c.Until.IsZero() && c.Until.Before(c.Since):
		return jitsuin.Errorf(jitsuin.Invalid, "contract-days", "the contract ends before it begins").At("contract.until")
	case !slices.Contains(c.Entrusts, api.EntrustReceiving) || !slices.Contains(c.Entrusts, api.EntrustValidity):
		return jitsuin.Errorf(jitsuin.Invalid, "contract-entrusts", "the contract does not entrust all systems that receive and that check validity").At("contract.entrusts").
			WithHint("whoever keeps one of them is no deemed verifier, and needs an accreditation of its own (art. 17(1)(6))")
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

// tenantOf is the tenant that a request speaks of, deemed a verifier since a day.
func tenantOf(r api.TenantRequest, since jitsuin.Date) tenant {
	t := tenant{id: r.ID, name: r.Name, nameEN: r.NameEN, origins: r.Origins, firstKey: r.PublicKey, deemedSince: since, state: api.TenantActive, validity: r.Validity}
	set(&t.contract, r.Contract)
	set(&t.contact, r.Contact)
	set(&t.quota, r.Quota)
	return t
}

// register makes a tenant a deemed verifier from today on. In a sandbox, where a country that moves to other ports
// registers its tenants again, one with a key of its own takes what is new; another key is a Conflict, for whoever holds the first one is the tenant.
func (p *Platform) register(ctx context.Context, r api.TenantRequest) (api.Tenant, error) {
	now := p.bothTimes()
	fresh := tenantOf(r, jitsuin.DateOf(now.civil))
	if err := fresh.check(); err != nil {
		return api.Tenant{}, err
	}
	kid, _, err := readKey(api.KeyRequest{PublicKey: r.PublicKey})
	if err != nil {
		return api.Tenant{}, err
	}
	done, err := httpapi.Once(ctx, p.DB, "register-tenant", r, func(tx *store.Tx) (api.Tenant, error) {
		t, err := getTenant(tx, r.ID)
		switch {
		case jitsuin.KindOf(err) == jitsuin.NotFound:
			t = fresh
			err = t.enrol(ctx, tx, kid, now)
		case err == nil && !p.cfg.Sandbox.Open:
			err = jitsuin.Errorf(jitsuin.Conflict, "tenant-exists", "%s is registered already", r.ID).WithHint("its origins and keys are changed by itself, or by two people of the office")
		case err == nil:
			err = t.renew(ctx, tx, r, now)
		}
		if err != nil {
			return api.Tenant{}, err
		}
		return p.shown(tx, t, forTenant)
	})
	p.know(ctx)
	return done, err
}

// enrol stores a tenant that is new, with its first key and its line in the operation log.
func (t tenant) enrol(ctx context.Context, tx *store.Tx, kid string, now times) error {
	if err := t.putNew(tx, kid, now); err != nil {
		return err
	}
	line := audit.Line{Act: "tenant-registered", Subject: t.id, Tenant: t.id, Detail: map[string]string{"kid": kid, "contract": t.contract.Number}}
	if t.sandbox {
		line.Act, line.Who = "sandbox-tenant-made", t.id // by nobody who is known
	}
	return audit.Record(ctx, tx, now.civil, line)
}

// putNew stores a tenant that is new, with its first key.
func (t tenant) putNew(tx *store.Tx, kid string, now times) error {
	t.stateAt = now.civil
	if err := t.put(tx); err != nil {
		return err
	}
	return tenantKey{tenant: t.id, kid: kid, der: t.firstKey, addedAt: now.wall}.put(tx)
}

// renew takes what is new of a tenant that is registered again.
func (t *tenant) renew(ctx context.Context, tx *store.Tx, r api.TenantRequest, now times) error {
	keys, err := keysOf(tx, t.id)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k tenantKey) bool { return k.endedAt.IsZero() && bytes.Equal(k.der, r.PublicKey) }) {
		return jitsuin.Errorf(jitsuin.Conflict, "tenant-exists", "%s is registered already, with another key", r.ID)
	}
	if t.state == api.TenantEnded {
		return jitsuin.Errorf(jitsuin.Conflict, "tenant-ended", "%s has ended", r.ID).WithHint("register it under another id")
	}
	change := api.TenantChange{Name: &r.Name, NameEN: &r.NameEN, Origins: &r.Origins, Contract: r.Contract, Contact: r.Contact, Quota: r.Quota}
	if r.Validity != "" {
		change.Validity = &r.Validity
	}
	changed := t.alter(change)
	if len(changed) == 0 {
		return nil
	}
	if err := t.put(tx); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now.civil, audit.Line{Act: "tenant-changed", Subject: t.id, Tenant: t.id, Detail: map[string]string{"changed": strings.Join(changed, " ")}})
}

// registerOwn registers the one tenant of a stand-alone verifier as the configuration has it now: its key there is
// its only one.
func (p *Platform) registerOwn(ctx context.Context) error {
	key, err := actor.ReadPublicKey(p.cfg.Tenant.PublicKey)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	kid, err := thumbprint(key)
	if err != nil {
		return err
	}
	c, now := p.cfg.Tenant, p.bothTimes()
	own := tenantOf(api.TenantRequest{ID: c.ID, Name: c.Name, NameEN: c.NameEN, Origins: c.Origins, PublicKey: der}, jitsuin.DateOf(now.civil))
	if err := own.check(); err != nil {
		return err
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		if err := own.put(tx); err != nil {
			return err
		}
		keys, err := keysOf(tx, own.id)
		if err != nil {
			return err
		}
		mine := tenantKey{tenant: own.id, kid: kid, der: der, addedAt: now.wall}
		for _, k := range keys {
			if bytes.Equal(k.der, der) {
				mine = k
			} else if k.endedAt.IsZero() {
				k.endedAt = now.wall
				if err := k.put(tx); err != nil {
					return err
				}
			}
		}
		mine.endedAt = time.Time{} // a key that is configured again is good again
		return mine.put(tx)
	})
}

func errUnknownTenant() error {
	return jitsuin.Errorf(jitsuin.NotFound, "tenant-unknown", "no such tenant is registered")
}

// mayAskFrom refuses an origin that the tenant has not registered.
func (p *Platform) mayAskFrom(ctx context.Context, tenant, origin string) error {
	m := p.members.get(tenant)
	if m == nil {
		return errUnknownTenant()
	}
	if !slices.Contains(m.tenant.origins, origin) {
		return jitsuin.Errorf(jitsuin.Denied, "origin-not-registered", "%s has not registered this origin", tenant).At("origin")
	}
	return nil
}
