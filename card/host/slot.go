package host

import (
	"context"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
)

// slot is one card in the host.
type slot struct {
	host *Host
	id   jitsuin.ID
	dir  string
	free chan struct{} // holds one token while nobody uses the card

	mu      sync.Mutex // owns the fields below
	custody *custody   // nil after a failed write, until it is read again
	current *lease
	socket  *socket
}

// known reads the custody again after a failed write; it fails once the host is closed. The caller holds s.mu.
func (s *slot) known() (err error) {
	if s.host.ctx.Err() != nil {
		return errClosed()
	}
	if s.custody == nil {
		s.custody, err = readCustody(s.dir)
	}
	return err
}

// record makes a new custody durable. After a failed write nobody knows which one is on disk,
// so it is read again before it is used. The caller holds s.mu.
func (s *slot) record(next *custody) error {
	if err := writeCustody(s.host.writer, s.dir, next); err != nil {
		s.custody = nil
		s.evict()
		return err
	}
	s.custody = next
	return nil
}

// admits checks a handle. The caller holds s.mu.
func (s *slot) admits(handle Handle) (loan bool, err error) {
	if err := s.known(); err != nil {
		return false, err
	}
	switch {
	case s.custody.Handle.equal(handle):
		return false, nil
	case s.custody.Loan.equal(handle):
		return true, nil
	}
	return false, errStale()
}

// mayOpen tells whether a handle opens the card now. The caller holds s.mu.
func (s *slot) mayOpen(handle Handle) error {
	loan, err := s.admits(handle)
	if err != nil {
		return err
	}
	if !loan && s.custody.Loan != "" {
		return errLent()
	}
	return nil
}

// mayServe tells whether the socket opens the card now. The caller holds s.mu.
func (s *slot) mayServe() error {
	if err := s.known(); err != nil {
		return err
	}
	if s.custody.Custodian != Holder {
		return errStale()
	}
	if s.custody.Loan != "" {
		return errLent()
	}
	return nil
}

// created answers a repeated Create.
func (s *slot) created(order Order) (Handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.known(); err != nil {
		return "", err
	}
	if !sameSecret(s.custody.Order, order.Token) || s.custody.Moved || s.custody.Custodian != order.Custodian {
		return "", jitsuin.Errorf(jitsuin.Conflict, "card-exists", "there is a card with this identifier")
	}
	return s.custody.Handle, nil
}

// transfer passes the card on, or repeats the answer. The caller holds s.mu.
func (s *slot) transfer(handle Handle, to Custodian, token string) (Handle, error) {
	loan, err := s.admits(handle)
	if err != nil {
		if s.custody == nil {
			return "", err
		}
		if led, did := s.custody.repeats(handle, to, token); did {
			return led, s.serveHolder()
		}
		return "", err
	}
	if loan {
		return "", errNotCustodian()
	}
	if s.custody.Loan != "" {
		return "", errLent()
	}
	next := s.custody.handed(s.id, to, token)
	if err := s.record(next); err != nil {
		return "", err
	}
	s.evict()
	return next.Handle, s.serveHolder()
}

// lease waits for the card to be free and takes it. allowed is asked, under s.mu, before and
// after the wait: custody may have changed meanwhile. handle is "" for the holder's socket.
func (s *slot) lease(ctx context.Context, handle Handle, allowed func() error) (*lease, error) {
	if err := s.ask(allowed); err != nil {
		return nil, err
	}
	timer := time.NewTimer(s.host.options.Wait)
	defer timer.Stop()
	select {
	case <-s.free:
	case <-timer.C:
		return nil, errInUse()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.host.ctx.Done():
		return nil, errGone()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.take(allowed)
	if err != nil {
		s.free <- struct{}{}
		return nil, err
	}
	s.watch(ctx, l, handle, handle == "")
	s.current = l
	return l, nil
}

func (s *slot) ask(allowed func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return allowed()
}

// take opens the chip. The caller holds s.mu and the card.
func (s *slot) take(allowed func() error) (*lease, error) {
	if s.host.ctx.Err() != nil {
		return nil, errGone()
	}
	if err := allowed(); err != nil {
		return nil, err
	}
	memory, err := card.NewFolder(s.dir)
	if err != nil {
		return nil, err
	}
	chip, err := card.Open(memory)
	if err != nil {
		return nil, err
	}
	l, err := newLease(chip, s.host.faultOf(s.id), s.happened, func() { s.free <- struct{}{} })
	if err != nil {
		return nil, err
	}
	l.verified = s.host.options.Verified
	return l, nil
}

// evict takes the card away from whoever uses it. The caller holds s.mu.
func (s *slot) evict() {
	if s.current != nil {
		s.current.end()
		s.current = nil
	}
}
