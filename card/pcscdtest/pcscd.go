// Package pcscdtest starts a pcscd of a test's own, with Debian's virtual reader (vpcd) in it, and
// runs other people's tools on it. It sees a /run of its own, so that a pcscd that already runs on
// the machine is neither used nor disturbed. Only tests import it.
package pcscdtest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/card/pcsc"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/vpcd"
)

const driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// PCSCD is a running pcscd with two slots.
type PCSCD struct {
	t   testing.TB
	pid int
	// Dir is a folder for the test's files, Port the TCP port on which vpcd waits for the card of the
	// first slot; the second is one on.
	Dir  string
	Port int
}

// Missing skips the test with a loud line, or fails it under CI=true.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("THE JUDGE IS MISSING: %s", what)
	}
	t.Skipf("*** SKIPPED: THE JUDGE IS MISSING: %s ***", what)
}

// Start starts one for the time of the test; tools are further programs that it needs.
func Start(t testing.TB, tools ...string) *PCSCD {
	t.Helper()
	for _, tool := range append([]string{"pcscd", "unshare", "nsenter"}, tools...) {
		if _, err := exec.LookPath(tool); err != nil {
			Missing(t, tool)
		}
	}
	if _, err := os.Stat(driver); err != nil {
		Missing(t, driver)
	}
	p := &PCSCD{t: t, Dir: t.TempDir(), Port: freePair(t)}
	p.Write("conf.d/vpcd", fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x%04X\nLIBPATH %s\nCHANNELID 0x%04X\n", p.Port, driver, p.Port))
	// The mount is private to pcscd and to the tools that enter its namespace. unshare and sh
	// exec what follows, so the process that is started is pcscd itself.
	cmd := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c",
		`mount -t tmpfs none /run && mkdir /run/pcscd && exec pcscd --foreground -c "$1"`, "sh", filepath.Join(p.Dir, "conf.d"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		Missing(t, "a pcscd in a namespace of its own: "+err.Error())
	}
	p.pid = cmd.Process.Pid
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-exited })
	for range 500 {
		select {
		case <-exited:
			Missing(t, "pcscd does not run in a namespace of its own: "+log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if conn, err := net.Dial("unix", p.Socket()); err == nil {
			conn.Close()
			return p
		}
	}
	t.Fatalf("pcscd does not come up:\n%s", log.String())
	return nil
}

// Socket is where this pcscd listens, as seen from the test. Programs that are told so by
// PCSCLITE_CSOCK_NAME need not enter its namespace.
func (p *PCSCD) Socket() string { return fmt.Sprintf("/proc/%d/root/run/pcscd/pcscd.comm", p.pid) }

// freePair finds a port that is free with the one after it: vpcd takes one for each slot.
func freePair(t testing.TB) int {
	t.Helper()
	const lowest, highest = 10000, 20000 // below what the system gives to connections
	for range 100 {
		port := lowest + 2*rand.IntN((highest-lowest)/2)
		a, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		b, err := net.Listen("tcp", fmt.Sprintf(":%d", port+1))
		a.Close()
		if err == nil {
			b.Close()
			return port
		}
	}
	t.Fatal("no two free ports in a row")
	return 0
}

// Write puts a file into Dir and gives its path.
func (p *PCSCD) Write(name, content string) string {
	p.t.Helper()
	path := filepath.Join(p.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// Command is a tool that finds this pcscd; it has a minute.
func (p *PCSCD) Command(name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	p.t.Cleanup(cancel)
	return exec.CommandContext(ctx, "nsenter", append([]string{"--target", fmt.Sprint(p.pid), "--user", "--preserve-credentials", "--mount", name}, args...)...)
}

// Run runs a tool that must succeed and gives what it said.
func (p *PCSCD) Run(name string, args ...string) string {
	p.t.Helper()
	out, err := p.Command(name, args...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// Refused runs a tool that must fail and gives what it said.
func (p *PCSCD) Refused(name string, args ...string) string {
	p.t.Helper()
	out, err := p.Command(name, args...).CombinedOutput()
	if err == nil {
		p.t.Fatalf("%s %v was accepted:\n%s", name, args, out)
	}
	return string(out)
}

// Insert puts a card into a slot (0 or 1); remove takes it out. pcscd looks for it a few times a
// second; who must see it there waits (WaitFor, or package pcsc's Service.Wait).
func (p *PCSCD) Insert(slot int, c reader.Card) (remove func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	go func() { done <- vpcd.Connect(ctx, fmt.Sprintf("127.0.0.1:%d", p.Port+slot), c) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("removal: %v", err)
		}
	}
}

// WaitFor waits until opensc-tool's list of readers shows a text so many times.
func (p *PCSCD) WaitFor(text string, times int) {
	p.t.Helper()
	for range 200 {
		if strings.Count(p.Run("opensc-tool", "-l"), text) == times {
			return
		}
		time.Sleep(30 * time.Millisecond)
	}
	p.t.Fatalf("the list of readers does not show %q %d times", text, times)
}

// AwaitCard waits until the first reader that the program sees has a card in it.
func AwaitCard(t testing.TB) {
	t.Helper()
	s, err := pcsc.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var readers []pcsc.Reader
	for len(readers) == 0 || len(readers[0].ATR) == 0 {
		if readers, err = s.Wait(ctx, readers); err != nil {
			t.Fatal(err)
		}
	}
}
