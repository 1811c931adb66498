package contents_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/card/contents"
)

// openssl verifies what is signed with one digest, and takes the three digests out of a face's
// signature.
func TestOpenSSLReadsTheSignatures(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("JUDGE MISSING: openssl is not installed (make judges)")
		}
		t.Skip("################ JUDGE MISSING: openssl is not installed (make judges); SKIPPED ################")
	}
	s := newSample(t)
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	spki := func(key *rsa.PublicKey) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return file("key.der", der)
	}
	accepts := func(key *rsa.PublicKey, signed, signature []byte) bool {
		return exec.Command(openssl, "dgst", "-sha256", "-keyform", "DER", "-verify", spki(key), "-signature", file("sig", signature), file("signed", signed)).Run() == nil
	}
	for name, c := range map[string]struct {
		key               *rsa.PublicKey
		signed, signature []byte
	}{
		"EF 0003":     {&s.issuer.PublicKey, s.authentic[5 : 5+70], s.authentic[len(s.authentic)-256:]},
		"EF 0007":     {&s.issuer.PublicKey, s.ownEF[5 : 5+270], s.ownEF[len(s.ownEF)-256:]},
		"certificate": {&s.root.PublicKey, s.cvc[10 : 10+297], s.cvc[len(s.cvc)-256:]},
		"age":         {&s.issuer.PublicKey, s.ageEF[5 : 5+281], s.ageEF[len(s.ageEF)-256:]},
	} {
		if !accepts(c.key, c.signed, c.signature) {
			t.Errorf("%s: openssl refuses the signature", name)
		}
		spoiled := bytes.Clone(c.signed)
		spoiled[0] ^= 1
		if accepts(c.key, spoiled, c.signature) {
			t.Errorf("%s: openssl accepts it over other bytes", name)
		}
	}
	tbs, err := contents.FaceToSign(s.face)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := contents.Sign(s.issuer, tbs)
	if err != nil {
		t.Fatal(err)
	}
	info, err := exec.Command(openssl, "pkeyutl", "-verifyrecover", "-pubin", "-keyform", "DER", "-inkey", spki(&s.issuer.PublicKey), "-in", file("sig", signature)).Output()
	photo := sha256.Sum256(append([]byte{0xDF, 0x27, 0x82, byte(len(s.face.Photo) >> 8), byte(len(s.face.Photo))}, s.face.Photo...))
	if err != nil || len(info) != 19+96 || !bytes.Equal(info[len(info)-32:], photo[:]) {
		t.Errorf("the face's signature holds %x, %v", info, err)
	}
}
