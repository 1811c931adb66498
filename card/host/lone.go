package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/reader"
)

// OpenFolder opens the chip in a folder of its own, of which nobody keeps custody, in this process and
// alone. NotFound "card-missing" where there is none; Conflict "card-in-use" where another process has it;
// Conflict "card-custody" where a card host keeps it: then it is opened by its ID.
// Of the options Wait counts. Close gives the card back.
func OpenFolder(ctx context.Context, dir string, options Options) (reader.Card, error) {
	if !HoldsChip(dir) {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no chip in the folder %s", dir).
			WithHint("jitsuin card new makes one")
	}
	if HasCustody(dir) {
		return nil, jitsuin.Errorf(jitsuin.Conflict, "card-custody", "a card host keeps the card in %s", dir)
	}
	unlock, err := lock(filepath.Join(dir, lockName), exclusive, options.filled().Wait)
	if err != nil {
		if jitsuin.CodeOf(err) == "cards-served" {
			return nil, errInUse()
		}
		return nil, err
	}
	memory, err := card.NewFolder(dir)
	var chip *card.Chip
	if err == nil {
		chip, err = card.Open(memory)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return newLease(chip, fault.Setting{}, nil, unlock)
}

// HoldsChip tells whether a folder is the memory of a chip (card.Folder).
func HoldsChip(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "chip.image"))
	return err == nil
}

// HasCustody tells whether a card host keeps the card in a folder.
func HasCustody(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, custodyName))
	return !errors.Is(err, fs.ErrNotExist)
}
