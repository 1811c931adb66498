//go:build unix

package country

import (
	"context"
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
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis"
	"github.com/jitsuin/jitsuin/jlis/signer"
	"github.com/jitsuin/jitsuin/jukinet"
	"github.com/jitsuin/jitsuin/municipality"
)

// fuse lets one write fail, either with the write lost or with the write done and only its answer
// lost. A write is named by its site, the function that makes it.
type fuse struct {
	mu      sync.Mutex
	site    string // "": not armed
	left    int    // how often the site is passed before it blows
	outcome store.Fault
	blown   bool
	seen    map[string]int // all sites that were passed
}

// arm has the k-th write of a site from now on fail.
func (f *fuse) arm(site string, k int, outcome store.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.site, f.left, f.outcome, f.blown = site, k, outcome, false
}

// disarm tells whether the write has failed.
func (f *fuse) disarm() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.site = ""
	return f.blown
}

// next is asked once for each write.
func (f *fuse) next() store.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	site := caller()
	f.seen[site]++
	if f.site != site || f.blown {
		return store.NoFault
	}
	if f.left--; f.left > 0 {
		return store.NoFault
	}
	f.blown = true
	return f.outcome
}

// caller names the function that makes the write at hand: the innermost that is no plumbing.
func caller() string {
	pcs := make([]uintptr, 60)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		name := strings.TrimPrefix(frame.Function, "github.com/jitsuin/jitsuin/")
		name, _, _ = strings.Cut(strings.ReplaceAll(name, "[...]", ""), ".func")
		if !plumbing(name) {
			return name
		}
		if !more {
			return "?"
		}
	}
}

func plumbing(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case strings.HasPrefix(name, "internal/store."), strings.HasPrefix(name, "country."), !strings.Contains(name, "."):
		return true
	case strings.HasPrefix(name, "card/production."): // one file after the other
		return last != "Write"
	case strings.HasPrefix(name, "card/reader.(*Application)"): // of any application: who uses them tells more
		return last != "Authenticate"
	case strings.HasPrefix(name, "card/reader."): // the methods of JPKI are what one wants of a card
		return last == "Select" || last == strings.ToLower(last[:1])+last[1:]
	}
	return name == "internal/httpapi.Once" || name == "municipality.(*Town).change"
}

// lab is a country in this process whose writes can be made to fail.
type lab struct {
	t      *testing.T
	folder Folder
	facts  Facts
	fuses  map[string]*fuse // by role, and "cards", "signer", "counter"
	stop   func()

	mu   sync.Mutex
	pool []people.Resident // who has not been in a story yet
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, fuses: map[string]*fuse{}}
	for _, name := range []string{"municipality", "jukinet", "jlis", "cards", "signer", "counter"} {
		l.fuses[name] = &fuse{seen: map[string]int{}}
	}
	var err error
	l.folder, l.facts, err = Open(Options{Data: filepath.Join(t.TempDir(), "data"), Listen: freeListen(t), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	l.run()
	for _, m := range l.facts.Sample().Municipalities {
		if _, err := l.folder.Terminal(t.Context(), m.Code, sampleClerk); err != nil {
			t.Fatal(err)
		}
	}
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
		return load(path, func(c municipality.Config) (runner, error) {
			cards, err := l.folder.CardHost()
			if err != nil {
				return nil, err
			}
			c.Cards, c.Store, c.Log = fusedCards{cards, l.fuses["cards"]}, writes(), log
			return municipality.New(ctx, c)
		})
	case "jukinet":
		return load(path, func(c jukinet.Config) (runner, error) { c.Store, c.Log = writes(), log; return jukinet.New(ctx, c) })
	case "jlis":
		return load(path, func(c jlis.Config) (runner, error) {
			c.Store, c.Log = writes(), log
			return l.openAgency(ctx, c)
		})
	}
	return openActor(ctx, id, path, log, nil)
}

func (l *lab) openAgency(ctx context.Context, c jlis.Config) (runner, error) {
	key, err := os.ReadFile(c.CardHostKeyFile)
	if err != nil {
		return nil, err
	}
	_, directory, err := c.Identify()
	if err != nil {
		return nil, err
	}
	there, err := directory.Lookup(c.CardHost)
	if err != nil {
		return nil, err
	}
	cards, err := host.Client(there.Origin, host.ClientOptions{CreateKey: strings.TrimSpace(string(key))})
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
	return jlis.New(ctx, c)
}

// resident gives somebody who has not been in a story yet.
func (l *lab) resident() (p people.Resident, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pool) == 0 {
		return p, false
	}
	p = l.pool[0]
	l.pool = l.pool[1:]
	return p, true
}

// soak tells whether the long form of a test is asked for.
func soak() bool { return os.Getenv("JITSUIN_SOAK") != "" }

