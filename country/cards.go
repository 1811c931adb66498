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
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/actor"
)

// CardsConfig is the configuration of cards:1, the place where the sandbox's chips physically are.
type CardsConfig struct {
	Instance string `yaml:"instance"`
	Listen   string `yaml:"listen"`
	Cards    string `yaml:"cards"` // the folder of the chips
	// CreateKey is a file with the secret that lets J-LIS make blank chips here.
	CreateKey string       `yaml:"create_key"`
	Log       *slog.Logger `yaml:"-"`
}

// Resolve makes the paths absolute.
func (c *CardsConfig) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Cards, &c.CreateKey)
	if c.Listen == "" || c.Cards == "" || c.CreateKey == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "cards need listen, cards and create_key")
	}
	return nil
}

// cards runs the card host as a process of its own, or beside the others.
type cards struct {
	config  CardsConfig
	host    *host.Host
	started chan struct{}
	server  *http.Server // nil until it listens
	failed  chan error
}

func newCards(_ context.Context, c CardsConfig) (*cards, error) {
	key, err := os.ReadFile(c.CreateKey)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config-read", "the key for making chips: %w", err)
	}
	h, err := host.New(c.Cards, host.Options{CreateKey: strings.TrimSpace(string(key)), Log: c.Log})
	if err != nil {
		return nil, err
	}
	return &cards{config: c, host: h, started: make(chan struct{}), failed: make(chan error, 1)}, nil
}

func (c *cards) Started() <-chan struct{} { return c.started }

// Close ends what was opened, where Run was never called.
func (c *cards) Close() error {
	if c.server != nil {
		c.server.Close()
	}
	return c.host.Close()
}

// Listen takes the address and begins to answer.
func (c *cards) Listen(ctx context.Context) error {
	if c.server != nil {
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"ready":true,"wrong":{}}` + "\n"))
	})
	mux.Handle("/", c.host.Handler())
	l, _, err := actor.ListenOn(ctx, c.config.Listen)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "listen", "%s cannot listen on %s: %w", c.config.Instance, c.config.Listen, err)
	}
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(c.config.Log.Handler(), slog.LevelDebug)}
	go func() { c.failed <- c.server.Serve(l) }()
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
		if c.server.Shutdown(drain) != nil {
			c.server.Close()
		}
	case err = <-c.failed:
	}
	return errors.Join(err, c.host.Close())
}
