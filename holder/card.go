package holder

import (
	"context"
	"crypto/x509"
	"errors"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/cert"
)

// Card is an open card. Not for concurrent use.
type Card struct {
	ID      jitsuin.ID // "" where the card is none of a country's
	Place   Place
	channel reader.Channel
	jpki    *reader.JPKI
	token   reader.TokenInfo
	close   func() error
}

// On takes a card that lies on a channel, such as one in a reader; Close closes the channel. A card that
// is no Individual Number Card or its telephone is refused: NotFound "card-application", Unsupported "card-old"
// or "card-unknown".
func On(ctx context.Context, id jitsuin.ID, channel reader.Channel) (*Card, error) {
	c, err := on(ctx, id, channel)
	if err == nil {
		c.close = channel.Close
	}
	return c, err
}

func on(ctx context.Context, id jitsuin.ID, channel reader.Channel) (*Card, error) {
	jpki, token, err := known(ctx, channel)
	if err != nil {
		return nil, err
	}
	return &Card{ID: id, Place: Place{ID: id}, channel: channel, jpki: jpki, token: token, close: func() error { return nil }}, nil
}

// Close gives the card back; what was verified is forgotten by the card.
func (c *Card) Close() error { return c.close() }

// Status is what a card tells without any PIN.
type Status struct {
	Token reader.TokenInfo
	Keys  [len(jitsuin.CertKinds)]KeyStatus // in the order of jitsuin.CertKinds
}

// KeyStatus is one key of a card.
type KeyStatus struct {
	Kind        jitsuin.CertKind
	Certificate bool // the card carries a certificate for the key
	TriesLeft   int  // of its PIN; 0 is blocked or never set
}

// Of gives the key of a kind.
func (s Status) Of(kind jitsuin.CertKind) KeyStatus {
	for _, k := range s.Keys {
		if k.Kind == kind {
			return k
		}
	}
	return KeyStatus{Kind: kind}
}

// Status asks the card about itself. It costs no try.
func (c *Card) Status(ctx context.Context) (Status, error) {
	present, err := c.present(ctx)
	if err != nil {
		return Status{}, err
	}
	s := Status{Token: c.token}
	for i, kind := range jitsuin.CertKinds {
		left, err := c.jpki.TriesLeft(ctx, kind)
		if err != nil {
			return Status{}, err
		}
		s.Keys[i] = KeyStatus{Kind: kind, Certificate: present[kind], TriesLeft: left}
	}
	return s, nil
}

// present tells which certificates the card carries. A telephone may not say: then both are looked for.
func (c *Card) present(ctx context.Context) (map[jitsuin.CertKind]bool, error) {
	present, err := c.jpki.Present(ctx)
	if jitsuin.CodeOf(err) == "card-file" {
		return map[jitsuin.CertKind]bool{jitsuin.SignCert: true, jitsuin.AuthCert: true}, nil
	}
	return present, err
}

// Free tells whether Certificate asks for no PIN.
func (c *Card) Free(kind jitsuin.CertKind) bool { return !c.guarded(kind) }

// Certificate reads a certificate. That for authentication is free, except on an Android telephone; that for
// signatures is shown only after its password, because it carries the holder's name and address. NotFound
// "certificate-missing" where the card carries none, before a PIN is asked for.
func (c *Card) Certificate(ctx context.Context, kind jitsuin.CertKind, pins PINSource) (*x509.Certificate, error) {
	if err := c.mustCarry(ctx, kind); err != nil {
		return nil, err
	}
	if c.guarded(kind) {
		if err := c.Verify(ctx, kind, pins); err != nil {
			return nil, err
		}
	}
	der, err := c.jpki.Certificate(ctx, kind)
	if err != nil {
		return nil, err
	}
	return cert.Parse(der)
}

// AuthorityCertificate reads the certificate of the authority that issued the kind, as the card
// carries it. It is the card's word: no anchor of trust.
func (c *Card) AuthorityCertificate(ctx context.Context, kind jitsuin.CertKind) (*x509.Certificate, error) {
	der, err := c.jpki.CACertificate(ctx, kind)
	if err != nil {
		return nil, err
	}
	return cert.Parse(der)
}

func (c *Card) mustCarry(ctx context.Context, kind jitsuin.CertKind) error {
	if !kind.Valid() {
		return jitsuin.Errorf(jitsuin.Invalid, "cert-kind", "a certificate is of kind sign or auth").At("kind")
	}
	present, err := c.present(ctx)
	if err != nil {
		return err
	}
	if !present[kind] {
		return jitsuin.Errorf(jitsuin.NotFound, "certificate-missing", "the card carries no certificate of the kind %s", kind).
			WithHint("certificates are issued at the municipality's counter")
	}
	return nil
}

// Verify asks for a PIN once and shows it to the card. A blocked PIN is Locked "pin-blocked",
// and nobody is asked; a wrong one is Invalid "pin-wrong" and says how many tries are left.
func (c *Card) Verify(ctx context.Context, kind jitsuin.CertKind, pins PINSource) error {
	return c.withPIN(ctx, kind, pins, func(pin jitsuin.PIN) error { return c.jpki.Verify(ctx, kind, pin) })
}

// withPIN asks for the current PIN, lends it to use and overwrites it.
func (c *Card) withPIN(ctx context.Context, kind jitsuin.CertKind, pins PINSource, use func(jitsuin.PIN) error) error {
	left, err := c.triesLeft(ctx, kind)
	if err != nil {
		return err
	}
	typed, err := ask(ctx, pins, Question{Kind: kind, Role: Current, TriesLeft: left})
	if err != nil {
		return err
	}
	defer clear(typed)
	return hinted(use(view(typed)))
}

// triesLeft refuses a PIN that is blocked before anybody types it.
func (c *Card) triesLeft(ctx context.Context, kind jitsuin.CertKind) (int, error) {
	left, err := c.jpki.TriesLeft(ctx, kind)
	if err != nil || left > 0 {
		return left, err
	}
	return 0, hinted(jitsuin.Errorf(jitsuin.Locked, "pin-blocked", "%w", &reader.PINError{}))
}

// hinted says what to do about a PIN that was not accepted.
func hinted(err error) error {
	e, ok := errors.AsType[*jitsuin.Error](err)
	switch {
	case !ok || e.Hint != "":
		return err
	case e.Code == "pin-wrong":
		return e.WithHint("nothing was tried a second time; when no try is left, only the municipality's counter unblocks the PIN")
	case e.Code == "pin-blocked":
		return e.WithHint("a PIN is unblocked at the municipality's counter only")
	case e.Code == "pin-form":
		return e.WithHint("it was not shown to the card and cost no try")
	}
	return err
}
