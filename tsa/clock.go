package tsa

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Reading is one look at the machine's two clocks.
type Reading struct {
	Wall    time.Time     // the clock that people and NTP set
	Elapsed time.Duration // since some moment, by a clock that nobody sets and that runs while the machine sleeps
}

// Source is a second source of time: how far wall time is ahead of it at this look. An error means that it
// cannot tell; while it cannot, nothing is stamped.
type Source interface {
	Name() string // a short word, for figures and the log
	Ahead(r Reading) (time.Duration, error)
}

// start is the second source that every machine has: its wall clock as it was at the start, carried on by
// the clock that nobody sets. It notices a wall clock that was stepped, and not one that was wrong already.
type start struct{ first Reading }

// Name implements Source.
func (s *start) Name() string { return "start" }

// Ahead implements Source.
func (s *start) Ahead(r Reading) (time.Duration, error) {
	return r.Wall.Sub(s.first.Wall) - (r.Elapsed - s.first.Elapsed), nil
}

// watch compares the wall clock with the second sources. It is safe for concurrent use.
type watch struct {
	read  func() Reading
	limit time.Duration // from which difference on nothing is stamped
	log   *slog.Logger

	mu      sync.Mutex // owns the fields below
	start   *start
	sources []Source
	wrong   map[string]string // what was last found, by source
}

// newWatch begins to watch. Without sources the clock at the start is the second one; with some it is
// watched too, and begun anew after a step of which all of them agree that it led to the right time.
func newWatch(read func() Reading, limit time.Duration, log *slog.Logger, sources ...Source) *watch {
	return &watch{read: read, limit: limit, log: log, start: &start{read()}, sources: sources, wrong: map[string]string{}}
}

// now gives wall time, or an error of kind Unavailable that says which source differs and by how much.
func (w *watch) now(ctx context.Context) (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.read()
	wrong := map[string]string{}
	for _, s := range w.sources {
		w.look(wrong, s, r)
	}
	agreed := len(wrong) == 0 && len(w.sources) > 0
	if w.look(wrong, w.start, r); agreed && len(wrong) > 0 {
		w.log.WarnContext(ctx, "the wall clock was stepped, and every other source says that it is right now", "what", wrong[w.start.Name()])
		w.start, wrong = &start{r}, map[string]string{}
	}
	w.tell(ctx, wrong)
	if len(wrong) == 0 {
		return r.Wall, nil
	}
	name := slices.Sorted(maps.Keys(wrong))[0]
	return time.Time{}, jitsuin.Errorf(jitsuin.Unavailable, "time-not-available", "the time is not sure: %s", wrong[name]).
		WithHint("see to the machine's clock, then start the authority again (docs/runbooks/tsa-clock.md)")
}

// look compares with one source.
func (w *watch) look(wrong map[string]string, s Source, r Reading) {
	ahead, err := s.Ahead(r)
	switch {
	case err != nil:
		wrong[s.Name()] = fmt.Sprintf("the source %s does not tell: %v", s.Name(), err)
	case ahead.Abs() >= w.limit:
		wrong[s.Name()] = fmt.Sprintf("the wall clock is %v from the source %s", ahead.Round(time.Millisecond), s.Name())
	}
}

// tell logs what has begun to be wrong and what has ended.
func (w *watch) tell(ctx context.Context, wrong map[string]string) {
	for name, what := range wrong {
		if w.wrong[name] == "" {
			w.log.ErrorContext(ctx, "nothing is stamped any more", "source", name, "why", what)
		}
	}
	for name := range w.wrong {
		if wrong[name] == "" {
			w.log.WarnContext(ctx, "a source of time agrees again", "source", name)
		}
	}
	w.wrong = wrong
}

// each tells how far wall time is ahead of every source, in seconds; ok is false where it does not tell.
func (w *watch) each(f func(name string, ahead float64, ok bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.read()
	for _, s := range append([]Source{w.start}, w.sources...) {
		ahead, err := s.Ahead(r)
		f(s.Name(), ahead.Seconds(), err == nil)
	}
}
