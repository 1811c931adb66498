package country

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/metrics"
)

// CardsConfig is the configuration of cards:1, the place where the sandbox's chips physically are.
type CardsConfig struct {
	// Instance is cards:1, Listen its HOST:PORT.
	Instance string `yaml:"instance" check:"required,instance=cards"`
	Listen   string `yaml:"listen" check:"required,hostport"`
	Metrics  string `yaml:"metrics,omitempty" check:"hostport"` // as in actor.Config
	Cards    string `yaml:"cards" check:"required"`             // the folder of the chips
	// CreateKey is a file with the secret that lets J-LIS make blank chips here.
	CreateKey string `yaml:"create_key" check:"required,file"`
	// TraceKey is a file with the secret that shows how the chips were used (GET /trace); without it nothing
	// is remembered.
	TraceKey string `yaml:"trace_key,omitempty" check:"file"`
	// FaultKey is a file with the secret that lets testers put faults on chips, such as a card that is removed while
	// it signs (jitsuin card fault, and the console). For sandboxes; without it nobody can.
	FaultKey string `yaml:"fault_key,omitempty" check:"file"`
	// Switches are laid into the chips that are made here. Each decides something that is not known for sure of
	// real cards; a chip that is there keeps what it was made with.
	Switches card.Switches `yaml:"switches,omitempty"`
	Log      *slog.Logger  `yaml:"-"`
}

// Resolve makes the paths absolute.
func (c *CardsConfig) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Cards, &c.CreateKey, &c.TraceKey, &c.FaultKey)
	if c.Listen == "" || c.Cards == "" || c.CreateKey == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "cards need listen, cards and create_key")
	}
	if err := c.Switches.Check(); err != nil {
		return err
	}
	if c.Metrics == c.Listen {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "metrics has the address of listen").At("metrics")
	}
	return nil
}

// Shared gives what the configuration has in common with those of actors.
func (c CardsConfig) Shared() actor.Config {
	return actor.Config{Instance: c.Instance, Listen: c.Listen, Metrics: c.Metrics}
}

// cards runs the card host as a process of its own, or beside the others.
type cards struct {
	config  CardsConfig
	host    *host.Host
	figures *metrics.Set
	trace   *cardsTrace
	started chan struct{}
	servers []*http.Server // none until they listen
	failed  chan error
}

func newCards(_ context.Context, c CardsConfig) (*cards, error) {
	key, err := os.ReadFile(c.CreateKey)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config-read", "the key for making chips: %w", err)
	}
	figures := metrics.New(c.Instance, "cards", c.Log)
	verified := figures.Counter("card_pin_tries_total", "PINs and passwords that were tried on chips here, by how they came out.", "verdict")
	for _, v := range []host.Verdict{host.PINRight, host.PINWrong, host.PINBlocked, host.PINRefused} {
		verified.WithLabelValues(string(v))
	}
	traced, err := newCardsTrace(c)
	if err != nil {
		return nil, err
	}
	faultKey := ""
	if c.FaultKey != "" {
		raw, err := os.ReadFile(c.FaultKey)
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "config-read", "the key for faults: %w", err).At("fault_key")
		}
		faultKey = strings.TrimSpace(string(raw))
	}
	h, err := host.New(c.Cards, host.Options{OwnKeys: true, CreateKey: strings.TrimSpace(string(key)), FaultKey: faultKey, Log: c.Log, Watch: traced.watcher(), Switches: c.Switches,
		Verified: func(v host.Verdict) { verified.WithLabelValues(string(v)).Inc() }})
	if err != nil {
		return nil, err
	}
	return &cards{config: c, host: h, figures: figures, trace: traced, started: make(chan struct{}), failed: make(chan error, 2)}, nil
}

func (c *cards) Started() <-chan struct{} { return c.started }

// Close ends what was opened, where Run was never called.
func (c *cards) Close() error {
	for _, s := range c.servers {
		s.Close()
	}
	return c.host.Close()
}

// Listen takes the address and begins to answer.
func (c *cards) Listen(ctx context.Context) error {
	if c.servers != nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"ready":true,"wrong":{}}` + "\n"))
	})
	mux.Handle("/", c.host.Handler())
	faces := map[string]http.Handler{c.config.Listen: httpapi.Observe(c.figures.NewRequests().Face(c.config.Instance), c.trace.serve(mux))}
	if c.config.Metrics != "" {
		faces[c.config.Metrics] = c.figures.Handler()
	}
	for listen, face := range faces {
		l, _, err := actor.ListenOn(ctx, listen)
		if err != nil {
			for _, s := range c.servers {
				s.Close()
			}
			return jitsuin.Errorf(jitsuin.Unavailable, "listen", "%s cannot listen on %s: %w", c.config.Instance, listen, err)
		}
		s := &http.Server{Handler: face, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
			ErrorLog: slog.NewLogLogger(c.config.Log.Handler(), slog.LevelDebug)}
		c.servers = append(c.servers, s)
		go func() { c.failed <- s.Serve(l) }()
	}
	return nil
}

// Run serves until ctx ends.
func (c *cards) Run(ctx context.Context) error {
	if err := c.Listen(ctx); err != nil {
		return errors.Join(err, c.host.Close())
	}
	close(c.started)
	var err error
	select {
	case <-ctx.Done():
		drain, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer stop()
		for _, s := range c.servers {
			if s.Shutdown(drain) != nil {
				s.Close()
			}
		}
	case err = <-c.failed:
		for _, s := range c.servers {
			s.Close()
		}
	}
	return errors.Join(err, c.host.Close())
}
