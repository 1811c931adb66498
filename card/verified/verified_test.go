package verified_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/production"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/verified"
)

// issuer is a root and an issuing key of card-face signatures.
type issuer struct {
	anchor contents.Anchor
	key    *rsa.PrivateKey
	cvc    []byte
}

var keyID = contents.NewKeyID('I', "1")

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	root, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{anchor: contents.Anchor{ID: contents.NewKeyID('R', "1"), Key: &root.PublicKey}}
	if i.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	tbs, err := contents.CVCToSign(i.anchor.ID, keyID, &i.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := contents.Sign(root, tbs)
	if err != nil {
		t.Fatal(err)
	}
	if i.cvc, err = contents.AssembleCVC(tbs, signature); err != nil {
		t.Fatal(err)
	}
	return i
}

func (i *issuer) Certificate() ([]byte, contents.KeyID) { return i.cvc, keyID }
func (i *issuer) Sign(_ context.Context, tbs []byte) ([]byte, error) {
	return contents.Sign(i.key, tbs)
}

const (
	myNumber jitsuin.MyNumber = "123456789018"
	pin      jitsuin.PIN      = "4321"
)

var (
	born   = jitsuin.Date{Year: 1980, Month: 2, Day: 17}
	expiry = jitsuin.Date{Year: 2035, Month: 2, Day: 17}
	items  = jitsuin.FourItems{Name: "見本　花子", Address: "雲居県朝霧野市貝寄町４丁目３２番１７号", BirthDate: born, Sex: jitsuin.Female}
)

// written is a card of a profile as J-LIS makes it and a counter hands it over.
func written(t *testing.T, i *issuer, profile string, s card.Switches) *cardtest.Issued {
	t.Helper()
	issued := cardtest.Whole(t, profile, s)
	ch := reader.Local(issued.Chip)
	err := production.Write(t.Context(), ch, issued.Production, production.Face{Person: face.Person{ID: jitsuin.NewID(), PhotoOn: born, Items: items},
		MyNumber: myNumber, Number: "400000012719843", Code: "2285", Municipality: "91201", Expires: expiry}, i)
	if err == nil {
		err = reader.SetHolderPINs(t.Context(), ch, issued.Counter, pin)
	}
	if err != nil {
		t.Fatal(err)
	}
	issued.Chip.Reset()
	return issued
}

