package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// MemoryConfig says what a MemoryFollower reads. Besides the source, Apply, Reset and Log are required.
type MemoryConfig struct {
	SourceConfig
	// Apply changes the state in memory. An error of the kind Unavailable or Limited is tried
	// again; any other is an alarm, since there is nowhere to park the event.
	Apply func(ctx context.Context, e Event) error
	// Reset empties the state: the feed is read anew, from a snapshot.
	Reset func()
	Log   *slog.Logger
	// Backoff is the first pause after a failure, doubled up to 100 times it; 0 means 100 ms.
	Backoff time.Duration
}

// MemoryFollower reads one topic from its start into memory, for processes without a database. It
// verifies what it reads as a Follower does. Erased events are passed over.
type MemoryFollower struct {
	cfg MemoryConfig

	mu      sync.Mutex // owns the fields below
	at      cursor
	head    jitsuin.Position
	trouble error
}

// NewMemoryFollower makes a MemoryFollower that stands before the first event.
func NewMemoryFollower(cfg MemoryConfig) (*MemoryFollower, error) {
	if err := cfg.SourceConfig.check(); err != nil {
		return nil, err
	}
	if cfg.Apply == nil || cfg.Reset == nil || cfg.Log == nil {
		return nil, errors.New("a memory follower needs an effect, a way to start anew and a log")
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = 100 * time.Millisecond
	}
	cfg.Log = cfg.Log.With("source", cfg.Source, "topic", cfg.Topic)
	f := &MemoryFollower{cfg: cfg}
	f.cfg.told = func(head jitsuin.Position) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.head = head
	}
	return f, nil
}

// Run reads until ctx ends, and then gives nil, or until an *Alarm.
func (f *MemoryFollower) Run(ctx context.Context) error {
	return follow(ctx, f.cfg.Backoff, f.cfg.Log, func() (int, error) { return f.Poll(ctx, f.cfg.Wait) })
}

// Poll makes one request that waits at most wait, and applies what it brings.
func (f *MemoryFollower) Poll(ctx context.Context, wait time.Duration) (taken int, err error) {
	events, err := f.cfg.events(ctx, f.cursor(), wait)
	for i, e := range events {
		if applyErr := f.apply(ctx, e); applyErr != nil {
			return i, f.note(applyErr)
		}
		f.move(cursor{e.Position(), e.Hash})
	}
	if errors.Is(err, errNewEpoch) {
		return len(events), f.note(f.resync(ctx))
	}
	return len(events), f.note(err)
}

// Position is up to where the feed is applied.
func (f *MemoryFollower) Position() jitsuin.Position { return f.cursor().Position }

// Head is where the sender stood when it last answered.
func (f *MemoryFollower) Head() jitsuin.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head
}

// Health is nil, or the error of the last request.
func (f *MemoryFollower) Health() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble
}

func (f *MemoryFollower) apply(ctx context.Context, e Event) error {
	if e.IsErased() {
		return nil
	}
	err := f.cfg.Apply(ctx, e)
	if err != nil && !isTransient(err) {
		return jitsuin.Errorf(jitsuin.Conflict, CodeApply, "event %s: %w", e.Position(), err)
	}
	return err
}

func (f *MemoryFollower) resync(ctx context.Context) error {
	s, err := f.cfg.snapshot(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if at := f.cursor(); s.head.Epoch <= at.Epoch {
		return jitsuin.Errorf(jitsuin.Unavailable, "feed-snapshot-old", "the snapshot is of epoch %d, the cursor %s", s.head.Epoch, at.Position)
	}
	f.cfg.Reset()
	f.move(cursor{})
	err = s.events(MaxLimit, func(events []Event) error {
		for _, e := range events {
			if err := f.apply(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		f.cfg.Reset()
		return err
	}
	f.move(cursor{jitsuin.Position{Epoch: s.head.Epoch, N: s.head.N}, s.head.Hash})
	return nil
}

func (f *MemoryFollower) cursor() cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *MemoryFollower) move(to cursor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = to
}

func (f *MemoryFollower) note(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble = asAlarm(&f.cfg.SourceConfig, f.at.Position, err)
	return f.trouble
}
