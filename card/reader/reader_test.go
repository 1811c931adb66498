package reader_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

func open(t testing.TB) (*cardtest.Issued, *reader.JPKI) {
	t.Helper()
	issued := cardtest.Issue(t)
	j, err := reader.SelectJPKI(t.Context(), reader.Local(issued.Chip))
	if err != nil {
		t.Fatal(err)
	}
	return issued, j
}

func wantCode(t testing.TB, err error, kind jitsuin.Kind, code string) {
	t.Helper()
	if jitsuin.KindOf(err) != kind || jitsuin.CodeOf(err) != code {
		t.Errorf("error %v (%v %q), want %v %q", err, jitsuin.KindOf(err), jitsuin.CodeOf(err), kind, code)
	}
}

func TestWhatACardShowsWithoutPIN(t *testing.T) {
	issued, j := open(t)
	info, err := j.TokenInfo(t.Context())
	if err != nil || info.Kind != reader.TokenCard || info.Label != "JPKIAPICCTOKEN2" || info.Serial != cardtest.Serial {
		t.Errorf("token %+v, %v", info, err)
	}
	present, err := j.Present(t.Context())
	if err != nil || !present[jitsuin.SignCert] || !present[jitsuin.AuthCert] {
		t.Errorf("present %v, %v", present, err)
	}
	der, err := j.Certificate(t.Context(), jitsuin.AuthCert)
	if err != nil || !bytes.Equal(der, issued.Certificates[jitsuin.AuthCert].Raw) {
		t.Errorf("authentication certificate: %v", err)
	}
	for _, kind := range jitsuin.CertKinds {
		if der, err := j.CACertificate(t.Context(), kind); err != nil || !bytes.Equal(der, issued.CA.Raw) {
			t.Errorf("CA certificate: %v", err)
		}
	}
	_, err = j.Certificate(t.Context(), jitsuin.SignCert)
	wantCode(t, err, jitsuin.Denied, "card-security-status")
	_, err = j.Certificate(t.Context(), "other")
	wantCode(t, err, jitsuin.Invalid, "cert-kind")
}

func TestBlankCard(t *testing.T) {
	chip, err := card.New(&cardtest.Memory{}, cardtest.Issue(t).Blank())
	if err != nil {
		t.Fatal(err)
	}
	j, err := reader.SelectJPKI(t.Context(), reader.Local(chip))
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Certificate(t.Context(), jitsuin.AuthCert)
	wantCode(t, err, jitsuin.NotFound, "certificate-missing")
	present, err := j.Present(t.Context())
	if err != nil || present[jitsuin.SignCert] || present[jitsuin.AuthCert] {
		t.Errorf("present %v, %v", present, err)
	}
	wantCode(t, j.Verify(t.Context(), jitsuin.AuthCert, "1234"), jitsuin.Locked, "pin-blocked")
}

func TestPINTries(t *testing.T) {
	_, j := open(t)
	for want := 2; want >= 1; want-- {
		err := j.Verify(t.Context(), jitsuin.AuthCert, "0000")
		wantCode(t, err, jitsuin.Invalid, "pin-wrong")
		wrong, ok := errors.AsType[*reader.PINError](err)
		if !ok || wrong.TriesLeft != want || !strings.Contains(err.Error(), string(rune('0'+want))) {
			t.Errorf("%v tells %+v, want %d tries left", err, wrong, want)
		}
		if left, err := j.TriesLeft(t.Context(), jitsuin.AuthCert); err != nil || left != want {
			t.Errorf("%d left, %v", left, err)
		}
	}
	for range 2 { // the last try, and one after it
		err := j.Verify(t.Context(), jitsuin.AuthCert, "0000")
		wantCode(t, err, jitsuin.Locked, "pin-blocked")
		if blocked, ok := errors.AsType[*reader.PINError](err); !ok || blocked.TriesLeft != 0 {
			t.Errorf("%v tells %+v", err, blocked)
		}
	}
	if left, err := j.TriesLeft(t.Context(), jitsuin.SignCert); err != nil || left != 5 {
		t.Errorf("the password has %d tries left, %v", left, err)
	}
}

