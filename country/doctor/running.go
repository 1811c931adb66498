package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// answerTime is how long an actor may take to say how it is.
const answerTime = 3 * time.Second

// addresses asks an actor how it is, at every address that it has; where nobody answers, whether the
// address could be taken.
func (p *patient) addresses(ctx context.Context, s country.Settings) {
	answering := false
	for i, address := range s.Listens {
		state, err := askReady(ctx, address)
		switch {
		case err == nil && i == 0 && s.Key != "" && !p.isOurs(ctx, s):
			p.wrong("address-foreign", s.Instance, address)
		case err == nil:
			answering, p.running = true, true
			p.readiness(s.Instance, address, state)
		case isErrno(err, syscall.ECONNREFUSED, 10061):
			p.free(ctx, s.Instance, address)
		case errors.Is(err, errForeign):
			p.wrong("address-foreign", s.Instance, address)
		case !canListen(ctx, address):
			p.wrong("address-unusable", s.Instance, address)
		default:
			p.silent(s.Instance, address, err)
		}
	}
	p.tlsPort(ctx, s, answering)
	switch {
	case s.Metrics == "":
		p.note("metrics-none", s.Instance)
	case answering:
		p.figures(ctx, s)
	default:
		p.free(ctx, s.Instance, s.Metrics)
	}
}

// errForeign says that something answers that is none of our actors.
var errForeign = errors.New("something else answers there")

// askReady asks an address for /readyz; the result is what is wrong, by name.
func askReady(ctx context.Context, address string) (map[string]string, error) {
	raw, err := fetch(ctx, "http://"+address+"/readyz", 64<<10)
	if err != nil {
		return nil, err
	}
	var state struct {
		Ready *bool             `json:"ready"`
		Wrong map[string]string `json:"wrong"`
	}
	if json.Unmarshal(raw, &state) != nil || state.Ready == nil {
		return nil, errForeign
	}
	return state.Wrong, nil
}

func fetch(ctx context.Context, url string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: these are our own addresses
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, limit))
}

// isOurs asks with the actor's own key: another country at the same address does not know it.
func (p *patient) isOurs(ctx context.Context, s country.Settings) bool {
	key, err := actor.ReadKey(s.Key)
	if err != nil {
		return true // said already; nothing speaks against it
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r := httpapi.NewRemoteAt(httpapi.Identity{ID: s.Instance, Key: key}, "http://"+s.Listen, s.Instance)
	defer r.Close()
	_, err = httpapi.Do[actor.Progress](ctx, r, http.MethodGet, "/feeds", "", nil)
	kind := jitsuin.KindOf(err)
	return err == nil || kind != jitsuin.Unauthenticated && kind != jitsuin.NotFound
}

// readiness says what an actor says of itself.
func (p *patient) readiness(instance, address string, wrong map[string]string) {
	if len(wrong) == 0 {
		p.well("ready", instance, address)
	}
	for _, check := range slices.Sorted(maps.Keys(wrong)) {
		p.wrong("not-ready", instance, check, wrong[check])
	}
}

// free tries to listen at an address at which nobody answers.
func (p *patient) free(ctx context.Context, instance, address string) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		p.silent(instance, address, err)
		return
	}
	l.Close()
	p.well("address-free", instance, address)
}

// isErrno tells what a system call failed with; Windows has numbers of its own for sockets (Winsock).
func isErrno(err error, posix, winsock syscall.Errno) bool {
	return errors.Is(err, posix) || runtime.GOOS == "windows" && errors.Is(err, winsock)
}

// canListen tells whether an address is one of this machine.
func canListen(ctx context.Context, address string) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		l.Close()
	}
	return !isErrno(err, syscall.EADDRNOTAVAIL, 10049)
}

// silent explains why an address is no good.
func (p *patient) silent(instance, address string, err error) {
	switch {
	case isErrno(err, syscall.EADDRINUSE, 10048):
		p.wrong("address-taken", instance, address)
	case isErrno(err, syscall.EADDRNOTAVAIL, 10049):
		p.wrong("address-unusable", instance, address)
	default:
		p.wrong("address-silent", instance, address, plain(err))
	}
}

// figures looks whether the operator can read the figures of a running actor.
func (p *patient) figures(ctx context.Context, s country.Settings) {
	raw, err := fetch(ctx, "http://"+s.Metrics+"/metrics", 8<<20)
	switch {
	case err != nil:
		p.wrong("metrics-silent", s.Instance, s.Metrics, plain(err))
	case !strings.Contains(string(raw), `instance_id="`+s.Instance+`"`):
		p.wrong("metrics-foreign", s.Instance, s.Metrics)
	default:
		p.well("metrics", s.Instance, s.Metrics)
	}
}
