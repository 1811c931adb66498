// Package verified reads from a card what its issuer has written beside certificates, and gives only what the
// issuer's signatures prove: the four items and My Number as text, the face as pictures, the date of birth.
//
// It owns the order of reading: which number or PIN opens what, that a signature leads to the anchor the caller
// trusts, and that the card proves by its own key that it is no copy of another card's files. It keeps nothing,
// and tries no PIN twice. What belongs to whom is the business of whoever asks: My Number is given for a lawful
// purpose alone, which is theirs to record.
package verified

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Room for files, in bytes: more than a chip has for one.
const (
	maxText = 2 << 10
	maxFace = 32 << 10
)

// Reader reads one card. After each act the issuer's domain is current, so that what was verified before or for the
// act is lost. Not for concurrent use.
type Reader struct {
	ch     reader.Channel
	anchor contents.Anchor
}

// On reads the card on a channel, which stays the caller's, and trusts an anchor.
func On(ch reader.Channel, anchor contents.Anchor) *Reader { return &Reader{ch, anchor} }

// leave ends what was verified. The card may have been taken away, or have no such domain.
func (r *Reader) leave(ctx context.Context) {
	_, _ = reader.Select(context.WithoutCancel(ctx), r.ch, card.AIDIssuer)
}

// Opener is a secret that opens what the issuer wrote. The zero Opener opens nothing.
type Opener struct {
	secret jitsuin.PIN
	what   byte
}

// What opens files.
const (
	byPIN = 1 + iota
	byA
	byB
)

// PIN opens with the four digits of the text application (券面事項入力補助用暗証番号).
func PIN(pin jitsuin.PIN) Opener { return Opener{pin, byPIN} }

// NumberA opens with check number A, My Number, as somebody does who has the card's back before them.
func NumberA(number jitsuin.MyNumber) Opener { return Opener{contents.NumberA(number), byA} }

// NumberB opens with check number B: what stands on the card's front. Errors as of contents.NumberB.
func NumberB(birth, expiry jitsuin.Date, code string) (Opener, error) {
	b, err := contents.NumberB(birth, expiry, code)
	return Opener{b, byB}, err
}

// places says in which application and files a generation of card has My Number and the four items.
type places struct {
	aid, cvcAID                           string
	pin, a, b                             uint16 // 0: it has none
	number, items, authentic, cvc, ownKey uint16
}

var (
	today = places{card.AIDText, card.AIDText, card.FileTextPIN, card.FileTextA, card.FileTextB,
		card.FileTextMyNumber, card.FileTextItems, card.FileTextAuthentic, card.FileTextCVC, card.FileTextOwnKey}
	next = places{card.AIDJPKI, card.AIDVisual, card.FileAuthPIN, 0, 0,
		card.FileNextMyNumber, card.FileNextItems, card.FileNextAuthentic, card.FileVisualCVC, 0}
)

// open finds the files of the text, reads the certificate, which is free, and shows what opens the rest.
func (r *Reader) open(ctx context.Context, with Opener) (app *reader.Application, p places, cvc []byte, err error) {
	p = today
	app, err = reader.Select(ctx, r.ch, p.aid)
	if jitsuin.CodeOf(err) == "card-application" {
		p = next
		app, err = reader.Select(ctx, r.ch, p.cvcAID)
	}
	if err != nil {
		return nil, p, nil, err
	}
	if cvc, err = app.ReadFile(ctx, p.cvc, maxText); err != nil {
		return nil, p, nil, err
	}
	if p.aid != p.cvcAID {
		if app, err = reader.Select(ctx, r.ch, p.aid); err != nil {
			return nil, p, nil, err
		}
	}
	file := map[byte]uint16{byPIN: p.pin, byA: p.a, byB: p.b}[with.what]
	if file == 0 {
		return nil, p, nil, jitsuin.Errorf(jitsuin.Unsupported, "card-opener", "this card does not open its text so")
	}
	return app, p, cvc, app.VerifyFile(ctx, file, with.secret)
}

// Tries tells how often the PIN of the text application may still be wrong; it costs none.
func (r *Reader) Tries(ctx context.Context) (int, error) {
	for _, p := range []places{today, next} {
		app, err := reader.Select(ctx, r.ch, p.aid)
		if jitsuin.CodeOf(err) == "card-application" {
			continue
		}
		if err != nil {
			return 0, err
		}
		return app.TriesOf(ctx, p.pin)
	}
	return 0, jitsuin.Errorf(jitsuin.NotFound, "card-application", "the card has no text of the face")
}

// FaceTries is the same of check number B in the visual application.
func (r *Reader) FaceTries(ctx context.Context) (int, error) {
	app, err := reader.Select(ctx, r.ch, card.AIDVisual)
	if err != nil {
		return 0, err
	}
	return app.TriesOf(ctx, card.FileVisualB)
}

// Items reads the four items with the PIN or check number B (number A opens My Number alone: Denied
// "card-security-status"). Errors: the PIN's, as of JPKI.Verify; Conflict "card-digest", "card-signature",
// "card-certificate" as of contents.Anchor; "card-copied"; Invalid "card-content".
func (r *Reader) Items(ctx context.Context, with Opener) (jitsuin.FourItems, error) {
	defer r.leave(ctx)
	app, p, cvc, err := r.open(ctx, with)
	if err != nil {
		return jitsuin.FourItems{}, err
	}
	return r.items(ctx, app, p, cvc, nil)
}

