package card

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"io"

	"github.com/jitsuin/jitsuin"
)

const proveDomain = "JITSUIN-INTERNAL-AUTHENTICATE-v1\x00"

// proveFree is INTERNAL AUTHENTICATE (00 88 00 P2) inside an application of the free area: the P-256 key in key file P2
// (80 the current EF, 80|sfi) signs a challenge of 16 to 255 bytes. r ‖ s over SHA-256("JITSUIN-INTERNAL-AUTHENTICATE-v1" ‖ 00 ‖
// length and name of the application ‖ challenge), so that no challenge is a message of anybody's.
func (c *Chip) proveFree(cmd Command) ([]byte, SW) {
	if cmd.P1 != 0 {
		return nil, SWWrongP1P2
	}
	key, sw := c.freeKey(c.session.app, cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case len(cmd.Data) < challengeMin || len(cmd.Data) > 255 || cmd.Le < signatureSize:
		return nil, SWWrongLength
	}
	signature, err := signRaw(rand.Reader, key, proveDomain, readerBody(c.session.app.AID, cmd.Data))
	if err != nil {
		return nil, SWFunction
	}
	return signature, SWOK
}

// freeKey finds a key of an application of the free area that may be used now.
func (c *Chip) freeKey(app *application, p2 byte) (*ecdsa.PrivateKey, SW) {
	var f *file
	sw := SWOK
	if app == c.session.app {
		f, sw = c.byReference(p2)
	} else if f = app.file(uint16(p2 & 0x1F)); p2&0xE0 != 0x80 || f == nil {
		sw = SWFileNotFound
	}
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != keyFile:
		return nil, SWIncompatibleFile
	case app == c.session.app && !c.session.allows(f.Key.Use):
		return nil, SWSecurityStatus
	case f.Key.Active == nil:
		return nil, SWReferencedNotFound
	}
	signer, err := f.Key.Active.key()
	key, ok := signer.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, SWMemoryFailure
	}
	return key, SWOK
}

// freePublicKey is GENERATE ASYMMETRIC KEY PAIR with P1 81: the public key of an application of the free area, of the one
// that is selected, or in the issuer's domain of the provider's.
func (c *Chip) freePublicKey(cmd Command) ([]byte, SW) {
	if cmd.P1 != accessPublicKey {
		return nil, SWWrongP1P2
	}
	app := c.session.app
	if app.Free == nil {
		if !c.may(OpPersonalise) {
			return nil, SWSecurityStatus
		}
		at := c.image.free(c.session.provider.AID)
		if at < 0 {
			return nil, SWReferencedNotFound
		}
		app = c.image.Applications[at]
	}
	key, sw := c.freeKey(app, cmd.P2)
	if sw != SWOK {
		return nil, sw
	}
	out, err := marshalPublicKey(&key.PublicKey)
	switch {
	case err != nil:
		return nil, SWFunction
	case len(cmd.Data) > 0 || cmd.Le < len(out):
		return nil, SWWrongLength
	}
	return out, SWOK
}

// ParseFreePublicKey reads what the chip gives as the public key of an application of the free area.
func ParseFreePublicKey(template []byte) (*ecdsa.PublicKey, error) {
	head := templateTag + string([]byte{pointSize + 2, pointTag, pointSize})
	if len(template) != len(head)+pointSize || string(template[:len(head)]) != head {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "public-key-template", "this is no public key template of ISO 7816-8 with a point on P-256")
	}
	key, err := decodePoint(template[len(head):])
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "public-key-template", "the template has no point on P-256: %w", err)
	}
	return key, nil
}

// VerifyFree checks the answer to INTERNAL AUTHENTICATE inside an application of the free area.
func VerifyFree(public *ecdsa.PublicKey, aid, challenge, answer []byte) bool {
	return verifyRaw(public, proveDomain, readerBody(aid, challenge), answer)
}

// NewChallenge draws the 32 bytes that a reader has signed. random is crypto/rand.Reader but in tests.
func NewChallenge(random io.Reader) ([]byte, error) {
	b := make([]byte, sha256.Size)
	_, err := io.ReadFull(random, b)
	return b, err
}
