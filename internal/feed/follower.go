package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// FollowerConfig says what a Follower reads and what it does with it. Besides the source, DB,
// Apply, Now and Log are required.
type FollowerConfig struct {
	SourceConfig
	DB *store.DB // opened with Tables()
	// Apply makes the event's state the subject's state, in tx and nowhere else: it may run
	// several times for one effect (store.DB.Update). An error of the kind Unavailable or Limited
	// is tried again and holds the feed up; any other parks the event and the later ones of its
	// subject. In a new epoch a subject can go back to an earlier version: apply what comes.
	Apply func(ctx context.Context, tx *store.Tx, e Event) error
	// Erased is called instead of Apply for an event whose body the sender has erased; nil ignores it.
	Erased func(ctx context.Context, tx *store.Tx, e Event) error
	// Forget is called for each subject that the sender lost in a rollback; nil keeps what was
	// applied and logs a warning. An error that is not Unavailable or Limited is an alarm.
	Forget func(ctx context.Context, tx *store.Tx, subject string) error
	// OnBatch is called at the end of each transaction that applies something, with the position
	// up to which all events of the source are applied: the cursor, or just before the first
	// parked event. An error undoes the batch, which is tried again.
	OnBatch func(tx *store.Tx, applied jitsuin.Position) error
	// Now is wall time, for the times of parking.
	Now func() time.Time
	Log *slog.Logger
	// Batch is how many events one transaction applies at most; 0 means 200.
	Batch int
	// RetryParked is how often parked events are tried again; 0 means a minute. They are also
	// tried after each newly applied batch.
	RetryParked time.Duration
	// Backoff is the first pause after a failure, doubled up to 100 times it; 0 means 100 ms.
	Backoff time.Duration
}

// Follower reads one topic of one source into a database: cursor and effect in one transaction,
// so that each event has its effect exactly once. Of several on one database and feed each batch
// is applied by one. Run and Poll belong to one goroutine; Health may be asked from anywhere.
type Follower struct {
	cfg FollowerConfig

	lastRetry time.Time // of parked events; Poll alone uses it

	mu     sync.Mutex // owns health
	health Health
}

// Health is how a follower fares.
type Health struct {
	Cursor  jitsuin.Position // read up to here
	Applied jitsuin.Position // all applied up to here
	Head    jitsuin.Position // where the sender stood when it last answered
	Parked  int              // events that wait because they, or an earlier one of their subject, failed
	// ParkedTotal counts the events parked since the start.
	ParkedTotal uint64
	// CaughtUp tells that since the start the sender has once had nothing more.
	CaughtUp bool
	// LastContact is when the sender last answered.
	LastContact time.Time
	// Trouble is the present failure that is being tried again, or nil.
	Trouble error
	// Alarm is what stopped the follower, or nil.
	Alarm error
}

// Err is nil where nothing needs a person.
func (h Health) Err() error {
	switch {
	case h.Alarm != nil:
		return h.Alarm
	case h.Trouble != nil:
		return h.Trouble
	case h.Parked > 0:
		return jitsuin.Errorf(jitsuin.Conflict, "feed-parked", "%d events are parked", h.Parked)
	}
	return nil
}

// NewFollower makes a Follower.
func NewFollower(cfg FollowerConfig) (*Follower, error) {
	if err := cfg.SourceConfig.check(); err != nil {
		return nil, err
	}
	if cfg.DB == nil || cfg.Apply == nil || cfg.Now == nil || cfg.Log == nil {
		return nil, errors.New("a follower needs a database, an effect, a clock and a log")
	}
	if cfg.Batch == 0 {
		cfg.Batch = 200
	}
	if cfg.RetryParked == 0 {
		cfg.RetryParked = time.Minute
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = 100 * time.Millisecond
	}
	cfg.Log = cfg.Log.With("source", cfg.Source, "topic", cfg.Topic)
	f := &Follower{cfg: cfg, lastRetry: cfg.Now()}
	f.cfg.told = func(head jitsuin.Position) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.health.Head = head
	}
	return f, nil
}

