package municipality_test

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/cardtest"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// world is a town with its counter; the registry network and J-LIS are played by small actors
// that send what the test says and remember what they got.
type world struct {
	t       testing.TB
	dir     string
	keys    map[string]*ecdsa.PrivateKey
	origins map[string]string
	config  municipality.Config
	log     *lockedBuffer

	town    *municipality.Town
	stop    func() error
	network *neighbour
	agency  *neighbour
	cards   *host.Host
	chips   *cardtest.Issued
	counter api.Client

	mu       sync.Mutex
	handles  map[jitsuin.ID]host.Handle // of chips that J-LIS has passed on
	received int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// neighbour is another actor, and the events that it has read of the town.
type neighbour struct {
	*actor.Actor
	mu   sync.Mutex
	read []feed.Event
}

func (n *neighbour) events() []feed.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]feed.Event{}, n.read...)
}

func (n *neighbour) remember(_ context.Context, tx *store.Tx, e feed.Event) error {
	tx.AfterCommit(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.read = append(n.read, e)
	})
	return nil
}

const (
	townID    = "municipality:91201"
	town      = jitsuin.MunicipalityCode("91201")
	otherTown = jitsuin.MunicipalityCode("91202")
)

func freePort(t testing.TB) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// newWorld starts a town on the database; residents are imported at its first start.
func newWorld(t testing.TB, database string, residents ...municipality.ImportLine) *world {
	t.Helper()
	w := &world{t: t}
	w.prepare(database, residents...)
	w.startNetwork()
	w.startAgency()
	w.start()
	w.counter = w.counterOf("counter:91201")
	return w
}

