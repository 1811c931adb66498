package platform

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

const (
	// refusalsEvery is for how long refusals are counted before they are written: whoever knocks a thousand times
	// a second makes no thousand lines.
	refusalsEvery = time.Minute
	// maxRefusals is how many kinds of refusals are told apart meanwhile.
	maxRefusals = 20
)

// refusals counts who was refused until it is written into the operation log. What a crash loses is at most a
// minute of them.
type refusals struct {
	first chan struct{} // told when something is there to write

	mu    sync.Mutex
	since time.Time // wall time of the first; zero for none
	count map[httpapi.Refused]int
}

// others stands for refusals beyond maxRefusals kinds.
var others = httpapi.Refused{Code: "others"}

func newRefusals() *refusals {
	return &refusals{first: make(chan struct{}, 1), count: map[httpapi.Refused]int{}}
}

func (r *refusals) note(f httpapi.Refused) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.count[f]; !known && len(r.count) >= maxRefusals {
		f = others
	}
	r.count[f]++
	if r.since.IsZero() {
		r.since = time.Now()
		select {
		case r.first <- struct{}{}:
		default:
		}
	}
}

// wait tells how long until something is to be written; 0 where nothing is.
func (r *refusals) wait() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since.IsZero() {
		return 0
	}
	return max(time.Millisecond, time.Until(r.since.Add(refusalsEvery)))
}

// take gives what was counted and begins anew; nothing where it is not due.
func (r *refusals) take(now bool) (count map[httpapi.Refused]int, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since.IsZero() || !now && time.Since(r.since) < refusalsEvery {
		return nil, time.Time{}
	}
	count, since = r.count, r.since
	r.count, r.since = map[httpapi.Refused]int{}, time.Time{}
	return count, since
}

// putBack adds what could not be written.
func (r *refusals) putBack(count map[httpapi.Refused]int, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for f, n := range count {
		r.count[f] += n
	}
	r.since = since
}

// writeRefusals writes a line of each kind of refusal since the last time, once a minute is over or now.
func (p *Platform) writeRefusals(ctx context.Context, now bool) error {
	count, since := p.refusals.take(now)
	if len(count) == 0 {
		return nil
	}
	kinds := slices.SortedFunc(maps.Keys(count), func(a, b httpapi.Refused) int {
		return cmp.Or(cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Terminal, b.Terminal), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Code, b.Code))
	})
	at := p.Clock.Now()
	err := p.DB.Update(ctx, func(tx *store.Tx) error {
		for _, f := range kinds {
			l := audit.Line{Who: cmp.Or(f.Caller, "unknown"), Terminal: f.Terminal, Act: "access-refused", Subject: cmp.Or(f.Route, "others"),
				Detail: map[string]string{"code": f.Code, "count": strconv.Itoa(count[f]), "seconds": strconv.Itoa(int(time.Since(since).Seconds()))}}
			if err := audit.Record(ctx, tx, at, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.refusals.putBack(count, since)
	}
	return err
}
