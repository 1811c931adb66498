package reader

import (
	"context"
	"encoding/binary"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// JPKI is the application of public personal authentication on a card.
type JPKI struct{ *Application }

// SelectJPKI selects the application. NotFound "card-application" where the card has none.
func SelectJPKI(ctx context.Context, ch Channel) (*JPKI, error) {
	app, err := Select(ctx, ch, card.AIDJPKI)
	if jitsuin.CodeOf(err) == "card-application" {
		err = jitsuin.Errorf(jitsuin.NotFound, "card-application", "this card has no JPKI application")
	}
	if err != nil {
		return nil, err
	}
	return &JPKI{app}, nil
}

// Certificate reads a resident's certificate, DER. The signature certificate needs its password
// verified first (Denied). NotFound "certificate-missing" where the card carries none.
func (j *JPKI) Certificate(ctx context.Context, kind jitsuin.CertKind) ([]byte, error) {
	files, err := card.FilesOf(kind)
	if err != nil {
		return nil, err
	}
	return j.readCertificate(ctx, files.Certificate)
}

// CACertificate reads the certificate of the CA that issues this kind, DER.
func (j *JPKI) CACertificate(ctx context.Context, kind jitsuin.CertKind) ([]byte, error) {
	files, err := card.FilesOf(kind)
	if err != nil {
		return nil, err
	}
	return j.readCertificate(ctx, files.CA)
}

// readCertificate reads the four bytes that tell the length, then everything.
func (j *JPKI) readCertificate(ctx context.Context, id uint16) ([]byte, error) {
	const what = "read a certificate"
	if err := j.SelectFile(ctx, id); err != nil {
		return nil, err
	}
	head, err := j.read(ctx, what, 0, 4)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "certificate-missing", "the card carries no certificate of this kind")
	}
	if len(head) < 4 || head[0] != 0x30 || head[1] != 0x82 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-form", "the card's certificate file holds no certificate")
	}
	size := 4 + int(binary.BigEndian.Uint16(head[2:]))
	der, err := j.read(ctx, what, 0, size)
	if err != nil {
		return nil, err
	}
	if len(der) < size {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-form", "the certificate on the card has %d of %d bytes", len(der), size)
	}
	return der, nil
}

// Present tells which certificates the card carries, without any PIN.
func (j *JPKI) Present(ctx context.Context) (map[jitsuin.CertKind]bool, error) {
	if err := j.SelectFile(ctx, card.FilePresence); err != nil {
		return nil, err
	}
	b, err := j.read(ctx, "read which certificates are there", 0, 3)
	if err != nil {
		return nil, err
	}
	if len(b) < 2 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "card-data", "EF 0008 has %d bytes", len(b))
	}
	return map[jitsuin.CertKind]bool{jitsuin.SignCert: b[0] != 0, jitsuin.AuthCert: b[1] != 0}, nil
}

// TokenKind is what sort of device carries the application.
type TokenKind string

const (
	TokenCard        TokenKind = "individual-number-card" // 個人番号カード
	TokenResidentOld TokenKind = "basic-resident-card"    // 住民基本台帳カード, no longer issued
	TokenAndroid     TokenKind = "android"
	TokenIPhone      TokenKind = "iphone"
	TokenUnknown     TokenKind = "unknown"
)

// TokenInfo is EF 0006, the card's CK_TOKEN_INFO.
type TokenInfo struct {
	Label, Manufacturer, Model, Serial string
	Kind                               TokenKind
}

// TokenInfo reads what the card says of itself; no PIN is needed. A device may keep only the
// label, then the rest is "".
func (j *JPKI) TokenInfo(ctx context.Context) (TokenInfo, error) {
	if err := j.SelectFile(ctx, card.FileTokenInfo); err != nil {
		return TokenInfo{}, err
	}
	b, err := j.read(ctx, "read the token information", 0, 160)
	if err != nil {
		return TokenInfo{}, err
	}
	text := func(from, to int) string {
		return strings.TrimRight(string(b[min(from, len(b)):min(to, len(b))]), " \x00")
	}
	t := TokenInfo{Label: text(0, 32), Manufacturer: text(32, 64), Model: text(64, 80), Serial: text(80, 96), Kind: TokenKindOf(text(0, 32))}
	return t, nil
}

// TokenKindOf tells what kind of device has a label.
func TokenKindOf(label string) TokenKind {
	switch label {
	case "JPKIAPICCTOKEN2":
		return TokenCard
	case "JPKIAPICCTOKEN":
		return TokenResidentOld
	case "JPKIAPGPSETOKEN":
		return TokenAndroid
	case "JPKIAPIOSTOKEN":
		return TokenIPhone
	}
	return TokenUnknown
}
