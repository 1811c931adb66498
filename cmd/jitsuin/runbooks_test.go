package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Runbooks are read at night: every command in them is one that this program takes.
func TestRunbooksNameCommandsThatExist(t *testing.T) {
	files, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("instance: jlis:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "jitsuin ")
			if !ok || !strings.HasPrefix(line, "    ") {
				continue
			}
			commands++
			var c cli
			parser, err := newParser(&c, kong.Exit(func(int) {}))
			if err != nil {
				t.Fatal(err)
			}
			args := strings.Fields(strings.NewReplacer("FILE", file, "BACKUP", file).Replace(command))
			if _, err := parser.Parse(args); err != nil {
				t.Errorf("%s: jitsuin %s: %v", filepath.Base(f), command, err)
			}
		}
	}
	if commands < 15 {
		t.Errorf("only %d commands were found", commands)
	}
}
