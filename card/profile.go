package card

import (
	"encoding/binary"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// AIDJPKI names the application of public personal authentication (公的個人認証AP).
const AIDJPKI = "\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01"

// aidISD names the issuer security domain, the application that is current after power-on.
const aidISD = "\xA0\x00\x00\x01\x51\x00\x00\x00"

// Files of the JPKI application. Their short identifiers (SFI) are the last five bits.
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

// maxCertificate is the room in a certificate EF, in bytes.
const maxCertificate = 4096

// jpki lays out a blank JPKI application. Keys are missing, PINs unset, certificates empty.
func jpki(serial string) *application {
	key := func(id, pin uint16) *file {
		return &file{ID: id, Kind: keyFile, Key: &keyState{Algorithm: RSA2048, Use: rule{AnyOf: []uint16{pin}}}}
	}
	cert := func(id uint16, read rule, certified uint16) *file {
		return &file{ID: id, Kind: transparent, Read: read, Write: []Role{RoleProduction, RoleCounter},
			Max: maxCertificate, Certificate: true, Certifies: certified}
	}
	return &application{AID: []byte(AIDJPKI), Files: []*file{
		cert(FileSignCert, rule{AnyOf: []uint16{FileSignPIN}}, FileSignKey),
		cert(FileSignCA, rule{}, 0),
		{ID: FileTokenInfo, Kind: transparent, Content: tokenInfo(serial), Max: 160, Write: []Role{RoleProduction}},
		{ID: FilePresence, Kind: transparent, Presence: []uint16{FileSignCert, FileAuthCert}},
		cert(FileAuthCert, rule{}, FileAuthKey),
		cert(FileAuthCA, rule{}, 0),
		key(FileAuthKey, FileAuthPIN),
		{ID: FileAuthPIN, Kind: pinFile, PIN: &pinState{Format: fourDigits, Max: 3}},
		key(FileSignKey, FileSignPIN),
		{ID: FileSignPIN, Kind: pinFile, PIN: &pinState{Format: password, Max: 5}},
	}}
}

// issuerDomain is what can be seen before an application is selected: an EF 001E that can be
// selected and not read (observed on a test card).
func issuerDomain() *application {
	return &application{AID: []byte(aidISD), Files: []*file{{ID: 0x001E, Kind: opaque}}}
}

// tokenInfo writes EF 0006: CK_TOKEN_INFO of PKCS#11 v2.01 with big-endian numbers. Clients look
// at the label: JPKIAPICCTOKEN2 is the Individual Number Card.
func tokenInfo(serial string) []byte {
	pad := func(s string, n int) []byte {
		return append([]byte(s), strings.Repeat(" ", max(0, n-len(s)))...)[:n]
	}
	b := make([]byte, 0, 160)
	b = append(b, pad("JPKIAPICCTOKEN2", 32)...)
	b = append(b, pad("JITSUIN", 32)...)
	b = append(b, pad("JITSUIN1", 16)...)
	b = append(b, pad(serial, 16)...)
	// Flags (RNG, login required, user PIN initialised, token initialised), sessions 1/0 and
	// 1/0, longest and shortest PIN, four unknown amounts of memory.
	for _, n := range []uint32{0x40D, 1, 0, 1, 0, 16, 6, ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = append(b, "0301"...)
	return append(b, strings.Repeat("9", 16)...)
}
