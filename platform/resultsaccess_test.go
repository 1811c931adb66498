package platform_test

import (
	"maps"
	"strings"

	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Who may use the routes by which results come to tenants.
func init() {
	maps.Copy(access, map[string]string{
		"POST /v1/batches":              tenants,
		"GET /v1/batches/{id}":          tenants,
		"POST /v1/batches/{id}/receipt": tenants,
		"PUT /v1/webhook":               tenants,
		"GET /v1/webhook":               tenants,
		"DELETE /v1/webhook":            tenants,
		"GET /.well-known/jwks.json":    everybody,

		"POST /v1/submissions":              tenants,
		"GET /v1/submissions/{id}":          tenants,
		"GET /v1/submissions/{id}/document": tenants,
		"POST /v1/submissions/{id}/receipt": tenants,
		"GET /submissions/{link}":           everybody,
		"GET /submissions/{link}/document":  everybody,
		"POST /submissions/{link}/document": everybody,
		"POST /submissions/{link}/sign":     everybody,
	})
}

// resultThings are things of tenant a behind these routes.
func resultThings(b *bank, a httpapi.Identity) map[string]thing {
	later, err := b.clientOf(a).VerifyLater(b.t.Context(), "", []client.BatchItem{item("access-item", b.signed(b.Agency.Resident("雨宮　次郎")))})
	if err != nil {
		b.t.Fatal(err)
	}
	id := string(b.slot(b.clientOf(a), nil).ID)
	return map[string]thing{
		"GET /v1/batches/{id}":              {id: string(later.ID)},
		"POST /v1/batches/{id}/receipt":     {id: string(later.ID)},
		"GET /v1/submissions/{id}":          {id: id},
		"GET /v1/submissions/{id}/document": {id: id},
		"POST /v1/submissions/{id}/receipt": {id: id, body: api.Receipt{SHA256: strings.Repeat("0", 64)}},
	}
}
