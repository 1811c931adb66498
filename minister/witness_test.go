package minister_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister"
	"github.com/jitsuin/jitsuin/minister/api"
)

// court is an office that witnesses the log of one verifier, which is an actor of the test's own.
type court struct {
	t         *testing.T
	folder    string
	configs   map[string]actor.Config
	keys      map[string]httpapi.Identity
	directory *httpapi.Directory
	office    *minister.Minister
	verifier  *actor.Actor
	stop      map[string]func()
	every     time.Duration // is stated what was read
}

func newCourt(t *testing.T) *court {
	t.Helper()
	c := &court{t: t, folder: t.TempDir(), configs: map[string]actor.Config{}, keys: map[string]httpapi.Identity{}, stop: map[string]func(){}, every: time.Millisecond}
	operator, err := actor.NewKey()
	c.must(err)
	var list []httpapi.Instance
	for _, id := range []string{"minister:1", "official:1", "platform:1"} {
		key, err := actor.NewKey()
		c.must(err)
		address, err := freeport.Address()
		c.must(err)
		c.keys[id] = httpapi.Identity{ID: id, Key: key}
		list = append(list, c.keys[id].Public("http://"+address))
		name := strings.ReplaceAll(id, ":", "-")
		c.must(actor.WriteKey(c.path(name+".pem"), key))
		c.configs[id] = actor.Config{Instance: id, Listen: address, Database: c.path(name + ".sqlite"), State: c.path(name), Key: c.path(name + ".pem"),
			Directory: c.path("directory.jws"), DirectoryKey: c.path("operator.pem")}
	}
	signed, err := httpapi.SignDirectory(operator, list)
	c.must(err)
	c.must(os.WriteFile(c.path("directory.jws"), signed, 0o600))
	c.must(actor.WritePublicKey(c.path("operator.pem"), &operator.PublicKey))
	c.directory, err = httpapi.OpenDirectory(c.path("directory.jws"), &operator.PublicKey)
	c.must(err)
	c.openVerifier()
	c.openOffice()
	return c
}

func (c *court) path(name string) string { return filepath.Join(c.folder, name) }

func (c *court) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *court) openOffice() {
	c.t.Helper()
	var err error
	c.office, err = minister.New(c.t.Context(), minister.Config{Config: c.configs["minister:1"], WitnessEvery: c.every, Log: slog.New(slog.DiscardHandler)})
	c.must(err)
	c.run("minister:1", c.office)
}

func (c *court) openVerifier() {
	c.t.Helper()
	var err error
	c.verifier, err = actor.New(c.t.Context(), c.configs["platform:1"], actor.Spec{Title: "verifier", Version: "1", Log: slog.New(slog.DiscardHandler)})
	c.must(err)
	c.verifier.Offer(audit.Topic, httpapi.Roles("minister"))
	c.run("platform:1", c.verifier)
}

func (c *court) run(id string, a interface {
	Run(context.Context) error
	Started() <-chan struct{}
}) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stopped := false
	c.stop[id] = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			c.t.Error(err)
		}
	}
	c.t.Cleanup(c.stop[id])
	<-a.Started()
}

