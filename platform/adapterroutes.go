package platform

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/adapter"
	"github.com/jitsuin/jitsuin/platform/adapter/idp"
	"github.com/jitsuin/jitsuin/platform/adapter/verifyv2"
	"github.com/jitsuin/jitsuin/platform/api"
)

// adapterRoutes registers the tokens of adapters, and the adapters.
func (p *Platform) adapterRoutes() {
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "make-adapter-token", Method: http.MethodPost, Path: "/v1/adapter-tokens", Status: http.StatusCreated,
		Summary:     "Make a token for code that was written for another platform's API",
		Description: "The token is in this answer and nowhere else: the platform keeps its digest. A repetition with the same Idempotency-Key makes no second one, and is answered without the token; where the first answer was lost, revoke it and make another. Needs the header Idempotency-Key.",
		Policy:      tenants}, p.postAdapterToken)
	httpapi.Register(p.API, httpapi.Operation{ID: "adapter-tokens", Method: http.MethodGet, Path: "/v1/adapter-tokens",
		Summary: "Your adapter tokens", Policy: tenants}, p.getAdapterTokens)
	httpapi.Register(p.API, httpapi.Operation{ID: "revoke-adapter-token", Method: http.MethodDelete, Path: "/v1/adapter-tokens/{id}",
		Summary: "Revoke an adapter token at once", Description: "One that is revoked stays so since its first time. Needs the header Idempotency-Key.", Policy: tenants}, p.deleteAdapterToken)

	v2 := &httpapi.Foreign{Path: verifyv2.Path, Enter: p.enterAdapter, Refuse: verifyv2.Refuse}
	p.API.Foreign(v2)
	verify := &verifyv2.Server{Desk: desk{p}, Problem: p.problemOf(v2)}
	for path, h := range verify.Routes() {
		p.API.RawForeign(v2, "POST "+path, adapter.Tenants(), h)
	}
	provider := &httpapi.Foreign{Path: idp.ActionsPath, Enter: p.enterAdapter, Refuse: idp.Refuse}
	p.API.Foreign(provider)
	server := &idp.Server{Desk: desk{p}, Keys: p.newAdapterKeys(), Problem: p.problemOf(provider)}
	for pattern, h := range server.Routes() {
		p.API.RawForeign(provider, pattern, adapter.Tenants(), h)
	}
	p.API.Raw("GET "+idp.KeysPath, httpapi.Public("public keys to encrypt with are published"), http.HandlerFunc(server.ServeKeys))
}

func (p *Platform) problemOf(f *httpapi.Foreign) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) { p.API.Problem(f, w, r, err) }
}

type adapterTokenIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.AdapterTokenRequest
}

type adapterTokenOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         api.AdapterToken
}

func (p *Platform) postAdapterToken(ctx context.Context, in *adapterTokenIn) (*adapterTokenOut, error) {
	t, err := p.makeAdapterToken(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &adapterTokenOut{"no-store", t}, nil
}

type adapterTokensOut struct{ Body api.AdapterTokens }

func (p *Platform) getAdapterTokens(ctx context.Context, _ *struct{}) (*adapterTokensOut, error) {
	list, err := p.adapterTokens(ctx, httpapi.CallerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	return &adapterTokensOut{api.AdapterTokens{Tokens: list}}, nil
}

type adapterTokenIDIn struct {
	Key string `header:"Idempotency-Key"`
	ID  string `path:"id" maxLength:"64"`
}

func (p *Platform) deleteAdapterToken(ctx context.Context, in *adapterTokenIDIn) (*adapterTokenOut, error) {
	t, err := p.revokeAdapterToken(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &adapterTokenOut{"no-store", t}, nil
}
