package signature_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// BenchmarkVerify100kB is the whole way: detached RSA-2048 CAdES over 100 kB, chain, status, report.
func BenchmarkVerify100kB(b *testing.B) {
	j := signtest.NewJPKI(b)
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000/16)
	s := signature.DocumentSigner{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	der, err := s.Detached(context.Background(), bytes.NewReader(content), signtest.Now)
	if err != nil {
		b.Fatal(err)
	}
	p := policy(j)
	b.ReportAllocs()
	for b.Loop() {
		r, err := signature.Verify(context.Background(), signature.Input{Signature: der, Content: bytes.NewReader(content)}, p)
		if err != nil || r.Verdict != signature.Passed {
			b.Fatal(err, r.Verdict)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
}

// BenchmarkLimit100kB is what no verifier in Go can go below: the digest and two RSA verifications.
func BenchmarkLimit100kB(b *testing.B) {
	j := signtest.NewJPKI(b)
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000/16)
	key := j.Sign.Certificate.PublicKey.(*rsa.PublicKey)
	sum := sha256.Sum256(content)
	value, err := j.Sign.Key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		sum := sha256.Sum256(content)
		for range 2 {
			if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], value); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
}

// BenchmarkSign100kB is dominated by the key's own signature; a card takes most of a second instead.
func BenchmarkSign100kB(b *testing.B) {
	j := signtest.NewJPKI(b)
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000/16)
	s := signature.DocumentSigner{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	for b.Loop() {
		if _, err := s.Detached(context.Background(), bytes.NewReader(content), signtest.Now); err != nil {
			b.Fatal(err)
		}
	}
}

// pdf100kB is a signed PDF of 100 kB, of one page, with a cross-reference of style.
func pdf100kB(t testing.TB, who signtest.Identity, style pdftest.Style) []byte {
	t.Helper()
	f := pdftest.Simple(style, strings.Repeat("0123456789abcdef", 88_000/16))
	f.Sign(t, who, pdftest.Sig{Field: "Tenant", Style: style})
	return f.Bytes
}

// BenchmarkVerifyPDF100kB is the whole way for a PDF: its frame, its form, the signature, chain, status, report.
func BenchmarkVerifyPDF100kB(b *testing.B) {
	j := signtest.NewJPKI(b)
	p := policy(j)
	for name, style := range map[string]pdftest.Style{"table": pdftest.Table, "stream": pdftest.Packed} {
		file := pdf100kB(b, j.Sign, style)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := signature.Verify(context.Background(), signature.Input{Signature: file}, p)
				if err != nil || r.Verdict != signature.Passed {
					b.Fatal(err, r.Verdict)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}
