package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/holder/holdertest"
)

// shelfProcess is jitsuin card vpcd as a person runs it.
type shelfProcess struct {
	t     *testing.T
	in    io.Writer
	lines chan string
}

// command is this test binary as jitsuin (see TestMain), which finds p.
func command(t *testing.T, p *pcscdtest.PCSCD, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs(t), "jitsuin"), args...) // not bound to the test: it is told to end
	cmd.Env = append(os.Environ(), "PCSCLITE_CSOCK_NAME="+p.Socket())
	return cmd
}

// programs is a folder with this test binary under the name of the program, by which it knows what to be.
func programs(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "jitsuin")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startShelf(t *testing.T, p *pcscdtest.PCSCD, args ...string) *shelfProcess {
	t.Helper()
	cmd := command(t, p, append([]string{"card", "vpcd", "--port", fmt.Sprint(p.Port)}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &shelfProcess{t: t, in: in, lines: make(chan string, 100)}
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			s.lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		s.tell("quit")
		if err := cmd.Wait(); err != nil {
			t.Errorf("jitsuin card vpcd: %v", err)
		}
	})
	return s
}

func (s *shelfProcess) tell(line string) { fmt.Fprintln(s.in, line) }

// says waits for lines that begin so, in any order.
func (s *shelfProcess) says(begins ...string) {
	s.t.Helper()
	for len(begins) > 0 {
		select {
		case line, ok := <-s.lines:
			if !ok {
				s.t.Fatalf("it ended and did not say %q", begins)
			}
			begins = slices.DeleteFunc(begins, func(begin string) bool { return strings.HasPrefix(line, begin) })
		case <-time.After(time.Minute):
			s.t.Fatalf("it does not say %q", begins)
		}
	}
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// Two cards of our command in Debian's pcscd, as OpenSC sees them; one is taken out and put in again.
func TestCardsInTheVirtualReader(t *testing.T) {
	p := pcscdtest.Start(t, "opensc-tool", "pkcs11-tool", "pkcs15-tool")
	w := holdertest.New(t)
	one, two := t.TempDir(), t.TempDir()
	w.Card(t, one, holdertest.Order{})
	// The first is a running country's and comes through its socket, the second through its folder.
	cards, err := host.New(filepath.Join(one, "cards"), host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer cards.Close()
	second := w.Card(t, two, holdertest.Order{Without: "sign"})
	s := startShelf(t, p, "--data", one, "", filepath.Join(two, "cards", string(second.ID)))
	s.says("1 in the reader", "2 in the reader")
	p.WaitFor("Yes", 2)
	if out := p.Run("opensc-tool", "-r", "1", "-n"); !strings.Contains(out, "jpki") {
		t.Errorf("OpenSC takes the card for: %s", out)
	}
	s.tell("remove 2")
	s.says("2 out")
	p.WaitFor("Yes", 1)
	s.tell("list")
	s.says("1 in the reader")
	s.says("2 out")
	// A card that was taken out is free for others at once.
	if out, err := command(t, p, "card", "show", "--data", two).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	s.tell("insert 2")
	s.says("2 in the reader")
	p.WaitFor("Yes", 2)

	t.Run("the same program uses them as plastic cards", func(t *testing.T) {
		out, err := command(t, p, "card", "list", "--data", t.TempDir()).CombinedOutput()
		if err != nil || strings.Count(string(out), "individual-number-card") != 2 || !strings.Contains(string(out), "pcsc:Virtual PCD 00 01") {
			t.Errorf("%v: %s", err, out)
		}
		contract := p.Write("contract.txt", "a contract\n")
		pin := p.Write("pin", holdertest.SignPIN+"\n")
		sign := command(t, p, "sign", contract, "--card", "pcsc:Virtual PCD 00 00", "--pin-fd", "3")
		f, err := os.Open(pin)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sign.ExtraFiles = []*os.File{f}
		if out, err := sign.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		ca := p.Write("ca.pem", pemOf(w.CAs["sign"].Cert))
		if out, err := exec.Command("openssl", "cms", "-verify", "-inform", "DER", "-in", contract+".p7s", "-content", contract, "-binary",
			"-CAfile", ca, "-purpose", "any", "-out", os.DevNull).CombinedOutput(); err != nil {
			t.Errorf("openssl: %v: %s", err, out)
		}
	})
	t.Run("OpenSC signs with the second", func(t *testing.T) {
		data := p.Write("data", "a challenge")
		p.Run("pkcs11-tool", "--module", "opensc-pkcs11.so", "--slot-index", "2", "--login", "--pin", holdertest.AuthPIN, "--sign", "--id", "01",
			"--mechanism", "SHA256-RSA-PKCS", "-i", data, "-o", filepath.Join(p.Dir, "signature"))
	})
}

// Where no pcscd runs, that is said, and the card waits.
func TestNobodyTakesTheCard(t *testing.T) {
	dir := t.TempDir()
	holdertest.New(t).Card(t, dir, holdertest.Order{Without: "sign"})
	cmd := exec.Command(filepath.Join(programs(t), "jitsuin"), "card", "vpcd", "--data", dir, "--host", "127.0.0.2", "--port", "1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || !strings.HasPrefix(line, "nobody takes card 1 at 127.0.0.2:1") {
		t.Errorf("%q %v", line, err)
	}
	fmt.Fprintln(in, "quit")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// Every ATR that real cards were seen with gets through, and OpenSC finds the application all the same.
func TestACardWithAnotherATR(t *testing.T) {
	p := pcscdtest.Start(t, "opensc-tool")
	dir := t.TempDir()
	holdertest.New(t).Card(t, dir, holdertest.Order{Without: "sign"})
	s := startShelf(t, p, "--data", dir, "--atr", "contactless-3")
	s.says("1 in the reader")
	p.WaitFor("Yes", 1)
	if out := p.Run("opensc-tool", "-a"); !strings.Contains(strings.ToLower(out), "3b:88:80:01:00:4b:51:ff:00:81:d1:00:bc") {
		t.Errorf("%s", out)
	}
	if out := p.Run("opensc-tool", "-n"); !strings.Contains(out, "jpki") {
		t.Errorf("%s", out)
	}
}
