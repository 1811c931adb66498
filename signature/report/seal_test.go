package report_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

func sealer(t *testing.T) *report.Sealer {
	t.Helper()
	s, text, err := report.NewSealer("platform:1", signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := report.ReadSealer(text)
	if err != nil || !again.Certificate.Equal(s.Certificate) || len(again.Others) != 1 {
		t.Fatalf("read again: %v", err)
	}
	return s
}

// The sealed report is evidence: its signature holds, its time is proven, nothing may be added, and the
// report inside is the one that was made.
func TestASealedReport(t *testing.T) {
	tsa, s := signtest.NewTSA(t), sealer(t)
	s.Stamper = func(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
		q, err := tsp.NewRequest(h, digest, nil)
		if err != nil {
			return nil, err
		}
		return tsa.Issuer().Token(ctx, q, big.NewInt(7), signtest.Now)
	}
	d := document(t, samples(t)[0]).Of("契約書.pdf", content).Made("platform:1", signtest.Now)
	sealed, err := d.SealedPDF(t.Context(), "ja", s, signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	p := signature.Policy{At: signtest.Now, Anchors: []*x509.Certificate{s.Others[0]}, TimeAnchors: []*x509.Certificate{tsa.Root.Certificate}, AnyKind: true, Revocation: signtest.Good()}
	r, err := signature.Verify(t.Context(), signature.Input{Signature: sealed}, p)
	if err != nil || r.Verdict != signature.Passed || r.Format != signature.FormatPAdES || r.Signatures[0].Coverage != signature.Whole || r.Signatures[0].Level != "B-T" ||
		r.Signatures[0].SigningTime.Proof != "timestamp" || r.Signatures[0].PDF.Certification != 1 {
		t.Fatalf("%v, %s %s: %+v", err, r.Verdict, r.SubIndication, r.Signatures)
	}
	inside, err := report.Attached(sealed)
	if err != nil || inside.Legal.Action != d.Legal.Action || inside.File.SHA256 != d.File.SHA256 {
		t.Errorf("inside: %+v, %v", inside, err)
	}
	for name, spoilt := range map[string][]byte{"another verdict inside": bytes.Replace(sealed, []byte(`"verdict": "TOTAL-PASSED"`), []byte(`"verdict": "TOTAL-FAILED"`), 1),
		"something behind the end": append(bytes.Clone(sealed), "\n% more\n"...)} {
		r, err := signature.Verify(t.Context(), signature.Input{Signature: spoilt}, p)
		if err != nil || r.Verdict == signature.Passed {
			t.Errorf("%s: %v, %s", name, err, r.Verdict)
		}
	}
	path := signtest.Write(t, "report.pdf", sealed)
	if out, err := signtest.Judge(t, "pdfsig", "-nocert", path); err != nil || !strings.Contains(out, "Signature is Valid") || !strings.Contains(out, "Total document signed") {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
	if out, err := signtest.Judge(t, "qpdf", "--check", path); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
}

func TestWhatSealsNoReport(t *testing.T) {
	_, text, err := report.NewSealer("platform:1", signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := report.NewSealer("platform:2", signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	j := signtest.NewJPKI(t)
	raw, err := x509.MarshalPKCS8PrivateKey(j.Auth.Key)
	if err != nil {
		t.Fatal(err)
	}
	login := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: j.Auth.Certificate.Raw})...)
	certificates := bytes.Index(text, []byte("-----BEGIN CERTIFICATE"))
	for name, c := range map[string]struct {
		text []byte
		want jitsuin.Kind
	}{
		"nothing": {nil, jitsuin.Invalid}, "no key": {text[certificates:], jitsuin.Invalid}, "no certificate": {text[:certificates], jitsuin.Invalid},
		"two keys": {append(bytes.Clone(text), other...), jitsuin.Invalid}, "another's certificate": {append(bytes.Clone(text[:certificates]), other[bytes.Index(other, []byte("-----BEGIN CERTIFICATE")):]...), jitsuin.Invalid},
		"a broken key": {bytes.Replace(text, []byte("-----BEGIN PRIVATE KEY-----\nM"), []byte("-----BEGIN PRIVATE KEY-----\nA"), 1), jitsuin.Invalid},
		"a login key":  {login, jitsuin.Denied},
	} {
		if s, err := report.ReadSealer(c.text); jitsuin.KindOf(err) != c.want || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := sealer(t)
	s.Key = signtest.New(t).P384.Key
	d := document(t, samples(t)[0])
	if _, err := d.SealedPDF(t.Context(), "en", s, signtest.Now.Add(time.Hour)); err == nil {
		t.Error("a key seals under another's certificate")
	}
}
