package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// compare refuses heads of the database that are behind, or beside, what was given out. The
// caller holds work.
func (s *Sequencer) compare(tx *store.Tx, heads map[string]Head) error {
	for topic, head := range heads {
		mark := s.marks[topic]
		hash, err := hashAt(tx, topic, head, mark)
		if err != nil {
			return err
		}
		if head.Compare(mark.Position) < 0 || hash != mark.Hash {
			return rolledBack(topic, head.Position, mark.Position)
		}
	}
	return nil
}

// hashAt gives the hash that the database has at the place of mark, and mark's own hash where
// there is nothing to compare.
func hashAt(tx *store.Tx, topic string, head Head, mark Mark) (Hash, error) {
	switch {
	case mark.Hash.IsZero() || head.Epoch != mark.Epoch || head.N < mark.N:
		return mark.Hash, nil
	case head.N == mark.N:
		return head.Hash, nil
	case mark.N == 0:
		return head.Start, nil
	}
	var raw []byte
	err := tx.QueryRow(`SELECT hash FROM feed_events WHERE topic = $1 AND epoch = $2 AND n = $3`,
		topic, mark.Epoch, mark.N).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return Hash{}, nil
	}
	var h Hash
	copy(h[:], raw)
	return h, err
}

func rolledBack(topic string, have, given jitsuin.Position) error {
	return jitsuin.Errorf(jitsuin.Unavailable, CodeRolledBack,
		"topic %s: the database stands at %s, but %s was given out before: the database was rolled back", topic, have, given).
		WithHint("start a new epoch (jitsuin feed new-epoch), as restore and promotion do")
}

// maxClaim is how many epochs a reader's cursor may be ahead, of the head or of EpochAt now, and still be believed.
const maxClaim = 1000

// EpochAt is the lowest epoch that a restore at a time begins: seconds since 2025. Where a database
// and everything that remembered its epochs were lost together, and the same backup is restored a second
// time, counting upwards from what the backup knows would give the same epoch twice; time does not.
// It lasts until 2161.
func EpochAt(t time.Time) uint32 {
	const since = 1735689600 // 2025-01-01T00:00:00Z
	return uint32(min(max(t.Unix()-since, 0), math.MaxUint32))
}

// claim takes a reader's word that it was given a position beyond the head of topic. The sender
// was rolled back then; the claim goes into the high-water file, so that a restart does not forget it.
func (s *Sequencer) claim(topic string, head Head, claimed jitsuin.Position) error {
	s.work.Lock()
	defer s.work.Unlock()
	if claimed.Compare(s.marks[topic].Position) <= 0 {
		return nil // given out by this process in the meantime, or claimed before
	}
	mark := Mark{Position: claimed}
	if err := s.cfg.HighWater.Raise(map[string]Mark{topic: mark}); err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "feed-high-water", "a reader's claim is not recorded: %w", err)
	}
	s.marks[topic] = mark
	s.setBroken(rolledBack(topic, head.Position, claimed))
	return nil
}

// NewEpoch ends a refusal after a rollback: it raises the epoch of every topic above all that the
// database and the high-water file know, and at least to atLeast, so that no number is used twice.
// Readers then start again from the snapshot. Restore and promotion call it, before the first
// event is numbered; calling it at another time only makes readers read more.
//
// Where the high-water file was lost together with the database, atLeast must be greater than
// every epoch ever used: nothing else remembers them, except readers.
func (s *Sequencer) NewEpoch(ctx context.Context, atLeast uint32) (epoch uint32, err error) {
	s.work.Lock()
	defer s.work.Unlock()
	var heads map[string]Head
	err = s.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		last, err := readEpoch(tx)
		if err != nil {
			return err
		}
		for _, mark := range s.marks {
			last = max(last, mark.Epoch)
		}
		if last == math.MaxUint32 {
			return jitsuin.Errorf(jitsuin.Internal, "feed-full", "there is no epoch after %d", last)
		}
		epoch = max(last+1, atLeast)
		heads, err = startEpoch(tx, epoch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("start a new epoch: %w", err)
	}
	for topic := range s.marks {
		if _, ok := heads[topic]; !ok { // the whole topic was lost; it starts again when it is used
			heads[topic] = Head{Position: jitsuin.Position{Epoch: epoch}}
		}
	}
	if err := s.publish(heads); err != nil {
		return 0, err
	}
	s.setBroken(nil)
	s.cfg.Log.Warn("feed: a new epoch was started", "epoch", epoch, "topics", len(heads))
	return epoch, nil
}

func startEpoch(tx *store.Tx, epoch uint32) (map[string]Head, error) {
	if _, err := tx.Exec(`UPDATE feed_epoch SET epoch = $1 WHERE id = 1`, epoch); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(`UPDATE feed_heads SET epoch = $1, n = 0, start = hash`, epoch); err != nil {
		return nil, err
	}
	return readHeads(tx)
}
