//go:build unix

package country_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// loginStep finds what the guide has a developer do or see: a block, or a line of a list of what is done in a browser.
var (
	loginStep = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$|^[0-9]+\\. (Open|Click|If asked, click|Choose|Tick|Type) (?:`([^`]+)`)?(?: into )?(?:\\*\\*([^*\n]+)\\*\\*)?$")
	clickLine = regexp.MustCompile(`(?m)^[0-9]+\. `)
)

// walker is a developer with a shell and a browser.
type walker struct {
	t       *testing.T
	shell   *shell
	browser *webtest.Browser
	here    *strings.Replacer // ports that are free in the place of those of the guide
	said    string            // by the last block
	clicked bool              // since then
}

// walkLogin takes the guide's steps in their order, and holds what it shows (blocks text and json) against what came of the step before.
func walkLogin(t *testing.T, dir string, port int, guide string, browser bool) {
	ports := []string{":8400", ":" + strconv.Itoa(port)}
	for _, p := range []string{"3000", "3001", "3002", "3003"} {
		free, err := freeport.Find()
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, p, strconv.Itoa(free))
	}
	w := &walker{t: t, shell: newShell(t, dir), here: strings.NewReplacer(ports...)}
	if browser {
		w.browser = webtest.New(t, "en", 1280)
	}
	steps, clicks := loginStep.FindAllStringSubmatch(guide, -1), 0
	for _, m := range steps {
		if m[3] != "" {
			clicks++
			w.click(m[3], w.here.Replace(m[4]), m[5])
			continue
		}
		w.block(guideBlock{m[1], w.here.Replace(m[2])})
	}
	if all := len(clickLine.FindAllString(guide, -1)); clicks != all || browser != (clicks > 0) {
		t.Errorf("of %d lines of what is done in a browser the test can take %d", all, clicks)
	}
}

func (w *walker) block(b guideBlock) {
	w.t.Helper()
	text, ok := b.script()
	switch {
	case b.starts():
	case ok:
		w.said, w.clicked = w.shell.run(text), false
	case b.lang == "text" || b.lang == "json":
		w.compare(b.text)
	default:
		w.t.Fatalf("the guide has a block that nobody can take: %.60q", b.text)
	}
}

func (w *walker) click(verb, code, name string) {
	w.t.Helper()
	switch verb {
	case "Open":
		w.listens(code)
		w.browser.Open(code)
	case "Click":
		w.browser.Click(name)
	case "If asked, click":
		w.clickIfAsked(name)
	case "Choose", "Tick":
		w.browser.Tick(name)
	case "Type":
		w.browser.Fill(name, code)
	}
	w.clicked = true
}

// clickIfAsked clicks at the platform's page on which a person chooses how their card is used, where there is more than one way, and nothing
// at the holder's, to which the browser is led else.
func (w *walker) clickIfAsked(name string) {
	w.t.Helper()
	for deadline := time.Now().Add(w.browser.Wait); !strings.Contains(w.browser.URL(), "/request/"); time.Sleep(20 * time.Millisecond) {
		if w.browser.Has(name) {
			w.browser.Click(name)
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the browser was led to %s:\n%s", w.browser.URL(), w.browser.Text())
		}
	}
}

// listens waits until somebody listens where the browser is to go: the guide says so to people.
func (w *walker) listens(link string) {
	w.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		w.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", u.Host)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("nobody listens at %s:\n%s", u.Host, w.shell.all())
		}
	}
}

// compare holds what the guide shows against the page, where the browser was used last, and else against what the last block said.
func (w *walker) compare(shown string) {
	w.t.Helper()
	want := regexp.MustCompile(pattern(shown))
	got := w.said
	for deadline := time.Now().Add(20 * time.Second); w.clicked; time.Sleep(30 * time.Millisecond) {
		if got = w.browser.Text(); want.MatchString(got) || time.Now().After(deadline) {
			break
		}
	}
	if !want.MatchString(got) {
		w.t.Fatalf("the guide shows\n%s\nand what came is\n%s\nthe programs said\n%s", shown, got, w.shell.all())
	}
}

// pattern makes a pattern of what the guide shows. In a line … stands for what differs each time; a line with nothing else stands for any lines.
func pattern(shown string) string {
	p := ""
	for _, line := range strings.Split(strings.TrimSpace(shown), "\n") {
		switch line = strings.TrimSpace(line); {
		case line == "…":
			p += `(?s:.*)`
		case p != "" && !strings.HasSuffix(p, `.*)`):
			p += `\s*\n\s*`
			fallthrough
		default:
			p += strings.ReplaceAll(regexp.QuoteMeta(line), "…", `[^"\n]*`)
		}
	}
	return p
}

// shell is bash, in which one block runs after the other.
type shell struct {
	t     *testing.T
	dir   string
	in    io.Writer
	ended chan struct{}

	mu     sync.Mutex
	out    strings.Builder
	blocks int
}

func newShell(t *testing.T, dir string) *shell {
	t.Helper()
	s := &shell{t: t, dir: dir, ended: make(chan struct{})}
	cmd := exec.Command("bash", "-euo", "pipefail")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+npmOfTheJudges(t)+":"+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s, s, time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.in = in
	go func() {
		_ = cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // what it started in the background too
		<-s.ended
	})
	return s
}

// npmOfTheJudges gives a folder with an npm that takes openid-client from where the judges are: a test asks no registry. It knows the guide's one call.
func npmOfTheJudges(t *testing.T) string {
	t.Helper()
	modules, err := filepath.Abs(filepath.Join("..", ".cache", "npm", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "openid-client", "package.json")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("JUDGE MISSING: openid-client (make judges)")
		}
		t.Skip("################ JUDGE MISSING: openid-client (make judges); SKIPPED ################")
	}
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nset -e\n[ \"$*\" = 'install --silent --prefix shop openid-client@6' ]\ngrep -q '\"version\": \"6[.]' %[1]s/openid-client/package.json\nln -s %[1]s shop/node_modules\n", modules)
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *shell) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *shell) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// run gives what a block says. A block that fails ends the shell and the test.
func (s *shell) run(text string) string {
	s.t.Helper()
	s.blocks++
	name, end, before := fmt.Sprintf("block-%d.sh", s.blocks), fmt.Sprintf("\n== the end of block %d ==\n", s.blocks), len(s.all())
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, ". ./%s </dev/null\nprintf '%%s' '%s'\n", name, end); err != nil {
		s.t.Fatalf("the guide stopped before\n%s\n%s", text, s.all())
	}
	for deadline := time.Now().Add(3 * time.Minute); ; {
		out := s.all()[before:]
		if said, _, ok := strings.Cut(out, end); ok {
			return said
		}
		select {
		case <-s.ended:
			s.t.Fatalf("the guide stops at\n%s\n%s", text, s.all()[before:])
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the guide hangs at\n%s\n%s", text, out)
		}
	}
}
