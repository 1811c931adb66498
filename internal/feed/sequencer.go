package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Codes of errors that a sender gives. Each is also the value of the header Feed-Error.
const (
	CodeRolledBack   = "feed-rolled-back"   // Unavailable: the database is behind what was given out
	CodeEpochChanged = "feed-epoch-changed" // Conflict: the cursor is of an earlier epoch; read the snapshot
	CodeBehind       = "feed-behind"        // Conflict: the cursor is ahead of the sender
)

// SequencerConfig says what a Sequencer works on. DB, HighWater and Log are required.
type SequencerConfig struct {
	DB        *store.DB // opened with Tables()
	HighWater HighWater
	Log       *slog.Logger
	// Poll is how often a database that other processes share is looked at; 0 means 250 ms.
	Poll time.Duration
	// Batch is how many events one transaction numbers at most; 0 means 500.
	Batch int
}

// Head is the last number given in a topic; Start is the hash before the epoch's first event. N is
// 0 where the epoch has none.
type Head struct {
	jitsuin.Position
	Hash  Hash
	Start Hash
}

func (h Head) mark() Mark { return Mark{h.Position, h.Hash} }

// Sequencer numbers the committed events of one database and knows how far each topic may be
// given out. Several processes on one database each have one. It is safe for concurrent use.
//
// What a crash leaves behind: before the numbering commit, events in the outbox, numbered next
// time; after it, a database ahead of the high-water file, repaired before anything is served. A
// file ahead of the database means that the database was rolled back: nothing is numbered or
// served any more (CodeRolledBack) until NewEpoch.
type Sequencer struct {
	cfg SequencerConfig

	work   sync.Mutex      // held while numbering, raising marks or changing the epoch; owns the two below
	marks  map[string]Mark // what the high-water file says
	unsure bool            // the last numbering failed, and may be in the database all the same

	mu      sync.Mutex // owns the fields below
	heads   map[string]Head
	changed chan struct{} // closed and replaced whenever heads or broken change
	broken  error         // why nothing is numbered or served; nil if all is well
}

// NewSequencer reads the high-water file and compares it with the database. A database that was
// rolled back is no error here, so that NewEpoch can be called; Health tells.
func NewSequencer(ctx context.Context, cfg SequencerConfig) (*Sequencer, error) {
	if cfg.DB == nil || cfg.HighWater == nil || cfg.Log == nil {
		return nil, errors.New("a sequencer needs a database, a high-water file and a log")
	}
	if cfg.Poll == 0 {
		cfg.Poll = 250 * time.Millisecond
	}
	if cfg.Batch == 0 {
		cfg.Batch = 500
	}
	marks, err := cfg.HighWater.Marks()
	if err != nil {
		return nil, err
	}
	s := &Sequencer{cfg: cfg, marks: marks, heads: map[string]Head{}, changed: make(chan struct{})}
	if err := s.Refresh(ctx); err != nil && jitsuin.CodeOf(err) != CodeRolledBack {
		return nil, err
	}
	return s, nil
}

// Run numbers events as they are committed until ctx ends, and then gives nil. Failures are
// logged and tried again; Health tells of them.
func (s *Sequencer) Run(ctx context.Context) error {
	signals, stop := s.cfg.DB.Watch(outboxSignal)
	defer stop()
	patient, stopPatient := s.cfg.DB.Watch(patientSignal)
	defer stopPatient()
	quiet := false // whether the present trouble was logged already
	for {
		err := s.drain(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !quiet:
			s.cfg.Log.Error("feed: events are not numbered", "error", err)
		case err == nil && quiet:
			s.cfg.Log.Info("feed: events are numbered again")
		}
		quiet = err != nil
		tick := time.NewTimer(s.tick(err))
		select {
		case <-ctx.Done():
		case <-signals:
		case <-tick.C:
		case <-patient:
			tick.Reset(patience)
			select {
			case <-ctx.Done():
			case <-signals:
			case <-tick.C:
			}
		}
		tick.Stop()
	}
}

// ownTick is how often Run looks at a database of this process alone. Every commit there gives a signal,
// also one whose answer was lost, so it is no more than a safety net.
const ownTick = 15 * time.Second

// tick is when Run looks again without a signal: soon on a shared database and after a failure.
func (s *Sequencer) tick(failed error) time.Duration {
	switch {
	case s.cfg.DB.Shared():
		return s.cfg.Poll
	case failed != nil:
		return max(s.cfg.Poll, time.Second)
	}
	return max(s.cfg.Poll, ownTick)
}

