package vpcd_test

import (
	"bytes"
	"crypto/sha256"
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
	readsAllCertificates(t, p, issued)
	objects := p.Run("pkcs11-tool", "--module", "opensc-pkcs11.so", "-O")
	for _, want := range []string{"User Authentication Public Key", "User Authentication Certificate", "Digital Signature Certificate CA", "JPKI-TEST"} {
		if !strings.Contains(objects, want) {
			t.Errorf("pkcs11-tool -O does not show %q:\n%s", want, objects)
		}
	}

	signAndVerify(t, p, "0", "01", issued.Certificates[jitsuin.AuthCert], cardtest.AuthPIN)
	signAndVerify(t, p, "1", "02", issued.Certificates[jitsuin.SignCert], cardtest.SignPIN)

	remove()
	p.WaitFor("Yes", 0)
	insert(p, issued.Chip)()
}

// readsAllCertificates reads the four certificates of a card; that for signatures needs its password.
func readsAllCertificates(t *testing.T, p *pcscdtest.PCSCD, issued *cardtest.Issued) {
	t.Helper()
	sign := []string{"--auth-id", "02", "--verify-pin", "--pin", cardtest.SignPIN.Reveal()}
	for id, want := range map[string][]byte{"01": issued.Certificates[jitsuin.AuthCert].Raw, "02": issued.Certificates[jitsuin.SignCert].Raw, "03": issued.CA.Raw, "04": issued.CA.Raw} {
		args := []string{"--read-certificate", id}
		if id == "02" {
			p.Refused("pkcs15-tool", args...)
			args = append(sign, args...)
		}
		out := p.Run("pkcs15-tool", args...)
		if block, _ := pem.Decode([]byte(out[max(0, strings.Index(out, "-----BEGIN")):])); block == nil || !bytes.Equal(block.Bytes, want) {
			t.Errorf("pkcs15-tool reads another certificate %s:\n%s", id, out)
		}
	}
}

// digestInfo is what CKM_RSA_PKCS is given for SHA-256.
const digestInfo = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// signAndVerify has the card sign through PKCS #11 and openssl verify, with each digest, and with a
// DigestInfo that the caller made.
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
	digest := sha256.Sum256([]byte("stamped by a card"))
	signature := filepath.Join(p.Dir, "signature")
	p.Run("pkcs11-tool", "--module", "opensc-pkcs11.so", "--slot-index", slot, "--login", "--pin", pin.Reveal(), "--sign", "--id", id,
		"--mechanism", "RSA-PKCS", "-i", p.Write("info", digestInfo+string(digest[:])), "-o", signature)
	if out := p.Run("openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", public, "-signature", signature, data); !strings.Contains(out, "Verified OK") {
		t.Errorf("slot %s, RSA-PKCS: %s", slot, out)
	}
}

// Two cards at once: each signs with its own key, and neither's PIN opens the other.
func TestOpenSCWithTwoCards(t *testing.T) {
	p := start(t)
	one, two := cardtest.Issue(t), cardtest.Issue(t)
	j, err := reader.SelectJPKI(t.Context(), reader.Local(two.Chip))
	if err == nil {
		err = j.Authenticate(t.Context(), two.Counter)
	}
	var der []byte
	if err == nil {
		der, err = two.Reissue(t.Context(), j, jitsuin.AuthCert)
	}
	if err == nil {
		err = j.ResetPIN(t.Context(), jitsuin.AuthCert, "4321")
	}
	if err != nil {
		t.Fatal(err)
	}
	second, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Insert(0, reader.Local(one.Chip))()
	defer p.Insert(1, reader.Local(two.Chip))()
	p.WaitFor("Yes", 2)
	signAndVerify(t, p, "0", "01", one.Certificates[jitsuin.AuthCert], cardtest.AuthPIN)
	signAndVerify(t, p, "2", "01", second, "4321")
	p.Refused("pkcs11-tool", "--module", "opensc-pkcs11.so", "--slot-index", "2", "--login", "--pin", cardtest.AuthPIN.Reveal(), "-O")
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
	if out := p.Run("pkcs11-tool", "--module", "opensc-pkcs11.so", "-L"); !strings.Contains(out, "user PIN locked") {
		t.Errorf("OpenSC does not say that the PIN is blocked:\n%s", out)
	}
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
