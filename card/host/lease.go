package host

import (
	"context"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/reader"
)

// lease is the one channel to a card in use.
type lease struct {
	ctx      context.Context // ends with the lease
	cancel   context.CancelFunc
	release  func()        // gives the card free
	verified func(Verdict) // nil for nobody

	// For a Watcher; nil for nobody. They are set before the lease is given out.
	each   func(Exchange)
	closed func()

	mu       sync.Mutex // owns the fields below; held during a command
	chip     *card.Chip // nil when the lease is over
	redactor explain.Redactor
}

var _ reader.Card = (*lease)(nil)

func newLease(chip *card.Chip, release func()) *lease {
	ctx, cancel := context.WithCancel(context.Background())
	return &lease{ctx: ctx, cancel: cancel, release: release, chip: chip}
}

// end finishes a command that is under way and gives the card free. Safe to call again.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chip == nil {
		return
	}
	l.chip.Power(false)
	l.chip = nil
	l.cancel()
	l.release()
	if l.closed != nil {
		l.closed()
	}
}

// with runs f on the chip, unless the lease is over.
func (l *lease) with(ctx context.Context, f func(*card.Chip)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chip == nil {
		return errGone()
	}
	f(l.chip)
	return nil
}

// Transmit sends a command to the chip.
func (l *lease) Transmit(ctx context.Context, apdu []byte) (response []byte, err error) {
	begun := time.Now()
	err = l.with(ctx, func(c *card.Chip) {
		response = c.Transmit(apdu)
		if l.each != nil {
			l.each(Exchange{At: begun, Took: time.Since(begun), Exchange: l.redactor.Show(apdu, response)})
		}
	})
	if v, ok := verdictOf(apdu, response); ok && err == nil && l.verified != nil {
		l.verified(v)
	}
	return response, err
}

// ATR gives the answer to reset.
func (l *lease) ATR(ctx context.Context) (atr []byte, err error) {
	err = l.with(ctx, func(c *card.Chip) { atr = c.ATR() })
	return atr, err
}

// Power switches the chip's supply.
func (l *lease) Power(ctx context.Context, on bool) error {
	return l.with(ctx, func(c *card.Chip) {
		c.Power(on)
		l.redactor.Reset()
	})
}

// Reset resets the chip.
func (l *lease) Reset(ctx context.Context) error {
	return l.with(ctx, func(c *card.Chip) {
		c.Reset()
		l.redactor.Reset()
	})
}

// Close gives the card back.
func (l *lease) Close() error {
	l.end()
	return nil
}
