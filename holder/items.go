package holder

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/verified"
	"github.com/jitsuin/jitsuin/cert"
)

// ItemsPIN is what people call the PIN of the text application (券面事項入力補助AP), which is asked for by this name.
const ItemsPIN = "券面事項入力補助用暗証番号 (PIN of the card's text, 4 digits)"

// ItemsTries tells how often the PIN of the text application may still be wrong; it costs none. Unsupported "items-none" on a
// telephone and on other cards that carry no text.
func (c *Card) ItemsTries(ctx context.Context) (left int, err error) {
	if err := c.carriesText(); err != nil {
		return 0, err
	}
	left, err = verified.On(c.channel, contents.Anchor{}).Tries(ctx) // nothing is read, so nothing has to be trusted
	if jitsuin.CodeOf(err) == "card-application" {
		err = errNoText()
	}
	return left, c.again(ctx, err)
}

// Items reads the four items from the text application with its own PIN, which is asked for once: they are given only where the
// issuer's signature over them leads to the anchor (EF 0003 and the card-verifiable certificate in EF 0004), and the card has
// shown that it is no copy. EF 0003 stays here: with it a My Number could be guessed. Errors: those of Verify for the PIN,
// Unsupported "items-none" as of ItemsTries, and those of verified.Reader.Items. A key's PIN that was verified before is lost.
func (c *Card) Items(ctx context.Context, anchor contents.Anchor, pins PINSource) (jitsuin.FourItems, error) {
	left, err := c.ItemsTries(ctx)
	if err != nil {
		return jitsuin.FourItems{}, err
	}
	if left == 0 {
		return jitsuin.FourItems{}, hinted(jitsuin.Errorf(jitsuin.Locked, "pin-blocked", "%w", &reader.PINError{}))
	}
	typed, err := ask(ctx, pins, Question{Name: ItemsPIN, Role: Current, TriesLeft: left})
	if err != nil {
		return jitsuin.FourItems{}, err
	}
	defer clear(typed)
	items, err := verified.On(c.channel, anchor).Items(ctx, verified.PIN(view(typed)))
	if err = c.again(ctx, hinted(err)); err != nil {
		return jitsuin.FourItems{}, err
	}
	return items, nil
}

// carriesText refuses telephones before anybody is asked for a PIN.
func (c *Card) carriesText() error {
	if c.token.Kind == reader.TokenAndroid || c.token.Kind == reader.TokenIPhone {
		return errNoText()
	}
	return nil
}

func errNoText() error {
	return jitsuin.Errorf(jitsuin.Unsupported, "items-none", "name, address, date of birth and sex cannot be read from this card or telephone").
		WithHint("use the plastic card")
}

// again selects the application of the keys after another one was used; err is what came of that and is given first.
func (c *Card) again(ctx context.Context, err error) error {
	jpki, token, selecting := known(context.WithoutCancel(ctx), c.channel)
	if selecting == nil {
		c.jpki, c.token = jpki, token
	}
	if err != nil {
		return err
	}
	return selecting
}

// AuthKey gives the public key of the authentication certificate as it is in it, to tell cards apart: in a reader they are
// exchanged in a moment. "" where the certificate is not free to read.
func (c *Card) AuthKey(ctx context.Context) (id string, err error) {
	if c.guarded(jitsuin.AuthCert) {
		return "", nil
	}
	der, err := c.jpki.Certificate(ctx, jitsuin.AuthCert)
	if err != nil {
		return "", err
	}
	leaf, err := cert.Parse(der)
	if err != nil {
		return "", err
	}
	return string(leaf.RawSubjectPublicKeyInfo), nil
}