// A form that cannot be right never reaches the card, and no error repeats it.
func TestPINForms(t *testing.T) {
	_, j := open(t)
	for _, c := range []struct {
		kind       jitsuin.CertKind
		pin        jitsuin.PIN
		ok, newToo bool
	}{
		{jitsuin.AuthCert, "1234", true, true},
		{jitsuin.AuthCert, "123", false, false},
		{jitsuin.AuthCert, "12345", false, false},
		{jitsuin.AuthCert, "12a4", false, false},
		{jitsuin.AuthCert, "１２３４", false, false},
		{jitsuin.AuthCert, "", false, false},
		{jitsuin.SignCert, "abc123", true, true},
		{jitsuin.SignCert, "ABCDEFGH12345678", true, true},
		{jitsuin.SignCert, "ABCDEFGH123456789", false, false},
		{jitsuin.SignCert, "ABC12", false, false},
		{jitsuin.SignCert, "ABC-123", false, false},
		{jitsuin.SignCert, "ſABC123", false, false}, // its upper case is S
		{jitsuin.SignCert, "ABCDEF", true, false},
		{jitsuin.SignCert, "123456", true, false},
		{"other", "1234", false, false},
	} {
		if _, err := reader.NormalPIN(c.kind, c.pin); (err == nil) != c.ok {
			t.Errorf("%s %q: %v", c.kind, c.pin.Reveal(), err)
		} else if err != nil && c.pin != "" && strings.Contains(err.Error(), c.pin.Reveal()) {
			t.Errorf("the error repeats the PIN: %v", err)
		}
		if _, err := reader.NormalNewPIN(c.kind, c.pin); (err == nil) != c.newToo {
			t.Errorf("new %s %q: %v", c.kind, c.pin.Reveal(), err)
		}
	}
	wantCode(t, j.Verify(t.Context(), jitsuin.AuthCert, "12345"), jitsuin.Invalid, "pin-form")
	wantCode(t, j.ChangePIN(t.Context(), jitsuin.SignCert, cardtest.SignPIN, "ABCDEF"), jitsuin.Invalid, "pin-form")
	for _, kind := range jitsuin.CertKinds {
		if left, _ := j.TriesLeft(t.Context(), kind); left != map[jitsuin.CertKind]int{jitsuin.AuthCert: 3, jitsuin.SignCert: 5}[kind] {
			t.Errorf("%s: a form cost a try", kind)
		}
	}
}

func TestChangePIN(t *testing.T) {
	_, j := open(t)
	if err := j.ChangePIN(t.Context(), jitsuin.SignCert, "abc123", "new4pass"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, j.Verify(t.Context(), jitsuin.SignCert, cardtest.SignPIN), jitsuin.Invalid, "pin-wrong")
	if err := j.Verify(t.Context(), jitsuin.SignCert, "NEW4pass"); err != nil {
		t.Error(err)
	}
	wantCode(t, j.ChangePIN(t.Context(), jitsuin.AuthCert, "0000", "4321"), jitsuin.Invalid, "pin-wrong")
	if err := j.Verify(t.Context(), jitsuin.AuthCert, cardtest.AuthPIN); err != nil {
		t.Errorf("a refused change changed the PIN: %v", err)
	}
}

