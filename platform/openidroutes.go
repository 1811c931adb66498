package platform

import (
	"context"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/openid"
)

// openidRoutes registers the provider, and how tenants manage their clients of it.
func (p *Platform) openidRoutes() {
	routes := p.openid.Routes()
	for _, path := range openid.Paths() {
		f := &httpapi.Foreign{Path: path, Enter: func(r *http.Request) (context.Context, error) { return r.Context(), nil }, Refuse: p.openid.Refuse}
		for _, r := range routes {
			if _, at, _ := strings.Cut(r.Pattern, " "); strings.HasPrefix(at, path) && r.FromOutside {
				f.FromOutside = append(f.FromOutside, r.Pattern)
			}
		}
		p.API.Foreign(f)
		for _, r := range routes {
			if _, at, _ := strings.Cut(r.Pattern, " "); strings.HasPrefix(at, path) {
				p.API.RawForeign(f, r.Pattern, httpapi.Public(r.Why), r.Handler)
			}
		}
	}
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "register-openid-client", Method: http.MethodPost, Path: "/v1/openid-clients", Status: http.StatusCreated,
		Summary: "Register a client of the OpenID provider (RFC 7591)",
		Description: "The body is the client's metadata: redirect_uris at origins of yours, and jwks with your public keys (private_key_jwt), or another token_endpoint_auth_method. scope names what the client may ask for: openid, and name, address, birthdate, gender, profile or age_over_N where it needs them. " +
			"client_secret and registration_access_token are in this answer and nowhere else; a repetition with the same Idempotency-Key makes no second client and is answered without them. A login is no record of identity verification: that needs the signature certificate (POST /v1/verifications). " +
			"Needs the header Idempotency-Key. Errors: invalid_client_metadata, invalid_redirect_uri, origin-not-registered.",
		Policy: tenants}, p.postOpenIDClient)
	httpapi.Register(p.API, httpapi.Operation{ID: "openid-clients", Method: http.MethodGet, Path: "/v1/openid-clients", Summary: "Your clients of the OpenID provider", Description: "The latest first, without secrets.", Policy: tenants}, p.getOpenIDClients)
	httpapi.Register(p.API, httpapi.Operation{ID: "end-openid-client", Method: http.MethodDelete, Path: "/v1/openid-clients/{id}", Summary: "End a client of the OpenID provider",
		Description: "At once, with its logins, codes and tokens. Needs the header Idempotency-Key. Error: client-unknown.", Policy: tenants}, p.deleteOpenIDClient)
}

type openidClientIn struct {
	Key  string `header:"Idempotency-Key" json:"-"`
	Body map[string]any
}

type openidClientOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         openid.Registered
}

func (p *Platform) postOpenIDClient(ctx context.Context, in *openidClientIn) (*openidClientOut, error) {
	m, err := openid.ReadMetadata(in.Body)
	if err != nil {
		return nil, err
	}
	c, err := p.openid.Prepare(ctx, httpapi.CallerOf(ctx).ID, m)
	if err != nil {
		return nil, err
	}
	made, err := httpapi.Once(ctx, p.DB, "register-openid-client", in.Body, func(tx *store.Tx) (openid.Registered, error) {
		kept := c.Registered
		kept.Secret, kept.RegistrationToken = "", ""
		return kept, p.openid.Put(ctx, tx, c)
	})
	if err != nil {
		return nil, err
	}
	if made.ID == c.ID { // made now, and not by the request that this one repeats
		made = c.Registered
	}
	return &openidClientOut{"no-store", made}, nil
}

type openidClientsOut struct{ Body api.OpenIDClients }

func (p *Platform) getOpenIDClients(ctx context.Context, _ *struct{}) (*openidClientsOut, error) {
	all, err := p.openid.Clients(ctx, httpapi.CallerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &openidClientsOut{api.OpenIDClients{Clients: []api.OpenIDClient{}}}
	for _, c := range all {
		out.Body.Clients = append(out.Body.Clients, api.OpenIDClient{ID: c.ID, Name: c.Name, RedirectURIs: c.RedirectURIs, AuthMethod: c.AuthMethod, Scope: c.Scope, IssuedAt: c.IssuedAt,
			Pushed: c.RequirePushed, DPoP: c.DPoPBound})
	}
	return out, nil
}

type openidClientIDIn struct {
	Key string `header:"Idempotency-Key" json:"-"`
	ID  string `path:"id" maxLength:"64"`
}

type openidEndedOut struct{ Body api.OpenIDClient }

func (p *Platform) deleteOpenIDClient(ctx context.Context, in *openidClientIDIn) (*openidEndedOut, error) {
	tenant := httpapi.CallerOf(ctx).ID
	out, err := httpapi.Once(ctx, p.DB, "end-openid-client", in, func(tx *store.Tx) (api.OpenIDClient, error) {
		return api.OpenIDClient{ID: in.ID}, p.openid.End(ctx, tx, tenant, in.ID)
	})
	if err != nil {
		return nil, err
	}
	return &openidEndedOut{out}, nil
}
