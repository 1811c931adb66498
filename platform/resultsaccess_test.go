package platform_test

import (
	"maps"

	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Who may use the routes by which results come to tenants.
func init() {
	maps.Copy(access, map[string]string{
		"POST /v1/batches":           tenants,
		"GET /v1/batches/{id}":       tenants,
		"PUT /v1/webhook":            tenants,
		"GET /v1/webhook":            tenants,
		"DELETE /v1/webhook":         tenants,
		"GET /.well-known/jwks.json": everybody,
	})
}

// resultThings are things of tenant a behind these routes.
func resultThings(b *bank, a httpapi.Identity) map[string]thing {
	later, err := b.clientOf(a).VerifyLater(b.t.Context(), "", []client.BatchItem{item("access-item", b.signed(b.Agency.Resident("雨宮　次郎")))})
	if err != nil {
		b.t.Fatal(err)
	}
	return map[string]thing{
		"GET /v1/batches/{id}": {id: string(later.ID)},
	}
}
