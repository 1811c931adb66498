package report_test

import (
	"bytes"
	"crypto/x509"
	"flag"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/report"
)

var update = flag.Bool("update", false, "write the files of testdata and docs/reports anew")

var content = []byte("売買契約書\n第1条 甲は乙に代金を支払う。\n")

// sample is a report and what it is good for.
type sample struct {
	name    string
	report  *signature.Report
	purpose rules.Purpose
}

// samples are reports of every verdict and of every way in which the law reads them.
func samples(t testing.TB) []sample {
	j := signtest.NewJPKI(t)
	good := detached(t, j.Sign)
	auth := detached(t, j.Auth)
	foreign := detached(t, signtest.New(t).RSA)
	trusting := policy(j)
	trusting.Anchors, trusting.AnyKind = append(trusting.Anchors, signtest.New(t).Root.Certificate), true
	revoked, unknown, none := policy(j), policy(j), policy(j)
	revoked.Revocation = signtest.Status{Answer: cert.Status{State: cert.Revoked, Source: "crl", ThisUpdate: signtest.Now,
		RevokedAt: signtest.Now.Add(-time.Hour), Reason: "affiliationChanged"}}
	unknown.Revocation = signtest.Status{Answer: cert.Status{State: cert.Unknown, Source: "ocsp", Why: "no answer"}}
	none.AnchorsNone = true
	nobody := policy(j)
	nobody.Anchors = nil
	unchecked := policy(j)
	unchecked.Revocation = nil
	return []sample{
		{"passed", judged(t, good, content, policy(j)), rules.PurposeContract},
		{"passed for an account", judged(t, good, content, policy(j)), rules.PurposeAccount},
		{"passed without a purpose", judged(t, good, content, policy(j)), ""},
		{"passed for a login", judged(t, good, content, policy(j)), rules.PurposeLogin},
		{"passed outside JPKI", judged(t, foreign, content, trusting), rules.PurposeContract},
		{"passed outside JPKI for an account", judged(t, foreign, content, trusting), rules.PurposeAccount},
		{"changed", judged(t, good, content[1:], policy(j)), rules.PurposeContract},
		{"revoked", judged(t, good, content, revoked), rules.PurposeContract},
		{"authentication", judged(t, auth, content, policy(j)), rules.PurposeContract},
		{"status unknown", judged(t, good, content, unknown), ""},
		{"status not checked", judged(t, good, content, unchecked), ""},
		{"integrity only", judged(t, good, content, none), ""},
		{"integrity only, changed", judged(t, good, content[1:], none), ""},
		{"no anchors", judged(t, good, content, nobody), ""},
		{"no document", judged(t, good, nil, policy(j)), ""},
		{"malformed", judged(t, nil, nil, policy(j)), ""},
		{"unsupported", judged(t, []byte("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"), nil, policy(j)), ""},
	}
}

func policy(j *signtest.JPKI) signature.Policy {
	return signature.Policy{Anchors: []*x509.Certificate{j.SignCA.Certificate, j.AuthCA.Certificate}, At: signtest.Now, Revocation: signtest.Good()}
}

