package country

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Options of Up.
type Options struct {
	Data    string    // the data folder
	Listen  string    // HOST:PORT of the console; "" is DefaultListen for a new country, and what it was for an old one
	Reset   bool      // remove what is there first
	Clock   time.Time // civil time to start at (new) or to move forward to; zero leaves it
	Seed    uint64    // of the sample people, for a new country
	Cadence string    // how status is published: immediate or official; "" as for Listen
	Version string
	Out     io.Writer // what a person reads
	Log     *slog.Logger
	// Ready is called when the country is alive, with the folder; nil is fine.
	Ready func(Folder)
	// Quick leaves the first cards out: for tests that make their own.
	Quick bool
	// Pages are those of the console: console.Pages, or nil for none.
	Pages Pages
}

// runner is what all actors are to their country.
type runner interface {
	Listen(ctx context.Context) error
	Run(ctx context.Context) error
	Started() <-chan struct{}
	Close() error
}

// Open makes the country in o.Data, or finds the one that is there.
func Open(o Options) (Folder, Facts, error) {
	f := Folder(o.Data)
	if o.Reset {
		if err := f.Reset(); err != nil {
			return f, Facts{}, err
		}
	}
	facts, err := f.Facts()
	if err == nil {
		err = f.update(&facts, o)
		return f, facts, err
	}
	if jitsuin.KindOf(err) != jitsuin.NotFound {
		return f, facts, err
	}
	if facts, err = newFacts(o); err != nil {
		return f, facts, err
	}
	if o.Out != nil {
		fmt.Fprintf(o.Out, "Making a new country in %s: keys, residents, the first %d cards …\n", o.Data, FirstCards)
	}
	return f, facts, f.create(facts)
}

// Up runs the whole country in this process until ctx ends. A country that is there goes on as it
// was left.
func Up(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	start := time.Now()
	if o.Reset {
		if err := Folder(o.Data).Reset(); err != nil {
			return err
		}
		o.Reset = false
	}
	unlock, err := Folder(o.Data).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	f, facts, err := Open(o)
	if err != nil {
		return err
	}
	actors, err := compose(ctx, f, facts, o.Log, o.Pages)
	if err != nil {
		return err
	}
	return runAll(ctx, actors, func(ctx context.Context) error {
		if err := FirstActs(ctx, f, facts, o); err != nil {
			return fmt.Errorf("bring the country to life: %w", err)
		}
		welcome(o.Out, f, facts, time.Since(start))
		if o.Ready != nil {
			o.Ready(f)
		}
		return nil
	})
}

// compose opens every actor of the country from its configuration file and has all of them listen
// before any begins to work, so that each finds the others.
func compose(ctx context.Context, f Folder, facts Facts, log *slog.Logger, pages Pages) ([]runner, error) {
	var (
		mu      sync.Mutex
		all     []runner
		errs    []error
		opening sync.WaitGroup
	)
	for id, n := range instances(facts.Sample()) {
		if n == 0 || id == Status { // J-LIS serves its status origin itself
			continue
		}
		opening.Go(func() {
			a, err := openActor(ctx, id, f.ConfigPath(id), log, pages)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				all = append(all, a)
				err = a.Listen(ctx)
			}
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	opening.Wait()
	if len(errs) == 0 {
		return all, nil
	}
	for _, a := range all {
		a.Close()
	}
	return nil, errors.Join(errs...)
}

// runAll runs the actors, then alive, until ctx ends. The first that fails ends them all.
func runAll(ctx context.Context, actors []runner, alive func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	for _, a := range actors {
		running.Go(func() {
			if err := a.Run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	running.Go(func() {
		for _, a := range actors {
			select {
			case <-a.Started():
			case <-ctx.Done():
				return
			}
		}
		if err := alive(ctx); err != nil && ctx.Err() == nil {
			cancel(err)
		}
	})
	<-ctx.Done()
	running.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
