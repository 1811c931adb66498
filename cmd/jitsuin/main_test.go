package main

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jitsuin": main, "measured": measured})
}

// TestScripts runs testdata/*.txtar, which read like the manual. Each script finds in its folder the
// cards and files that setting makes.
func TestScripts(t *testing.T) {
	given, tsa := setting(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(e.WorkDir, "no-pcscd"))
			e.Setenv("TSA", tsa)
			e.Setenv("DIGEST", fmt.Sprintf("%x", sha256.Sum256([]byte("a contract\n"))))
			e.Setenv("BEFORE", time.Now().AddDate(-2, 0, 0).Format(time.RFC3339)) // the cards, not the authorities
			return os.CopyFS(e.WorkDir, os.DirFS(given))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "judge": judgeOf},
	})
}

// exits runs a command that must end with an exit code: exits 64 jitsuin sign. Whatever the
// command says, it never says a PIN.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
	said := strings.ToUpper(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	for _, secret := range []string{holdertest.SignPIN, "WRONG99", "NEWPASS7", " " + holdertest.AuthPIN + " "} {
		if strings.Contains(said, secret) {
			ts.Fatalf("a PIN was printed")
		}
	}
}

// judgeOf runs a program that we did not write: judge openssl cms -verify ...
func judgeOf(ts *testscript.TestScript, neg bool, args []string) {
	if _, err := exec.LookPath(args[0]); err != nil {
		if os.Getenv("CI") == "true" {
			ts.Fatalf("the judge %s is not installed", args[0])
		}
		ts.Logf("SKIPPED: the judge %s is not installed; nobody outside has looked at this", args[0])
		return
	}
	if err := ts.Exec(args[0], args[1:]...); (err != nil) != neg {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// setting makes the folder that every script starts with:
//
//	one/ expired/ wrong/ several/   data folders with cards; several has two, and one that was not handed over
//	sign-ca.pem auth-ca.pem         the authorities; other-ca.pem has the name of the first and another key
//	good.crl revoked.crl stale.crl  of the signature authority; revoked.crl names the card of one/
//	good.ocsp revoked.ocsp later.ocsp
//	auth-signed.p7s                 a document signed with an authentication key
//	contract.pdf                    a page that says so
//	time-stamp.tst time-stamp.tsr   a time-stamp over "a contract\n", as a token and as a response; tsa.pem is its authority
func setting(t *testing.T) (folder, tsa string) {
	t.Helper()
	dir := t.TempDir()
	w := holdertest.New(t)
	one := w.Card(t, filepath.Join(dir, "one"), holdertest.Order{})
	w.Card(t, filepath.Join(dir, "expired"), holdertest.Order{Years: -5, Without: jitsuin.AuthCert})
	w.Card(t, filepath.Join(dir, "wrong"), holdertest.Order{Wrong: true, Without: jitsuin.AuthCert})
	for _, o := range []holdertest.Order{{Without: jitsuin.SignCert}, {Without: jitsuin.SignCert}, {Without: jitsuin.SignCert, Kept: true}} {
		w.Card(t, filepath.Join(dir, "several"), o)
	}
	ca := w.CAs[jitsuin.SignCert]
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]*x509.Certificate{"sign-ca.pem": ca.Cert, "auth-ca.pem": w.CAs[jitsuin.AuthCert].Cert,
		"other-ca.pem": w.Authority(t, jitsuin.SignCert, 7).Cert, "card.pem": one.Certificates[jitsuin.SignCert]} {
		put(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	put("sign-ca.der", ca.Cert.Raw)
	card := one.Certificates[jitsuin.SignCert]
	put("good.crl", list(t, ca, w.Now.Add(-time.Hour)))
	put("revoked.crl", list(t, ca, w.Now.Add(-time.Hour), card.SerialNumber))
	put("stale.crl", list(t, ca, w.Now.Add(-72*time.Hour)))
	put("good.ocsp", answer(t, ca, card, w.Now, cert.Good))
	put("revoked.ocsp", answer(t, ca, card, w.Now, cert.Revoked))
	put("later.ocsp", cert.OCSPTryLater.Response())
	put("auth-signed.p7s", authSigned(t, w, "a contract\n"))
	put("contract.pdf", pdftest.Simple(pdftest.Packed, "a contract").Bytes)
	tsa = putTimeStamps(t, put, w.Now)
	return dir, tsa
}

func list(t *testing.T, ca *certtest.Authority, at time.Time, serials ...*big.Int) []byte {
	t.Helper()
	template := cert.CRLTemplate{Issuer: ca.Cert, Number: 1, ThisUpdate: at, NextUpdate: at.Add(48 * time.Hour)}
	var entries iter.Seq[cert.CRLEntry] = func(yield func(cert.CRLEntry) bool) {
		for _, s := range serials {
			if !yield(cert.CRLEntry{Serial: s.Bytes(), RevokedAt: at.Add(-time.Hour), Reason: jitsuin.ReasonAffiliationChanged}) {
				return
			}
		}
	}
	der, err := template.Build(context.Background(), entries, ca.Sign)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func answer(t *testing.T, ca *certtest.Authority, c *x509.Certificate, now time.Time, state cert.State) []byte {
	t.Helper()
	id, err := cert.NewCertID(crypto.SHA1, ca.Cert, c.SerialNumber)
	if err != nil {
		t.Fatal(err)
	}
	single := cert.OCSPSingle{ID: id, State: state, ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(24 * time.Hour)}
	if state == cert.Revoked {
		single.RevokedAt, single.Reason = now.Add(-time.Hour), jitsuin.ReasonAffiliationChanged
	}
	template := cert.OCSPTemplate{Responder: ca.Cert, ProducedAt: now.Add(-time.Minute), Singles: []cert.OCSPSingle{single}}
	der, err := template.Build(context.Background(), ca.Sign)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// authSigned is what a careless client would make: a document under an authentication key.
func authSigned(t *testing.T, w *holdertest.World, document string) []byte {
	t.Helper()
	by := w.CAs[jitsuin.AuthCert]
	key := certtest.Key(t, cert.RSA2048SHA256, 30)
	template := w.Resident(t, by)
	template.Key = key.Public()
	s := cms.Signer{Certificate: by.Issue(t, template), Key: key}
	der, err := s.Detached(context.Background(), strings.NewReader(document), w.Now)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestTheHelpNamesAnExampleForEveryCommand(t *testing.T) {
	parser, err := newParser(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		detail := leaf.Detail
		if detail == "" && leaf.Parent != nil { // the modes of verify share one
			detail = leaf.Parent.Detail
		}
		if leaf.Help == "" || !strings.Contains(detail, "Example:") || !strings.HasSuffix(leaf.Help, ".") {
			t.Errorf("%s: no sentence or no example", leaf.FullPath())
		}
	}
}

func TestSpans(t *testing.T) {
	from := time.Date(2027, 1, 31, 9, 0, 0, 0, jitsuin.JST)
	for text, want := range map[string]string{"1d": "2027-02-01T09:00:00+09:00", "1mo": "2027-03-03T09:00:00+09:00", "2w": "2027-02-14T09:00:00+09:00",
		"1y2d": "2028-02-02T09:00:00+09:00", "3d12h30m5s": "2027-02-03T21:30:05+09:00"} {
		var s span
		if err := s.UnmarshalText([]byte(text)); err != nil || s.from(from.UTC()).Format(time.RFC3339) != want {
			t.Errorf("%s: %s, %v", text, s.from(from).Format(time.RFC3339), err)
		}
	}
	for _, text := range []string{"", "1", "d", "-1d", "1d ", "0d", "1.5d", "99999999999999999999y", "100001d", "1month"} {
		var s span
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %+v", text, s)
		}
	}
}
