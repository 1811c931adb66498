package ui

import (
	"context"
	"io"
)

// until makes reading from r end when ctx does. A read that waits is left behind, so r is read by
// nobody else, and by one goroutine at a time.
func until(ctx context.Context, r io.Reader) io.Reader { return &interruptible{ctx: ctx, r: r} }

type interruptible struct {
	ctx context.Context
	r   io.Reader
	err error // of the end
}

type piece struct {
	b   []byte
	err error
}

const pieceSize = 64 << 10

func (i *interruptible) Read(b []byte) (int, error) {
	if i.err != nil || len(b) == 0 {
		return 0, i.err
	}
	got := make(chan piece, 1)
	own := make([]byte, min(len(b), pieceSize)) // b is the caller's again if ctx ends
	go func() {
		n, err := i.r.Read(own)
		got <- piece{own[:n], err}
	}()
	select {
	case <-i.ctx.Done():
		i.err = i.ctx.Err()
		return 0, i.err
	case p := <-got:
		i.err = p.err
		return copy(b, p.b), p.err
	}
}
