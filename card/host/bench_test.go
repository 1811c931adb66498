package host_test

import (
	"path/filepath"
	"testing"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
)

// One READ BINARY of the token information, on each way to a card.
func BenchmarkTransmit(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "cards")
	h := newHost(b, dir)
	id, handle := create(b, h)
	held := mustTransfer(b, h, handle, host.Holder, token)
	far := remote(b, h)
	read := card.Command{INS: 0xB0, P1: 0x86, Le: 160}.Bytes()
	for _, way := range []struct {
		name string
		open func() (reader.Card, error)
	}{
		{"in process", func() (reader.Card, error) { return h.Open(b.Context(), held) }},
		{"unix socket", func() (reader.Card, error) {
			return host.OpenSocket(b.Context(), filepath.Join(dir, string(id)+".sock"))
		}},
		{"websocket", func() (reader.Card, error) { return far.Open(b.Context(), held) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			c, err := way.open()
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			if _, err := reader.SelectJPKI(b.Context(), c); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if r, err := c.Transmit(b.Context(), read); err != nil || len(r) != 162 {
					b.Fatal(len(r), err)
				}
			}
		})
	}
}

func BenchmarkCreate(b *testing.B) {
	h := newHost(b, b.TempDir())
	for b.Loop() {
		create(b, h)
	}
}

func BenchmarkOpen(b *testing.B) {
	h := newHost(b, b.TempDir())
	_, handle := create(b, h)
	for b.Loop() {
		mustOpen(b, h, handle).Close()
	}
}
