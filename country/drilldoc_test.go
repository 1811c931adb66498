//go:build unix

package country_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheDrillAsWritten runs the commands of docs/backup-and-restore.md as they stand there, but for the port.
func TestTheDrillAsWritten(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/backup-and-restore.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```sh drill\n")
	commands, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("the page has no drill")
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	start(t, "up", "--data", filepath.Join(dir, "jitsuin-data"), "--listen", listen(t)).await(t, upIsReady, time.Minute)
	commands = strings.ReplaceAll(commands, "127.0.0.1:18400", listen(t))
	n := 0
	for line := range strings.Lines(commands) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		n++
		if background, ok := strings.CutSuffix(line, " &"); ok {
			args := strings.Fields(background)[1:]
			for i := range args {
				if args[i] == "drill" {
					args[i] = filepath.Join(dir, args[i])
				}
			}
			start(t, args...).await(t, upIsReady, time.Minute)
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		c := exec.CommandContext(ctx, "sh", "-c", line)
		c.Dir = dir
		c.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C.UTF-8")
		out, err := c.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	if n < 8 {
		t.Errorf("%d commands", n)
	}
}
