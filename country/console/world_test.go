package console_test

import (
	"context"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/console"
)

// world is a country that runs in this process, with its console.
type world struct {
	country.Folder
	origin string // of the console
	stop   func()
}

// live runs a country in a folder until stop, or until the test ends. origin is where its console was before, ""
// for a new one.
func live(t *testing.T, data, origin string) *world {
	t.Helper()
	listen := strings.TrimPrefix(origin, "http://")
	if listen == "" {
		port, err := freeport.Find()
		if err != nil {
			t.Fatal(err)
		}
		listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- country.Up(ctx, country.Options{Data: data, Listen: listen, Quick: true, Seed: 1, Pages: console.Pages, Log: slog.New(slog.DiscardHandler),
			Ready: func(country.Folder) { close(ready) }})
	}()
	w := &world{Folder: country.Folder(data), origin: "http://" + listen}
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the country ended: %v", err)
		}
	}
	t.Cleanup(w.stop)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	select {
	case <-ready:
	case err := <-ended:
		stopped = true
		t.Fatalf("the country did not come to life: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the country is not ready after a minute")
	}
	return w
}
