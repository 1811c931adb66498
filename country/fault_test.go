//go:build unix

package country

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jlis/signer"
	"github.com/jitsuin/jitsuin/jukinet"
	"github.com/jitsuin/jitsuin/municipality"
)

// fuse lets one write of one actor fail: the k-th after it was armed, either with the write lost or
// with the write done and only its answer lost.
type fuse struct {
	mu      sync.Mutex
	at      int // 0: disarmed
	outcome store.Fault
	seen    int
	site    string // where it blew
}

// arm has the k-th write from now on fail.
func (f *fuse) arm(k int, outcome store.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.outcome, f.seen, f.site = k, outcome, 0, ""
}

// disarm tells where the fuse blew; "" where it did not, because there were fewer writes.
func (f *fuse) disarm() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = 0
	return f.site
}

// next is asked once for each write.
func (f *fuse) next() store.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen++
	if f.at == 0 || f.seen != f.at {
		return store.NoFault
	}
	f.site = caller()
	return f.outcome
}

// caller names the function of an actor that made the write at hand.
func caller() string {
	pcs := make([]uintptr, 40)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		name := strings.TrimPrefix(frame.Function, "github.com/jitsuin/jitsuin/")
		if !strings.HasPrefix(name, "internal/store.") && !strings.HasPrefix(name, "country.") {
			return strings.TrimSuffix(name, "[...]")
		}
		if !more {
			return "?"
		}
	}
}

// lab is a country in this process whose writes can be made to fail.
type lab struct {
	t      *testing.T
	folder Folder
	facts  Facts
	fuses  map[string]*fuse // by role, and "cards", "signer", "counter"
	stop   func()
	pool   []people.Resident // who has not been in a story yet
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, fuses: map[string]*fuse{}}
	for _, name := range []string{"municipality", "jukinet", "jlis", "cards", "signer", "counter"} {
		l.fuses[name] = &fuse{}
	}
	var err error
	l.folder, l.facts, err = Open(Options{Data: filepath.Join(t.TempDir(), "data"), Listen: freeListen(t), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	l.run()
	today := jitsuin.DateOf(l.facts.Civil)
	for _, p := range l.facts.Sample().Residents {
		if !p.Items.BirthDate.After(today.AddDays(-20*366)) && !p.AdultWard && p.Nationality == "JP" {
			l.pool = append(l.pool, p)
		}
	}
	return l
}

// run starts the country, with fuses in it.
func (l *lab) run() {
	l.t.Helper()
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("JITSUIN_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	ctx, cancel := context.WithCancel(context.Background())
	var actors []runner
	for id, n := range instances(l.facts.Sample()) {
		if n == 0 || id == Status {
			continue
		}
		a, err := l.open(ctx, id, log)
		if err == nil {
			err = a.Listen(ctx)
		}
		if err != nil {
			l.t.Fatal(err)
		}
		actors = append(actors, a)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- runAll(ctx, actors, func(ctx context.Context) error {
			defer close(ready)
			return FirstActs(ctx, l.folder, l.facts, Options{Quick: true})
		})
	}()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			l.t.Error(err)
		}
	})
	l.t.Cleanup(l.stop)
	select {
	case <-ready:
	case err := <-ended:
		l.t.Fatalf("the country does not come to life: %v", err)
	}
}

// open is openActor with fuses.
func (l *lab) open(ctx context.Context, id string, log *slog.Logger) (runner, error) {
	path := l.folder.ConfigPath(id)
	writes := func() []store.Option { return []store.Option{store.WithFaults(l.fuses[roleOf(id)].next)} }
	switch roleOf(id) {
	case "municipality":
		return load(path, func(c townConfig) (runner, error) {
			cards, err := cardHost(&c.Config.Config, "")
			c.Cards, c.Store, c.Log = fusedCards{cards, l.fuses["cards"]}, writes(), log
			if err != nil {
				return nil, err
			}
			return municipality.New(ctx, c.Config)
		})
	case "jukinet":
		return load(path, func(c jukinet.Config) (runner, error) { c.Store, c.Log = writes(), log; return jukinet.New(ctx, c) })
	case "jlis":
		return load(path, func(c agencyConfig) (runner, error) {
			c.Store, c.Log = writes(), log
			return l.openAgency(ctx, c)
		})
	}
	return openActor(ctx, id, path, log)
}

