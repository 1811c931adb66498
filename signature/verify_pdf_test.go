package signature_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// judgePDF reports on a file with trust left out.
func judgePDF(t testing.TB, b []byte) *signature.Report {
	t.Helper()
	r, err := signature.Verify(context.Background(), signature.Input{Signature: b}, signature.Policy{AnchorsNone: true, At: signtest.Now, AnyKind: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rent is a contract of one page that somebody signed.
func rent(t testing.TB) *pdftest.File {
	t.Helper()
	f := pdftest.Simple(pdftest.Table, "The rent is 80,000 yen.")
	f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "Tenant", Keys: "/Reason(I agree)"})
	return f
}

func TestPDFWhole(t *testing.T) {
	r := judgePDF(t, rent(t).Bytes)
	if len(r.Signatures) != 1 || r.ExitCode() != signature.ExitPassed || r.Format != signature.FormatPAdES {
		t.Fatalf("%s %s: %+v", r.Verdict, r.Format, r.Signatures)
	}
	s := r.Signatures[0]
	if s.Coverage != signature.Whole || s.ModifiedAfter || s.Name != "Tenant" || s.Level != "B-B" || s.PDF.Reason != "I agree" ||
		s.PDF.Revision != 2 || s.PDF.Revisions != 2 {
		t.Errorf("%+v %+v", s, s.PDF)
	}
}

func TestPDFChangedAfterwards(t *testing.T) {
	f := rent(t)
	f.Update(pdftest.Update{Objects: map[int]string{pdftest.Content: pdftest.StreamOf("", "BT /F1 12 Tf 72 770 Td (The rent is 8,000 yen.) Tj ET")}})
	r := judgePDF(t, f.Bytes)
	s := r.Signatures[0]
	if r.Verdict != signature.Failed || r.Integrity != signature.Broken || r.ExitCode() != signature.ExitFailed ||
		!s.ModifiedAfter || s.Modification != signature.Forbidden || s.Coverage != signature.Revision {
		t.Fatalf("%s %s %+v", r.Verdict, r.Integrity, s)
	}
}

func TestPDFWithoutSignature(t *testing.T) {
	r := judgePDF(t, pdftest.Simple(pdftest.Stream, "The rent is 80,000 yen.").Bytes)
	if r.Verdict != signature.Failed || r.Reasons[0].Code != "no-signature" {
		t.Fatalf("%s %+v", r.Verdict, r.Reasons)
	}
}

func TestPDFSignedBySeveral(t *testing.T) {
	f := rent(t)
	f.Sign(t, signtest.New(t).Other, pdftest.Sig{Field: "Landlord", SubFilter: "adbe.pkcs7.detached", Style: pdftest.Table})
	r := judgePDF(t, f.Bytes)
	if len(r.Signatures) != 2 || r.ExitCode() != signature.ExitPassed || r.Signatures[0].Modification != signature.Allowed {
		t.Fatalf("%s %+v", r.Verdict, r.Signatures)
	}
}

// addStore adds a document security store with a certificate and a revocation list.
func addStore(f *pdftest.File, certificate, list []byte) {
	n := f.Next
	f.Update(pdftest.Update{Style: pdftest.Stream, Objects: map[int]string{
		pdftest.Catalog: strings.TrimSuffix(f.Bodies[pdftest.Catalog], ">>") + fmt.Sprintf("/DSS<</Certs[%d 0 R]/CRLs[%d 0 R]>>>>", n, n+1),
		n:               pdftest.Deflated("", string(certificate)), n + 1: pdftest.StreamOf("", string(list))}})
}

func stampDocument(t *testing.T, f *pdftest.File, at time.Time) {
	t.Helper()
	f.Sign(t, signtest.Identity{}, pdftest.Sig{SubFilter: "ETSI.RFC3161", Style: pdftest.Packed, Room: 6000,
		Value: func(covered []byte) []byte { return signtest.NewTSA(t).Stamp(t, covered, at) }})
}

// The levels of PAdES, each with the parts that make it up.
func TestPAdESLevels(t *testing.T) {
	p, a := signtest.New(t), signtest.NewTSA(t)
	at := signtest.Now.Add(-time.Minute)
	policy := signature.Policy{Anchors: []*x509.Certificate{p.Root.Certificate, a.Root.Certificate}, At: signtest.Now, AnyKind: true, Revocation: signtest.Good()}
	f := rent(t)
	for _, step := range []struct {
		name, level string
		add         func()
		signatures  int
	}{
		{"signed", "B-B", func() {}, 1},
		{"with a document time-stamp", "B-T", func() { stampDocument(t, f, at) }, 2},
		{"with evidence", "B-LT", func() { addStore(f, p.Root.Certificate.Raw, []byte{0x30, 0}) }, 2},
		{"with a time-stamp over the evidence", "B-LTA", func() { stampDocument(t, f, at.Add(time.Second)) }, 3},
	} {
		step.add()
		r, err := signature.Verify(context.Background(), signature.Input{Signature: f.Bytes}, policy)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != signature.Passed || len(r.Signatures) != step.signatures || r.Signatures[0].Level != step.level {
			t.Fatalf("%s: %s, %d signatures, level %s: %v", step.name, r.Verdict, len(r.Signatures), r.Signatures[0].Level, r.Reasons)
		}
		for _, ts := range r.Signatures[0].Timestamps {
			if !ts.OK {
				t.Errorf("%s: %s", step.name, ts.Why)
			}
		}
	}
}

// SHA-1 forms can be read and are never more than indeterminate.
func TestPDFOldForms(t *testing.T) {
	p := signtest.New(t)
	embedded := func(b []byte) []byte {
		sum := sha1.Sum(b)
		s := &cms.Signer{Certificate: p.RSA.Certificate, Key: p.RSA.Key}
		der, err := s.Embedded(context.Background(), sum[:], signtest.Now)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	bare := func(b []byte) []byte {
		sum := sha1.Sum(b)
		value, err := p.RSA.Key.Sign(rand.Reader, sum[:], crypto.SHA1)
		if err != nil {
			t.Fatal(err)
		}
		der, err := asn1.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	cert := fmt.Sprintf("/Cert<%x>", p.RSA.Certificate.Raw)
	for _, c := range []struct {
		name string
		sig  pdftest.Sig
		good bool
	}{
		{"PKCS #7 over a digest", pdftest.Sig{SubFilter: "adbe.pkcs7.sha1", Value: embedded}, true},
		{"PKCS #7 over another digest", pdftest.Sig{SubFilter: "adbe.pkcs7.sha1", Value: func(b []byte) []byte { return embedded(b[1:]) }}, false},
		{"bare RSA", pdftest.Sig{SubFilter: "adbe.x509.rsa_sha1", Value: bare, Keys: cert}, true},
		{"bare RSA over something else", pdftest.Sig{SubFilter: "adbe.x509.rsa_sha1", Value: func(b []byte) []byte { return bare(b[1:]) }, Keys: cert}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := pdftest.Simple(pdftest.Table, "x")
			f.Sign(t, p.RSA, c.sig)
			r, err := signature.Verify(context.Background(), signature.Input{Signature: f.Bytes},
				signature.Policy{Anchors: []*x509.Certificate{p.Root.Certificate}, At: signtest.Now, AnyKind: true, Revocation: signtest.Good()})
			if err != nil {
				t.Fatal(err)
			}
			want := map[bool]signature.Verdict{true: signature.Indeterminate, false: signature.Failed}[c.good]
			if r.Verdict != want || c.good != (r.Integrity == signature.Intact) {
				t.Fatalf("%s %s: %v", r.Verdict, r.Integrity, failed(r))
			}
		})
	}
}

// What the generator makes convinces programs that we did not write, and they are shown what they miss.
func TestPDFJudges(t *testing.T) {
	f := contract(t, pdftest.Sig{})
	f.Sign(t, signtest.New(t).Other, pdftest.Sig{Existing: pdftest.Landlord, SubFilter: "adbe.pkcs7.detached", Style: pdftest.Packed})
	allowed(t, judgePDF(t, f.Bytes))
	path := signtest.Write(t, "signed.pdf", f.Bytes)
	if out, err := signtest.Judge(t, "qpdf", "--check", path); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	out, err := signtest.Judge(t, "pdfsig", "-nocert", path)
	if err != nil || strings.Count(out, "Signature is Valid") != 2 {
		t.Errorf("pdfsig: %v\n%s", err, out)
	}
	broken := bytes.Replace(f.Bytes, []byte("80,000 yen"), []byte("80,001 yen"), 1)
	refused(t, judgePDF(t, broken), "message-digest")
	if out, _ := signtest.Judge(t, "pdfsig", "-nocert", signtest.Write(t, "broken.pdf", broken)); strings.Contains(out, "Signature is Valid") {
		t.Errorf("pdfsig accepts what was changed\n%s", out)
	}
}

// A signature that no field has is reported and is none; one that was replaced is no part of the document.
func TestPDFOrphans(t *testing.T) {
	f := rent(t)
	f.Update(pdftest.Update{Objects: map[int]string{pdftest.Catalog: "<</Type/Catalog/Pages 2 0 R>>"}})
	refused(t, judgePDF(t, f.Bytes), "pdf-orphan")

	g := pdftest.Simple(pdftest.Table, "x")
	g.Update(pdftest.Update{Objects: map[int]string{pdftest.Info: pdftest.StreamOf("", "<</ByteRange[0 1 2 3]/Contents<00>>>")}})
	g.Sign(t, signtest.New(t).RSA, pdftest.Sig{Style: pdftest.Table})
	if r := judgePDF(t, g.Bytes); r.ExitCode() != signature.ExitPassed || len(r.Signatures) != 1 {
		t.Errorf("bytes inside a stream were taken for a signature: %v", failed(r))
	}
}
