package card_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

func session(t testing.TB, chip *card.Chip) *reader.JPKI {
	t.Helper()
	j, err := reader.SelectJPKI(t.Context(), reader.Local(chip))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wantCode(t testing.TB, err error, kind jitsuin.Kind, code string) {
	t.Helper()
	if jitsuin.KindOf(err) != kind || jitsuin.CodeOf(err) != code {
		t.Errorf("error %v (%v %q), want %v %q", err, jitsuin.KindOf(err), jitsuin.CodeOf(err), kind, code)
	}
}

// Who is refused as a terminal: each is one step away from one that is accepted.
func TestTerminalsThatAreRefused(t *testing.T) {
	issued := cardtest.Issue(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger := *issued.Issuer
	stranger.Authority = other
	foreign, err := stranger.Terminal(card.RoleProduction)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int) reader.Terminal {
		c := bytes.Clone(issued.Counter.Certificate)
		c[at] ^= 3 // at 1: counter becomes production
		return reader.Terminal{Certificate: c, Key: issued.Counter.Key}
	}
	for name, terminal := range map[string]reader.Terminal{
		"certificate of another authority":    foreign,
		"role changed":                        changed(1),
		"version changed":                     changed(0),
		"key changed":                         changed(40),
		"authority's signature changed":       changed(130),
		"somebody else's certificate":         {Certificate: issued.Counter.Certificate, Key: other},
		"the other domain: authority as such": {Certificate: issued.Counter.Certificate, Key: issued.Authority},
	} {
		j := session(t, issued.Chip)
		if err := j.Authenticate(t.Context(), issued.Production); err != nil {
			t.Fatal(err)
		}
		wantCode(t, j.Authenticate(t.Context(), terminal), jitsuin.Unauthenticated, "terminal-refused")
		// The failed try ended the earlier authentication.
		if err := j.ResetPIN(t.Context(), jitsuin.AuthCert, "9999"); jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("%s: the earlier authentication still counts: %v", name, err)
		}
	}
}

func TestChallengeIsUsedOnce(t *testing.T) {
	issued := cardtest.Issue(t)
	channel := reader.Local(issued.Chip)
	session(t, issued.Chip)
	send := func(c card.Command) ([]byte, card.SW) {
		response, err := channel.Transmit(t.Context(), c.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		data, sw, _ := card.SplitResponse(response)
		return data, sw
	}
	challenge, _ := send(card.Command{INS: 0x84, Le: 16})
	data, err := card.SignChallenge(rand.Reader, issued.Counter.Certificate, issued.Counter.Key, challenge)
	if err != nil {
		t.Fatal(err)
	}
	authenticate := card.Command{CLA: 0x80, INS: 0x82, Data: data}
	if _, sw := send(authenticate); sw != card.SWOK {
		t.Fatalf("first use: %v", sw)
	}
	if _, sw := send(authenticate); sw != card.SWConditions {
		t.Errorf("replay without a challenge: %v", sw)
	}
	send(card.Command{INS: 0x84, Le: 16})
	if _, sw := send(authenticate); sw != card.SWNotVerified {
		t.Errorf("replay on another challenge: %v", sw)
	}
}

func TestAuthenticationEndsWithTheApplication(t *testing.T) {
	issued := cardtest.Issue(t)
	for _, leave := range []func(){
		issued.Chip.Reset,
		func() { transmit(t, issued.Chip, selectISD) },
	} {
		j := session(t, issued.Chip)
		if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
			t.Fatal(err)
		}
		if err := session(t, issued.Chip).ResetPIN(t.Context(), jitsuin.AuthCert, "1234"); err != nil {
			t.Errorf("selecting the same application again ended it: %v", err)
		}
		leave()
		j = session(t, issued.Chip)
		wantCode(t, j.ResetPIN(t.Context(), jitsuin.AuthCert, "1234"), jitsuin.Denied, "card-security-status")
	}
}

func TestRoles(t *testing.T) {
	issued := cardtest.Issue(t)
	j := session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
		t.Fatal(err)
	}
	info := bytes.Repeat([]byte{'x'}, 160)
	wantCode(t, j.Write(t.Context(), card.FileTokenInfo, info), jitsuin.Denied, "card-security-status")
	if err := j.WriteCACertificate(t.Context(), jitsuin.SignCert, issued.CA.Raw); err != nil {
		t.Errorf("counter writes a CA certificate: %v", err)
	}
	if err := j.Authenticate(t.Context(), issued.Production); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(t.Context(), card.FileTokenInfo, info); err != nil {
		t.Errorf("production writes EF 0006: %v", err)
	}
	wantCode(t, j.Write(t.Context(), card.FileTokenInfo, append(info, 'y')), jitsuin.Invalid, "card-data")
	wantCode(t, j.Write(t.Context(), card.FilePresence, []byte{0, 0, 0}), jitsuin.Denied, "card-security-status")
	wantCode(t, j.Write(t.Context(), card.FileAuthPIN, []byte("1234")), jitsuin.Conflict, "card-conditions")
	wantCode(t, j.Write(t.Context(), card.FileAuthKey, []byte("key")), jitsuin.Conflict, "card-conditions")
}