func (l *lab) openAgency(ctx context.Context, c agencyConfig) (runner, error) {
	key, err := os.ReadFile(c.CreateKey)
	if err != nil {
		return nil, err
	}
	cards, err := cardHost(&c.Config.Config, strings.TrimSpace(string(key)))
	if err != nil {
		return nil, err
	}
	passphrase, err := os.ReadFile(c.PassphraseFile)
	if err != nil {
		return nil, err
	}
	keys, err := signer.OpenFile(filepath.Join(c.State, "signer"), strings.TrimSpace(string(passphrase)), c.KeyNames())
	if err != nil {
		return nil, err
	}
	l.t.Cleanup(func() { keys.Close() })
	c.Cards, c.Signer = fusedCards{cards, l.fuses["cards"]}, fusedSigner{keys, l.fuses["signer"]}
	return jlis.New(ctx, c.Config)
}

// resident gives somebody who has not been in a story yet.
func (l *lab) resident() people.Resident {
	if len(l.pool) == 0 {
		l.t.Fatal("all residents have been in a story")
	}
	p := l.pool[0]
	l.pool = l.pool[1:]
	return p
}

// soak tells whether the long form of a test is asked for.
func soak() bool { return os.Getenv("JITSUIN_SOAK") != "" }

var outcomes = map[string]store.Fault{"lost": store.CommitLost, "persisted": store.CommitPersisted}

// TestFaultMatrix lets every write fail that a resident's whole story makes (a card from the form to
// the hand-over, a move, the revocation that follows, a new certificate), once lost and once done
// without an answer. The clients repeat what they did, as a terminal does, and it must end well; at
// the end the books of all actors must agree.
func TestFaultMatrix(t *testing.T) {
	for name, sites := range writesOf {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			blown := map[string]int{}
			stories := 0
			for what, outcome := range outcomes {
				for k := 1; ; k++ {
					if name == "cards" && !soak() && k > 6 {
						k += 4 // some of a chip's many commands
					}
					stories++
					site := l.failAt(name, k, what, outcome)
					if site == "" {
						break
					}
					blown[what+" "+site]++
				}
			}
			t.Logf("%d stories, faults at %v", stories, blown)
			for _, site := range sites {
				for what := range outcomes {
					if blown[what+" "+site] == 0 {
						t.Errorf("no fault has hit %s, %s", site, what)
					}
				}
			}
			l.audit()
		})
	}
}

// writesOf lists the writes that the matrix must have hit, by actor, so that it does not shrink
// unseen.
var writesOf = map[string][]string{
	"municipality": {},
	"jukinet":      {},
	"jlis":         {},
	"cards":        {},
	"signer":       {},
	"counter":      {},
}

// failAt plays a story in which the k-th write of an actor fails.
func (l *lab) failAt(name string, k int, what string, outcome store.Fault) string {
	p := l.resident()
	f := l.fuses[name]
	f.arm(k, outcome)
	began := time.Now()
	err := l.story(p)
	site := f.disarm()
	if took := time.Since(began); os.Getenv("JITSUIN_TEST_LOG") != "" {
		fmt.Fprintf(os.Stderr, "%s %d %s at %s: %v, %v\n", name, k, what, site, took.Round(time.Millisecond), err)
	}
	if err != nil {
		l.t.Errorf("%s, write %d %s at %s: %v", name, k, what, site, err)
	}
	return site
}

// audit stops the country and compares the books.
func (l *lab) audit() {
	l.t.Helper()
	for _, f := range l.fuses {
		f.disarm()
	}
	view := Settle(l.t, l.folder)
	l.stop()
	CheckInvariants(l.t, l.folder, view)
}

var _ = slices.Contains[[]int]
