package vpcd_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/vpcd"
)

const vpcdDriver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// pcsc is a pcscd of our own: it sees a /run of its own, so that one that already runs on the
// machine is neither used nor disturbed.
type pcsc struct {
	t    *testing.T
	dir  string
	pid  int
	port int
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("THE JUDGE IS MISSING: %s", what)
	}
	t.Skipf("*** SKIPPED: THE JUDGE IS MISSING: %s ***", what)
}

func startPCSC(t *testing.T) *pcsc {
	t.Helper()
	for _, tool := range []string{"pcscd", "opensc-tool", "pkcs15-tool", "pkcs11-tool", "openssl", "unshare", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool)
		}
	}
	if _, err := os.Stat(vpcdDriver); err != nil {
		missing(t, vpcdDriver)
	}
	p := &pcsc{t: t, dir: t.TempDir(), port: freePair(t)}
	conf := fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x%04X\nLIBPATH %s\nCHANNELID 0x%04X\n", p.port, vpcdDriver, p.port)
	p.write("conf.d/vpcd", conf)
	// The mount is private to pcscd and to the tools that enter its namespace. unshare and sh
	// exec what follows, so the process that is started is pcscd itself.
	cmd := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c",
		`mount -t tmpfs none /run && mkdir /run/pcscd && exec pcscd --foreground -c "$1"`, "sh", filepath.Join(p.dir, "conf.d"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		missing(t, "a pcscd in a namespace of its own: "+err.Error())
	}
	p.pid = cmd.Process.Pid
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-exited })
	for range 100 {
		select {
		case <-exited:
			missing(t, "pcscd does not run in a namespace of its own: "+log.String())
		case <-time.After(50 * time.Millisecond):
		}
		if out, err := p.command("opensc-tool", "-l").CombinedOutput(); err == nil && bytes.Contains(out, []byte("Virtual PCD")) {
			return p
		}
	}
	t.Fatalf("pcscd does not come up:\n%s", log.String())
	return nil
}

