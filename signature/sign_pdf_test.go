package signature_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// stampAt is a time-stamping authority at an instant.
func stampAt(t testing.TB, at time.Time) func(context.Context, crypto.Hash, []byte) ([]byte, error) {
	return func(ctx context.Context, h crypto.Hash, sum []byte) ([]byte, error) {
		q, err := tsp.NewRequest(h, sum, nil)
		if err != nil {
			return nil, err
		}
		return signtest.NewTSA(t).Issuer().Token(ctx, q, big.NewInt(at.Unix()), at)
	}
}

// What we sign passes our own verifier at every level, and is told by its level; a changed byte fails each.
func TestOurPDFsPassAtEveryLevel(t *testing.T) {
	j, tsa := signtest.NewJPKI(t), signtest.NewTSA(t)
	now := signtest.Now
	sign := func(in []byte, o pades.Options, stamped bool) []byte {
		d := signature.DocumentSigner{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
		o.At, o.Name = now, signtest.Hanako.Name
		var by func(context.Context, crypto.Hash, []byte) ([]byte, error)
		if stamped {
			by = stampAt(t, now)
		}
		out, err := d.PDF(t.Context(), in, o, by)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plain := pdftest.Simple(pdftest.Packed, "a contract").Bytes
	list := cert.CRLTemplate{Issuer: tsa.Root.Certificate, Number: 1, ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}
	crl, err := list.Build(t.Context(), func(func(cert.CRLEntry) bool) {}, func(_ context.Context, tbs []byte) ([]byte, error) {
		return certtest.SignTBS(tsa.Root.Key, tbs)
	})
	if err != nil {
		t.Fatal(err)
	}
	timed := sign(plain, pades.Options{}, true)
	kept, err := pades.Preserve(timed, now, pades.Evidence{Field: "Signature1", Certificates: []*x509.Certificate{j.SignCA.Certificate, tsa.Root.Certificate}, CRLs: [][]byte{crl}})
	if err != nil {
		t.Fatal(err)
	}
	archived, err := pades.Archive(t.Context(), kept, stampAt(t, now.Add(time.Minute)), 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		document []byte
		level    string
		n        int
	}{
		"B-B":                   {sign(plain, pades.Options{}, false), "B-B", 1},
		"adbe.pkcs7.detached":   {sign(plain, pades.Options{Form: pades.PKCS7}, false), "", 1},
		"certified":             {sign(plain, pades.Options{Certify: pades.FormsAndSigns}, false), "B-B", 1},
		"certified, and signed": {sign(sign(plain, pades.Options{Certify: pades.FormsAndSigns}, false), pades.Options{}, false), "B-B", 2},
		"locked":                {sign(plain, pades.Options{Lock: &pades.Lock{Action: "All"}}, false), "B-B", 1},
		"B-T":                   {timed, "B-T", 1},
		"B-LT":                  {kept, "B-LT", 1},
		"B-LTA":                 {archived, "B-LTA", 1},
		"signed twice":          {sign(timed, pades.Options{}, true), "B-T", 2},
	} {
		t.Run(name, func(t *testing.T) {
			policy := signature.Policy{Anchors: []*x509.Certificate{j.SignCA.Certificate}, TimeAnchors: []*x509.Certificate{tsa.Root.Certificate}, At: now.Add(time.Hour),
				Kind: jitsuin.SignCert, Revocation: fresh(now.Add(time.Hour))}
			r, err := signature.Verify(t.Context(), signature.Input{Signature: c.document}, policy)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != signature.Passed || len(r.Signatures) < c.n || c.level != "" && r.Signatures[0].Level != c.level {
				t.Fatalf("%s %s %+v, level %q of %d signatures", r.Verdict, r.SubIndication, r.Reasons, r.Signatures[0].Level, len(r.Signatures))
			}
			bad := append([]byte{}, c.document...)
			bad[len(plain)/2] ^= 1
			if r, err = signature.Verify(t.Context(), signature.Input{Signature: bad}, policy); err != nil || r.Verdict == signature.Passed {
				t.Errorf("a changed byte: %s %v", r.Verdict, err)
			}
		})
	}
}

// fresh is status that says good at an instant.
func fresh(at time.Time) signtest.Status {
	return signtest.Status{Answer: cert.Status{State: cert.Good, Source: cert.SourceOCSP, ThisUpdate: at.Add(-time.Minute), NextUpdate: at.Add(time.Minute)}}
}

// A certificate for user authentication signs no PDF either.
func TestAuthenticationSignsNoPDF(t *testing.T) {
	j := signtest.NewJPKI(t)
	d := signature.DocumentSigner{Certificate: j.Auth.Certificate, Key: j.Auth.Key}
	out, err := d.PDF(t.Context(), pdftest.Simple(pdftest.Table, "x").Bytes, pades.Options{At: signtest.Now}, nil)
	if out != nil || jitsuin.CodeOf(err) != "wrong-kind" {
		t.Error(err)
	}
}
