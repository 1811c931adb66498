package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/jitsuin/jitsuin/internal/store"
)

// PeekMarks reads a high-water file beside whoever writes it, and changes nothing; nil where there is none.
func PeekMarks(path string) (map[string]Mark, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the high-water file: %w", err)
	}
	marks := map[string]Mark{}
	for {
		line, rest, whole := bytes.Cut(raw, []byte("\n"))
		if !whole {
			return marks, nil // what follows the last newline was cut short
		}
		topic, mark, err := parseMark(line)
		if err != nil {
			return nil, fmt.Errorf("the high-water file %s: %w", path, err)
		}
		marks[topic], raw = mark, rest
	}
}

// CheckMarks compares the database with marks that were read before the transaction began. An error
// with CodeRolledBack says that the database is behind what was given out. numbered tells whether
// the database has numbered events at all.
func CheckMarks(tx *store.Tx, marks map[string]Mark) (numbered bool, err error) {
	heads, err := readHeads(tx)
	if err != nil {
		return false, err
	}
	numbered = len(heads) > 0
	for topic := range marks {
		if _, ok := heads[topic]; ok {
			continue
		}
		if heads[topic], err = readHead(tx, topic); err != nil {
			return numbered, err
		}
	}
	return numbered, (&Sequencer{marks: marks}).compare(tx, heads)
}

// Stuck is a feed with parked events.
type Stuck struct {
	Source, Topic string
	Events        int64
}

// AllParked lists the followed feeds in which events are parked.
func AllParked(tx *store.Tx) ([]Stuck, error) {
	return store.Collect(func(s store.Scanner) (p Stuck, err error) { return p, s.Scan(&p.Source, &p.Topic, &p.Events) })(
		tx.Query(`SELECT source, topic, COUNT(*) FROM feed_parked GROUP BY source, topic ORDER BY source, topic`))
}
