package platform

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// tenantsRoutes are those about tenants: the office's, a tenant's own, and the sandbox's. By API the office reads, and does
// what protects at once; what opens or cannot be undone takes two people, on its pages.
func (p *Platform) tenantsRoutes() {
	p.ownRoutes()
	if p.cfg.Standalone {
		return
	}
	office := httpapi.Roles("operator")
	const once = " Needs the header Idempotency-Key."
	httpapi.Register(p.API, httpapi.Operation{ID: "tenants", Method: http.MethodGet, Path: "/v1/tenants",
		Summary: "The tenants by id, a hundred at a time", Policy: office}, p.getTenants)
	httpapi.Register(p.API, httpapi.Operation{ID: "tenant", Method: http.MethodGet, Path: "/v1/tenants/{id}",
		Summary: "One tenant", Policy: office}, p.getTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "suspend-tenant", Method: http.MethodPost, Path: "/v1/tenants/{id}/suspension",
		Summary:     "Suspend a tenant at once",
		Description: "It takes effect before the answer leaves. Nothing is checked any more for the tenant; it may read what is its own, and its records are kept as the law asks. Two people of the office lift a suspension." + once, Policy: office}, p.postSuspension)
	httpapi.Register(p.API, httpapi.Operation{ID: "end-tenant-key", Method: http.MethodPost, Path: "/v1/tenants/{id}/keys/{kid}/end",
		Summary: "End a key of a tenant at once", Description: "The access tokens that it bought end with it. The last key may be ended too: the tenant then cannot call until it has another." + once, Policy: office}, p.postTenantKeyEnd)
	httpapi.Register(p.API, httpapi.Operation{ID: "tenant-usage", Method: http.MethodGet, Path: "/v1/tenants/{id}/usage",
		Summary: "What a tenant used, with the fees of the days", Policy: office}, p.getTenantUsage)
	httpapi.Register(p.API, httpapi.Operation{ID: "statements", Method: http.MethodGet, Path: "/v1/statements/{month}",
		Summary: "What every tenant used in a civil month (YYYY-MM), with the fees of the days", Policy: office}, p.getStatements)
	if p.cfg.Sandbox.Open || p.cfg.Sandbox.Registrar { // elsewhere two people of the office do it
		httpapi.Register(p.API, httpapi.Operation{ID: "register-tenant", Method: http.MethodPost, Path: "/v1/tenants", Status: http.StatusCreated,
			Summary: "Register a tenant as a deemed verifier (みなし署名検証者)", Description: "In a sandbox a tenant that is registered again with a key that it has takes what is new; elsewhere an id is registered once." + once,
			Policy: office}, p.postTenant)
		httpapi.Register(p.API, httpapi.Operation{ID: "change-tenant", Method: http.MethodPatch, Path: "/v1/tenants/{id}",
			Summary: "Change a tenant's contract, contact, validity or quota", Description: "What is left out stays. Its origins and keys are changed by itself, or by two people of the office." + once, Policy: office}, p.patchTenant)
	}
	p.sandboxRoutes()
}

// ownRoutes are what a tenant asks about itself. It is named by its access token and nowhere else.
func (p *Platform) ownRoutes() {
	own := httpapi.Roles(roleTenant)
	const once = " Needs the header Idempotency-Key."
	httpapi.Register(p.API, httpapi.Operation{ID: "own-tenant", Method: http.MethodGet, Path: "/v1/tenant",
		Summary: "Your registration", Policy: own}, p.getOwn)
	httpapi.Register(p.API, httpapi.Operation{ID: "own-usage", Method: http.MethodGet, Path: "/v1/usage",
		Summary:     "What you used, with the fees of the days",
		Description: "Days are civil days in Japan, both inclusive; left out, the month so far. It says what was checked, how and how often, and never who. The fees are those that J-LIS had on the day; what the platform charges stands in your contract.", Policy: own}, p.getOwnUsage)
	if p.cfg.Standalone { // its configuration says who its tenant is
		return
	}
	httpapi.Register(p.API, httpapi.Operation{ID: "change-own-tenant", Method: http.MethodPatch, Path: "/v1/tenant",
		Summary: "Change your origins, contact or validity", Description: "What is left out stays; the rest is the office's to change." + once, Policy: own}, p.patchOwn)
	httpapi.Register(p.API, httpapi.Operation{ID: "own-key", Method: http.MethodPost, Path: "/v1/tenant/keys", Status: http.StatusCreated,
		Summary:     "Add a key of yours, before the old one is ended",
		Description: "Up to five are good at a time. Assertions may name theirs in the header kid, or not." + once, Policy: own}, p.postOwnKey)
	httpapi.Register(p.API, httpapi.Operation{ID: "end-own-key", Method: http.MethodPost, Path: "/v1/tenant/keys/{kid}/end",
		Summary: "End a key of yours at once", Description: "The access tokens that it bought end with it. Your last key stays." + once, Policy: own}, p.postOwnKeyEnd)
}

type tenantIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.TenantRequest
}

type tenantOut struct{ Body api.Tenant }

// answer makes an answer of a tenant.
func answer(t api.Tenant, err error) (*tenantOut, error) {
	if err != nil {
		return nil, err
	}
	return &tenantOut{t}, nil
}

func (p *Platform) postTenant(ctx context.Context, in *tenantIn) (*tenantOut, error) {
	return answer(p.register(ctx, in.Body))
}

