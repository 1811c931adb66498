package trace

import (
	"slices"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Bounds of what one actor remembers.
const (
	maxEntries = 2000
	maxBytes   = 4 << 20
	maxQuiet   = 100 // of housekeeping, without bodies
)

// Recorder remembers the latest exchanges of one actor. It is safe for concurrent use; a nil Recorder
// records nothing.
type Recorder struct {
	actor string
	civil func() time.Time
	boot  string

	mu      sync.Mutex
	last    uint64
	entries []Entry // messages, oldest first
	bytes   int
	quiet   []Entry // housekeeping
	counts  map[string]uint64
	dropped uint64 // messages that were forgotten again
	changed chan struct{}
}

// New makes the memory of an actor; civil gives civil time.
func New(actor string, civil func() time.Time) *Recorder {
	return &Recorder{actor: actor, civil: civil, boot: string(jitsuin.NewID()), counts: map[string]uint64{}, changed: make(chan struct{})}
}

// add numbers an exchange and remembers it.
func (r *Recorder) add(e Entry) uint64 {
	kind := Housekeeping(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	e.Seq = r.last
	r.counts[kind]++
	if kind != "" {
		e.Headers, e.Request, e.Answer = nil, nil, nil
		if r.quiet = append(r.quiet, e); len(r.quiet) > maxQuiet {
			r.quiet = slices.Delete(r.quiet, 0, len(r.quiet)-maxQuiet)
		}
		return e.Seq
	}
	r.entries, r.bytes = append(r.entries, e), r.bytes+e.size()
	gone := 0
	for len(r.entries)-gone > maxEntries || r.bytes > maxBytes && len(r.entries)-gone > 1 {
		r.bytes -= r.entries[gone].size()
		gone++
	}
	r.entries, r.dropped = slices.Delete(r.entries, 0, gone), r.dropped+uint64(gone)
	close(r.changed)
	r.changed = make(chan struct{})
	return e.Seq
}

// List is what an actor remembers.
type List struct {
	Actor string `json:"actor"`
	// Boot is another word after each start of the actor, when numbers begin anew.
	Boot string `json:"boot"`
	// Last is the number of the latest exchange, housekeeping included.
	Last uint64 `json:"last"`
	// Counts tells how many exchanges there were by kind of housekeeping; "" are messages.
	Counts  map[string]uint64 `json:"counts"`
	Dropped uint64            `json:"dropped"` // messages that are no longer remembered
	Entries []Entry           `json:"entries"` // without bodies
}

// Query says what of the memory is asked for.
type Query struct {
	After     uint64 // messages with higher numbers
	RequestID string // only those of this act
	Quiet     bool   // housekeeping too
	Limit     int    // the latest; 0 is 500
}

// List gives what is remembered, oldest first, and a channel that is closed when there is another message.
func (r *Recorder) List(q Query) (List, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := List{Actor: r.actor, Boot: r.boot, Last: r.last, Dropped: r.dropped, Counts: map[string]uint64{}, Entries: []Entry{}}
	for k, n := range r.counts {
		l.Counts[k] = n
	}
	from := r.entries
	if q.Quiet {
		from = slices.Concat(r.entries, r.quiet)
		slices.SortFunc(from, func(a, b Entry) int { return int(int64(a.Seq) - int64(b.Seq)) })
	}
	if q.Limit == 0 {
		q.Limit = 500
	}
	for i := len(from) - 1; i >= 0 && from[i].Seq > q.After && len(l.Entries) < q.Limit; i-- {
		if q.RequestID == "" || from[i].RequestID == q.RequestID {
			l.Entries = append(l.Entries, from[i].brief())
		}
	}
	slices.Reverse(l.Entries)
	return l, r.changed
}

// Get gives one exchange whole; NotFound "trace-forgotten" where it is not remembered.
func (r *Recorder) Get(seq uint64) (Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, from := range [][]Entry{r.entries, r.quiet} {
		i, found := slices.BinarySearchFunc(from, seq, func(e Entry, n uint64) int { return int(int64(e.Seq) - int64(n)) })
		if found {
			return from[i], nil
		}
	}
	return Entry{}, jitsuin.Errorf(jitsuin.NotFound, "trace-forgotten", "%s does not remember an exchange %d", r.actor, seq).
		WithHint("the latest exchanges are remembered, and none from before a start")
}
