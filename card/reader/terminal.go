package reader

import (
	"context"
	"crypto"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// GenerateKey has the card make a new pending key pair of that kind and gives its public key.
// An older pending key is lost; a re-issue that was interrupted asks PendingKey first.
func (j *JPKI) GenerateKey(ctx context.Context, kind jitsuin.CertKind) (crypto.PublicKey, error) {
	files, err := card.FilesOf(kind)
	if err != nil {
		return nil, err
	}
	if err := j.SelectFile(ctx, files.Key); err != nil {
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
	files, err := card.FilesOf(kind)
	if err != nil {
		return nil, err
	}
	if err := j.SelectFile(ctx, files.Key); err != nil {
		return nil, err
	}
	return j.publicKey(ctx, pendingKey, "pending-key-missing")
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

// ResetPIN sets a PIN without knowing the old one and fills its counter: the first setting at
// hand-over, and unblocking at the counter.
func (j *JPKI) ResetPIN(ctx context.Context, kind jitsuin.CertKind, pin jitsuin.PIN) error {
	normal, err := NormalNewPIN(kind, pin)
	if err != nil {
		return err
	}
	files, err := card.FilesOf(kind)
	if err != nil {
		return err
	}
	return j.SetFile(ctx, files.PIN, normal)
}

// SetHolderPINs sets the PIN of the applications beside JPKI to the four digits that the holder chose
// (券面事項入力補助用, 住民基本台帳用): a counter's terminal does it when it hands the card over. Applications that the
// card has not are left out.
func SetHolderPINs(ctx context.Context, ch Channel, terminal Terminal, pin jitsuin.PIN) error {
	for _, app := range []struct {
		aid  string
		file uint16
	}{{card.AIDText, card.FileTextPIN}, {card.AIDResident, card.FilePIN}, {card.AIDCommon, card.FilePIN}} {
		a, err := Select(ctx, ch, app.aid)
		if jitsuin.CodeOf(err) == "card-application" {
			continue
		}
		if err == nil {
			err = a.Authenticate(ctx, terminal)
		}
		if err == nil {
			err = a.SetFile(ctx, app.file, pin)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
