package host_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/card/explain"
	"github.com/jitsuin/jitsuin/card/host"
)

// observer keeps what a Watcher is told.
type observer struct {
	mu        sync.Mutex
	asked     []host.Access
	opened    []host.Access
	exchanges []host.Exchange
	closed    int
}

func (o *observer) Asked(_ context.Context, a host.Access) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, a)
}

func (o *observer) Opened(_ context.Context, a host.Access) (func(host.Exchange), func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = append(o.opened, a)
	return func(x host.Exchange) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.exchanges = append(o.exchanges, host.Exchange{Exchange: explain.Exchange{Command: bytes.Clone(x.Command), Response: bytes.Clone(x.Response), Masked: x.Masked}})
		}, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.closed++
		}
}

// A watcher sees who uses which card and every command, and no PIN, whatever the command looks like.
func TestAWatcherSeesNoPIN(t *testing.T) {
	o := &observer{}
	dir := t.TempDir()
	h, err := host.New(dir, host.Options{Wait: 50 * time.Millisecond, CreateKey: createKey, Watch: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(func() { h.Close() })
	var headers int
	cards, err := host.Client(server.URL, host.ClientOptions{CreateKey: createKey, Headers: func(context.Context) http.Header { headers++; return http.Header{"X-Request-Id": {"act"}} }})
	if err != nil {
		t.Fatal(err)
	}
	id, handle := create(t, cards)
	if _, err := cards.Info(t.Context(), handle+"x"); err == nil {
		t.Fatal("a wrong handle opens the card")
	}
	c := mustOpen(t, cards, handle)
	pin := []byte("SECRET12")
	for _, head := range [][]byte{{0x00, 0x20, 0x00, 0x80}, {0x10, 0x20, 0x00, 0x80}, {0x00, 0x24, 0x01, 0x80}, {0x80, 0x2C, 0x00, 0x80}, {0x00, 0x21, 0x00, 0x80}} {
		apdu := append(append(head, byte(len(pin))), pin...)
		if _, err := c.Transmit(t.Context(), apdu); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Transmit(t.Context(), append(append(head, 0, 0, byte(len(pin))), pin...)); err != nil { // extended
			t.Fatal(err)
		}
	}
	if _, err := c.Transmit(t.Context(), []byte{0x00, 0xA4, 0x04, 0x0C, 0x02, 0xD3, 0x92}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	mustTransfer(t, cards, handle, host.Holder, token) // ends the channel in any case
	socket, err := host.OpenSocket(t.Context(), filepath.Join(dir, string(id)+".sock"))
	if err != nil {
		t.Fatal(err)
	}
	socket.Close()
	for range 2000 {
		o.mu.Lock()
		done := o.closed == 2
		o.mu.Unlock()
		if done {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.opened) != 2 || o.closed != 2 || o.opened[0] != (host.Access{Card: id, Custodian: "jlis"}) || o.opened[1] != (host.Access{Card: id, Custodian: host.Holder, Socket: true}) {
		t.Errorf("opened %+v, %d closed", o.opened, o.closed)
	}
	if len(o.asked) < 3 || o.asked[0].Card != id || headers < 4 {
		t.Errorf("asked %+v, %d calls with headers", o.asked, headers)
	}
	masked := 0
	for _, x := range o.exchanges {
		if bytes.Contains(x.Command, []byte("SECRET")) || x.Masked && len(x.Command) != 4 {
			t.Errorf("a PIN is shown: %x", x.Command)
		}
		if x.Masked {
			masked++
		}
		if len(x.Response) < 2 {
			t.Errorf("%x has no response", x.Command)
		}
	}
	if masked != 10 || len(o.exchanges) < 11 {
		t.Errorf("%d of %d commands are masked", masked, len(o.exchanges))
	}
}
