package tour_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country/tour"
)

// evidence plays the tour once for all tests of this file.
var evidence = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jitsuin-tour")
	if err != nil {
		return "", err
	}
	var said bytes.Buffer
	ok, err := tour.Run(context.Background(), tour.Options{Out: dir, Lang: "en", Writer: io.MultiWriter(&said), Log: slog.New(slog.DiscardHandler), Soon: 10 * time.Second})
	if err != nil || !ok {
		return dir, &failedTour{said.String(), err}
	}
	return dir, nil
})

type failedTour struct {
	said string
	err  error
}

func (f *failedTour) Error() string {
	if f.err != nil {
		return f.said + "\n" + f.err.Error()
	}
	return f.said
}

// played gives the folder of the evidence.
func played(t *testing.T) string {
	t.Helper()
	dir, err := evidence()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// judge finds a program that we did not write; under CI a missing one is a failure.
func judge(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("JUDGE MISSING: %s", name)
	}
	t.Skipf("######## JUDGE MISSING: %s — install it with: make judges ########", name)
}

// ask runs a judge in the evidence folder and gives what it printed and whether it was content.
func ask(t *testing.T, dir string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func pemFile(t *testing.T, path, kind string, der []byte, more ...string) string {
	t.Helper()
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: kind, Bytes: der})
	for _, m := range more {
		raw, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTourLeavesEveryStep(t *testing.T) {
	dir := played(t)
	f, err := os.Open(filepath.Join(dir, "steps.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n, acts := 0, map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var step tour.Step
		if err := json.Unmarshal(s.Bytes(), &step); err != nil {
			t.Fatal(err)
		}
		n++
		if step.N != n || !step.OK || step.Expected != step.Got || step.Actor == "" || step.Checked == "" {
			t.Errorf("step %d: %+v", n, step)
		}
		acts[step.Step] = true
	}
	for _, want := range []string{"apply", "check", "issue", "handover", "sign", "verify", "login", "move", "reissue", "minor", "death"} {
		if !acts[want] {
			t.Errorf("the story has no step %q", want)
		}
	}
	for _, r := range []string{"contract.json", "altered.json", "moved.json", "reissued.json", "minor.json", "dead.json"} {
		if !json.Valid(read(t, filepath.Join(dir, "reports", r))) {
			t.Errorf("report %s is no JSON", r)
		}
	}
}

// moments says which of the resident's certificates is good when, as the law has it.
var moments = []struct {
	name       string
	sign, auth bool   // good at that moment
	signFile   string // the signature certificate that the OCSP response speaks of
}{
	{"before", true, true, "resident/sign.pem"},
	{"move", false, true, "resident/sign.pem"},
	{"reissue", true, true, "resident/sign-reissued.pem"},
	{"minor", true, true, "resident/sign-reissued.pem"},
	{"death", false, false, "resident/sign-reissued.pem"},
}

func TestOpenSSLAgreesOnChainsAndLists(t *testing.T) {
	judge(t, "openssl")
	dir := played(t)
	for _, kind := range []string{"sign", "auth"} {
		ca := "ca/" + kind + ".pem"
		if out, ok := ask(t, dir, "openssl", "verify", "-x509_strict", "-CAfile", ca, ca); !ok {
			t.Errorf("CA %s: %s", kind, out)
		}
		other := map[string]string{"sign": "auth", "auth": "sign"}[kind]
		if out, ok := ask(t, dir, "openssl", "verify", "-CAfile", "ca/"+other+".pem", "resident/"+kind+".pem"); ok {
			t.Errorf("the %s certificate passes under the other CA: %s", kind, out)
		}
		for _, m := range moments {
			crl := filepath.Join("status", m.name, kind+".crl")
			if out, ok := ask(t, dir, "openssl", "crl", "-inform", "DER", "-in", crl, "-CAfile", ca, "-noout"); !ok || !strings.Contains(out, "verify OK") {
				t.Errorf("%s: %s", crl, out)
			}
			if out, _ := ask(t, dir, "openssl", "crl", "-inform", "DER", "-in", crl, "-CAfile", "ca/"+other+".pem", "-noout"); strings.Contains(out, "verify OK") {
				t.Errorf("%s verifies under the other CA", crl)
			}
			crlPEM := pemFile(t, filepath.Join(dir, "status", m.name, kind+".crl.pem"), "X509 CRL", read(t, filepath.Join(dir, crl)))
			leaf, good := "resident/auth.pem", m.auth
			if kind == "sign" {
				leaf, good = m.signFile, m.sign
			}
			out, ok := ask(t, dir, "openssl", "verify", "-crl_check", "-CRLfile", crlPEM, "-CAfile", ca, leaf)
			if ok != good || !ok && !strings.Contains(out, "certificate revoked") {
				t.Errorf("%s %s: openssl verify says ok=%v, the law good=%v: %s", m.name, leaf, ok, good, out)
			}
		}
	}
	// The old signature certificate stays dead after the re-issue.
	if out, ok := ask(t, dir, "openssl", "verify", "-crl_check", "-CRLfile", "status/reissue/sign.crl.pem", "-CAfile", "ca/sign.pem", "resident/sign.pem"); ok {
		t.Errorf("the old certificate is alive again: %s", out)
	}
}

func TestOpenSSLAgreesOnOCSP(t *testing.T) {
	judge(t, "openssl")
	dir := played(t)
	for _, kind := range []string{"sign", "auth"} {
		for _, m := range moments {
			leaf, good := "resident/auth.pem", m.auth
			if kind == "sign" {
				leaf, good = m.signFile, m.sign
			}
			want := leaf + ": revoked"
			if good {
				want = leaf + ": good"
			}
			out, ok := ask(t, dir, "openssl", "ocsp", "-respin", "status/"+m.name+"/"+kind+".ocsp", "-issuer", "ca/"+kind+".pem",
				"-cert", leaf, "-CAfile", "ca/"+kind+".pem", "-no_nonce")
			if !ok || !strings.Contains(out, "Response verify OK") || !strings.Contains(out, want) {
				t.Errorf("%s %s: want %q: %s", m.name, kind, want, out)
			}
		}
	}
	// A response with one bit changed, and one for the other certificate, convince nobody.
	raw := read(t, filepath.Join(dir, "status/before/sign.ocsp"))
	raw[len(raw)/2] ^= 1
	bad := filepath.Join(dir, "status/before/broken.ocsp")
	os.WriteFile(bad, raw, 0o600)
	out, ok := ask(t, dir, "openssl", "ocsp", "-respin", bad, "-issuer", "ca/sign.pem", "-cert", "resident/sign.pem", "-CAfile", "ca/sign.pem", "-no_nonce")
	if ok && strings.Contains(out, "Response verify OK") {
		t.Errorf("a changed response passes: %s", out)
	}
	out, _ = ask(t, dir, "openssl", "ocsp", "-respin", "status/before/sign.ocsp", "-issuer", "ca/sign.pem", "-cert", "resident/sign-reissued.pem", "-CAfile", "ca/sign.pem", "-no_nonce")
	if strings.Contains(out, ": good") {
		t.Errorf("a response about one certificate speaks for another: %s", out)
	}
}

func TestOpenSSLAgreesOnTheSignature(t *testing.T) {
	judge(t, "openssl")
	dir := played(t)
	verify := func(content, ca string, more ...string) (string, bool) {
		return ask(t, dir, append([]string{"openssl", "cms", "-verify", "-inform", "DER", "-in", "contract.p7s", "-content", content,
			"-CAfile", ca, "-purpose", "any", "-binary", "-out", os.DevNull}, more...)...)
	}
	if out, ok := verify("contract.pdf", "ca/sign.pem"); !ok {
		t.Errorf("openssl does not accept the signature: %s", out)
	}
	for _, m := range []struct {
		name string
		good bool
	}{{"before", true}, {"move", false}} {
		both := pemFile(t, filepath.Join(dir, "status", m.name, "ca+crl.pem"), "X509 CRL", read(t, filepath.Join(dir, "status", m.name, "sign.crl")), filepath.Join(dir, "ca/sign.pem"))
		if out, ok := verify("contract.pdf", both, "-crl_check"); ok != m.good {
			t.Errorf("%s: openssl says ok=%v: %s", m.name, ok, out)
		}
	}
	altered := append(read(t, filepath.Join(dir, "contract.pdf")), '\n')
	os.WriteFile(filepath.Join(dir, "altered.pdf"), altered, 0o600)
	if out, ok := verify("altered.pdf", "ca/sign.pem"); ok {
		t.Errorf("an altered contract passes: %s", out)
	}
	if out, ok := verify("contract.pdf", "ca/auth.pem"); ok {
		t.Errorf("the signature passes under the other CA: %s", out)
	}
}

func TestCertToolAgrees(t *testing.T) {
	judge(t, "certtool")
	dir := played(t)
	for _, kind := range []string{"sign", "auth"} {
		chain := filepath.Join(dir, kind+".chain.pem")
		os.WriteFile(chain, append(read(t, filepath.Join(dir, "resident", kind+".pem")), read(t, filepath.Join(dir, "ca", kind+".pem"))...), 0o600)
		if out, ok := ask(t, dir, "certtool", "--verify-chain", "--infile", chain); !ok || !strings.Contains(out, "Chain verification output: Verified") {
			t.Errorf("%s: %s", kind, out)
		}
		for _, m := range moments {
			good := m.auth
			leaf := "resident/auth.pem"
			if kind == "sign" {
				good, leaf = m.sign, m.signFile
			}
			crlPEM := filepath.Join("status", m.name, kind+".crl.pem")
			pemFile(t, filepath.Join(dir, crlPEM), "X509 CRL", read(t, filepath.Join(dir, "status", m.name, kind+".crl")))
			if out, ok := ask(t, dir, "certtool", "--verify-crl", "--load-ca-certificate", "ca/"+kind+".pem", "--infile", crlPEM); !ok || !strings.Contains(out, "Verified") {
				t.Errorf("%s: %s", crlPEM, out)
			}
			out, ok := ask(t, dir, "certtool", "--verify", "--load-ca-certificate", "ca/"+kind+".pem", "--load-crl", crlPEM, "--infile", leaf)
			if verified := ok && strings.Contains(out, "output: Verified"); verified != good {
				t.Errorf("%s %s: certtool says %v, the law %v: %s", m.name, leaf, verified, good, out)
			}
		}
	}
	if out, ok := ask(t, dir, "certtool", "--p7-verify", "--inder", "--infile", "contract.p7s", "--load-data", "contract.pdf", "--load-ca-certificate", "ca/sign.pem"); !ok {
		t.Errorf("certtool does not accept the signature: %s", out)
	}
	if out, ok := ask(t, dir, "certtool", "--p7-verify", "--inder", "--infile", "contract.p7s", "--load-data", "steps.jsonl", "--load-ca-certificate", "ca/sign.pem"); ok {
		t.Errorf("certtool accepts the signature over something else: %s", out)
	}
}
