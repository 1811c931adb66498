//go:build unix

package country_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/tour"
)

// binary builds the program once for all tests that need it as a process of its own.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jitsuin-bin")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "jitsuin")
	build := exec.Command("go", "build", "-ldflags=-w", "-o", path, "github.com/jitsuin/jitsuin/cmd/jitsuin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// process is one running program of ours.
type process struct {
	cmd  *exec.Cmd
	said *safeBuffer
	done chan struct{}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs the program; whatever becomes of the test, it does not outlive it.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	return startWith(t, nil, nil, args...)
}

// startWith runs the program with open files, beginning at descriptor 3, and further variables. Where
// there are files it also says, as a service manager does, that they are meant for this very process.
func startWith(t testing.TB, files []*os.File, env []string, args ...string) *process {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	if len(files) > 0 {
		cmd = exec.Command("/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, bin}, args...)...)
	}
	cmd.ExtraFiles, cmd.Env = files, append(os.Environ(), env...)
	return startCommand(t, cmd)
}

func startCommand(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, said: &safeBuffer{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// stop asks the process to end and fails the test where it does not end cleanly.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		t.Fatalf("does not stop:\n%s", p.said)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, p.said)
	}
}

// await waits until the process has said something.
func (p *process) await(t testing.TB, what string, longest time.Duration) {
	t.Helper()
	deadline := time.Now().Add(longest)
	for !strings.Contains(p.said.String(), what) {
		select {
		case <-p.done:
			t.Fatalf("ended before it said %q:\n%s", what, p.said)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("has not said %q after %v:\n%s", what, longest, p.said)
		}
	}
}

func listen(t testing.TB) string {
	t.Helper()
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strconv.Itoa(port)
}

const upIsReady = "the country is ready"

// TestUpStopsAndFindsEverythingAgain starts a country, stops it, and starts it again.
func TestUpStopsAndFindsEverythingAgain(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	at := listen(t)
	first := start(t, "up", "--data", data, "--listen", at)
	first.await(t, upIsReady, time.Minute)
	t.Log(firstLineWith(first.said.String(), upIsReady))
	cards := cardList(t, data)
	if n := strings.Count(cards, "\n"); n < country.FirstCards {
		t.Errorf("%d lines for %d cards:\n%s", n, country.FirstCards, cards)
	}
	second := start(t, "up", "--data", data, "--listen", at)
	<-second.done
	if code := second.cmd.ProcessState.ExitCode(); code == 0 || !strings.Contains(second.said.String(), "runs in") {
		t.Errorf("a second country in the same folder: exit %d: %s", code, second.said)
	}
	first.stop(t)
	again := start(t, "up", "--data", data)
	again.await(t, upIsReady, time.Minute)
	t.Log(firstLineWith(again.said.String(), upIsReady))
	if after := cardList(t, data); after != cards {
		t.Errorf("the cards are not as they were:\n%s\nbefore:\n%s", after, cards)
	}
	again.stop(t)
	if said := again.said.String(); strings.Contains(said, "panic") || strings.Contains(said, "ERROR") {
		t.Errorf("trouble was logged:\n%s", said)
	}
	// Moved to other addresses it is still the same country, and everybody finds everybody.
	moved := start(t, "up", "--data", data, "--listen", listen(t))
	moved.await(t, upIsReady, time.Minute)
	tourOf(t.Context(), t, data)
	moved.stop(t)
}

func cardList(t *testing.T, data string) string {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(bin, "card", "list", "--data", data).Output()
	if err != nil {
		t.Fatalf("card list: %v", err)
	}
	return string(out)
}

func firstLineWith(s, part string) string {
	for in := bufio.NewScanner(strings.NewReader(s)); in.Scan(); {
		if strings.Contains(in.Text(), part) {
			return in.Text()
		}
	}
	return ""
}

// tourOf plays the tour against a running country.
func tourOf(ctx context.Context, t *testing.T, data string) {
	t.Helper()
	var said bytes.Buffer
	ok, err := tour.Run(ctx, tour.Options{Data: data, Lang: "en", Writer: &said, Soon: 10 * time.Second})
	if err != nil || !ok {
		t.Fatalf("the tour failed: %v\n%s", err, said.String())
	}
}
