package pcsc_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/pcsc"
	"github.com/jitsuin/jitsuin/card/pcscdtest"
	"github.com/jitsuin/jitsuin/card/reader"
)

// bounded is a context that no call of a sound service outlives.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T) *pcsc.Service {
	t.Helper()
	s, err := pcsc.Open(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// waitFor waits until so many readers have a card.
func waitFor(t *testing.T, s *pcsc.Service, cards int) []pcsc.Reader {
	t.Helper()
	readers, err := s.Readers(bounded(t))
	for {
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, r := range readers {
			if r.Present && len(r.ATR) > 0 {
				n++
			}
		}
		if n == cards {
			return readers
		}
		readers, err = s.Wait(bounded(t), readers)
	}
}

// Our chip behind Debian's pcscd, reached as a plastic card would be.
func TestACardInAReader(t *testing.T) {
	p := pcscdtest.Start(t)
	t.Setenv("PCSCLITE_CSOCK_NAME", p.Socket())
	s := open(t)
	readers, err := s.Readers(bounded(t))
	if err != nil || len(readers) != 2 || readers[0].Name != "Virtual PCD 00 00" || readers[0].Present {
		t.Fatalf("%+v %v", readers, err)
	}
	if _, err := pcsc.Connect(bounded(t), readers[0].Name, pcsc.Turns); jitsuin.CodeOf(err) != "card-missing" {
		t.Errorf("an empty reader: %v", err)
	}
	if _, err := pcsc.Connect(bounded(t), "Nobody's", pcsc.Turns); jitsuin.CodeOf(err) != "reader-missing" {
		t.Errorf("no reader: %v", err)
	}
	one, two := cardtest.Issue(t), cardtest.Issue(t)
	remove := p.Insert(0, reader.Local(one.Chip))
	readers = waitFor(t, s, 1)
	if !bytes.Equal(readers[0].ATR, one.Chip.ATR()) {
		t.Errorf("ATR %x", readers[0].ATR)
	}
	t.Run("signs", func(t *testing.T) { signs(t, readers[0].Name, one) })
	t.Run("is for one program at a time", func(t *testing.T) { takesTurns(t, readers[0].Name) })
	t.Run("forgets", func(t *testing.T) { forgets(t, readers[0].Name) })
	t.Run("two at once", func(t *testing.T) {
		defer p.Insert(1, reader.Local(two.Chip))()
		readers := waitFor(t, s, 2)
		signs(t, readers[1].Name, two)
		signs(t, readers[0].Name, one)
	})
	waitFor(t, s, 1)
	t.Run("a wait that is given up leaves the service good", func(t *testing.T) {
		known := waitFor(t, s, 1)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Wait(short, known); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		waitFor(t, s, 1)
	})
	c, err := pcsc.Connect(bounded(t), readers[0].Name, pcsc.Turns)
	if err != nil {
		t.Fatal(err)
	}
	remove()
	waitFor(t, s, 0)
	if _, err := c.Transmit(bounded(t), []byte{0, 0x84, 0, 0, 8}); jitsuin.CodeOf(err) != "card-gone" {
		t.Errorf("after removal: %v", err)
	}
	if _, err := c.ATR(bounded(t)); jitsuin.CodeOf(err) != "card-gone" {
		t.Errorf("its ATR: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closing what is gone: %v", err)
	}
	defer p.Insert(0, reader.Local(one.Chip))()
	signs(t, waitFor(t, s, 1)[0].Name, one)
}

func connect(t *testing.T, name string, sharing pcsc.Sharing) *pcsc.Card {
	t.Helper()
	c, err := pcsc.Connect(bounded(t), name, sharing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func signs(t *testing.T, name string, issued *cardtest.Issued) {
	t.Helper()
	ctx := bounded(t)
	c := connect(t, name, pcsc.Turns)
	defer c.Close()
	if atr, err := c.ATR(ctx); err != nil || !bytes.Equal(atr, issued.Chip.ATR()) {
		t.Errorf("ATR %x %v", atr, err)
	}
	j, err := reader.SelectJPKI(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range jitsuin.CertKinds {
		s, err := j.Signer(ctx, kind, cardtest.PINOf(kind))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil { // checks the signature itself
			t.Error(err)
		}
	}
	// An extended command gets through, and what is no command costs nothing.
	if r, err := c.Transmit(ctx, []byte{0, 0xA4, 2, 0x0C, 0, 0, 2, 0, 0x0A}); err != nil || !bytes.Equal(r, []byte{0x90, 0}) {
		t.Errorf("extended: %x %v", r, err)
	}
	// and so does a long response
	whole := issued.Certificates[jitsuin.AuthCert].Raw
	if r, err := c.Transmit(ctx, []byte{0, 0xB0, 0x8A, 0, 0, 0, 0}); err != nil || len(whole) <= 256 || !bytes.Equal(r, append(bytes.Clone(whole), 0x90, 0)) {
		t.Errorf("a long response: %d bytes of %d, %v", len(r), len(whole), err)
	}
	if r, err := c.Transmit(ctx, []byte{4}); err != nil || !bytes.Equal(r, []byte{0x67, 0}) {
		t.Errorf("one byte: %x %v", r, err)
	}
}

func takesTurns(t *testing.T, name string) {
	one := connect(t, name, pcsc.Turns)
	taken := make(chan error, 1)
	go func() {
		c, err := pcsc.Connect(bounded(t), name, pcsc.Turns)
		if err == nil {
			err = c.Close()
		}
		taken <- err
	}()
	select {
	case err := <-taken:
		t.Errorf("a second program came in between: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	one.Close()
	if err := <-taken; err != nil {
		t.Errorf("it waits and comes in: %v", err)
	}
	alone := connect(t, name, pcsc.Alone)
	if _, err := pcsc.Connect(bounded(t), name, pcsc.Turns); jitsuin.CodeOf(err) != "card-in-use" {
		t.Errorf("beside one that is alone: %v", err)
	}
	if err := alone.Close(); err != nil {
		t.Error(err)
	}
}

// What was verified ends with the connection, with the supply and with a reset, and not with Keep.
func forgets(t *testing.T, name string) {
	ctx := bounded(t)
	verified := func(c *pcsc.Card) bool {
		j, err := reader.SelectJPKI(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = j.Certificate(ctx, jitsuin.SignCert)
		return err == nil
	}
	verify := func(c *pcsc.Card) {
		t.Helper()
		j, err := reader.SelectJPKI(ctx, c)
		if err == nil {
			err = j.Verify(ctx, jitsuin.SignCert, cardtest.SignPIN)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c := connect(t, name, pcsc.Turns)
	for what, f := range map[string]func() error{"reset": func() error { return c.Reset(ctx) }, "power": func() error { return c.Power(ctx, false) }} {
		verify(c)
		if err := f(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if verified(c) {
			t.Errorf("%s: it still counts as verified", what)
		}
	}
	verify(c)
	c.Keep()
	c.Close()
	c = connect(t, name, pcsc.Turns)
	if r, err := c.Transmit(ctx, card.Command{INS: 0xB0, P1: 0x81, Le: 4}.Bytes()); err != nil || len(r) != 6 {
		t.Errorf("Keep: %x %v", r, err)
	}
	c.Close()
	if verified(connect(t, name, pcsc.Turns)) {
		t.Error("after Close it still counts as verified")
	}
}

// yanked is a card that is pulled out when it is asked to sign.
type yanked struct {
	reader.Card
	asked chan struct{}
	gone  context.Context
}

func (y yanked) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if len(apdu) > 1 && apdu[1] == 0x2A {
		close(y.asked)
		<-y.gone.Done()
	}
	return y.Card.Transmit(ctx, apdu)
}

func TestACardThatIsTakenOutWhileItSigns(t *testing.T) {
	p := pcscdtest.Start(t)
	t.Setenv("PCSCLITE_CSOCK_NAME", p.Socket())
	s := open(t)
	issued := cardtest.Issue(t)
	gone, pulled := context.WithCancel(t.Context())
	defer pulled()
	y := yanked{reader.Local(issued.Chip), make(chan struct{}), gone}
	remove := p.Insert(0, y)
	c := connect(t, waitFor(t, s, 1)[0].Name, pcsc.Turns)
	j, err := reader.SelectJPKI(bounded(t), c)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := j.Signer(bounded(t), jitsuin.AuthCert, cardtest.AuthPIN)
	if err != nil {
		t.Fatal(err)
	}
	removed := make(chan struct{})
	go func() {
		<-y.asked
		go pulled()
		remove()
		close(removed)
	}()
	if _, err := signer.Sign(nil, make([]byte, 32), crypto.SHA256); jitsuin.CodeOf(err) != "card-gone" || jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("%v", err)
	}
	<-removed
	waitFor(t, s, 0)
	c.Close()
	if left, err := cardTries(issued); err != nil || left != 3 {
		t.Errorf("%d tries left, %v", left, err)
	}
}

func cardTries(issued *cardtest.Issued) (int, error) {
	j, err := reader.SelectJPKI(context.Background(), reader.Local(issued.Chip))
	if err != nil {
		return 0, fmt.Errorf("select: %w", err)
	}
	return j.TriesLeft(context.Background(), jitsuin.AuthCert)
}

// BenchmarkTransmit is a READ BINARY of 256 bytes through pcscd and vpcd, beside the same without them.
func BenchmarkTransmit(b *testing.B) {
	p := pcscdtest.Start(b)
	b.Setenv("PCSCLITE_CSOCK_NAME", p.Socket())
	chip := reader.Local(cardtest.Issue(b).Chip)
	defer p.Insert(0, chip)()
	s, err := pcsc.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var readers []pcsc.Reader
	for len(readers) == 0 || len(readers[0].ATR) == 0 {
		if readers, err = s.Wait(b.Context(), readers); err != nil {
			b.Fatal(err)
		}
	}
	c, err := pcsc.Connect(b.Context(), readers[0].Name, pcsc.Turns)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for name, channel := range map[string]reader.Card{"pcscd": c, "bare": chip} {
		b.Run(name, func(b *testing.B) {
			if _, err := reader.SelectJPKI(b.Context(), channel); err != nil {
				b.Fatal(err)
			}
			read := card.Command{INS: 0xB0, P1: 0x8A, Le: 256}.Bytes()
			for b.Loop() {
				if r, err := channel.Transmit(b.Context(), read); err != nil || len(r) != 258 {
					b.Fatalf("%x %v", r, err)
				}
			}
		})
	}
}
