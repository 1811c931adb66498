package platform

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// byTwo is a context for what takes two people on the pages of the office. The tests of a tenant's life ask what comes of
// it; that two people are needed, and how they do it, is the matter of office_tenants_test.go.
func byTwo() context.Context {
	ctx := httpapi.WithIdempotencyKey(context.Background(), string(jitsuin.NewID()))
	ctx = httpapi.WithRequestID(ctx, string(jitsuin.NewID()))
	return audit.With(ctx, audit.Person{Name: "operator:two"})
}

// Become gives a tenant another state.
func (p *Platform) Become(id, state, reason string) (api.Tenant, error) {
	return p.setTenantState(byTwo(), id, state, reason)
}

// TakeKey gives a tenant a key.
func (p *Platform) TakeKey(id string, r api.KeyRequest) (api.Tenant, error) {
	return p.addKey(byTwo(), id, r)
}
