package platform_test

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"

	"github.com/jitsuin/jitsuin"
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
	b.ended(b.clientOf(a), later.ID)
	id, _ := b.readySlot(a)
	second, sum := b.readySlot(a)
	return map[string]thing{
		"GET /v1/batches/{id}":              {id: string(later.ID)},
		"POST /v1/batches/{id}/receipt":     {id: string(later.ID)},
		"GET /v1/submissions/{id}":          {id: id},
		"GET /v1/submissions/{id}/document": {id: id},
		"POST /v1/submissions/{id}/receipt": {id: second, body: api.Receipt{SHA256: sum}},
	}
}

// readySlot is a submission of a tenant whose document waits for it, with the digest that its receipt names.
func (b *bank) readySlot(a httpapi.Identity) (id, sum string) {
	b.t.Helper()
	c, file := b.clientOf(a), b.embedded(b.Agency.Resident("雲居　三郎"), "a declaration")
	s := b.slot(c, nil)
	if status, _ := b.upload(b.Browser(), s.Link, string(jitsuin.NewID()), file); status != http.StatusSeeOther {
		b.t.Fatalf("the document was not taken: %d", status)
	}
	await(b.t, "the check of what was submitted", func() bool { return b.state(c, s.ID).State == api.SubmissionReady })
	of := sha256.Sum256(file)
	return string(s.ID), hex.EncodeToString(of[:])
}
