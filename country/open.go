package country

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jukinet"
	"github.com/jitsuin/jitsuin/minister"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/services/securities"
)

func roleOf(id string) string { return httpapi.RoleOf(id) }

// openActor opens the actor id from its configuration file. Here, and only here, stands which
// package is which role.
func openActor(ctx context.Context, id, path string, log *slog.Logger) (runner, error) {
	switch roleOf(id) {
	case "municipality":
		return load(path, func(c townConfig) (runner, error) { return c.open(ctx, log) })
	case "jukinet":
		return load(path, func(c jukinet.Config) (runner, error) { c.Log = log; return jukinet.New(ctx, c) })
	case "jlis":
		return load(path, func(c agencyConfig) (runner, error) { return c.open(ctx, log) })
	case "minister":
		return load(path, func(c minister.Config) (runner, error) { c.Log = log; return minister.New(ctx, c) })
	case "platform":
		return load(path, func(c platform.Config) (runner, error) { c.Log = log; return platform.New(ctx, c) })
	case "service":
		return load(path, func(c securities.Config) (runner, error) { c.Log = log; return securities.New(ctx, c) })
	case "cards":
		return load(path, func(c CardsConfig) (runner, error) { c.Log = log; return newCards(ctx, c) })
	case "country":
		return load(path, func(c Config) (runner, error) { c.Log = log; return newConsole(ctx, c) })
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "role-unknown", "%s configures %q, and no actor of that role exists", path, id)
}

// resolver is what every actor's configuration is: paths in it are relative to its file.
type resolver interface{ Resolve(base string) error }

func load[C any](path string, open func(C) (runner, error)) (runner, error) {
	var c C
	if err := actor.Load(path, &c); err != nil {
		return nil, err
	}
	base, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if r, ok := any(&c).(resolver); ok {
		if err := r.Resolve(base); err != nil {
			return nil, err
		}
	}
	return open(c)
}

// townConfig and agencyConfig are the configurations of the two actors that touch chips: the card
// host is the instance cards:1 of the directory.
type townConfig struct {
	municipality.Config `yaml:",inline"`
}

// Resolve makes the paths absolute.
func (c *townConfig) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Import)
	return c.Config.Config.Resolve(base)
}

func (c townConfig) open(ctx context.Context, log *slog.Logger) (runner, error) {
	var err error
	if c.Cards, err = cardHost(&c.Config.Config, ""); err != nil {
		return nil, err
	}
	c.Log = log
	return municipality.New(ctx, c.Config)
}

type agencyConfig struct {
	jlis.Config `yaml:",inline"`
	// CreateKey is the file with the secret that lets J-LIS make blank chips at the card host.
	CreateKey string `yaml:"create_key"`
}

// Resolve makes the paths absolute.
func (c *agencyConfig) Resolve(base string) error {
	actor.ResolvePaths(base, &c.CreateKey)
	return c.Config.Resolve(base)
}

func (c agencyConfig) open(ctx context.Context, log *slog.Logger) (runner, error) {
	key, err := os.ReadFile(c.CreateKey)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config-read", "the key for making chips: %w", err).At("create_key")
	}
	if c.Cards, err = cardHost(&c.Config.Config, strings.TrimSpace(string(key))); err != nil {
		return nil, err
	}
	c.Log = log
	return jlis.New(ctx, c.Config)
}

// cardHost is the way to the chips: the instance cards:1 of the directory.
func cardHost(c *actor.Config, createKey string) (host.Cards, error) {
	_, directory, err := c.Identify()
	if err != nil {
		return nil, err
	}
	i, err := directory.Lookup(Cards)
	if err != nil {
		return nil, err
	}
	return host.Client(i.Origin, host.ClientOptions{CreateKey: createKey})
}