func TestSigner(t *testing.T) {
	issued, j := open(t)
	for _, kind := range jitsuin.CertKinds {
		signer, err := j.Signer(t.Context(), kind, cardtest.PINOf(kind))
		if err != nil {
			t.Fatal(err)
		}
		certificate := issued.Certificates[kind]
		if !certificate.PublicKey.(*rsa.PublicKey).Equal(signer.Public()) || !bytes.Equal(signer.Certificate(), certificate.Raw) {
			t.Errorf("%s: another key or certificate", kind)
		}
		message := []byte("message")
		sum256, sum384, sum512 := sha256.Sum256(message), sha512.Sum384(message), sha512.Sum512(message)
		for _, c := range []struct {
			algorithm x509.SignatureAlgorithm
			digest    []byte
			opts      crypto.SignerOpts
		}{
			{x509.SHA256WithRSA, sum256[:], crypto.SHA256},
			{x509.SHA384WithRSA, sum384[:], crypto.SHA384},
			{x509.SHA512WithRSA, sum512[:], crypto.SHA512},
			{x509.SHA256WithRSAPSS, sum256[:], &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: rsa.PSSSaltLengthEqualsHash}},
		} {
			signature, err := signer.Sign(nil, c.digest, c.opts)
			if err != nil {
				t.Errorf("%s %v: %v", kind, c.algorithm, err)
				continue
			}
			if err := certificate.CheckSignature(c.algorithm, message, signature); err != nil {
				t.Errorf("%s %v: %v", kind, c.algorithm, err)
			}
			if certificate.CheckSignature(c.algorithm, []byte("massage"), signature) == nil {
				t.Errorf("%s %v: verifies another message", kind, c.algorithm)
			}
		}
		_, err = signer.Sign(nil, sum256[:31], crypto.SHA256)
		wantCode(t, err, jitsuin.Invalid, "digest-length")
		_, err = signer.Sign(nil, sum256[:], crypto.MD5)
		wantCode(t, err, jitsuin.Unsupported, "digest-algorithm")
		_, err = signer.Sign(nil, sum384[:], &rsa.PSSOptions{Hash: crypto.SHA384})
		wantCode(t, err, jitsuin.Unsupported, "digest-algorithm")
		issued.Chip.Reset()
		if j, err = reader.SelectJPKI(t.Context(), reader.Local(issued.Chip)); err != nil {
			t.Fatal(err)
		}
		_, err = signer.Sign(nil, sum256[:], crypto.SHA256)
		wantCode(t, err, jitsuin.Denied, "card-security-status")
	}
}

// spy records what goes over the contacts.
type spy struct {
	reader.Channel
	sent [][]byte
	fake func(apdu []byte) []byte
	err  error
}

func (s *spy) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	s.sent = append(s.sent, apdu)
	if s.err != nil {
		return nil, s.err
	}
	if s.fake != nil {
		if r := s.fake(bytes.Clone(apdu)); r != nil {
			return r, nil
		}
	}
	return s.Channel.Transmit(ctx, apdu)
}

