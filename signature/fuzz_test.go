package signature_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// seeds is a folder of signatures over document and of the authority's certificate. They are files
// because the processes of a fuzz run must agree on the keys. TestSeeds -update makes them anew.
const seeds = "testdata/seeds"

func TestSeeds(t *testing.T) {
	j := signtest.NewJPKI(t)
	if *update {
		ber := opensslSign(t, j.Sign, document, j.P384)
		for name, data := range map[string][]byte{
			"authority.cer": j.SignCA.Certificate.Raw, "several.p7s": ber, "rsa.p7s": detached(t, j.Sign),
			"p384.p7s": detached(t, j.P384, j.SignCA.Certificate), "auth.p7s": detached(t, j.Auth),
			"direct.p7s": directCMS(t, j.Sign.Certificate, make([]byte, 256)),
		} {
			if err := os.WriteFile(filepath.Join(seeds, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	anchor := seedAuthority(t)
	for name, want := range map[string]signature.Verdict{"several": "TOTAL-PASSED", "rsa": "TOTAL-PASSED", "p384": "TOTAL-PASSED", "auth": "TOTAL-FAILED", "direct": "TOTAL-FAILED"} {
		p := signature.Policy{Anchors: []*x509.Certificate{anchor}, At: signtest.Now, Revocation: signtest.Good()}
		if r := report(t, seed(t, name), document, p); r.Verdict != want {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
}

func seed(t testing.TB, name string) []byte {
	t.Helper()
	der, err := os.ReadFile(filepath.Join(seeds, name+".p7s"))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func seedAuthority(t testing.TB) *x509.Certificate {
	t.Helper()
	der, err := os.ReadFile(filepath.Join(seeds, "authority.cer"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzVerify feeds anything as the signature of one document. Nothing may panic, and what passes must
// cover exactly that document.
func FuzzVerify(f *testing.F) {
	for _, name := range []string{"rsa", "p384", "several", "auth", "direct"} {
		f.Add(seed(f, name))
	}
	p := signature.Policy{Anchors: []*x509.Certificate{seedAuthority(f)}, At: signtest.Now, Revocation: signtest.Good()}
	f.Add([]byte{0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80, 0, 0, 0, 0})
	short, long := sha256.Sum256(document), sha512.Sum384(document)
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := signature.Verify(context.Background(), signature.Input{Signature: der, Content: bytes.NewReader(document)}, p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Reason == "" || len(r.Reasons) == 0 {
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
