//go:build unix

package country

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	town "github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/municipality/terminal"
)

// Crowd is residents who come to the counters at the same time: for cards, with moves, for new
// certificates, until they die. It remembers whatever was acknowledged to them.
type Crowd struct {
	f     Folder
	lives []*life
	free  chan *life
	all   sync.WaitGroup
	ended context.CancelFunc
}

// life is one resident's. The worker who has it plays one act after the other; mu is for those who
// look on.
type life struct {
	c       *Crowd
	subject jitsuin.ID
	draw    *rand.Rand
	town    jitsuin.MunicipalityCode
	items   jitsuin.FourItems
	card    jitsuin.ID
	signs   bool // the signature certificate is in force
	dead    bool
	failed  error

	mu     sync.Mutex
	stages []stage // of the register record, in order
	acked  int     // the last stage that was acknowledged; one more may be under way
	apps   []applied
	causes []jitsuin.Cause // of the changes that were acknowledged
}

// stage is what the register says at one time.
type stage struct {
	town    jitsuin.MunicipalityCode
	state   jitsuin.ResidentState
	address string
}

// applied is an application as far as it was acknowledged.
type applied struct {
	town  jitsuin.MunicipalityCode
	id    jitsuin.ID
	kinds int
	rank  int
}

// NewCrowd chooses n residents of full age without a card.
func NewCrowd(t *testing.T, f Folder, n int, seed uint64) *Crowd {
	t.Helper()
	facts, err := f.Facts()
	if err != nil {
		t.Fatal(err)
	}
	today, sample := jitsuin.DateOf(facts.Civil), facts.Sample()
	taken := map[jitsuin.ID]bool{}
	for _, queue := range firstResidents(sample, today) {
		for _, p := range queue {
			taken[p.ID] = true
		}
	}
	c := &Crowd{f: f, free: make(chan *life, n)}
	all := slices.Clone(sample.Residents)
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, p := range all {
		if len(c.lives) == n {
			break
		}
		if taken[p.ID] || p.Items.BirthDate.After(today.AddDays(-20*366)) || p.AdultWard || p.Nationality != "JP" || p.Persona == people.Guide {
			continue
		}
		l := &life{c: c, subject: p.ID, draw: rand.New(rand.NewPCG(seed, uint64(i)+2)), town: p.Municipality, items: p.Items}
		l.stages = []stage{{l.town, jitsuin.Present, l.items.Address}}
		c.lives = append(c.lives, l)
		c.free <- l
	}
	return c
}

// Work has workers play acts until Finish is called.
func (c *Crowd) Work(workers int) {
	ctx, cancel := context.WithCancel(context.Background())
	c.ended = cancel
	for range workers {
		c.all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case l := <-c.free:
					l.chapter()
					if !l.dead && l.failed == nil {
						c.free <- l
					}
				}
			}
		})
	}
}

// Finish lets everybody come to the end of what they do.
func (c *Crowd) Finish(t *testing.T) {
	t.Helper()
	c.ended()
	c.all.Wait()
	acts, cards, deaths := 0, 0, 0
	for _, l := range c.lives {
		if l.failed != nil {
			t.Errorf("resident %s: %v", l.subject, l.failed)
		}
		acts += len(l.causes) + len(l.apps)
		if l.card != "" {
			cards++
		}
		if l.dead {
			deaths++
		}
	}
	t.Logf("%d changes and applications, %d cards, %d deaths", acts, cards, deaths)
	if cards == 0 {
		t.Error("nobody has got a card: nothing was tried")
	}
}

// actTime bounds one act, the restart of the country in its midst included.
const actTime = 60 * time.Second

// chapter plays one thing that happens in a life.
func (l *life) chapter() {
	ctx, cancel := context.WithTimeout(context.Background(), actTime)
	defer cancel()
	var err error
	switch n := l.draw.IntN(10); {
	case l.card == "":
		err = l.apply(ctx, town.NewCard, jitsuin.CertKinds[:])
	case !l.signs && n < 5:
		err = l.apply(ctx, town.Reissue, []jitsuin.CertKind{jitsuin.SignCert})
	case n < 1 && l.draw.IntN(4) == 0:
		err = l.record(ctx, town.ChangeRequest{Cause: jitsuin.CauseDeath}, stage{l.town, jitsuin.Dead, l.items.Address})
		l.dead = true
	case n < 7:
		to := l.address()
		err = l.record(ctx, town.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Address: to}, stage{l.town, jitsuin.Present, to})
		l.signs = false
	default:
		err = l.moveAway(ctx)
	}
	if err != nil {
		l.failed = err
	}
}

