package pcsc

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
)

// Reader is a reader (a slot of one) as the service sees it.
type Reader struct {
	Name string
	// Present tells that a card lies in it; Mute that it does not answer.
	Present, Mute bool
	// Exclusive tells that a program has the card for itself, InUse that one uses it at all.
	Exclusive, InUse bool
	// ATR is the card's answer to reset, of at most 33 bytes; empty without a card.
	ATR []byte

	events uint32 // how often a card came or went, where the service counts
}

// same tells whether nothing happened in a reader that concerns its card.
func (r Reader) same(o Reader) bool {
	return r.Name == o.Name && r.Present == o.Present && r.Mute == o.Mute && r.events == o.events && bytes.Equal(r.ATR, o.ATR)
}

// shown tells whether a reader's name can be shown to people. It comes from the device, and one that would
// steer a terminal is not listed at all.
func shown(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// Service is a connection to the PC/SC service that looks at readers. It is safe for concurrent
// use; calls wait for each other, so who waits for a card has a Service of its own.
type Service struct {
	mu   sync.Mutex
	link link
}

// Open connects to the service of this machine. Unavailable "pcsc-missing" where none runs.
func Open(ctx context.Context) (*Service, error) {
	l, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return &Service{link: l}, nil
}

// Close leaves the service.
func (s *Service) Close() error { return s.link.close() }

// Readers gives all readers, in the service's order.
func (s *Service) Readers(ctx context.Context) ([]Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link.readers(ctx)
}

// Wait waits until something about the readers or their cards differs from known, which Readers or
// Wait gave, and gives the new state. A card that was taken out and put in again in between counts
// as a difference on Linux. It ends with ctx's error when ctx does; the Service stays good.
func (s *Service) Wait(ctx context.Context, known []Reader) ([]Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		now, err := s.link.changed(ctx, known)
		if err != nil {
			return nil, err
		}
		if !slices.EqualFunc(known, now, Reader.same) {
			return now, nil
		}
	}
}

// Find gives the one reader that name means: its whole name, or a beginning or part of it that no
// other has; "" is the one reader that has a card. NotFound "reader-missing" or "card-missing", Conflict
// "reader-ambiguous" with the candidates as a hint.
func Find(readers []Reader, name string) (Reader, error) {
	if i := slices.IndexFunc(readers, func(r Reader) bool { return r.Name == name }); i >= 0 && name != "" {
		return readers[i], nil
	}
	var found []Reader
	var names []string
	for _, r := range readers {
		if name == "" && r.Present || name != "" && strings.Contains(strings.ToLower(r.Name), strings.ToLower(name)) {
			found = append(found, r)
			names = append(names, r.Name)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Reader{}, jitsuin.Errorf(jitsuin.Conflict, "reader-ambiguous", "%d readers could be meant", len(found)).
			WithHint("choose one: %s", strings.Join(names, ", ")).At("card")
	case name == "":
		return Reader{}, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no card in a reader")
	}
	for _, r := range readers {
		names = append(names, r.Name)
	}
	e := jitsuin.Errorf(jitsuin.NotFound, "reader-missing", "there is no reader %q", name)
	if len(names) > 0 {
		return Reader{}, e.WithHint("the readers are: %s", strings.Join(names, ", "))
	}
	return Reader{}, e.WithHint("no reader is connected")
}

// Sharing says whom a Card shares its card with.
type Sharing int

const (
	// Turns leaves other programs connected and takes the card for the time of the connection: they
	// wait. It is right beside a browser that keeps a card open.
	Turns Sharing = iota
	// Alone keeps others out altogether, and is refused while another program is connected.
	Alone
)

// inUseWait is how long Connect waits for a card that another program uses, and pollAfter how
// often it asks; libpcsclite asks as often.
const (
	inUseWait = 2 * time.Second
	pollAfter = 100 * time.Millisecond
)

// Connect opens the card in the reader with that whole name. It opens a connection to the service
// of its own. NotFound "reader-missing" or "card-missing", Conflict "card-in-use" where another
// program keeps the card for longer than two seconds.
func Connect(ctx context.Context, reader string, sharing Sharing) (*Card, error) {
	l, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	c, err := connect(ctx, l, reader, sharing)
	if err != nil {
		_ = l.close() // the error before says more
		return nil, err
	}
	return c, nil
}

func connect(ctx context.Context, l link, reader string, sharing Sharing) (*Card, error) {
	bounded, cancel := context.WithTimeout(ctx, inUseWait)
	defer cancel()
	c := &Card{link: l, reader: reader, share: shareShared}
	if sharing == Alone {
		c.share = shareExclusive
	}
	// pcscd does not answer a connect while another program has its turn.
	err := patiently(bounded, func() (err error) {
		c.handle, c.protocol, err = l.connect(bounded, reader, c.share)
		return err
	})
	if err == nil && sharing == Turns {
		err = patiently(bounded, func() error { return l.begin(bounded, c.handle) })
		c.inTurn = err == nil
	}
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return nil, errorOf("connect to the card", codeSharing)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// patiently asks again while another program has the card, until ctx ends.
func patiently(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		if !isCode(err, codeSharing) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pollAfter):
		}
	}
}
