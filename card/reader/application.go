package reader

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// Application is a selected application of a card. It borrows the channel and does not close it.
// What was verified or authenticated in it lasts until another application is selected or the card
// is reset. Not for concurrent use.
type Application struct{ ch Channel }

// Select selects the application with a name (card.AIDText and the others). NotFound
// "card-application" where the card has none.
func Select(ctx context.Context, ch Channel, aid string) (*Application, error) {
	const what = "select an application of the card"
	_, sw, err := send(ctx, ch, what, card.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: []byte(aid)})
	switch {
	case err != nil:
		return nil, err
	case sw == card.SWFileNotFound:
		return nil, jitsuin.Errorf(jitsuin.NotFound, "card-application", "this card has no application %X", aid)
	case sw != card.SWOK:
		return nil, statusError(what, sw)
	}
	return &Application{ch}, nil
}

// SelectFile makes an EF current.
func (a *Application) SelectFile(ctx context.Context, id uint16) error {
	_, err := must(ctx, a.ch, "select a file of the card", card.Command{INS: 0xA4, P1: 0x02, P2: 0x0C,
		Data: binary.BigEndian.AppendUint16(nil, id)})
	return err
}

// ReadFile reads an EF from its beginning: up to size bytes, fewer where it ends before. Denied
// "card-security-status" where a PIN has to be verified first.
func (a *Application) ReadFile(ctx context.Context, id uint16, size int) ([]byte, error) {
	if err := a.SelectFile(ctx, id); err != nil {
		return nil, err
	}
	return a.read(ctx, "read a file of the card", 0, size)
}

// read gives up to size bytes of the current EF from offset; fewer at its end.
func (a *Application) read(ctx context.Context, what string, offset, size int) ([]byte, error) {
	var out []byte
	for len(out) < size {
		at := offset + len(out)
		if at > 0x7FFF {
			break
		}
		piece, sw, err := send(ctx, a.ch, what, card.Command{INS: 0xB0, P1: byte(at >> 8), P2: byte(at), Le: min(size-len(out), 256)})
		if err != nil {
			return nil, err
		}
		if sw == card.SWWrongOffset {
			break
		}
		if sw != card.SWOK {
			return nil, statusError(what, sw)
		}
		if len(piece) == 0 {
			break
		}
		out = append(out, piece...)
	}
	return out, nil
}

// ReadRecord reads record n, from 1, of a file of records.
func (a *Application) ReadRecord(ctx context.Context, id uint16, n byte) ([]byte, error) {
	if err := a.SelectFile(ctx, id); err != nil {
		return nil, err
	}
	return must(ctx, a.ch, "read a record of the card", card.Command{INS: 0xB2, P1: n, P2: 0x04, Le: 256})
}

// GetData reads a data object of the issuer's domain, which is current after a reset; NotFound
// "card-file" where there is none.
func (a *Application) GetData(ctx context.Context, tag uint16) ([]byte, error) {
	const what = "read a data object of the card"
	c := card.Command{INS: 0xCA, P1: byte(tag >> 8), P2: byte(tag), Le: 256}
	data, sw, err := send(ctx, a.ch, what, c)
	if err == nil && sw == card.SWWrongLength { // it is longer
		c.Le, c.Extended = 65536, true
		data, sw, err = send(ctx, a.ch, what, c)
	}
	if err == nil && sw != card.SWOK {
		err = statusError(what, sw)
	}
	return data, err
}

// TriesOf asks how many tries the PIN in a file has; 0 is blocked or never set. It costs none. Some cards say of a
// PIN that is verified only that (9000): its counter is full then, and TriesOf gives what public sources call full.
func (a *Application) TriesOf(ctx context.Context, file uint16) (int, error) {
	if err := a.SelectFile(ctx, file); err != nil {
		return 0, err
	}
	const what = "ask for the tries left"
	_, sw, err := send(ctx, a.ch, what, card.Command{INS: 0x20, P2: 0x80})
	if err != nil {
		return 0, err
	}
	if left, ok := sw.Tries(); ok {
		return left, nil
	}
	switch {
	case blocked(sw):
		return 0, nil
	case sw == card.SWOK:
		return fullCounter(file), nil
	}
	return 0, statusError(what, sw)
}

// fullCounter is how many tries a PIN file has that was just verified. Check numbers have ten.
func fullCounter(file uint16) int {
	switch file {
	case card.FileSignPIN:
		return 5
	case card.FileTextA, card.FileTextB, card.FileVisualA, card.FileVisualB:
		return 10
	}
	return 3
}

