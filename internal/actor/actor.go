// Package actor is what every actor is made of: a configuration, one database of its own, an HTTP
// face, change feeds that it sends and follows, a civil clock with things that fall due, and one
// loop that runs it all and ends cleanly. It never knows what the actor is for.
package actor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Actor is one running actor. Its parts are made by New; routes, topics, followers and jobs are
// added before Run.
type Actor struct {
	Config    Config
	Self      httpapi.Identity
	Directory *httpapi.Directory
	DB        *store.DB
	API       *httpapi.API
	Issuer    *httpapi.Issuer
	Clock     *clock.Civil
	Log       *slog.Logger
	// Metrics are the actor's figures; its package adds its own to them.
	Metrics *metrics.Set
	// Requests counts the requests of the actor's faces; one that a package adds is observed by it too.
	Requests *metrics.Requests

	count    counters
	sender   *sender
	followed []*Followed
	jobs     []clock.Job
	schedule *clock.Schedule
	upcoming []upcoming
	tasks    []task
	faces    []face
	started  chan struct{}
	stop     context.Context // ends when the actor is about to end; long polls watch it
	ending   context.CancelFunc
	origins  []*origin
	failed   chan error // of an origin

	restored *Restored // nil where it never was
	caughtUp atomic.Bool
	catching atomic.Int32 // what else has to catch up

	mu      sync.Mutex
	remotes map[string]*httpapi.Remote
}

type task struct {
	name string
	run  func(ctx context.Context) error
}

type face struct {
	listen  string
	handler http.Handler
	secret  *tls.Config   // nil for plain HTTP
	patient time.Duration // how long a handshake may take; 0 is headerTime
}

// Spec is what an actor's package says of itself.
type Spec struct {
	Title      string // of its OpenAPI description
	Version    string
	Migrations fs.FS // of its own tables
	// Guard is put around all that is answered at Config.Listen; nil for nothing.
	Guard func(http.Handler) http.Handler
	// Callers are asked, after the directory, who may buy tokens here.
	Callers []httpapi.KeyLookup
	// Log defaults to slog.Default.
	Log *slog.Logger
	// Store are further options of the database, for tests.
	Store []store.Option
}

