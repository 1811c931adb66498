package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What compiles here and not there is found, and where.
func TestAnotherSystemsErrors(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":             "module example.test/m\n\ngo 1.26\n",
		"cmd/m/main.go":      "package main\n\nimport \"syscall\"\n\nfunc main() { _ = syscall.Kill }\n",
		"client/c.go":        "package client\n",
		"client/c_darwin.go": "package client\n\nvar n int = \"a text\"\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := check(root, "linux/amd64"); err != nil {
		t.Error(err)
	}
	if err := check(root, "windows/amd64"); err == nil || !strings.Contains(err.Error(), "main.go:5:27: undefined: syscall.Kill") {
		t.Errorf("windows: %v", err)
	}
	if err := check(root, "darwin/arm64"); err == nil || !strings.Contains(err.Error(), "c_darwin.go:3:13") {
		t.Errorf("darwin: %v", err)
	}
	if err := check(root, "plan10/amd64"); err == nil {
		t.Error("a system that is none")
	}
}