// VerifyFile presents the PIN or check number of a file, as it is. Errors as of JPKI.Verify. Nothing is ever
// tried twice.
func (a *Application) VerifyFile(ctx context.Context, file uint16, pin jitsuin.PIN) error {
	if err := a.SelectFile(ctx, file); err != nil {
		return err
	}
	const what = "verify the PIN"
	sw, err := a.sendPIN(ctx, what, card.Command{INS: 0x20, P2: 0x80}, pin)
	if err != nil {
		return err
	}
	if left, ok := sw.Tries(); ok {
		return pinError(left)
	}
	switch {
	case sw == card.SWOK:
		return nil
	case blocked(sw):
		return pinError(0)
	}
	return statusError(what, sw)
}

// ChangeFile sets the PIN of a file, which was verified before: by CHANGE REFERENCE DATA, in the
// applications that have their PIN as a key by CHANGE KEY.
func (a *Application) ChangeFile(ctx context.Context, file uint16, pin jitsuin.PIN) error {
	if err := a.SelectFile(ctx, file); err != nil {
		return err
	}
	const what = "change the PIN"
	sw, err := a.sendPIN(ctx, what, card.Command{INS: 0x24, P1: 0x01, P2: 0x80}, pin)
	if err == nil && sw == card.SWConditions {
		sw, err = a.sendPIN(ctx, what, card.Command{CLA: 0x80, INS: 0x32, P2: 0x80}, pin)
	}
	if err == nil && sw != card.SWOK {
		err = statusError(what, sw)
	}
	return err
}

// SetFile sets the PIN or check number of a file without knowing the old one and fills its counter: a
// terminal's act.
func (a *Application) SetFile(ctx context.Context, file uint16, pin jitsuin.PIN) error {
	if err := a.SelectFile(ctx, file); err != nil {
		return err
	}
	return a.mustPIN(ctx, "set the PIN", card.Command{CLA: 0x80, INS: 0x2C, P2: 0x80}, pin)
}

// sendPIN sends a command whose data is a PIN and wipes the copies that it made.
func (a *Application) sendPIN(ctx context.Context, what string, c card.Command, pin jitsuin.PIN) (card.SW, error) {
	c.Data = []byte(pin.Reveal())
	defer clear(c.Data)
	_, sw, err := send(ctx, a.ch, what, c)
	return sw, err
}

func (a *Application) mustPIN(ctx context.Context, what string, c card.Command, pin jitsuin.PIN) error {
	sw, err := a.sendPIN(ctx, what, c, pin)
	if err == nil && sw != card.SWOK {
		err = statusError(what, sw)
	}
	return err
}

// Terminal is a terminal that cards trust: its certificate from the terminal authority
// (card.IssueTerminalCertificate) and its P-256 key.
type Terminal struct {
	Certificate []byte
	Key         crypto.Signer
}

// Authenticate shows the card that the terminal is one it trusts (EXTERNAL AUTHENTICATE). What
// the terminal may do then lasts until the card is reset or another application is selected.
// Unauthenticated "terminal-refused" where the card does not trust it.
func (a *Application) Authenticate(ctx context.Context, t Terminal) error {
	challenge, err := must(ctx, a.ch, "get a challenge", card.Command{INS: 0x84, Le: 32})
	if err != nil {
		return err
	}
	if len(challenge) != 32 {
		return jitsuin.Errorf(jitsuin.Invalid, "card-data", "the card's challenge has %d bytes, not 32", len(challenge))
	}
	data, err := card.SignChallenge(rand.Reader, t.Certificate, t.Key, challenge)
	if err != nil {
		return err
	}
	_, err = must(ctx, a.ch, "authenticate the terminal", card.Command{CLA: 0x80, INS: 0x82, Data: data})
	return err
}

// Write writes an EF from its beginning, in pieces that fit short APDUs.
func (a *Application) Write(ctx context.Context, file uint16, content []byte) error {
	if len(content) > 0x8000 {
		return jitsuin.Errorf(jitsuin.Invalid, "card-data", "no file of a card takes %d bytes", len(content))
	}
	if err := a.SelectFile(ctx, file); err != nil {
		return err
	}
	for at := 0; at < len(content); at += 255 {
		if _, err := must(ctx, a.ch, "write a file of the card", card.Command{CLA: 0x80, INS: 0xD6, P1: byte(at >> 8), P2: byte(at),
			Data: content[at:min(at+255, len(content))]}); err != nil {
			return err
		}
	}
	return nil
}

