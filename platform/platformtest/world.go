// Package platformtest makes a running platform with neighbours around it, for the tests of the
// platform and of what calls it. The neighbours are small but real where it counts: accreditations
// come over a feed, certificates and OCSP responses are signed, tokens are bought.
// Nothing but tests imports it.
package platformtest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
)

// ID is the platform's instance.
const ID = "platform:1"

// World is a platform with its neighbours and the people of an invented town.
type World struct {
	Platform *platform.Platform
	Origin   string // of the platform
	Log      *Buffer
	Agency   *Agency
	Status   *Status

	t         testing.TB
	folder    string
	operator  httpapi.Identity
	callers   map[string]httpapi.Identity
	addresses map[string]string
	dir       *httpapi.Directory
	minister  *actor.Actor
	stop      func()
	decisions int
}

// New starts a world whose platform keeps its data at database. change may alter the platform's
// configuration. Nobody is accredited and no tenant registered yet.
func New(t testing.TB, database string, change func(*platform.Config)) *World {
	t.Helper()
	w := &World{t: t, folder: t.TempDir(), Log: &Buffer{}, callers: map[string]httpapi.Identity{}, addresses: map[string]string{}}
	w.operator = w.newIdentity("country:operator")
	var list []httpapi.Instance
	for _, id := range []string{ID, "jlis:1", "status:1", "minister:1", "official:1", "operator:1", "municipality:91201", "service:securities-1", "holder:1", "country:1"} {
		w.callers[id] = w.newIdentity(id)
		if id != "official:1" && id != "operator:1" {
			w.addresses[id] = FreeAddress(t)
		}
		origin := ""
		if a := w.addresses[id]; a != "" {
			origin = "http://" + a
		}
		list = append(list, w.callers[id].Public(origin))
	}
	w.Origin = "http://" + w.addresses[ID]
	signed, err := httpapi.SignDirectory(w.operator.Key, list)
	w.must(err)
	w.must(os.WriteFile(w.path("directory.jws"), signed, 0o600))
	w.must(actor.WritePublicKey(w.path("operator.pem"), &w.operator.Key.PublicKey))
	w.dir, err = httpapi.OpenDirectory(w.path("directory.jws"), &w.operator.Key.PublicKey)
	w.must(err)

	w.startMinister()
	w.Agency = w.startAgency()
	w.Status = w.startStatus()
	w.StartPlatform(database, change)
	return w
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *World) path(name string) string { return filepath.Join(w.folder, name) }

func (w *World) newIdentity(id string) httpapi.Identity {
	w.t.Helper()
	key, err := actor.NewKey()
	w.must(err)
	return httpapi.Identity{ID: id, Key: key}
}

// FreeAddress gives a loopback address on which nothing listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Config gives the actor part of an instance's configuration; the instance is in the directory.
func (w *World) Config(id, database string) actor.Config {
	w.t.Helper()
	name := fmt.Sprintf("%x", id)
	w.must(actor.WriteKey(w.path(name+".pem"), w.callers[id].Key))
	return actor.Config{Instance: id, Listen: w.addresses[id], Database: database, State: w.path(name),
		Key: w.path(name + ".pem"), Directory: w.path("directory.jws"), DirectoryKey: w.path("operator.pem")}
}

// Address gives HOST:PORT of an instance.
func (w *World) Address(id string) string { return w.addresses[id] }

// run runs an actor until the test ends or the function it gives is called.
func (w *World) run(a interface {
	Run(context.Context) error
	Started() <-chan struct{}
}) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(stop)
	select {
	case <-a.Started():
	case err := <-ended:
		ended <- nil
		w.t.Fatalf("an actor did not start: %v", err)
	}
	return stop
}

// Run runs any actor of the test's own until the test ends.
func (w *World) Run(a interface {
	Run(context.Context) error
	Started() <-chan struct{}
}) {
	w.t.Helper()
	w.run(a)
}

