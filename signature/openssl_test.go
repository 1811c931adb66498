package signature_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// opensslSign has openssl make a detached signature of several signers, without CAdES attributes.
func opensslSign(t testing.TB, who signtest.Identity, content []byte, more ...signtest.Identity) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-in", signtest.Write(t, "content", content), "-out", out}
	for _, i := range append([]signtest.Identity{who}, more...) {
		args = append(args, "-signer", signtest.WritePEM(t, "signer.pem", i.Certificate), "-inkey", signtest.WriteKey(t, "signer.key", i.Key))
	}
	return opensslRun(t, out, args...)
}

// opensslRun runs openssl, which must succeed, and gives the file that it wrote.
func opensslRun(t testing.TB, out string, args ...string) []byte {
	t.Helper()
	if log, err := signtest.Judge(t, "openssl", args...); err != nil {
		t.Fatalf("openssl: %s", log)
	}
	der, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
