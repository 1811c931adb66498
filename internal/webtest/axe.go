package webtest

import (
	"os"
	"path/filepath"
	"testing"
)

// axeSource reads axe-core from where `make judges` puts it: .cache/npm at the top of the tree.
func axeSource(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		raw, readErr := os.ReadFile(filepath.Join(dir, ".cache", "npm", "node_modules", "axe-core", "axe.min.js"))
		if readErr == nil {
			return string(raw)
		}
		dir = filepath.Dir(dir)
	}
	missing(t, "axe-core")
	return ""
}
