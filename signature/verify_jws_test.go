package signature_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/jws"
)

func compact(t *testing.T, who signtest.Identity) []byte {
	t.Helper()
	raw, err := (&jws.Signer{Certificate: who.Certificate, Key: who.Key}).Compact(document)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestJWS(t *testing.T) {
	j := signtest.NewJPKI(t)
	good := compact(t, j.Sign)
	changed := bytes.Replace(good, []byte("."), []byte(".AAAA"), 1)
	foreign := compact(t, signtest.New(t).RSA)
	both, err := jws.JSON(document, &jws.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}, &jws.Signer{Certificate: j.P384.Certificate, Key: j.P384.Key})
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := jws.JSON(document, &jws.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}, &jws.Signer{Certificate: j.Auth.Certificate, Key: j.Auth.Key})
	if err != nil {
		t.Fatal(err)
	}
	none := append([]byte("eyJhbGciOiJub25lIn0"), bytes.TrimLeft(good, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")...)
	for _, c := range []struct {
		name    string
		raw     []byte
		verdict signature.Verdict
		sub     signature.SubIndication
		n       int
	}{
		{"good", good, signature.Passed, "", 1}, {"on P-384", compact(t, j.P384), signature.Passed, "", 1}, {"two signatures", both, signature.Passed, "", 2},
		{"changed", changed, signature.Failed, signature.SigCryptoFailure, 1},
		{"with an authentication certificate", compact(t, j.Auth), signature.Failed, signature.ChainConstraints, 1},
		{"one of two with an authentication certificate", mixed, signature.Failed, signature.ChainConstraints, 2},
		{"of another country", foreign, signature.Indeterminate, signature.NoCertificateChain, 1},
		{"alg none", none, signature.Indeterminate, signature.CryptoConstraints, 1},
		{"two parts", good[:bytes.LastIndexByte(good, '.')], signature.Malformed, signature.FormatFailure, 0},
	} {
		r, err := signature.Verify(t.Context(), signature.Input{Signature: c.raw, Format: signature.FormatJWS}, policy(j))
		if err != nil || r.Verdict != c.verdict || r.SubIndication != c.sub || len(r.Signatures) != c.n {
			t.Errorf("%s: %v, %+v", c.name, err, r)
			continue
		}
		if sniffed := signature.FormatOf(c.raw); c.n > 0 && sniffed != signature.FormatJWS {
			t.Errorf("%s is taken for %s", c.name, sniffed)
		}
		if c.verdict == signature.Passed && (r.Format != signature.FormatJWS || r.Signatures[0].Items == nil || r.Signatures[0].Covers.Bytes != int64(len(document))) {
			t.Errorf("%s: %+v", c.name, r.Signatures[0])
		}
	}
}

func TestJWSOverADocumentBesideIt(t *testing.T) {
	j := signtest.NewJPKI(t)
	s := &jws.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	for _, unencoded := range []bool{false, true} {
		raw, err := s.Detached(context.Background(), bytes.NewReader(document), unencoded)
		if err != nil {
			t.Fatal(err)
		}
		for content, want := range map[string]signature.Verdict{string(document): signature.Passed, "another": signature.Failed, "": signature.Failed} {
			r, err := signature.Verify(t.Context(), signature.Input{Signature: raw, Content: bytes.NewReader([]byte(content))}, policy(j))
			if err != nil || r.Verdict != want {
				t.Errorf("unencoded %v over %q: %v, %+v", unencoded, content, err, r)
			}
		}
		r, err := signature.Verify(t.Context(), signature.Input{Signature: raw}, policy(j))
		if err != nil || r.SubIndication != signature.SignedDataNotFound {
			t.Errorf("without its document: %v, %+v", err, r)
		}
		if _, err := signature.Verify(t.Context(), signature.Input{Signature: raw, Digest: make([]byte, 32)}, policy(j)); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("with a digest in its place: %v", err)
		}
	}
}
