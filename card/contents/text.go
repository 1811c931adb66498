package contents

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
)

// Sizes of files of the text application, in bytes.
const (
	MyNumberSize  = 17  // EF 0001, with filler
	AuthenticSize = 336 // EF 0003
	BasicsSize    = 164 // EF 0005, padded to 256
	maxItem       = 800 // of a name or an address: 200 characters
	maxFiller     = 1024
)

// MyNumberFile writes EF 0001 of the text application: the number, and two bytes of filler.
func MyNumberFile(number jitsuin.MyNumber) []byte {
	return append(object(0xFF10, []byte(number.Reveal())), 0xFF, 0xFF)
}

// ParseMyNumber reads EF 0001. The check digit is not looked at here.
func ParseMyNumber(file []byte) (jitsuin.MyNumber, error) {
	if len(file) != MyNumberSize {
		return "", badContent("text EF 0001", 0, "it has %d bytes, not %d", len(file), MyNumberSize)
	}
	s := newScanner("text EF 0001", file)
	s.inside(0xFF10)
	number := string(s.whole[s.at:s.end])
	s.at = s.end
	if s.err == nil && (len(number) != 12 || strings.Trim(number, "0123456789") != "") {
		s.bad("no number of twelve digits")
	}
	if err := s.done(0xFF, 2); err != nil {
		return "", err
	}
	return jitsuin.MyNumber(number), nil
}

// basicDate writes YYYYMMDD.
func basicDate(d jitsuin.Date) []byte { return []byte(strings.ReplaceAll(d.String(), "-", "")) }

func (s *scanner) date(tag uint16) (d jitsuin.Date) {
	raw := string(s.fixed(tag, 8))
	if s.err != nil {
		return d
	}
	if err := d.UnmarshalText([]byte(raw[:4] + "-" + raw[4:6] + "-" + raw[6:])); err != nil {
		s.bad("object %04X is no date", tag)
	}
	return d
}

// sex reads a digit of JIS X 0303.
func (s *scanner) sex(tag uint16) jitsuin.Sex {
	sex := jitsuin.Sex(s.fixed(tag, 1))
	if s.err == nil && !sex.Valid() {
		s.bad("object %04X is no sex of JIS X 0303", tag)
	}
	return sex
}

func (s *scanner) text(tag uint16) (text string, begin int) {
	raw, begin := s.next(tag)
	if s.err == nil && (!utf8.Valid(raw) || len(raw) > maxItem || len(raw) == 0) {
		s.bad("object %04X is no text of at most %d bytes", tag, maxItem)
	}
	return string(raw), begin
}

// ItemsFile writes EF 0002 of the text application. Errors as of FourItems.Check.
func ItemsFile(items jitsuin.FourItems) ([]byte, error) {
	if err := items.Check(); err != nil {
		return nil, err
	}
	return withOffsets(0xFF20, 0xDF21, [][]byte{object(0xDF22, []byte(items.Name)), object(0xDF23, []byte(items.Address)),
		object(0xDF24, basicDate(items.BirthDate)), object(0xDF25, []byte(items.Sex))}), nil
}

// ParseItems reads EF 0002.
func ParseItems(file []byte) (items jitsuin.FourItems, err error) {
	s := newScanner("text EF 0002", file)
	s.inside(0xFF20)
	table, _ := s.next(0xDF21)
	var at [4]int
	items.Name, at[0] = s.text(0xDF22)
	items.Address, at[1] = s.text(0xDF23)
	at[2] = s.at
	items.BirthDate = s.date(0xDF24)
	at[3] = s.at
	items.Sex = s.sex(0xDF25)
	s.offsets(table, at[:]...)
	if err := s.done(0xFF, maxFiller); err != nil {
		return jitsuin.FourItems{}, err
	}
	return items, nil
}

// itemsHash is the hash of EF 0002 without its table of offsets.
func itemsHash(file []byte) ([]byte, error) {
	s := newScanner("text EF 0002", file)
	s.inside(0xFF20)
	s.next(0xDF21)
	if s.err != nil {
		return nil, s.err
	}
	sum := sha256.Sum256(s.whole[s.at:s.end])
	return sum[:], nil
}

// AuthenticToSign gives the bytes that are signed for EF 0003: the hashes of EF 0001, all seventeen
// bytes, and of EF 0002.
func AuthenticToSign(myNumber, items []byte) ([]byte, error) {
	second, err := itemsHash(items)
	if err != nil {
		return nil, err
	}
	first := sha256.Sum256(myNumber)
	return append(object(0xDF31, first[:]), object(0xDF32, second)...), nil
}

