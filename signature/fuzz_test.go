package signature_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"testing"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// FuzzVerify feeds anything as the signature of one document. Nothing may panic, and what passes must
// cover exactly that document.
func FuzzVerify(f *testing.F) {
	j := signtest.NewJPKI(f)
	f.Add(detached(f, j.Sign))
	f.Add(detached(f, j.P384, j.SignCA.Certificate))
	f.Add(detached(f, j.Auth))
	f.Add(directCMS(f, j.Sign.Certificate, make([]byte, 256)))
	f.Add(opensslSign(f, j.Sign, document, j.P384))
	f.Add([]byte{0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80, 0, 0, 0, 0})
	short, long := sha256.Sum256(document), sha512.Sum384(document)
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := signature.Verify(context.Background(), signature.Input{Signature: der, Content: bytes.NewReader(document)}, policy(j))
		if err != nil {
			t.Fatal(err)
		}
		if r.Text("ja") == "" || len(r.Reasons) == 0 {
			t.Fatal("a report says nothing")
		}
		if r.Verdict != signature.Passed {
			return
		}
		for _, s := range r.Signatures {
			if s.Covers.Digest != hex.EncodeToString(short[:]) && s.Covers.Digest != hex.EncodeToString(long[:]) {
				t.Fatalf("passed, and covers %+v", s.Covers)
			}
		}
	})
}
