package platform

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// times are both clocks, read before a transaction that may rerun.
type times struct{ civil, wall time.Time }

func (p *Platform) bothTimes() times {
	return times{p.Clock.Now(), time.Now().UTC().Truncate(time.Microsecond)}
}

// changeTenant changes a tenant once, with its line in the operation log, and has memory know before it answers.
// change gives what is special of the line; what it makes of the tenant is stored.
func (p *Platform) changeTenant(ctx context.Context, act, id string, asked any, change func(tx *store.Tx, now times, t *tenant) (audit.Line, error)) (api.Tenant, error) {
	now := p.bothTimes()
	done, err := httpapi.Once(ctx, p.DB, act, asked, func(tx *store.Tx) (api.Tenant, error) {
		t, err := getTenant(tx, id)
		if err != nil {
			return api.Tenant{}, err
		}
		line, err := change(tx, now, &t)
		if err != nil {
			return api.Tenant{}, err
		}
		if err := t.put(tx); err != nil {
			return api.Tenant{}, err
		}
		line.Act, line.Subject, line.Tenant = act, id, id
		if err := audit.Record(ctx, tx, now.civil, line); err != nil {
			return api.Tenant{}, err
		}
		return p.shown(tx, t, forTenant)
	})
	p.know(ctx)
	return done, err
}

// know brings memory up to the database. What cannot be read now is read by followMembers.
func (p *Platform) know(ctx context.Context) {
	if err := p.members.refresh(context.WithoutCancel(ctx), p.DB); err != nil {
		p.Log.WarnContext(ctx, "the tenants could not be read again at once", "err", err)
	}
}

// Readers of a tenant's registration.
type reader int

const (
	forTenant reader = iota
	forOffice
)

// shown gives a tenant as the API shows it.
func (p *Platform) shown(tx *store.Tx, t tenant, to reader) (api.Tenant, error) {
	out := api.Tenant{ID: t.id, Name: t.name, NameEN: t.nameEN, Origins: append([]string{}, t.origins...), DeemedSince: t.deemedSince, State: t.state,
		Validity: p.validityOf(t), Sandbox: t.sandbox, StateAt: timeOf(t.stateAt), ExpiresAt: timeOf(t.expiresAt), Keys: []api.TenantKey{}}
	out.Quota, out.OwnQuota = p.members.quotaOf(t)
	if t.contract.Number != "" {
		out.Contract = &t.contract
	}
	if t.contact != (api.Contact{}) {
		out.Contact = &t.contact
	}
	if to == forOffice {
		out.Reason = t.stateReason
		if m := p.members.get(t.id); m != nil {
			out.Refused = m.refused.Load()
		}
	}
	keys, err := keysOf(tx, t.id)
	for _, k := range keys {
		out.Keys = append(out.Keys, api.TenantKey{KID: k.kid, PublicKey: k.der, AddedAt: k.addedAt, EndedAt: timeOf(k.endedAt)})
	}
	return out, err
}

// validityOf is how a tenant's checks ask for status.
func (p *Platform) validityOf(t tenant) string {
	if t.validity != "" {
		return t.validity
	}
	return p.cfg.Validity
}

// tenantShown reads a tenant.
func (p *Platform) tenantShown(ctx context.Context, id string, to reader) (out api.Tenant, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		t, err := getTenant(tx, id)
		if err != nil {
			return err
		}
		out, err = p.shown(tx, t, to)
		return err
	})
	return out, err
}

// tenantPage is how many tenants are listed at a time.
const tenantPage = 100

// tenantList lists tenants for the office, those behind the id after.
func (p *Platform) tenantList(ctx context.Context, after string) (out api.TenantList, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		page, err := allTenants(tx, after, tenantPage+1)
		if err != nil {
			return err
		}
		out = api.TenantList{Tenants: []api.Tenant{}}
		for i, t := range page {
			if i == tenantPage {
				out.Next = page[i-1].id
				break
			}
			one, err := p.shown(tx, t, forOffice)
			if err != nil {
				return err
			}
			out.Tenants = append(out.Tenants, one)
		}
		return nil
	})
	return out, err
}

