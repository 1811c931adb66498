// Package production writes the contents of a card's face into its chip: what is in package
// card/contents, by APDUs, after EXTERNAL AUTHENTICATE.
//
// It owns the order of the files and which number opens which. Everything is written as a whole,
// file by file, so that it can be begun again after a crash at any place. It knows no register and
// no key store: the person, the numbers and a signer are given.
package production

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Face is what one card says besides its certificates.
type Face struct {
	Person       face.Person
	MyNumber     jitsuin.MyNumber
	Number       string // 製造番号, fifteen digits
	Code         string // the security code, four digits
	Municipality jitsuin.MunicipalityCode
	Expires      jitsuin.Date
}

// Signer signs what readers verify (券面署名).
type Signer interface {
	// Certificate gives the card-verifiable certificate of the key, and the key's id.
	Certificate() ([]byte, contents.KeyID)
	// Sign signs bytes of a ToSign function of package contents.
	Sign(ctx context.Context, signed []byte) ([]byte, error)
}

// writer writes one card.
type writer struct {
	ch       reader.Channel
	terminal reader.Terminal
	face     Face
	signer   Signer
	cvc      []byte
	key      contents.KeyID
}

// Write writes every file of the face, and sets the check numbers. Applications that the card's
// profile has not are left out. The terminal must be one of production.
func Write(ctx context.Context, ch reader.Channel, terminal reader.Terminal, f Face, signer Signer) error {
	w := &writer{ch: ch, terminal: terminal, face: f, signer: signer}
	w.cvc, w.key = signer.Certificate()
	for _, step := range []struct {
		aid   string
		write func(context.Context, *reader.Application) error
	}{{card.AIDText, w.text}, {card.AIDVisual, w.visual}, {card.AIDResident, w.resident}, {card.AIDCommon, w.common}, {card.AIDJPKI, w.merged}, {card.AIDIssuer, w.objects}} {
		app, err := reader.Select(ctx, ch, step.aid)
		if jitsuin.CodeOf(err) == "card-application" {
			continue
		}
		if err == nil {
			err = app.Authenticate(ctx, terminal)
		}
		if err == nil {
			err = step.write(ctx, app)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// signed makes a file of what is to be signed.
func (w *writer) signed(ctx context.Context, signed []byte, err error) (tbs, signature []byte, _ error) {
	if err != nil {
		return nil, nil, err
	}
	signature, err = w.signer.Sign(ctx, signed)
	return signed, signature, err
}

// file is an EF with its content.
type file struct {
	id      uint16
	content []byte
}

func replace(ctx context.Context, app *reader.Application, files ...file) error {
	for _, f := range files {
		if err := app.Replace(ctx, f.id, f.content); err != nil {
			return err
		}
	}
	return nil
}

// items makes the files of the four items and of what proves them.
func (w *writer) items(ctx context.Context) (number, items, authentic []byte, err error) {
	number = contents.MyNumberFile(w.face.MyNumber)
	if items, err = contents.ItemsFile(w.face.Person.Items); err != nil {
		return nil, nil, nil, err
	}
	tbs, err := contents.AuthenticToSign(number, items)
	tbs, signature, err := w.signed(ctx, tbs, err)
	return number, items, contents.AuthenticFile(tbs, signature), err
}

// rsaKey asks the card for the public key of a key file, or for the one of session keys.
func rsaKey(public crypto.PublicKey, err error) (*rsa.PublicKey, error) {
	if err != nil {
		return nil, err
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "key-algorithm", "the card's own key is not RSA")
	}
	return key, nil
}

func (w *writer) text(ctx context.Context, app *reader.Application) error {
	number, items, authentic, err := w.items(ctx)
	if err != nil {
		return err
	}
	session, err := rsaKey(app.SessionKey(ctx))
	if err != nil {
		return err
	}
	sessionFile, err := contents.SessionKeyFile(session)
	if err != nil {
		return err
	}
	own, err := rsaKey(app.PublicKey(ctx, card.FileTextKey))
	if err != nil {
		return err
	}
	tbs, err := contents.OwnKeyToSign(own)
	tbs, signature, err := w.signed(ctx, tbs, err)
	if err != nil {
		return err
	}
	err = replace(ctx, app, file{card.FileTextMyNumber, number}, file{card.FileTextItems, items}, file{card.FileTextAuthentic, authentic}, file{card.FileTextCVC, w.cvc},
		file{card.FileTextBasics, contents.TextBasicsFile(w.key)}, file{card.FileTextSessionKey, sessionFile}, file{card.FileTextOwnKey, contents.OwnKeyFile(tbs, signature)})
	if err != nil {
		return err
	}
	return w.checkNumbers(ctx, app, card.FileTextA, card.FileTextB)
}

// checkNumbers sets A and B where an application has them.
func (w *writer) checkNumbers(ctx context.Context, app *reader.Application, a, b uint16) error {
	numberB, err := contents.NumberB(w.face.Person.Items.BirthDate, w.face.Expires, w.face.Code)
	if err != nil {
		return err
	}
	return errors.Join(app.SetFile(ctx, a, contents.NumberA(w.face.MyNumber)), app.SetFile(ctx, b, numberB))
}

// pictures draws the face for the chip.
func (w *writer) pictures() (f contents.Face, number []byte, err error) {
	p := w.face.Person
	f = contents.Face{BirthDate: p.Items.BirthDate, Sex: p.Items.Sex, Expiry: w.face.Expires}
	for _, draw := range []struct {
		into *[]byte
		with func() ([]byte, error)
	}{{&f.Name, p.NamePNG}, {&f.Address, p.AddressPNG}, {&f.Photo, p.PortraitJP2}, {&f.Code, func() ([]byte, error) { return face.CodePNG(w.face.Code) }},
		{&number, func() ([]byte, error) { return face.NumberPNG(w.face.MyNumber) }}} {
		if *draw.into, err = draw.with(); err != nil {
			return f, nil, err
		}
	}
	return f, number, nil
}

func (w *writer) visual(ctx context.Context, app *reader.Application) error {
	f, picture, err := w.pictures()
	if err != nil {
		return err
	}
	f.OwnKey, err = rsaKey(app.PublicKey(ctx, card.FileVisualKey))
	if jitsuin.CodeOf(err) == "card-file" {
		return w.visualBasics(ctx, app) // the next card: the signed files name an own key, which it has not, as far as is announced
	}
	if err != nil {
		return err
	}
	tbs, err := contents.AgeToSign(f.BirthDate, f.OwnKey)
	age, ageSignature, err := w.signed(ctx, tbs, err)
	if err != nil {
		return err
	}
	tbs, err = contents.NumberToSign(picture, f.OwnKey)
	number, numberSignature, err := w.signed(ctx, tbs, err)
	if err != nil {
		return err
	}
	tbs, err = contents.FaceToSign(f)
	_, faceSignature, err := w.signed(ctx, tbs, err)
	if err != nil {
		return err
	}
	whole, err := contents.FaceFile(f, faceSignature)
	if err != nil {
		return err
	}
	err = replace(ctx, app, file{card.FileVisualAge, contents.AgeFile(age, ageSignature)}, file{card.FileVisualFace, whole},
		file{card.FileVisualMyNumber, contents.NumberFile(number, numberSignature)})
	if err != nil {
		return err
	}
	return w.visualBasics(ctx, app)
}

// visualBasics writes what is not about the face, and sets what opens the rest.
func (w *writer) visualBasics(ctx context.Context, app *reader.Application) error {
	err := replace(ctx, app, file{card.FileVisualBasics, contents.VisualBasicsFile(contents.VisualBasics{Key: w.key, Municipality: w.face.Municipality})},
		file{card.FileVisualCVC, w.cvc})
	if err != nil {
		return err
	}
	birth, err := contents.BirthNumber(w.face.Person.Items.BirthDate)
	if err != nil {
		return err
	}
	return errors.Join(app.SetFile(ctx, card.FileVisualBirth, birth), w.checkNumbers(ctx, app, card.FileVisualA, card.FileVisualB))
}

func (w *writer) resident(ctx context.Context, app *reader.Application) error {
	return replace(ctx, app, file{card.FileKeyReference, w.key[:]})
}

func (w *writer) record() ([]byte, error) {
	return contents.CardNumber{Serial: w.face.Number, Municipality: w.face.Municipality, Expiry: w.face.Expires}.Record()
}

func (w *writer) common(ctx context.Context, app *reader.Application) error {
	record, err := w.record()
	if err != nil {
		return err
	}
	return errors.Join(app.WriteRecord(ctx, card.FileCommonNumber, 1, record), replace(ctx, app, file{card.FileKeyReference, w.key[:]}))
}

// merged writes what the next card has in its JPKI application, and nothing into today's.
func (w *writer) merged(ctx context.Context, app *reader.Application) error {
	if err := app.SelectFile(ctx, card.FileNextItems); err != nil {
		if jitsuin.CodeOf(err) == "card-file" {
			return nil
		}
		return err
	}
	number, items, authentic, err := w.items(ctx)
	if err != nil {
		return err
	}
	return replace(ctx, app, file{card.FileNextMyNumber, number}, file{card.FileNextItems, items}, file{card.FileNextAuthentic, authentic})
}

// objects writes the data objects of the issuer's domain.
func (w *writer) objects(ctx context.Context, app *reader.Application) error {
	parsed, err := contents.ParseCVC(w.cvc)
	if err != nil {
		return err
	}
	record, err := w.record()
	if err != nil {
		return err
	}
	for _, o := range []file{{card.ObjectIssuer, []byte("JPKI-TEST")}, {card.ObjectCard, []byte(w.face.Number)}, {card.ObjectMunicipality, []byte(w.face.Municipality)},
		{card.ObjectExpiry, record[22:]}, {card.ObjectCVC, w.cvc}, {card.ObjectCVCContents, parsed.Body()}} {
		if err := app.PutData(ctx, o.id, o.content); err != nil {
			return err
		}
	}
	return nil
}
