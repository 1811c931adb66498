package platform

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// sandboxRoutes are those of self-service, where the configuration says that this is a sandbox.
func (p *Platform) sandboxRoutes() {
	if !p.cfg.Sandbox.Open {
		return
	}
	p.personaRoutes()
	httpapi.Register(p.API, httpapi.Operation{ID: "sandbox-tenant", Method: http.MethodPost, Path: "/v1/sandbox/tenants", Status: http.StatusCreated,
		Summary:     "Make a tenant of the sandbox, without an account",
		Description: "Send the public half of a key that you made; the private half stays with you. The tenant ends by itself when nobody uses it. Needs the header Idempotency-Key.",
		Policy:      httpapi.Public("in a sandbox all people are invented")}, p.postSandboxTenant)
}

type sandboxIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.SandboxRequest
}

type sandboxOut struct{ Body api.SandboxTenant }

func (p *Platform) postSandboxTenant(ctx context.Context, in *sandboxIn) (*sandboxOut, error) {
	t, err := p.makeSandboxTenant(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &sandboxOut{t}, nil
}

// newSandboxID draws the id of a sandbox tenant; its form tells what it is.
func newSandboxID() string {
	var b [6]byte
	rand.Read(b[:])
	return roleTenant + ":sandbox-" + hex.EncodeToString(b[:])
}

// makeSandboxTenant makes a tenant for whoever asks. It is bounded in number and rate, for all who ask together:
// where everybody comes from one address, an address tells nothing.
func (p *Platform) makeSandboxTenant(ctx context.Context, r api.SandboxRequest) (api.SandboxTenant, error) {
	kid, der, err := readKey(r.KeyRequest)
	if err != nil {
		return api.SandboxTenant{}, err
	}
	now := p.bothTimes()
	t := tenantOf(api.TenantRequest{ID: newSandboxID(), Name: r.Name, NameEN: r.NameEN, Origins: r.Origins, PublicKey: der}, jitsuin.DateOf(now.civil))
	t.sandbox, t.expiresAt = true, p.expiry(now.wall)
	if err := t.check(); err != nil {
		return api.SandboxTenant{}, err
	}
	made, err := httpapi.Once(ctx, p.DB, "sandbox-tenant", r, func(tx *store.Tx) (api.Tenant, error) {
		if err := p.roomInSandbox(tx, now.wall); err != nil {
			return api.Tenant{}, err
		}
		if err := t.enrol(ctx, tx, kid, now); err != nil {
			return api.Tenant{}, err
		}
		return p.shown(tx, t, forTenant)
	})
	p.know(ctx)
	if err != nil {
		return api.SandboxTenant{}, err
	}
	origin, err := p.ownOrigin()
	return api.SandboxTenant{Tenant: made, Platform: p.Self.ID, Origin: origin, Token: origin + "/token"}, err
}

// ownOrigin is where the directory says that we are found.
func (p *Platform) ownOrigin() (string, error) {
	i, err := p.Directory.Lookup(p.Self.ID)
	return i.Origin, err
}

// expiry is when a tenant that is used now ends unless it is used again.
func (p *Platform) expiry(now time.Time) time.Time { return now.AddDate(0, 0, p.cfg.Sandbox.Days) }

// roomInSandbox refuses one tenant too many.
func (p *Platform) roomInSandbox(tx *store.Tx, now time.Time) error {
	var there, lately int
	err := tx.QueryRow(`SELECT COUNT(*) FROM tenants WHERE sandbox = 1 AND state = $1`, api.TenantActive).Scan(&there)
	if err != nil {
		return err
	}
	err = tx.QueryRow(`/* every tenant: the bounds of the sandbox are for all together */ SELECT COUNT(*) FROM tenant_keys k JOIN tenants t ON k.tenant = t.id WHERE t.sandbox = 1 AND k.added_at > $1`,
		store.Micros(now.Add(-time.Hour))).Scan(&lately)
	switch {
	case err != nil:
		return err
	case there >= p.cfg.Sandbox.Tenants:
		return jitsuin.Errorf(jitsuin.Limited, "sandbox-full", "the sandbox has %d tenants, and no room for more", there).
			WithHint("those that nobody uses end after %d days; the office of the platform ends others", p.cfg.Sandbox.Days)
	case lately >= p.cfg.Sandbox.PerHour:
		return httpapi.Later(jitsuin.Errorf(jitsuin.Limited, "sandbox-busy", "%d tenants were made in the last hour, and no more are", lately).
			WithHint("come again in an hour"), time.Hour)
	}
	return nil
}

// endUnused puts off the end of sandbox tenants that were used, and ends those that were not. Times are wall time.
func (p *Platform) endUnused(ctx context.Context, now time.Time) error {
	type used struct {
		id   string
		seen time.Time
	}
	var all []used
	p.members.each(func(m *member) {
		if m.tenant.sandbox && m.tenant.state == api.TenantActive {
			all = append(all, used{m.tenant.id, time.UnixMicro(m.seen.Load())})
		}
	})
	civil := p.Clock.Now()
	for _, u := range all {
		err := p.DB.Update(ctx, func(tx *store.Tx) error {
			t, err := getTenant(tx, u.id)
			if err != nil || t.state != api.TenantActive {
				return err
			}
			if until := p.expiry(u.seen); until.Sub(t.expiresAt) >= 24*time.Hour { // once a day is enough
				t.expiresAt = until
				return t.put(tx)
			}
			if now.Before(t.expiresAt) {
				return nil
			}
			t.state, t.stateAt, t.stateReason = api.TenantEnded, civil, "nobody used it"
			if err := t.put(tx); err != nil {
				return err
			}
			return audit.Record(ctx, tx, civil, audit.Line{Act: "tenant-ended", Subject: t.id, Tenant: t.id, Who: p.Self.ID, Reason: t.stateReason})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
