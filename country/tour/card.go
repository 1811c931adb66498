package tour

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
)

// withCard opens the resident's card as the holder does: through its socket, which is there only
// after hand-over.
func (s *story) withCard(ctx context.Context, use func(*holder.Card) error) error {
	c, err := holder.CardsIn(string(s.folder)).Open(ctx, string(s.card))
	if err != nil {
		return fmt.Errorf("open the card: %w", err)
	}
	defer c.Close()
	return use(c)
}

func pins(pin jitsuin.PIN) holder.PINSource {
	return holder.Lines(strings.NewReader(pin.Reveal() + "\n"))
}

func (s *story) signWithCard(ctx context.Context, content []byte, at time.Time) (sig []byte, err error) {
	err = s.withCard(ctx, func(c *holder.Card) error {
		sig, err = c.Document(ctx, bytes.NewReader(content), holder.Act{PINs: pins(country.SignPassword), At: at})
		return err
	})
	return sig, err
}

// wrongPIN tries one wrong password: the card counts down, and a right one puts the counter back.
func (s *story) wrongPIN(ctx context.Context) error {
	return s.withCard(ctx, func(c *holder.Card) error {
		err := c.Verify(ctx, jitsuin.SignCert, pins("WRONG1"))
		got := jitsuin.CodeOf(err)
		if wrong, ok := asPINError(err); ok {
			got = fmt.Sprintf("%s, %d tries left", got, wrong.TriesLeft)
		}
		s.rec.step("sign", "card", Text{"違うパスワードは断られ、残り回数が減る", "a wrong password is refused and counted"}, "pin-wrong, 4 tries left", got)
		if err := c.Verify(ctx, jitsuin.SignCert, pins(country.SignPassword)); err != nil {
			return err
		}
		st, err := c.Status(ctx)
		if err != nil {
			return err
		}
		s.rec.step("sign", "card", Text{"正しいパスワードで回数は戻る", "the right one puts the counter back"}, "5", fmt.Sprint(st.Of(jitsuin.SignCert).TriesLeft))
		return nil
	})
}
