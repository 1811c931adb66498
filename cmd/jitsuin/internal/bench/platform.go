package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// PlatformOptions of Platform.
type PlatformOptions struct {
	Tenants int           // how many there are, the noisy one among them; two at least
	Size    int           // of the documents, in bytes, about
	Span    time.Duration // how long to measure, in all
	Load    float64       // share of what the platform can do that the tenants send together, but for the noisy one
	Say     func(string)  // is told what is done now
}

// Phase is what one part of a run measured.
type Phase struct {
	Name    string
	Offered float64 // requests a second of the tenants, but for the noisy one
	Quiet   Result  // theirs
	Noisy   Result  // the noisy one's; nothing where it is quiet too
	Sent    float64 // requests a second of the noisy one
}

// Result is what came of requests.
type Result struct {
	Done, Limited, Failed, Unsent int // verified; refused with 429; anything else; not sent, because too many were under way
	PerSecond                     float64
	P50, P99                      time.Duration // of those done, since the instant at which they were due
}

// Figures are those of a whole run.
type Figures struct {
	Throughput Phase // as much as the platform takes
	Quota      int   // requests a second of each tenant in the phases that follow
	Alone      Phase
	Noisy      Phase // with one tenant at a hundred times its quota
	Unbounded  Phase // the same with its quota lifted: only turns protect the others
}

// times is how much more than its quota the noisy tenant sends.
const times = 100

// Platform measures a platform for about the given time. Requests are sent when they are due, whatever became of
// those before, so that waiting is not left out (coordinated omission).
func Platform(ctx context.Context, o PlatformOptions) (f Figures, err error) {
	o.Say("making a country, its tenants and signed documents")
	g, err := newGround(ctx, o.Tenants, o.Size)
	if err != nil {
		return f, err
	}
	defer func() {
		if ended := g.stop(); err == nil {
			err = ended
		}
	}()
	each := o.Span / 4
	o.Say("as much as it takes")
	f.Throughput = Phase{Name: "as much as it takes", Quiet: g.flood(ctx, each)}
	if f.Throughput.Quiet.Done == 0 {
		return f, jitsuin.Errorf(jitsuin.Internal, "bench-nothing", "nothing was verified: %+v", f.Throughput.Quiet)
	}
	rate := o.Load * f.Throughput.Quiet.PerSecond / float64(o.Tenants-1)
	f.Quota = max(1, int(2*rate+0.5)) // twice what each sends, so that chance alone refuses nobody
	all := make([]int, o.Tenants)
	for i := range all {
		all[i] = i
	}
	if err := g.quota(ctx, f.Quota, all...); err != nil {
		return f, err
	}
	f.Alone, f.Noisy = g.turns(ctx, rate, times*float64(f.Quota), 2*each, o.Say)
	const lifted = "the same with its quota lifted"
	o.Say(lifted)
	if err := g.quota(ctx, unlimited, 0); err != nil {
		return f, err
	}
	var quiet, noisy tally
	g.phase(ctx, rate, times*float64(f.Quota), each, &quiet, &noisy)
	f.Unbounded = Phase{Name: lifted, Offered: f.Alone.Offered, Sent: f.Noisy.Sent, Quiet: quiet.result(each), Noisy: noisy.result(each)}
	return f, ctx.Err()
}

// turns has the others send alone and beside the noisy one by turns, so that a machine that grows slower does so for both.
func (g *ground) turns(ctx context.Context, rate, sent float64, span time.Duration, say func(string)) (alone, noisy Phase) {
	const slices = 6 // of each
	var quiet, beside, loud tally
	one := span / (2 * slices)
	for i := range slices {
		say(fmt.Sprintf("the others alone and beside one at %d times its quota, %d of %d", times, i+1, slices))
		g.phase(ctx, rate, 0, one, &quiet, nil)
		g.phase(ctx, rate, sent, one, &beside, &loud)
	}
	offered := rate * float64(len(g.tenants)-1)
	return Phase{Name: "the others alone", Offered: offered, Quiet: quiet.result(span / 2)},
		Phase{Name: fmt.Sprintf("beside one at %d times its quota", times), Offered: offered, Sent: sent, Quiet: beside.result(span / 2), Noisy: loud.result(span / 2)}
}

// flooders is how many requests are under way at a time where as much is sent as is taken.
const flooders = 16

// flood sends one request after the other, the tenants in turn.
func (g *ground) flood(ctx context.Context, span time.Duration) Result {
	var t tally
	var next atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(span)
	for range flooders {
		all.Go(func() {
			for ctx.Err() == nil && time.Now().Before(end) {
				n := int(next.Add(1))
				t.add(g.send(ctx, n%len(g.tenants), n, time.Now()))
			}
		})
	}
	all.Wait()
	return t.result(span)
}

// underWay is how many requests of one tenant are under way at most; what is due beyond is not sent.
const underWay = 256

// phase has each tenant but the first send at a rate, and the first at sent, for a span; it ends once all are answered.
func (g *ground) phase(ctx context.Context, rate, sent float64, span time.Duration, quiet, noisy *tally) {
	var all sync.WaitGroup
	for i := range g.tenants {
		at, into := rate, quiet
		if i == 0 {
			at, into = sent, noisy
		}
		if at > 0 {
			all.Go(func() { g.due(ctx, i, at, span, into) })
		}
	}
	all.Wait()
}

// due sends one tenant's requests when they are due: at random, so many a second on average.
func (g *ground) due(ctx context.Context, tenant int, rate float64, span time.Duration, t *tally) {
	var sending sync.WaitGroup
	defer sending.Wait()
	slots := make(chan struct{}, underWay)
	begin := time.Now()
	for at, n := begin, 0; ; n++ {
		at = at.Add(time.Duration(rand.ExpFloat64() / rate * float64(time.Second)))
		if at.Sub(begin) > span || ctx.Err() != nil {
			return
		}
		time.Sleep(time.Until(at))
		select {
		case slots <- struct{}{}:
			sending.Go(func() {
				t.add(g.send(ctx, tenant, n, at))
				<-slots
			})
		default:
			t.add(0, unsent)
		}
	}
}

// What came of a request.
const (
	done = iota
	limited
	failed
	unsent
)

// send sends one request, and gives how long after it was due it was answered.
func (g *ground) send(ctx context.Context, tenant, n int, due time.Time) (time.Duration, int) {
	body := g.bodies[n%len(g.bodies)]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://callee/v1/verifications", bytes.NewReader(body))
	if err != nil {
		return 0, failed
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, string(jitsuin.NewID()))
	resp, err := g.tenants[tenant].RoundTrip(req)
	if err != nil {
		return 0, failed
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err == nil && resp.StatusCode == http.StatusTooManyRequests:
		return 0, limited
	case err != nil || resp.StatusCode != http.StatusCreated || !bytes.Contains(answer, []byte("TOTAL-PASSED")):
		return 0, failed
	}
	return time.Since(due), done
}

// tally counts what came of requests. Safe for concurrent use.
type tally struct {
	mu    sync.Mutex
	took  []time.Duration
	count [unsent + 1]int
}

func (t *tally) add(took time.Duration, what int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[what]++
	if what == done {
		t.took = append(t.took, took)
	}
}

func (t *tally) result(span time.Duration) Result {
	slices.Sort(t.took)
	r := Result{Done: t.count[done], Limited: t.count[limited], Failed: t.count[failed], Unsent: t.count[unsent], PerSecond: float64(t.count[done]) / span.Seconds()}
	if n := len(t.took); n > 0 {
		r.P50, r.P99 = t.took[n/2], t.took[min(n-1, n*99/100)]
	}
	return r
}
