package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"io"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// apart is the other place: it has the key and sees a digest, or what is covered.
func apart(t testing.TB, who signtest.Identity) *cms.Signer {
	return &cms.Signer{Certificate: who.Certificate, Key: who.Key, OmitTime: true}
}

// Document and key may lie apart: only a digest goes there, and only the signature comes back.
func TestTwoSteps(t *testing.T) {
	j := signtest.NewJPKI(t)
	for h, who := range map[crypto.Hash]signtest.Identity{crypto.SHA256: j.Sign, crypto.SHA384: j.P384} {
		in := document(pdftest.Stream)
		p, err := pades.Prepare(in, options(), 4000)
		if err != nil {
			t.Fatal(err)
		}
		der, err := apart(t, who).DetachedDigest(p.Digest(h), now)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Finish(t.Context(), der)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(out, in) || len(signatures(t, out)) != 1 {
			t.Error("the document is not signed")
		}
		judges(t, out, 1)
		again, err := p.Finish(t.Context(), der)
		if err != nil || !bytes.Equal(again, out) {
			t.Error("finishing twice is not the same", err)
		}
	}
}

// What comes back from the other place is not believed.
func TestFinishRefuses(t *testing.T) {
	j := signtest.NewJPKI(t)
	p, err := pades.Prepare(document(pdftest.Table), options(), 6000)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(p.Covered())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(content []byte, change func(*cms.Signer)) []byte {
		s := apart(t, j.Sign)
		if change != nil {
			change(s)
		}
		der, err := s.Detached(t.Context(), bytes.NewReader(content), now)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	good := sign(whole, nil)
	embedded, err := apart(t, j.Sign).Embedded(t.Context(), whole, now)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1]++
	both, err := apart(t, j.P384).Add(t.Context(), good, bytes.NewReader(whole), now)
	if err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{
		"another document":   sign([]byte("another"), nil),
		"the file alone":     sign(document(pdftest.Table), nil),
		"one byte less":      sign(whole[:len(whole)-1], nil),
		"content inside":     embedded,
		"two signers":        both,
		"no certificate":     sign(whole, func(s *cms.Signer) { s.OmitCertificates = true }),
		"the time is signed": sign(whole, func(s *cms.Signer) { s.OmitTime = false }),
		"another type":       sign(whole, func(s *cms.Signer) { s.ContentType = []int{1, 2, 840, 113549, 1, 9, 16, 1, 4} }),
		"another value":      flipped,
	} {
		out, err := p.Finish(t.Context(), der)
		if got := code(t, out, err); got != "pdf-signature" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, der := range map[string][]byte{"nothing": nil, "no CMS": []byte("%PDF-1.7"), "half of it": good[:len(good)/2], "more than it": append(bytes.Clone(good), 0)} {
		if out, err := p.Finish(t.Context(), der); err == nil || out != nil {
			t.Errorf("%s is taken", name)
		}
	}
	if out, err := p.Finish(t.Context(), good); err != nil || len(signatures(t, out)) != 1 {
		t.Errorf("the good one: %v", err)
	}
}

// Where there is too little room, the error says how much is missing, and that much more is enough.
func TestRoom(t *testing.T) {
	s := apart(t, signtest.NewJPKI(t).Sign)
	in := document(pdftest.Table)
	for n := 1; n <= 2; n++ {
		p, err := pades.Prepare(in, options(), 500)
		if err != nil {
			t.Fatal(err)
		}
		der, err := s.DetachedDigest(p.Digest(crypto.SHA256), now)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Finish(t.Context(), der)
		if got := code(t, out, err); got != "pdf-room" || !strings.Contains(err.Error(), "octets, and there is room for 500: ") {
			t.Fatal(err)
		}
		if p, err = pades.Prepare(in, options(), len(der)); err != nil {
			t.Fatal(err)
		}
		if der, err = s.DetachedDigest(p.Digest(crypto.SHA256), now); err != nil {
			t.Fatal(err)
		}
		if out, err = p.Finish(t.Context(), der); err != nil || len(signatures(t, out)) != n {
			t.Fatal(err)
		}
		in = out
	}
}

// The estimate is enough for whatever is embedded, and not much too large.
func TestTheEstimate(t *testing.T) {
	j := signtest.NewJPKI(t)
	for _, s := range []*pades.Signer{
		{Certificate: j.Sign.Certificate, Key: j.Sign.Key},
		{Certificate: j.P384.Certificate, Key: j.P384.Key},
		{Certificate: j.Sign.Certificate, Key: j.Sign.Key, Others: []*x509.Certificate{j.SignCA.Certificate, j.AuthCA.Certificate}, Stamper: stamper(t, now)},
	} {
		out := mustSign(t, s, document(pdftest.Table), options())
		used := len(signatures(t, out)[0].Contents)
		if room := s.Room(); used > room || s.Stamper == nil && room > used+2000 {
			t.Errorf("estimated %d, used %d", room, used)
		}
	}
	small := &pades.Signer{Certificate: j.Sign.Certificate, Key: j.Sign.Key, Stamper: stamper(t, now), StampRoom: 10}
	out, err := small.Sign(t.Context(), document(pdftest.Table), options())
	if got := code(t, out, err); got != "pdf-room" {
		t.Errorf("a token without room: %v", err)
	}
	if out, err := pades.Archive(t.Context(), document(pdftest.Table), stamper(t, now), 100); code(t, out, err) != "pdf-room" {
		t.Errorf("a document time-stamp without room: %v", err)
	}
}

// A time-stamping authority is not believed either.
func TestArchiveRefuses(t *testing.T) {
	a := signtest.NewTSA(t)
	for name, by := range map[string]cms.Timestamper{
		"another document": func(context.Context, crypto.Hash, []byte) ([]byte, error) {
			return a.Stamp(t, []byte("another"), now), nil
		},
		"a signature": func(_ context.Context, _ crypto.Hash, sum []byte) ([]byte, error) {
			return apart(t, signtest.NewJPKI(t).Sign).DetachedDigest(sum, now)
		},
		"nothing": func(context.Context, crypto.Hash, []byte) ([]byte, error) { return nil, nil },
		"no answer": func(context.Context, crypto.Hash, []byte) ([]byte, error) {
			return nil, jitsuin.Errorf(jitsuin.Unavailable, "tsp-unreachable", "none")
		},
	} {
		if out, err := pades.Archive(t.Context(), document(pdftest.Table), by, 0); code(t, out, err) == "" {
			t.Errorf("%s: taken", name)
		}
		s := hanako(t)
		s.Stamper = by
		if out, err := s.Sign(t.Context(), document(pdftest.Table), options()); code(t, out, err) == "" {
			t.Errorf("%s on a signature: taken", name)
		}
	}
}

// Nothing is signed without a key that fits, and the key is not asked before everything else is in order.
func TestTheKeyComesLast(t *testing.T) {
	j := signtest.NewJPKI(t)
	asked := 0
	s := &pades.Signer{Certificate: j.Sign.Certificate, Key: counted{j.Sign.Key, &asked}}
	for _, in := range [][]byte{nil, []byte("%PDF-1.7"), document(pdftest.Table)[:400]} {
		if out, err := s.Sign(t.Context(), in, options()); err == nil || out != nil {
			t.Errorf("%q is signed", in)
		}
	}
	if _, err := s.Sign(t.Context(), document(pdftest.Table), pades.Options{}); jitsuin.CodeOf(err) != "pdf-options" || asked != 0 {
		t.Errorf("the key was asked %d times; %v", asked, err)
	}
	s.Key = j.P384.Key
	if out, err := s.Sign(t.Context(), document(pdftest.Table), options()); code(t, out, err) != "signing-key" {
		t.Error(err)
	}
	if out, err := (&pades.Signer{}).Sign(t.Context(), document(pdftest.Table), options()); code(t, out, err) != "signer" {
		t.Error(err)
	}
}

type counted struct {
	crypto.Signer
	n *int
}

func (c counted) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	*c.n++
	return c.Signer.Sign(r, digest, o)
}
