package newcard

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/face"
	"github.com/jitsuin/jitsuin/card/reader"
)

// faceIssuer is the card-face authority and its issuing key, for as long as a card is made.
type faceIssuer struct {
	root     contents.Anchor
	key      crypto.Signer // of the issuing key
	keyID    contents.KeyID
	cvc      []byte
	expiry   jitsuin.Date
	code     string // the security code, printed on the card
	pictures face.Person
}

func (m *maker) newFaceIssuer(expiry jitsuin.Date) (*faceIssuer, error) {
	root, err := newKey(card.RSA2048)
	if err != nil {
		return nil, err
	}
	key, err := newKey(card.RSA2048)
	if err != nil {
		return nil, err
	}
	f := &faceIssuer{root: contents.Anchor{ID: contents.NewKeyID('A', "00000001"), Key: root.Public().(*rsa.PublicKey)}, key: key,
		keyID: contents.NewKeyID('I', "00000001"), expiry: expiry,
		pictures: face.Person{ID: m.Person.ID, Items: m.Person.Items, OldSurname: m.Person.OldSurname, Alias: m.Person.Alias, PhotoOn: jitsuin.DateOf(m.Now)}}
	signed, err := contents.CVCToSign(f.root.ID, f.keyID, key.Public().(*rsa.PublicKey))
	if err != nil {
		return nil, err
	}
	signature, err := contents.Sign(root, signed)
	if err != nil {
		return nil, err
	}
	if f.cvc, err = contents.AssembleCVC(signed, signature); err != nil {
		return nil, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(10_000))
	f.code = fmt.Sprintf("%04d", n)
	return f, err
}

// signed makes the bytes and signs them with the issuing key.
func (f *faceIssuer) signed(toSign []byte, err error) (body, signature []byte, failed error) {
	if err != nil {
		return nil, nil, err
	}
	signature, err = contents.Sign(f.key, toSign)
	return toSign, signature, err
}

// files writes files in their order and stops at the first that fails.
func files(ctx context.Context, a *reader.Application, all ...content) error {
	for _, c := range all {
		if c.err != nil {
			return c.err
		}
		if err := a.Replace(ctx, c.file, c.bytes); err != nil {
			return fmt.Errorf("file %04X: %w", c.file, err)
		}
	}
	return nil
}

// content is a file that is to be written, or why it cannot be made.
type content struct {
	file  uint16
	bytes []byte
	err   error
}

// made is a content whose bytes took making.
func made(file uint16) func(b []byte, err error) content {
	return func(b []byte, err error) content { return content{file, b, err} }
}

// face writes what the card's face says into the applications beside JPKI, with their PINs and check numbers.
func (m *maker) face(ctx context.Context, channel reader.Channel, serial string, expiry jitsuin.Date) error {
	if !m.profile.Face {
		return nil
	}
	f, err := m.newFaceIssuer(expiry)
	if err != nil {
		return err
	}
	m.faceRoot = f.root
	if m.profile.Merged {
		err = m.merged(ctx, channel, f)
	} else {
		err = m.text(ctx, channel, f)
	}
	if err == nil {
		err = m.visual(ctx, channel, f)
	}
	if err == nil && !m.profile.Merged {
		err = m.numbers(ctx, channel, f, serial)
	}
	if err == nil {
		err = m.objects(ctx, channel, f)
	}
	if err != nil {
		return fmt.Errorf("write the card's face: %w", err)
	}
	return m.note(f)
}

// application selects one and shows it the terminal.
func (m *maker) application(ctx context.Context, channel reader.Channel, aid string) (*reader.Application, error) {
	a, err := reader.Select(ctx, channel, aid)
	if err == nil {
		err = a.Authenticate(ctx, m.terminal)
	}
	return a, err
}

// itemFiles are My Number, the four items and the signature over both, in files with these identifiers.
func (m *maker) itemFiles(f *faceIssuer, number, items, authentic uint16) []content {
	myNumber := contents.MyNumberFile(m.Person.MyNumber)
	four, err := contents.ItemsFile(m.Person.Items)
	if err != nil {
		return []content{{items, nil, err}}
	}
	body, signature, err := f.signed(contents.AuthenticToSign(myNumber, four))
	if err != nil {
		return []content{{authentic, nil, err}}
	}
	return []content{{number, myNumber, nil}, {items, four, nil}, {authentic, contents.AuthenticFile(body, signature), nil}}
}