func (s *Sequencer) drain(ctx context.Context) error {
	if s.cfg.DB.Shared() || s.Health() != nil {
		if err := s.Refresh(ctx); err != nil {
			return err
		}
	}
	for {
		n, err := s.Step(ctx)
		if err != nil || n < s.cfg.Batch {
			return err
		}
	}
}

// Step numbers one batch of committed events and makes them ready to be served. It gives how many.
func (s *Sequencer) Step(ctx context.Context) (numbered int, err error) {
	s.work.Lock()
	defer s.work.Unlock()
	if err := s.Health(); err != nil {
		return 0, err
	}
	if s.unsure {
		if err := s.refresh(ctx); err != nil {
			return 0, err
		}
	}
	var b *batch
	err = s.cfg.DB.Update(ctx, func(tx *store.Tx) (err error) {
		b, err = s.number(tx)
		return err
	})
	if jitsuin.CodeOf(err) == CodeRolledBack {
		s.setBroken(err)
	}
	if err != nil {
		s.unsure = true
		return 0, fmt.Errorf("number events: %w", err)
	}
	if err := s.publish(b.heads); err != nil {
		s.unsure = true
		return 0, err
	}
	return b.numbered, nil
}

// Refresh learns what other processes, or this one before a crash, have numbered, and compares
// every topic with the high-water file. It ends a refusal when another process has started a new epoch.
func (s *Sequencer) Refresh(ctx context.Context) error {
	s.work.Lock()
	defer s.work.Unlock()
	return s.refresh(ctx)
}

// refresh is Refresh for a caller that holds work.
func (s *Sequencer) refresh(ctx context.Context) error {
	var heads map[string]Head
	err := s.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if heads, err = readHeads(tx); err != nil {
			return err
		}
		for topic := range s.marks {
			if _, ok := heads[topic]; ok {
				continue
			}
			if heads[topic], err = readHead(tx, topic); err != nil {
				return err
			}
		}
		return s.compare(tx, heads)
	})
	if jitsuin.CodeOf(err) == CodeRolledBack {
		s.setBroken(err)
	}
	if err != nil {
		return fmt.Errorf("compare the feeds with the high-water file: %w", err)
	}
	if err := s.publish(heads); err != nil {
		return err
	}
	s.setBroken(nil)
	s.unsure = false
	return nil
}

// publish raises the high-water file to heads and then, not before, lets them be served.
func (s *Sequencer) publish(heads map[string]Head) error {
	higher := map[string]Mark{}
	for topic, head := range heads {
		if head.Compare(s.marks[topic].Position) > 0 {
			higher[topic] = head.mark()
		}
	}
	if len(higher) > 0 {
		if err := s.cfg.HighWater.Raise(higher); err != nil {
			return jitsuin.Errorf(jitsuin.Unavailable, "feed-high-water", "numbers are not given out: %w", err)
		}
		for topic, mark := range higher {
			s.marks[topic] = mark
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for topic, head := range heads {
		if s.heads[topic] != head {
			s.heads[topic], changed = head, true
		}
	}
	if changed {
		s.wake()
	}
	return nil
}

// wake tells everyone who waits to look again. The caller holds mu.
func (s *Sequencer) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Sequencer) setBroken(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if (err == nil) != (s.broken == nil) {
		s.wake()
	}
	s.broken = err
}

// Health is nil, or why nothing is numbered and served.
func (s *Sequencer) Health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// Heads gives the last number of every topic that has events.
func (s *Sequencer) Heads() map[string]Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.heads)
}

// Head gives the last number of topic that may be served; a topic without events stands at N = 0.
func (s *Sequencer) Head(ctx context.Context, topic string) (Head, error) {
	h, _, err := s.look(ctx, topic)
	return h, err
}

// look gives the head of topic and a channel that closes when it may have changed.
func (s *Sequencer) look(ctx context.Context, topic string) (Head, <-chan struct{}, error) {
	s.mu.Lock()
	head, known := s.heads[topic]
	changed, broken := s.changed, s.broken
	s.mu.Unlock()
	if broken != nil || known {
		return head, changed, broken
	}
	err := s.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		head.Epoch, err = readEpoch(tx)
		return err
	})
	return head, changed, err
}