func numberB(t *testing.T, code string) verified.Opener {
	t.Helper()
	b, err := verified.NumberB(born, expiry, code)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A shop, an office and a bank read a card: each with what it may have, and each gets what the issuer signed.
func TestWhatAReaderMayHave(t *testing.T) {
	ctx, i := t.Context(), newIssuer(t)
	for _, s := range []card.Switches{{}, {VisualNeedsCheckNumber: true, EmptyAtEnd: true}} {
		r := verified.On(reader.Local(written(t, i, "", s).Chip), i.anchor)
		for name, opener := range map[string]verified.Opener{"PIN": verified.PIN(pin), "number B": numberB(t, "2285")} {
			if got, err := r.Items(ctx, opener); err != nil || got != items {
				t.Errorf("items with the %s: %+v, %v", name, got, err)
			}
		}
		if _, err := r.Items(ctx, verified.NumberA(myNumber)); jitsuin.CodeOf(err) != "card-security-status" {
			t.Errorf("number A opens the four items: %v", err)
		}
		number, got, err := r.MyNumber(ctx, pin, "朝霧野市", face.Tax)
		if err != nil || number != myNumber || got != items {
			t.Errorf("My Number: %v", err)
		}
		for name, opener := range map[string]verified.Opener{"number A": verified.NumberA(myNumber), "number B": numberB(t, "2285")} {
			f, err := r.Face(ctx, opener)
			if err != nil || len(f.Photo) == 0 || f.BirthDate != born || f.Expiry != expiry {
				t.Errorf("face with %s: %v", name, err)
			}
		}
		if err := r.CheckBirth(ctx, born); err != nil {
			t.Errorf("age: %v", err)
		}
		if n, err := r.CardNumber(ctx); err != nil || n.Serial != "400000012719843" || n.Municipality != "91201" {
			t.Errorf("card number %+v, %v", n, err)
		}
	}
}

// What a reader may not have costs it what a wrong guess costs, or is refused before the card is asked.
func TestWhatAReaderIsRefused(t *testing.T) {
	ctx, i := t.Context(), newIssuer(t)
	issued := written(t, i, "", card.Switches{})
	counted := &counter{Card: reader.Local(issued.Chip)}
	r := verified.On(counted, i.anchor)
	refused := func(name string, err error, code string) {
		t.Helper()
		if jitsuin.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	_, _, err := r.MyNumber(ctx, pin, "株式会社例", "marketing")
	refused("no lawful purpose", err, "number-purpose")
	_, _, err = r.MyNumber(ctx, pin, " ", face.Tax)
	refused("nobody asks", err, "number-body")
	_, err = r.Face(ctx, verified.PIN(pin))
	refused("the face with the PIN", err, "card-opener")
	_, err = verified.NumberB(born, expiry, "22")
	refused("a short security code", err, "security-code")
	if counted.sent != 0 {
		t.Errorf("%d commands were sent for what is refused anyway", counted.sent)
	}
	_, err = r.Items(ctx, verified.Opener{})
	refused("the zero opener", err, "card-opener")
	_, err = r.Items(ctx, verified.PIN("0000"))
	refused("a wrong PIN", err, "pin-wrong")
	if left, err := r.Tries(ctx); err != nil || left != 2 {
		t.Errorf("%d tries left, %v", left, err)
	}
	_, err = r.Face(ctx, numberB(t, "0000"))
	refused("another security code", err, "pin-wrong")
	refused("another date of birth", r.CheckBirth(ctx, born.AddDays(1)), "pin-wrong")
	refused("the same day of 令和", r.CheckBirth(ctx, jitsuin.Date{Year: 2073, Month: 2, Day: 17}), "card-birth")

	other := newIssuer(t)
	_, err = verified.On(counted, contents.Anchor{ID: contents.NewKeyID('R', "2"), Key: i.anchor.Key}).Items(ctx, verified.PIN(pin))
	refused("an anchor with another id", err, "card-certificate")
	stranger := verified.On(counted, other.anchor)
	_, err = stranger.Items(ctx, verified.PIN(pin))
	refused("an issuer that is not trusted", err, "card-signature")
	_, err = stranger.Face(ctx, verified.NumberA(myNumber))
	refused("its face", err, "card-signature")
	refused("its age", stranger.CheckBirth(ctx, born), "card-signature")
}

// counter counts commands.
type counter struct {
	reader.Card
	sent int
}

func (c *counter) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	c.sent++
	return c.Card.Transmit(ctx, apdu)
}

// A card that goes wrong in each way is not believed, and it is said why.
func TestFalseCardsAreNotBelieved(t *testing.T) {
	ctx, i := t.Context(), newIssuer(t)
	issued := written(t, i, "", card.Switches{})
	for _, c := range []struct {
		fault fault.Name
		code  []string
	}{
		{fault.TamperedFile, []string{"card-digest", "card-signature", "card-content"}},
		{fault.WrongDigest, []string{"card-signature"}},
		{fault.Clone, []string{"card-copied"}},
	} {
		shim, err := fault.New(issued.Chip, fault.Setting{Name: c.fault}, func() {})
		if err != nil {
			t.Fatal(err)
		}
		_, err = verified.On(faulty{shim}, i.anchor).Items(ctx, verified.PIN(pin))
		if !slices.Contains(c.code, jitsuin.CodeOf(err)) {
			t.Errorf("%s: %v, want one of %v", c.fault, err, c.code)
		}
	}
}

// Kinds of card that have a text are read alike; telephones have none.
func TestKindsOfCard(t *testing.T) {
	ctx, i := t.Context(), newIssuer(t)
	for _, profile := range []string{card.ProfileChild, card.ProfileInfant, card.ProfileNext} {
		issued := written(t, i, profile, card.Switches{})
		with := verified.PIN(pin)
		if profile == card.ProfileNext {
			with = verified.PIN(cardtest.AuthPIN)
		}
		if got, err := verified.On(reader.Local(issued.Chip), i.anchor).Items(ctx, with); err != nil || got != items {
			t.Errorf("%s: %+v %v", profile, got, err)
		}
	}
	phone := written(t, i, card.ProfileAndroid, card.Switches{})
	if _, err := verified.On(reader.Local(phone.Chip), i.anchor).Items(ctx, verified.PIN(pin)); jitsuin.CodeOf(err) != "card-application" {
		t.Errorf("a telephone: %v", err)
	}
}

// faulty is a channel to a card that goes wrong.
type faulty struct{ *fault.Shim }

func (f faulty) Transmit(_ context.Context, apdu []byte) ([]byte, error) {
	return f.Shim.Transmit(apdu)
}
func (f faulty) Close() error { return nil }