// freePair finds a port that is free with the one after it: vpcd takes one for each slot.
func freePair(t *testing.T) int {
	t.Helper()
	for range 50 {
		a, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.Addr().(*net.TCPAddr).Port
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

func (p *pcsc) write(name, content string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// command runs a tool that finds our pcscd.
func (p *pcsc) command(name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	p.t.Cleanup(cancel)
	return exec.CommandContext(ctx, "nsenter", append([]string{"--target", fmt.Sprint(p.pid), "--user", "--preserve-credentials", "--mount", name}, args...)...)
}

func (p *pcsc) run(name string, args ...string) string {
	p.t.Helper()
	out, err := p.command(name, args...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func (p *pcsc) refused(name string, args ...string) string {
	p.t.Helper()
	out, err := p.command(name, args...).CombinedOutput()
	if err == nil {
		p.t.Fatalf("%s %v was accepted:\n%s", name, args, out)
	}
	return string(out)
}

// insert puts a card into the first slot and waits until pcscd sees it.
func (p *pcsc) insert(chip *card.Chip) (remove func()) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	go func() { done <- vpcd.Connect(ctx, fmt.Sprintf("127.0.0.1:%d", p.port), reader.Local(chip)) }()
	p.waitFor("Yes", true)
	return func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("removal: %v", err)
		}
	}
}

// waitFor waits until the list of readers shows a text, or shows it no longer: pcscd looks a few
// times a second.
func (p *pcsc) waitFor(text string, shown bool) {
	p.t.Helper()
	for range 100 {
		if strings.Contains(p.run("opensc-tool", "-l"), text) == shown {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("the list of readers shows %q: never %v", text, shown)
}

// The card as OpenSC and openssl see it, tools that know nothing of us.
func TestOpenSCUsesTheCard(t *testing.T) {
	p := startPCSC(t)
	issued := cardtest.Issue(t)
	remove := p.insert(issued.Chip)

	if out := p.run("opensc-tool", "-a"); !strings.Contains(strings.ToLower(out), "3b:e0:00:ff:81:31:fe:45:14") {
		t.Errorf("ATR: %s", out)
	}
	if out := p.run("opensc-tool", "-n"); !strings.Contains(out, "jpki") {
		t.Errorf("OpenSC takes the card for: %s", out)
	}
	dump := p.run("pkcs15-tool", "-D")
	for _, want := range []string{"User Authentication PIN", "Digital Signature PIN", "Tries left     : 3", "Tries left     : 5",
		"User Authentication Key", "Digital Signature Key", "User Authentication Certificate"} {
		if !strings.Contains(dump, want) {
			t.Errorf("pkcs15-tool -D does not show %q:\n%s", want, dump)
		}
	}
	block, _ := pem.Decode([]byte(p.run("pkcs15-tool", "--read-certificate", "01")))
	if block == nil || !bytes.Equal(block.Bytes, issued.Certificates[jitsuin.AuthCert].Raw) {
		t.Error("pkcs15-tool reads another authentication certificate")
	}
	p.refused("pkcs15-tool", "--read-certificate", "02")
	out := p.run("pkcs15-tool", "--auth-id", "02", "--verify-pin", "--pin", cardtest.SignPIN.Reveal(), "--read-certificate", "02")
	if block, _ = pem.Decode([]byte(out[max(0, strings.Index(out, "-----BEGIN")):])); block == nil ||
		!bytes.Equal(block.Bytes, issued.Certificates[jitsuin.SignCert].Raw) {
		t.Errorf("pkcs15-tool reads another signature certificate:\n%s", out)
	}

	signAndVerify(p, "0", "01", issued.Certificates[jitsuin.AuthCert], cardtest.AuthPIN)
	signAndVerify(p, "1", "02", issued.Certificates[jitsuin.SignCert], cardtest.SignPIN)

	remove()
	p.waitFor("Yes", false)
	p.insert(issued.Chip)()
}

// signAndVerify has the card sign through PKCS #11 and openssl verify, with each digest.
func signAndVerify(p *pcsc, slot, id string, certificate *x509.Certificate, pin jitsuin.PIN) {
	p.t.Helper()
	public := p.write("public.der", string(certificate.RawSubjectPublicKeyInfo))
	data := p.write("data", "stamped by a card")
	altered := p.write("altered", "stamped by a cord")
	for _, digest := range []string{"SHA1", "SHA256", "SHA384", "SHA512"} {
		signature := filepath.Join(p.dir, "signature")
		p.run("pkcs11-tool", "--module", "opensc-pkcs11.so", "--slot-index", slot, "--login", "--pin", pin.Reveal(), "--sign", "--id", id,
			"--mechanism", digest+"-RSA-PKCS", "-i", data, "-o", signature)
		verify := []string{"dgst", "-" + strings.ToLower(digest), "-keyform", "DER", "-verify", public, "-signature", signature}
		if out := p.run("openssl", append(verify, data)...); !strings.Contains(out, "Verified OK") {
			p.t.Errorf("slot %s, %s: %s", slot, digest, out)
		}
		p.refused("openssl", append(verify, altered)...)
	}
}

func TestOpenSCWithWrongAndBlockedPIN(t *testing.T) {
	p := startPCSC(t)
	issued := cardtest.Issue(t)
	defer p.insert(issued.Chip)()
	login := func(pin string) []string {
		return []string{"--module", "opensc-pkcs11.so", "--slot-index", "0", "--login", "--pin", pin, "-O"}
	}
	for left := 2; left >= 0; left-- {
		if out := p.refused("pkcs11-tool", login("9999")...); !strings.Contains(out, "CKR_PIN_INCORRECT") {
			t.Errorf("a wrong PIN: %s", out)
		}
		if out := p.run("pkcs15-tool", "--list-pins"); !strings.Contains(out, fmt.Sprintf("Tries left     : %d", left)) {
			t.Errorf("after a wrong PIN, %d should be left:\n%s", left, out)
		}
	}
	p.refused("pkcs11-tool", login(cardtest.AuthPIN.Reveal())...)
	// The other PIN is not touched.
	p.run("pkcs15-tool", "--auth-id", "02", "--verify-pin", "--pin", cardtest.SignPIN.Reveal())
}

// A card before its certificates, as that of a child has no signature certificate.
func TestOpenSCWithABlankCard(t *testing.T) {
	p := startPCSC(t)
	chip, err := card.New(&cardtest.Memory{}, cardtest.Issue(t).Blank())
	if err != nil {
		t.Fatal(err)
	}
	defer p.insert(chip)()
	if out := p.run("pkcs15-tool", "--list-pins"); strings.Count(out, "Tries left     : 0") != 2 {
		t.Errorf("%s", out)
	}
	p.refused("pkcs15-tool", "--read-certificate", "01")
}
