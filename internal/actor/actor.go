// Package actor is what every actor is made of: a configuration, one database of its own, an HTTP
// face, change feeds that it sends and follows, a civil clock with things that fall due, and one
// loop that runs it all and ends cleanly. It never knows what the actor is for.
package actor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
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

	sender   *sender
	followed []*Followed
	jobs     []clock.Job
	schedule *clock.Schedule
	tasks    []task
	faces    []face
	started  chan struct{}
	stop     context.Context // ends when the actor is about to end; long polls watch it
	ending   context.CancelFunc
	servers  []*http.Server
	failed   chan error // of a server

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
}

// Spec is what an actor's package says of itself.
type Spec struct {
	Title      string // of its OpenAPI description
	Version    string
	Migrations fs.FS // of its own tables
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
	options := append([]store.Option{feed.Tables(), store.Also("api", httpapi.Migrations()), store.Also("actor", ownMigrations())}, spec.Store...)
	db, err := store.Open(ctx, cfg.Database, spec.Migrations, options...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Instance, err)
	}
	a := &Actor{Config: cfg, Self: self, Directory: directory, DB: db, Log: spec.Log.With("actor", cfg.Instance),
		started: make(chan struct{}), remotes: map[string]*httpapi.Remote{}}
	a.Issuer = httpapi.NewIssuer(self, append([]httpapi.KeyLookup{httpapi.FromDirectory(directory)}, spec.Callers...)...)
	a.API = httpapi.NewAPI(spec.Title, spec.Version, a.Issuer, a.Log)
	a.faces = []face{{cfg.Listen, a.API.Handler()}}
	if err := a.initClock(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := a.initSender(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	a.offerProgress()
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
		a.remotes[target] = httpapi.NewRemote(a.Self, a.Directory, target)
	}
	return a.remotes[target]
}

// Go adds a task that runs beside the API. A task that fails is started again after a pause; it
// ends when its context does.
func (a *Actor) Go(name string, run func(ctx context.Context) error) {
	a.tasks = append(a.tasks, task{name, run})
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
func (a *Actor) AlsoServe(listen string, h http.Handler) { a.faces = append(a.faces, face{listen, h}) }

// Started is closed once every origin listens and all tasks run.
func (a *Actor) Started() <-chan struct{} { return a.started }

// Close ends what New and Listen opened, where Run was never called.
func (a *Actor) Close() error {
	if a.ending != nil {
		a.ending()
		for _, s := range a.servers {
			s.Close()
		}
	}
	return a.DB.Close()
}

const (
	drainTime  = 5 * time.Second
	taskRetry  = 500 * time.Millisecond
	headerTime = 10 * time.Second
)

// Listen takes the actor's addresses and begins to answer. An address that is taken is an error at
// once. Run calls it; a country calls it first for all its actors, so that each finds the others.
func (a *Actor) Listen(ctx context.Context) error {
	if a.stop != nil {
		return nil
	}
	if err := a.startFollowers(); err != nil {
		return err
	}
	a.schedule = clock.NewSchedule(a.Clock, a.Log, a.jobs...)
	var listeners []net.Listener
	for _, f := range a.faces {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
		if err != nil {
			for _, o := range listeners {
				o.Close()
			}
			return jitsuin.Errorf(jitsuin.Unavailable, "listen", "%s cannot listen on %s: %w", a.Config.Instance, f.listen, err).
				WithHint("something else listens there already; stop it, or choose another address")
		}
		listeners = append(listeners, l)
	}
	a.stop, a.ending = context.WithCancel(context.WithoutCancel(ctx))
	a.failed = make(chan error, len(a.faces))
	for i, f := range a.faces {
		s := &http.Server{Handler: withStop(a.stop, f.handler), ReadHeaderTimeout: headerTime, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
			ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug)}
		a.servers = append(a.servers, s)
		go func() {
			if err := s.Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				a.failed <- fmt.Errorf("serve %s: %w", f.listen, err)
			}
		}()
	}
	return nil
}

// Run listens, follows, numbers and fires until ctx ends; then it answers what is under way,
// closes the database and returns nil.
func (a *Actor) Run(ctx context.Context) error {
	defer a.DB.Close()
	if err := a.Listen(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	start := func(t task) { running.Go(func() { a.keep(ctx, t) }) }
	start(task{"sequencer", a.sender.run})
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
	for _, r := range a.remotes {
		r.Close()
	}
	return err
}

func (a *Actor) shutdown(ctx context.Context) {
	drain, stop := context.WithTimeout(ctx, drainTime)
	defer stop()
	for _, s := range a.servers {
		if err := s.Shutdown(drain); err != nil {
			s.Close()
		}
	}
}

type stopKey struct{}

// Stopping gives a channel that is closed when the actor is about to end: handlers that wait
// (long polls) answer then with what they have.
func Stopping(ctx context.Context) <-chan struct{} {
	if stop, ok := ctx.Value(stopKey{}).(context.Context); ok {
		return stop.Done()
	}
	return nil
}

// withStop lets long polls see the end of the actor without cutting other requests short.
func withStop(stop context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), stopKey{}, stop)))
	})
}

// keep runs a task until ctx ends, whatever happens to it.
func (a *Actor) keep(ctx context.Context, t task) {
	for ctx.Err() == nil {
		err := t.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if stopped(err) {
			a.Log.ErrorContext(ctx, "a task stands still until a person has looked", "task", t.name, "err", err)
			return
		}
		a.Log.ErrorContext(ctx, "a task ended and is started again", "task", t.name, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(taskRetry):
		}
	}
}
