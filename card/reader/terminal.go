package reader

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/binary"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// Terminal is a production or counter terminal: its certificate from the terminal authority
// (card.IssueTerminalCertificate) and its P-256 key.
type Terminal struct {
	Certificate []byte
	Key         crypto.Signer
}

// Authenticate shows the card that the terminal is one it trusts (EXTERNAL AUTHENTICATE). What
// the terminal may do then lasts until the card is reset or another application is selected.
// Unauthenticated "terminal-refused" where the card does not trust it.
func (j *JPKI) Authenticate(ctx context.Context, t Terminal) error {
	challenge, err := must(ctx, j.ch, "get a challenge", card.Command{INS: 0x84, Le: 32})
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
	_, err = must(ctx, j.ch, "authenticate the terminal", card.Command{CLA: 0x80, INS: 0x82, Data: data})
	return err
}

// GenerateKey has the card make a new pending key pair of that kind and gives its public key.
// An older pending key is lost; a re-issue that was interrupted asks PendingKey first.
func (j *JPKI) GenerateKey(ctx context.Context, kind jitsuin.CertKind) (crypto.PublicKey, error) {
	files, err := card.FilesOf(kind)
	if err != nil {
		return nil, err
	}
	if err := j.selectEF(ctx, files.Key); err != nil {
		return nil, err
	}
	if _, err := must(ctx, j.ch, "generate a key pair", card.Command{CLA: 0x80, INS: 0x46, P2: 0x80}); err != nil {
		return nil, err
	}
	return j.PendingKey(ctx, kind)
}

// PendingKey gives the public key that was generated and whose certificate is not written yet;
// NotFound "pending-key-missing" where there is none.
func (j *JPKI) PendingKey(ctx context.Context, kind jitsuin.CertKind) (crypto.PublicKey, error) {
	const what = "read the public key"
	files, err := card.FilesOf(kind)
	if err != nil {
		return nil, err
	}
	if err := j.selectEF(ctx, files.Key); err != nil {
		return nil, err
	}
	var template []byte
	for len(template) <= 4096 {
		piece, sw, err := send(ctx, j.ch, what, card.Command{CLA: 0x80, INS: 0x46, P1: 1, P2: 0x80,
			Data: binary.BigEndian.AppendUint16(nil, uint16(len(template))), Le: 256})
		switch {
		case err != nil:
			return nil, err
		case sw == card.SWReferencedNotFound:
			return nil, jitsuin.Errorf(jitsuin.NotFound, "pending-key-missing", "the card has no pending key of this kind")
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

// WriteCertificate writes a resident's certificate. The card takes it only when it carries the
// pending key, which then becomes the active one in the same moment, or again the active key's;
// otherwise Invalid "card-data".
func (j *JPKI) WriteCertificate(ctx context.Context, kind jitsuin.CertKind, der []byte) error {
	files, err := card.FilesOf(kind)
	if err != nil {
		return err
	}
	return j.Write(ctx, files.Certificate, der)
}

// WriteCACertificate writes the certificate of the CA that issues this kind.
func (j *JPKI) WriteCACertificate(ctx context.Context, kind jitsuin.CertKind, der []byte) error {
	files, err := card.FilesOf(kind)
	if err != nil {
		return err
	}
	return j.Write(ctx, files.CA, der)
}

// Write writes an EF from its beginning, in pieces that fit short APDUs.
func (j *JPKI) Write(ctx context.Context, file uint16, content []byte) error {
	if len(content) > 0x8000 {
		return jitsuin.Errorf(jitsuin.Invalid, "card-data", "no file of a card takes %d bytes", len(content))
	}
	if err := j.selectEF(ctx, file); err != nil {
		return err
	}
	for at := 0; at < len(content); at += 255 {
		if _, err := must(ctx, j.ch, "write a file of the card", card.Command{CLA: 0x80, INS: 0xD6, P1: byte(at >> 8), P2: byte(at),
			Data: content[at:min(at+255, len(content))]}); err != nil {
			return err
		}
	}
	return nil
}

// ResetPIN sets a PIN without knowing the old one and fills its counter: the first setting at
// hand-over, and unblocking at the counter.
func (j *JPKI) ResetPIN(ctx context.Context, kind jitsuin.CertKind, pin jitsuin.PIN) error {
	normal, err := NormalNewPIN(kind, pin)
	if err != nil {
		return err
	}
	if err := j.selectPIN(ctx, kind); err != nil {
		return err
	}
	return j.mustPIN(ctx, "set the PIN", card.Command{CLA: 0x80, INS: 0x2C, P2: 0x80}, normal)
}
