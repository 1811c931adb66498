package fair

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/jitsuin/jitsuin"
)

func (t *ticket) in() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// A has a hundred checks waiting when B brings one: B waits for one place to come free, not for A.
func TestWhoAsksForMuchWaitsForItself(t *testing.T) {
	q := New(Limits{Places: 2, Each: 2, Waiting: 1000})
	var a []*ticket
	for range 100 {
		a = append(a, q.ask("tenant:a"))
	}
	b := q.ask("tenant:b")
	if b.in() || !a[0].in() || !a[1].in() || a[2].in() {
		t.Fatal("two places were not given to the first two")
	}
	q.leave(a[0]) // A's turn came before B asked
	q.leave(a[1])
	if !b.in() || a[3].in() {
		t.Error("A got a second turn while B waited for its first")
	}
	q.leave(b)
	if !a[3].in() {
		t.Error("B's place stays empty while A waits")
	}
}

// A part for each keeps a place for whoever comes while one tenant alone is busy.
func TestNoTenantHoldsAllPlaces(t *testing.T) {
	q := New(Limits{Places: 4, Each: 3, Waiting: 10})
	for range 5 {
		q.ask("tenant:a")
	}
	if running, waiting := q.Load(); running != 3 || waiting != 2 {
		t.Errorf("%d run and %d wait, want 3 and 2", running, waiting)
	}
	if !q.ask("tenant:b").in() {
		t.Error("B waits although a place is free that A may not have")
	}
}

func TestALineThatIsFullRefuses(t *testing.T) {
	q := New(Limits{Places: 1, Each: 1, Waiting: 2})
	leave, err := q.Enter(t.Context(), "tenant:a")
	if err != nil {
		t.Fatal(err)
	}
	first, second := q.ask("tenant:a"), q.ask("tenant:a")
	if _, err := q.Enter(t.Context(), "tenant:a"); jitsuin.KindOf(err) != jitsuin.Limited || jitsuin.CodeOf(err) != "checks-waiting" {
		t.Errorf("got %v", err)
	}
	other := q.ask("tenant:b")
	if other == nil {
		t.Fatal("A's full line refuses B")
	}
	leave()
	if !first.in() || second.in() {
		t.Error("the line does not keep its order")
	}
}

func TestWhoGivesUpIsForgotten(t *testing.T) {
	q := New(Limits{Places: 1, Each: 1, Waiting: 2})
	leave, err := q.Enter(t.Context(), "tenant:a")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Enter(ctx, "tenant:b"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	leave()
	if running, waiting := q.Load(); running != 0 || waiting != 0 || len(q.lines) != 0 || len(q.ring) != 0 {
		t.Errorf("%d run, %d wait, %d lines", running, waiting, len(q.lines))
	}
}

// Whatever comes in whatever order: never too many, nobody waits beside a free place that they may have, and
// between two turns of one tenant every other that waits and may has had one.
func TestTurnsGoRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Places: rapid.IntRange(1, 4).Draw(t, "places"), Each: rapid.IntRange(1, 4).Draw(t, "each"), Waiting: 6}
		w := &watched{t: t, q: New(limits), limits: limits, passed: map[*ticket]map[string]bool{}}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			w.step()
		}
		for len(w.running)+len(w.waiting) > 0 {
			if len(w.running) == 0 {
				t.Fatal("somebody waits and nobody runs")
			}
			w.leave(0)
		}
		if len(w.q.lines) != 0 || len(w.q.ring) != 0 {
			t.Fatal("tenants that are gone are remembered")
		}
	})
}

// watched is a queue with what a fair one may do.
type watched struct {
	t       *rapid.T
	q       *Queue
	limits  Limits
	running []*ticket
	waiting []*ticket
	// passed is, of the first of each line, which other tenants got a turn while it waited and might have run.
	passed map[*ticket]map[string]bool
}

func (w *watched) step() {
	switch what := rapid.IntRange(0, 5).Draw(w.t, "what"); {
	case what <= 2 || len(w.running)+len(w.waiting) == 0:
		tenant := fmt.Sprint(rapid.IntRange(0, 4).Draw(w.t, "tenant"))
		if ticket := w.q.ask(tenant); ticket != nil {
			w.waiting = append(w.waiting, ticket)
		}
		w.look()
	case what == 3 && len(w.waiting) > 0:
		i := rapid.IntRange(0, len(w.waiting)-1).Draw(w.t, "who gives up")
		w.q.giveUp(w.waiting[i])
		w.waiting = append(w.waiting[:i:i], w.waiting[i+1:]...)
		w.look()
	case len(w.running) > 0:
		w.leave(rapid.IntRange(0, len(w.running)-1).Draw(w.t, "who leaves"))
	}
}

func (w *watched) leave(i int) {
	t := w.running[i]
	w.running = append(w.running[:i:i], w.running[i+1:]...)
	w.q.leave(t)
	w.look()
}

// held counts a tenant's places.
func (w *watched) held(tenant string) (n int) {
	for _, t := range w.running {
		if t.line.tenant == tenant {
			n++
		}
	}
	return n
}

// look takes in who was let in, and holds it against the rules.
func (w *watched) look() {
	var still []*ticket
	for _, t := range w.waiting {
		if !t.in() {
			still = append(still, t)
			continue
		}
		w.running = append(w.running, t)
		delete(w.passed, t)
		for _, other := range w.waiting {
			if other.in() || other.line == t.line || w.held(other.line.tenant) >= w.limits.Each || other.line.waiting[0] != other {
				continue
			}
			if w.passed[other] == nil {
				w.passed[other] = map[string]bool{}
			}
			if w.passed[other][t.line.tenant] {
				w.t.Fatalf("%s got two turns while %s waited", t.line.tenant, other.line.tenant)
			}
			w.passed[other][t.line.tenant] = true
		}
	}
	w.waiting = still
	if len(w.running) > w.limits.Places {
		w.t.Fatalf("%d run in %d places", len(w.running), w.limits.Places)
	}
	for _, t := range w.running {
		if n := w.held(t.line.tenant); n > w.limits.Each {
			w.t.Fatalf("%s holds %d", t.line.tenant, n)
		}
	}
	for _, t := range w.waiting {
		if len(w.running) < w.limits.Places && w.held(t.line.tenant) < w.limits.Each {
			w.t.Fatalf("%s waits beside a free place", t.line.tenant)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	q := New(Limits{Places: 3, Each: 2, Waiting: 1000})
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			leave, err := q.Enter(t.Context(), fmt.Sprint(i%5))
			if err != nil {
				t.Error(err)
				return
			}
			leave()
		})
	}
	all.Wait()
	if running, waiting := q.Load(); running != 0 || waiting != 0 {
		t.Errorf("%d run and %d wait after all have left", running, waiting)
	}
}
