package platform_test

import (
	"testing"

	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// The reference is usable by everybody, on a phone too, with every operation open.
func TestTheReferenceInABrowser(t *testing.T) {
	t.Parallel()
	w := platformtest.New(t, "sqlite::memory:", nil)
	b := webtest.New(t, "en", 1280)
	b.Open(w.Origin + "/docs")
	b.See("API reference", "/v1/verifications")
	webtest.Eval[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
	b.See("idempotency-key-reused")
	b.Axe()
	for _, width := range []int{360, 1280} {
		b.FitsWidth(width)
	}
	webtest.Eval[bool](b, `document.querySelectorAll("details").forEach(d => d.open = d.id == "make-adapter-token"), true`)
	b.Shots("docs")
}
