package platform_test

import (
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/openid"
)

// The provider's routes are open: the client, its token or the browser's card is the proof, and each handler asks for it.
func init() {
	for path, at := range map[string][]string{
		"/openid":          {"/authorize", "/par", "/token", "/userinfo", "/jwks", "/logout", "/register"},
		"/api/realms/main": {"/protocol/openid-connect/auth", "/protocol/openid-connect/ext/par/request", "/protocol/openid-connect/token", "/protocol/openid-connect/userinfo", "/protocol/openid-connect/certs", "/protocol/openid-connect/logout", "/clients-registrations/openid-connect"},
	} {
		for _, route := range []string{"GET /.well-known/openid-configuration", "GET " + at[4], "GET " + at[0], "POST " + at[0], "GET /consent", "POST /consent", "GET /refused", "POST /again", "POST " + at[1], "OPTIONS " + at[2], "POST " + at[2],
			"GET " + at[3], "POST " + at[3], "OPTIONS " + at[3], "GET " + at[5], "POST " + at[5], "POST /logout-confirmed",
			"GET " + at[6] + "/{client}", "PUT " + at[6] + "/{client}", "DELETE " + at[6] + "/{client}"} {
			method, rest := split(route)
			access[method+" "+path+rest] = everybody
			if method != "OPTIONS" && (rest == at[3] || strings.HasSuffix(rest, "{client}")) {
				access[method+" "+path+rest] = adapters // tokens of its own, and access tokens are nobody's there
			}
		}
	}
	access["GET /v1/openid-clients"], access["POST /v1/openid-clients"], access["DELETE /v1/openid-clients/{id}"] = tenants, tenants, tenants
}

// openidClient registers a client of a tenant's.
func (b *bank) openidClient(tenant httpapi.Identity) string {
	b.t.Helper()
	return b.openidClientAt(tenant, origin+"/callback")
}

func (b *bank) openidClientAt(tenant httpapi.Identity, redirect string) string {
	b.t.Helper()
	c, err := httpapi.Do[openid.Registered](b.t.Context(), b.Tenant(tenant), "POST", "/v1/openid-clients", string(jitsuin.NewID()),
		map[string]any{"redirect_uris": []string{redirect}, "token_endpoint_auth_method": "client_secret_basic"})
	if err != nil {
		b.t.Fatal(err)
	}
	return c.ID
}

func init() { // the sign API at the paths of the state's service
	access["POST /api/sign-transactions"], access["GET /api/sign-transactions/{id}/result"] = adapters, adapters
	access["GET /api/sign-transactions/{id}/document/{key}"] = everybody
}
