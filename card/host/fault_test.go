package host_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
)

const faultKey = "the key of the faults"

// faults serves the host's faults over HTTP.
func faults(t *testing.T, h *host.Host, key string) *host.Faults {
	t.Helper()
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	f, err := host.FaultsAt(server.URL, key, host.ClientOptions{HTTP: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func faulty(t *testing.T) (h *host.Host, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "cards")
	h, err := host.New(dir, host.Options{Wait: 100 * time.Millisecond, FaultKey: faultKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h, dir
}

func TestWhoMaySetFaults(t *testing.T) {
	h, _ := faulty(t)
	id, _ := create(t, h)
	slow := fault.Setting{Name: fault.Slow, Delay: time.Second}
	_, err := faults(t, h, "another key").Set(t.Context(), id, slow)
	wantCode(t, err, jitsuin.Unauthenticated, "fault-key")
	_, err = faults(t, h, "").Of(t.Context(), id)
	wantCode(t, err, jitsuin.Unauthenticated, "fault-key")
	none := newHost(t, filepath.Join(t.TempDir(), "cards")) // no key, no faults
	other, _ := create(t, none)
	_, err = faults(t, none, "").Set(t.Context(), other, slow)
	wantCode(t, err, jitsuin.Unsupported, "faults-off")
	if s, err := h.Fault(id); err != nil || s.Name != fault.None {
		t.Errorf("%+v %v", s, err)
	}
	f := faults(t, h, faultKey)
	if s, err := f.Set(t.Context(), id, slow); err != nil || s.Name != fault.Slow || s.Delay != time.Second {
		t.Errorf("%+v %v", s, err)
	}
	if s, err := f.Of(t.Context(), id); err != nil || s.Name != fault.Slow || s.Delay != time.Second {
		t.Errorf("%+v %v", s, err)
	}
	_, err = f.Of(t.Context(), jitsuin.NewID())
	wantCode(t, err, jitsuin.NotFound, "card-missing")
	_, err = f.Set(t.Context(), id, fault.Setting{Name: "rubbish"})
	wantCode(t, err, jitsuin.Invalid, "card-fault")
}

// A fault comes and goes while the card lies in a reader, and ends with the host.
func TestFaultOnAnOpenCard(t *testing.T) {
	h, dir := faulty(t)
	id, handle := create(t, h)
	c := mustOpen(t, h, handle)
	j, err := reader.SelectJPKI(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.SetFault(t.Context(), id, fault.Setting{Name: fault.Slow, Delay: fault.MaxDelay}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := j.TriesLeft(short, jitsuin.AuthCert); err == nil {
		t.Error("the card is not slow")
	}
	// It can be taken away while it dawdles.
	gone := make(chan error, 1)
	go func() { _, err := j.TriesLeft(context.WithoutCancel(t.Context()), jitsuin.AuthCert); gone <- err }()
	c.Close()
	select {
	case err := <-gone:
		wantCode(t, err, jitsuin.Unavailable, "card-gone")
	case <-time.After(fault.MaxDelay / 2):
		t.Error("closing waits for the slow card")
	}
	if s, err := h.SetFault(t.Context(), id, fault.Setting{}); err != nil || s.Name != fault.None {
		t.Errorf("%+v %v", s, err)
	}
	again := mustOpen(t, h, handle)
	if j, err = reader.SelectJPKI(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if _, err := j.TriesLeft(t.Context(), jitsuin.AuthCert); err != nil {
		t.Error(err)
	}
	again.Close()
	if _, err := h.SetFault(t.Context(), id, fault.Setting{Name: fault.Clone}); err != nil {
		t.Fatal(err)
	}
	h.Close()
	h, err = host.New(dir, host.Options{FaultKey: faultKey})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if s, err := h.Fault(id); err != nil || s.Name != fault.None {
		t.Errorf("after a restart: %+v %v", s, err)
	}
}

// Removing the card ends the channel, on each way to it; the next opening finds the card as it was.
func TestRemovedWhileSigning(t *testing.T) {
	h, dir := faulty(t)
	f := faults(t, h, faultKey)
	id, handle := create(t, h)
	held := mustTransfer(t, h, handle, host.Holder, token)
	for name, open := range map[string]func() (reader.Card, error){
		"in process": func() (reader.Card, error) { return h.Open(t.Context(), held) },
		"unix socket": func() (reader.Card, error) {
			return host.OpenSocket(t.Context(), filepath.Join(dir, string(id)+".sock"))
		},
		"websocket": func() (reader.Card, error) { return remote(t, h).Open(t.Context(), held) },
	} {
		if _, err := f.Set(t.Context(), id, fault.Setting{Name: fault.Removed}); err != nil {
			t.Fatal(err)
		}
		c, err := open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := reader.SelectJPKI(t.Context(), c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sign := []byte{0x80, 0x2A, 0, 0x97, 1, 0, 0}
		_, err = c.Transmit(t.Context(), sign)
		wantCode(t, err, jitsuin.Unavailable, "card-gone")
		c.Close()
		if s, err := f.Of(t.Context(), id); err != nil || s.Name != fault.None {
			t.Errorf("%s: the fault has not ended: %+v %v", name, s, err)
		}
		if c, err = open(); err != nil {
			t.Fatalf("%s: put back: %v", name, err)
		}
		if r, err := c.Transmit(t.Context(), sign); err != nil || len(r) != 2 {
			t.Errorf("%s: put back: %x %v", name, r, err)
		}
		c.Close()
	}
}

func TestPINUsedUpAtOnce(t *testing.T) {
	h, _ := faulty(t)
	id, handle := create(t, h)
	c := mustOpen(t, h, handle)
	_, err := h.SetFault(t.Context(), id, fault.Setting{Name: fault.AuthPINBlocked})
	wantCode(t, err, jitsuin.Conflict, "card-in-use")
	c.Close()
	s, err := h.SetFault(t.Context(), id, fault.Setting{Name: fault.AuthPINBlocked})
	if err != nil || s.Name != fault.None {
		t.Fatalf("%+v %v", s, err)
	}
	c = mustOpen(t, h, handle)
	defer c.Close()
	j, err := reader.SelectJPKI(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := j.TriesLeft(t.Context(), jitsuin.AuthCert); n != 0 || err != nil {
		t.Errorf("%d tries left, %v", n, err)
	}
}
