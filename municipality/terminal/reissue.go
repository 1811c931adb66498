package terminal

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// Reissue puts new certificates into the card that the resident has put on the reader ch, which
// stays the caller's to close. The card makes the new pair and only the public key leaves it;
// until the new certificate is written the old one goes on working. pins, where it is not nil, has
// the resident set their PINs anew, which also unblocks them.
// Where the terminal or the reader failed before, the same call with the same card goes on from
// where it stood: a pair that the card has made already is used, and a certificate may be written again.
// The four items in the card's text are written anew too, see UpdateText.
func (t *Terminal) Reissue(ctx context.Context, id jitsuin.ID, ch reader.Channel, pins PINs) (api.Application, error) {
	a, err := t.await(ctx, id, api.Checked, api.Notified, api.Delivered)
	if err != nil || a.State == api.Done {
		return a, err
	}
	j, err := t.open(ctx, ch)
	if err != nil {
		return a, err
	}
	if a.State == api.Checked {
		if a, err = t.sendKeys(ctx, a, j); err != nil {
			return a, err
		}
	}
	if a, err = t.await(ctx, id, api.Delivered); err != nil || a.State == api.Done {
		return a, err
	}
	for _, c := range a.Certificates {
		if err := j.WriteCertificate(ctx, c.Kind, c.Certificate); err != nil {
			return a, fmt.Errorf("write the %s certificate into the card: %w", c.Kind, err)
		}
		if pins == nil {
			continue
		}
		pin, err := setPIN(ctx, j, c.Kind, pins)
		if err != nil {
			return a, err
		}
		if err := checkCertificate(ctx, j, c, pin); err != nil {
			return a, err
		}
	}
	if err := t.UpdateText(ctx, a.Subject, ch); err != nil && !slices.Contains(keepsText, jitsuin.CodeOf(err)) {
		return a, err
	}
	return t.complete(ctx, id)
}

// keepsText are the reasons for which a card keeps the text that it has: J-LIS does not know it by its number, or the
// holder has left the municipality while the certificate was issued, and the next counter writes it.
var keepsText = []string{"card-unknown", "not-resident", "not-for-this-caller"}

// sendKeys has the card make the pairs that are applied for and sends the public keys.
func (t *Terminal) sendKeys(ctx context.Context, a api.Application, j *reader.JPKI) (api.Application, error) {
	keys := api.Keys{PublicKeys: map[jitsuin.CertKind][]byte{}}
	for _, kind := range a.Kinds {
		public, err := pendingKey(ctx, j, kind)
		if err != nil {
			return a, err
		}
		if keys.PublicKeys[kind], err = x509.MarshalPKIXPublicKey(public); err != nil {
			return a, jitsuin.Errorf(jitsuin.Invalid, "card-data", "the card's public key: %w", err)
		}
	}
	return t.Town.SubmitKeys(ctx, a.ID, keys)
}

// pendingKey gives the pair that an interrupted act has left in the card, or has the card make one.
func pendingKey(ctx context.Context, j *reader.JPKI, kind jitsuin.CertKind) (crypto.PublicKey, error) {
	public, err := j.PendingKey(ctx, kind)
	if jitsuin.CodeOf(err) == "pending-key-missing" {
		return j.GenerateKey(ctx, kind)
	}
	return public, err
}
