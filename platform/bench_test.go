package platform_test

import (
	"log/slog"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// One check over HTTP as a tenant sees it: OCSP with a nonce, log, vault, SQLite on disk.
func BenchmarkVerification(b *testing.B) {
	w := platformtest.New(b, b.TempDir()+"/platform.db", func(c *platform.Config) { c.Log = slog.New(slog.DiscardHandler) })
	w.Accredit(minister.InForce)
	tenant := w.Tenant(w.Register("tenant:bank", origin))
	request := api.VerificationRequest{Document: document, Signature: w.Agency.Resident("霧島　花子").Sign.Over(b, document), Purpose: "account"}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := httpapi.Do[api.Verification](b.Context(), tenant, "POST", "/v1/verifications", string(jitsuin.NewID()), request); err != nil {
				b.Error(err)
			}
		}
	})
}
