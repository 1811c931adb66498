package verifier_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/verifier"
)

var contract = []byte("賃貸借契約書 a contract that somebody signs\n")

// office is a recipient with a verifier, and the authority that it trusts, under a clock of the test.
type office struct {
	t      testing.TB
	folder string
	ca     *certtest.Authority
	v      *verifier.Verifier

	mu  sync.Mutex
	now time.Time
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

// newOffice makes the folders as "jitsuin verifier init" does; more are lines of the configuration.
func newOffice(t testing.TB, more ...string) *office {
	t.Helper()
	o := &office{t: t, folder: filepath.Join(t.TempDir(), "v"), now: certtest.Now, ca: certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)}
	if err := verifier.Init(o.folder); err != nil {
		t.Fatal(err)
	}
	o.write("anchors/sign.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.ca.Cert.Raw}))
	raw, err := os.ReadFile(filepath.Join(o.folder, "verifier.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	o.write("verifier.yaml", []byte(strings.Replace(string(raw), "8455", "0", 1)+strings.Join(more, "\n")+"\n"))
	return o
}

// open starts over, as after a restart.
func (o *office) open() *verifier.Verifier {
	o.t.Helper()
	cfg, err := verifier.Load(filepath.Join(o.folder, "verifier.yaml"))
	if err != nil {
		o.t.Fatal(err)
	}
	if o.v, err = verifier.Open(cfg, verifier.Options{Clock: o.clock, Log: slog.New(slog.DiscardHandler), Version: "test"}); err != nil {
		o.t.Fatal(err)
	}
	return o.v
}

func (o *office) write(name string, content []byte) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.folder, filepath.FromSlash(name)), content, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// list makes a list that holds for a day, with the serials that are revoked.
func (o *office) list(ca *certtest.Authority, serials ...int64) []byte {
	o.t.Helper()
	made := o.clock().Add(-time.Minute)
	tmpl := cert.CRLTemplate{Issuer: ca.Cert, Number: uint64(made.Unix()), ThisUpdate: made, NextUpdate: made.Add(24 * time.Hour)}
	der, err := tmpl.Build(context.Background(), func(yield func(cert.CRLEntry) bool) {
		for _, n := range serials {
			if !yield(cert.CRLEntry{Serial: big.NewInt(n).Bytes(), RevokedAt: made.Add(-time.Hour), Reason: jitsuin.ReasonAffiliationChanged}) {
				return
			}
		}
	}, ca.Sign)
	if err != nil {
		o.t.Fatal(err)
	}
	return der
}

func (o *office) certificate(ca *certtest.Authority, serial int64) *x509.Certificate {
	return ca.Issue(o.t, ca.Resident(o.t, big.NewInt(serial)))
}

// signed is the contract, signed with the key of a certificate, detached.
func (o *office) signed(c *x509.Certificate) []byte {
	o.t.Helper()
	s := cms.Signer{Certificate: c, Key: certtest.Key(o.t, cert.P384SHA384, 1)} // which signs with any certificate
	der, err := s.Detached(context.Background(), strings.NewReader(string(contract)), certtest.Now)
	if err != nil {
		o.t.Fatal(err)
	}
	return der
}

// job asks about a certificate's signature over the contract.
func (o *office) job(c *x509.Certificate) verifier.Job {
	return verifier.Job{Name: "contract.p7s", Signed: o.signed(c), Documents: []verifier.Document{{Name: "contract.txt", Content: contract}}}
}

func (o *office) judge(j verifier.Job, want signature.Verdict, sub signature.SubIndication) *report.Document {
	o.t.Helper()
	d, err := o.v.Verify(o.t.Context(), j)
	if err != nil {
		o.t.Fatal(err)
	}
	if d.Verdict != want || d.SubIndication != sub {
		o.t.Errorf("%s / %s, want %s / %s: %s", d.Verdict, d.SubIndication, want, sub, d.Reason)
	}
	return d
}

func reasons(d *report.Document) string {
	var all []string
	for _, r := range d.Reasons {
		all = append(all, r.Code)
	}
	return strings.Join(all, " ")
}

// The story of a back office: it starts offline with nothing, gets a list, and goes on with yesterday's.
func TestABackOffice(t *testing.T) {
	o := newOffice(t)
	o.open()
	good, dead := o.certificate(o.ca, 1), o.certificate(o.ca, 2)
	if o.v.State().Condition != verifier.Missing {
		t.Errorf("%+v", o.v.State())
	}
	o.judge(o.job(good), signature.Indeterminate, signature.TryLater)

	o.write("status/sign.crl", o.list(o.ca, 2))
	o.open()
	if s := o.v.State(); s.Condition != verifier.Current || len(s.Lists) != 1 || s.Lists[0].AgeSeconds != 60 || s.Anchors[0].Lists != verifier.Current {
		t.Errorf("%+v", s)
	}
	d := o.judge(o.job(good), signature.Passed, "")
	if d.Signatures[0].Items == nil || len(d.Signatures[0].Warnings) != 0 || d.Legal.Action != report.AcceptWithCare || d.File.Name != "contract.p7s" || !strings.Contains(d.MadeBy, "test") {
		t.Errorf("%+v", d)
	}
	o.judge(o.job(dead), signature.Failed, signature.Revoked)
	altered := o.job(good)
	altered.Documents[0].Content = append([]byte("もう一文\n"), contract...)
	o.judge(altered, signature.Failed, signature.HashFailure)
	alone := o.job(good)
	alone.Documents = nil
	o.judge(alone, signature.Indeterminate, signature.SignedDataNotFound)
	o.judge(verifier.Job{Signed: []byte("hello")}, signature.Malformed, signature.FormatFailure)

	o.pass(30 * time.Hour) // a day without the network
	o.open()
	if s := o.v.State(); s.Condition != verifier.Over || s.Anchors[0].Lists != verifier.Over || !s.Lists[0].Ended {
		t.Errorf("%+v", s)
	}
	d = o.judge(o.job(good), signature.Indeterminate, signature.TryLater)
	if reasons(d) != "status-stale status-ended" || !strings.Contains(d.Reasons[1].EN, "is of 2026-06-01 08:59:00 JST and has ended at 2026-06-02 08:59:00 JST") ||
		!strings.Contains(d.Reasons[1].JA, "2026-06-02 08:59:00 JSTに期限が切れ") {
		t.Errorf("%+v", d.Reasons)
	}
	o.judge(o.job(dead), signature.Failed, signature.Revoked)
	// asked about yesterday, yesterday's list is in its time
	then := o.job(good)
	then.At = certtest.Now.Add(time.Hour)
	o.judge(then, signature.Passed, "")
	then.At = o.clock().Add(time.Hour)
	o.judge(then, signature.Indeterminate, signature.TryLater)
}

func TestYesterdaysListUnderAGraceIsSaidLoudly(t *testing.T) {
	o := newOffice(t, "grace: 12h")
	o.write("status/sign.crl", o.list(o.ca, 2))
	good, dead := o.certificate(o.ca, 1), o.certificate(o.ca, 2)
	o.pass(30 * time.Hour)
	o.open()
	d := o.judge(o.job(good), signature.Passed, "")
	if reasons(d) != "status-overdue passed" || d.Legal.Action != report.AcceptWithCare || d.Reason != d.Reasons[0].Code+": "+d.Reasons[0].EN {
		t.Errorf("%s: %+v", d.Reason, d.Legal)
	}
	for lang, words := range map[string][]string{
		"ja": {"期限の切れた失効情報", "2026-06-02 08:59:00 JSTに期限が切れ", "失効していても、この報告では分かりません"},
		"en": {"by revocation information that has ended", "ended at 2026-06-02 08:59:00 JST", "A revocation since then is not known"},
	} {
		text := d.Text(lang)
		view := d.View(lang)
		if view.Tone != report.Warn {
			t.Errorf("%s: the tone is %s", lang, view.Tone)
		}
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not said:\n%s", lang, w, text)
			}
		}
	}
	if w := d.Signatures[0].Warnings; len(w) != 1 || w[0].Code != report.StatusOverdue {
		t.Errorf("%+v", w)
	}
	// what is wrong stays wrong, and the grace has an end
	d = o.judge(o.job(dead), signature.Failed, signature.Revoked)
	if d.Legal.Action == report.AcceptWithCare || d.Reasons[0].Code != "revoked" {
		t.Errorf("%+v", d.Reasons)
	}
	bad := o.job(good)
	bad.Documents[0].Content = []byte("another document")
	if d := o.judge(bad, signature.Failed, signature.HashFailure); d.Reasons[0].Code == report.StatusOverdue {
		t.Errorf("%+v", d.Reasons)
	}
	o.pass(7 * time.Hour)
	if d := o.judge(o.job(good), signature.Indeterminate, signature.TryLater); reasons(d) != "status-stale status-ended" {
		t.Errorf("%+v", d.Reasons)
	}
}

