package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin/card/atr"
	"github.com/jitsuin/jitsuin/card/vpcd"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/holder"
)

type cardVPCDCmd struct {
	data
	traceFlag
	Cards []string `arg:"" optional:"" name:"card" help:"The cards, each as with --card of the other commands. Not needed where the country has only one."`
	Host  string   `help:"Where vpcd is." default:"127.0.0.1"`
	Port  uint16   `help:"Port of vpcd's first slot; the second card goes one port on, and so forth. pcscd's own configuration has two." default:"35963" placeholder:"PORT"`
	ATR   string   `name:"atr" help:"Answer to reset instead of the card's own: one of those that real cards and readers were seen with (contact, contact-2 to -5, contactless, contactless-2 to -4), or hex." placeholder:"NAME|HEX"`
	Out   bool     `name:"out" help:"Begin with the cards outside; insert puts them in."`
}

func (cardVPCDCmd) Help() string {
	return `The cards appear in pcscd (Debian packages pcscd and vsmartcard-vpcd) as readers with a card, for every program that knows PC/SC, until the command ends.
While it runs, lines on standard input take cards out and put them in: "remove 1", "insert 1", "list", "quit". With one card the number may be left out.
A card of a running country is busy for others while it is in the reader. vpcd listens on all addresses of the machine: keep its ports closed to others.

Example:  jitsuin card vpcd 3f2a ./my-card`
}

// slot is one card and its place in pcscd.
type slot struct {
	n     int
	place holder.Place
	to    vpcd.Slot

	mu     sync.Mutex // owns the fields below
	remove context.CancelFunc
	done   chan struct{} // closed when the card is out
	in     bool          // pcscd has it
}

// shelf is what the command works on.
type shelf struct {
	cards holder.Cards
	slots []*slot
	mu    sync.Mutex // one line at a time
	face  *ui.Face
}

func (s *shelf) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.face.Out, format+"\n", args...)
}

func (c *cardVPCDCmd) Run(ctx context.Context, face *ui.Face) (err error) {
	cards, done, err := c.cards(face, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	s, err := c.shelf(ctx, face, cards)
	if err != nil {
		return err
	}
	defer func() {
		for _, slot := range s.slots {
			s.take(slot)
		}
	}()
	for _, slot := range s.slots {
		if c.Out {
			continue
		}
		if err := s.insert(ctx, slot); err != nil {
			return err
		}
	}
	return s.listen(ctx, face.In)
}

// shelf finds the cards and gives each its port.
func (c *cardVPCDCmd) shelf(ctx context.Context, face *ui.Face, cards holder.Cards) (*shelf, error) {
	var dress []byte
	var err error
	if c.ATR != "" {
		if dress, err = atr.Named(c.ATR); err != nil {
			return nil, err
		}
	}
	if len(c.Cards) == 0 {
		c.Cards = []string{""}
	}
	s := &shelf{cards: cards, face: face}
	for i, name := range c.Cards {
		place, err := cards.Place(ctx, name)
		if err != nil {
			return nil, err
		}
		if !place.Ours() {
			return nil, ui.Usage("%s is in a reader already", place)
		}
		port := int(c.Port) + i
		if port > 0xFFFF {
			return nil, ui.Usage("there is no port %d", port)
		}
		slot := &slot{n: i + 1, place: place, to: vpcd.Slot{Addr: net.JoinHostPort(c.Host, strconv.Itoa(port)), ATR: dress}}
		slot.to.Connected = func(in bool) { s.connected(slot, in) }
		s.slots = append(s.slots, slot)
	}
	return s, nil
}

// connected notes what pcscd did.
func (s *shelf) connected(slot *slot, in bool) {
	slot.mu.Lock()
	slot.in = in
	slot.mu.Unlock()
	if in {
		s.say("%d in the reader at %s: %s", slot.n, slot.to.Addr, slot.place)
		return
	}
	s.say("%d pcscd at %s has gone", slot.n, slot.to.Addr)
}

// insert opens a card and offers it to pcscd.
func (s *shelf) insert(ctx context.Context, slot *slot) error {
	slot.mu.Lock()
	defer slot.mu.Unlock()
	if slot.remove != nil {
		return nil
	}
	channel, err := s.cards.Channel(ctx, slot.place)
	if err != nil {
		return err
	}
	in, remove := context.WithCancel(ctx)
	slot.remove, slot.done = remove, make(chan struct{})
	go s.wonder(in, slot)
	go func(done chan struct{}) {
		defer close(done)
		defer channel.Close()
		if err := slot.to.Insert(in, channel); err != nil {
			s.face.Warn("card %d is out: %v", slot.n, err)
			slot.mu.Lock()
			slot.remove, slot.in = nil, false
			slot.mu.Unlock()
		}
	}(slot.done)
	return nil
}

// patience is how long pcscd may take before a person is told that it is not there.
const patience = 3 * time.Second

// wonder says that nobody takes the card, if it is so.
func (s *shelf) wonder(in context.Context, slot *slot) {
	select {
	case <-in.Done():
		return
	case <-time.After(patience):
	}
	if slot.state() == stateWaiting {
		s.face.Note("nobody takes card %d at %s yet: it goes in as soon as pcscd runs there with vpcd", slot.n, slot.to.Addr)
	}
}

// take takes a card out and waits until its holder may use it otherwise.
func (s *shelf) take(slot *slot) bool {
	slot.mu.Lock()
	remove, done := slot.remove, slot.done
	slot.remove, slot.in = nil, false
	slot.mu.Unlock()
	if remove == nil {
		return false
	}
	remove()
	<-done
	return true
}

// listen does what the lines say, until quit or the end of ctx. The end of the input is no end: the
// command may run in the background.
func (s *shelf) listen(ctx context.Context, from io.Reader) error {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		quit, err := s.obey(ctx, lines.Text())
		if quit {
			return nil
		}
		if err != nil {
			s.face.Warn("%v", err)
		}
	}
	<-ctx.Done()
	return nil
}

func (s *shelf) obey(ctx context.Context, line string) (quit bool, err error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return false, nil
	}
	switch words[0] {
	case "quit":
		return true, nil
	case "list":
		for _, slot := range s.slots {
			s.say("%d %s: %s at %s", slot.n, slot.state(), slot.place, slot.to.Addr)
		}
		return false, nil
	case "insert", "remove":
		slot, err := s.meant(words[1:])
		if err != nil {
			return false, err
		}
		if words[0] == "insert" {
			return false, s.insert(ctx, slot)
		}
		if s.take(slot) {
			s.say("%d out: %s", slot.n, slot.place)
		}
		return false, nil
	}
	return false, fmt.Errorf("%q: the commands are insert N, remove N, list and quit", words[0])
}

// meant is the card that a number names; without one, the only card.
func (s *shelf) meant(words []string) (*slot, error) {
	if len(words) == 0 && len(s.slots) == 1 {
		return s.slots[0], nil
	}
	if len(words) == 1 {
		if n, err := strconv.Atoi(words[0]); err == nil && n >= 1 && n <= len(s.slots) {
			return s.slots[n-1], nil
		}
	}
	return nil, fmt.Errorf("which card? a number from 1 to %d", len(s.slots))
}

const (
	stateOut     = "out"
	stateIn      = "in the reader"
	stateWaiting = "waiting for pcscd"
)

func (s *slot) state() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.remove == nil:
		return stateOut
	case s.in:
		return stateIn
	}
	return stateWaiting
}
