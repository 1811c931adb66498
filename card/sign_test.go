package card_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/cardtest"
)

// The six ways of COMPUTE DIGITAL SIGNATURE, verified by crypto/rsa.
func TestSignatureSchemes(t *testing.T) {
	issued := cardtest.Issue(t)
	chip := issued.Chip
	public := issued.Certificates[jitsuin.AuthCert].PublicKey.(*rsa.PublicKey)
	transmit(t, chip, selectJPKI)
	transmit(t, chip, "0020009804"+ascii("1234"))
	message := []byte("a message of a test")
	digest := sha256.Sum256(message)
	v15 := func(h crypto.Hash, signed []byte) func([]byte) error {
		return func(sig []byte) error { return rsa.VerifyPKCS1v15(public, h, signed, sig) }
	}
	pss := func(sig []byte) error {
		return rsa.VerifyPSS(public, crypto.SHA256, digest[:], sig, &rsa.PSSOptions{SaltLength: 32})
	}
	for _, c := range []struct {
		p1            int
		data          []byte
		verify        func([]byte) error
		deterministic bool
	}{
		{0, message, v15(0, message), true},
		{1, message, v15(0, digest[:]), true},
		{2, digest[:], v15(crypto.SHA256, digest[:]), true},
		{3, message, v15(crypto.SHA256, digest[:]), true},
		{4, digest[:], pss, false},
		{5, message, pss, false},
	} {
		command := fmt.Sprintf("802A%02X97%02X%x00", c.p1, len(c.data), c.data)
		first, sw := transmit(t, chip, command)
		second, _ := transmit(t, chip, command)
		signature, _ := hex.DecodeString(first)
		if sw != "9000" || len(signature) != 256 {
			t.Fatalf("P1 %02X: %s, %d bytes", c.p1, sw, len(signature))
		}
		if err := c.verify(signature); err != nil {
			t.Errorf("P1 %02X: %v", c.p1, err)
		}
		signature[200] ^= 1
		if c.verify(signature) == nil {
			t.Errorf("P1 %02X: an altered signature verifies", c.p1)
		}
		if (first == second) != c.deterministic {
			t.Errorf("P1 %02X: equal signatures %v, want %v", c.p1, first == second, c.deterministic)
		}
	}
}

// What COMPUTE DIGITAL SIGNATURE makes of an unfinished DigestInfo is signed as it is, and a
// verifier refuses it: observed of a client that leaves out the NULL parameter.
func TestVerbatimMeansVerbatim(t *testing.T) {
	issued := cardtest.Issue(t)
	transmit(t, issued.Chip, selectJPKI)
	transmit(t, issued.Chip, "0020009804"+ascii("1234"))
	digest := sha256.Sum256([]byte("x"))
	withoutNull := append([]byte("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"), digest[:]...)
	data, sw := transmit(t, issued.Chip, fmt.Sprintf("802A0097%02X%x00", len(withoutNull), withoutNull))
	if sw != "9000" {
		t.Fatal(sw)
	}
	signature, _ := hex.DecodeString(data)
	public := issued.Certificates[jitsuin.AuthCert].PublicKey.(*rsa.PublicKey)
	if rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil {
		t.Error("a DigestInfo without NULL was mended by the card")
	}
	if err := rsa.VerifyPKCS1v15(public, 0, withoutNull, signature); err != nil {
		t.Error(err)
	}
	if bytes.Equal(signature, make([]byte, 256)) {
		t.Error("empty signature")
	}
}
