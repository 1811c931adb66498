package tsa

import (
	"context"
	"crypto/rand"
	"encoding/asn1"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// TSA is the running authority.
type TSA struct {
	*actor.Actor
	cfg      Config
	policy   asn1.ObjectIdentifier
	accuracy time.Duration
	random   io.Reader
	watch    *watch
	count    counters

	mu     sync.Mutex // owns house
	house  *house
	issuer atomic.Pointer[tsp.Issuer]
	busy   chan struct{}
}

// mostBusy is how many requests are stamped at the same time.
const mostBusy = 64

// New opens the authority; Run starts it.
func New(ctx context.Context, cfg Config) (*TSA, error) {
	policy, err := cfg.policy()
	if err != nil {
		return nil, err
	}
	passphrase, err := cfg.passphrase()
	if err != nil {
		return nil, err
	}
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Time-stamping authority of a sandbox (タイムスタンプ局)", Version: "1",
		Migrations: Migrations(), Log: cfg.Log, Store: cfg.Store})
	if err != nil {
		return nil, err
	}
	t := &TSA{Actor: a, cfg: cfg, policy: policy, random: cfg.Rand, count: newCounters(a.Metrics), busy: make(chan struct{}, mostBusy)}
	if t.random == nil {
		t.random = rand.Reader
	}
	t.watchClocks()
	if t.house, err = openHouse(cfg.Folder(), passphrase, a.Clock.Now()); err != nil {
		a.Close()
		return nil, err
	}
	t.issuer.Store(t.house.issuer(policy, t.accuracy))
	t.At(t.nextUnit())
	t.routes()
	t.figures()
	return t, nil
}

// watchClocks begins to watch the wall clock. The law says from which difference on it is wrong.
func (t *TSA) watchClocks() {
	read := t.cfg.Clocks
	if read == nil {
		read = readClocks
	}
	t.accuracy = rules.TimeStampDeviation(jitsuin.DateOf(t.Clock.Now()))
	sources := t.cfg.Sources
	for _, address := range t.cfg.NTP {
		s := newServer(address, read)
		sources = append(sources, s)
		t.Go(s.Name(), s.run)
	}
	t.watch = newWatch(read, t.accuracy, t.Log, sources...)
}

// now gives civil time to the millisecond, as tokens state it, from one look at the clocks and while they
// can be relied on. The error is of kind Unavailable.
func (t *TSA) now(ctx context.Context) (time.Time, error) {
	wall, err := t.watch.now(ctx)
	return wall.Add(t.Clock.Offset()).Truncate(time.Millisecond), err
}

// nextUnit is the job that makes the next unit in time.
func (t *TSA) nextUnit() clock.Job {
	return clock.Job{Name: "time-stamping unit",
		Next: func(context.Context) (time.Time, bool, error) {
			t.mu.Lock()
			defer t.mu.Unlock()
			due, ok := t.house.renewal()
			return due, ok, nil
		},
		Fire: func(_ context.Context, now time.Time) error {
			t.mu.Lock()
			defer t.mu.Unlock()
			if err := t.house.renew(now); err != nil {
				return err
			}
			t.issuer.Store(t.house.issuer(t.policy, t.accuracy))
			return nil
		}}
}

func (t *TSA) routes() {
	t.API.Raw("POST /{$}", httpapi.Public("a time-stamp says nothing about who asked, and this is a sandbox"), http.HandlerFunc(t.serve))
	t.API.Raw("GET /certificates/{name}", httpapi.Public("the authority's certificates are published"), http.HandlerFunc(t.serveCertificate))
	t.API.Ready("clock", func(ctx context.Context) error {
		now, err := t.now(ctx)
		if err == nil {
			err = t.notBefore(ctx, now)
		}
		return err
	})
	t.API.Ready("unit", func(context.Context) error {
		if c := t.issuer.Load().Certificate; t.Clock.Now().After(c.NotAfter) {
			return jitsuin.Errorf(jitsuin.Unavailable, "tsa-expired", "the certificate of the unit has ended")
		}
		return nil
	})
}

// serveCertificate gives root.cer, unit.cer (the one that stamps now) and unit-N.cer.
func (t *TSA) serveCertificate(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	h := t.house
	root, unit, number := h.root, h.unit, h.number
	t.mu.Unlock()
	name, _ := strings.CutSuffix(r.PathValue("name"), ".cer")
	switch {
	case name == rootKey:
		unit = root
	case name == "unit" || name == unitKey+strconv.Itoa(number):
	default:
		httpapi.WriteError(w, r, t.Log, jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "there is no such certificate here"))
		return
	}
	w.Header().Set("Content-Type", "application/pkix-cert")
	_, _ = w.Write(unit.Raw)
}