// StartPlatform starts the platform, again after Stop.
func (w *World) StartPlatform(database string, change func(*platform.Config)) {
	w.t.Helper()
	cfg := platform.Config{Config: w.Config(ID, database), Log: slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	cfg.Sandbox.Registrar = true // Register is one call
	cfg.Quota.PerSecond = 10_000 // tests send faster than a tenant may
	if change != nil {
		change(&cfg)
	}
	p, err := platform.New(context.Background(), cfg)
	w.must(err)
	w.Platform, w.stop = p, w.run(p)
	w.await("the CA certificates", func() bool { return p.API.Unready(w.t.Context())["anchors"] == "" })
}

// Stop ends the platform alone.
func (w *World) Stop() { w.stop() }

func (w *World) await(what string, ready func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ready(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *World) startMinister() {
	w.t.Helper()
	a, err := actor.New(context.Background(), w.Config("minister:1", "sqlite::memory:"), actor.Spec{Title: "minister", Version: "1", Log: quiet()})
	w.must(err)
	a.Offer(minister.TopicAccreditations, httpapi.Roles("jlis", "platform"))
	a.Offer(minister.TopicWitness, httpapi.Roles("platform"))
	w.minister = a
	w.run(a)
}

// Accredit has the minister decide on the platform, and waits until the platform knows. A state of
// in-force lasts for a year from today.
func (w *World) Accredit(state string) minister.Accreditation {
	w.t.Helper()
	today := jitsuin.DateOf(w.Platform.Clock.Now())
	return w.AccreditFor(state, today, today.AddDays(364))
}

// AccreditFor is Accredit with the days named.
func (w *World) AccreditFor(state string, from, until jitsuin.Date) minister.Accreditation {
	w.t.Helper()
	w.decisions++
	a := minister.Accreditation{ID: "0123456789abcdef0123456789abcdef", Verifier: ID, Name: "検証プラットフォーム", Ground: "17-1-6",
		GrantedOn: from, Until: until, State: state, Reason: fmt.Sprint("decision ", w.decisions)}
	w.must(w.minister.DB.Update(context.Background(), func(tx *store.Tx) error {
		_, err := feed.Append(tx, feed.Draft{Topic: minister.TopicAccreditations, Subject: ID, Type: minister.TypeAccreditation, Body: a, RecordedAt: time.Now()})
		return err
	}))
	w.await("the accreditation", func() bool {
		var body string
		err := w.Platform.DB.View(context.Background(), func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT COALESCE(MAX(body), '') FROM own_accreditation`).Scan(&body)
		})
		return err == nil && bytes.Contains([]byte(body), []byte(a.Reason))
	})
	return a
}

// State has the minister's office publish a statement on the platform's operation log.
func (w *World) State(s minister.StatementEvent) {
	w.t.Helper()
	w.must(w.minister.DB.Update(context.Background(), func(tx *store.Tx) error {
		_, err := feed.Append(tx, feed.Draft{Topic: minister.TopicWitness, Subject: ID, Type: minister.TypeStatement, Body: s, RecordedAt: time.Now()})
		return err
	}))
}

// Register makes a tenant with a key of its own.
func (w *World) Register(id string, origins ...string) httpapi.Identity {
	w.t.Helper()
	tenant := w.newIdentity(id)
	_, err := w.TryRegister("operator:1", api.TenantRequest{ID: id, Name: "テナント", NameEN: "Tenant", Origins: origins, PublicKey: SPKI(w.t, tenant),
		Contract: &api.Contract{Number: "委託-1", Since: jitsuin.DateOf(time.Now()), Entrusts: []string{api.EntrustReceiving, api.EntrustValidity}}})
	w.must(err)
	return tenant
}

// TryRegister asks for a tenant as any caller.
func (w *World) TryRegister(caller string, r api.TenantRequest) (api.Tenant, error) {
	return httpapi.Do[api.Tenant](w.t.Context(), w.As(caller), "POST", "/v1/tenants", string(jitsuin.NewID()), r)
}

// As gives the way of a directory's instance to the platform.
func (w *World) As(caller string) *httpapi.Remote {
	return httpapi.NewRemote(w.callers[caller], w.dir, ID)
}

// Identity gives an instance of the directory with its key, and Directory the directory, to call others.
func (w *World) Identity(id string) httpapi.Identity { return w.callers[id] }
func (w *World) Directory() *httpapi.Directory       { return w.dir }

// Tenant gives a tenant's way to the platform.
func (w *World) Tenant(t httpapi.Identity) *httpapi.Remote {
	return httpapi.NewRemoteAt(t, w.Origin, ID)
}

// Buffer takes a log from several goroutines.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String gives what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