// address invents one that no stage before had.
func (l *life) address() string {
	return fmt.Sprintf("試験県見本市%d丁目%d番地", len(l.stages), l.draw.IntN(1000))
}

func (l *life) moveAway(ctx context.Context) error {
	facts, err := l.c.f.Facts()
	if err != nil {
		return err
	}
	all := facts.Sample().Municipalities
	to := all[l.draw.IntN(len(all))].Code
	if to == l.town {
		return nil
	}
	err = l.record(ctx, town.ChangeRequest{Cause: jitsuin.CauseMoveOut, Destination: to}, stage{l.town, jitsuin.Moving, l.items.Address})
	if err != nil {
		return err
	}
	l.town = to
	address := l.address()
	err = l.record(ctx, town.ChangeRequest{Cause: jitsuin.CauseMoveIn, Address: address}, stage{to, jitsuin.Present, address})
	l.signs = false
	return err
}

// record records a change with one key, however often it has to be sent.
func (l *life) record(ctx context.Context, r town.ChangeRequest, after stage) error {
	api, err := l.counter(l.town)
	if err != nil {
		return err
	}
	defer api.Close()
	l.mu.Lock()
	l.stages = append(l.stages, after)
	l.mu.Unlock()
	r.Subject, r.OccurredOn, r.Clerk = l.subject, jitsuin.DateOf(time.Now()), sampleClerk
	key := string(jitsuin.NewID())
	err = patient(ctx, func() error {
		_, err := api.Record(ctx, r, key)
		if r.Cause == jitsuin.CauseMoveIn && jitsuin.CodeOf(err) == "moving-certificate-missing" {
			err = jitsuin.Errorf(jitsuin.Unavailable, "on-its-way", "the moving-out certificate is on its way")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", r.Cause, err)
	}
	l.items.Address = after.address
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked, l.causes = len(l.stages)-1, append(l.causes, r.Cause)
	return nil
}

func (l *life) counter(code jitsuin.MunicipalityCode) (town.Client, error) {
	r, err := l.c.f.Remote(Counter(code), Town(code))
	return town.Client{Remote: r}, err
}

var ranks = []town.ApplicationState{town.Received, town.Checked, town.Notified, town.Delivered, town.Ready, town.Done}

// apply is a case of the counter from the form to its end.
func (l *life) apply(ctx context.Context, what town.ApplicationType, kinds []jitsuin.CertKind) error {
	var t *terminal.Terminal
	err := patient(ctx, func() (err error) { t, err = l.c.f.Terminal(ctx, l.town, sampleClerk); return err })
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer t.Town.Close()
	app, err := admit(ctx, t, town.NewApplication{Type: what, Subject: l.subject, Items: l.items, Kinds: kinds, Card: l.card, Clerk: sampleClerk},
		func(a town.Application) { l.note(a) })
	if err != nil {
		return err
	}
	if what == town.NewCard {
		id := app.ID // an attempt that is cut short gives none
		err = patient(ctx, func() (err error) { app, err = t.HandOver(ctx, id, SamplePIN); return err })
	} else {
		app, err = renew(ctx, t, l.c.f, app.ID, l.card, nil)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	l.note(app)
	l.card, l.signs = app.Card, true
	return nil
}

// note remembers how far an application has come.
func (l *life) note(a town.Application) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := applied{l.town, a.ID, len(a.Kinds), slices.Index(ranks, a.State)}
	if i := slices.IndexFunc(l.apps, func(x applied) bool { return x.id == a.ID }); i >= 0 {
		l.apps[i] = n
		return
	}
	l.apps = append(l.apps, n)
}

// CheckAcknowledged looks, in a running country, whether everything that was acknowledged is there
// and nothing half-issued shows; work may go on meanwhile.
func (c *Crowd) CheckAcknowledged(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), actTime)
	defer cancel()
	for _, l := range c.lives {
		l.mu.Lock()
		acked, apps := l.acked, slices.Clone(l.apps)
		l.mu.Unlock()
		if err := patient(ctx, func() error { return l.stands(ctx, acked) }); err != nil {
			t.Errorf("resident %s: stage %d was acknowledged: %v", l.subject, acked, err)
		}
		for _, a := range apps {
			if err := patient(ctx, func() error { return l.asFar(ctx, a) }); err != nil {
				t.Errorf("resident %s, application %s: %v", l.subject, a.id, err)
			}
		}
	}
}

