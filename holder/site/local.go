package site

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/actor"
)

// DefaultLocal is where the holder of a person's own computer listens, and where pages that lead to it look for it.
const DefaultLocal = "127.0.0.1:8390"

// Local is the holder as a program of the person's own computer: the same pages, for the cards in this computer's readers.
// It trusts the platforms of one signed directory, and only ever listens on loopback.
type Local struct {
	// Listen is IP:PORT. Pages lead to it, so the port is fixed.
	Listen string
	// Directory is the signed list in which the trusted platforms stand, DirectoryKey the public key that it is pinned to (PEM).
	Directory, DirectoryKey string
	// State is a folder of its own, for what was answered; it is made.
	State string
	// Cards is the folder of a country's cards, by which Offered may name one.
	Cards string
	// Offered are cards besides those in readers, by what holder.Cards.Place takes: a chip's folder, a socket, an ID.
	Offered []string
	// FaceAnchor is as in Config.
	FaceAnchor string
	Log        *slog.Logger
}

// own is what Config has where the site is a Local.
type own struct {
	offered []choice
	pinned  string // where the trusted platforms come from, for people
}

// NewLocal opens it; Run starts it. Invalid "listen-foreign" for an address that is not on loopback.
func NewLocal(ctx context.Context, l Local) (*Site, error) {
	if err := checkLoopback(l.Listen); err != nil {
		return nil, err
	}
	if _, err := os.Stat(l.Directory); err != nil {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "directory-missing", "nobody says whose requests may be opened: %w", err).
			WithHint("name the country's data folder with --data, or a platform's list with --directory and --directory-key")
	}
	key, err := l.key()
	if err != nil {
		return nil, err
	}
	cfg := Config{Config: actor.Config{Instance: "holder:local", Listen: l.Listen, Database: filepath.Join(l.State, "db.sqlite"), State: l.State, Key: key,
		Directory: l.Directory, DirectoryKey: l.DirectoryKey}, Cards: l.Cards, FaceAnchor: l.FaceAnchor, Readers: true, Log: l.Log, own: &own{pinned: l.Directory}}
	cards := holder.CardsAt(l.Cards)
	for _, name := range l.Offered {
		place, err := cards.Place(ctx, name)
		if err != nil {
			return nil, err
		}
		if place.Reader != "" {
			continue // all readers are offered
		}
		one := choice{card: place.String(), label: filepath.Base(place.String())}
		if place.ID != "" {
			if one.label, err = cards.Label(place.ID); err != nil {
				return nil, err
			}
			one.text = cardText(one.label, place.ID)
		} else {
			one.text = one.label
		}
		cfg.own.offered = append(cfg.own.offered, one)
	}
	return New(ctx, cfg)
}

// checkLoopback refuses an address that others than this computer reach: whoever reaches the program reaches the cards.
func checkLoopback(listen string) error {
	host, port, err := net.SplitHostPort(listen)
	n, notANumber := strconv.Atoi(port)
	if err != nil || notANumber != nil || n < 1 || n > 65535 {
		return jitsuin.Errorf(jitsuin.Invalid, "listen", "the holder listens at IP:PORT, not %q", listen).At("listen")
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return jitsuin.Errorf(jitsuin.Invalid, "listen-foreign", "the holder listens on loopback only, and %s is no such address", host).
			WithHint("whoever reaches it reaches the card: leave --listen out, or name an address such as %s", DefaultLocal).At("listen")
	}
	return nil
}

// key gives the file of the program's own key, which every actor has; it signs nothing here. It is made at the first start.
func (l *Local) key() (path string, err error) {
	path = filepath.Join(l.State, "key.pem")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(l.State, 0o700); err != nil {
		return "", jitsuin.Errorf(jitsuin.Invalid, "state", "the folder for what the holder remembers cannot be made: %w", err).At("state")
	}
	key, err := actor.NewKey()
	if err != nil {
		return "", err
	}
	return path, actor.WriteKey(path, key)
}

// slot is a place where a card may be, as a person sees it.
type slot struct {
	Card, Text string
	// State is "" for a card that can be used, else why not: empty, or the code of an error that the pages have words for; "other" for any other.
	State string
	Keys  []holder.KeyStatus
}

// desk is what lies before the person.
type desk struct {
	Slots []slot
	// Service is why there are no readers: the code of an error, "other", or "none" where the service knows of none; "" where there are some.
	Service string
}

// States that the pages have words for.
var slotStates = map[string]bool{"card-in-use": true, "card-gone": true, "card-mute": true, "card-application": true, "card-old": true, "card-unknown": true, "card-protocol": true}

// desk looks at every reader and every card that is offered besides. It costs no try.
func (s *Site) desk(ctx context.Context, text func(reader string) string) (d desk) {
	for _, c := range s.cfg.own.offered {
		d.Slots = append(d.Slots, s.slotOf(ctx, c.card, c.text))
	}
	readers, err := holder.Readers(ctx)
	switch code := jitsuin.CodeOf(err); {
	case code == "pcsc-missing", code == "pcsc-denied", code == "pcsc-platform":
		d.Service = code
	case err != nil:
		d.Service = "other"
		s.Log.Warn("the readers cannot be asked", "err", err)
	case len(readers) == 0:
		d.Service = "none"
	}
	for _, r := range readers {
		name := holder.Place{Reader: r.Name}.String()
		if !r.Present {
			d.Slots = append(d.Slots, slot{Card: name, Text: text(r.Name), State: "empty"})
			continue
		}
		d.Slots = append(d.Slots, s.slotOf(ctx, name, text(r.Name)))
	}
	return d
}

func (s *Site) slotOf(ctx context.Context, card, text string) slot {
	one := slot{Card: card, Text: text}
	open, err := s.openCard(ctx, card)
	if err == nil {
		var status holder.Status
		status, err = open.Status(ctx)
		one.Keys = status.Keys[:]
		_ = open.Close() // nothing was changed
	}
	if err != nil {
		if one.State = jitsuin.CodeOf(err); !slotStates[one.State] {
			one.State = "other"
			s.Log.Debug("a card cannot be asked", "err", err)
		}
	}
	return one
}

// usable tells whether a card can be chosen now.
func (d *desk) usable(card string) bool {
	for _, one := range d.Slots {
		if one.Card == card && one.State == "" {
			return true
		}
	}
	return false
}

type localPage struct {
	Desk      desk
	Lately    []past
	Platforms []string
	Pinned    string
}

// localHome is the face of the program: what lies in the readers, whom it trusts, what was answered.
func (s *Site) localHome(w http.ResponseWriter, r *http.Request) error {
	p := localPage{Desk: s.desk(r.Context(), s.readerText(r)), Pinned: s.cfg.own.pinned}
	for _, one := range s.Directory.Role("platform") {
		if one.Origin != "" {
			p.Platforms = append(p.Platforms, one.Origin)
		}
	}
	var err error
	if p.Lately, err = s.lately(r.Context()); err != nil {
		return err
	}
	s.pages.Page(w, r, http.StatusOK, "local", p)
	return nil
}
