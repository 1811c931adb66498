package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// A developer makes a tenant by one command, and a program opens what it wrote.
func TestTenantNew(t *testing.T) {
	w := platformtest.New(t, "sqlite::memory:", func(c *platform.Config) { c.Sandbox.Open = true })
	dir := filepath.Join(t.TempDir(), "shop")
	var out bytes.Buffer
	cmd := tenantNewCmd{URL: w.Origin, Name: "私の店", Out: dir}
	face := ui.New(t.Context(), strings.NewReader(""), &out, &out, func(string) string { return "" })
	if err := cmd.Run(t.Context(), face); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	c, err := client.Open(filepath.Join(dir, "tenant.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if mine, err := c.Tenant(t.Context()); err != nil || mine.Name != "私の店" || !mine.Sandbox {
		t.Errorf("%+v, %v", mine, err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, "key.pem"))
	if err := cmd.Run(t.Context(), face); jitsuin.CodeOf(err) != "tenant-file" {
		t.Errorf("a second time: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "key.pem")); !bytes.Equal(before, after) {
		t.Error("the key was overwritten")
	}
	refused := tenantNewCmd{URL: w.Origin, Name: "店", Origin: []string{"HTTPS://x/"}, Out: filepath.Join(t.TempDir(), "other")}
	if err := refused.Run(t.Context(), face); jitsuin.CodeOf(err) != "origin-form" {
		t.Errorf("no origin: %v", err)
	}
	if _, err := os.Stat(filepath.Join(refused.Out, "key.pem")); !os.IsNotExist(err) {
		t.Errorf("a key without a tenant stays: %v", err)
	}
}
