package platform

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
)

// What people of the office do to a tenant. What protects (suspending it, ending a key that was stolen) one person does at once; what
// opens or cannot be undone takes two.

var (
	factTenant  = web.Pair{JA: "テナント", EN: "Tenant"}
	factState   = web.Pair{JA: "今の状態", EN: "State now"}
	factWhy     = web.Pair{JA: "その理由", EN: "Reason of that"}
	factKey     = web.Pair{JA: "加える鍵（kid）", EN: "Key to be added (kid)"}
	factOrigins = web.Pair{JA: "変更後のオリジン", EN: "Origins afterwards"}
	factOrigNow = web.Pair{JA: "今のオリジン", EN: "Origins now"}
)

func (p *Platform) tenantActs() {
	for act, state := range map[office.Act]string{office.LiftTenant: api.TenantActive, office.EndTenant: api.TenantEnded} {
		p.sensitive(act, p.tenantEffect(
			func(_ *store.Tx, t *tenant, _ office.Proposal) error { return t.mayBecome(state) },
			func(t tenant, _ office.Proposal) ([]office.Fact, error) {
				return []office.Fact{{Label: factState, Value: t.state}, {Label: factWhy, Value: t.stateReason}}, nil
			},
			func(_ *store.Tx, t *tenant, one office.Proposal, now times) error {
				return t.become(state, one.Reason, now.civil)
			}))
	}
	p.sensitive(office.AddKey, p.tenantEffect(
		func(tx *store.Tx, t *tenant, one office.Proposal) error {
			var k newKey
			if err := one.Decode(&k); err != nil {
				return err
			}
			return t.mayTakeKey(tx, k.KID, k.DER)
		},
		func(_ tenant, one office.Proposal) ([]office.Fact, error) {
			var k newKey
			err := one.Decode(&k)
			return []office.Fact{{Label: factKey, Value: k.KID}}, err
		},
		func(tx *store.Tx, t *tenant, one office.Proposal, now times) error {
			var k newKey
			if err := one.Decode(&k); err != nil {
				return err
			}
			return t.takeKey(tx, k.KID, k.DER, now.wall)
		}))
	p.sensitive(office.ChangeOrigins, p.tenantEffect(
		func(_ *store.Tx, t *tenant, one office.Proposal) error { return t.withOrigins(one) },
		func(t tenant, one office.Proposal) ([]office.Fact, error) {
			after := t
			err := after.withOrigins(one)
			return []office.Fact{{Label: factOrigNow, Value: strings.Join(t.origins, " ")}, {Label: factOrigins, Value: strings.Join(after.origins, " ")}}, err
		},
		func(_ *store.Tx, t *tenant, one office.Proposal, _ times) error { return t.withOrigins(one) }))
}

// newKey and newOrigins are the bodies of proposals.
type newKey struct {
	KID string `json:"kid"`
	DER []byte `json:"der"`
}

type newOrigins struct {
	Origins []string `json:"origins"`
}

// withOrigins gives the tenant the origins of a proposal.
func (t *tenant) withOrigins(one office.Proposal) error {
	var body newOrigins
	if err := one.Decode(&body); err != nil {
		return err
	}
	if t.state == api.TenantEnded {
		return jitsuin.Errorf(jitsuin.Conflict, "tenant-ended", "%s has ended; nothing of it is changed any more", t.id)
	}
	t.origins = body.Origins
	return t.check()
}

// tenantEffect makes an effect on the tenant that a proposal is about. Its mark is everything that is registered of the tenant: who
// approves has seen what was there when it was proposed.
func (p *Platform) tenantEffect(may func(*store.Tx, *tenant, office.Proposal) error, show func(tenant, office.Proposal) ([]office.Fact, error),
	do func(*store.Tx, *tenant, office.Proposal, times) error) office.Effect {
	return office.Effect{
		Mark: func(tx *store.Tx, one office.Proposal) (string, error) {
			t, err := getTenant(tx, one.Subject)
			if err != nil {
				return "", err
			}
			mark, err := t.mark(tx)
			if err == nil {
				err = may(tx, &t, one)
			}
			return mark, err
		},
		Show: func(tx *store.Tx, one office.Proposal) ([]office.Fact, error) {
			t, err := getTenant(tx, one.Subject)
			if err != nil {
				return nil, err
			}
			facts, err := show(t, one)
			return append([]office.Fact{{Label: factTenant, Value: t.name}}, facts...), err
		},
		Do: func(ctx context.Context, tx *store.Tx, one office.Proposal, wall time.Time) error {
			t, err := getTenant(tx, one.Subject)
			if err == nil {
				err = do(tx, &t, one, times{p.Clock.Now(), wall.UTC().Truncate(time.Microsecond)})
			}
			if err == nil {
				err = t.put(tx)
			}
			return err
		},
	}
}

// mark is the digest of what is registered of a tenant and of its keys.
func (t *tenant) mark(tx *store.Tx) (string, error) {
	keys, err := keysOf(tx, t.id)
	if err != nil {
		return "", err
	}
	all := []any{t.name, t.nameEN, t.origins, t.state, store.Micros(t.stateAt), t.contract, t.validity, t.quota}
	for _, k := range keys {
		all = append(all, k.kid, store.Micros(k.endedAt))
	}
	raw, err := json.Marshal(all)
	return hexSum(raw), err
}

// tenantBy has a person of the office change a tenant alone. It takes effect before the answer leaves.
func (p *Platform) tenantBy(ctx context.Context, a office.Act, id, reason string, asked any, change func(tx *store.Tx, now times, t *tenant) (audit.Line, error)) error {
	s, ok := sessionOf(ctx)
	if !ok {
		return jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	if err := office.CheckReason(reason); err != nil {
		return err
	}
	ctx = audit.With(ctx, audit.Person{Name: s.Person.Signed(), Terminal: s.Terminal, Reason: reason})
	_, err := p.changeTenant(ctx, string(a), id, []any{id, reason, asked}, func(tx *store.Tx, now times, t *tenant) (audit.Line, error) {
		who, err := office.PersonOf(tx, s.Person.ID)
		if err == nil {
			err = mayDo(who, a)
		}
		if err != nil {
			return audit.Line{}, err
		}
		return change(tx, now, t)
	})
	return err
}

func (p *Platform) suspendBy(ctx context.Context, id, reason string) error {
	return p.tenantBy(ctx, office.SuspendTenant, id, reason, nil, func(_ *store.Tx, now times, t *tenant) (audit.Line, error) {
		line := audit.Line{Detail: map[string]string{"before": t.state}}
		return line, t.become(api.TenantSuspended, reason, now.civil)
	})
}

func (p *Platform) endKeyBy(ctx context.Context, id, kid, reason string) error {
	return p.tenantBy(ctx, office.EndKey, id, reason, kid, func(tx *store.Tx, now times, _ *tenant) (audit.Line, error) {
		return audit.Line{Detail: map[string]string{"kid": kid}}, endKeyOf(tx, id, kid, true, now.wall)
	})
}

// proposeTenant proposes an act on a tenant.
func (p *Platform) proposeTenant(ctx context.Context, a office.Act, id string, body any, reason string) (office.Proposal, error) {
	return p.propose(ctx, a, id, id, body, reason)
}
