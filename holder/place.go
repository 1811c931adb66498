package holder

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/pcsc"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Place is where a card is. One field is set.
type Place struct {
	ID     jitsuin.ID // one of the country's cards
	Folder string     // a chip of its own (jitsuin card new)
	Socket string     // served by a card host
	Reader string     // in a reader of this machine, by its whole name
}

// String names the card as a person may name it again.
func (p Place) String() string {
	switch {
	case p.Folder != "":
		return p.Folder
	case p.Socket != "":
		return p.Socket
	case p.Reader != "":
		return readerPrefix + p.Reader
	}
	return string(p.ID)
}

// Ours tells whether the card is a chip in software, with which nobody loses anything.
func (p Place) Ours() bool { return p.Reader == "" }

const readerPrefix = "pcsc:"

// Place gives the card that name means: what Find takes; the path of a chip's folder or of a card's
// socket; "pcsc:" and the name of a reader or a part of it that no other has, alone the one reader
// with a card; or a reader's name without that, where it is no path and no ID.
// Errors as of Find and pcsc.Find.
func (c Cards) Place(ctx context.Context, name string) (Place, error) {
	if r, ok := strings.CutPrefix(name, readerPrefix); ok {
		return readerPlace(ctx, r)
	}
	if _, err := jitsuin.ParseID(name); err == nil {
		return Place{ID: jitsuin.ID(name)}, nil
	}
	info, err := os.Stat(name)
	switch {
	case name != "" && err == nil && strings.HasSuffix(name, ".sock") && !info.IsDir():
		return Place{Socket: name}, nil
	case name != "" && err == nil && info.IsDir():
		return folderPlace(name)
	case strings.ContainsRune(name, os.PathSeparator):
		return Place{}, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no card at %s", name)
	case strings.Trim(name, "0123456789abcdef") != "":
		place, err := readerPlace(ctx, name)
		if code := jitsuin.CodeOf(err); code == "pcsc-missing" || code == "pcsc-platform" || code == "reader-missing" {
			return place, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "%q is no card's ID, no chip's folder, and no reader: %w", name, err).
				WithHint("jitsuin card list shows cards and readers")
		}
		return place, err
	}
	id, err := c.Find(ctx, name)
	return Place{ID: id}, err
}

// folderPlace takes a folder for what it is: a lone chip, or a card of a country.
func folderPlace(dir string) (Place, error) {
	dir = filepath.Clean(dir)
	if !host.HoldsChip(dir) {
		return Place{}, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no chip in the folder %s", dir).
			WithHint("jitsuin card new makes one; a country is named with --data")
	}
	if host.HasCustody(dir) {
		if _, err := os.Stat(dir + ".sock"); err == nil {
			return Place{Socket: dir + ".sock"}, nil
		}
	}
	return Place{Folder: dir}, nil
}

func readerPlace(ctx context.Context, name string) (Place, error) {
	readers, err := Readers(ctx)
	if err != nil {
		return Place{}, err
	}
	r, err := pcsc.Find(readers, name)
	return Place{Reader: r.Name}, err
}

// Readers lists the readers of this machine. Unavailable "pcsc-missing" where no service runs.
func Readers(ctx context.Context) ([]pcsc.Reader, error) {
	s, err := pcsc.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Readers(ctx)
}

// Wrapped gives the same cards, each put through wrap when it is opened, as for a trace; nil for none.
func (c Cards) Wrapped(wrap func(reader.Card) reader.Card) Cards {
	c.wrap = wrap
	return c
}

// Channel opens a card without selecting anything on it. Close gives it back.
func (c Cards) Channel(ctx context.Context, p Place) (reader.Card, error) {
	channel, err := c.channel(ctx, p)
	if err == nil && c.wrap != nil {
		channel = c.wrap(channel)
	}
	return channel, err
}

func (c Cards) channel(ctx context.Context, p Place) (reader.Card, error) {
	switch {
	case p.Socket != "":
		return host.OpenSocket(ctx, p.Socket)
	case p.Folder != "" && host.HasCustody(p.Folder):
		return host.OpenLocal(ctx, filepath.Dir(p.Folder), jitsuin.ID(filepath.Base(p.Folder)), host.Options{})
	case p.Folder != "":
		return host.OpenFolder(ctx, p.Folder, host.Options{})
	case p.Reader != "":
		card, err := pcsc.Connect(ctx, p.Reader, pcsc.Turns)
		if err != nil {
			return nil, err
		}
		return card, nil
	}
	channel, err := c.socket(ctx, p.ID)
	if code := jitsuin.CodeOf(err); code == "card-missing" || code == "card-gone" {
		return c.local(ctx, p.ID, 0)
	}
	return channel, err
}
