package fault_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/reader"
)

// channel is a reader with a shim in it.
type channel struct{ *fault.Shim }

func (c channel) Transmit(_ context.Context, apdu []byte) ([]byte, error) {
	return c.Shim.Transmit(apdu)
}

func (channel) Close() error { return nil }

type bench struct {
	*cardtest.Issued
	shim  *fault.Shim
	ended int
}

func put(t *testing.T, issued *cardtest.Issued, s fault.Setting) *bench {
	t.Helper()
	b := &bench{Issued: issued}
	var err error
	if b.shim, err = fault.New(issued.Chip, s, func() { b.ended++ }); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) jpki(t *testing.T) *reader.JPKI {
	t.Helper()
	j, err := reader.SelectJPKI(t.Context(), channel{b.shim})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wantCode(t *testing.T, err error, kind jitsuin.Kind, code string) {
	t.Helper()
	if jitsuin.KindOf(err) != kind || jitsuin.CodeOf(err) != code {
		t.Errorf("%v (%v %q), want %v %q", err, jitsuin.KindOf(err), jitsuin.CodeOf(err), kind, code)
	}
}

// With nothing set the card behaves as without the shim.
func TestNoFault(t *testing.T) {
	b := put(t, cardtest.Issue(t), fault.Setting{})
	for _, kind := range jitsuin.CertKinds {
		s, err := b.jpki(t).Signer(t.Context(), kind, cardtest.PINOf(kind))
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("x"))
		if _, err := s.Sign(nil, digest[:], crypto.SHA256); err != nil {
			t.Error(err)
		}
	}
	if b.ended != 0 {
		t.Error("a fault ended that was never there")
	}
}

func TestWrongPINOnce(t *testing.T) {
	b := put(t, cardtest.Issue(t), fault.Setting{Name: fault.WrongPIN})
	j := b.jpki(t)
	if n, err := j.TriesLeft(t.Context(), jitsuin.SignCert); n != 5 || err != nil {
		t.Fatalf("asking for the tries: %d, %v", n, err)
	}
	wantCode(t, j.Verify(t.Context(), jitsuin.SignCert, cardtest.SignPIN), jitsuin.Invalid, "pin-wrong")
	// The chip itself has counted.
	plain, err := reader.SelectJPKI(t.Context(), reader.Local(b.Chip))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := plain.TriesLeft(t.Context(), jitsuin.SignCert); n != 4 {
		t.Errorf("%d tries left in the chip, want 4", n)
	}
	if b.ended != 1 {
		t.Errorf("the fault ended %d times", b.ended)
	}
	if err := b.jpki(t).Verify(t.Context(), jitsuin.SignCert, cardtest.SignPIN); err != nil {
		t.Errorf("the next try: %v", err)
	}
}

func TestUseUp(t *testing.T) {
	for _, kind := range jitsuin.CertKinds {
		issued := cardtest.Issue(t)
		if err := fault.UseUp(issued.Chip, kind); err != nil {
			t.Fatal(err)
		}
		chip, err := card.Open(issued.Memory) // it is the memory that says so
		if err != nil {
			t.Fatal(err)
		}
		j, err := reader.SelectJPKI(t.Context(), reader.Local(chip))
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, j.Verify(t.Context(), kind, cardtest.PINOf(kind)), jitsuin.Locked, "pin-blocked")
		other := jitsuin.CertKinds[0]
		if other == kind {
			other = jitsuin.CertKinds[1]
		}
		if err := j.Verify(t.Context(), other, cardtest.PINOf(other)); err != nil {
			t.Errorf("the other PIN suffered: %v", err)
		}
		// A counter brings it back.
		if err := j.Authenticate(t.Context(), issued.Counter); err != nil {
			t.Fatal(err)
		}
		if err := j.ResetPIN(t.Context(), kind, cardtest.PINOf(kind)); err != nil {
			t.Fatal(err)
		}
		if err := j.Verify(t.Context(), kind, cardtest.PINOf(kind)); err != nil {
			t.Error(err)
		}
	}
}