func TestCounterUnblocks(t *testing.T) {
	issued := cardtest.Issue(t)
	j := session(t, issued.Chip)
	for range 5 {
		j.Verify(t.Context(), jitsuin.SignCert, "WRONG1")
	}
	wantCode(t, j.Verify(t.Context(), jitsuin.SignCert, cardtest.SignPIN), jitsuin.Locked, "pin-blocked")
	if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
		t.Fatal(err)
	}
	if err := j.ResetPIN(t.Context(), jitsuin.SignCert, "new4pass"); err != nil {
		t.Fatal(err)
	}
	if n, err := j.TriesLeft(t.Context(), jitsuin.SignCert); n != 5 || err != nil {
		t.Errorf("%d tries left, %v", n, err)
	}
	if _, err := j.Certificate(t.Context(), jitsuin.SignCert); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("resetting the counter verified the password: %v", err)
	}
	if err := j.Verify(t.Context(), jitsuin.SignCert, "New4Pass"); err != nil {
		t.Error(err)
	}
	wantCode(t, j.Verify(t.Context(), jitsuin.SignCert, cardtest.SignPIN), jitsuin.Invalid, "pin-wrong")
}

// A re-issue: the old pair works until the moment in which the new certificate is complete.
func TestReissueKeepsTheOldPairUntilTheNewIsComplete(t *testing.T) {
	issued := cardtest.Issue(t)
	old := issued.Certificates[jitsuin.AuthCert]
	j := session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
		t.Fatal(err)
	}
	public, err := j.GenerateKey(t.Context(), jitsuin.AuthCert)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := issued.Certify("new", public)
	if err != nil {
		t.Fatal(err)
	}
	mustSignAs(t, issued.Chip, old)

	// Everything but the last byte, then the power goes.
	j = session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(t.Context(), card.FileAuthCert, certificate[:len(certificate)-1]); err != nil {
		t.Fatal(err)
	}
	mustSignAs(t, issued.Chip, old)
	if issued.Chip, err = card.Open(issued.Memory); err != nil {
		t.Fatal(err)
	}
	mustSignAs(t, issued.Chip, old)

	// The pending key is still there; a certificate for another key is refused.
	j = session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
		t.Fatal(err)
	}
	again, err := j.PendingKey(t.Context(), jitsuin.AuthCert)
	if err != nil || !again.(*rsa.PublicKey).Equal(public) {
		t.Fatalf("pending key after the power cut: %v", err)
	}
	wantCode(t, j.WriteCertificate(t.Context(), jitsuin.AuthCert, issued.Certificates[jitsuin.SignCert].Raw), jitsuin.Invalid, "card-data")
	mustSignAs(t, issued.Chip, old)

	j = session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
		t.Fatal(err)
	}
	if err := j.WriteCertificate(t.Context(), jitsuin.AuthCert, certificate); err != nil {
		t.Fatal(err)
	}
	if err := j.WriteCertificate(t.Context(), jitsuin.AuthCert, certificate); err != nil {
		t.Errorf("the active key's certificate cannot be written again: %v", err)
	}
	wantCode(t, j.WriteCertificate(t.Context(), jitsuin.AuthCert, old.Raw), jitsuin.Invalid, "card-data")
	_, err = j.PendingKey(t.Context(), jitsuin.AuthCert)
	wantCode(t, err, jitsuin.NotFound, "pending-key-missing")
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		t.Fatal(err)
	}
	mustSignAs(t, issued.Chip, parsed)
}

// mustSignAs checks that the chip holds this authentication certificate and the key to it.
func mustSignAs(t testing.TB, chip *card.Chip, want *x509.Certificate) {
	t.Helper()
	if err := signsAs(chip, want); err != nil {
		t.Fatal(err)
	}
}

var errOtherCertificate = errors.New("the chip holds another certificate")

func signsAs(chip *card.Chip, want *x509.Certificate) error {
	chip.Reset()
	ctx := context.Background()
	j, err := reader.SelectJPKI(ctx, reader.Local(chip))
	if err != nil {
		return err
	}
	signer, err := j.Signer(ctx, jitsuin.AuthCert, cardtest.AuthPIN)
	if err != nil {
		return err
	}
	if !bytes.Equal(signer.Certificate(), want.Raw) {
		return errOtherCertificate
	}
	digest := sha256.Sum256([]byte("message"))
	_, err = signer.Sign(nil, digest[:], crypto.SHA256)
	return err
}

