package contents

import (
	"bytes"
	"crypto/rsa"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Face is what EF 0002 of the visual application says (券面).
type Face struct {
	BirthDate jitsuin.Date
	Sex       jitsuin.Sex
	OwnKey    *rsa.PublicKey // the visual application's
	Name      []byte         // PNG, one bit a pixel
	Address   []byte         // PNG, one bit a pixel
	Photo     []byte         // JPEG 2000 (JP2), grey; empty for a card without
	Expiry    jitsuin.Date
	Code      []byte // the security code as PNG, 24 by 12
}

// FaceToSign gives the bytes that are signed for EF 0002; Sign makes three digests of them.
func FaceToSign(f Face) ([]byte, error) {
	key, err := publicKey(f.OwnKey)
	if err != nil {
		return nil, err
	}
	return slices.Concat(object(0xDF22, basicDate(f.BirthDate)), object(0xDF23, []byte(f.Sex)), object(0xDF24, key),
		object(0xDF25, f.Name), object(0xDF26, f.Address), object(0xDF27, f.Photo)), nil
}

// FaceFile writes EF 0002: what was signed, the signature, and expiry and security code, which are
// not signed.
func FaceFile(f Face, signature []byte) ([]byte, error) {
	if len(f.Name)+len(f.Address)+len(f.Photo)+len(f.Code) > 60_000 {
		return nil, badContent("visual EF 0002", 0, "the pictures are too large")
	}
	key, err := publicKey(f.OwnKey)
	if err != nil {
		return nil, err
	}
	return withOffsets(0xFF20, 0xDF21, [][]byte{
		object(0xDF22, basicDate(f.BirthDate)), object(0xDF23, []byte(f.Sex)), object(0xDF24, key), object(0xDF25, f.Name), object(0xDF26, f.Address),
		object(0xDF27, f.Photo), object(0xDF28, signature), object(0xDF29, basicDate(f.Expiry)), object(0xDF2A, f.Code)}), nil
}

// parseFace reads EF 0002, and gives what was signed and the signature.
func parseFace(file []byte) (f Face, signed, signature []byte, err error) {
	s := newScanner("visual EF 0002", file)
	s.inside(0xFF20)
	table, _ := s.next(0xDF21)
	var at [9]int
	at[0] = s.at
	f.BirthDate = s.date(0xDF22)
	at[1] = s.at
	f.Sex = s.sex(0xDF23)
	key, begin := s.next(0xDF24)
	at[2] = begin
	f.Name, at[3] = s.next(0xDF25)
	f.Address, at[4] = s.next(0xDF26)
	f.Photo, at[5] = s.next(0xDF27)
	at[6] = s.at
	signed = s.whole[min(at[0], s.at):s.at]
	signature = s.fixed(0xDF28, signatureSize)
	at[7] = s.at
	f.Expiry = s.date(0xDF29)
	f.Code, at[8] = s.next(0xDF2A)
	s.offsets(table, at[:]...)
	if err := s.done(0xFF, maxFiller); err != nil {
		return Face{}, nil, nil, err
	}
	if f.OwnKey, err = parsePublicKey("visual EF 0002", key); err != nil {
		return Face{}, nil, nil, err
	}
	return f, signed, signature, nil
}

// ParseFace reads EF 0002 and does not verify it.
func ParseFace(file []byte) (Face, error) {
	f, _, _, err := parseFace(file)
	return f, err
}

// VerifyFace reads EF 0002 and tells whether the issuer signed it; expiry and security code are not
// signed. cvc is EF 0004.
func (a Anchor) VerifyFace(file, cvc []byte) (Face, error) {
	f, signed, signature, err := parseFace(file)
	if err != nil {
		return Face{}, err
	}
	return f, a.verify(cvc, signed, signature)
}

// verify follows a signature through the card's certificate to the anchor.
func (a Anchor) verify(cvc, signed, signature []byte) error {
	certificate, err := ParseCVC(cvc)
	if err != nil {
		return err
	}
	if err := a.Verify(certificate); err != nil {
		return err
	}
	return CheckSignature(certificate.Key, signed, signature)
}

// AgeToSign gives the bytes that are signed for EF 0001 (年齢確認).
func AgeToSign(birth jitsuin.Date, own *rsa.PublicKey) ([]byte, error) {
	key, err := publicKey(own)
	if err != nil {
		return nil, err
	}
	return append(object(0xDF11, basicDate(birth)), object(0xDF12, key)...), nil
}

// AgeFile writes EF 0001.
func AgeFile(signed, signature []byte) []byte {
	return object(0xFF10, append(bytes.Clone(signed), object(0xDF13, signature)...))
}

// VerifyAge reads EF 0001 and tells whether the issuer signed it.
func (a Anchor) VerifyAge(file, cvc []byte) (birth jitsuin.Date, own *rsa.PublicKey, err error) {
	s := newScanner("visual EF 0001", file)
	s.inside(0xFF10)
	begin := s.at
	birth = s.date(0xDF11)
	key, _ := s.next(0xDF12)
	signed := s.whole[min(begin, s.at):s.at]
	signature := s.fixed(0xDF13, signatureSize)
	if err := s.done(0xFF, maxFiller); err != nil {
		return birth, nil, err
	}
	if own, err = parsePublicKey("visual EF 0001", key); err != nil {
		return birth, nil, err
	}
	return birth, own, a.verify(cvc, signed, signature)
}

// NumberToSign gives the bytes that are signed for EF 0005: My Number as a picture (PNG, 72 by 12).
func NumberToSign(picture []byte, own *rsa.PublicKey) ([]byte, error) {
	key, err := publicKey(own)
	if err != nil {
		return nil, err
	}
	return append(object(0xDF41, picture), object(0xDF42, key)...), nil
}

// NumberFile writes EF 0005.
func NumberFile(signed, signature []byte) []byte {
	return object(0xFF40, append(bytes.Clone(signed), object(0xDF43, signature)...))
}

// VerifyNumber reads EF 0005 and tells whether the issuer signed it.
func (a Anchor) VerifyNumber(file, cvc []byte) (picture []byte, err error) {
	s := newScanner("visual EF 0005", file)
	s.inside(0xFF40)
	begin := s.at
	picture, _ = s.next(0xDF41)
	key, _ := s.next(0xDF42)
	signed := s.whole[min(begin, s.at):s.at]
	signature := s.fixed(0xDF43, signatureSize)
	if err := s.done(0xFF, maxFiller); err != nil {
		return nil, err
	}
	if _, err := parsePublicKey("visual EF 0005", key); err != nil {
		return nil, err
	}
	return picture, a.verify(cvc, signed, signature)
}

// VisualBasics is EF 0003 of the visual application (基本情報).
type VisualBasics struct {
	Key          KeyID
	Municipality jitsuin.MunicipalityCode // five digits
}

// VisualBasicsFile writes EF 0003; 272 bytes of it have an unknown use.
func VisualBasicsFile(b VisualBasics) []byte {
	return object(0xFF30, slices.Concat(object(0xDF31, []byte{0x06, 0x03, 0x0E, 0x01}), object(0xDF32, b.Key[:]), object(0xDF33, []byte{0x01}),
		object(0xDF34, []byte(b.Municipality)), object(0xDF35, unknown(272))))
}

// ParseVisualBasics reads EF 0003.
func ParseVisualBasics(file []byte) (b VisualBasics, err error) {
	s := newScanner("visual EF 0003", file)
	s.inside(0xFF30)
	s.fixed(0xDF31, 4)
	id := s.fixed(0xDF32, 16)
	s.fixed(0xDF33, 1)
	code := string(s.fixed(0xDF34, 5))
	s.fixed(0xDF35, 272)
	if s.err == nil && strings.Trim(code, "0123456789") != "" {
		s.bad("the municipality's code has five digits")
	}
	if err := s.done(0xFF, maxFiller); err != nil {
		return VisualBasics{}, err
	}
	return VisualBasics{KeyID(id), jitsuin.MunicipalityCode(code)}, nil
}