// writesOf lists the writes of a resident's whole story by who makes them, and how many of each site
// are made to fail. A site that is missing here, or is not passed any more, fails the test: so the
// matrix never shrinks unseen.
var writesOf = map[string]map[string]int{
	"municipality": {
		"municipality.(*Town).apply":         2, // ① a form becomes a case
		"municipality.(*Town).check":         2, // ②
		"municipality.(*Town).notifyAgency":  2, // ③
		"municipality.(*Town).fetchChip":     1, // ⑤
		"municipality.(*Town).complete":      2, // ⑥
		"municipality.(*Town).passOn":        1,
		"municipality.(*Town).recordChange":  1,
		"municipality.(*Town).submitKeys":    1,
		"internal/feed.(*Follower).transact": 3, // delivered, revoked, delivered
		"internal/feed.(*Sequencer).Step":    3,
	},
	"jukinet": {"internal/feed.(*Follower).transact": 2, "internal/feed.(*Sequencer).Step": 2, "jukinet.(*Network).offerCardNumbers": 2},
	"jlis": {
		"jlis.(*Agency).orderCard":           2, // the order, and the handle
		"jlis.(*Agency).checkAndIntend":      2,
		"jlis.(*Agency).signAndStore":        2,
		"jlis.(*Agency).writeChip":           1,
		"jlis.faceSigner.Sign":               3, // the intent and the note of a signature, and the next
		"jlis.(*Agency).noteCardText":        1,
		"jlis.(*Agency).receive":             1,
		"internal/feed.(*Follower).transact": 3, // application, change and high water, application
		"internal/feed.(*Sequencer).Step":    3,
	},
	"signer": {"jlis.(*Agency).sign": 3}, // its journal
	"cards": { // the host's custody, and the chip in production
		"jlis.(*Agency).orderCard": 1, "jlis.(*Agency).receive": 1,
		"municipality.(*Town).fetchChip": 1, "municipality.(*Town).passOn": 1,
		"card/reader.(*JPKI).GenerateKey": 2, "card/reader.(*JPKI).WriteCertificate": 2, "card/reader.(*JPKI).WriteCACertificate": 1,
		"card/production.Write": 4,
	},
	"counter": { // the chip at the counter
		"card/reader.(*JPKI).ResetPIN": 2, "card/reader.(*JPKI).GenerateKey": 1, "card/reader.(*JPKI).WriteCertificate": 2, "card/reader.SetHolderPINs": 1,
		"municipality/terminal.(*Terminal).UpdateText": 2,
	},
}

// reads are sites that write nothing: selecting, authenticating, looking.
var reads = []string{"card/reader.SelectJPKI", "card/reader.(*Application).Authenticate", "card/reader.(*JPKI).PendingKey", "card/reader.(*JPKI).Present",
	"card/reader.(*JPKI).Certificate", "card/reader.(*JPKI).Verify", "municipality/terminal.cardNumber"}

// atStart are writes of a start, at whose moments TestKill ends the program.
var atStart = []string{"jlis.(*Agency).certifyTerminal", "jukinet.(*Network).refill", "municipality.(*Town).importLines", "municipality.(*Town).enterOrdinance", "jlis.(*Agency).notify",
	"jlis.(*Agency).account", "jlis.(*Agency).openFace", "jlis.(*Agency).ownCertificate", "jlis.(*Agency).finishOwn", "jlis.(*Agency).forgetReports", "internal/httpapi.ForgetRequests"}

// TestFaultMatrix lets every write fail that a resident's whole story makes (a card from the form to
// the hand-over, a move, the revocation that follows, a new certificate), once lost and once done
// without an answer. Several stories go on at a time, and each has one write fail. The clients
// repeat what they did, as a terminal does, and every story must end well; at the end the books of
// all actors must agree.
func TestFaultMatrix(t *testing.T) {
	l := newLab(t)
	var all sync.WaitGroup
	for name, sites := range writesOf {
		all.Go(func() {
			for site, times := range sites {
				if soak() {
					times *= 2 // as many as there are residents for
				}
				for k := 1; k <= times; k++ {
					l.failAt(name, site, k, "lost", store.CommitLost)
					l.failAt(name, site, k, "persisted", store.CommitPersisted)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d residents were left", len(l.pool))
	for name, f := range l.fuses {
		for site, n := range f.seen {
			if _, known := writesOf[name][site]; !known && !slices.Contains(reads, site) && !slices.Contains(atStart, site) {
				t.Errorf("%s has %d writes in %s, which the matrix does not know", name, n, site)
			}
		}
	}
	l.audit()
}

// failAt plays a story in which a write fails.
func (l *lab) failAt(name, site string, k int, what string, outcome store.Fault) {
	p, ok := l.resident()
	if !ok {
		l.t.Error("all residents have been in a story")
		return
	}
	f := l.fuses[name]
	f.arm(site, k, outcome)
	began := time.Now()
	err := l.story(p)
	blown := f.disarm()
	if err != nil {
		l.t.Errorf("%s: write %d in %s %s: %v", name, k, site, what, err)
	}
	if !blown && k == 1 { // later ones may be done together with the first
		l.t.Errorf("%s: a whole story made no write in %s", name, site)
	}
	if os.Getenv("JITSUIN_TEST_LOG") != "" {
		l.t.Logf("%s: write %d in %s %s: %v (%v), %v", name, k, site, what, blown, time.Since(began).Round(time.Millisecond), err)
	}
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