// Certificates that are not written: each rule broken once.
func TestCertificateWritesThatAreRefused(t *testing.T) {
	issued := cardtest.Issue(t)
	j := session(t, issued.Chip)
	if err := j.Authenticate(t.Context(), issued.Production); err != nil {
		t.Fatal(err)
	}
	raw := issued.Certificates[jitsuin.AuthCert].Raw
	piece := func(offset, from, to int) card.Command {
		return card.Command{CLA: 0x80, INS: 0xD6, P1: byte(offset >> 8), P2: byte(offset), Data: raw[from:to]}
	}
	garbage := card.Command{CLA: 0x80, INS: 0xD6, Data: append([]byte{0x30, 0x82, 0, 4}, 1, 2, 3, 4)}
	huge := card.Command{CLA: 0x80, INS: 0xD6, Data: []byte{0x30, 0x82, 0xFF, 0xFF}}
	short := card.Command{CLA: 0x80, INS: 0xD6, Data: []byte{0x30, 0x81, 0x80, 0}}
	more := card.Command{CLA: 0x80, INS: 0xD6, Data: append(bytes.Clone(raw), 0)}
	whole := card.Command{CLA: 0x80, INS: 0xD6, Data: raw}
	for _, c := range []struct {
		name     string
		commands []card.Command
		want     card.SW
	}{
		{"not from the beginning", []card.Command{piece(100, 100, 200)}, card.SWWrongOffset},
		{"with a gap", []card.Command{piece(0, 0, 100), piece(101, 101, 200)}, card.SWWrongOffset},
		{"after the gap it starts anew", []card.Command{piece(0, 0, 100), piece(101, 101, 200), piece(100, 100, 200)}, card.SWWrongOffset},
		{"no certificate", []card.Command{garbage}, card.SWWrongData},
		{"too large", []card.Command{huge}, card.SWNoSpace},
		{"another length form", []card.Command{short}, card.SWWrongData},
		{"a byte too many", []card.Command{more}, card.SWWrongData},
		{"whole, in one extended APDU", []card.Command{whole}, card.SWOK},
		{"byte by byte at first", []card.Command{piece(0, 0, 1), piece(1, 1, 2), piece(2, 2, len(raw))}, card.SWOK},
	} {
		transmit(t, issued.Chip, "00A4020C02000A")
		var sw card.SW
		for _, command := range c.commands {
			_, sw, _ = card.SplitResponse(issued.Chip.Transmit(command.Bytes()))
		}
		if sw != c.want {
			t.Errorf("%s: %v, want %v", c.name, sw, c.want)
		}
	}
	mustSignAs(t, issued.Chip, issued.Certificates[jitsuin.AuthCert])
}

// Every write of a re-issue fails once, lost and kept, and the power goes right after. The chip
// then has the old pair or the new one, and repeating the re-issue succeeds.
func TestReissueFaultMatrix(t *testing.T) {
	issued := cardtest.Issue(t)
	old := issued.Certificates[jitsuin.AuthCert]
	for n := range 4 {
		for _, fault := range []cardtest.Fault{cardtest.FailsLost, cardtest.FailsKept} {
			memory := issued.Memory.Copy()
			chip, err := card.Open(memory)
			if err != nil {
				t.Fatal(err)
			}
			memory.Plan = func(i int) cardtest.Fault {
				if i == n {
					return fault
				}
				return cardtest.Works
			}
			certificate, err := reissue(issued, chip)
			failed := err != nil
			if wants := n < 2; failed != wants { // the key, and certificate with key
				t.Fatalf("write %d, %v: failed %v", n, fault, failed)
			}
			memory.Plan = nil
			for _, name := range []string{"same chip", "after a power cut"} {
				if name == "after a power cut" {
					if chip, err = card.Open(memory); err != nil {
						t.Fatal(err)
					}
				}
				want := old
				if certificate != nil && (!failed || fault == cardtest.FailsKept) {
					want = certificate
				}
				if err := signsAs(chip, want); err != nil {
					t.Errorf("write %d, %v, %s: %v", n, fault, name, err)
				}
			}
			certificate, err = reissue(issued, chip)
			if err != nil {
				t.Fatalf("write %d, %v: repeat: %v", n, fault, err)
			}
			mustSignAs(t, chip, certificate)
		}
	}
}

// reissue takes a pending key where there is one. The certificate is nil where it did not come
// to writing one.
func reissue(issued *cardtest.Issued, chip *card.Chip) (*x509.Certificate, error) {
	ctx := context.Background()
	chip.Reset()
	j, err := reader.SelectJPKI(ctx, reader.Local(chip))
	if err != nil {
		return nil, err
	}
	if err := j.Authenticate(ctx, issued.Counter); err != nil {
		return nil, err
	}
	public, err := j.PendingKey(ctx, jitsuin.AuthCert)
	if jitsuin.KindOf(err) == jitsuin.NotFound {
		public, err = j.GenerateKey(ctx, jitsuin.AuthCert)
	}
	if err != nil {
		return nil, err
	}
	der, err := issued.Certify("re-issued", public)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return certificate, j.WriteCertificate(ctx, jitsuin.AuthCert, der)
}
