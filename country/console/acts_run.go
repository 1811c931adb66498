package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// actTime is how long an act may take before it is given up.
const actTime = 90 * time.Second

// settling is how long after a start an act that a restart has cut short waits for who does not answer yet: others may have been
// restarted too. askAgain is the pause between two tries.
const (
	settling = 30 * time.Second
	askAgain = 500 * time.Millisecond
)

// actors does the acts, one for a person at a time, and goes on with those that a restart has cut short.
type actors struct {
	desk   *desk
	poke   chan struct{}
	opened time.Time // wall time

	mu  sync.Mutex
	now map[jitsuin.ID]bool // the acts that are being done in this process
}

func newActors(d *desk) *actors {
	return &actors{desk: d, poke: make(chan struct{}, 1), opened: time.Now(), now: map[jitsuin.ID]bool{}}
}

// start takes in an act: what cannot be done in the person's present state is a Conflict whose code says why,
// and changes nothing. The same id again gives the act as it is.
func (s *actors) start(ctx context.Context, a *actFile) (*actFile, error) {
	if had, err := s.desk.act(ctx, a.ID); jitsuin.KindOf(err) != jitsuin.NotFound {
		return had, err
	}
	p, err := s.desk.person(ctx, a.Subject)
	if err != nil {
		return nil, err
	}
	past, err := s.desk.actsOf(ctx, a.Subject)
	if err != nil {
		return nil, err
	}
	if why := s.desk.hinders(a.Kind, p, past); why != "" {
		if had, err := s.desk.act(ctx, a.ID); err == nil {
			return had, nil // the same click was taken in meanwhile
		}
		return nil, jitsuin.Errorf(jitsuin.Conflict, why, "this act is not possible in the person's present state")
	}
	if a.Kind == actMove {
		if _, ok := s.desk.townOf(a.To); !ok || a.To == p.Municipality {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "move-destination", "a move goes to another municipality of this country").At("to")
		}
	}
	a.State, a.Rev, a.Town, a.Kept = actRunning, 1, p.Municipality, map[string]json.RawMessage{}
	a.Before, a.Civil, a.Started = seenOf(p), s.desk.Clock.Now(), time.Now().UTC()
	if a.Kind == actBegin {
		a.State, a.Ended = actDone, a.Started
	}
	var had *actFile
	err = s.desk.DB.Update(ctx, func(tx *store.Tx) error {
		had, err = insertAct(tx, a)
		return err
	})
	if had != nil || err != nil {
		return had, err
	}
	select {
	case s.poke <- struct{}{}:
	default:
	}
	return a, nil
}

// run does what is under way until ctx ends. It sleeps until an act is taken in.
func (s *actors) run(ctx context.Context) error {
	var doing sync.WaitGroup
	defer doing.Wait()
	for {
		var all []*actFile
		err := s.desk.DB.View(ctx, func(tx *store.Tx) (err error) {
			all, err = runningActs(tx)
			return err
		})
		if err != nil {
			return err
		}
		for _, a := range all {
			if s.take(a.ID) {
				doing.Go(func() { defer s.leave(a.ID); s.play(ctx, a) })
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.poke:
		}
	}
}

func (s *actors) take(id jitsuin.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now[id] {
		return false
	}
	s.now[id] = true
	return true
}

func (s *actors) leave(id jitsuin.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.now, id)
}

// play does an act to its end. One that this process cannot finish because it is about to end stays under way.
func (s *actors) play(ctx context.Context, a *actFile) {
	limited, cancel := context.WithTimeout(httpapi.WithRequestID(ctx, string(a.ID)), actTime)
	defer cancel()
	r := &acting{desk: s.desk, file: a, began: time.Now()}
	err := r.do(limited)
	for a.Started.Before(s.opened) && jitsuin.KindOf(err) == jitsuin.Unavailable && time.Since(s.opened) < settling && limited.Err() == nil {
		select {
		case <-limited.Done():
		case <-time.After(askAgain):
			err = r.do(limited)
		}
	}
	if ctx.Err() != nil {
		return // goes on at the next start
	}
	a.State, a.Ended = actDone, time.Now().UTC()
	if err != nil {
		a.State, a.Fault = actFailed, faultOf(err, r.at)
	}
	if p, err := s.desk.person(ctx, a.Subject); err == nil {
		a.After = seenOf(p)
	}
	if err := r.save(ctx); err != nil {
		s.desk.Log.ErrorContext(ctx, "an act could not be stored", "act", a.ID, "err", err)
	}
	s.desk.Log.InfoContext(ctx, "act", "act", a.Kind, "request_id", a.ID, "state", a.State, "refused", jitsuin.CodeOf(err), "took", a.Took())
}

func faultOf(err error, step string) *fault {
	if e, ok := errors.AsType[*jitsuin.Error](err); ok {
		f := &fault{Kind: e.Kind, Code: e.Code, Message: e.Message, Hint: e.Hint, Step: step}
		if web.Has(e.Field + ".means") { // see firmSaid
			f.Words = e.Field
		}
		return f
	}
	return &fault{Kind: jitsuin.Internal, Code: "act-failed", Message: err.Error(), Step: step}
}

// acting is an act that is being done.
type acting struct {
	*desk
	file  *actFile
	at    string    // the step that is under way
	began time.Time // of this run, wall time: what spans a restart is not measured
}

// key names one call of the act, so that a call that is repeated after a restart takes effect once.
func (r *acting) key(name string) string { return string(r.file.ID) + "-" + name }

func (r *acting) save(ctx context.Context) error {
	r.file.Rev++
	return r.DB.Update(ctx, func(tx *store.Tx) error { return saveAct(tx, r.file) })
}

// step does one step of an act and keeps what it brings; where it was done before, it gives that again. do may
// be repeated after a crash: its calls carry keys of the act's own, or look first at what is there.
func step[T any](ctx context.Context, r *acting, name string, do func(context.Context) (T, error)) (T, error) {
	var out T
	if raw, ok := r.file.Kept[name]; ok {
		return out, json.Unmarshal(raw, &out)
	}
	r.at = name
	start := time.Now()
	out, err := do(ctx)
	if err != nil {
		return out, err
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return out, fmt.Errorf("keep the step %s: %w", name, err)
	}
	kept := maps.Clone(r.file.Kept)
	if kept == nil {
		kept = map[string]json.RawMessage{}
	}
	kept[name] = raw
	r.file.Kept, r.file.Steps = kept, append(r.file.Steps, actStep{name, time.Since(start).Round(time.Millisecond)})
	return out, r.save(ctx)
}

// keptOf reads what a step has brought; ok is false where it was not done.
func keptOf[T any](a *actFile, name string) (out T, ok bool) {
	raw, ok := a.Kept[name]
	return out, ok && json.Unmarshal(raw, &out) == nil
}

// await gives an act as soon as it has come further than rev, at the latest after wait.
func (s *actors) await(ctx context.Context, id jitsuin.ID, rev int64, wait time.Duration) (*actFile, error) {
	signals, stop := s.desk.DB.Watch(actSignal)
	defer stop()
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		a, err := s.desk.act(ctx, id)
		if err != nil || a.Rev > rev || !a.Running() {
			return a, err
		}
		select {
		case <-signals:
		case <-over.C:
			return a, nil
		case <-actor.Stopping(ctx):
			return a, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