// items reads and verifies the four items, and myNumber (EF 0001) with them where it is not nil.
func (r *Reader) items(ctx context.Context, app *reader.Application, p places, cvc, myNumber []byte) (items jitsuin.FourItems, err error) {
	file, err := app.ReadFile(ctx, p.items, maxText)
	if err != nil {
		return items, err
	}
	authentic, err := app.ReadFile(ctx, p.authentic, maxText)
	if err != nil {
		return items, err
	}
	if err := r.anchor.VerifyText(myNumber, file, authentic, cvc); err != nil {
		return items, err
	}
	if err := r.prove(ctx, app, p, cvc); err != nil {
		return items, err
	}
	return contents.ParseItems(file)
}

// prove has the card show that it has the key which its issuer signed for it, where it has one.
func (r *Reader) prove(ctx context.Context, app *reader.Application, p places, cvc []byte) error {
	if p.ownKey == 0 {
		return nil
	}
	file, err := app.ReadFile(ctx, p.ownKey, maxText)
	if err != nil {
		return err
	}
	own, err := r.anchor.VerifyOwnKey(file, cvc)
	if err != nil {
		return err
	}
	return app.ProveOwn(ctx, own)
}

// MyNumber reads My Number and the four items with the PIN, for a body and a lawful purpose, which whoever calls
// it has recorded (My Number Act art. 9; Denied as of face.CheckPurpose before anything is asked of the card).
// Other errors as of Items; the check digit is looked at too.
func (r *Reader) MyNumber(ctx context.Context, pin jitsuin.PIN, body string, purpose face.Purpose) (number jitsuin.MyNumber, items jitsuin.FourItems, err error) {
	if err := face.CheckPurpose(body, purpose); err != nil {
		return "", items, err
	}
	defer r.leave(ctx)
	app, p, cvc, err := r.open(ctx, PIN(pin))
	if err != nil {
		return "", items, err
	}
	file, err := app.ReadFile(ctx, p.number, contents.MyNumberSize)
	if err != nil {
		return "", items, err
	}
	defer clear(file)
	if items, err = r.items(ctx, app, p, cvc, file); err != nil {
		return "", jitsuin.FourItems{}, err
	}
	if number, err = contents.ParseMyNumber(file); err == nil {
		_, err = face.Disclose(number, body, purpose)
	}
	if err != nil {
		return "", jitsuin.FourItems{}, err
	}
	return number, items, nil
}

// visual opens the visual application and reads a file of it, and the certificate.
func (r *Reader) visual(ctx context.Context, opener uint16, secret jitsuin.PIN, id uint16) (app *reader.Application, file, cvc []byte, err error) {
	if app, err = reader.Select(ctx, r.ch, card.AIDVisual); err != nil {
		return nil, nil, nil, err
	}
	if err = app.VerifyFile(ctx, opener, secret); err != nil {
		return nil, nil, nil, err
	}
	if file, err = app.ReadFile(ctx, id, maxFace); err != nil {
		return nil, nil, nil, err
	}
	cvc, err = app.ReadFile(ctx, card.FileVisualCVC, maxText)
	if jitsuin.CodeOf(err) == "card-security-status" { // on some cards it opens with A and B alone; the text application has it too
		if app, err = reader.Select(ctx, r.ch, card.AIDText); err == nil {
			cvc, err = app.ReadFile(ctx, card.FileTextCVC, maxText)
		}
		if err == nil {
			app, err = reader.Select(ctx, r.ch, card.AIDVisual)
		}
	}
	return app, file, cvc, err
}

// Face reads the pictures with check number A or B. Expiry and security code are not signed on real cards: they
// are the card's word. Unsupported "card-opener" for the PIN; other errors as of Items.
func (r *Reader) Face(ctx context.Context, with Opener) (contents.Face, error) {
	opener := map[byte]uint16{byA: card.FileVisualA, byB: card.FileVisualB}[with.what]
	if opener == 0 {
		return contents.Face{}, jitsuin.Errorf(jitsuin.Unsupported, "card-opener", "the face opens with check number A or B, and with nothing else")
	}
	defer r.leave(ctx)
	app, file, cvc, err := r.visual(ctx, opener, with.secret, card.FileVisualFace)
	if err != nil {
		return contents.Face{}, err
	}
	f, err := r.anchor.VerifyFace(file, cvc)
	if err == nil {
		err = app.ProveOwn(ctx, f.OwnKey)
	}
	if err != nil {
		return contents.Face{}, err
	}
	return f, nil
}

// CheckBirth asks the card whether a date of birth that somebody was told is the holder's, as checks of age do
// (年齢確認): the date in the Japanese era opens the signed one, so that one learns nothing from a card whose date
// one does not know. A wrong date is a wrong PIN and costs a try; Conflict "card-birth" for the same day of
// another era or century. Other errors as of Items.
func (r *Reader) CheckBirth(ctx context.Context, told jitsuin.Date) error {
	secret, err := contents.BirthNumber(told)
	if err != nil {
		return err
	}
	defer r.leave(ctx)
	app, file, cvc, err := r.visual(ctx, card.FileVisualBirth, secret, card.FileVisualAge)
	if err != nil {
		return err
	}
	birth, own, err := r.anchor.VerifyAge(file, cvc)
	if err != nil {
		return err
	}
	if birth != told {
		return jitsuin.Errorf(jitsuin.Conflict, "card-birth", "the date of birth is of another era")
	}
	return app.ProveOwn(ctx, own)
}

// CardNumber reads the card's number, municipality and last day, which are free and not signed.
func (r *Reader) CardNumber(ctx context.Context) (contents.CardNumber, error) {
	app, err := reader.Select(ctx, r.ch, card.AIDCommon)
	if err != nil {
		return contents.CardNumber{}, err
	}
	record, err := app.ReadRecord(ctx, card.FileCommonNumber, 1)
	if err != nil {
		return contents.CardNumber{}, err
	}
	return contents.ParseCardNumber(record)
}
