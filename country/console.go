package country

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"

	"github.com/jitsuin/jitsuin/internal/actor"
)

// Config is the configuration of country:1.
type Config struct {
	actor.Config `yaml:",inline"`
	// Also lists further addresses at which the console listens, such as localhost:8400.
	Also []string `yaml:"also,omitempty" check:"hostport"`
	// Names are what people call the instances, in Japanese and in English.
	Names   map[string]string `yaml:"names,omitempty"`
	NamesEN map[string]string `yaml:"names_en,omitempty"`
	// Folder is the data folder, with the keys and cards of everybody: with it the console can act for
	// people. Where it is not on this machine the console only shows.
	Folder string `yaml:"folder,omitempty"`
	// CardsTraceKey is a file with the secret that shows how the chips were used; without it the console
	// does not see the card host.
	CardsTraceKey string       `yaml:"cards_trace_key,omitempty" check:"file"`
	Log           *slog.Logger `yaml:"-"`
}

// Resolve makes the paths absolute.
func (c *Config) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Folder, &c.CardsTraceKey)
	return c.Config.Resolve(base)
}

// Pages puts the console's pages onto the actor country:1 before it runs: console.Pages. It is given
// by who runs a country, because the console is built on this package. Without it country:1 is the
// clock and no more.
type Pages func(a *actor.Actor, c Config) error

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations makes the table of what the console has done for people.
func migrations() fs.FS {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return files
}

// openCountry makes the actor country:1: it moves the civil clock, and shows where everything is.
func openCountry(ctx context.Context, cfg Config, pages Pages) (*actor.Actor, error) {
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Country (clock and console)", Version: "1", Migrations: migrations(), Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	mover{a}.offer()
	if pages != nil {
		if err := pages(a, cfg); err != nil {
			a.Close()
			return nil, err
		}
	}
	for _, listen := range cfg.Also {
		a.AlsoServe(listen, a.API.Handler())
	}
	return a, nil
}
