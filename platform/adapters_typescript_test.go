package platform_test

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/platform/api"
)

// A client in TypeScript, by the library with which the API's own are made, runs as it is: it has another base URL and
// another token, and nothing else.
func TestVerifyV2InTypeScript(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Abs("../.cache/npm")
	if err != nil {
		t.Fatal(err)
	}
	_, noNode := exec.LookPath("node")
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "@connectrpc", "connect-web")); err != nil || noNode != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("JUDGE MISSING: node with @connectrpc/connect-web (make judges)")
		}
		t.Skip("################ JUDGE MISSING: node with @connectrpc/connect-web (make judges); SKIPPED ################")
	}
	b := open(t, "sqlite::memory:", nil)
	hanako := b.Agency.Resident("霧島　花子")
	digest, value := rawSign(t, hanako.Sign, "利用規約に同意します。")
	b64 := base64.StdEncoding.EncodeToString
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "verify-client.cjs"), modules, b.Origin+"/adapters/verify-v2",
		b.token(b.tenant, api.ScopeVerify), b64(hanako.Sign.Cert.Raw), b64(digest), b64(value))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := "RESULT_OK jpkiCardDigitalSignatureContent 霧島　花子 32 true\ntrue 16 true\n"; string(out) != want {
		t.Errorf("the client read\n%swant\n%s", out, want)
	}
}
