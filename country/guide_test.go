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
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/freeport"
)

// guideBlock is one block of code in the guide: what it is written in, and its text.
type guideBlock struct{ lang, text string }

var guideFence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// guideText gives a guide, and guideBlocks its blocks.
func guideText(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func guideBlocks(t *testing.T, name string) (all []guideBlock) {
	t.Helper()
	for _, m := range guideFence.FindAllStringSubmatch(guideText(t, name), -1) {
		all = append(all, guideBlock{m[1], m[2]})
	}
	return all
}

// starts tells the block in which a guide starts the country.
func (b guideBlock) starts() bool { return strings.Contains(b.text, "./jitsuin up\n") }

// script gives what has bash do what the block says: run it, or write the file that it names in its first line. ok is false for a
// block that nobody can take.
func (b guideBlock) script() (text string, ok bool) {
	first, _, _ := strings.Cut(b.text, "\n")
	if name := strings.TrimPrefix(strings.TrimPrefix(first, "// "), "# "); name != first && strings.Contains(name, ".") && !strings.Contains(name, " ") {
		return fmt.Sprintf("mkdir -p %s\ncat > %s <<'END-OF-FILE'\n%sEND-OF-FILE\n", filepath.Dir(name), name, b.text), true
	}
	return b.text, b.lang == "sh"
}

// said is what the steps of the guide must have printed, in this order.
var said = []string{"tenant:sandbox-", `"verdict":"TOTAL-PASSED"`, `"user":{"id":"`, `"law":"`, "issuer=", "JPKI-TEST",
	"accepted: ", "kept under ", "accepted: ", "kept as contract", `"verdict":"TOTAL-FAILED","sub_indication":"HASH_FAILURE"`}

// The guides are walked as they are written, in one country: every block is run in one shell, files are written that a block names in
// its first line. The sources are a clone of this tree, and the country listens on a free port.
func TestTheGuidesAreWalked(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the guides have the addresses of Linux")
	}
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	missing := ""
	for _, tool := range []string{"git", "bash", "curl", "openssl", "basenc", "node", "apache2"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	if err := exec.Command("git", "-C", top, "rev-parse", "HEAD").Run(); err != nil {
		missing = "a git repository"
	}
	if missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing: the guides cannot be walked", missing)
		}
		t.Skipf("######## %s is missing: the guides were not walked ########", missing)
	}
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOFLAGS", "-trimpath -buildvcs=false -ldflags=-w") // the same cache as this tree's; to link what debuggers need takes half a minute
	s := &stranger{t: t, dir: t.TempDir(), address: "127.0.0.1:" + strconv.Itoa(port)}
	s.run("git clone -q "+top, "")
	s.run("cd jitsuin", "")
	const verify, login = "verify-in-ten-minutes.md", "login-in-ten-minutes.md"
	for _, b := range guideBlocks(t, verify) {
		if b.starts() {
			s.walksStart(b)
			if !slices.ContainsFunc(guideBlocks(t, login), func(o guideBlock) bool { return o == b }) {
				t.Errorf("%s starts another country than %s", login, verify)
			}
		}
	}
	t.Run("verify", func(t *testing.T) { walkVerification(t, s.dir, port, guideBlocks(t, verify)) })
	t.Run("login", func(t *testing.T) { walkLogin(t, s.dir, port, guideText(t, login), true) })
	t.Run("sign API", func(t *testing.T) { walkLogin(t, s.dir, port, guideText(t, "sign-api.md"), false) })
}

// walksStart builds and starts the country.
func (s *stranger) walksStart(b guideBlock) {
	for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
		wait := ""
		if line == "./jitsuin up" {
			wait = "the country is ready"
		}
		s.run(line, wait)
	}
}

func walkVerification(t *testing.T, dir string, port int, blocks []guideBlock) {
	script := "set -euo pipefail\n"
	for _, b := range blocks {
		if b.starts() {
			continue
		}
		text, ok := b.script()
		if !ok {
			t.Fatalf("the guide has a block that nobody can take: %.60q", b.text)
		}
		script += text
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", strings.ReplaceAll(script, ":8400", ":"+strconv.Itoa(port)))
	cmd.Dir = dir
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
	if token, err := os.ReadFile(filepath.Join(dir, "adapter.token")); err != nil || !strings.HasPrefix(string(token), "jad_") {
		t.Errorf("the adapter's token: %.8q, %v", token, err)
	}
}
