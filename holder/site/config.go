package site

import (
	"context"
	"log/slog"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
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
	// Computer is the origin at which the holder of a person's own computer (jitsuin holder) listens: the page of a request leads
	// there for a card in that computer's reader. Empty for no such way.
	Computer string `yaml:"computer,omitempty" check:"origin"`
	// CardOpen is how long a card stays verified while a person reads: three minutes.
	CardOpen time.Duration `yaml:"card_open,omitempty" check:"not-negative"`
	// Sandbox lets testers make an answer go wrong on purpose, and country:1 answer in a person's place.
	Sandbox bool `yaml:"sandbox,omitempty"`

	// Agency is where certificates for a telephone are applied for, and a card is reported lost: jlis:1.
	Agency string `yaml:"agency,omitempty" check:"instance=jlis,listed"`
	// Enrol stands for the Agency, in tests.
	Enrol func(context.Context, jlis.PhoneRequest) (jlis.PhoneIssued, error) `yaml:"-"`
	// Personas is a file with the named people of the sandbox and the PINs of their cards, whom anybody may have answer a request at
	// /sandbox/approvals. The country writes it.
	Personas string `yaml:"personas,omitempty"`

	own *own // of a Local; nil for the wallet of a country

	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

// Resolve makes relative paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Cards, &c.FaceAnchor, &c.Personas)
	if c.Cards == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "config", "the holder needs the folder of the cards").At("cards")
	}
	return c.Config.Resolve(base)
}

// agency is the way to J-LIS.
func (s *Site) agency() jlis.Client {
	name := s.cfg.Agency
	if name == "" {
		name = "jlis:1"
	}
	return jlis.Client{Remote: s.Remote(name)}
}

// enrolAt applies for certificates.
func (c *Config) enrolAt(ctx context.Context, s *Site, r jlis.PhoneRequest) (jlis.PhoneIssued, error) {
	if c.Enrol != nil {
		return c.Enrol(ctx, r)
	}
	return s.agency().EnrolPhone(ctx, r)
}