// acts writes lines into the verifier's log.
func (c *court) acts(n int) {
	c.t.Helper()
	c.must(c.verifier.DB.Update(c.t.Context(), func(tx *store.Tx) error {
		for i := range n {
			if err := audit.Record(c.t.Context(), tx, time.Now(), audit.Line{Who: "tenant:bank", Act: "verify", Subject: fmt.Sprintf("%d-%d", time.Now().UnixNano(), i)}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (c *court) head() feed.Mark {
	c.t.Helper()
	var m feed.Mark
	c.await("the log is numbered", func() bool {
		waiting := 0
		c.must(c.verifier.DB.View(c.t.Context(), func(tx *store.Tx) error {
			h, w, err := feed.LastOf(tx, audit.Topic)
			m, waiting = h.Mark(), w
			return err
		}))
		return waiting == 0
	})
	return m
}

func (c *court) await(what string, ready func() bool) {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ready(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("waited in vain: %s; the office has %+v", what, c.standing())
		}
	}
}

func (c *court) client() api.Client {
	return api.Client{Remote: httpapi.NewRemote(c.keys["official:1"], c.directory, "minister:1")}
}

func (c *court) standing() api.Witnessed {
	c.t.Helper()
	all, err := c.client().Witnessed(c.t.Context())
	c.must(err)
	if len(all) == 0 {
		return api.Witnessed{}
	}
	return all[0]
}

func (c *court) accredit() {
	c.t.Helper()
	_, err := c.client().Decide(c.t.Context(), api.Decision{Verifier: "platform:1", Name: "検証", Ground: "17-1-1", State: api.InForce}, "0123456789abcdef")
	c.must(err)
}

// statements gives all that was stated, checked.
func (c *court) statements() (all []audit.Statement, raw []string) {
	c.t.Helper()
	list, err := httpapi.Do[api.StatementList](c.t.Context(), c.client().Remote, "GET", api.StatementsPath("platform:1", 0), "", nil)
	c.must(err)
	for i, jws := range list.Statements {
		s, err := audit.ReadStatement(jws, audit.DirectoryKeys(c.directory))
		c.must(err)
		if s.Number != uint64(i)+1 || s.Verifier != "platform:1" || s.Witness != "minister:1" {
			c.t.Errorf("statement %d: %+v", i, s)
		}
		all = append(all, s)
	}
	return all, list.Statements
}

// witnessed waits until the office has stated the head.
func (c *court) witnessed() {
	c.t.Helper()
	head := c.head()
	c.await("the head "+head.Position.String()+" is stated", func() bool { return c.standing().Seen == head.Position.String() })
}

func TestTheOfficeWitnessesALogThatGrows(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.acts(3)
	c.accredit()
	c.witnessed()
	c.acts(5)
	c.witnessed()
	c.stop["minister:1"]()
	c.acts(2)
	c.openOffice() // goes on where the last statement left it
	c.witnessed()
	all, raw := c.statements()
	if len(all) < 3 || all[0].Before != nil || all[len(all)-1].Seen.Mark() != c.head() {
		t.Fatalf("%+v", all)
	}
	for i, s := range all[1:] {
		if s.Before == nil || *s.Before != all[i].Seen || s.Finding != "" {
			t.Errorf("statement %d does not continue the one before: %+v", s.Number, s)
		}
	}
	r, err := audit.CheckDatabase(t.Context(), c.verifier.DB, audit.Expect{Verifier: "platform:1", Keys: audit.DirectoryKeys(c.directory), Statements: raw})
	if err != nil || r.Fault != nil || r.Witnessed != c.head().Position {
		t.Errorf("%+v, %v", r, err)
	}
}

// The verifier's database is put back from a copy, by somebody who puts the high-water file back too.
func TestARolledBackLogIsAnAlarmAndANewEpochSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.accredit()
	c.acts(4)
	c.witnessed()
	kept := c.head()
	c.stop["platform:1"]()
	copies := map[string][]byte{}
	for _, f := range []string{"platform-1.sqlite", "platform-1/" + actor.HighWaterFile} {
		content, err := os.ReadFile(c.path(f))
		c.must(err)
		copies[f] = content
	}
	c.openVerifier()
	c.acts(6)
	c.witnessed()
	lost := c.head()

	c.stop["platform:1"]()
	for f, content := range copies {
		c.must(os.WriteFile(c.path(f), content, 0o600))
	}
	for _, f := range []string{"platform-1.sqlite-wal", "platform-1.sqlite-shm"} {
		os.Remove(c.path(f))
	}
	c.openVerifier()
	c.await("the rollback is found", func() bool { return c.standing().Finding == audit.FindingRolledBack })
	if s := c.standing(); s.Seen != lost.Position.String() {
		t.Errorf("what was witnessed is %s, not %s", s.Seen, lost.Position)
	}
	figures := httptest.NewRecorder()
	c.office.Metrics.Handler().ServeHTTP(figures, httptest.NewRequest("GET", "/metrics", nil))
	if said := figures.Body.String(); !strings.Contains(said, `minister_witness_alarm{`) || !strings.Contains(said, `verifier="platform:1"} 1`) {
		t.Errorf("the figures do not tell: %s", said)
	}

	// The operator owns up: a new epoch.
	c.stop["platform:1"]()
	c.openVerifierInNewEpoch()
	c.acts(1)
	c.await("the loss is stated", func() bool {
		all, _ := c.statements()
		return len(all) > 0 && all[len(all)-1].Seen.Epoch > 1 && all[len(all)-1].Seen.N > 0
	})
	c.await("the alarm is over", func() bool { return c.standing().Finding == "" })
	all, raw := c.statements()
	found := map[string]int{}
	for _, s := range all {
		found[s.Finding]++
	}
	if found[audit.FindingRolledBack] != 1 || found[audit.FindingLost] != 1 {
		t.Errorf("%v", found)
	}
	r, err := audit.CheckDatabase(t.Context(), c.verifier.DB, audit.Expect{Verifier: "platform:1", Keys: audit.DirectoryKeys(c.directory), Statements: raw})
	if err != nil || r.Fault != nil || len(r.Epochs) != 1 || r.Epochs[0].After != kept.Position || r.Epochs[0].LostUntil != lost.Position || r.Epochs[0].Lost != lost.N-kept.N {
		t.Errorf("%+v, %v", r, err)
	}
}

// What was read and not stated is stated when the office is stopped, also while it waits because the log cannot be read.
func TestTheOfficeHasALastWord(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string][]string{"alone": {"minister:1"}, "after the verifier": {"platform:1", "minister:1"}} {
		c := newCourt(t)
		c.stop["minister:1"]()
		c.every = time.Hour
		c.openOffice()
		c.accredit()
		c.acts(1)
		c.witnessed() // the first is stated at once
		c.acts(3)
		head := c.head()
		c.await("it is read", func() bool { return c.standing().Read == head.Position.String() })
		for _, id := range stopped {
			if id == "minister:1" && len(stopped) > 1 {
				c.await("the office finds nobody", func() bool { return c.standing().Trouble != "" })
			}
			c.stop[id]()
		}
		c.openOffice()
		if all, _ := c.statements(); len(all) == 0 || all[len(all)-1].Seen.Mark().Compare(head.Position) < 0 {
			t.Errorf("%s: stated up to %+v, read up to %s", name, all[len(all)-1].Seen, head.Position)
		}
	}
}

// The office was behind when the copy was made that is restored, through two epochs: nothing that it witnessed is lost, and it says so.
func TestAnOfficeThatWasBehindFindsNothingLost(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.accredit()
	c.acts(4)
	c.witnessed()
	was := c.head()
	c.stop["minister:1"]()
	c.acts(3)
	copied := c.head()
	c.stop["platform:1"]()
	c.openVerifierInNewEpoch()
	c.acts(2)
	again := c.head()
	c.stop["platform:1"]()
	c.openVerifierInNewEpoch()
	c.openOffice()
	c.acts(1)
	c.witnessed()
	all, raw := c.statements()
	var said []string
	for _, s := range all {
		if s.Seen.Mark().Compare(was.Position) > 0 {
			said = append(said, s.Seen.Mark().Position.String()+s.Finding)
		}
	}
	begun := jitsuin.Position{Epoch: c.head().Epoch}
	if want := []string{again.Position.String(), begun.String() + audit.FindingNewEpoch, c.head().Position.String()}; !slices.Equal(said, want) {
		t.Errorf("stated: %q, not %q", said, want)
	}
	r, err := audit.CheckDatabase(t.Context(), c.verifier.DB, audit.Expect{Verifier: "platform:1", Keys: audit.DirectoryKeys(c.directory), Statements: raw})
	if err != nil || r.Fault != nil || len(r.Epochs) != 2 || r.Epochs[0].After != copied.Position || r.Epochs[0].Lost+r.Epochs[1].Lost != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A line that nobody had read yet was changed before the new epoch began: that is a loss, and it is stated.
func TestAChangedLineOfAnEarlierEpochIsLost(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.accredit()
	c.acts(4)
	c.witnessed()
	c.stop["minister:1"]()
	c.acts(3)
	copied := c.head()
	c.must(c.verifier.DB.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE feed_events SET subject = 'x' WHERE topic = $1 AND n = $2`, audit.Topic, int64(copied.N)-1)
		return err
	}))
	c.stop["platform:1"]()
	c.openVerifierInNewEpoch()
	c.openOffice()
	c.acts(1)
	c.witnessed()
	all, _ := c.statements()
	if !slices.ContainsFunc(all, func(s audit.Statement) bool { return s.Finding == audit.FindingLost }) {
		t.Errorf("nothing is said to be lost: %+v", all)
	}
}

func (c *court) openVerifierInNewEpoch() {
	c.t.Helper()
	a, err := actor.New(c.t.Context(), c.configs["platform:1"], actor.Spec{Title: "verifier", Version: "1", Log: slog.New(slog.DiscardHandler)})
	c.must(err)
	_, err = a.NewEpoch(c.t.Context(), 0)
	c.must(err)
	c.must(a.Close())
	c.openVerifier()
}

// forge writes a log of n lines into a new database of the verifier, before it is opened.
func (c *court) forge(n int) {
	c.t.Helper()
	db, err := store.Open(c.t.Context(), c.configs["platform:1"].Database, nil, feed.Tables())
	c.must(err)
	defer db.Close()
	seq, err := feed.NewSequencer(c.t.Context(), feed.SequencerConfig{DB: db, Log: slog.New(slog.DiscardHandler),
		HighWater: feed.HighWaterFile(filepath.Join(c.configs["platform:1"].State, actor.HighWaterFile))})
	c.must(err)
	c.must(db.Update(c.t.Context(), func(tx *store.Tx) error {
		for i := range n {
			if err := audit.Record(c.t.Context(), tx, time.Now(), audit.Line{Who: "tenant:other", Act: "verify", Subject: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err = seq.Step(c.t.Context())
	c.must(err)
}

// Somebody with the database, the state folder and the key makes the log anew, as long as it was.
func TestARewrittenLogIsAnAlarm(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.accredit()
	c.acts(4)
	c.witnessed()
	was := c.head()
	c.stop["platform:1"]()
	for _, f := range []string{"platform-1.sqlite", "platform-1.sqlite-wal", "platform-1.sqlite-shm", "platform-1/" + actor.HighWaterFile} {
		os.Remove(c.path(f))
	}
	c.forge(int(was.N) + 2)
	c.openVerifier()
	c.await("it is found", func() bool { return c.standing().Finding == audit.FindingRewritten })
	_, raw := c.statements()
	r, err := audit.CheckDatabase(t.Context(), c.verifier.DB, audit.Expect{Verifier: "platform:1", Keys: audit.DirectoryKeys(c.directory), Statements: raw})
	if err != nil || r.Fault == nil || r.Fault.Code != audit.FaultRewritten {
		t.Errorf("%+v, %v", r.Fault, err)
	}
}
