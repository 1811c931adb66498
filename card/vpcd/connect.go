package vpcd

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/jitsuin/jitsuin/card/reader"
)

// Slot0 is where pcscd's vpcd waits for the card of its first slot; the second is one port on.
const Slot0 = "127.0.0.1:35963"

// retryAfter is how long Connect waits before it dials again.
const retryAfter = 300 * time.Millisecond

// Slot is a place for a card in pcscd's virtual reader.
type Slot struct {
	Addr string // where vpcd waits for the card, such as Slot0
	// Connected is told when the card is in the reader, and when it no longer is because pcscd hung up;
	// nil for nobody.
	Connected func(in bool)
	// ATR is what the card says at reset; nil leaves it the card's own.
	ATR []byte
}

// Connect keeps a card in the slot at addr until ctx ends, which takes it out (nil). A pcscd
// that is not there yet, or stops, is dialled again. The error is the card's, when it fails.
func Connect(ctx context.Context, addr string, c reader.Card) error {
	return Slot{Addr: addr}.Insert(ctx, c)
}

// Insert is Connect.
func (s Slot) Insert(ctx context.Context, c reader.Card) error {
	if s.ATR != nil {
		c = dressed{c, s.ATR}
	}
	told := s.Connected
	if told == nil {
		told = func(bool) {}
	}
	var dialer net.Dialer
	for ctx.Err() == nil {
		conn, err := dialer.DialContext(ctx, "tcp", s.Addr)
		if err == nil {
			told(true)
			err = Serve(ctx, conn, c)
			if ctx.Err() == nil {
				told(false)
			}
			if failed, ok := errors.AsType[cardError](err); ok && ctx.Err() == nil {
				return failed.error
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
	return nil
}

// dressed is a card with another ATR.
type dressed struct {
	reader.Card
	atr []byte
}

func (d dressed) ATR(ctx context.Context) ([]byte, error) {
	if _, err := d.Card.ATR(ctx); err != nil { // it is gone
		return nil, err
	}
	return d.atr, nil
}
