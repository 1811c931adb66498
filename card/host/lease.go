package host

import (
	"context"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/fault"
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

	mu       sync.Mutex  // owns the fields below; held during a command
	shim     *fault.Shim // before chip; nil when the lease is over
	chip     *card.Chip
	redactor explain.Redactor
}

var _ reader.Card = (*lease)(nil)

// newLease gives the channel to a chip with a fault before it. happened is told, during a command, when the
// fault has happened.
func newLease(chip *card.Chip, setting fault.Setting, happened, release func()) (*lease, error) {
	shim, err := fault.New(chip, setting, happened)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &lease{ctx: ctx, cancel: cancel, release: release, shim: shim, chip: chip}, nil
}

// end finishes a command that is under way and gives the card free. Safe to call again.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shim == nil {
		return
	}
	l.shim.Power(false)
	l.shim = nil
	l.cancel()
	l.release()
	if l.closed != nil {
		l.closed()
	}
}

// with runs f on the chip's contacts, unless the lease is over.
func (l *lease) with(ctx context.Context, f func(*fault.Shim)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shim == nil {
		return errGone()
	}
	f(l.shim)
	return nil
}

// Transmit sends a command to the chip.
func (l *lease) Transmit(ctx context.Context, apdu []byte) (response []byte, err error) {
	begun := time.Now()
	if err := l.dawdle(ctx); err != nil {
		return nil, err
	}
	var removed error
	err = l.with(ctx, func(c *fault.Shim) {
		response, removed = c.Transmit(apdu)
		if l.each != nil {
			l.each(Exchange{At: begun, Took: time.Since(begun), Exchange: l.redactor.Show(apdu, response)})
		}
	})
	if removed != nil {
		l.end()
		return nil, errGone()
	}
	if v, ok := verdictOf(apdu, response); ok && err == nil && l.verified != nil {
		l.verified(v)
	}
	return response, err
}

// setFault exchanges the fault, after a command that is under way.
func (l *lease) setFault(setting fault.Setting) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shim == nil {
		return nil
	}
	return l.shim.Set(setting)
}

// dawdle waits as long as a slow card takes, before the card is locked, so that it can be taken away meanwhile.
func (l *lease) dawdle(ctx context.Context) error {
	l.mu.Lock()
	shim := l.shim
	l.mu.Unlock()
	if shim == nil {
		return errGone()
	}
	delay := shim.Delay()
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.ctx.Done():
		return errGone()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ATR gives the answer to reset.
func (l *lease) ATR(ctx context.Context) (atr []byte, err error) {
	err = l.with(ctx, func(c *fault.Shim) { atr = c.ATR() })
	return atr, err
}

// Power switches the chip's supply.
func (l *lease) Power(ctx context.Context, on bool) error {
	return l.with(ctx, func(c *fault.Shim) {
		c.Power(on)
		l.redactor.Reset()
	})
}

// Reset resets the chip.
func (l *lease) Reset(ctx context.Context) error {
	return l.with(ctx, func(c *fault.Shim) {
		c.Reset()
		l.redactor.Reset()
	})
}

// Close gives the card back.
func (l *lease) Close() error {
	l.end()
	return nil
}