// Whoever is no anchor is nobody, and lists decide for their own key only.
func TestWhoIsTrusted(t *testing.T) {
	stranger := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 9) // of the same name
	auth := certtest.NewAuthority(t, jitsuin.AuthCert, cert.P384SHA384, 5)
	next := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 2)
	o := newOffice(t)
	o.write("anchors/more.pem", append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: auth.Cert.Raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: next.Cert.Raw})...))
	o.write("status/sign.crl", o.list(o.ca))
	o.write("status/next.crl", o.list(next, 1))
	o.write("status/auth.crl", o.list(auth))
	o.write("status/stranger.crl", o.list(stranger))
	o.open()
	if s := o.v.State(); len(s.Anchors) != 3 || len(s.Lists) != 3 || len(s.Problems) != 1 || s.Problems[0].File != "stranger.crl" {
		t.Errorf("%+v", s)
	}
	o.judge(o.job(o.certificate(o.ca, 1)), signature.Passed, "")
	o.judge(o.job(o.certificate(next, 1)), signature.Failed, signature.Revoked) // two generations, one serial number
	o.judge(o.job(o.certificate(next, 3)), signature.Passed, "")
	o.judge(o.job(o.certificate(stranger, 1)), signature.Indeterminate, signature.NoCertificateChain)
	o.judge(o.job(o.certificate(auth, 1)), signature.Failed, signature.ChainConstraints) // for logging in
}

