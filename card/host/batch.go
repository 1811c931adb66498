package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin/card"
)

// batchName is the file with the own keys of the chips that are made here, beside the cards.
const batchName = "batch.keys"

// batch gives the keys that chips made here get, and makes them for the first. h.creating is held.
func (h *Host) batch() (*card.BatchKeys, error) {
	if !h.options.OwnKeys || h.keys != nil {
		return h.keys, nil
	}
	path := filepath.Join(h.dir, batchName)
	encoded, err := os.ReadFile(path)
	switch {
	case err == nil:
		h.keys, err = card.ParseBatchKeys(encoded)
		return h.keys, err
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the keys of the batch: %w", err)
	}
	keys, err := card.NewBatchKeys()
	if err != nil {
		return nil, err
	}
	if encoded, err = keys.Encode(); err != nil {
		return nil, err
	}
	if err := h.writer.Replace(path, encoded); err != nil {
		return nil, fmt.Errorf("write the keys of the batch: %w", err)
	}
	h.keys = keys
	return keys, nil
}