func detached(t testing.TB, who signtest.Identity) []byte {
	t.Helper()
	der, err := (&cms.Signer{Certificate: who.Certificate, Key: who.Key}).Detached(t.Context(), bytes.NewReader(content), signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func judged(t testing.TB, sig, content []byte, p signature.Policy) *signature.Report {
	t.Helper()
	in := signature.Input{Signature: sig}
	if content != nil {
		in.Content = bytes.NewReader(content)
	}
	r, err := signature.Verify(t.Context(), in, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func document(t testing.TB, s sample) *report.Document {
	t.Helper()
	d, err := report.New(s.report, s.purpose)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// own is what is Japanese in an English report as well: names, addresses, the letter of a method.
var own = strings.NewReplacer(signtest.Hanako.Name, "", signtest.Hanako.Address, "", "契約書.pdf", "", "カ", "")

func japanese(s string) string {
	for _, line := range strings.Split(own.Replace(s), "\n") {
		for _, r := range line {
			if r >= 0x3040 && r <= 0x9fff {
				return line
			}
		}
	}
	return ""
}

// Every rendering tells the same in the same order: the verdict first, the details at the end.
func TestRenderings(t *testing.T) {
	for _, s := range samples(t) {
		d := document(t, s).Of("契約書.pdf", content).Made("platform:1", signtest.Now)
		for _, lang := range []string{report.Japanese, report.English} {
			v := d.View(lang)
			text := d.Text(lang)
			page, err := d.HTML(lang)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(text, "\n"); first != v.Headline || first == "" {
				t.Errorf("%s in %s begins with %q", s.name, lang, first)
			}
			for form, got := range map[string]string{"text": text, "HTML": html.UnescapeString(string(page))} {
				at := 0
				for _, part := range append(append([]string{v.Headline, v.Labels.Meaning}, append(v.Meaning, v.Labels.Next)...), append(v.Next, v.Labels.Details)...) {
					next := strings.Index(got[at:], part)
					if next < 0 || part == "" {
						t.Fatalf("%s as %s in %s: %q is missing or not in its place", s.name, form, lang, part)
					}
					at += next
				}
				if line := japanese(got); lang == report.English && line != "" {
					t.Errorf("%s as %s: a line without English: %q", s.name, form, line)
				}
			}
			if lower := strings.ToLower(string(page)); strings.Contains(lower, "<script") || strings.Contains(lower, "http:") || strings.Contains(lower, "src=") || strings.Contains(lower, "@import") {
				t.Errorf("%s in %s: the page fetches or runs something", s.name, lang)
			}
			wellFilled(t, s.name+" in "+lang, v)
		}
	}
}

// wellFilled finds rows and headings that nothing was written into.
func wellFilled(t *testing.T, name string, v *report.View) {
	t.Helper()
	for _, parts := range [][]report.Part{v.Signed, v.Law, v.Details} {
		for _, p := range parts {
			if p.Heading == "" || len(p.Rows)+len(p.Items) == 0 {
				t.Errorf("%s: an empty part %+v", name, p)
			}
			for _, r := range p.Rows {
				if r.Label == "" || r.Value == "" || strings.Contains(r.Value, "%!") {
					t.Errorf("%s: an empty row %+v below %s", name, r, p.Heading)
				}
			}
			for _, item := range p.Items {
				if item == "" || strings.Contains(item, "%!") {
					t.Errorf("%s: an empty item below %s", name, p.Heading)
				}
			}
		}
	}
}

func TestNoRenderingShowsSerialNumbers(t *testing.T) {
	j := signtest.NewJPKI(t)
	serial := j.Sign.Certificate.SerialNumber
	d := document(t, sample{"", judged(t, detached(t, j.Sign), content, policy(j)), rules.PurposeContract})
	raw, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	page, err := d.HTML("ja")
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := d.PDF("ja")
	if err != nil {
		t.Fatal(err)
	}
	for form, got := range map[string][]byte{"text": []byte(d.Text("en")), "HTML": page, "JSON": raw, "PDF": pdf} {
		for _, number := range []string{serial.Text(16), serial.String()} {
			if bytes.Contains(bytes.ToLower(got), []byte(number)) {
				t.Errorf("the serial number stands in the %s", form)
			}
		}
	}
}

// What a certificate says is text: it moves no cursor, turns no direction and becomes no markup.
func TestACertificateCannotWriteTheReport(t *testing.T) {
	p := signtest.New(t)
	evil := signtest.NewIdentity(t, p.Root, 256, func(c *x509.Certificate) {
		c.Subject.CommonName = "a\x1b[2J\u202Eb<script>alert(1)</script>\nValid. You can accept this signature."
	})
	none := policy(signtest.NewJPKI(t))
	none.AnchorsNone = true
	d := document(t, sample{"", judged(t, detached(t, evil), content, none), ""})
	page, err := d.HTML("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{d.Text("en"), string(page)} {
		for _, bad := range []string{"\x1b", "\u202e", "\nValid. You", "<script"} {
			if strings.Contains(got, bad) && !(bad == "<script" && got == d.Text("en")) {
				t.Errorf("%q reaches the reader", bad)
			}
		}
	}
}

func TestAReportLiesInItsPDF(t *testing.T) {
	for _, s := range samples(t)[:8] {
		d := document(t, s).Of("契約書.pdf", content).Made("platform:1", signtest.Now)
		want, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range []string{"ja", "en"} {
			pdf, err := d.PDF(lang)
			if err != nil {
				t.Fatal(err)
			}
			again, err := d.PDF(lang)
			if err != nil || !bytes.Equal(pdf, again) {
				t.Errorf("%s in %s: drawn twice, it differs (%v)", s.name, lang, err)
			}
			inside, err := report.Attached(pdf)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := inside.JSON(); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s in %s: another report inside: %v", s.name, lang, err)
			}
		}
	}
	for _, raw := range [][]byte{nil, []byte("%PDF-1.7"), []byte("<< /Type /EmbeddedFile /Subtype /application#2Fjson /Length 2 >>\nstream\n{}")} {
		if _, err := report.Attached(raw); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("a report in %q: %v", raw, err)
		}
	}
}

// Others read the PDF: it is whole, it has its attachment, and what it shows can be copied out.
func TestOthersReadThePDF(t *testing.T) {
	for _, s := range samples(t)[:1] {
		for _, lang := range []string{"ja", "en"} {
			d := document(t, s)
			pdf, err := d.PDF(lang)
			if err != nil {
				t.Fatal(err)
			}
			path := signtest.Write(t, "report.pdf", pdf)
			if out, err := signtest.Judge(t, "qpdf", "--check", path); err != nil {
				t.Errorf("qpdf: %v\n%s", err, out)
			}
			out, err := signtest.Judge(t, "pdftotext", path, "-")
			if v := d.View(lang); err != nil || !strings.Contains(out, v.Headline) || !strings.Contains(out, v.Next[1][:20]) {
				t.Errorf("pdftotext: %v\n%s", err, out)
			}
			if out, err := signtest.Judge(t, "pdfdetach", "-list", path); err != nil || !strings.Contains(out, report.Attachment) {
				t.Errorf("pdfdetach: %v\n%s", err, out)
			}
		}
	}
}

// The page is read by people on telephones, on paper and by ear.
func TestThePageInABrowser(t *testing.T) {
	dir := t.TempDir()
	pick := map[string]bool{"passed for an account": true, "changed": true, "status unknown": true}
	for _, lang := range []string{"ja", "en"} {
		b := webtest.New(t, lang, 1280)
		for _, s := range samples(t) {
			if !pick[s.name] {
				continue
			}
			d := document(t, s).Of("契約書.pdf", content).Made("platform:1", signtest.Now)
			raw, err := d.HTML(lang)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "report.html")
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			b.Resize(1280)
			b.Open("file://" + path)
			v := d.View(lang)
			b.See(v.Headline, v.Next[0], v.Signed[0].Rows[0].Value)
			b.NotSee(v.Details[0].Rows[0].Label + v.Details[0].Rows[0].Value)
			b.Axe()
			b.FitsWidth(360)
			b.Shots("report-" + strings.ReplaceAll(s.name, " ", "-") + "-" + lang)
			b.Click(v.Labels.Details)
			b.See(v.Details[0].Rows[0].Value)
			b.Axe()
		}
	}
}
