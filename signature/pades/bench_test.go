package pades_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// large is a document of about 100 kB.
func large() []byte {
	f := pdftest.Simple(pdftest.Table, "a contract")
	f.Update(pdftest.Update{Objects: map[int]string{pdftest.Content: pdftest.StreamOf("", string(bytes.Repeat([]byte("0 0 m 1 1 l S\n"), 7000)))}})
	return f.Bytes
}

// BenchmarkSign signs a document of 100 kB; its limit is BenchmarkSignLimit.
func BenchmarkSign(b *testing.B) {
	s, in := hanako(b), large()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := s.Sign(b.Context(), in, options()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignLimit is what no signer can leave out: one SHA-256 of the document and one use of the key.
func BenchmarkSignLimit(b *testing.B) {
	key, in := signtest.NewJPKI(b).Sign.Key, large()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		sum := sha256.Sum256(in)
		if _, err := key.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}
