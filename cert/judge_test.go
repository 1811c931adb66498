package cert_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// judge runs a program that we did not write; without it the test is skipped loudly, in CI it fails.
func judge(t *testing.T, name string, args ...string) (output string, ok bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the judge %s is missing", name)
		}
		t.Skipf("SKIPPED WITHOUT ITS JUDGE: %s is not installed", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err == nil
}

// file writes PEM (label not "") or the octets themselves and gives the path.
func file(t *testing.T, name, label string, ders ...[]byte) string {
	t.Helper()
	var b bytes.Buffer
	for _, der := range ders {
		if label == "" {
			b.Write(der)
		} else if err := pem.Encode(&b, &pem.Block{Type: label, Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
