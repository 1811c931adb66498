package platform_test

import (
	"strings"
	"testing"

	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// The first page says whether we may verify, in both languages, and leads on.
func TestTheFirstPage(t *testing.T) {
	t.Parallel()
	w := platformtest.New(t, "sqlite::memory:", nil)
	b := &bank{World: w, t: t}
	says := func(path, want string) {
		t.Helper()
		if got := ask(t, b, nil, "GET", path, nil); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d, without %q", path, got.status, want)
		}
	}
	says("/?lang=en", "Whether we are accredited is not known yet")
	a := w.Accredit(minister.InForce)
	says("/?lang=en", "Accredited by the minister until")
	says("/?lang=en", a.Until.String())
	says("/?lang=ja", `href="/me"`)
	says("/?lang=ja", `href="/docs"`)
	w.Accredit(minister.Suspended)
	says("/?lang=en", "The accreditation is not in force now")
	says("/?lang=ja", "お預かりしているものは失われません")
}
