package pcsc

import (
	"context"
	"sync"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Card is a card in a reader. It is a reader.Card and safe for concurrent use: commands go one at a
// time. Where a context ends during a command the connection is closed, because nobody could tell to
// which command a later answer belongs; the service then takes the card back.
type Card struct {
	mu       sync.Mutex
	link     link // nil after Close
	reader   string
	handle   int32
	protocol uint32
	share    uint32
	inTurn   bool // others wait for us
	keep     bool
}

var _ reader.Card = (*Card)(nil)

// Reader is the name of the reader.
func (c *Card) Reader() string { return c.reader }

// Keep makes Close leave the card as it is, with what it has selected and verified, for a program
// that only looked.
func (c *Card) Keep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep = true
}

func errClosed() error {
	return jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "the connection to the card is closed")
}

// with runs one call of the service.
func (c *Card) with(ctx context.Context, call func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil {
		return errClosed()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return call()
}

// Transmit sends one command, short or extended, of 4 to 65,544 bytes, and gives the response.
// Unavailable "card-gone" where the card was taken out, or reset by another program.
func (c *Card) Transmit(ctx context.Context, apdu []byte) (response []byte, err error) {
	if len(apdu) < 4 {
		return []byte{0x67, 0x00}, nil // no reader would pass it on; a card calls it a wrong length
	}
	if len(apdu) > maxCommand {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "apdu-form", "a command APDU has at most %d bytes", maxCommand)
	}
	err = c.with(ctx, func() error {
		response, err = c.link.transmit(ctx, c.handle, c.protocol, apdu)
		return err
	})
	return response, err
}

// ATR gives the answer to reset as the service has it.
func (c *Card) ATR(ctx context.Context) (atr []byte, err error) {
	err = c.with(ctx, func() error {
		if err := c.link.status(ctx, c.handle); err != nil {
			return err
		}
		readers, err := c.link.readers(ctx)
		if err != nil {
			return err
		}
		for _, r := range readers {
			if r.Name == c.reader && r.Present {
				atr = r.ATR
				return nil
			}
		}
		return errorOf("ask for the ATR", codeRemoved)
	})
	return atr, err
}

// Power cuts the supply and gives it again where on is false, because a reader of PC/SC has no state
// without power that a program can stay in; true does nothing.
func (c *Card) Power(ctx context.Context, on bool) error {
	if on {
		return c.with(ctx, func() error { return nil })
	}
	return c.again(ctx, dispositionUnpower)
}

// Reset resets the card. A plastic card may keep what was verified; Power(false) ends it.
func (c *Card) Reset(ctx context.Context) error { return c.again(ctx, dispositionReset) }

func (c *Card) again(ctx context.Context, disposition uint32) error {
	return c.with(ctx, func() (err error) {
		c.protocol, err = c.link.reconnect(ctx, c.handle, c.share, disposition)
		return err
	})
}

// Close gives the card back without power, so that what was selected and verified is lost, unless
// Keep was called. Closing again does nothing.
func (c *Card) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == nil {
		return nil
	}
	l := c.link
	c.link = nil
	ctx, cancel := context.WithTimeout(context.Background(), inUseWait)
	defer cancel()
	disposition := uint32(dispositionUnpower)
	if c.keep {
		disposition = dispositionLeave
	}
	// A card that is gone needs neither; the service forgets both with the connection.
	if c.inTurn {
		_ = l.end(ctx, c.handle, disposition)
	}
	_ = l.disconnect(ctx, c.handle, disposition)
	return l.close()
}
