package reader

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// Channel carries command APDUs to a card. One command is answered before the next is sent;
// callers serialise. After an error that is not the card's answer the channel is dead.
type Channel interface {
	// Transmit gives the response: data and status word.
	Transmit(ctx context.Context, apdu []byte) ([]byte, error)
	// Close takes the card away; what it has selected and verified is lost.
	Close() error
}

// Card is a Channel that drives the supply contacts too, as a card terminal does.
type Card interface {
	Channel
	ATR(ctx context.Context) ([]byte, error)
	Power(ctx context.Context, on bool) error
	Reset(ctx context.Context) error
}

// Local puts a chip of this process on a channel. Close resets the chip.
func Local(chip *card.Chip) Card { return local{chip} }

type local struct{ chip *card.Chip }

func (l local) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.chip.Transmit(apdu), nil
}

func (l local) Close() error                           { l.chip.Reset(); return nil }
func (l local) ATR(context.Context) ([]byte, error)    { return l.chip.ATR(), nil }
func (l local) Power(_ context.Context, on bool) error { l.chip.Power(on); return nil }
func (l local) Reset(context.Context) error            { l.chip.Reset(); return nil }

// send transmits one command and wipes the bytes that it was made of. what names the act in
// errors ("read the certificate").
func send(ctx context.Context, ch Channel, what string, c card.Command) ([]byte, card.SW, error) {
	apdu := c.Bytes()
	defer clear(apdu)
	response, err := ch.Transmit(ctx, apdu)
	if err != nil {
		if jitsuin.KindOf(err) != jitsuin.Internal {
			return nil, 0, err
		}
		return nil, 0, jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "%s: the card does not answer: %w", what, err)
	}
	data, sw, ok := card.SplitResponse(response)
	if !ok {
		return nil, 0, jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "%s: the card gave no status word", what)
	}
	return data, sw, nil
}

// must is send where every status word but 9000 is an error.
func must(ctx context.Context, ch Channel, what string, c card.Command) ([]byte, error) {
	data, sw, err := send(ctx, ch, what, c)
	if err == nil && sw != card.SWOK {
		err = statusError(what, sw)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}
