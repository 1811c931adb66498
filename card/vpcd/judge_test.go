package vpcd_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// tools are OpenSC's and openssl's.
var tools = []string{"opensc-tool", "pkcs15-tool", "pkcs11-tool", "openssl"}

func start(t *testing.T) *pcscdtest.PCSCD {
	t.Helper()
	return pcscdtest.Start(t, tools...)
}

// insert puts a card into the first slot and waits until pcscd sees it.
func insert(p *pcscdtest.PCSCD, chip *card.Chip) (remove func()) {
	remove = p.Insert(0, reader.Local(chip))
	p.WaitFor("Yes", 1)
	return remove
}

// The card as OpenSC and openssl see it, tools that know nothing of us.
func TestOpenSCUsesTheCard(t *testing.T) {
	p := start(t)
	issued := cardtest.Issue(t)
	remove := insert(p, issued.Chip)

	if out := p.Run("opensc-tool", "-a"); !strings.Contains(strings.ToLower(out), "3b:e0:00:ff:81:31:fe:45:14") {
		t.Errorf("ATR: %s", out)
	}
	if out := p.Run("opensc-tool", "-n"); !strings.Contains(out, "jpki") {
		t.Errorf("OpenSC takes the card for: %s", out)
	}
	dump := p.Run("pkcs15-tool", "-D")
	for _, want := range []string{"User Authentication PIN", "Digital Signature PIN", "Tries left     : 3", "Tries left     : 5",
		"User Authentication Key", "Digital Signature Key", "User Authentication Certificate"} {
		if !strings.Contains(dump, want) {
			t.Errorf("pkcs15-tool -D does not show %q:\n%s", want, dump)
		}
	}
	block, _ := pem.Decode([]byte(p.Run("pkcs15-tool", "--read-certificate", "01")))
	if block == nil || !bytes.Equal(block.Bytes, issued.Certificates[jitsuin.AuthCert].Raw) {
		t.Error("pkcs15-tool reads another authentication certificate")
	}
	p.Refused("pkcs15-tool", "--read-certificate", "02")
	out := p.Run("pkcs15-tool", "--auth-id", "02", "--verify-pin", "--pin", cardtest.SignPIN.Reveal(), "--read-certificate", "02")
	if block, _ = pem.Decode([]byte(out[max(0, strings.Index(out, "-----BEGIN")):])); block == nil ||
		!bytes.Equal(block.Bytes, issued.Certificates[jitsuin.SignCert].Raw) {
		t.Errorf("pkcs15-tool reads another signature certificate:\n%s", out)
	}

	signAndVerify(t, p, "0", "01", issued.Certificates[jitsuin.AuthCert], cardtest.AuthPIN)
	signAndVerify(t, p, "1", "02", issued.Certificates[jitsuin.SignCert], cardtest.SignPIN)

	remove()
	p.WaitFor("Yes", 0)
	insert(p, issued.Chip)()
}

// signAndVerify has the card sign through PKCS #11 and openssl verify, with each digest.
func signAndVerify(t *testing.T, p *pcscdtest.PCSCD, slot, id string, certificate *x509.Certificate, pin jitsuin.PIN) {
	t.Helper()
	public := p.Write("public.der", string(certificate.RawSubjectPublicKeyInfo))
	data := p.Write("data", "stamped by a card")
	altered := p.Write("altered", "stamped by a cord")
	for _, digest := range []string{"SHA1", "SHA256", "SHA384", "SHA512"} {
		signature := filepath.Join(p.Dir, "signature")
		p.Run("pkcs11-tool", "--module", "opensc-pkcs11.so", "--slot-index", slot, "--login", "--pin", pin.Reveal(), "--sign", "--id", id,
			"--mechanism", digest+"-RSA-PKCS", "-i", data, "-o", signature)
		verify := []string{"dgst", "-" + strings.ToLower(digest), "-keyform", "DER", "-verify", public, "-signature", signature}
		if out := p.Run("openssl", append(verify, data)...); !strings.Contains(out, "Verified OK") {
			t.Errorf("slot %s, %s: %s", slot, digest, out)
		}
		p.Refused("openssl", append(verify, altered)...)
	}
}

func TestOpenSCWithWrongAndBlockedPIN(t *testing.T) {
	p := start(t)
	issued := cardtest.Issue(t)
	defer insert(p, issued.Chip)()
	login := func(pin string) []string {
		return []string{"--module", "opensc-pkcs11.so", "--slot-index", "0", "--login", "--pin", pin, "-O"}
	}
	for left := 2; left >= 0; left-- {
		if out := p.Refused("pkcs11-tool", login("9999")...); !strings.Contains(out, "CKR_PIN_INCORRECT") {
			t.Errorf("a wrong PIN: %s", out)
		}
		if out := p.Run("pkcs15-tool", "--list-pins"); !strings.Contains(out, fmt.Sprintf("Tries left     : %d", left)) {
			t.Errorf("after a wrong PIN, %d should be left:\n%s", left, out)
		}
	}
	p.Refused("pkcs11-tool", login(cardtest.AuthPIN.Reveal())...)
	// The other PIN is not touched.
	p.Run("pkcs15-tool", "--auth-id", "02", "--verify-pin", "--pin", cardtest.SignPIN.Reveal())
}

// A card before its certificates, as that of a child has no signature certificate.
func TestOpenSCWithABlankCard(t *testing.T) {
	p := start(t)
	chip, err := card.New(&cardtest.Memory{}, cardtest.Issue(t).Blank())
	if err != nil {
		t.Fatal(err)
	}
	defer insert(p, chip)()
	if out := p.Run("pkcs15-tool", "--list-pins"); strings.Count(out, "Tries left     : 0") != 2 {
		t.Errorf("%s", out)
	}
	p.Refused("pkcs15-tool", "--read-certificate", "01")
}
