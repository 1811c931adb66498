package report_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/jws"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// example is a report that stands in docs/reports: one good and one bad of every format.
type example struct {
	name, file string
	action     report.Action
	purpose    rules.Purpose
	sub        signature.SubIndication
	in         signature.Input
	policy     signature.Policy
}

const notice = `<届出 xmlns="urn:x-mihon:form"><様式 Id="本文">転入届</様式><新住所>見本県見本市一丁目１番１号</新住所></届出>`

func examples(t *testing.T) []example {
	j, tsa := signtest.NewJPKI(t), signtest.NewTSA(t)
	good, revoked, stamps := policy(j), policy(j), policy(j)
	revoked.Revocation = signtest.Status{Answer: cert.Status{State: cert.Revoked, Source: "crl", ThisUpdate: signtest.Now,
		RevokedAt: signtest.Now.Add(-48 * time.Hour), Reason: "affiliationChanged"}}
	stamps.TimeAnchors = []*x509.Certificate{tsa.Root.Certificate}
	rent := pdftest.Simple(pdftest.Table, "The rent is 80,000 yen.")
	rent.Sign(t, j.Sign, pdftest.Sig{Field: "Tenant"})
	less := *rent
	less.Update(pdftest.Update{Objects: map[int]string{pdftest.Content: pdftest.StreamOf("", "BT /F1 12 Tf 72 770 Td (The rent is 8,000 yen.) Tj ET")}})
	xml, err := xmldsig.Sign([]byte(notice), []xmldsig.Target{{Document: true}}, []*x509.Certificate{j.Sign.Certificate}, j.Sign.Key, xmldsig.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	token, err := (&jws.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}).Compact(content)
	if err != nil {
		t.Fatal(err)
	}
	login, err := (&jws.Signer{Certificate: j.Auth.Certificate, Key: j.Auth.Key}).Compact(content)
	if err != nil {
		t.Fatal(err)
	}
	beside := func(sig, content []byte) signature.Input {
		return signature.Input{Signature: sig, Content: bytes.NewReader(content)}
	}
	stamp := tsa.Stamp(t, content, signtest.Now.Add(-time.Hour))
	return []example{
		{"cms-good", "contract.txt.p7s", report.Accept, rules.PurposeAccount, "", beside(detached(t, j.Sign), content), good},
		{"cms-bad", "contract.txt.p7s", report.NewSignature, rules.PurposeAccount, signature.Revoked, beside(detached(t, j.Sign), content), revoked},
		{"pdf-good", "rent.pdf", report.Accept, rules.PurposeContract, "", signature.Input{Signature: rent.Bytes}, good},
		{"pdf-bad", "rent.pdf", report.Refuse, rules.PurposeContract, signature.FormatFailure, signature.Input{Signature: less.Bytes}, good},
		{"xml-good", "notice.xml", report.Accept, rules.PurposeApplication, "", signature.Input{Signature: xml}, good},
		{"xml-bad", "notice.xml", report.Refuse, rules.PurposeApplication, signature.HashFailure, signature.Input{Signature: bytes.Replace(xml, []byte("一丁目"), []byte("二丁目"), 1)}, good},
		{"timestamp-good", "contract.txt.tst", report.AcceptWithCare, "", "", beside(stamp, content), stamps},
		{"timestamp-bad", "contract.txt.tst", report.Refuse, "", signature.HashFailure, beside(stamp, []byte("another contract")), stamps},
		{"jws-good", "order.jws", report.Accept, rules.PurposeContract, "", signature.Input{Signature: token}, good},
		{"jws-bad", "order.jws", report.NewSignature, rules.PurposeContract, signature.ChainConstraints, signature.Input{Signature: login}, good},
	}
}

// drawn is what differs from one run of the test to the next: digests of things made with fresh keys.
var drawn = regexp.MustCompile(`[0-9a-f]{40,}`)

// TestExamples holds the examples of docs/reports to what is written today. They are written anew with
// -update, and then read by somebody.
func TestExamples(t *testing.T) {
	folder := filepath.Join("..", "..", "docs", "reports")
	names := map[string]bool{"README.md": true}
	for _, e := range examples(t) {
		found, err := signature.Verify(t.Context(), e.in, e.policy)
		if err != nil {
			t.Fatal(err)
		}
		d, err := report.New(found, e.purpose)
		if err != nil {
			t.Fatal(err)
		}
		d.Of(e.file, e.in.Signature).Made("platform:1", signtest.Now)
		if d.SubIndication != e.sub || d.Legal.Action != e.action {
			t.Errorf("%s: %s %s, %s: %v", e.name, d.Verdict, d.SubIndication, d.Legal.Action, d.Reasons)
		}
		for _, lang := range []string{"ja", "en"} {
			keep(t, filepath.Join(folder, e.name+"."+lang+".txt"), drawn.ReplaceAllString(d.Text(lang), "…"))
			names[e.name+"."+lang+".txt"] = true
			if e.name != "pdf-good" && e.name != "pdf-bad" {
				continue
			}
			page, err := d.HTML(lang)
			if err != nil {
				t.Fatal(err)
			}
			keep(t, filepath.Join(folder, e.name+"."+lang+".html"), drawn.ReplaceAllString(string(page), "…"))
			names[e.name+"."+lang+".html"] = true
		}
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if !names[f.Name()] {
			t.Errorf("nothing makes docs/reports/%s any more", f.Name())
		}
	}
}

// keep compares a file with what it must be, or writes it.
func keep(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(got)) != strings.TrimSpace(want) {
		t.Errorf("%s is not what is written today: run this test with -update and read it", path)
	}
}
