//go:build unix

package country_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/freeport"
)

// runsPlaywright runs docs/examples/playwright as it stands, with another sandbox and another port. revoked is a persona that was ended.
func (l *living) runsPlaywright(t *testing.T, somebody, revoked string) {
	modules, err := filepath.Abs("../.cache/npm/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	chromium, noBrowser := exec.LookPath("chromium")
	_, noNode := exec.LookPath("node")
	_, noModule := os.Stat(filepath.Join(modules, "@playwright", "test", "package.json"))
	if noBrowser != nil || noNode != nil || noModule != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("JUDGE MISSING: node with @playwright/test and chromium (make judges)")
		}
		t.Skip("################ JUDGE MISSING: node with @playwright/test and chromium (make judges); SKIPPED ################")
	}
	d, err := l.Directory()
	if err != nil {
		t.Fatal(err)
	}
	origin := func(id string) string {
		i, err := d.Lookup(id)
		if err != nil {
			t.Fatal(err)
		}
		return i.Origin
	}
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../docs/examples/playwright")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join("node_modules", ".bin", "playwright"), "test", "--reporter=list", "--workers=1", "--max-failures=1", "--timeout=180000")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOLDER="+origin(country.Holder), "ISSUER="+origin(country.Platform)+"/openid", "PORT="+strconv.Itoa(port), "CHROMIUM="+chromium, "PATIENCE=60000", "PERSONA="+somebody, "REVOKED="+revoked)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