// New opens everything that the configuration names. Call Close if Run is never called.
func New(ctx context.Context, cfg Config, spec Spec) (*Actor, error) {
	if spec.Log == nil {
		spec.Log = slog.Default()
	}
	self, directory, err := cfg.Identify()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Instance, err)
	}
	if err := os.MkdirAll(cfg.State, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	figures := metrics.New(cfg.Instance, httpapi.RoleOf(cfg.Instance), spec.Log)
	options := append(append(tables(), store.Observe(figures.Transactions())), spec.Store...)
	restored, err := cfg.wasRestored()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg.Database, spec.Migrations, options...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Instance, err)
	}
	a := &Actor{Config: cfg, Self: self, Directory: directory, DB: db, Log: spec.Log.With("actor", cfg.Instance),
		Metrics: figures, Requests: figures.NewRequests(), count: newCounters(figures),
		started: make(chan struct{}), remotes: map[string]*httpapi.Remote{}}
	a.Issuer = httpapi.NewIssuer(self, append([]httpapi.KeyLookup{httpapi.FromDirectory(directory)}, spec.Callers...)...)
	a.API = httpapi.NewAPI(spec.Title, spec.Version, a.Issuer, a.Log)
	a.API.Observe(a.Requests.Face(self.ID))
	handler := a.API.Handler()
	if spec.Guard != nil {
		handler = spec.Guard(handler)
	}
	a.faces = []face{{listen: cfg.Listen, handler: handler}}
	if cfg.Metrics != "" {
		a.AlsoServe(cfg.Metrics, figures.Handler())
	}
	a.initRestored(restored)
	if err := a.initClock(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := a.initSender(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	a.TraceFor(a.Self.ID, a.API)
	a.offerProgress()
	a.offerDue()
	a.readFigures()
	a.Every(time.Hour, "forget requests", func(ctx context.Context) error { return httpapi.ForgetRequests(ctx, a.DB) })
	a.API.Ready("database", func(ctx context.Context) error {
		return a.DB.View(ctx, func(tx *store.Tx) error { var one int; return tx.QueryRow(`SELECT 1`).Scan(&one) })
	})
	return a, nil
}

// Remote gives the way to another instance; the same one each time.
func (a *Actor) Remote(target string) *httpapi.Remote {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.remotes[target] == nil {
		a.remotes[target] = a.RemoteAs(a.Self, target)
	}
	return a.remotes[target]
}

// RemoteAs is the way to another instance for a second face of the actor, which has a name of its own.
func (a *Actor) RemoteAs(self httpapi.Identity, target string) *httpapi.Remote {
	r := httpapi.NewRemote(self, a.Directory, target)
	unreachable := a.count.unreachable.WithLabelValues(target) // 0 from the beginning, so that the first is a rise
	r.OnUnreachable(unreachable.Inc)
	return r
}

// Go adds a task that runs beside the API. A task that fails is started again after a pause; it
// ends when its context does.
func (a *Actor) Go(name string, run func(ctx context.Context) error) {
	a.tasks = append(a.tasks, task{name, run})
}

// Every adds a task that is done at the start and after each pause, by wall time.
func (a *Actor) Every(pause time.Duration, name string, do func(ctx context.Context) error) {
	a.Go(name, func(ctx context.Context) error {
		for {
			if err := do(ctx); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
	})
}

// At adds things that fall due at civil times.
func (a *Actor) At(jobs ...clock.Job) { a.jobs = append(a.jobs, jobs...) }

// PokeJobs has the jobs look again because something new may be due.
func (a *Actor) PokeJobs() {
	if a.schedule != nil {
		a.schedule.Poke()
	}
}

// AlsoServe adds a second origin to the actor, such as J-LIS's status origin.
func (a *Actor) AlsoServe(listen string, h http.Handler) {
	a.faces = append(a.faces, face{listen: listen, handler: h})
}

// AlsoServeTLS is AlsoServe for an HTTPS origin, in HTTP/1.1 and with one request on each connection. A handshake may take as long as
// patience: a person may have to type a PIN in it.
func (a *Actor) AlsoServeTLS(listen string, h http.Handler, c *tls.Config, patience time.Duration) {
	a.faces = append(a.faces, face{listen, h, c, patience})
}

// Started is closed once every origin listens and all tasks run.
func (a *Actor) Started() <-chan struct{} { return a.started }

// Close ends what New and Listen opened, where Run was never called.
func (a *Actor) Close() error {
	if a.ending != nil {
		a.ending()
		for _, o := range a.origins {
			o.server.Close()
		}
	}
	return a.DB.Close()
}

const taskRetry = 500 * time.Millisecond

// Run listens, follows, numbers and fires until ctx ends. Then the tasks end, and requests under way
// are answered, with the sequencer still at work because some of them wait for a number. What tasks wrote last is numbered
// too. In the end the database is closed, and Run returns nil.
func (a *Actor) Run(ctx context.Context) error {
	defer a.DB.Close()
	if err := a.Listen(ctx); err != nil {
		return err
	}
	numbering, numbered := context.WithCancel(context.WithoutCancel(ctx))
	defer numbered()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running, sequencing sync.WaitGroup
	sequencing.Go(func() { a.keep(numbering, task{"sequencer", a.sender.run}) })
	start := func(t task) { running.Go(func() { a.keep(ctx, t) }) }
	for _, f := range a.followed {
		start(task{"follow " + f.name, f.run})
	}
	start(task{"jobs", func(ctx context.Context) error { a.schedule.Run(ctx); return nil }})
	for _, t := range a.tasks {
		start(t)
	}
	close(a.started)
	var err error
	select {
	case <-ctx.Done():
	case err = <-a.failed:
	}
	a.ending() // long polls end; requests under way are answered
	cancel()
	a.shutdown(context.WithoutCancel(ctx))
	running.Wait()
	numbered()
	sequencing.Wait()
	a.sender.finish(context.WithoutCancel(ctx))
	for _, r := range a.remotes {
		r.Close()
	}
	return err
}

// keep runs a task until ctx ends, whatever happens to it.
func (a *Actor) keep(ctx context.Context, t task) {
	a.count.restarts.WithLabelValues(t.name) // 0 from the beginning, so that a first restart is a rise
	a.count.standing.WithLabelValues(t.name)
	for ctx.Err() == nil {
		err := t.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if stopped(err) {
			a.count.standing.WithLabelValues(t.name).Set(1)
			a.Log.ErrorContext(ctx, "a task stands still until a person has looked", "task", t.name, "err", err)
			return
		}
		a.count.restarts.WithLabelValues(t.name).Inc()
		a.Log.ErrorContext(ctx, "a task ended and is started again", "task", t.name, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(taskRetry):
		}
	}
}
