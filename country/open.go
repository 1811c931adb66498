package country

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jukinet"
	"github.com/jitsuin/jitsuin/minister"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/services/securities"
	"github.com/jitsuin/jitsuin/tsa"
)

func roleOf(id string) string { return httpapi.RoleOf(id) }

// openActor opens the actor id from its configuration file; pages are for country:1. Here, and only here, stands which
// package is which role.
func openActor(ctx context.Context, id, path string, log *slog.Logger, pages Pages) (runner, error) {
	switch roleOf(id) {
	case "municipality":
		return load(path, func(c municipality.Config) (runner, error) { c.Log = log; return municipality.New(ctx, c) })
	case "jukinet":
		return load(path, func(c jukinet.Config) (runner, error) { c.Log = log; return jukinet.New(ctx, c) })
	case "jlis":
		return load(path, func(c jlis.Config) (runner, error) { c.Log = log; return jlis.New(ctx, c) })
	case "minister":
		return load(path, func(c minister.Config) (runner, error) { c.Log = log; return minister.New(ctx, c) })
	case "platform":
		return load(path, func(c platform.Config) (runner, error) { c.Log = log; return platform.New(ctx, c) })
	case "tsa":
		return load(path, func(c tsa.Config) (runner, error) { c.Log = log; return tsa.New(ctx, c) })
	case "service":
		return load(path, func(c securities.Config) (runner, error) { c.Log = log; return securities.New(ctx, c) })
	case "holder":
		return load(path, func(c site.Config) (runner, error) { c.Log = log; return site.New(ctx, c) })
	case "cards":
		return load(path, func(c CardsConfig) (runner, error) { c.Log = log; return newCards(ctx, c) })
	case "country":
		return load(path, func(c Config) (runner, error) { c.Log = log; return openCountry(ctx, c, pages) })
	}
	return nil, jitsuin.Errorf(jitsuin.Invalid, "role-unknown", "%s configures %q, and no actor of that role exists", path, id)
}

// resolver is what every actor's configuration is: paths in it are relative to its file.
type resolver interface{ Resolve(base string) error }

func load[C any](path string, open func(C) (runner, error)) (runner, error) {
	var checked C
	if err := actor.LoadChecked(path, &checked); err != nil {
		return nil, err
	}
	c, err := read[C](path)
	if err != nil {
		return nil, err
	}
	return open(c)
}

// read reads a configuration file strictly and makes its paths absolute.
func read[C any](path string) (c C, err error) {
	if err := actor.Load(path, &c); err != nil {
		return c, err
	}
	base, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return c, err
	}
	if r, ok := any(&c).(resolver); ok {
		err = r.Resolve(base)
	}
	return c, err
}
