package holder

import (
	"context"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
)

// known selects the application and names what kind of card it is, before anything else is done with
// it. A card that we do not know is named and refused, never guessed: NotFound "card-application" for one without
// the application, Unsupported "card-old" for a 住民基本台帳カード, Unsupported "card-unknown" for any other
// label. Telephones (スマートフォン用電子証明書) are known.
func known(ctx context.Context, channel reader.Channel) (*reader.JPKI, reader.TokenInfo, error) {
	jpki, err := reader.SelectJPKI(ctx, channel)
	if jitsuin.CodeOf(err) == "card-application" {
		return nil, reader.TokenInfo{}, jitsuin.Errorf(jitsuin.NotFound, "card-application", "this card has no JPKI application%s", atrOf(ctx, channel)).
			WithHint("it is no Individual Number Card (個人番号カード)")
	}
	if err != nil {
		return nil, reader.TokenInfo{}, err
	}
	token, err := jpki.TokenInfo(ctx)
	if err != nil {
		return nil, token, err
	}
	switch token.Kind {
	case reader.TokenResidentOld:
		return nil, token, jitsuin.Errorf(jitsuin.Unsupported, "card-old", "this is a 住民基本台帳カード (label %s), no Individual Number Card", token.Label).
			WithHint("the Individual Number Card (個人番号カード) replaced it")
	case reader.TokenUnknown:
		return nil, token, jitsuin.Errorf(jitsuin.Unsupported, "card-unknown", "this card calls itself %q, which this program does not know%s", token.Label, atrOf(ctx, channel)).
			WithHint("jitsuin card probe says what can be seen of it")
	}
	return jpki, token, nil
}

// atrOf says the card's ATR, where it can be asked for.
func atrOf(ctx context.Context, channel reader.Channel) string {
	c, ok := channel.(reader.Card)
	if !ok {
		return ""
	}
	atr, err := c.ATR(ctx)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (ATR %X)", atr)
}

// guarded tells whether a certificate is shown after its PIN only: that for signatures always, and on an
// Android telephone that for authentication too.
func (c *Card) guarded(kind jitsuin.CertKind) bool {
	return kind == jitsuin.SignCert || c.token.Kind == reader.TokenAndroid
}
