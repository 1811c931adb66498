package holder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Cards is the folder DATA/cards seen from the holder's side: the cards that were handed over.
// A card is opened through its socket where a card host serves the folder, and otherwise in this
// process under the folder's lock.
type Cards struct {
	dir  string
	wrap func(reader.Card) reader.Card // nil: as it is
}

// CardsIn gives the cards of the data folder.
func CardsIn(data string) Cards { return Cards{dir: filepath.Join(data, "cards")} }

// CardsAt gives the cards in a folder that has another name.
func CardsAt(dir string) Cards { return Cards{dir: dir} }

// Held lists the cards that a card host serves to the holder, in the order of their IDs, without asking
// any of them: nobody else is kept from a card by it. It is empty where no host serves the folder.
func (c Cards) Held() ([]jitsuin.ID, error) {
	_, sockets, err := c.names()
	return sockets, err
}

// Listed is one card of a list: its Status, or why it could not be asked.
type Listed struct {
	ID     jitsuin.ID
	Status Status
	Err    error
}

// askAtOnce bounds how many cards are asked at the same time.
const askAtOnce = 8

// listWait is how long a list waits for a card that another program has, where no host serves it.
const listWait = 200 * time.Millisecond

// List asks every card that the holder has for its status, in the order of their IDs. A card that
// another program is using is in the list with Err; an error is only for the folder itself.
func (c Cards) List(ctx context.Context) ([]Listed, error) {
	ids, sockets, err := c.names()
	if err != nil {
		return nil, err
	}
	served, err := askAll(ctx, sockets, c.socket)
	if err != nil {
		return nil, err
	}
	var alive bool
	for _, l := range served {
		alive = alive || jitsuin.CodeOf(l.Err) != "card-gone"
	}
	if alive {
		return served, nil
	}
	// The sockets, if any, are a dead process's.
	local, err := askAll(ctx, ids, func(ctx context.Context, id jitsuin.ID) (reader.Card, error) {
		return c.local(ctx, id, listWait)
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(local, func(l Listed) bool {
		code := jitsuin.CodeOf(l.Err)
		return code == "card-not-handed-over" || code == "card-missing"
	}), nil
}

func askAll(ctx context.Context, ids []jitsuin.ID, open func(context.Context, jitsuin.ID) (reader.Card, error)) ([]Listed, error) {
	all := make([]Listed, len(ids))
	var group errgroup.Group
	group.SetLimit(askAtOnce)
	for i, id := range ids {
		group.Go(func() error {
			all[i] = askOne(ctx, id, open)
			return nil
		})
	}
	_ = group.Wait() // what failed stands in the list
	return all, ctx.Err()
}

func askOne(ctx context.Context, id jitsuin.ID, open func(context.Context, jitsuin.ID) (reader.Card, error)) Listed {
	channel, err := open(ctx, id)
	if err != nil {
		return Listed{ID: id, Err: err}
	}
	defer channel.Close()
	card, err := on(ctx, id, channel)
	if err != nil {
		return Listed{ID: id, Err: err}
	}
	status, err := card.Status(ctx)
	return Listed{ID: id, Status: status, Err: err}
}

// names gives the IDs of all folders and of all sockets, sorted.
func (c Cards) names() (ids, sockets []jitsuin.ID, err error) {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errNoCards(c.dir)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, isSocket := strings.CutSuffix(e.Name(), ".sock")
		id, err := jitsuin.ParseID(name)
		switch {
		case err != nil:
		case isSocket:
			sockets = append(sockets, id)
		case e.IsDir():
			ids = append(ids, id)
		}
	}
	return ids, sockets, nil
}

func errNoCards(dir string) error {
	return jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no card in %s", dir).
		WithHint("name the country's data folder with --data; jitsuin up makes a country with cards")
}

// Find gives the card that name means: a whole ID, a beginning of one that no other of the
// holder's cards has, or "" for the only card. NotFound "card-missing", Conflict "card-ambiguous"
// with the candidates as a hint, Invalid "card-name" for what is no part of an ID.
func (c Cards) Find(ctx context.Context, name string) (jitsuin.ID, error) {
	if id, err := jitsuin.ParseID(name); err == nil {
		return id, nil
	}
	if strings.Trim(name, "0123456789abcdef") != "" {
		return "", jitsuin.Errorf(jitsuin.Invalid, "card-name", "%q is no card's ID", name).
			WithHint("jitsuin card list shows the cards")
	}
	listed, err := c.List(ctx)
	if err != nil {
		return "", err
	}
	var found []jitsuin.ID
	for _, l := range listed {
		if strings.HasPrefix(string(l.ID), name) {
			found = append(found, l.ID)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", jitsuin.Errorf(jitsuin.Conflict, "card-ambiguous", "%d cards could be meant", len(found)).
			WithHint("choose one with --card: %s", someOf(found)).At("card")
	case len(listed) == 0:
		return "", errNoCards(c.dir)
	}
	return "", jitsuin.Errorf(jitsuin.NotFound, "card-missing", "no card's ID begins with %q", name).
		WithHint("jitsuin card list shows the cards")
}

func someOf(ids []jitsuin.ID) string {
	const shown = 4
	var words []string
	for i, id := range ids {
		if i == shown {
			words = append(words, "…")
			break
		}
		words = append(words, string(id))
	}
	return strings.Join(words, ", ")
}

// Open finds a card as Place does and selects its application of public personal authentication.
// Denied "card-not-handed-over" before the holder has it, Conflict "card-in-use" while another
// program has it, Conflict "card-lent" while it lies at a counter; further errors as of On. Close gives it back.
func (c Cards) Open(ctx context.Context, name string) (*Card, error) {
	place, err := c.Place(ctx, name)
	if err != nil {
		return nil, err
	}
	channel, err := c.Channel(ctx, place)
	if err != nil {
		return nil, err
	}
	card, err := on(ctx, place.ID, channel)
	if err != nil {
		return nil, errors.Join(err, channel.Close())
	}
	card.Place, card.close = place, sync.OnceValue(channel.Close)
	return card, nil
}

func (c Cards) socket(ctx context.Context, id jitsuin.ID) (reader.Card, error) {
	return host.OpenSocket(ctx, filepath.Join(c.dir, string(id)+".sock"))
}

// local opens a card in this process. A folder that is served, but without a socket for the card,
// says that the card is not in the holder's hands.
func (c Cards) local(ctx context.Context, id jitsuin.ID, wait time.Duration) (reader.Card, error) {
	channel, err := host.OpenLocal(ctx, c.dir, id, host.Options{Wait: wait})
	if jitsuin.CodeOf(err) == "cards-served" {
		return nil, jitsuin.Errorf(jitsuin.Denied, "card-not-handed-over", "this card is not in the holder's hands").
			WithHint("it is still at the authority or at a counter")
	}
	return channel, err
}
