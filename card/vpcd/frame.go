package vpcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
)

const (
	controlOff   = 0
	controlOn    = 1
	controlReset = 2
	controlATR   = 4
)

// readFrame reads one frame. A connection that ends between frames gives io.EOF.
func readFrame(conn net.Conn) ([]byte, error) {
	var size [2]byte
	quickAck(conn)
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint16(size[:]))
	quickAck(conn)
	if _, err := io.ReadFull(conn, frame); err != nil {
		return nil, fmt.Errorf("read a frame of %d bytes: %w", len(frame), err)
	}
	return frame, nil
}

// writeFrame writes one frame in one Write, so that it is one message where messages count.
func writeFrame(conn net.Conn, frame []byte) error {
	if len(frame) > 0xFFFF {
		return jitsuin.Errorf(jitsuin.Invalid, "frame-length", "a frame carries at most 65535 bytes, not %d", len(frame))
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(frame)), uint16(len(frame)))
	b = append(b, frame...)
	defer clear(b)
	_, err := conn.Write(b)
	return err
}

// cardError marks an error of the card, as against one of the connection.
type cardError struct{ error }

// Unwrap gives the card's own error.
func (e cardError) Unwrap() error { return e.error }

// Serve answers frames for a card until the other side hangs up (nil), the card fails, or ctx
// ends. It closes conn, and leaves the card reset and open.
func Serve(ctx context.Context, conn net.Conn, c reader.Card) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	defer c.Reset(context.WithoutCancel(ctx)) // what was selected and verified ends with the connection
	for {
		frame, err := readFrame(conn)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("read from the card reader: %w", err)
		}
		answer, err := respond(ctx, frame, c)
		clear(frame) // it may have held a PIN
		if err != nil {
			return err
		}
		if answer == nil {
			continue
		}
		if err := writeFrame(conn, answer); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("answer the card reader: %w", err)
		}
	}
}

// respond gives the answer to a frame; nil where none is due.
func respond(ctx context.Context, frame []byte, c reader.Card) (answer []byte, err error) {
	if len(frame) != 1 {
		answer, err = c.Transmit(ctx, frame)
	} else {
		switch frame[0] {
		case controlOff:
			err = c.Power(ctx, false)
		case controlOn:
			err = c.Power(ctx, true)
		case controlReset:
			err = c.Reset(ctx)
		case controlATR:
			answer, err = c.ATR(ctx)
		default:
			return nil, jitsuin.Errorf(jitsuin.Invalid, "frame-control", "the card reader sent an unknown control %02X", frame[0])
		}
	}
	if err != nil {
		return nil, cardError{err}
	}
	return answer, nil
}