func TestRemovedWhileSigning(t *testing.T) {
	b := put(t, cardtest.Issue(t), fault.Setting{Name: fault.Removed})
	s, err := b.jpki(t).Signer(t.Context(), jitsuin.AuthCert, cardtest.AuthPIN)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	_, err = s.Sign(nil, digest[:], crypto.SHA256)
	if !errors.Is(err, fault.ErrRemoved) {
		t.Errorf("signing gave %v", err)
	}
	wantCode(t, err, jitsuin.Unavailable, "card-gone")
	if r, err := b.shim.Transmit([]byte{0, 0x84, 0, 0, 8}); err != nil || !bytes.Equal(r, []byte{0x6F, 0}) {
		t.Errorf("without power: %x, %v", r, err)
	}
	b.shim.Power(true) // put back
	if b.ended != 1 {
		t.Errorf("the fault ended %d times", b.ended)
	}
	if s, err = b.jpki(t).Signer(t.Context(), jitsuin.AuthCert, cardtest.AuthPIN); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Sign(nil, digest[:], crypto.SHA256); err != nil {
		t.Error(err)
	}
}

func TestTamperedCertificate(t *testing.T) {
	b := put(t, cardtest.Issue(t), fault.Setting{Name: fault.TamperedFile})
	j := b.jpki(t)
	der, err := j.Certificate(t.Context(), jitsuin.AuthCert)
	if err != nil {
		t.Fatal(err)
	}
	want := b.Certificates[jitsuin.AuthCert].Raw
	if len(der) != len(want) || der[len(der)-1] != want[len(want)-1]^1 || !bytes.Equal(der[:len(der)-1], want[:len(want)-1]) {
		t.Error("not exactly the last bit was changed")
	}
	// In whatever pieces it is read.
	for _, piece := range []int{1, 7, 255, 256} {
		got, err := readIn(t, b, card.FileAuthCert, piece)
		if err != nil || !bytes.Equal(got, der) {
			t.Errorf("in pieces of %d: %d bytes, %v", piece, len(got), err)
		}
	}
	// By its short name too, and what comes after it.
	r, _ := b.shim.Transmit(card.Command{INS: 0xB0, P1: 0x8A, Le: 16}.Bytes())
	if !bytes.Equal(r[:16], der[:16]) {
		t.Error("by its short name")
	}
	if got, err := j.ReadFile(t.Context(), card.FileAuthCA, 4096); err != nil || !bytes.Equal(got, b.CA.Raw) {
		t.Errorf("the CA's certificate suffered: %v", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.CheckSignatureFrom(b.CA) == nil {
		t.Error("the CA's signature still fits")
	}
	if b.Certificates[jitsuin.AuthCert].CheckSignatureFrom(b.CA) != nil {
		t.Error("the CA's signature did not fit before")
	}
	// What needs its PIN still does.
	_, err = j.ReadFile(t.Context(), card.FileSignCert, 4096)
	wantCode(t, err, jitsuin.Denied, "card-security-status")
}

// readIn reads an EF of the JPKI application in pieces, as clients differ.
func readIn(t *testing.T, b *bench, file uint16, piece int) (out []byte, err error) {
	t.Helper()
	if err := b.jpki(t).SelectFile(t.Context(), file); err != nil {
		return nil, err
	}
	for {
		r, err := b.shim.Transmit(card.Command{INS: 0xB0, P1: byte(len(out) >> 8), P2: byte(len(out)), Le: piece}.Bytes())
		if err != nil {
			return nil, err
		}
		data, sw, _ := card.SplitResponse(r)
		if sw == card.SWWrongOffset {
			return out, nil
		}
		if sw != card.SWOK {
			return nil, errors.New(sw.String())
		}
		out = append(out, data...)
	}
}

func text(t *testing.T, b *bench, pin jitsuin.PIN, file uint16) *reader.Application {
	t.Helper()
	a, err := reader.Select(t.Context(), channel{b.shim}, card.AIDText)
	if err != nil {
		t.Fatal(err)
	}
	if pin != "" {
		if err := a.VerifyFile(t.Context(), file, pin); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestTamperedItemsAndWrongDigest(t *testing.T) {
	issued := cardtest.Whole(t, card.ProfileCard, card.Switches{})
	authentic := append([]byte("\xFF\x30\x82\x01\x4B\xDF\x31\x20"), bytes.Repeat([]byte{0xAA}, 32)...)
	authentic = append(append(authentic, "\xDF\x32\x20"...), bytes.Repeat([]byte{0xBB}, 32)...)
	w, err := reader.Select(t.Context(), reader.Local(issued.Chip), card.AIDText)
	if err == nil {
		err = errors.Join(w.Authenticate(t.Context(), issued.Production), w.Write(t.Context(), card.FileTextAuthentic, authentic))
	}
	if err != nil {
		t.Fatal(err)
	}
	b := put(t, issued, fault.Setting{Name: fault.TamperedFile})
	a := text(t, b, cardtest.AuthPIN, card.FileTextPIN)
	if got, err := a.ReadFile(t.Context(), card.FileTextItems, 100); err != nil || !bytes.Equal(got, []byte{0, 2 ^ 1}) {
		t.Errorf("the four items read %x, %v", got, err)
	}
	if got, err := a.ReadFile(t.Context(), card.FileTextAuthentic, 400); err != nil || !bytes.Equal(got, authentic) {
		t.Errorf("tampering with the contents touched the digests: %v", err)
	}
	if err := b.shim.Set(fault.Setting{Name: fault.WrongDigest}); err != nil {
		t.Fatal(err)
	}
	if got, err := a.ReadFile(t.Context(), card.FileTextItems, 100); err != nil || !bytes.Equal(got, []byte{0, 2}) {
		t.Errorf("the four items read %x, %v", got, err)
	}
	got, err := a.ReadFile(t.Context(), card.FileTextAuthentic, 400)
	want := bytes.Clone(authentic)
	want[8] ^= 1
	want[8+32+3] ^= 1
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the digests read %x, %v", got, err)
	}
	// A reset loses the PIN, with the fault as without.
	b.shim.Reset()
	_, err = text(t, b, "", 0).ReadFile(t.Context(), card.FileTextItems, 100)
	wantCode(t, err, jitsuin.Denied, "card-security-status")
}

// A reader of the four items that trusts the issuer's root alone notices both faults, and says which file.
func TestReadersNoticeTamperedItems(t *testing.T) {
	issued := cardtest.Whole(t, card.ProfileCard, card.Switches{})
	anchor, files := signedText(t)
	a, err := reader.Select(t.Context(), reader.Local(issued.Chip), card.AIDText)
	if err == nil {
		err = a.Authenticate(t.Context(), issued.Production)
	}
	for id, content := range files {
		if err == nil {
			err = a.Write(t.Context(), id, content)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	b := put(t, issued, fault.Setting{})
	for _, c := range []struct {
		fault fault.Name
		code  string
	}{{fault.None, ""}, {fault.TamperedFile, "card-digest"}, {fault.WrongDigest, "card-signature"}} {
		if err := b.shim.Set(fault.Setting{Name: c.fault}); err != nil {
			t.Fatal(err)
		}
		read := map[uint16][]byte{}
		a := text(t, b, cardtest.AuthPIN, card.FileTextPIN)
		for id := range files {
			if read[id], err = a.ReadFile(t.Context(), id, 1000); err != nil {
				t.Fatal(err)
			}
		}
		err := anchor.VerifyText(read[card.FileTextMyNumber], read[card.FileTextItems], read[card.FileTextAuthentic], read[card.FileTextCVC])
		if jitsuin.CodeOf(err) != c.code || (err == nil) != (c.code == "") {
			t.Errorf("%s: %v, want %q", c.fault, err, c.code)
		}
	}
}

// signedText makes the text application's files as an issuer does.
func signedText(t *testing.T) (contents.Anchor, map[uint16][]byte) {
	t.Helper()
	keys := make([]*rsa.PrivateKey, 2) // of the root, and of the issuer
	var err error
	for i := range keys {
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	root, issuer := contents.NewKeyID('R', "0000001"), contents.NewKeyID('I', "0000002")
	sign := func(key *rsa.PrivateKey, signed []byte, err error) ([]byte, []byte) {
		t.Helper()
		var signature []byte
		if err == nil {
			signature, err = contents.Sign(key, signed)
		}
		if err != nil {
			t.Fatal(err)
		}
		return signed, signature
	}
	toSign, err := contents.CVCToSign(root, issuer, &keys[1].PublicKey)
	cvc, err := contents.AssembleCVC(sign(keys[0], toSign, err))
	if err != nil {
		t.Fatal(err)
	}
	number := contents.MyNumberFile("123456789018")
	items, err := contents.ItemsFile(jitsuin.FourItems{Name: "霧島　花子", Address: "雲居県朝霧野市貝寄町１番１号", BirthDate: jitsuin.Date{Year: 1980, Month: 2, Day: 17}, Sex: "2"})
	if err != nil {
		t.Fatal(err)
	}
	toSign, err = contents.AuthenticToSign(number, items)
	authentic := contents.AuthenticFile(sign(keys[1], toSign, err))
	return contents.Anchor{ID: root, Key: &keys[0].PublicKey},
		map[uint16][]byte{card.FileTextMyNumber: number, card.FileTextItems: items, card.FileTextAuthentic: authentic, card.FileTextCVC: cvc}
}

func TestExpiredCertificate(t *testing.T) {
	issued := cardtest.Issue(t)
	key := issued.Certificates[jitsuin.AuthCert].PublicKey
	over, err := issued.Certify("over", key)
	if err != nil {
		t.Fatal(err)
	}
	b := put(t, issued, fault.Setting{Name: fault.ExpiredCertificate, Certificates: map[jitsuin.CertKind][]byte{jitsuin.AuthCert: over}})
	s, err := b.jpki(t).Signer(t.Context(), jitsuin.AuthCert, cardtest.AuthPIN)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.Certificate(), over) {
		t.Error("another certificate is read")
	}
	digest := sha256.Sum256([]byte("x"))
	if _, err := s.Sign(nil, digest[:], crypto.SHA256); err != nil {
		t.Errorf("the key does not fit: %v", err)
	}
	s, err = b.jpki(t).Signer(t.Context(), jitsuin.SignCert, cardtest.SignPIN)
	if err != nil || !bytes.Equal(s.Certificate(), issued.Certificates[jitsuin.SignCert].Raw) {
		t.Errorf("the other certificate: %v", err)
	}
}

func TestCloneCannotSign(t *testing.T) {
	b := put(t, cardtest.Issue(t), fault.Setting{Name: fault.Clone})
	digest := sha256.Sum256([]byte("message"))
	for _, kind := range jitsuin.CertKinds {
		s, err := b.jpki(t).Signer(t.Context(), kind, cardtest.PINOf(kind))
		if err != nil {
			t.Fatalf("a clone has the files: %v", err)
		}
		_, err = s.Sign(nil, digest[:], crypto.SHA256)
		wantCode(t, err, jitsuin.Conflict, "card-key-differs")
		_, err = s.Sign(nil, digest[:], &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: 32})
		wantCode(t, err, jitsuin.Conflict, "card-key-differs")
	}
	// Without the PIN it refuses like the card.
	b.shim.Reset()
	j := b.jpki(t)
	if err := j.SelectFile(t.Context(), card.FileAuthKey); err != nil {
		t.Fatal(err)
	}
	if r, _ := b.shim.Transmit(card.Command{CLA: 0x80, INS: 0x2A, P2: 0x80, Data: digest[:], Le: 256}.Bytes()); !bytes.Equal(r, []byte{0x69, 0x82}) {
		t.Errorf("without its PIN it answers %x", r)
	}
}

// INTERNAL AUTHENTICATE and the applications' own keys tell a card from its clone.
func TestCloneIsKnownByItsOwnKeys(t *testing.T) {
	issued := cardtest.Whole(t, card.ProfileCard, card.Switches{})
	ask := func(s *fault.Shim) (internal, own []byte) {
		s.Reset()
		for _, c := range []card.Command{
			{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(card.AIDCommon)},
			{INS: 0x88, P2: 0x99, Data: []byte("challenge"), Le: 256},
			{INS: 0xA4, P1: 4, P2: 0x0C, Data: []byte(card.AIDText)},
			{CLA: 0x80, INS: 0x2A, P1: 3, Data: []byte("data"), Le: 256},
		} {
			r, err := s.Transmit(c.Bytes())
			if data, sw, _ := card.SplitResponse(r); err != nil || sw != card.SWOK {
				t.Fatalf("%+v: %v %v", c, sw, err)
			} else if c.INS == 0x88 {
				internal = bytes.Clone(data)
			} else if c.INS == 0x2A {
				own = bytes.Clone(data)
			}
		}
		return internal, own
	}
	real, ownReal := ask(put(t, issued, fault.Setting{}).shim)
	again, ownAgain := ask(put(t, issued, fault.Setting{}).shim)
	clone, ownClone := ask(put(t, issued, fault.Setting{Name: fault.Clone}).shim)
	if !bytes.Equal(real, again) || !bytes.Equal(ownReal, ownAgain) {
		t.Fatal("the card's own answers differ: the test could not see a clone's")
	}
	if bytes.Equal(real, clone) || bytes.Equal(ownReal, ownClone) {
		t.Error("the clone answers like the card")
	}
}

func TestCloneOfTheNextCard(t *testing.T) {
	issued := cardtest.Whole(t, card.ProfileNext, card.Switches{})
	j, err := reader.SelectJPKI(t.Context(), reader.Local(issued.Chip))
	if err == nil {
		err = j.Authenticate(t.Context(), issued.Production)
	}
	if err == nil {
		_, err = issued.Reissue(t.Context(), j, jitsuin.SignCert)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := put(t, issued, fault.Setting{Name: fault.Clone}).jpki(t).Signer(t.Context(), jitsuin.SignCert, cardtest.SignPIN)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Public().(*ecdsa.PublicKey); !ok {
		t.Fatalf("the next card has a key of type %T", s.Public())
	}
	digest := make([]byte, 48)
	_, err = s.Sign(nil, digest, crypto.SHA384)
	wantCode(t, err, jitsuin.Conflict, "card-key-differs")
}

func TestSettings(t *testing.T) {
	for _, s := range []fault.Setting{
		{Name: "unknown"}, {Name: fault.Slow, Delay: fault.MaxDelay + 1}, {Name: fault.Slow, Delay: -1}, {Name: fault.Clone, Delay: 1},
		{Name: fault.ExpiredCertificate}, {Name: fault.Clone, Certificates: map[jitsuin.CertKind][]byte{jitsuin.AuthCert: {0x30, 0x82, 0, 1, 0}}},
		{Name: fault.ExpiredCertificate, Certificates: map[jitsuin.CertKind][]byte{jitsuin.AuthCert: {1, 2, 3, 4, 5}}},
		{Name: fault.ExpiredCertificate, Certificates: map[jitsuin.CertKind][]byte{"other": {0x30, 0x82, 0, 1, 0}}},
	} {
		if _, err := s.Checked(); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%+v: %v", s, err)
		}
	}
	b := put(t, cardtest.Issue(t), fault.Setting{Name: fault.Slow})
	if b.shim.Delay() != fault.UsualDelay {
		t.Errorf("a slow card has the delay %v", b.shim.Delay())
	}
	if err := b.shim.Set(fault.Setting{Name: fault.Slow, Delay: time.Second}); err != nil || b.shim.Delay() != time.Second {
		t.Errorf("%v %v", b.shim.Delay(), err)
	}
	if err := b.shim.Set(fault.Setting{Name: fault.None}); err != nil || b.shim.Delay() != 0 {
		t.Errorf("%v %v", b.shim.Delay(), err)
	}
}

// FuzzShim sends a script of commands (u16 length and bytes) through the shim with each fault: no panic, always a status
// word, and without a fault the very answers of the chip.
func FuzzShim(f *testing.F) {
	for _, script := range []string{
		"000FA4", "000F00A4040C0AD392F000260100000001000500B08A0000000500B0000100000500B00AFF00",
		"000F00A4040C0AD392F00026010000000100090020009804313233340009802A0097020102000009802A0597020102000005008400001000",
		"000F00A4040C0AD3921000310001010408000900200091043132333400" + "0500B08200000005" + "00B0830000000500B0000400",
	} {
		b, err := hex.DecodeString(script)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	master := cardtest.Issue(f)
	over, err := master.Certify("over", master.Certificates[jitsuin.AuthCert].PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	open := func(t *testing.T) *card.Chip {
		chip, err := card.Open(master.Memory.Copy())
		if err != nil {
			t.Fatal(err)
		}
		return chip
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		plain := open(t)
		shims := map[fault.Name]*fault.Shim{}
		for _, name := range append([]fault.Name{fault.None}, fault.Names...) {
			s := fault.Setting{Name: name}
			if name == fault.ExpiredCertificate {
				s.Certificates = map[jitsuin.CertKind][]byte{jitsuin.AuthCert: over, jitsuin.SignCert: over}
			}
			shim, err := fault.New(open(t), s, nil)
			if err != nil {
				t.Fatal(err)
			}
			shims[name] = shim
		}
		for n := 0; len(script) >= 2 && n < 30; n++ {
			size := min(int(script[0])<<8|int(script[1]), len(script)-2)
			apdu := script[2 : 2+size]
			script = script[2+size:]
			want := plain.Transmit(apdu)
			for name, shim := range shims {
				got, err := shim.Transmit(apdu)
				switch {
				case errors.Is(err, fault.ErrRemoved) && name == fault.Removed:
				case err != nil || len(got) < 2:
					t.Fatalf("%s: %x got %x, %v", name, apdu, got, err)
				case name == fault.None && len(apdu) > 1 && apdu[1] != 0x84 && apdu[1] != 0x2A && !bytes.Equal(got, want): // challenges and PSS are random
					t.Fatalf("without a fault %x got %x, want %x", apdu, got, want)
				}
			}
		}
	})
}
