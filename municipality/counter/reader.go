package counter

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/files"
	"github.com/jitsuin/jitsuin/internal/web"
)

// The reader on the counter. In the sandbox every card that a resident has can be laid on it: they
// are the sockets of the folder that the configuration names, and a clerk tells them apart by what is
// printed on them.

// onReader gives the cards that could be laid on the reader, as the options of a choice.
func (c *Counter) onReader() ([]web.Option, error) {
	if c.config.Reader == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(c.config.Reader)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var cards []web.Option
	for _, e := range entries {
		name, isSocket := strings.CutSuffix(e.Name(), ".sock")
		id, bad := jitsuin.ParseID(name)
		if !isSocket || bad != nil {
			continue
		}
		text := c.labelOf(id)
		if text == "" {
			text = string(id)
		}
		cards = append(cards, web.Option{Value: name, Text: text})
	}
	return cards, err
}

// labelOf gives what is printed on a card, "" where nothing is known.
func (c *Counter) labelOf(id jitsuin.ID) string {
	if c.config.Labels == "" || id == "" {
		return ""
	}
	raw, err := os.ReadFile(filepath.Join(c.config.Labels, string(id)))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// print notes the name that is printed on a new card.
func (c *Counter) print(id jitsuin.ID, name string) error {
	if c.config.Labels == "" || id == "" {
		return nil
	}
	if err := os.MkdirAll(c.config.Labels, 0o700); err != nil {
		return err
	}
	return files.Replace(filepath.Join(c.config.Labels, string(id)), []byte(name+"\n"), 0o600)
}

// lay opens the card on the reader. NotFound "card-not-there" where it does not lie there, Conflict
// "card-in-use" while another program has it.
func (c *Counter) lay(ctx context.Context, id jitsuin.ID) (reader.Card, error) {
	ch, err := host.OpenSocket(ctx, filepath.Join(c.config.Reader, string(id)+".sock"))
	switch jitsuin.CodeOf(err) {
	case "card-missing", "card-gone":
		return nil, jitsuin.Errorf(jitsuin.NotFound, "card-not-there", "the card is not on the reader").At("card")
	case "card-in-use", "card-lent":
		return nil, jitsuin.Errorf(jitsuin.Conflict, "card-in-use", "another program uses the card").At("card")
	}
	return ch, err
}