func TestDocumentsBesideASignature(t *testing.T) {
	o := newOffice(t)
	o.write("status/sign.crl", o.list(o.ca))
	o.open()
	good := o.job(o.certificate(o.ca, 1))
	armoured := good
	armoured.Signed = pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: good.Signed})
	o.judge(armoured, signature.Passed, "")
	for code, j := range map[string]verifier.Job{
		"documents-many":      {Signed: good.Signed, Documents: []verifier.Document{{"a", contract}, {"b", contract}}},
		"document-beside-pdf": {Signed: []byte("%PDF-1.7\n"), Documents: good.Documents},
		"document-name":       {Signed: []byte("<a/>"), Documents: []verifier.Document{{"a", contract}, {"a", contract}}},
		"purpose":             {Signed: good.Signed, Documents: good.Documents, Purpose: "world-peace"},
	} {
		if _, err := o.v.Verify(t.Context(), j); jitsuin.CodeOf(err) != code || jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestManyVerifyWhileListsCome(t *testing.T) {
	o := newOffice(t, "poll: 20ms", "limits: {at_once: 2}")
	o.write("status/sign.crl", o.list(o.ca))
	o.open()
	good, dead := o.job(o.certificate(o.ca, 1)), o.job(o.certificate(o.ca, 2))
	ctx, stop := context.WithCancel(t.Context())
	ready := make(chan struct{})
	var serving, all sync.WaitGroup
	serving.Go(func() {
		if err := o.v.Run(ctx, func(string) { close(ready) }); err != nil {
			t.Error(err)
		}
	})
	<-ready
	for i := range 6 {
		all.Go(func() {
			for range 10 {
				j := good
				if i%2 == 1 {
					j = dead
				}
				d, err := o.v.Verify(t.Context(), j)
				if err != nil || d.Verdict != signature.Passed && d.SubIndication != signature.Revoked || i%2 == 0 && d.Verdict != signature.Passed {
					t.Errorf("%v %+v", err, d)
				}
				o.v.State()
			}
		})
	}
	o.write("status/new.crl", o.list(o.ca, 2)[:100]) // half of it first
	o.write("status/new.crl", o.list(o.ca, 2))
	all.Wait()
	for end := time.Now().Add(20 * time.Second); ; {
		d, err := o.v.Verify(t.Context(), dead)
		if err != nil {
			t.Fatal(err)
		}
		if d.SubIndication == signature.Revoked {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the new list was not noticed")
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	stop()
	serving.Wait()
}