func TestPINIsWipedAfterUse(t *testing.T) {
	channel := &spy{Channel: reader.Local(cardtest.Issue(t).Chip)}
	j, err := reader.SelectJPKI(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Verify(t.Context(), jitsuin.SignCert, "abc123"); err != nil {
		t.Fatal(err)
	}
	for _, apdu := range channel.sent {
		if bytes.Contains(apdu, []byte("ABC123")) {
			t.Error("the PIN is still in the command's memory")
		}
	}
}

// Every switch of the chip is something that real cards may do: a client works with all of them.
func TestCardsWithEverySwitch(t *testing.T) {
	issued := cardtest.Whole(t, card.ProfileCard, card.Switches{CheckNumberTries: 5, BlockedQuery: true, VerifiedQuery: true, Blocked6983: true,
		VisualNeedsCheckNumber: true, EmptyAtEnd: true, ReselectClears: true, FreeSignCertificate: true})
	j, err := reader.SelectJPKI(t.Context(), reader.Local(issued.Chip))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := j.TriesLeft(t.Context(), jitsuin.SignCert); n != 5 || err != nil {
		t.Errorf("%d tries, %v", n, err)
	}
	if err := j.Verify(t.Context(), jitsuin.SignCert, cardtest.SignPIN); err != nil {
		t.Fatal(err)
	}
	if n, err := j.TriesLeft(t.Context(), jitsuin.SignCert); n != 5 || err != nil {
		t.Errorf("verified: %d tries, %v", n, err)
	}
	if b, err := j.ReadFile(t.Context(), card.FileTokenInfo, 4096); len(b) != 160 || err != nil {
		t.Errorf("a file with an empty answer at its end: %d bytes, %v", len(b), err)
	}
	for range 3 {
		_ = j.Verify(t.Context(), jitsuin.AuthCert, "0000")
	}
	wantCode(t, j.Verify(t.Context(), jitsuin.AuthCert, cardtest.AuthPIN), jitsuin.Locked, "pin-blocked")
	if n, err := j.TriesLeft(t.Context(), jitsuin.AuthCert); n != 0 || err != nil {
		t.Errorf("blocked: %d tries, %v", n, err)
	}
}

// Cards that are not ours: other status words, short answers, no answers.
func TestCardsThatBehaveOtherwise(t *testing.T) {
	verify := func(sw ...byte) func([]byte) []byte {
		return func(apdu []byte) []byte {
			if apdu[1] == 0x20 {
				return sw
			}
			return nil
		}
	}
	for _, c := range []struct {
		name string
		fake func([]byte) []byte
		err  error
		kind jitsuin.Kind
		code string
	}{
		{"6983 for blocked", verify(0x69, 0x83), nil, jitsuin.Locked, "pin-blocked"},
		{"no status word", verify(0x90), nil, jitsuin.Unavailable, "card-gone"},
		{"an unknown status word", verify(0x6F, 0x12), nil, jitsuin.Internal, "card-status"},
		{"taken away", nil, errors.New("broken pipe"), jitsuin.Unavailable, "card-gone"},
		{"refused by the host", nil, jitsuin.Errorf(jitsuin.Denied, "stale-handle", "x"), jitsuin.Denied, "stale-handle"},
	} {
		channel := &spy{Channel: reader.Local(cardtest.Issue(t).Chip), fake: c.fake}
		j, err := reader.SelectJPKI(t.Context(), channel)
		if err != nil {
			t.Fatal(err)
		}
		channel.err = c.err
		if err := j.Verify(t.Context(), jitsuin.AuthCert, "1234"); jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%v %q)", c.name, err, jitsuin.KindOf(err), jitsuin.CodeOf(err))
		}
	}
	foreign := &spy{fake: func([]byte) []byte { return []byte{0x6A, 0x82} }}
	_, err := reader.SelectJPKI(t.Context(), foreign)
	wantCode(t, err, jitsuin.NotFound, "card-application")
}

// A certificate file of rubbish, or one shorter than it says, is an error and no endless loop.
func TestBadCertificateFiles(t *testing.T) {
	for name, head := range map[string][]byte{
		"no certificate": {1, 2, 3, 4},
		"cut off":        {0x30, 0x82, 0x40, 0x00},
		"three bytes":    {0x30, 0x82, 0x01},
	} {
		channel := &spy{Channel: reader.Local(cardtest.Issue(t).Chip), fake: func(apdu []byte) []byte {
			if apdu[1] != 0xB0 {
				return nil
			}
			if apdu[2] == 0 && apdu[3] == 0 {
				return append(bytes.Clone(head), 0x90, 0x00)
			}
			return []byte{0x90, 0x00} // some cards answer this at the end of a file
		}}
		j, err := reader.SelectJPKI(t.Context(), channel)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = j.Certificate(t.Context(), jitsuin.AuthCert); jitsuin.CodeOf(err) != "certificate-form" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only short APDUs leave a client: not every reader takes extended ones.
func TestOnlyShortCommands(t *testing.T) {
	issued := cardtest.Issue(t)
	channel := &spy{Channel: reader.Local(issued.Chip)}
	j, err := reader.SelectJPKI(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
		t.Fatal(err)
	}
	if _, err := issued.Reissue(t.Context(), j, jitsuin.SignCert); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Signer(t.Context(), jitsuin.SignCert, cardtest.SignPIN); err != nil {
		t.Fatal(err)
	}
	for _, apdu := range channel.sent {
		if len(apdu) > 5+255+1 {
			t.Errorf("a command of %d bytes", len(apdu))
		}
	}
}