type tenantsIn struct {
	After string `query:"after" maxLength:"64" doc:"the next of the page before"`
}

type tenantsOut struct{ Body api.TenantList }

func (p *Platform) getTenants(ctx context.Context, in *tenantsIn) (*tenantsOut, error) {
	l, err := p.tenantList(ctx, in.After)
	return &tenantsOut{l}, err
}

type tenantIDIn struct {
	ID string `path:"id" maxLength:"64"`
}

func (p *Platform) getTenant(ctx context.Context, in *tenantIDIn) (*tenantOut, error) {
	return answer(p.tenantShown(ctx, in.ID, forOffice))
}

func (p *Platform) getOwn(ctx context.Context, _ *struct{}) (*tenantOut, error) {
	return answer(p.tenantShown(ctx, httpapi.CallerOf(ctx).ID, forTenant))
}

type patchTenantIn struct {
	ID   string `path:"id" maxLength:"64"`
	Key  string `header:"Idempotency-Key"`
	Body api.OfficeChange
}

func (p *Platform) patchTenant(ctx context.Context, in *patchTenantIn) (*tenantOut, error) {
	return answer(p.alterTenant(ctx, in.ID, api.TenantChange{Contract: in.Body.Contract, Contact: in.Body.Contact, Validity: in.Body.Validity, Quota: in.Body.Quota}, in.Body.Reason))
}

type patchOwnIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.OwnChange
}

func (p *Platform) patchOwn(ctx context.Context, in *patchOwnIn) (*tenantOut, error) {
	return answer(p.alterTenant(ctx, httpapi.CallerOf(ctx).ID, api.TenantChange{Origins: in.Body.Origins, Contact: in.Body.Contact, Validity: in.Body.Validity}, ""))
}

type suspensionIn struct {
	ID   string `path:"id" maxLength:"64"`
	Key  string `header:"Idempotency-Key"`
	Body api.Reasoned
}

func (p *Platform) postSuspension(ctx context.Context, in *suspensionIn) (*tenantOut, error) {
	return answer(p.setTenantState(ctx, in.ID, api.TenantSuspended, in.Body.Reason))
}

type newKeyIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.KeyRequest
}

func (p *Platform) postOwnKey(ctx context.Context, in *newKeyIn) (*tenantOut, error) {
	return answer(p.addKey(ctx, httpapi.CallerOf(ctx).ID, in.Body))
}

type tenantKeyEndIn struct {
	ID   string `path:"id" maxLength:"64"`
	KID  string `path:"kid" maxLength:"64"`
	Key  string `header:"Idempotency-Key"`
	Body api.Reasoned
}

func (p *Platform) postTenantKeyEnd(ctx context.Context, in *tenantKeyEndIn) (*tenantOut, error) {
	return answer(p.endKey(ctx, in.ID, in.KID, in.Body.Reason, true))
}

type ownKeyEndIn struct {
	KID  string `path:"kid" maxLength:"64"`
	Key  string `header:"Idempotency-Key"`
	Body api.Reasoned
}

func (p *Platform) postOwnKeyEnd(ctx context.Context, in *ownKeyEndIn) (*tenantOut, error) {
	return answer(p.endKey(ctx, httpapi.CallerOf(ctx).ID, in.KID, in.Body.Reason, false))
}

type usageOut struct{ Body api.Usage }

// usageBetween answers a question for usage about a tenant.
func (p *Platform) usageBetween(ctx context.Context, tenant, first, last, by string) (*usageOut, error) {
	var from, to jitsuin.Date
	if err := from.UnmarshalText([]byte(first)); err != nil {
		return nil, err
	}
	if err := to.UnmarshalText([]byte(last)); err != nil {
		return nil, err
	}
	u, err := p.usage(ctx, tenant, from, to, by == "day")
	return &usageOut{u}, err
}

type tenantUsageIn struct {
	ID   string `path:"id" maxLength:"64"`
	From string `query:"from" maxLength:"10" doc:"YYYY-MM-DD; left out, the first of the month of to"`
	To   string `query:"to" maxLength:"10" doc:"YYYY-MM-DD; left out, today"`
	By   string `query:"by" enum:"day" doc:"with day, each day has lines of its own"`
}

func (p *Platform) getTenantUsage(ctx context.Context, in *tenantUsageIn) (*usageOut, error) {
	return p.usageBetween(ctx, in.ID, in.From, in.To, in.By)
}

type ownUsageIn struct {
	From string `query:"from" maxLength:"10" doc:"YYYY-MM-DD; left out, the first of the month of to"`
	To   string `query:"to" maxLength:"10" doc:"YYYY-MM-DD; left out, today"`
	By   string `query:"by" enum:"day" doc:"with day, each day has lines of its own"`
}

func (p *Platform) getOwnUsage(ctx context.Context, in *ownUsageIn) (*usageOut, error) {
	return p.usageBetween(ctx, httpapi.CallerOf(ctx).ID, in.From, in.To, in.By)
}

type statementsIn struct {
	Month string `path:"month" maxLength:"7"`
}

type statementsOut struct{ Body api.Statements }

func (p *Platform) getStatements(ctx context.Context, in *statementsIn) (*statementsOut, error) {
	s, err := p.statements(ctx, in.Month)
	return &statementsOut{s}, err
}
