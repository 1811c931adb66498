package card

import (
	"encoding/binary"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Names of the applications (AID).
const (
	// AIDJPKI is the application of public personal authentication (公的個人認証AP).
	AIDJPKI = "\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01"
	// AIDText has My Number and the four items as text (券面事項入力補助AP).
	AIDText = "\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08"
	// AIDVisual has the card's face as pictures (券面事項確認AP).
	AIDVisual = "\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x02"
	// AIDResident is the application of the resident register (住基AP).
	AIDResident = "\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x01"
	// AIDCommon has the card's number (共通カードAP).
	AIDCommon = "\xD3\x92\x10\x00\x31\x00\x01\x01\x01\x00"
	// AIDIssuer is the issuer security domain of GlobalPlatform, current after power-on.
	AIDIssuer = "\xA0\x00\x00\x01\x51\x00\x00\x00"
)

// Files of the JPKI application. The short identifier (SFI) of a file is the last five bits of
// its identifier, in every application.
const (
	FileSignCert  uint16 = 0x0001 // 署名用電子証明書, readable after its password
	FileSignCA    uint16 = 0x0002 // 署名用CA証明書
	FileTokenInfo uint16 = 0x0006 // a serialised CK_TOKEN_INFO, 160 bytes
	FilePresence  uint16 = 0x0008 // which certificates are there: 8F or 00 for sign and auth, then 00
	FileAuthCert  uint16 = 0x000A // 利用者証明用電子証明書
	FileAuthCA    uint16 = 0x000B // 利用者証明用CA証明書
	FileAuthKey   uint16 = 0x0017
	FileAuthPIN   uint16 = 0x0018 // four digits, three tries
	FileSignKey   uint16 = 0x001A
	FileSignPIN   uint16 = 0x001B // 署名用パスワード, 6 to 16 of A-Z 0-9, five tries

	// Of the next card alone, our reading: what the text application has today.
	FileNextMyNumber  uint16 = 0x000C
	FileNextItems     uint16 = 0x000D
	FileNextAuthentic uint16 = 0x000E
)

// Files of the text application (券面事項入力補助AP).
const (
	FileTextMyNumber   uint16 = 0x0001 // 個人番号: 17 bytes
	FileTextItems      uint16 = 0x0002 // 基本4情報
	FileTextAuthentic  uint16 = 0x0003 // hashes of both, signed by the card-face CA's issuing key
	FileTextCVC        uint16 = 0x0004 // card-verifiable certificate of that key
	FileTextBasics     uint16 = 0x0005 // AP基本情報
	FileTextSessionKey uint16 = 0x0006 // public key for SET SESSION KEY
	FileTextOwnKey     uint16 = 0x0007 // public key of 0013, signed
	FileTextUnknown    uint16 = 0x0008 // sixteen FF
	FileTextPIN        uint16 = 0x0011 // four digits, three tries
	FileTextKey        uint16 = 0x0013 // the application's own key
	FileTextA          uint16 = 0x0014 // 照合番号A, opens My Number
	FileTextB          uint16 = 0x0015 // 照合番号B, opens the four items
)

// Files of the visual application (券面事項確認AP). A and B have each other's numbers here.
const (
	FileVisualAge      uint16 = 0x0001 // 年齢確認
	FileVisualFace     uint16 = 0x0002 // 券面
	FileVisualBasics   uint16 = 0x0003 // 基本情報
	FileVisualCVC      uint16 = 0x0004
	FileVisualMyNumber uint16 = 0x0005 // 個人番号 as a picture
	FileVisualUnknown  uint16 = 0x0006 // sixteen FF
	FileVisualBirth    uint16 = 0x0011 // date of birth as YYMMDD of the Japanese era, opens 0001
	FileVisualB        uint16 = 0x0012 // 照合番号B
	FileVisualA        uint16 = 0x0013 // 照合番号A
	FileVisualKey      uint16 = 0x001A // the application's own key
)

// Files of the common application (共通カードAP) and of the resident register's (住基AP).
const (
	FileCommonNumber uint16 = 0x0001 // records; the first is 製造番号, municipality and validity
	FileKeyReference uint16 = 0x0002 // sixteen bytes, in both
	FileCommonKey    uint16 = 0x0019 // key of INTERNAL AUTHENTICATE
	FilePIN          uint16 = 0x001C // four digits, three tries, in both
)

// Data objects of the issuer's domain (GET DATA).
const (
	ObjectIssuer       uint16 = 0x0042
	ObjectCard         uint16 = 0x0045 // card id, ASCII digits
	ObjectRecognition  uint16 = 0x0066 // card recognition data of GlobalPlatform
	ObjectMunicipality uint16 = 0x00F0 // five digits
	ObjectExpiry       uint16 = 0x00F2 // YYYYMMDD
	ObjectUnknown      uint16 = 0x00F7
	ObjectCVCContents  uint16 = 0x00F8
	ObjectCVC          uint16 = 0x7F21
	ObjectATR          uint16 = 0x5F51 // the contacts' ATR without its first byte
)

// Files says where the JPKI application keeps what belongs to one kind of certificate.
type Files struct {
	Certificate, CA, Key, PIN uint16
}

// FilesOf gives the files of a kind; an error of kind Invalid for a kind that does not exist.
func FilesOf(kind jitsuin.CertKind) (Files, error) {
	switch kind {
	case jitsuin.SignCert:
		return Files{FileSignCert, FileSignCA, FileSignKey, FileSignPIN}, nil
	case jitsuin.AuthCert:
		return Files{FileAuthCert, FileAuthCA, FileAuthKey, FileAuthPIN}, nil
	}
	return Files{}, jitsuin.Errorf(jitsuin.Invalid, "cert-kind", "a certificate is of kind sign or auth")
}

// Room in EFs, in bytes.
const (
	maxCertificate = 4096
	maxSmall       = 1024
	maxFace        = 24 * 1024
)

var (
	byProduction = []Role{RoleProduction}
	byTerminals  = []Role{RoleProduction, RoleCounter}
)

// after is the rule that one of these PINs was verified.
func after(pins ...uint16) rule { return rule{AnyOf: pins} }

// Shapes of files.
func binaryEF(id uint16, read rule, room int, write ...Role) *file {
	return &file{ID: id, Kind: transparent, Read: read, Max: room, Write: write}
}

func certificateEF(id uint16, read rule, certified uint16) *file {
	f := binaryEF(id, read, maxCertificate, byTerminals...)
	f.Certificate, f.Certifies = true, certified
	return f
}

func filled(f *file, content []byte) *file { f.Content = content; return f }

func pinEF(id uint16, format pinFormat, tries int, change changeWith, reset ...Role) *file {
	return &file{ID: id, Kind: pinFile, PIN: &pinState{Format: format, Max: tries, Change: change, Reset: reset}}
}

func keyEF(id uint16, alg Algorithm, use rule) *file {
	return &file{ID: id, Kind: keyFile, Key: &keyState{Algorithm: alg, Use: use}}
}

// others are files that were seen on a test card and whose use is not known: they can be selected.
func others(ids ...uint16) (all []*file) {
	for _, id := range ids {
		all = append(all, &file{ID: id, Kind: opaque})
	}
	return all
}

// sixteenFF is what files of unknown use contain.
var sixteenFF = []byte(strings.Repeat("\xFF", 16))

// jpki lays out a blank JPKI application. Keys are missing, PINs unset, certificates empty.
func jpki(p Profile, serial string) *application {
	authRead := rule{}
	if p.AuthCertNeedsPIN {
		authRead = after(FileAuthPIN)
	}
	authUse := after(FileAuthPIN)
	authUse.Terminals = []Role{RoleFace}
	app := &application{AID: []byte(AIDJPKI), Files: []*file{
		certificateEF(FileSignCert, after(FileSignPIN), FileSignKey),
		certificateEF(FileSignCA, rule{}, 0),
		filled(binaryEF(FileTokenInfo, rule{}, 160, byProduction...), tokenInfo(p, serial)),
		{ID: FilePresence, Kind: transparent, Presence: []uint16{FileSignCert, FileAuthCert}},
		binaryEF(0x0009, rule{Never: true}, 0),
		certificateEF(FileAuthCert, authRead, FileAuthKey),
		certificateEF(FileAuthCA, rule{}, 0),
		keyEF(FileAuthKey, p.Algorithm, authUse),
		pinEF(FileAuthPIN, fourDigits, 3, changeReference, byTerminals...),
		keyEF(FileSignKey, p.Algorithm, after(FileSignPIN)),
		pinEF(FileSignPIN, password, 5, changeReference, byTerminals...),
	}}
	app.Files = append(app.Files, others(0x0010, 0x0016, 0x0019, 0x001C, 0x001E)...)
	if p.Merged {
		app.Files = append(app.Files,
			binaryEF(FileNextMyNumber, after(FileAuthPIN), maxSmall, byProduction...),
			binaryEF(FileNextItems, after(FileAuthPIN), maxSmall, byTerminals...),
			binaryEF(FileNextAuthentic, after(FileAuthPIN), maxSmall, byTerminals...))
	}
	return app
}

// text lays out the 券面事項入力補助AP.
func text(s Switches) *application {
	tries := s.checkNumberTries()
	anyOf := after(FileTextPIN, FileTextA, FileTextB)
	app := &application{AID: []byte(AIDText), Own: FileTextKey, Files: []*file{
		binaryEF(FileTextMyNumber, after(FileTextPIN, FileTextA), maxSmall, byProduction...),
		binaryEF(FileTextItems, after(FileTextPIN, FileTextB), maxSmall, byTerminals...),
		binaryEF(FileTextAuthentic, anyOf, maxSmall, byTerminals...),
		binaryEF(FileTextCVC, rule{}, maxSmall, byTerminals...),
		binaryEF(FileTextBasics, rule{}, maxSmall, byProduction...),
		binaryEF(FileTextSessionKey, anyOf, maxSmall, byProduction...),
		binaryEF(FileTextOwnKey, anyOf, maxSmall, byProduction...),
		filled(binaryEF(FileTextUnknown, rule{}, 16), sixteenFF),
		pinEF(FileTextPIN, fourDigits, 3, changeReference, byTerminals...),
		pinEF(0x0012, fourDigits, 0, ""), // seen on a test card: always blocked
		keyEF(FileTextKey, RSA2048, rule{}),
		pinEF(FileTextA, twelveDigits, tries, "", byProduction...),
		pinEF(FileTextB, fourteenDigits, tries, "", byTerminals...),
	}}
	app.Files = append(app.Files, others(0x0010, 0x001C, 0x001E)...)
	return app
}

// visual lays out the 券面事項確認AP.
func visual(p Profile, s Switches) *application {
	tries := s.checkNumberTries()
	eitherNumber, basics := after(FileVisualA, FileVisualB), rule{}
	if s.VisualNeedsCheckNumber {
		basics = eitherNumber
	}
	app := &application{AID: []byte(AIDVisual), Files: []*file{
		binaryEF(FileVisualAge, after(FileVisualBirth), maxSmall, byProduction...),
		binaryEF(FileVisualFace, eitherNumber, maxFace, byTerminals...),
		binaryEF(FileVisualBasics, basics, maxSmall, byProduction...),
		binaryEF(FileVisualCVC, basics, maxSmall, byTerminals...),
		binaryEF(FileVisualMyNumber, after(FileVisualA), 2*maxSmall, byProduction...),
		filled(binaryEF(FileVisualUnknown, eitherNumber, 16), sixteenFF),
		pinEF(FileVisualBirth, sixDigits, tries, "", byProduction...),
		pinEF(FileVisualB, fourteenDigits, tries, "", byTerminals...),
		pinEF(FileVisualA, twelveDigits, tries, "", byProduction...),
	}}
	if p.Algorithm == RSA2048 { // an own key of the next card's application is not announced
		app.Own = FileVisualKey
		app.Files = append(app.Files, keyEF(FileVisualKey, RSA2048, rule{}))
	}
	return app
}

// resident lays out the 住基AP, of which a key reference and a PIN are known.
func resident() *application {
	return &application{AID: []byte(AIDResident), Files: []*file{
		binaryEF(FileKeyReference, rule{}, 16, byProduction...),
		pinEF(FilePIN, fourDigits, 3, changeKey, byTerminals...),
	}}
}

// common lays out the 共通カードAP.
func common() *application {
	key := keyEF(FileCommonKey, RSA2048, rule{})
	key.Key.Authenticates = true
	return &application{AID: []byte(AIDCommon), Files: []*file{
		{ID: FileCommonNumber, Kind: recordFile, Max: maxSmall, Write: byProduction},
		binaryEF(FileKeyReference, rule{}, 16, byProduction...),
		key,
		pinEF(FilePIN, fourDigits, 3, changeKey, byTerminals...),
	}}
}

// issuerDomain is what can be seen before an application is selected: data objects, and an EF 001E
// that can be selected and not read (observed on a test card).
func issuerDomain(p Profile) *application {
	app := &application{AID: []byte(AIDIssuer), Files: others(0x001E)}
	if p.Face {
		app.Objects = []object{{ObjectATR, []byte(atr[1:])}, {ObjectRecognition, recognition}}
	}
	return app
}

// recognition is GlobalPlatform's card recognition data (GP Card Specification 2.2, H.2): the
// OIDs of GlobalPlatform itself and of version 2.2. What a real card says is not public.
var recognition = []byte("\x73\x17\x06\x07\x2A\x86\x48\x86\xFC\x6B\x01\x60\x0C\x06\x0A\x2A\x86\x48\x86\xFC\x6B\x02\x02\x02\x02")

// tokenInfo writes EF 0006: CK_TOKEN_INFO of PKCS#11 v2.01 with big-endian numbers. Clients look
// at the label.
func tokenInfo(p Profile, serial string) []byte {
	pad := func(s string, n int) []byte {
		return append([]byte(s), strings.Repeat(" ", max(0, n-len(s)))...)[:n]
	}
	b := make([]byte, 0, 160)
	b = append(b, pad(p.Label, 32)...)
	b = append(b, pad("JITSUIN", 32)...)
	b = append(b, pad(p.Model, 16)...)
	b = append(b, pad(serial, 16)...)
	// Flags (RNG, login required, user PIN initialised, token initialised), sessions 1/0 and
	// 1/0, longest and shortest PIN, four unknown amounts of memory.
	for _, n := range []uint32{0x40D, 1, 0, 1, 0, 16, 6, ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = append(b, "0301"...)
	return append(b, strings.Repeat("9", 16)...)
}
