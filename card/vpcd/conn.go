package vpcd

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Conn is the reader's end of a connection on which Serve, or any card for vpcd, answers. It is
// a reader.Card and safe for concurrent use. After an error it is closed.
type Conn struct {
	mu   sync.Mutex
	conn net.Conn
}

// NewConn takes over conn.
func NewConn(conn net.Conn) *Conn { return &Conn{conn: conn} }

// Transmit sends one command. Where ctx ends first, the connection is closed: nobody could tell
// to which command a later answer belongs.
func (c *Conn) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if len(apdu) == 1 {
		return []byte{0x67, 0x00}, nil // as a frame it would be a control; a card calls it a wrong length
	}
	return c.exchange(ctx, apdu, true)
}

// ATR asks for the answer to reset.
func (c *Conn) ATR(ctx context.Context) ([]byte, error) {
	return c.exchange(ctx, []byte{controlATR}, true)
}

// Power switches the card's supply.
func (c *Conn) Power(ctx context.Context, on bool) error {
	control := byte(controlOff)
	if on {
		control = controlOn
	}
	_, err := c.exchange(ctx, []byte{control}, false)
	return err
}

// Reset resets the card.
func (c *Conn) Reset(ctx context.Context) error {
	_, err := c.exchange(ctx, []byte{controlReset}, false)
	return err
}

// Close hangs up.
func (c *Conn) Close() error { return c.conn.Close() }

func (c *Conn) exchange(ctx context.Context, frame []byte, answered bool) (answer []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// A deadline ends reading and writing at once; closing may wait for the other side.
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err = writeFrame(c.conn, frame)
	if err == nil && answered {
		answer, err = readFrame(c.conn)
	}
	if err == nil {
		return answer, nil
	}
	c.conn.Close()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return nil, jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "the card was taken away, or its host has stopped: %w", err)
}
