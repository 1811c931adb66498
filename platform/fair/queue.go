// Package fair shares a bounded number of places among tenants, so that one who asks for much waits for
// itself and not the others for it. Places go round: whoever waits gets the next free place before any other
// tenant gets a second one, and no tenant holds more than its part at a time.
//
// It owns no clock and no work, and it knows nothing of requests. It shares one process; where several serve
// one database, each has places of its own.
package fair

import (
	"context"
	"slices"
	"sync"

	"github.com/jitsuin/jitsuin"
)

// Limits bound a Queue; each is at least 1.
type Limits struct {
	Places  int // held at a time by all tenants together
	Each    int // held at a time by one tenant
	Waiting int // of one tenant that may wait; more are refused
}

// Queue is safe for concurrent use.
type Queue struct {
	limits Limits

	mu      sync.Mutex
	running int
	lines   map[string]*line // of tenants that hold a place or wait
	ring    []*line          // that have somebody waiting, the next turn first
}

// line is one tenant.
type line struct {
	tenant  string
	running int
	waiting []*ticket // the first first
}

// ticket is one that waits, or holds a place once ready is closed.
type ticket struct {
	line  *line
	ready chan struct{}
}

// New makes a queue.
func New(l Limits) *Queue {
	return &Queue{limits: Limits{max(l.Places, 1), max(l.Each, 1), max(l.Waiting, 1)}, lines: map[string]*line{}}
}

// Enter waits for a place. leave gives it back and must be called, once. It fails with kind Limited where too
// many of the tenant wait, and with the error of ctx where that ends first.
func (q *Queue) Enter(ctx context.Context, tenant string) (leave func(), err error) {
	t := q.ask(tenant)
	if t == nil {
		return nil, jitsuin.Errorf(jitsuin.Limited, "checks-waiting", "%d checks of yours wait already", q.limits.Waiting).
			WithHint("send fewer at a time; none of those that wait is lost")
	}
	select {
	case <-t.ready:
	case <-ctx.Done():
		q.giveUp(t)
		return nil, ctx.Err()
	}
	return func() { q.leave(t) }, nil
}

// Load tells how many hold a place, and how many wait.
func (q *Queue) Load() (running, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.ring {
		waiting += len(l.waiting)
	}
	return q.running, waiting
}

// ask puts a tenant's next at the end of its line; nil where the line is full.
func (q *Queue) ask(tenant string) *ticket {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[tenant]
	if l == nil {
		l = &line{tenant: tenant}
		q.lines[tenant] = l
	}
	if len(l.waiting) >= q.limits.Waiting {
		return nil
	}
	t := &ticket{l, make(chan struct{})}
	if l.waiting = append(l.waiting, t); len(l.waiting) == 1 {
		q.ring = append(q.ring, l)
	}
	q.grant()
	return t
}

// grant gives free places to those whose turn it is. A tenant that holds its part already keeps its turn.
func (q *Queue) grant() {
	for q.running < q.limits.Places {
		i := slices.IndexFunc(q.ring, func(l *line) bool { return l.running < q.limits.Each })
		if i < 0 {
			return
		}
		l := q.ring[i]
		q.ring = slices.Delete(q.ring, i, i+1)
		t := l.waiting[0]
		if l.waiting = slices.Delete(l.waiting, 0, 1); len(l.waiting) > 0 {
			q.ring = append(q.ring, l)
		}
		l.running++
		q.running++
		close(t.ready)
	}
}

// leave takes a place back.
func (q *Queue) leave(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t.line.running--
	q.running--
	q.forget(t.line)
	q.grant()
}

// giveUp takes out one whose context has ended, also where it got its place at the same time.
func (q *Queue) giveUp(t *ticket) {
	q.mu.Lock()
	i := slices.Index(t.line.waiting, t)
	if i < 0 {
		q.mu.Unlock()
		q.leave(t)
		return
	}
	defer q.mu.Unlock()
	if t.line.waiting = slices.Delete(t.line.waiting, i, i+1); len(t.line.waiting) == 0 {
		at := slices.Index(q.ring, t.line)
		q.ring = slices.Delete(q.ring, at, at+1)
	}
	q.forget(t.line)
}

// forget drops a tenant that neither holds a place nor waits.
func (q *Queue) forget(l *line) {
	if l.running == 0 && len(l.waiting) == 0 {
		delete(q.lines, l.tenant)
	}
}
