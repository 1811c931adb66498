//go:build unix

package country_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// readmeStep is one line of README's list "From clone to a signed contract".
type readmeStep struct{ verb, what, then, wait string }

var readmeLine = regexp.MustCompile("^[0-9]+\\. (Run|Open|Click) (?:`([^`]+)`|\\*\\*([^*]+)\\*\\*)(?: and (wait for|read) \"([^\"]+)\")?$")

const mostSteps = 10

func readmeSteps(t *testing.T) []readmeStep {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(raw), "## From clone to a signed contract\n")
	if !ok {
		t.Fatal("README has no path from clone to a signed contract")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var steps []readmeStep
	for _, line := range strings.Split(section, "\n") {
		if line == "" || line[0] < '0' || line[0] > '9' {
			continue
		}
		m := readmeLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("README: this is no step that a test can take: %s", line)
		}
		s := readmeStep{verb: m[1], what: m[2] + m[3]}
		if m[4] == "wait for" {
			s.wait = m[5]
		} else {
			s.then = m[5]
		}
		steps = append(steps, s)
	}
	if len(steps) < 5 || len(steps) > mostSteps {
		t.Fatalf("the path has %d steps, at most %d are promised", len(steps), mostSteps)
	}
	return steps
}

// stranger is somebody who has read nothing but README.
type stranger struct {
	t       *testing.T
	dir     string // where they are
	address string // HOST:PORT that the country gets in the place of localhost:8400, which may be taken
	browser *webtest.Browser
}

// The path of README is walked as it is written, but for two things: the sources are cloned from this tree,
// and the country listens on a port that is free.
func TestREADMEIsWalked(t *testing.T) {
	steps := readmeSteps(t)
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("git", "-C", top, "rev-parse", "HEAD").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the sources are no git repository, so nobody can clone them: %v", err)
		}
		t.Skip("######## the sources are no git repository, so nobody can clone them: the README was not walked ########")
	}
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	s := &stranger{t: t, dir: t.TempDir(), address: "127.0.0.1:" + strconv.Itoa(port), browser: webtest.New(t, "en", 1280)}
	s.browser.Wait = time.Minute
	for _, step := range steps {
		switch step.verb {
		case "Run":
			s.run(strings.Replace(step.what, "https://github.com/jitsuin/jitsuin", top, 1), step.wait)
		case "Open":
			s.browser.Open(strings.Replace(step.what, "localhost:8400", "127.0.84.1:"+strconv.Itoa(port), 1))
		case "Click":
			s.browser.Click(step.what)
		}
		if step.then != "" {
			s.browser.See(step.then)
		}
	}
}

func (s *stranger) run(command, wait string) {
	s.t.Helper()
	if dir, ok := strings.CutPrefix(command, "cd "); ok {
		s.dir = filepath.Join(s.dir, dir)
		return
	}
	if wait != "" {
		s.start(command, wait)
		return
	}
	words := strings.Fields(command)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	if words[0] == "git" { // git names the folder after the address, which a worktree's differs from
		if err := os.Rename(filepath.Join(s.dir, filepath.Base(words[len(words)-1])), filepath.Join(s.dir, "jitsuin")); err != nil {
			s.t.Fatal(err)
		}
	}
}

// start runs a command that goes on, until it has said what is waited for. It is ended with the test.
func (s *stranger) start(command, wait string) {
	s.t.Helper()
	words := append(strings.Fields(command), "--listen", s.address)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatalf("%s: %v", command, err)
	}
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // as Ctrl-C does: go run and what it runs
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		cancel()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), wait) {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	s.t.Fatal(fmt.Errorf("%s ended before it said %q", command, wait))
}
