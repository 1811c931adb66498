package platform

import (
	"context"
	"crypto/ecdsa"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/adapter"
	"github.com/jitsuin/jitsuin/platform/api"
)

// members is what a process knows of all tenants, so that a request is admitted or refused without asking the
// database. A change made by this process is known before its answer leaves; one made by another process on the
// same database within membersPoll.
type members struct {
	defaults api.Quota
	load     sync.Mutex // one reads at a time

	mu      sync.RWMutex
	version int64
	all     map[string]*member
}

// member is a tenant in memory. Its limiter and what was counted outlive changes of the rest.
type member struct {
	tenant tenant
	keys   map[string]*ecdsa.PublicKey // that are good, by kid
	*meter
}

// meter is what a tenant has done lately.
type meter struct {
	limit   *rate.Limiter
	guests  *rate.Limiter // of requests in which the tenant proved nothing: what strangers send does not use up its quota
	refused atomic.Int64
	seen    atomic.Int64 // wall time of its last request, microseconds
}

const membersPoll = time.Second

// get gives a tenant; nil for nobody.
func (m *members) get(id string) *member {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.all[id]
}

// each calls f with every tenant.
func (m *members) each(f func(*member)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, one := range m.all {
		f(one)
	}
}

// quotaOf is a tenant's quota, and whether it is its own.
func (m *members) quotaOf(t tenant) (api.Quota, bool) {
	if t.quota.PerSecond == 0 {
		return m.defaults, false
	}
	return t.quota, true
}

// refresh reads tenants and keys if they have changed since they were read.
func (m *members) refresh(ctx context.Context, db *store.DB) error {
	m.load.Lock()
	defer m.load.Unlock()
	m.mu.RLock()
	have := m.version
	m.mu.RUnlock()
	var now int64
	var tenants []tenant
	var keys []tenantKey
	err := db.View(ctx, func(tx *store.Tx) (err error) {
		if err = tx.QueryRow(`SELECT n FROM tenant_changes WHERE one = 1`).Scan(&now); err != nil || now == have {
			return err
		}
		if tenants, err = allTenants(tx, "", 0); err != nil {
			return err
		}
		keys, err = goodKeys(tx)
		return err
	})
	if err != nil || now == have {
		return err
	}
	return m.take(now, tenants, keys)
}

// take puts what was read in the place of what was known.
func (m *members) take(version int64, tenants []tenant, keys []tenantKey) error {
	all := map[string]*member{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range tenants {
		q, _ := m.quotaOf(t)
		all[t.id] = &member{tenant: t, keys: map[string]*ecdsa.PublicKey{}, meter: m.all[t.id].meterFor(q)}
	}
	for _, k := range keys {
		key, err := parseTenantKey(k.der)
		if err != nil {
			return err
		}
		all[k.tenant].keys[k.kid] = key
	}
	m.all, m.version = all, version
	return nil
}

// meterFor goes on with a tenant's meter, with a full bucket where its quota is new.
func (m *member) meterFor(q api.Quota) *meter {
	fresh := &meter{limit: rate.NewLimiter(rate.Limit(q.PerSecond), q.Burst), guests: rate.NewLimiter(rate.Limit(q.PerSecond), q.Burst)}
	if m == nil {
		return fresh
	}
	if m.limit.Limit() == fresh.limit.Limit() && m.limit.Burst() == fresh.limit.Burst() {
		return m.meter
	}
	fresh.refused.Store(m.refused.Load())
	fresh.seen.Store(m.seen.Load())
	return fresh
}

// openMembers reads the tenants and keeps to what is stored.
func (p *Platform) openMembers(ctx context.Context) error {
	p.members.defaults = p.cfg.Quota.api()
	if err := p.members.refresh(ctx, p.DB); err != nil {
		return err
	}
	p.API.Admit(p.admitTenant)
	p.Go("tenants", p.followMembers)
	return nil
}

// followMembers learns of changes: at once of those of this process, also where a commit took effect and nobody
// was told, and soon of those of others. A database in a file has no others.
func (p *Platform) followMembers(ctx context.Context) error {
	changed, stop := p.DB.Watch(tenantsSignal)
	defer stop()
	var poll <-chan time.Time
	if strings.HasPrefix(p.cfg.Database, "postgres") {
		ticker := time.NewTicker(membersPoll)
		defer ticker.Stop()
		poll = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-poll:
		}
		if err := p.members.refresh(ctx, p.DB); err != nil {
			return err
		}
	}
}

