package signature_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// TestATimeStampIsNobodysSignature: a PDF that anybody had stamped is not a signed PDF, wherever else its
// time-stamps are good.
func TestATimeStampIsNobodysSignature(t *testing.T) {
	a, j := signtest.NewTSA(t), signtest.NewJPKI(t)
	stamp := func(ctx context.Context, h crypto.Hash, sum []byte) ([]byte, error) {
		q, err := tsp.NewRequest(h, sum, nil)
		if err != nil {
			return nil, err
		}
		return a.Issuer().Token(ctx, q, big.NewInt(1), signtest.Now)
	}
	stamped := func(document []byte) []byte {
		t.Helper()
		out, err := pades.Archive(t.Context(), document, stamp, pades.DefaultStampRoom)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	signed := func(document []byte) []byte {
		t.Helper()
		s := pades.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
		out, err := s.Sign(t.Context(), document, pades.Options{At: signtest.Now})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plain := pdftest.Simple(pdftest.Packed, "a contract").Bytes
	p := signature.Policy{Anchors: []*x509.Certificate{j.SignCA.Certificate}, TimeAnchors: []*x509.Certificate{a.Root.Certificate},
		At: signtest.Now, Revocation: signtest.Good()}
	for _, c := range []struct {
		name     string
		document []byte
		want     signature.Verdict
		format   signature.Format
	}{
		{"stamped", stamped(plain), signature.Indeterminate, signature.FormatTST},
		{"stamped twice", stamped(stamped(plain)), signature.Indeterminate, signature.FormatTST},
		{"signed", signed(plain), signature.Passed, signature.FormatPAdES},
		{"signed and stamped", stamped(signed(plain)), signature.Passed, signature.FormatPAdES},
		{"stamped and signed", signed(stamped(plain)), signature.Passed, signature.FormatPAdES},
	} {
		r, err := signature.Verify(t.Context(), signature.Input{Signature: c.document}, p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != c.want || r.Format != c.format {
			t.Errorf("%s: %s of the format %s: %s", c.name, r.Verdict, r.Format, r.Reason)
		}
		if c.want == signature.Indeterminate && (r.Reasons[0].Code != "only-stamps" || r.Integrity != signature.Intact) {
			t.Errorf("%s: %s, integrity %s", c.name, r.Reason, r.Integrity)
		}
	}
}
