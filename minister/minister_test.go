package minister_test

import (
	"context"
	"crypto/ecdsa"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/minister"
	"github.com/jitsuin/jitsuin/minister/api"
)

// office is a running minister's office and the callers that the tests need.
type office struct {
	dir    *httpapi.Directory
	caller map[string]httpapi.Identity
}

func start(t *testing.T, database string) *office {
	t.Helper()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	o := &office{caller: map[string]httpapi.Identity{}}
	var list []httpapi.Instance
	for _, id := range []string{"minister:1", "official:1", "platform:1", "jlis:1", "municipality:91201", "country:1"} {
		key, err := actor.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		o.caller[id] = httpapi.Identity{ID: id, Key: key}
		list = append(list, o.caller[id].Public(map[string]string{"minister:1": "http://" + address}[id]))
	}
	operator, err := actor.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := httpapi.SignDirectory(operator, list)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.WriteFile(in("directory.jws"), signed, 0o600), actor.WriteKey(in("key.pem"), o.caller["minister:1"].Key),
		actor.WritePublicKey(in("operator.pem"), &operator.PublicKey)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if o.dir, err = httpapi.OpenDirectory(in("directory.jws"), &operator.PublicKey); err != nil {
		t.Fatal(err)
	}
	m, err := minister.New(t.Context(), minister.Config{Log: slog.New(slog.DiscardHandler), Config: actor.Config{Instance: "minister:1", Listen: address,
		Database: database, State: in("state"), Key: in("key.pem"), Directory: in("directory.jws"), DirectoryKey: in("operator.pem")}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-m.Started()
	return o
}

func (o *office) as(id string) api.Client {
	return api.Client{Remote: httpapi.NewRemote(o.caller[id], o.dir, "minister:1")}
}

// events reads the feed as a reader does, until n events have come.
func (o *office) events(t *testing.T, id string, n int) []feed.Event {
	t.Helper()
	var got []feed.Event
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	f, err := feed.NewMemoryFollower(feed.MemoryConfig{
		SourceConfig: feed.SourceConfig{Source: "minister:1", Topic: api.TopicAccreditations, BaseURL: "http://callee",
			HTTP: httpapi.NewRemote(o.caller[id], o.dir, "minister:1").HTTPClient(),
			Keys: func(string) (*ecdsa.PublicKey, error) { return &o.caller["minister:1"].Key.PublicKey, nil }},
		Apply: func(_ context.Context, e feed.Event) error {
			if got = append(got, e); len(got) == n {
				cancel()
			}
			return nil
		}, Reset: func() { got = nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f.Run(ctx)
	if len(got) != n {
		t.Fatalf("%d events came, want %d", len(got), n)
	}
	return got
}

func TestAccreditationOverTheWire(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		o := start(t, url)
		official := o.as("official:1")
		grant := api.Decision{Verifier: "platform:1", Name: "検証プラットフォーム", Ground: "17-1-6", State: api.InForce}
		first, err := official.Decide(t.Context(), grant, "decision-0001")
		if err != nil {
			t.Fatal(err)
		}
		today := jitsuin.DateOf(time.Now())
		if first.GrantedOn != today || !first.InForceOn(today) || !first.InForceOn(first.Until) || first.InForceOn(first.Until.AddDays(1)) {
			t.Errorf("granted %+v", first)
		}
		again, err := official.Decide(t.Context(), grant, "decision-0001")
		if err != nil || again != first {
			t.Errorf("the same request again gave %+v, %v", again, err)
		}
		suspend := grant
		suspend.State, suspend.Reason = api.Suspended, "監査で不備"
		if _, err := official.Decide(t.Context(), suspend, "decision-0001"); jitsuin.CodeOf(err) != "idempotency-key-reused" {
			t.Errorf("a key was used twice: %v", err)
		}
		if _, err := official.Decide(t.Context(), suspend, ""); jitsuin.CodeOf(err) != "idempotency-key-missing" {
			t.Errorf("no key: %v", err)
		}
		if a, err := official.Decide(t.Context(), suspend, "decision-0002"); err != nil || a.State != api.Suspended || a.ID != first.ID {
			t.Fatalf("suspended: %+v, %v", a, err)
		}
		if _, err := o.as("platform:1").Decide(t.Context(), grant, "decision-0003"); jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("a verifier lifted its own suspension: %v", err)
		}
		if a, err := official.Decide(t.Context(), grant, "decision-0004"); err != nil || a.State != api.InForce || a.Until != first.Until {
			t.Fatalf("lifted: %+v, %v", a, err)
		}
		o.checkHistory(t, first)
	})
}

func (o *office) checkHistory(t *testing.T, first api.Accreditation) {
	t.Helper()
	all, err := o.as("platform:1").List(t.Context())
	if err != nil || len(all) != 1 || all[0] != first {
		t.Errorf("list: %+v, %v", all, err)
	}
	h, err := o.as("platform:1").One(t.Context(), first.ID)
	if err != nil || len(h.Steps) != 3 || h.Steps[1].State != api.Suspended || h.Steps[1].Reason != "監査で不備" || h.Steps[1].By != "official:1" {
		t.Errorf("history: %+v, %v", h, err)
	}
	if _, err := o.as("platform:1").One(t.Context(), jitsuin.NewID()); jitsuin.KindOf(err) != jitsuin.NotFound {
		t.Errorf("an unknown accreditation: %v", err)
	}
	events := o.events(t, "jlis:1", 3)
	for i, want := range []string{api.InForce, api.Suspended, api.InForce} {
		var a api.Accreditation
		if err := events[i].Decode(&a); err != nil || a.State != want || events[i].Subject != "platform:1" || events[i].Type != api.TypeAccreditation {
			t.Errorf("event %d: %+v %v", i, a, err)
		}
	}
	err = httpapi.NewRemote(o.caller["municipality:91201"], o.dir, "minister:1").Call(t.Context(), "GET", "/feeds/"+api.TopicAccreditations, "", nil, nil)
	if jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a town reads the feed: %v", err)
	}
}