// stateMoves are the states that each state may become. An ended tenant is registered anew, under another id.
var stateMoves = map[string][]string{
	api.TenantActive:    {api.TenantSuspended, api.TenantEnded},
	api.TenantSuspended: {api.TenantActive, api.TenantEnded},
}

var stateActs = map[string]string{api.TenantActive: "tenant-lifted", api.TenantSuspended: "tenant-suspended", api.TenantEnded: "tenant-ended"}

// setTenantState gives a tenant another state. It takes effect before the answer leaves. What was kept for the tenant
// stays as long as the law asks, and the tenant may read it. One caller alone may only suspend.
func (p *Platform) setTenantState(ctx context.Context, id, state, reason string) (api.Tenant, error) {
	if strings.TrimSpace(reason) == "" {
		return api.Tenant{}, jitsuin.Errorf(jitsuin.Invalid, "reason-missing", "this act needs a reason").At("reason")
	}
	asked := struct{ ID, State, Reason string }{id, state, reason}
	return p.changeTenant(ctx, stateActs[state], id, asked, func(_ *store.Tx, now times, t *tenant) (audit.Line, error) {
		line := audit.Line{Reason: reason, Detail: map[string]string{"before": t.state}}
		return line, t.become(state, reason, now.civil)
	})
}

// mayBecome refuses a state that does not follow the tenant's.
func (t *tenant) mayBecome(state string) error {
	if !slices.Contains(stateMoves[t.state], state) {
		return jitsuin.Errorf(jitsuin.Conflict, "tenant-state", "%s is %s and cannot become %s", t.id, t.state, state)
	}
	return nil
}

func (t *tenant) become(state, reason string, civil time.Time) error {
	if err := t.mayBecome(state); err != nil {
		return err
	}
	t.state, t.stateAt, t.stateReason = state, civil, reason
	return nil
}

// alterTenant changes what is registered of a tenant, for itself or for the office. Callers see to it that what takes two
// people is not among it.
func (p *Platform) alterTenant(ctx context.Context, id string, r api.TenantChange, reason string) (api.Tenant, error) {
	asked := struct {
		ID string
		api.TenantChange
		Reason string
	}{id, r, reason}
	return p.changeTenant(ctx, "tenant-changed", id, asked, func(_ *store.Tx, _ times, t *tenant) (audit.Line, error) {
		if t.state == api.TenantEnded {
			return audit.Line{}, jitsuin.Errorf(jitsuin.Conflict, "tenant-ended", "%s has ended; nothing of it is changed any more", id)
		}
		changed := t.alter(r)
		if err := t.check(); err != nil {
			return audit.Line{}, err
		}
		if len(changed) == 0 {
			return audit.Line{}, jitsuin.Errorf(jitsuin.Invalid, "change-empty", "nothing would change")
		}
		return audit.Line{Reason: reason, Detail: map[string]string{"changed": strings.Join(changed, " ")}}, nil
	})
}

// alter takes a change over and names what is different.
func (t *tenant) alter(r api.TenantChange) (changed []string) {
	note := func(what string, is bool) {
		if is {
			changed = append(changed, what)
		}
	}
	before := *t
	set(&t.name, r.Name)
	set(&t.nameEN, r.NameEN)
	set(&t.origins, r.Origins)
	set(&t.contract, r.Contract)
	set(&t.contact, r.Contact)
	set(&t.validity, r.Validity)
	set(&t.quota, r.Quota)
	note("name", t.name != before.name)
	note("name_en", t.nameEN != before.nameEN)
	note("origins", !slices.Equal(t.origins, before.origins))
	note("contract", t.contract.Number != before.contract.Number || t.contract.Since != before.contract.Since || t.contract.Until != before.contract.Until)
	note("pinless", t.contract.PINless != before.contract.PINless)
	note("contact", t.contact != before.contact)
	note("validity", t.validity != before.validity)
	note("quota", t.quota != before.quota)
	return changed
}

func set[T any](at *T, to *T) {
	if to != nil {
		*at = *to
	}
}
