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

// lockName is the lock of the folder of cards (a Host has it alone, tools share it), and that of
// one card (a tool has it alone).
const lockName = "lock"

// OpenLocal opens a card of the folder DATA/cards in this process, for tools on a machine where no
// host runs. Conflict "cards-served" where one does: then use OpenSocket. Conflict "card-in-use"
// where another tool has this card; Denied "card-not-handed-over" before the holder has it;
// Conflict "card-lent" while it is lent. Close gives it back.
// Of the options Wait counts.
func OpenLocal(ctx context.Context, dir string, id jitsuin.ID, options Options) (reader.Card, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, string(id))
	if _, err := os.Stat(filepath.Join(folder, custodyName)); errors.Is(err, fs.ErrNotExist) {
		return nil, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no card %s in %s", id, dir)
	}
	wait := options.filled().Wait
	unlockDir, err := lock(filepath.Join(dir, lockName), shared, wait)
	if err != nil {
		return nil, err
	}
	unlockCard, err := lock(filepath.Join(folder, lockName), exclusive, wait)
	if err != nil {
		unlockDir()
		if jitsuin.CodeOf(err) == "cards-served" {
			return nil, errInUse()
		}
		return nil, err
	}
	chip, err := openLocked(folder)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		unlockCard()
		unlockDir()
		return nil, err
	}
	return newLease(chip, fault.Setting{}, nil, func() { unlockCard(); unlockDir() })
}

func openLocked(folder string) (*card.Chip, error) {
	c, err := readCustody(folder)
	if err != nil {
		return nil, err
	}
	if c.Custodian != Holder {
		return nil, jitsuin.Errorf(jitsuin.Denied, "card-not-handed-over", "this card is not in the holder's hands")
	}
	if c.Loan != "" {
		return nil, errLent()
	}
	memory, err := card.NewFolder(folder)
	if err != nil {
		return nil, err
	}
	return card.Open(memory)
}