// AuthenticFile writes EF 0003.
func AuthenticFile(signed, signature []byte) []byte {
	return object(0xFF30, append(bytes.Clone(signed), object(0xDF33, signature)...))
}

// VerifyText tells whether EF 0003 is the issuer's and says what EF 0002 says; and EF 0001, where it
// was read (nil otherwise). cvc is EF 0004. Conflict "card-digest", "card-signature",
// "card-certificate" for what does not fit, each naming the file.
func (a Anchor) VerifyText(myNumber, items, authentic, cvc []byte) error {
	s := newScanner("text EF 0003", authentic)
	s.inside(0xFF30)
	begin := s.at
	first, second := s.fixed(0xDF31, 32), s.fixed(0xDF32, 32)
	signed := s.whole[min(begin, s.at):s.at]
	signature := s.fixed(0xDF33, signatureSize)
	if err := s.done(0, 0); err != nil {
		return err
	}
	if err := a.verify(cvc, signed, signature); err != nil {
		return err
	}
	want, err := itemsHash(items)
	if err != nil {
		return err
	}
	if !bytes.Equal(second, want) {
		return errDigest("EF 0002 of the text application")
	}
	if sum := sha256.Sum256(myNumber); myNumber != nil && !bytes.Equal(first, sum[:]) {
		return errDigest("EF 0001 of the text application")
	}
	return nil
}

func errDigest(file string) error {
	return jitsuin.Errorf(jitsuin.Conflict, "card-digest", "%s is not what the issuer has signed", file)
}

// TextBasicsFile writes EF 0005, AP基本情報: a version, the key id of its certificate, 128 bytes of
// unknown use; padded to the 256 bytes that a client reads.
func TextBasicsFile(key KeyID) []byte {
	b := long(0xFF40, slices.Concat(object(0xDF41, []byte{0x01, 0x03, 0x0E, 0x01}), object(0xDF42, key[:]), long(0xDF43, unknown(128))))
	return append(b, unknown(256-len(b))...)
}

// ParseTextBasics reads EF 0005: the version and the key id.
func ParseTextBasics(file []byte) (version []byte, key KeyID, err error) {
	s := newScanner("text EF 0005", file)
	s.inside(0xFF40)
	version = s.fixed(0xDF41, 4)
	id := s.fixed(0xDF42, 16)
	s.fixed(0xDF43, 128)
	if err := s.done(0xFF, 256); err != nil {
		return nil, key, err
	}
	return version, KeyID(id), nil
}

// unknown are bytes whose use nobody knows.
func unknown(n int) []byte { return bytes.Repeat([]byte{0xFF}, n) }

// SessionKeyFile writes EF 0006: the key to which session keys are encrypted.
func SessionKeyFile(key *rsa.PublicKey) ([]byte, error) {
	public, err := publicKey(key)
	if err != nil {
		return nil, err
	}
	return object(0xA1, public), nil
}

// ParseSessionKey reads EF 0006.
func ParseSessionKey(file []byte) (*rsa.PublicKey, error) {
	s := newScanner("text EF 0006", file)
	value, _ := s.next(0xA1)
	if err := s.done(0, 0); err != nil {
		return nil, err
	}
	return parsePublicKey("text EF 0006", value)
}

// OwnKeyToSign gives the bytes that are signed for EF 0007.
func OwnKeyToSign(key *rsa.PublicKey) ([]byte, error) {
	public, err := publicKey(key)
	if err != nil {
		return nil, err
	}
	return object(0xDF51, public), nil
}

// OwnKeyFile writes EF 0007: the text application's own key, signed.
func OwnKeyFile(signed, signature []byte) []byte {
	return object(0xFF50, append(bytes.Clone(signed), object(0xDF52, signature)...))
}

// VerifyOwnKey reads EF 0007 and tells whether the issuer signed it. cvc is EF 0004.
func (a Anchor) VerifyOwnKey(file, cvc []byte) (*rsa.PublicKey, error) {
	s := newScanner("text EF 0007", file)
	s.inside(0xFF50)
	begin := s.at
	public, _ := s.next(0xDF51)
	signed := s.whole[min(begin, s.at):s.at]
	signature := s.fixed(0xDF52, signatureSize)
	if err := s.done(0, 0); err != nil {
		return nil, err
	}
	if err := a.verify(cvc, signed, signature); err != nil {
		return nil, err
	}
	return parsePublicKey("text EF 0007", public)
}
