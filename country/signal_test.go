//go:build unix

package country_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
)

// halfRequest sends a request without the end of its body; finish sends that and gives the answer.
func halfRequest(t *testing.T, b *bare, body any) (finish func() (*http.Response, error)) {
	t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", b.at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		b.path, b.at, b.token, jitsuin.NewID(), len(content))
	in := bufio.NewReader(c)
	// The handler asks for the body: from now on the request is under way.
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	in.ReadString('\n')
	c.Write(content[:len(content)/2])
	return func() (*http.Response, error) {
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Write(content[len(content)/2:]); err != nil {
			return nil, err
		}
		return http.ReadResponse(in, nil)
	}
}

// TestOneSignalWaitsAndASecondDoesNot: after the first the actor stays until the request under way
// is answered; after the second it is gone at once.
func TestOneSignalWaitsAndASecondDoesNot(t *testing.T) {
	f := quickCountry(t)
	l := verifications(t, f)
	m := newManager(t, f, l)
	m.start()
	b, err := newBare(t, f, l, false)
	if err != nil {
		t.Fatal(err)
	}
	finish := halfRequest(t, b, l.body(0, "slow"))
	m.now.cmd.Process.Signal(syscall.SIGTERM)
	m.told("STOPPING=1")
	select {
	case <-m.now.done:
		t.Fatalf("ended with a request under way:\n%s", m.now.said)
	case <-time.After(1500 * time.Millisecond): // longer than connections linger
	}
	resp, err := finish()
	if err != nil || resp.StatusCode != l.status {
		t.Fatalf("the slow request: %v, %v", resp, err)
	}
	<-m.now.done
	if code := m.now.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, m.now.said)
	}

	m.start()
	halfRequest(t, b, l.body(0, "endless"))
	m.now.cmd.Process.Signal(syscall.SIGTERM)
	m.told("STOPPING=1")
	start := time.Now()
	m.now.cmd.Process.Signal(syscall.SIGTERM)
	<-m.now.done
	if took := time.Since(start); took > 3*time.Second || m.now.cmd.ProcessState.Success() {
		t.Errorf("the second signal took %v: %v", took, m.now.cmd.ProcessState)
	}
}

// TestASocketThatIsNobodysIsRefused hands over a socket whose address the configuration does not name.
func TestASocketThatIsNobodysIsRefused(t *testing.T) {
	f, _, err := country.Open(country.Options{Data: t.TempDir(), Listen: listen(t)})
	if err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	file, err := other.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p := startWith(t, []*os.File{file}, []string{"LISTEN_FDS=1"}, "serve", "minister", "--config", f.ConfigPath(country.Minister))
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		t.Fatalf("serves although nobody would ever be answered at %s:\n%s", other.Addr(), p.said)
	}
	if p.cmd.ProcessState.Success() || !strings.Contains(p.said.String(), other.Addr().String()) {
		t.Errorf("%v: %s", p.cmd.ProcessState, p.said)
	}
}

// TestSystemdHandsTheSocketOver asks systemd's own program to start an actor when the first request comes.
func TestSystemdHandsTheSocketOver(t *testing.T) {
	program := judge(t, "systemd-socket-activate")
	f, _, err := country.Open(country.Options{Data: t.TempDir(), Listen: listen(t)})
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.Directory()
	if err != nil {
		t.Fatal(err)
	}
	at, err := d.Lookup(country.Minister)
	if err != nil {
		t.Fatal(err)
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := startCommand(t, exec.Command(program, "--listen", strings.TrimPrefix(at.Origin, "http://"), "--fdname", "http",
		bin, "serve", "minister", "--config", f.ConfigPath(country.Minister)))
	p.await(t, "Listening", 10*time.Second)
	resp, err := http.Get(at.Origin + "/healthz") // waits in the backlog while the actor is started
	if err != nil {
		t.Fatalf("%v\n%s", err, p.said)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(said) != "ok\n" {
		t.Errorf("%s %q", resp.Status, said)
	}
	p.stop(t)
}

// judge finds a program that we did not write.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("JUDGE MISSING: %s", name)
	}
	t.Skipf("######## JUDGE MISSING: %s — install it with: make judges ########", name)
	return ""
}
