package platform

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/cms"
)

// embedded makes a SignedData that embeds a document.
func embedded(t testing.TB, document []byte) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().AddDate(1, 0, 0)}
	raw, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	der, err := (&cms.Signer{Certificate: c, Key: key}).Embedded(t.Context(), document, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestCuttingTheDocumentOut(t *testing.T) {
	document := []byte("本文は保存しない")
	cut, err := withoutContent(embedded(t, document))
	if err != nil || bytes.Contains(cut, document) {
		t.Fatalf("%d bytes, %v", len(cut), err)
	}
	sd, err := cms.Parse(cut)
	if err != nil || sd.Embedded || len(sd.Signers) != 1 || len(sd.Certificates) != 1 {
		t.Fatalf("%+v, %v", sd, err)
	}
	d, err := sd.Digest(t.Context(), bytes.NewReader(document))
	if err != nil || !sd.Verify(sd.Signers[0], d, nil).Intact() {
		t.Errorf("the kept signature no longer fits: %v", err)
	}
	if d, err = sd.Digest(t.Context(), bytes.NewReader(document[1:])); err != nil || sd.Verify(sd.Signers[0], d, nil).Intact() {
		t.Errorf("it fits another document: %v", err)
	}
}

// Whatever comes in, what is cut is free of content or refused.
func FuzzWithoutContent(f *testing.F) {
	f.Add(embedded(f, []byte("document")))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		cut, err := withoutContent(der)
		if err != nil {
			return
		}
		if sd, err := cms.Parse(cut); err == nil && sd.Embedded {
			t.Error("the content is still there")
		}
	})
}
