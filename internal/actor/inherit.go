package actor

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/jitsuin/jitsuin"
)

// inheritance is what the service manager handed over when it started this process: sockets that
// listen already and stay open while the process is exchanged (systemd socket activation,
// sd_listen_fds(3)). A process has one.
type inheritance struct {
	read sync.Once

	mu   sync.Mutex
	left []net.Listener // not taken yet
	err  error
}

var handed inheritance

func (h *inheritance) load() {
	files := activation.Files(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range files {
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			h.err = jitsuin.Errorf(jitsuin.Invalid, "socket-inherited", "the socket %q that was handed over is none that listens: %w", f.Name(), err).
				WithHint("a socket unit for jitsuin has ListenStream=HOST:PORT and Accept=no")
			return
		}
		h.left = append(h.left, l)
	}
}

// take gives the inherited listener of an address, nil where there is none.
func (h *inheritance) take(ctx context.Context, address string) (net.Listener, error) {
	h.read.Do(h.load)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil || len(h.left) == 0 {
		return nil, h.err
	}
	i := slices.IndexFunc(h.left, func(l net.Listener) bool { return sameAddress(ctx, address, l.Addr()) })
	if i < 0 {
		return nil, nil
	}
	l := h.left[i]
	h.left = slices.Delete(h.left, i, i+1)
	return l, nil
}

// sameAddress tells whether a configured HOST:PORT is where a socket listens.
func sameAddress(ctx context.Context, configured string, at net.Addr) bool {
	have, ok := at.(*net.TCPAddr)
	host, port, err := net.SplitHostPort(configured)
	if !ok || err != nil || port != strconv.Itoa(have.Port) {
		return false
	}
	if host == "" {
		return have.IP.IsUnspecified()
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	return err == nil && slices.ContainsFunc(ips, func(ip net.IPAddr) bool {
		return ip.IP.Equal(have.IP) || ip.IP.IsUnspecified() && have.IP.IsUnspecified()
	})
}

// ListenOn listens on HOST:PORT: with the socket that the service manager has handed over for that
// address, and otherwise with a new one. inherited tells which: an inherited socket goes on taking
// connections when this process has closed it.
func ListenOn(ctx context.Context, address string) (l net.Listener, inherited bool, err error) {
	if l, err = handed.take(ctx, address); l != nil || err != nil {
		return l, true, err
	}
	l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	return l, false, err
}

// Unclaimed lists the addresses of inherited sockets at which nobody listens here: the manager's
// configuration and ours disagree, and whoever connects there would wait for ever.
func Unclaimed() []string {
	handed.mu.Lock()
	defer handed.mu.Unlock()
	var all []string
	for _, l := range handed.left {
		all = append(all, l.Addr().String())
	}
	return all
}