// merged writes what the next card has in its JPKI application, by our reading.
func (m *maker) merged(ctx context.Context, channel reader.Channel, f *faceIssuer) error {
	a, err := m.application(ctx, channel, card.AIDJPKI)
	if err != nil {
		return err
	}
	return files(ctx, a, m.itemFiles(f, card.FileNextMyNumber, card.FileNextItems, card.FileNextAuthentic)...)
}

func (m *maker) text(ctx context.Context, channel reader.Channel, f *faceIssuer) error {
	a, err := m.application(ctx, channel, card.AIDText)
	if err != nil {
		return err
	}
	own, err := rsaKey(a.PublicKey(ctx, card.FileTextKey))
	if err != nil {
		return err
	}
	session, err := rsaKey(a.SessionKey(ctx))
	if err != nil {
		return err
	}
	body, signature, err := f.signed(contents.OwnKeyToSign(own))
	if err != nil {
		return err
	}
	all := append(m.itemFiles(f, card.FileTextMyNumber, card.FileTextItems, card.FileTextAuthentic),
		content{card.FileTextCVC, f.cvc, nil}, content{card.FileTextBasics, contents.TextBasicsFile(f.keyID), nil},
		made(card.FileTextSessionKey)(contents.SessionKeyFile(session)), content{card.FileTextOwnKey, contents.OwnKeyFile(body, signature), nil})
	if err := files(ctx, a, all...); err != nil {
		return err
	}
	return m.pins(ctx, a, f, card.FileTextPIN, card.FileTextA, card.FileTextB, 0)
}

func (m *maker) visual(ctx context.Context, channel reader.Channel, f *faceIssuer) error {
	a, err := m.application(ctx, channel, card.AIDVisual)
	if err != nil {
		return err
	}
	basics := []content{{card.FileVisualBasics, contents.VisualBasicsFile(contents.VisualBasics{Key: f.keyID, Municipality: m.Person.Municipality}), nil},
		{card.FileVisualCVC, f.cvc, nil}}
	all := basics
	if !m.profile.Merged { // the signed files name the application's own key, which the next card has not, as far as is announced
		if all, err = m.visualFiles(ctx, a, f); err != nil {
			return err
		}
		all = append(all, basics...)
	}
	if err := files(ctx, a, all...); err != nil {
		return err
	}
	return m.pins(ctx, a, f, 0, card.FileVisualA, card.FileVisualB, card.FileVisualBirth)
}

// visualFiles makes the signed files: age, face, picture of My Number.
func (m *maker) visualFiles(ctx context.Context, a *reader.Application, f *faceIssuer) ([]content, error) {
	own, err := rsaKey(a.PublicKey(ctx, card.FileVisualKey))
	if err != nil {
		return nil, err
	}
	age, ageSignature, err := f.signed(contents.AgeToSign(m.Person.Items.BirthDate, own))
	if err != nil {
		return nil, err
	}
	picture, err := face.NumberPNG(m.Person.MyNumber)
	if err != nil {
		return nil, err
	}
	number, numberSignature, err := f.signed(contents.NumberToSign(picture, own))
	if err != nil {
		return nil, err
	}
	return []content{{card.FileVisualAge, contents.AgeFile(age, ageSignature), nil}, made(card.FileVisualFace)(m.faceFile(f, own)),
		{card.FileVisualMyNumber, contents.NumberFile(number, numberSignature), nil}}, nil
}

