package vpcd_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/vpcd"
)

// The frames as they stand on the wire: controls 0, 1 and 2 get no answer, 4 gets the ATR.
func TestFrames(t *testing.T) {
	here, there := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- vpcd.Serve(t.Context(), there, reader.Local(cardtest.Issue(t).Chip)) }()
	for _, c := range []struct{ send, want string }{
		{"0001 04", "0009 3be000ff8131fe4514"},
		{"0001 01", ""},
		{"0001 02 000f 00a4040c0ad392f000260100000001", "0002 9000"},
		{"0004 00200098", "0002 63c3"},
		{"0001 00 0004 00200098", "0002 6f00"},
		{"0001 01 0004 00200098", "0002 6a82"},
		{"0000", "0002 6700"},
		{"0002 00a4", "0002 6700"},
	} {
		if _, err := here.Write(unhex(t, c.send)); err != nil {
			t.Fatal(err)
		}
		want := unhex(t, c.want)
		got := make([]byte, len(want))
		here.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadFull(here, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s was answered %x (%v), want %x", c.send, got, err, want)
		}
	}
	here.Close()
	if err := <-done; err != nil {
		t.Errorf("hanging up: %v", err)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUnknownControlEndsTheConnection(t *testing.T) {
	here, there := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- vpcd.Serve(t.Context(), there, reader.Local(cardtest.Issue(t).Chip)) }()
	if _, err := here.Write([]byte{0, 1, 9}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; jitsuin.CodeOf(err) != "frame-control" {
		t.Errorf("%v", err)
	}
}

func TestConnIsACard(t *testing.T) {
	issued := cardtest.Issue(t)
	here, there := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- vpcd.Serve(t.Context(), there, reader.Local(issued.Chip)) }()
	conn := vpcd.NewConn(here)
	if err := conn.Power(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if atr, err := conn.ATR(t.Context()); err != nil || !bytes.Equal(atr, issued.Chip.ATR()) {
		t.Errorf("ATR %x %v", atr, err)
	}
	if r, err := conn.Transmit(t.Context(), []byte{4}); err != nil || !bytes.Equal(r, []byte{0x67, 0}) {
		t.Errorf("a command of one byte: %x %v", r, err)
	}
	j, err := reader.SelectJPKI(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	der, err := j.Certificate(t.Context(), jitsuin.AuthCert)
	if err != nil || !bytes.Equal(der, issued.Certificates[jitsuin.AuthCert].Raw) {
		t.Errorf("certificate: %v", err)
	}
	if err := conn.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.TokenInfo(t.Context()); jitsuin.CodeOf(err) != "card-file" {
		t.Errorf("after a reset: %v", err)
	}
	conn.Close()
	<-done
	if _, err := conn.ATR(t.Context()); jitsuin.CodeOf(err) != "card-gone" || jitsuin.KindOf(err) != jitsuin.Unavailable {
		t.Errorf("after hanging up: %v", err)
	}
}

func TestCancelledTransmitClosesTheConn(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // takes everything, answers nothing
		io.ReadFull(there, make([]byte, 6)) // the length, and the command
		cancel()
		io.Copy(io.Discard, there)
	}()
	conn := vpcd.NewConn(here)
	if _, err := conn.Transmit(ctx, []byte{0, 0x20, 0, 0x80}); jitsuin.CodeOf(err) != "card-gone" {
		t.Errorf("%v", err)
	}
	if _, err := conn.ATR(t.Context()); jitsuin.CodeOf(err) != "card-gone" {
		t.Errorf("the connection is still used: %v", err)
	}
}

// What was verified on one connection does not count on the next.
func TestConnectReconnectsAndResets(t *testing.T) {
	issued := cardtest.Issue(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, remove := context.WithCancel(t.Context())
	removed := make(chan error, 1)
	go func() { removed <- vpcd.Connect(ctx, listener.Addr().String(), reader.Local(issued.Chip)) }()
	for range 2 {
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn := vpcd.NewConn(accepted)
		if r, err := conn.Transmit(t.Context(), []byte{0, 0x20, 0, 0x98}); err != nil || !bytes.Equal(r, []byte{0x6A, 0x82}) {
			t.Errorf("a fresh connection answers %x %v", r, err)
		}
		j, err := reader.SelectJPKI(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Verify(t.Context(), jitsuin.AuthCert, cardtest.AuthPIN); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	remove()
	if err := <-removed; err != nil {
		t.Errorf("removal: %v", err)
	}
}

func TestConnectReportsTheCardsFailure(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			vpcd.NewConn(conn).ATR(t.Context())
		}
	}()
	dead, there := net.Pipe()
	there.Close()
	if err := vpcd.Connect(t.Context(), listener.Addr().String(), vpcd.NewConn(dead)); jitsuin.CodeOf(err) != "card-gone" {
		t.Errorf("%v", err)
	}
}

func BenchmarkTransmitTCP(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go vpcd.Connect(ctx, listener.Addr().String(), reader.Local(cardtest.Issue(b).Chip))
	accepted, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	conn := vpcd.NewConn(accepted)
	if _, err := reader.SelectJPKI(ctx, conn); err != nil {
		b.Fatal(err)
	}
	read := card.Command{INS: 0xB0, P1: 0x8A, Le: 256}.Bytes()
	for b.Loop() {
		if r, err := conn.Transmit(ctx, read); err != nil || len(r) != 258 {
			b.Fatal(err)
		}
	}
}
