package holder

import (
	"bytes"
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
)

// ChangePIN asks for the present PIN and the new one, and sets the new one. A person types the new
// one twice; two that differ are Invalid "pin-differs". The form of the new one is checked before
// the card sees the present one, so that a bad choice costs no try.
func (c *Card) ChangePIN(ctx context.Context, kind jitsuin.CertKind, pins PINSource) error {
	return c.withPIN(ctx, kind, pins, func(old jitsuin.PIN) error {
		typed, err := askNew(ctx, kind, pins)
		if err != nil {
			return err
		}
		defer clear(typed)
		return c.jpki.ChangePIN(ctx, kind, old, view(typed))
	})
}

// NewPIN asks for a PIN that is to be set, of a form that is allowed; a person types it twice. The bytes are
// the caller's, who overwrites them.
func NewPIN(ctx context.Context, kind jitsuin.CertKind, pins PINSource) ([]byte, error) {
	return askNew(ctx, kind, pins)
}

func askNew(ctx context.Context, kind jitsuin.CertKind, pins PINSource) ([]byte, error) {
	typed, err := ask(ctx, pins, Question{Kind: kind, Role: New})
	if err != nil {
		return nil, err
	}
	if _, err := reader.NormalNewPIN(kind, view(typed)); err != nil {
		clear(typed)
		return nil, err
	}
	if !pins.Confirms() {
		return typed, nil
	}
	again, err := ask(ctx, pins, Question{Kind: kind, Role: Again})
	defer clear(again)
	if err != nil || !bytes.Equal(typed, again) {
		clear(typed)
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(typed, again) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "pin-differs", "the two new PINs differ").
			WithHint("the PIN of the card is unchanged")
	}
	return typed, nil
}
