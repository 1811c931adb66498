package production_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/production"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/verified"
)

// signer is a root and an issuing key of one process.
type signer struct {
	root, key *rsa.PrivateKey
	cvc       []byte
}

var rootID, keyID = contents.NewKeyID('R', "1"), contents.NewKeyID('I', "1")

func newSigner(t *testing.T) *signer {
	t.Helper()
	s := &signer{}
	var err error
	if s.root, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if s.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	tbs, err := contents.CVCToSign(rootID, keyID, &s.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := contents.Sign(s.root, tbs)
	if err != nil {
		t.Fatal(err)
	}
	if s.cvc, err = contents.AssembleCVC(tbs, signature); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *signer) Certificate() ([]byte, contents.KeyID) { return s.cvc, keyID }
func (s *signer) Sign(_ context.Context, tbs []byte) ([]byte, error) {
	return contents.Sign(s.key, tbs)
}

func sample() production.Face {
	return production.Face{
		Person: face.Person{ID: jitsuin.NewID(), PhotoOn: jitsuin.Date{Year: 2026, Month: 11, Day: 1}, Items: jitsuin.FourItems{Name: "見本　花子",
			Address: "雲居県朝霧野市貝寄町４丁目３２番１７号", BirthDate: jitsuin.Date{Year: 1980, Month: 2, Day: 17}, Sex: jitsuin.Female}},
		MyNumber: "123456789018", Number: "400000012719843", Code: "2285", Municipality: "91201", Expires: jitsuin.Date{Year: 2035, Month: 2, Day: 17},
	}
}

// What production writes is what a reader reads, with the number or PIN that it takes, and the
// issuer's signatures and the card's own key convince it.
func TestACardIsWrittenAndRead(t *testing.T) {
	ctx := t.Context()
	s, f := newSigner(t), sample()
	issued := cardtest.Whole(t, "", card.Switches{})
	ch := reader.Local(issued.Chip)
	for range 2 { // done again it is the same
		if err := production.Write(ctx, ch, issued.Production, f, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := reader.SetHolderPINs(ctx, ch, issued.Counter, "4321"); err != nil {
		t.Fatal(err)
	}
	issued.Chip.Reset()
	anchor := contents.Anchor{ID: rootID, Key: &s.root.PublicKey}
	read := func(app *reader.Application, id uint16) []byte {
		t.Helper()
		b, err := app.ReadFile(ctx, id, 32<<10)
		if err != nil {
			t.Fatalf("EF %04X: %v", id, err)
		}
		return b
	}
	open := func(aid string, file uint16, pin jitsuin.PIN) *reader.Application {
		t.Helper()
		app, err := reader.Select(ctx, ch, aid)
		if err != nil {
			t.Fatal(err)
		}
		if pin != "" {
			if err := app.VerifyFile(ctx, file, pin); err != nil {
				t.Fatal(err)
			}
		}
		return app
	}
	text := open(card.AIDText, card.FileTextPIN, "4321")
	number, items, cvc := read(text, card.FileTextMyNumber), read(text, card.FileTextItems), read(text, card.FileTextCVC)
	if err := anchor.VerifyText(number, items, read(text, card.FileTextAuthentic), cvc); err != nil {
		t.Error(err)
	}
	if got, err := contents.ParseItems(items); err != nil || got != f.Person.Items {
		t.Errorf("items %+v, %v", got, err)
	}
	own, err := anchor.VerifyOwnKey(read(text, card.FileTextOwnKey), cvc)
	if err != nil {
		t.Fatal(err)
	}
	if err := text.ProveOwn(ctx, own); err != nil {
		t.Error(err)
	}
	visual := open(card.AIDVisual, card.FileVisualB, "55021720352285")
	got, err := anchor.VerifyFace(read(visual, card.FileVisualFace), read(visual, card.FileVisualCVC))
	if err != nil {
		t.Fatal(err)
	}
	photo, err := f.Person.PortraitJP2()
	if err != nil || len(photo) == 0 || !bytes.Equal(got.Photo, photo) || !bytes.HasPrefix(got.Name, []byte("\x89PNG")) {
		t.Errorf("the face's pictures: %d bytes of photo, %v", len(got.Photo), err)
	}
	if err := visual.ProveOwn(ctx, got.OwnKey); err != nil {
		t.Error(err)
	}
	if birth, _, err := anchor.VerifyAge(read(open(card.AIDVisual, card.FileVisualBirth, "550217"), card.FileVisualAge), cvc); err != nil || birth != f.Person.Items.BirthDate {
		t.Errorf("age: %v %v", birth, err)
	}
	if _, err := anchor.VerifyNumber(read(open(card.AIDVisual, card.FileVisualA, "123456789018"), card.FileVisualMyNumber), cvc); err != nil {
		t.Error(err)
	}
	record, err := open(card.AIDCommon, 0, "").ReadRecord(ctx, card.FileCommonNumber, 1)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := contents.ParseCardNumber(record); err != nil || n.Serial != f.Number || n.Municipality != "91201" || n.Expiry != f.Expires {
		t.Errorf("card number %+v, %v", n, err)
	}
	if day, err := open(card.AIDIssuer, 0, "").GetData(ctx, card.ObjectExpiry); err != nil || string(day) != "20350217" {
		t.Errorf("expiry %q, %v", day, err)
	}
	for _, aid := range []string{card.AIDResident, card.AIDCommon} {
		open(aid, card.FilePIN, "4321")
	}
}

// After a move the counter writes the text anew: nothing else in the card changes, and a card that was taken away
// in between is not believed until it is done again.
func TestTheTextFollowsItsHolder(t *testing.T) {
	ctx := t.Context()
	s, f := newSigner(t), sample()
	for _, profile := range []string{card.ProfileCard, card.ProfileNext} {
		issued := cardtest.Whole(t, profile, card.Switches{})
		ch := reader.Local(issued.Chip)
		if err := production.Write(ctx, ch, issued.Production, f, s); err != nil {
			t.Fatal(err)
		}
		anchor := contents.Anchor{ID: rootID, Key: &s.root.PublicKey}
		with := verified.NumberA(f.MyNumber)
		before, err := verified.On(ch, anchor).Face(ctx, with)
		if err != nil && profile == card.ProfileCard {
			t.Fatal(err)
		}
		if err := reader.SetHolderPINs(ctx, ch, issued.Counter, "4321"); err != nil {
			t.Fatal(err)
		}
		pin := verified.PIN("4321")
		if profile == card.ProfileNext {
			pin = verified.PIN(cardtest.AuthPIN)
		}
		moved := f.Person.Items
		moved.Address = "雲居県朝霧野市新町９番地"
		items, err := contents.ItemsFile(moved)
		if err != nil {
			t.Fatal(err)
		}
		tbs, err := contents.AuthenticToSign(contents.MyNumberFile(f.MyNumber), items)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := s.Sign(ctx, tbs)
		if err != nil {
			t.Fatal(err)
		}
		text := production.Text{Items: items, Authentic: contents.AuthenticFile(tbs, signature), CVC: s.cvc}
		count := &cut{Card: ch, after: 1 << 20}
		if err := production.Rewrite(ctx, count, issued.Counter, text); err != nil {
			t.Fatal(err)
		}
		if got, err := verified.On(ch, anchor).Items(ctx, pin); err != nil || got != moved {
			t.Errorf("%s: %+v, %v", profile, got, err)
		}
		for after := 0; after < count.sent; after++ {
			half := text
			half.Items, _ = contents.ItemsFile(f.Person.Items) // what the signature does not cover, so that each cut shows
			if err := production.Rewrite(ctx, &cut{Card: ch, after: after}, issued.Counter, half); err == nil {
				t.Fatalf("%s: a card that was taken away after %d commands was written", profile, after)
			}
			if err := production.Rewrite(ctx, ch, issued.Counter, text); err != nil {
				t.Fatal(err)
			}
			if got, err := verified.On(ch, anchor).Items(ctx, pin); err != nil || got != moved {
				t.Errorf("%s, begun again after %d commands: %+v, %v", profile, after, got, err)
			}
		}
		if after, err := verified.On(ch, anchor).Face(ctx, with); profile == card.ProfileCard && (err != nil || !bytes.Equal(after.Photo, before.Photo) || !bytes.Equal(after.Address, before.Address)) {
			t.Errorf("the face has changed: %v", err)
		}
	}
	issued := cardtest.Whole(t, card.ProfileAndroid, card.Switches{})
	if err := production.Rewrite(ctx, reader.Local(issued.Chip), issued.Counter, production.Text{}); jitsuin.CodeOf(err) != "card-application" {
		t.Errorf("a telephone: %v", err)
	}
}

// A crash after any command leaves a card that the same code finishes.
func TestProductionIsBegunAgain(t *testing.T) {
	ctx := t.Context()
	s, f := newSigner(t), sample()
	count := &cut{Card: reader.Local(cardtest.Whole(t, "", card.Switches{}).Chip), after: 1 << 20}
	issued := cardtest.Whole(t, "", card.Switches{})
	if err := production.Write(ctx, count, issued.Production, f, s); err != nil {
		t.Fatal(err)
	}
	for after := 0; after < count.sent; after += 7 {
		issued := cardtest.Whole(t, "", card.Switches{})
		ch := &cut{Card: reader.Local(issued.Chip), after: after}
		if err := production.Write(ctx, ch, issued.Production, f, s); err == nil {
			t.Fatalf("a card that was taken away after %d of %d commands was written", after, count.sent)
		}
		issued.Chip.Reset()
		if err := production.Write(ctx, reader.Local(issued.Chip), issued.Production, f, s); err != nil {
			t.Fatalf("after %d commands: %v", after, err)
		}
		app, err := reader.Select(ctx, reader.Local(issued.Chip), card.AIDText)
		if err != nil {
			t.Fatal(err)
		}
		if err := app.VerifyFile(ctx, card.FileTextA, "123456789018"); err != nil {
			t.Errorf("after %d commands: %v", after, err)
		}
	}
}

// cut is a card that is taken away after some commands.
type cut struct {
	reader.Card
	after, sent int
}

func (c *cut) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if c.sent++; c.sent > c.after {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "taken away")
	}
	return c.Card.Transmit(ctx, apdu)
}

// Other profiles get what they have room for.
func TestProfilesAreWritten(t *testing.T) {
	ctx := t.Context()
	s, f := newSigner(t), sample()
	for _, name := range []string{card.ProfileChild, card.ProfilePINless, card.ProfileAndroid, card.ProfileNext} {
		issued := cardtest.Whole(t, name, card.Switches{})
		if err := production.Write(ctx, reader.Local(issued.Chip), issued.Production, f, s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