// stands tells whether the register is at the stage with that number or at a later one.
func (l *life) stands(ctx context.Context, acked int) error {
	l.mu.Lock()
	stages := slices.Clone(l.stages)
	l.mu.Unlock()
	for _, s := range stages[acked:] { // upwards, as the record goes meanwhile
		api, err := l.counter(s.town)
		if err != nil {
			return err
		}
		r, err := api.Resident(ctx, l.subject)
		api.Close()
		if jitsuin.KindOf(err) == jitsuin.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		if r.State == s.state && r.Items.Address == s.address {
			return nil
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.stages) > len(stages) { // it went on meanwhile
		return jitsuin.Errorf(jitsuin.Unavailable, "moving", "the resident is on the move")
	}
	return jitsuin.Errorf(jitsuin.Internal, "lost", "the register stands before %+v", stages[acked])
}

// asFar tells whether an application is as far as it was, with all its certificates or with none.
func (l *life) asFar(ctx context.Context, a applied) error {
	api, err := l.counter(a.town)
	if err != nil {
		return err
	}
	defer api.Close()
	now, err := api.Application(ctx, a.id, "", 0)
	if err != nil {
		return err
	}
	rank, want := slices.Index(ranks, now.State), 0
	if rank >= slices.Index(ranks, town.Delivered) {
		want = a.kinds
	}
	if rank < a.rank || len(now.Certificates) != want {
		return jitsuin.Errorf(jitsuin.Internal, "lost", "it was %s and is %s, with %d certificates", ranks[a.rank], now.State, len(now.Certificates))
	}
	return nil
}

// CheckBooks compares what was acknowledged with the books of a stopped country: each act took
// effect once, and each certificate is in force exactly if it should be.
func (c *Crowd) CheckBooks(t *testing.T) {
	t.Helper()
	a := openAudit(t, c.f)
	defer a.close()
	causes, cases, force := map[jitsuin.ID][]string{}, map[jitsuin.ID]int{}, map[jitsuin.ID]map[string]bool{}
	for _, id := range a.towns() {
		a.each(id, func(scan func(...any)) {
			var subject jitsuin.ID
			var cause string
			scan(&subject, &cause)
			causes[subject] = append(causes[subject], cause)
		}, `SELECT subject, cause FROM change_log`)
		for _, c := range a.readCases(id) {
			cases[c.Subject]++
		}
	}
	for _, x := range a.readCertificates() {
		if x.visible() && !x.isRevoked() {
			id := jitsuin.ID(x.subject)
			if force[id] == nil {
				force[id] = map[string]bool{}
			}
			force[id][x.kind] = true
		}
	}
	for _, l := range c.lives {
		var want []string
		for _, cause := range l.causes {
			want = append(want, string(cause))
		}
		slices.Sort(want)
		slices.Sort(causes[l.subject])
		if l.failed == nil && !slices.Equal(want, causes[l.subject]) {
			t.Errorf("resident %s: %v was acknowledged, %v is recorded", l.subject, want, causes[l.subject])
		}
		if l.failed == nil && cases[l.subject] != len(l.apps) {
			t.Errorf("resident %s applied %d times and has %d cases", l.subject, len(l.apps), cases[l.subject])
		}
		auth := l.card != "" && !l.dead
		if got := force[l.subject]; l.failed == nil && (got["auth"] != auth || got["sign"] != (auth && l.signs)) {
			t.Errorf("resident %s (dead %v, moved since the last issue %v) has in force %v", l.subject, l.dead, !l.signs, got)
		}
	}
}
