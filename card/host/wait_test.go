package host_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
)

func TestOpenHeedsItsContext(t *testing.T) {
	h, err := host.New(t.TempDir(), host.Options{Wait: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	_, handle := create(t, h)
	first := mustOpen(t, h, handle)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := h.Open(ctx, handle); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { first.Close() })
	mustOpen(t, h, handle).Close() // the one who waits gets it
}

// Who waits for a card with a handle that dies meanwhile does not get the card, though it becomes free.
func TestWhoWaitsLosesTheCardToATransfer(t *testing.T) {
	h, err := host.New(t.TempDir(), host.Options{Wait: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	_, handle := create(t, h)
	mustOpen(t, h, handle)
	waited := make(chan error, 1)
	go func() {
		_, err := h.Open(t.Context(), handle)
		waited <- err
	}()
	time.Sleep(20 * time.Millisecond) // for the other to wait; where it came too late the handle is stale as well
	if _, err := h.Transfer(t.Context(), handle, town, other); err != nil {
		t.Fatal(err)
	}
	wantCode(t, <-waited, jitsuin.Denied, "stale-handle")
}
