package signer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/sealed"
)

// Peek looks into a signer's folder beside whoever signs with it, and changes nothing: it opens the keys with the
// passphrase and reads the journal. A folder without keys or journal is NotFound "signer-missing".
func Peek(dir, passphrase string) (last Receipt, all []Receipt, err error) {
	for _, name := range []string{keysFile, journalFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return last, nil, jitsuin.Errorf(jitsuin.NotFound, "signer-missing", "the signer has no %s: %w", name, err)
		}
	}
	if _, err := sealed.Open(filepath.Join(dir, keysFile), passphrase); err != nil {
		return last, nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return last, nil, fmt.Errorf("signature journal: %w", err)
	}
	j := &journal{epoch: 1}
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(raw, []byte("\n"))
		if !whole {
			return j.last(), j.since(0), nil
		}
		if err := j.take(line); err != nil {
			return last, nil, jitsuin.Errorf(jitsuin.Conflict, "journal-broken", "line %d of the signature journal: %w", n, err)
		}
		raw = rest
	}
}