// Replace writes an EF that is to have this content and nothing behind it, in one command with
// extended length, so that no power cut leaves a part of it.
func (a *Application) Replace(ctx context.Context, file uint16, content []byte) error {
	if err := a.SelectFile(ctx, file); err != nil {
		return err
	}
	_, err := must(ctx, a.ch, "write a file of the card", card.Command{CLA: 0x80, INS: 0xD7, Data: content, Extended: len(content) > 255})
	return err
}

// WriteRecord writes record n, from 1: an existing one or the one after the last.
func (a *Application) WriteRecord(ctx context.Context, file uint16, n byte, record []byte) error {
	if err := a.SelectFile(ctx, file); err != nil {
		return err
	}
	_, err := must(ctx, a.ch, "write a record of the card", card.Command{CLA: 0x80, INS: 0xDC, P1: n, P2: 0x04, Data: record})
	return err
}

// PutData writes a data object of the issuer's domain.
func (a *Application) PutData(ctx context.Context, tag uint16, value []byte) error {
	_, err := must(ctx, a.ch, "write a data object of the card", card.Command{CLA: 0x80, INS: 0xDA, P1: byte(tag >> 8), P2: byte(tag), Data: value,
		Extended: len(value) > 255})
	return err
}

// What GENERATE KEY PAIR gives by P1.
const (
	pendingKey = 0x01
	activeKey  = 0x03
	sessionKey = 0x04
)

// PublicKey gives the public key that a key file works with: a terminal's question. NotFound
// "key-missing" where there is none yet.
func (a *Application) PublicKey(ctx context.Context, file uint16) (crypto.PublicKey, error) {
	if err := a.SelectFile(ctx, file); err != nil {
		return nil, err
	}
	return a.publicKey(ctx, activeKey, "key-missing")
}

// SessionKey gives the public key to which SET SESSION KEY is encrypted: a terminal's question.
func (a *Application) SessionKey(ctx context.Context) (crypto.PublicKey, error) {
	return a.publicKey(ctx, sessionKey, "key-missing")
}

func (a *Application) publicKey(ctx context.Context, which byte, missing string) (crypto.PublicKey, error) {
	const what = "read the public key"
	var template []byte
	for len(template) <= 4096 {
		piece, sw, err := send(ctx, a.ch, what, card.Command{CLA: 0x80, INS: 0x46, P1: which, P2: 0x80,
			Data: binary.BigEndian.AppendUint16(nil, uint16(len(template))), Le: 256})
		switch {
		case err != nil:
			return nil, err
		case sw == card.SWReferencedNotFound:
			return nil, jitsuin.Errorf(jitsuin.NotFound, missing, "the card has no such key")
		case sw != card.SWOK && sw != card.SWWrongOffset:
			return nil, statusError(what, sw)
		}
		template = append(template, piece...)
		if len(piece) < 256 {
			break
		}
	}
	return card.ParsePublicKey(template)
}

// ProveCommon has the common application (共通カードAP) show by INTERNAL AUTHENTICATE that the card is no
// copy of its files. public is the key that a signed file of the card names. Conflict "card-copied"
// where the answer does not fit.
func (a *Application) ProveCommon(ctx context.Context, public *rsa.PublicKey) error {
	return a.prove(ctx, public, card.Command{INS: 0x88, P2: 0x80 | byte(card.FileCommonKey)})
}

// ProveOwn is the same for an application that signs with a key of its own (text, visual).
func (a *Application) ProveOwn(ctx context.Context, public *rsa.PublicKey) error {
	return a.prove(ctx, public, card.Command{CLA: 0x80, INS: 0x2A, P1: 0x03})
}

// prove has a random challenge signed with PKCS #1 v1.5 and SHA-256.
func (a *Application) prove(ctx context.Context, public *rsa.PublicKey, c card.Command) error {
	challenge := make([]byte, 32)
	rand.Read(challenge)
	c.Data, c.Le = challenge, 256
	answer, err := must(ctx, a.ch, "prove the card", c)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(challenge)
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], answer); err != nil {
		return jitsuin.Errorf(jitsuin.Conflict, "card-copied", "the card does not have the key that its files name: %w", err)
	}
	return nil
}
