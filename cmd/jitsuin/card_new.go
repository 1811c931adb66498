package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country/newcard"
	"github.com/jitsuin/jitsuin/holder"
)

// samplePINs are those of all sample cards.
var samplePINs = map[jitsuin.CertKind]jitsuin.PIN{jitsuin.SignCert: "SAMPLE1", jitsuin.AuthCert: "1234"}

type cardNewCmd struct {
	traceFlag
	Folder     string    `arg:"" help:"Where the card goes; a new or empty folder." type:"path"`
	Profile    string    `help:"Kind of card: card, child (no signature certificate), infant, pinless, basic-resident-card (the old 住基カード, which clients refuse), android, iphone, or next (P-384; in part our reading)." enum:"card,child,infant,pinless,basic-resident-card,android,iphone,next" default:"card"`
	Seed       uint64    `help:"Number of the invented person; the same number on the same day is the same person. 0 draws one." placeholder:"N"`
	At         time.Time `help:"When the card was made; certificates begin then. The default is now." placeholder:"RFC3339"`
	Switch     []string  `help:"Decide something that is not known for sure of real cards, as in docs/card.md: check_number_tries=5, blocked_query. May be repeated." placeholder:"NAME=VALUE" sep:"none"`
	SamplePINs bool      `name:"sample-pins" help:"Set the PINs of all sample cards, SAMPLE1 and 1234, and ask for none."`
	PINFD      int       `name:"pin-fd" help:"Read the PINs from this file descriptor, one a line: the signature password, then the four digits." default:"-1" placeholder:"N"`
}

func (cardNewCmd) Help() string {
	return `The card has certificates of two authorities that were made for it and are thrown away; their certificates lie in FOLDER/anchors. The four digits are the PIN of the card's other applications too; what opens check number B stands in FOLDER/printed.json, as on the front of a card.
What is in the folder holds private keys: it is for tests, and for nothing else.

Example:  jitsuin card new ./my-card --sample-pins`
}

func (c *cardNewCmd) Run(ctx context.Context, face *ui.Face) error {
	p, err := card.ProfileNamed(c.Profile)
	if err != nil {
		return err
	}
	switches, err := card.ParseSwitches(c.Switch)
	if err != nil {
		return err
	}
	now := c.At
	if now.IsZero() {
		now = time.Now()
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1<<32) + 1
	}
	who, place, err := newcard.Invent(p, c.Seed, jitsuin.DateOf(now))
	if err != nil {
		return err
	}
	pins, wipe, err := c.pins(ctx, p)
	if err != nil {
		return err
	}
	defer wipe()
	wrap, done, err := c.tracer(face)
	if err != nil {
		return err
	}
	made, err := newcard.Make(ctx, newcard.Order{Dir: c.Folder, Profile: p.Name, Person: who, Place: place, Now: now, PINs: pins, Switches: switches, Wrap: wrap})
	if err = errors.Join(err, done()); err != nil {
		return err
	}
	items := who.Items
	if _, err := fmt.Fprintf(face.Out, "%s: %s, number %s\nof %s, born %s, %s (invented)\n", c.Folder, p.Name, made.Serial, items.Name, items.BirthDate, items.Address); err != nil {
		return err
	}
	for _, kind := range jitsuin.CertKinds {
		certificate := made.Certificates[kind]
		if certificate == nil {
			continue
		}
		if _, err := fmt.Fprintf(face.Out, "%s: until %s, authority in %s/anchors/%s.pem\n", kind, jitsuin.DateOf(certificate.NotAfter), c.Folder, kind); err != nil {
			return err
		}
	}
	return nil
}

// pins asks for the PINs that the profile has. wipe overwrites them.
func (c *cardNewCmd) pins(ctx context.Context, p card.Profile) (pins map[jitsuin.CertKind]jitsuin.PIN, wipe func(), err error) {
	if c.SamplePINs || !p.PIN {
		return samplePINs, func() {}, nil
	}
	source, err := oneCard{PINFD: c.PINFD}.pins()
	if err != nil {
		return nil, nil, err
	}
	pins = map[jitsuin.CertKind]jitsuin.PIN{}
	var all [][]byte
	wipe = func() {
		for _, b := range all {
			clear(b)
		}
	}
	for _, kind := range jitsuin.CertKinds {
		if !slices.Contains(p.Kinds, kind) {
			continue
		}
		typed, err := holder.NewPIN(ctx, kind, source)
		if err != nil {
			wipe()
			return nil, nil, err
		}
		all = append(all, typed)
		pins[kind] = jitsuin.PIN(typed)
	}
	return pins, wipe, nil
}

type cardSetPINCmd struct {
	data
	oneCard
	kindArg
}

func (cardSetPINCmd) Help() string {
	return `It is done through the counter's terminal that lies in the card's folder, as a municipality does it for a resident; the cards of a country are taken to a counter.

Example:  jitsuin card set-pin auth --card ./my-card`
}

func (c *cardSetPINCmd) Run(ctx context.Context, face *ui.Face) error {
	source, err := c.pins()
	if err != nil {
		return err
	}
	cards, done, err := c.cards(face, c.Data)
	if err != nil {
		return err
	}
	defer done()
	place, err := cards.Place(ctx, c.Card)
	if err != nil {
		return err
	}
	terminal, err := newcard.TerminalOf(place.Folder)
	if err != nil {
		return err
	}
	channel, err := cards.Channel(ctx, place)
	if err != nil {
		return err
	}
	defer channel.Close()
	typed, err := holder.NewPIN(ctx, c.Kind, source)
	if err != nil {
		return err
	}
	defer clear(typed)
	if err := newcard.SetPIN(ctx, channel, terminal, c.Kind, jitsuin.PIN(typed)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(face.Out, "the PIN is set, and its counter is full")
	return err
}