// Run reads and applies until ctx ends, and then gives nil, or until something is wrong that must
// not be passed over, and then gives an *Alarm. Failures of the network, the sender or the database
// are tried again.
func (f *Follower) Run(ctx context.Context) error {
	return follow(ctx, f.cfg.Backoff, f.cfg.Log, func() (int, error) {
		wait := min(f.cfg.Wait, f.cfg.RetryParked)
		if !f.Health().CaughtUp {
			wait = 0
		}
		return f.Poll(ctx, wait)
	})
}

// idlePause keeps a reader from spinning where a sender answers at once that there is nothing.
const idlePause = 50 * time.Millisecond

// follow calls poll again and again, with a growing pause while it fails.
func follow(ctx context.Context, backoff time.Duration, log *slog.Logger, poll func() (int, error)) error {
	pause := backoff
	for {
		begun := time.Now()
		taken, err := poll()
		alarm, isAlarm := errors.AsType[*Alarm](err)
		wait := time.Duration(0)
		switch {
		case ctx.Err() != nil:
			return nil
		case isAlarm:
			log.Error("feed: the reader stops", "error", alarm)
			return alarm
		case err != nil:
			if pause == backoff {
				log.Warn("feed: trying again", "error", err)
			}
			wait, pause = pause, min(2*pause, 100*backoff)
		default:
			if pause > backoff {
				log.Info("feed: reading again")
			}
			pause = backoff
			if taken == 0 {
				wait = idlePause - time.Since(begun)
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// Poll makes one request that waits at most wait, and applies what it brings, a snapshot where the
// sender is in a new epoch. It gives how many events were taken. An *Alarm must not be passed over;
// any other error may be tried again.
func (f *Follower) Poll(ctx context.Context, wait time.Duration) (taken int, err error) {
	taken, err = f.poll(ctx, wait)
	return taken, f.report(ctx, err)
}

func (f *Follower) poll(ctx context.Context, wait time.Duration) (taken int, err error) {
	at, err := f.standing(ctx)
	if err != nil {
		return 0, err
	}
	if at.parked > 0 && f.cfg.Now().Sub(f.lastRetry) >= f.cfg.RetryParked {
		if _, err := f.RetryParked(ctx); err != nil {
			return 0, err
		}
	}
	events, readErr := f.cfg.events(ctx, at.cursor, wait)
	if err := f.apply(ctx, at.cursor, 0, events); err != nil {
		return 0, err
	}
	taken = len(events)
	resynced := errors.Is(readErr, errNewEpoch)
	if resynced {
		var n int
		n, readErr = f.resync(ctx)
		taken += n
	}
	if readErr != nil {
		return taken, readErr
	}
	f.mu.Lock()
	f.health.LastContact = f.cfg.Now()
	if taken == 0 && !resynced {
		f.health.CaughtUp = true
	}
	f.mu.Unlock()
	if taken > 0 && at.parked > 0 {
		_, err = f.RetryParked(ctx)
	}
	return taken, err
}

// report turns an error that must stop the reader into an Alarm and notes how things stand.
func (f *Follower) report(ctx context.Context, err error) error {
	err = asAlarm(&f.cfg.SourceConfig, f.Health().Cursor, err)
	if ctx.Err() != nil {
		return err
	}
	if at, atErr := f.standing(ctx); atErr != nil {
		err = errors.Join(err, atErr)
	} else if a, ok := errors.AsType[*Alarm](err); ok {
		a.At = at.Position
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.health.Trouble, f.health.Alarm = err, nil
	if a, ok := errors.AsType[*Alarm](err); ok {
		f.health.Trouble, f.health.Alarm = nil, a
	}
	return err
}

// asAlarm gives errors that trying again does not mend as alarms.
func asAlarm(c *SourceConfig, at jitsuin.Position, err error) error {
	e, ok := errors.AsType[*jitsuin.Error](err)
	if !ok {
		return err
	}
	switch e.Code {
	case CodeGap, CodeChanged, CodeMalformed, CodeSnapshot, CodeForget, CodeApply, CodeBehind:
		return &Alarm{c.Source, c.Topic, at, e}
	}
	return err
}

// Health tells how the follower fares, as of its last request.
func (f *Follower) Health() Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.health
}

// isTransient tells of an error of Apply whether it is tried again instead of parking the event.
func isTransient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	kind := jitsuin.KindOf(err)
	return kind == jitsuin.Unavailable || kind == jitsuin.Limited
}