// faceFile makes EF 0002 of the visual application, with the pictures.
func (m *maker) faceFile(f *faceIssuer, own *rsa.PublicKey) ([]byte, error) {
	p := f.pictures
	c := contents.Face{BirthDate: p.Items.BirthDate, Sex: p.Items.Sex, OwnKey: own, Expiry: f.expiry}
	var err error
	for _, draw := range []struct {
		to   *[]byte
		with func() ([]byte, error)
	}{{&c.Name, p.NamePNG}, {&c.Address, p.AddressPNG}, {&c.Photo, p.PortraitJP2}, {&c.Code, func() ([]byte, error) { return face.CodePNG(f.code) }}} {
		if *draw.to, err = draw.with(); err != nil {
			return nil, err
		}
	}
	_, signature, err := f.signed(contents.FaceToSign(c))
	if err != nil {
		return nil, err
	}
	return contents.FaceFile(c, signature)
}

// pins sets the PIN, the check numbers and the date of birth of an application; 0 for a file that it has not.
func (m *maker) pins(ctx context.Context, a *reader.Application, f *faceIssuer, pin, numberA, numberB, birth uint16) error {
	b, err := contents.NumberB(m.Person.Items.BirthDate, f.expiry, f.code)
	if err != nil {
		return err
	}
	day, err := contents.BirthNumber(m.Person.Items.BirthDate)
	if err != nil {
		return err
	}
	if !m.profile.PIN {
		pin = 0
	}
	for _, p := range []struct {
		file uint16
		pin  jitsuin.PIN
	}{{pin, m.PINs[jitsuin.AuthCert]}, {numberA, contents.NumberA(m.Person.MyNumber)}, {numberB, b}, {birth, day}} {
		if p.file == 0 {
			continue
		}
		if err := a.SetFile(ctx, p.file, p.pin); err != nil {
			return fmt.Errorf("PIN %04X: %w", p.file, err)
		}
	}
	return nil
}

// numbers writes the applications of the card's number and of the resident register.
func (m *maker) numbers(ctx context.Context, channel reader.Channel, f *faceIssuer, serial string) error {
	record, err := contents.CardNumber{Serial: serial[1:], Municipality: m.Person.Municipality, Expiry: f.expiry}.Record()
	if err != nil {
		return err
	}
	for _, aid := range []string{card.AIDCommon, card.AIDResident} {
		a, err := m.application(ctx, channel, aid)
		if err == nil && aid == card.AIDCommon {
			err = a.WriteRecord(ctx, card.FileCommonNumber, 1, record)
		}
		if err == nil {
			err = files(ctx, a, content{card.FileKeyReference, f.keyID[:], nil})
		}
		if err == nil && m.profile.PIN {
			err = a.SetFile(ctx, card.FilePIN, m.PINs[jitsuin.AuthCert])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// objects writes what the issuer's domain says before anything is selected.
func (m *maker) objects(ctx context.Context, channel reader.Channel, f *faceIssuer) error {
	a, err := m.application(ctx, channel, card.AIDIssuer)
	if err != nil {
		return err
	}
	y, mo, d := f.expiry.Year, f.expiry.Month, f.expiry.Day
	for tag, value := range map[uint16][]byte{card.ObjectMunicipality: []byte(m.Person.Municipality), card.ObjectExpiry: fmt.Appendf(nil, "%04d%02d%02d", y, mo, d), card.ObjectCVC: f.cvc} {
		if err := a.PutData(ctx, tag, value); err != nil {
			return fmt.Errorf("object %04X: %w", tag, err)
		}
	}
	return nil
}

// printed is what stands on the front of the card and opens check number B, for whoever tests with it.
type printed struct {
	Expiry       string `json:"expiry"`
	SecurityCode string `json:"security_code"`
	// The key that card-face signatures lead to.
	FaceAuthority string `json:"face_authority"` // modulus, hex; the exponent is 65537
}

// note writes what is printed on the card into its folder; My Number is not among it.
func (m *maker) note(f *faceIssuer) error {
	b, err := json.MarshalIndent(printed{f.expiry.String(), f.code, fmt.Sprintf("%x", f.root.Key.N)}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.dir, "printed.json"), append(b, '\n'), 0o600)
}

func rsaKey(key crypto.PublicKey, err error) (*rsa.PublicKey, error) {
	k, ok := key.(*rsa.PublicKey)
	if err == nil && !ok {
		err = jitsuin.Errorf(jitsuin.Internal, "key-algorithm", "the application's own key is no RSA key")
	}
	return k, err
}
