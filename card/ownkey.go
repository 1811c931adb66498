package card

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jitsuin/jitsuin"
)

// BatchKeys are the keys that applications have of their own: they sign without a PIN and answer
// INTERNAL AUTHENTICATE, so that a terminal knows a chip from a copy of its files. All chips of one
// production batch share them, as attestation keys elsewhere are shared, so that nobody can follow
// a card by its key; what real cards do is not known. They print as "card.BatchKeys".
type BatchKeys struct{ pkcs8 map[string][]byte }

// The applications' own keys: of the text, the visual and the common application, and the one that
// opens session keys.
const (
	ownText    = "text"
	ownVisual  = "visual"
	ownCommon  = "common"
	ownSession = "session"
)

var ownKeys = []string{ownText, ownVisual, ownCommon, ownSession}

// NewBatchKeys makes the keys of a new batch (RSA-2048). It takes about half a second.
func NewBatchKeys() (*BatchKeys, error) {
	made, errs := make([][]byte, len(ownKeys)), make([]error, len(ownKeys))
	var all sync.WaitGroup
	for i := range ownKeys {
		all.Go(func() { made[i], errs[i] = newPrivateKey(RSA2048) })
	}
	all.Wait()
	b := &BatchKeys{map[string][]byte{}}
	for i, name := range ownKeys {
		b.pkcs8[name] = made[i]
	}
	return b, errors.Join(errs...)
}

// Format writes "card.BatchKeys" for every verb.
func (b *BatchKeys) Format(s fmt.State, _ rune) { io.WriteString(s, "card.BatchKeys") }

// Encode gives the keys in plain, for the memory of the maker of chips and nothing else.
func (b *BatchKeys) Encode() ([]byte, error) { return json.Marshal(b.pkcs8) }

// ParseBatchKeys reads what Encode wrote.
func ParseBatchKeys(encoded []byte) (*BatchKeys, error) {
	b := &BatchKeys{}
	err := json.Unmarshal(encoded, &b.pkcs8)
	for _, name := range ownKeys {
		if err == nil {
			_, err = (&keyPair{PKCS8: b.pkcs8[name]}).key()
		}
	}
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Internal, "batch-keys", "the keys of a batch of chips cannot be read: %w", err)
	}
	return b, nil
}

// layInto gives the applications of a blank chip their own keys.
func (b *BatchKeys) layInto(im *image) {
	if b == nil {
		return
	}
	for aid, own := range map[string]struct {
		file uint16
		name string
	}{AIDText: {FileTextKey, ownText}, AIDVisual: {FileVisualKey, ownVisual}, AIDCommon: {FileCommonKey, ownCommon}} {
		app := im.application([]byte(aid))
		if app == nil {
			continue
		}
		if f := app.file(own.file); f != nil && f.Key != nil {
			f.Key.Active = &keyPair{PKCS8: b.pkcs8[own.name]}
		}
		if aid == AIDText {
			app.Session = &keyPair{PKCS8: b.pkcs8[ownSession]}
		}
	}
}

// internalAuthenticate is INTERNAL AUTHENTICATE (00 88): the key signs the terminal's challenge of 1
// to 255 bytes, PKCS #1 v1.5 with SHA-256. No PIN is needed.
func (c *Chip) internalAuthenticate(cmd Command) ([]byte, SW) {
	if cmd.P1 != 0 {
		return nil, SWWrongP1P2
	}
	f, sw := c.byReference(cmd.P2)
	switch {
	case sw != SWOK:
		return nil, sw
	case f.Kind != keyFile || !f.Key.Authenticates:
		return nil, SWIncompatibleFile
	case len(cmd.Data) == 0:
		return nil, SWWrongLength
	case !c.session.allows(f.Key.Use):
		return nil, SWSecurityStatus
	}
	return c.sign(f.Key.Active, 0x03, cmd)
}

// setPublicICKey is SET PUBLIC IC KEY (80 A2), by which a terminal of another body shows its
// card-verifiable certificate. That it needs extended lengths and 307 bytes was observed; which P1
// and P2 it takes was not found, so every try gets 6A86.
func (c *Chip) setPublicICKey(cmd Command) ([]byte, SW) {
	if !cmd.Extended || len(cmd.Data) != 307 {
		return nil, SWWrongLength
	}
	return nil, SWWrongP1P2
}

// sessionTemplate is what SET SESSION KEY wraps: A0 22 { 80 20 key }.
const sessionTemplate = "\xA0\x22\x80\x20"

// setSessionKey is SET SESSION KEY (80 AE): the text application takes a key of 32 bytes in a
// template, encrypted to it by RSA-OAEP with SHA-256, after a PIN or check number. What the key is
// good for then is not known: this chip checks it and goes on without secure messaging.
func (c *Chip) setSessionKey(cmd Command) ([]byte, SW) {
	app := c.session.app
	switch string(app.AID) {
	case AIDCommon, AIDVisual:
		return nil, SWNoSessionKey
	case AIDText:
	default:
		return nil, SWSecurityStatus
	}
	switch {
	case cmd.P1 != 0 || cmd.P2 != 0:
		return nil, SWWrongP1P2
	case !c.session.allows(after(FileTextPIN, FileTextA, FileTextB)):
		return nil, SWSecurityStatus
	case app.Session == nil:
		return nil, SWReferencedNotFound
	}
	signer, err := app.Session.key()
	if err != nil {
		return nil, SWMemoryFailure
	}
	key, ok := signer.(*rsa.PrivateKey)
	if !ok {
		return nil, SWFunction
	}
	if len(cmd.Data) != rsaBytes {
		return nil, SWWrongLength
	}
	plain, err := rsa.DecryptOAEP(sha256.New(), rand.Reader, key, cmd.Data, nil)
	defer clear(plain)
	if err != nil || len(plain) != 36 || string(plain[:4]) != sessionTemplate {
		return nil, SWWrongData
	}
	return nil, SWOK
}

// lastCommand is 80 FC 00 00, by which a client tells an iPhone that it is done; others answer 6700.
func (c *Chip) lastCommand(cmd Command) ([]byte, SW) {
	p, err := ProfileNamed(c.image.Profile)
	if err != nil || !p.LastCommand || len(cmd.Data) > 0 {
		return nil, SWWrongLength
	}
	if cmd.P1 != 0 || cmd.P2 != 0 {
		return nil, SWWrongP1P2
	}
	return nil, SWOK
}
