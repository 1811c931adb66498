//go:build unix

package country_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/freeport"
)

// guideBlock is one block of code in the guide: what it is written in, and its text.
type guideBlock struct{ lang, text string }

var guideFence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

func guideBlocks(t *testing.T) (all []guideBlock) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", "verify-in-ten-minutes.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range guideFence.FindAllStringSubmatch(string(raw), -1) {
		all = append(all, guideBlock{m[1], m[2]})
	}
	return all
}

// said is what the steps of the guide must have printed, in this order.
var said = []string{"tenant:sandbox-", `"verdict":"TOTAL-PASSED"`, `"user":{"id":"`, `"law":"`, "issuer=", "JPKI-TEST",
	"accepted: ", "kept under ", "accepted: ", "kept as contract", `"verdict":"TOTAL-FAILED","sub_indication":"HASH_FAILURE"`}

// The guide is walked as it is written: every block is run in one shell, files are written that a block names in its
// first line. The sources are a clone of this tree, and the country listens on a free port.
func TestTheGuideIsWalked(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the guide has the addresses of Linux")
	}
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	missing := ""
	for _, tool := range []string{"git", "bash", "curl", "openssl", "basenc", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	if err := exec.Command("git", "-C", top, "rev-parse", "HEAD").Run(); err != nil {
		missing = "a git repository"
	}
	if missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: the guide cannot be walked", missing)
		}
		t.Skipf("######## %s is missing: the guide was not walked ########", missing)
	}
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOFLAGS", "-trimpath -buildvcs=false") // the same cache as this tree's
	s := &stranger{t: t, dir: t.TempDir(), address: "127.0.0.1:" + strconv.Itoa(port)}
	s.run("git clone -q "+top, "")
	s.run("cd jitsuin", "")
	began := time.Now()
	script := "set -euo pipefail\n"
	for _, b := range guideBlocks(t) {
		name, isFile := strings.CutPrefix(strings.SplitN(b.text, "\n", 2)[0], "// ")
		switch {
		case strings.Contains(b.text, "./jitsuin up\n"):
			for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
				wait := ""
				if line == "./jitsuin up" {
					wait = "the country is ready"
				}
				s.run(line, wait)
			}
		case isFile:
			script += fmt.Sprintf("mkdir -p %s\ncat > %s <<'END-OF-FILE'\n%sEND-OF-FILE\n", filepath.Dir(name), name, b.text)
		case b.lang == "sh":
			script += b.text
		default:
			t.Fatalf("the guide has a block that nobody can take: %.60q", b.text)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", strings.ReplaceAll(script, ":8400", ":"+strconv.Itoa(port)))
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the guide stops: %v\n%s", err, out)
	}
	rest := string(out)
	for _, want := range said {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("the steps did not say %q in their order:\n%s", want, out)
		}
		rest = after
	}
	if token, err := os.ReadFile(filepath.Join(s.dir, "adapter.token")); err != nil || !strings.HasPrefix(string(token), "jad_") {
		t.Errorf("the adapter's token: %.8q, %v", token, err)
	}
	t.Logf("from building to the last step: %s", time.Since(began).Round(time.Second))
}
