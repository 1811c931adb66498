//go:build linux

package pcsc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
)

// script is a pcscd of a test's own: it answers each message with what the function gives, nil hangs up.
type script func(command uint32, body []byte, rest io.Reader) []byte

// play serves a script at a socket that dial finds.
func play(t testing.TB, s script) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	t.Setenv(socketEnv, path)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn, s)
		}
	}()
}

func serve(conn net.Conn, s script) {
	defer conn.Close()
	for {
		var head [8]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		body := make([]byte, native.Uint32(head[:]))
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		answer := s(native.Uint32(head[4:]), body, conn)
		if answer == nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// table is a table of readers with one that has a card.
func table(name string, state uint32, atr []byte, atrSize uint32) []byte {
	b := make([]byte, maxReaders*stateSize)
	copy(b, name)
	n := b[maxName:]
	native.PutUint32(n[4:], state)
	copy(n[12:45], atr)
	native.PutUint32(n[48:], atrSize)
	return b
}

// sound answers as pcscd does, one card in one reader.
func sound(command uint32, body []byte, rest io.Reader) []byte {
	switch command {
	case cmdVersion:
		return numbers(4, 4, 0)
	case cmdEstablish:
		return numbers(0, 77, 0)
	case cmdReadersState, cmdWaitChange:
		return table("A reader", statePresent, []byte{0x3B, 0x80}, 2)
	case cmdStopWaiting:
		return numbers(0, 0)
	case cmdConnect:
		n := body[len(body)-20:]
		native.PutUint32(n[8:], 5)
		native.PutUint32(n[12:], protocolT1)
	case cmdTransmit:
		io.CopyN(io.Discard, rest, int64(native.Uint32(body[12:])))
		native.PutUint32(body[24:], 2)
		return append(body, 0x90, 0)
	}
	return body
}

func TestTheProtocolsVersion(t *testing.T) {
	for name, c := range map[string]struct {
		speaks []uint32 // minor versions that the daemon takes
		tells  [2]uint32
		code   string
	}{
		"1.9":                     {[]uint32{4}, [2]uint32{4, 4}, ""},
		"2.3, which takes only 5": {[]uint32{5}, [2]uint32{4, 5}, ""},
		"2.5":                     {[]uint32{4, 5, 6}, [2]uint32{4, 6}, ""},
		"a later one":             {[]uint32{9}, [2]uint32{4, 9}, "pcsc-version"},
		"another major version":   {nil, [2]uint32{5, 0}, "pcsc-answer"},
	} {
		play(t, func(command uint32, body []byte, rest io.Reader) []byte {
			if command != cmdVersion {
				return sound(command, body, rest)
			}
			if slices.Contains(c.speaks, native.Uint32(body[4:])) {
				return numbers(c.tells[0], c.tells[1], 0)
			}
			return numbers(c.tells[0], c.tells[1], codeStopped)
		})
		s, err := Open(t.Context())
		if jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			s.Close()
		}
	}
}

func TestNoService(t *testing.T) {
	t.Setenv(socketEnv, filepath.Join(t.TempDir(), "none"))
	if _, err := Open(t.Context()); jitsuin.CodeOf(err) != "pcsc-missing" || jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("%v", err)
	}
}

// A daemon that lies gets an error, never a panic, a wait without end, or memory without bound.
func TestADaemonThatLies(t *testing.T) {
	big := uint32(0xFFFFFFFF)
	for name, c := range map[string]struct {
		on    uint32
		does  func(body []byte) []byte
		never bool // comes to the end of its answer
	}{
		"hangs up at the greeting":     {cmdVersion, func([]byte) []byte { return nil }, false},
		"greets in part":               {cmdVersion, func([]byte) []byte { return []byte{4, 0} }, true},
		"says nothing":                 {cmdEstablish, func([]byte) []byte { return []byte{} }, true},
		"refuses to establish":         {cmdEstablish, func([]byte) []byte { return numbers(0, 0, codeSecurity) }, false},
		"has an ATR of 4 GiB":          {cmdReadersState, func([]byte) []byte { return table("A reader", statePresent, nil, big) }, false},
		"cuts the table":               {cmdReadersState, func([]byte) []byte { return table("A reader", statePresent, nil, 2)[:100] }, true},
		"has a response of 4 GiB":      {cmdTransmit, func(b []byte) []byte { native.PutUint32(b[24:], big); return b }, false},
		"promises more than it gives":  {cmdTransmit, func(b []byte) []byte { native.PutUint32(b[24:], 60000); return append(b, 0x90) }, true},
		"answers with an unknown code": {cmdTransmit, func(b []byte) []byte { native.PutUint32(b[28:], 0x801000FF); return b }, false},
		"gives no turn":                {cmdBegin, func(b []byte) []byte { native.PutUint32(b[4:], codeSharing); return b }, false},
		"lost the card":                {cmdTransmit, func(b []byte) []byte { native.PutUint32(b[28:], codeRemoved); return b }, false},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(command uint32, body []byte, rest io.Reader) []byte {
				answer := sound(command, slices.Clone(body), rest)
				if command == c.on {
					return c.does(body)
				}
				return answer
			})
			patience := 30 * time.Second
			if c.never {
				patience = 2 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := useAll(ctx)
			if err == nil || jitsuin.KindOf(err) == jitsuin.Internal {
				t.Errorf("%v", err)
			}
		})
	}
}