// admitTenant decides on a request before its body is read: the key that bought its token is good, the tenant has
// quota left, and, unless it only reads, it is neither suspended nor ended. Callers who are no tenants pass.
func (p *Platform) admitTenant(r *http.Request, c httpapi.Caller) error {
	if c.Role != roleTenant && c.Role != adapter.Role {
		return nil
	}
	m := p.members.get(c.ID)
	if m == nil || c.Role == roleTenant && m.keys[c.Key] == nil { // a token of an adapter has no key behind it and is looked up each time
		return jitsuin.Errorf(jitsuin.Unauthenticated, "key-ended", "the key that this access token was bought with is not good any more").
			WithHint("buy a new one with a key that is")
	}
	if err := p.spend(m, true); err != nil {
		return err
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	return m.tenant.standing()
}

// spend takes one request from what is a tenant's: of its quota where it proved who it is, else of as much again for its guests.
func (p *Platform) spend(m *member, proven bool) error {
	now, limit := time.Now(), m.guests
	if proven {
		limit = m.limit
		m.seen.Store(now.UnixMicro())
	}
	reserved := limit.ReserveN(now, 1)
	if reserved.OK() && reserved.DelayFrom(now) == 0 {
		return nil
	}
	wait := reserved.DelayFrom(now)
	reserved.CancelAt(now)
	m.refused.Add(1)
	p.count.refused.WithLabelValues("rate").Inc()
	q, _ := p.members.quotaOf(m.tenant)
	return httpapi.Later(jitsuin.Errorf(jitsuin.Limited, "quota-exceeded", "more than %d requests a second have come", q.PerSecond).
		WithHint("wait as long as Retry-After says; the office of the platform raises quotas"), wait)
}

// standing refuses a tenant that is suspended or ended.
func (t tenant) standing() error {
	if t.state == api.TenantActive {
		return nil
	}
	return jitsuin.Errorf(jitsuin.Denied, "tenant-"+t.state, "%s is %s at this platform", t.id, t.state).
		WithHint("what is yours can still be read; the office of the platform tells why")
}

// mayCheck gives what a tenant's checks need to know of it, and refuses tenants for whom nothing is checked now:
// suspended or ended, and outside a sandbox those without a contract in force on the civil day.
func (p *Platform) mayCheck(id string, today jitsuin.Date) (tenant, error) {
	m := p.members.get(id)
	if m == nil {
		return tenant{}, errUnknownTenant()
	}
	t := m.tenant
	if err := t.standing(); err != nil {
		return t, err
	}
	switch c := t.contract; {
	case p.cfg.Standalone || p.cfg.Sandbox.Open:
		return t, nil
	case c.Number == "":
		return t, jitsuin.Errorf(jitsuin.Denied, "contract-missing", "%s has no contract with this platform", id).
			WithHint("a deemed verifier entrusts the platform by a contract; its office writes it down")
	case today.Before(c.Since) || !c.Until.IsZero() && today.After(c.Until):
		return t, jitsuin.Errorf(jitsuin.Denied, "contract-over", "the contract of %s is not in force on %v", id, today).
			WithHint("nothing is checked before it begins or after it has ended; the office of the platform renews it")
	}
	return t, nil
}

// turn is mayCheck and then enter, for whatever has something checked for a tenant.
func (p *Platform) turn(ctx context.Context, id string) (t tenant, leave func(), err error) {
	if t, err = p.mayCheck(id, jitsuin.DateOf(p.Clock.Now())); err != nil {
		return t, nil, err
	}
	leave, err = p.enter(ctx, id)
	return t, leave, err
}

type turnKey struct{}

// callersTurn is a tenant's turn for a whole request, the reading of its body included.
func (p *Platform) callersTurn(ctx context.Context) (context.Context, func(), error) {
	id := httpapi.CallerOf(ctx).ID
	leave, err := p.enter(ctx, id)
	return context.WithValue(ctx, turnKey{}, id), leave, err
}

// enter waits for the tenant's turn to have something checked; leave ends it. Inside of a turn of the tenant's it is
// the same one.
func (p *Platform) enter(ctx context.Context, id string) (leave func(), err error) {
	if ctx.Value(turnKey{}) == id {
		return func() {}, nil
	}
	began := time.Now()
	leave, err = p.checks.Enter(ctx, id)
	if jitsuin.KindOf(err) == jitsuin.Limited && err != nil {
		p.count.refused.WithLabelValues("waiting").Inc()
		if m := p.members.get(id); m != nil {
			m.refused.Add(1)
		}
		return nil, httpapi.Later(err, time.Second)
	}
	if err == nil {
		p.count.waited.WithLabelValues().Observe(time.Since(began).Seconds())
	}
	return leave, err
}
