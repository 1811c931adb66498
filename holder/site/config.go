package site

import (
	"log/slog"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Config is the holder's configuration.
type Config struct {
	actor.Config `yaml:",inline"`
	// Cards is the folder of the chips, where the card host's sockets are.
	Cards string `yaml:"cards" check:"required"`
	// FaceAnchor is the root of card-face signatures (PEM, as jitsuin card items takes it) that items of a login are checked
	// against. Without one no items are read.
	FaceAnchor string `yaml:"face_anchor,omitempty"`
	// Readers offers the cards in this machine's readers too, plastic ones. Whoever reaches the pages may use them, with
	// their PIN: it is for a machine that its own holder sits at.
	Readers bool `yaml:"readers,omitempty"`
	// CardOpen is how long a card stays verified while a person reads: three minutes.
	CardOpen time.Duration `yaml:"card_open,omitempty" check:"not-negative"`
	// Sandbox lets testers make an answer go wrong on purpose, and country:1 answer in a person's place.
	Sandbox bool `yaml:"sandbox,omitempty"`

	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

// Resolve makes relative paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Cards, &c.FaceAnchor)
	if c.Cards == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "the holder needs the folder of the cards").At("cards")
	}
	return c.Config.Resolve(base)
}