// useAll looks at the readers, connects, and sends a command.
func useAll(ctx context.Context) error {
	s, err := Open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Readers(ctx); err != nil {
		return err
	}
	c, err := Connect(ctx, "A reader", Turns)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ATR(ctx); err != nil {
		return err
	}
	response, err := c.Transmit(ctx, []byte{0, 0x84, 0, 0, 8})
	if err == nil && len(response) > maxResponse {
		err = fmt.Errorf("a response of %d bytes", len(response))
	}
	return err
}

// Random answers of the right and of wrong lengths.
func TestADaemonThatRaves(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex // a connection that was given up may still be answered
	play(t, func(command uint32, body []byte, rest io.Reader) []byte {
		answer := sound(command, body, rest)
		mu.Lock()
		defer mu.Unlock()
		if command == cmdVersion {
			return answer
		}
		for i := range answer {
			if rng.IntN(3) == 0 {
				answer[i] = byte(rng.Uint32())
			}
		}
		return answer[:len(answer)-rng.IntN(min(len(answer), 3))]
	})
	for range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_ = useAll(ctx) // whatever it says, it says it in time
		cancel()
	}
}

func TestASoundDaemon(t *testing.T) {
	play(t, sound)
	if err := useAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	readers, err := s.Readers(t.Context())
	if err != nil || len(readers) != 1 || !readers[0].Present {
		t.Fatalf("%+v %v", readers, err)
	}
	// A difference is told at once; where there is none, the wait ends with its context and the service stays good.
	if got, err := s.Wait(t.Context(), nil); err != nil || len(got) != 1 {
		t.Errorf("%+v %v", got, err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Wait(short, readers); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := s.Readers(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestACommandThatIsGivenUpEndsTheConnection(t *testing.T) {
	short, cancel := context.WithCancel(t.Context())
	defer cancel()
	play(t, func(command uint32, body []byte, rest io.Reader) []byte {
		if command == cmdTransmit {
			cancel()
			return []byte{} // never
		}
		return sound(command, body, rest)
	})
	c, err := Connect(t.Context(), "A reader", Turns)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Transmit(short, []byte{0, 0x84, 0, 0, 8}); err == nil {
			t.Fatal("it was answered")
		}
	}
	if _, err := c.Transmit(t.Context(), []byte{0, 0x84, 0, 0, 8}); jitsuin.CodeOf(err) != "card-gone" {
		t.Errorf("%v", err)
	}
	if _, err := c.Transmit(t.Context(), make([]byte, maxCommand+1)); jitsuin.CodeOf(err) != "apdu-form" {
		t.Errorf("too long: %v", err)
	}
	c.Close()
	if _, err := c.Transmit(t.Context(), []byte{0, 0x84, 0, 0, 8}); jitsuin.CodeOf(err) != "card-gone" {
		t.Errorf("after Close: %v", err)
	}
}

func TestFind(t *testing.T) {
	readers := []Reader{{Name: "Gem 00 00"}, {Name: "Gem 00 01", Present: true}, {Name: "Gem"}}
	for name, want := range map[string]string{"Gem 00 00": "Gem 00 00", "01": "Gem 00 01", "": "Gem 00 01", "Gem": "Gem", "gem 00 01": "Gem 00 01"} {
		if r, err := Find(readers, name); err != nil || r.Name != want {
			t.Errorf("%q: %q %v", name, r.Name, err)
		}
	}
	for name, code := range map[string]string{"gem": "reader-ambiguous", "other": "reader-missing"} {
		if _, err := Find(readers, name); jitsuin.CodeOf(err) != code {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := Find(readers[:1], ""); jitsuin.CodeOf(err) != "card-missing" {
		t.Errorf("%v", err)
	}
}

// FuzzStates is the table of readers as a daemon may send it.
func FuzzStates(f *testing.F) {
	f.Add(table("A reader", statePresent, []byte{0x3B}, 1))
	f.Add(table("A reader\x1b[2J", statePresent, []byte{0x3B}, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		readers, err := parseStates(b)
		for _, r := range readers {
			if err != nil || len(r.ATR) > maxATR || len(r.Name) > maxName || r.Name == "" || strings.ContainsAny(r.Name, "\x1b\n\r") {
				t.Errorf("%+v %v", r, err)
			}
		}
	})
}
