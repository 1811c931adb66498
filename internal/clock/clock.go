// Package clock owns the civil clock: the time of the law (validity, deadlines, the CRL's day,
// OCSP's quarter hour). It is wall time plus an offset that is persisted by its owner and only
// ever grows. Tokens, sessions, retries and TLS use wall time and never this package.
package clock

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Civil is a civil clock. It is safe for concurrent use.
type Civil struct {
	wall func() time.Time

	mu      sync.Mutex
	offset  time.Duration
	changed chan struct{}
}

// New starts a civil clock that runs offset ahead of wall time.
func New(offset time.Duration) *Civil {
	return &Civil{wall: time.Now, offset: offset, changed: make(chan struct{})}
}

// Now is civil time, in whole microseconds.
func (c *Civil) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall().Add(c.offset).Truncate(time.Microsecond)
}

// Offset tells how far civil time is ahead of wall time.
func (c *Civil) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// OffsetFor tells which offset makes it t now; an earlier t is refused, civil time never goes back.
func (c *Civil) OffsetFor(t time.Time) (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.wall()
	if t.Before(now.Add(c.offset)) {
		return 0, jitsuin.Errorf(jitsuin.Invalid, "clock-backwards", "civil time is %s already and does not go back to %s",
			now.Add(c.offset).In(jitsuin.JST).Format(time.RFC3339), t.In(jitsuin.JST).Format(time.RFC3339)).
			WithHint("a country of an earlier time is made anew: up --reset --clock TIME")
	}
	return t.Sub(now), nil
}

// Set moves the clock forward to the offset; an offset that is smaller than the present one is no
// error and changes nothing (an old message about the clock has arrived late).
func (c *Civil) Set(offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if offset <= c.offset {
		return
	}
	c.offset = offset
	close(c.changed)
	c.changed = make(chan struct{})
}

// Changed gives a channel that is closed when the clock is next moved.
func (c *Civil) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Job is something that falls due at civil times.
type Job struct {
	Name string
	// Next tells when the job is due next; ok is false when nothing is due at all.
	Next func(ctx context.Context) (due time.Time, ok bool, err error)
	// Fire does all that is due at or before now. It may be called again for the same time.
	Fire func(ctx context.Context, now time.Time) error
	// List tells what is due when, the earliest first, for people; nil where Next says it all.
	List func(ctx context.Context) ([]Due, error)
}

// Due is how many things of one kind fall due at a time.
type Due struct {
	At    time.Time
	Count int
}

// Upcoming lists what the job has before it.
func (j Job) Upcoming(ctx context.Context) ([]Due, error) {
	if j.List != nil {
		return j.List(ctx)
	}
	at, ok, err := j.Next(ctx)
	if err != nil || !ok {
		return nil, err
	}
	return []Due{{at, 1}}, nil
}

// Schedule runs an actor's jobs as civil time passes or is moved.
type Schedule struct {
	clock *Civil
	jobs  []Job
	log   *slog.Logger
	poke  chan struct{}

	mu     sync.Mutex // owns the fields below
	fired  time.Time
	done   chan struct{}
	states []JobState // of jobs, in their order
}

// JobState is how a job fares. Due is civil time, zero where nothing is due; LastFired is wall time.
type JobState struct {
	Name      string
	Failures  uint64 // since the start
	Failing   bool   // the last look at it failed
	LastFired time.Time
	Due       time.Time
}

// NewSchedule makes a schedule of jobs on the clock.
func NewSchedule(c *Civil, log *slog.Logger, jobs ...Job) *Schedule {
	s := &Schedule{clock: c, jobs: jobs, log: log, poke: make(chan struct{}, 1), done: make(chan struct{})}
	for _, j := range jobs {
		s.states = append(s.states, JobState{Name: j.Name})
	}
	return s
}

// Jobs tells how each job fares.
func (s *Schedule) Jobs() []JobState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.states)
}

// Poke makes the schedule look again because something new may be due.
func (s *Schedule) Poke() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// FiredThrough gives the T for which "all that was due at or before T has fired" holds.
func (s *Schedule) FiredThrough() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fired
}

// WaitFired waits until all that was due at or before t has fired.
func (s *Schedule) WaitFired(ctx context.Context, t time.Time) error {
	for {
		s.mu.Lock()
		fired, done := s.fired, s.done
		s.mu.Unlock()
		if !fired.Before(t) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-done:
		}
	}
}

const (
	longestSleep = time.Minute
	retryAfter   = time.Second
)

// Run fires jobs until ctx ends. A job that fails is tried again; the others do not wait for it.
func (s *Schedule) Run(ctx context.Context) {
	for {
		changed := s.clock.Changed()
		wait := s.pass(ctx)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-s.poke:
		case <-time.After(wait):
		}
	}
}

// note keeps how a look at the job number i went. After a failure what was due before stays due.
func (s *Schedule) note(i int, due time.Time, ok, fired bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := &s.states[i]
	if fired {
		state.LastFired = s.clock.wall()
	}
	if state.Failing = err != nil; state.Failing {
		state.Failures++
		return
	}
	if state.Due = due; !ok {
		state.Due = time.Time{}
	}
}

// pass fires what is due and says how long nothing will be.
func (s *Schedule) pass(ctx context.Context) time.Duration {
	now, wait, clean := s.clock.Now(), longestSleep, true
	for i, j := range s.jobs {
		due, ok, err := j.Next(ctx)
		fired := false
		if err == nil && ok && !due.After(now) {
			if err = j.Fire(ctx, now); err == nil {
				fired = true
				due, ok, err = j.Next(ctx)
			}
		}
		if ctx.Err() == nil {
			s.note(i, due, ok, fired, err)
		}
		if err != nil {
			if ctx.Err() == nil {
				s.log.ErrorContext(ctx, "a job that was due failed and is tried again", "job", j.Name, "err", err)
			}
			clean, wait = false, min(wait, retryAfter)
			continue
		}
		if ok {
			wait = min(wait, max(due.Sub(now), 10*time.Millisecond))
		}
	}
	if clean {
		s.mu.Lock()
		s.fired = now
		close(s.done)
		s.done = make(chan struct{})
		s.mu.Unlock()
	}
	return wait
}
