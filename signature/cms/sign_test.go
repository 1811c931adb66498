package cms_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// A signature may leave its time out, and may be made where only the digest of the content is.
func TestSignaturesForPDF(t *testing.T) {
	p := signtest.New(t)
	s := &cms.Signer{Certificate: p.RSA.Certificate, Key: p.RSA.Key, OmitTime: true}
	content := []byte("the bytes that a PDF's ByteRange names")
	sum := sha256.Sum256(content)
	far, err := s.DetachedDigest(sum[:], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	near, err := s.Detached(t.Context(), bytes.NewReader(content), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(far, near) { // RSASSA-PKCS1-v1_5 draws nothing
		t.Error("the digest alone makes another signature than the content")
	}
	sd, err := cms.Parse(far)
	if err != nil {
		t.Fatal(err)
	}
	if _, present, _ := sd.Signers[0].SigningTime(); present || !sd.Signers[0].CAdES() {
		t.Errorf("signing-time %t, CAdES %t", present, sd.Signers[0].CAdES())
	}
	if _, err := s.DetachedDigest(sum[:31], time.Time{}); jitsuin.CodeOf(err) != "digest" || !strings.Contains(err.Error(), "32") {
		t.Errorf("a digest too short: %v", err)
	}
	s.OmitTime = false
	if _, err := s.DetachedDigest(sum[:], time.Time{}); jitsuin.CodeOf(err) != "signing-time" {
		t.Errorf("no time, and not left out: %v", err)
	}
}
