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

// Connect keeps a card in the slot at addr until ctx ends, which takes it out (nil). A pcscd
// that is not there yet, or stops, is dialled again. The error is the card's, when it fails.
func Connect(ctx context.Context, addr string, c reader.Card) error {
	var dialer net.Dialer
	for ctx.Err() == nil {
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil {
			err = Serve(ctx, conn, c)
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