// prepare makes what a town needs to start: keys, directory, card host, configuration.
func (w *world) prepare(database string, residents ...municipality.ImportLine) {
	t := w.t
	t.Helper()
	w.dir, w.keys, w.origins, w.log = t.TempDir(), map[string]*ecdsa.PrivateKey{}, map[string]string{}, &lockedBuffer{}
	w.chips, w.handles = cardtest.Issue(t), map[jitsuin.ID]host.Handle{}
	for _, id := range []string{"operator", townID, "municipality:91202", "jukinet:1", "jlis:1", "counter:91201", "counter:91202"} {
		key, err := actor.NewKey()
		w.must(err)
		w.keys[id] = key
	}
	for _, id := range []string{townID, "jukinet:1", "jlis:1"} {
		w.origins[id] = freePort(t)
	}
	w.writeDirectory()
	var err error
	w.cards, err = host.New(filepath.Join(w.dir, "cards"), host.Options{Wait: 100 * time.Millisecond})
	w.must(err)
	t.Cleanup(func() { w.cards.Close() })
	w.config = municipality.Config{Config: w.actorConfig(townID, database), Import: w.writeImport(residents...), Cards: w.cards,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

func (w *world) writeDirectory() {
	var list []httpapi.Instance
	for id, key := range w.keys {
		if id == "operator" {
			continue
		}
		origin := ""
		if w.origins[id] != "" {
			origin = "http://" + w.origins[id]
		}
		list = append(list, httpapi.Identity{ID: id, Key: key}.Public(origin))
	}
	raw, err := httpapi.SignDirectory(w.keys["operator"], list)
	if err != nil {
		w.t.Fatal(err)
	}
	w.must(os.WriteFile(filepath.Join(w.dir, "directory.jws"), raw, 0o600))
	w.must(actor.WritePublicKey(filepath.Join(w.dir, "directory-key.pem"), &w.keys["operator"].PublicKey))
	for id, key := range w.keys {
		w.must(actor.WriteKey(w.keyFile(id), key))
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) keyFile(id string) string {
	return filepath.Join(w.dir, strings.ReplaceAll(id, ":", "-")+".pem")
}

func (w *world) actorConfig(id, database string) actor.Config {
	return actor.Config{Instance: id, Listen: w.origins[id], Database: database, State: filepath.Join(w.dir, "state-"+strings.ReplaceAll(id, ":", "-")),
		Key: w.keyFile(id), Directory: filepath.Join(w.dir, "directory.jws"), DirectoryKey: filepath.Join(w.dir, "directory-key.pem")}
}

// run runs an actor until the test ends or the function given back is called.
func (w *world) run(a *actor.Actor, run func(context.Context) error) (stop func() error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	select {
	case <-a.Started():
	case err := <-done:
		cancel()
		w.t.Fatal(err)
	}
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	w.t.Cleanup(func() {
		if err := stop(); err != nil {
			w.t.Error(err)
		}
	})
	return stop
}

func (w *world) start() {
	w.t.Helper()
	var err error
	if w.town, err = municipality.New(w.t.Context(), w.config); err != nil {
		w.t.Fatal(err)
	}
	w.stop = w.run(w.town.Actor, w.town.Run)
}

// restart ends the town as a shutdown would and starts it on the same database.
func (w *world) restart() {
	w.t.Helper()
	w.must(w.stop())
	w.start()
}

func (w *world) neighbour(id string) *neighbour {
	w.t.Helper()
	a, err := actor.New(w.t.Context(), w.actorConfig(id, storetest.SQLite().Fresh(w.t)), actor.Spec{Title: id, Version: "test",
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	return &neighbour{Actor: a}
}

func (w *world) startNetwork() {
	w.network = w.neighbour("jukinet:1")
	w.network.Offer(jukinet.TopicToTown(town), httpapi.Roles("municipality"))
	w.network.Follow(townID, jukinet.TopicResidents, w.network.remember)
	w.run(w.network.Actor, w.network.Run)
}

func (w *world) startAgency() {
	w.agency = w.neighbour("jlis:1")
	w.agency.Offer(jlis.TopicToTown(town), httpapi.Roles("municipality"))
	w.agency.Follow(townID, jlis.TopicApplications, w.agency.remember)
	type in struct {
		Card string `path:"card"`
	}
	type out struct{ Body jlis.Received }
	httpapi.Register(w.agency.API, httpapi.Operation{ID: "receive", Method: http.MethodPost, Path: "/cards/{card}/receive", Policy: httpapi.Roles("municipality")},
		func(_ context.Context, i *in) (*out, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.received++
			h, ok := w.handles[jitsuin.ID(i.Card)]
			if !ok {
				return nil, jitsuin.Errorf(jitsuin.Unavailable, "not-yet", "the chip is still on its way")
			}
			return &out{jlis.Received{Card: jitsuin.ID(i.Card), Handle: h.Reveal()}}, nil
		})
	type terminalIn struct{ Body jlis.TerminalRequest }
	type terminalOut struct{ Body jlis.TerminalCertificate }
	httpapi.Register(w.agency.API, httpapi.Operation{ID: "terminals", Method: http.MethodPost, Path: "/terminals", Policy: httpapi.Roles("municipality")},
		func(_ context.Context, i *terminalIn) (*terminalOut, error) {
			certificate, err := w.certifyTerminal(i.Body.PublicKey)
			return &terminalOut{jlis.TerminalCertificate{Certificate: certificate}}, err
		})
	type ticketIn struct{ Body jlis.TicketRequest }
	type ticketOut struct{ Body jlis.Ticket }
	httpapi.Register(w.agency.API, httpapi.Operation{ID: "ticket", Method: http.MethodPost, Path: "/chip-tickets", Policy: httpapi.Roles("municipality")},
		func(_ context.Context, i *ticketIn) (*ticketOut, error) {
			ticket, err := w.ticket(i.Body)
			return &ticketOut{jlis.Ticket{Ticket: ticket, Bytes: 1024}}, err
		})
	w.run(w.agency.Actor, w.agency.Run)
}

func (w *world) counterOf(id string) api.Client {
	d, err := httpapi.OpenDirectory(filepath.Join(w.dir, "directory.jws"), &w.keys["operator"].PublicKey)
	w.must(err)
	return api.Client{Remote: httpapi.NewRemote(httpapi.Identity{ID: id, Key: w.keys[id]}, d, townID)}
}

// send has a neighbour send an event to the town.
func (w *world) send(from *neighbour, topic, subject, kind string, body any) {
	w.t.Helper()
	w.must(from.DB.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := feed.Append(tx, feed.Draft{Topic: topic, Subject: subject, Type: kind, Body: body, RecordedAt: from.Clock.Now()})
		return err
	}))
}

func (w *world) sendNumbers(n int) {
	w.t.Helper()
	var pairs []jukinet.NumberPair
	for i := range n {
		code, number := numbers(w.t, 700+i)
		pairs = append(pairs, jukinet.NumberPair{MyNumber: number, ResidentCode: code})
	}
	w.send(w.network, jukinet.TopicToTown(town), jukinet.NumbersSubject, jukinet.TypeNumbers, jukinet.Numbers{Pairs: pairs})
}

// eventually waits for what the actors do by themselves.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

// notices gives what the network was told of a person.
func (w *world) notices(subject jitsuin.ID) []jukinet.Notice {
	var out []jukinet.Notice
	for _, e := range w.network.events() {
		var n jukinet.Notice
		if e.Subject == string(subject) && e.Decode(&n) == nil {
			out = append(out, n)
		}
	}
	return out
}

// application gives what J-LIS was told of a case; false while it has not been told.
func (w *world) application(id jitsuin.ID) (jlis.Application, bool) {
	for _, e := range w.agency.events() {
		var a jlis.Application
		if e.Subject == string(id) && e.Decode(&a) == nil {
			return a, true
		}
	}
	return jlis.Application{}, false
}

// produce makes the chip of an application as J-LIS does, and says that it is delivered.
func (w *world) produce(a jlis.Application) jlis.Delivered {
	w.t.Helper()
	ctx := w.t.Context()
	d := jlis.Delivered{Application: a.ID, Subject: a.Subject, Card: jitsuin.NewID(), CardExpires: jitsuin.Date{Year: 2036, Month: 1, Day: 1}}
	h, err := w.cards.Create(ctx, host.Order{ID: d.Card, Token: string(jitsuin.NewID()), Custodian: "jlis", TerminalAuthority: &w.chips.Authority.PublicKey})
	w.must(err)
	ch, err := w.cards.Open(ctx, h)
	w.must(err)
	j, err := reader.SelectJPKI(ctx, ch)
	w.must(err)
	w.must(j.Authenticate(ctx, w.chips.Production))
	for _, kind := range a.Kinds {
		der, err := w.chips.Reissue(ctx, j, kind)
		w.must(err)
		d.Certificates = append(d.Certificates, jlis.Issued{Kind: kind, Certificate: der, NotAfter: time.Now().Add(time.Hour)})
	}
	w.must(ch.Close())
	h, err = w.cards.Transfer(ctx, h, townID, string(jitsuin.NewID()))
	w.must(err)
	w.mu.Lock()
	w.handles[d.Card] = h
	w.mu.Unlock()
	return d
}

func (w *world) deliver(d jlis.Delivered) {
	w.t.Helper()
	w.send(w.agency, jlis.TopicToTown(town), string(d.Application), jlis.TypeDelivered, d)
}

// state waits until a case has the state.
func (w *world) state(id jitsuin.ID, want api.ApplicationState) api.Application {
	w.t.Helper()
	var last api.Application
	eventually(w.t, fmt.Sprintf("the case becomes %q", want), func() bool {
		var err error
		last, err = w.counter.Application(w.t.Context(), id, "", 0)
		w.must(err)
		return last.State == want
	})
	return last
}

// resident makes the i-th invented resident of an older register.
func resident(t testing.TB, i int, name string, born jitsuin.Date) municipality.ImportLine {
	code, number := numbers(t, i)
	return municipality.ImportLine{Subject: jitsuin.NewID(), Household: jitsuin.NewID(), MyNumber: number, ResidentCode: code,
		Items: jitsuin.FourItems{Name: name, Address: fmt.Sprintf("試験県見本市中央町%d番地", i), BirthDate: born, Sex: jitsuin.Female}}
}

func (w *world) writeImport(lines ...municipality.ImportLine) string {
	path := filepath.Join(w.dir, "residents.jsonl")
	writeLines(w.t, path, lines...)
	return path
}
