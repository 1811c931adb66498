package jukinet

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
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

const (
	townA = jitsuin.MunicipalityCode("91201")
	townB = jitsuin.MunicipalityCode("91202")
	townC = jitsuin.MunicipalityCode("92203")
)

var allTowns = []jitsuin.MunicipalityCode{townA, townB, townC}

// world is the network; towns and J-LIS are played by small actors that send what the test says
// and remember what they got.
type world struct {
	t       testing.TB
	dir     string
	keys    map[string]*ecdsa.PrivateKey
	origins map[string]string
	log     *lockedBuffer
	config  Config
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

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// prepare makes keys, directory and configuration for a network of the three towns.
func prepare(t testing.TB, database string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), keys: map[string]*ecdsa.PrivateKey{}, origins: map[string]string{}, log: &lockedBuffer{}}
	for _, id := range []string{"operator", "jukinet:1", "jlis:1", "municipality:91201", "municipality:91202", "municipality:92203"} {
		key, err := actor.NewKey()
		w.must(err)
		w.keys[id] = key
		w.origins[id], err = freeport.Address()
		w.must(err)
		w.must(actor.WriteKey(w.keyFile(id), key))
	}
	var list []httpapi.Instance
	for id, key := range w.keys {
		if id != "operator" {
			list = append(list, httpapi.Identity{ID: id, Key: key}.Public("http://"+w.origins[id]))
		}
	}
	raw, err := httpapi.SignDirectory(w.keys["operator"], list)
	w.must(err)
	w.must(os.WriteFile(filepath.Join(w.dir, "directory.jws"), raw, 0o600))
	w.must(actor.WritePublicKey(filepath.Join(w.dir, "directory-key.pem"), &w.keys["operator"].PublicKey))
	w.config = Config{Config: w.actorConfig("jukinet:1", database), Stock: 4, RetryParked: 50 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	return w
}

func (w *world) keyFile(id string) string {
	return filepath.Join(w.dir, strings.ReplaceAll(id, ":", "-")+".pem")
}

func (w *world) actorConfig(id, database string) actor.Config {
	return actor.Config{Instance: id, Listen: w.origins[id], Database: database, State: filepath.Join(w.dir, "state-"+strings.ReplaceAll(id, ":", "-")),
		Key: w.keyFile(id), Directory: filepath.Join(w.dir, "directory.jws"), DirectoryKey: filepath.Join(w.dir, "directory-key.pem")}
}

func (w *world) open() *Network {
	w.t.Helper()
	n, err := New(w.t.Context(), w.config)
	w.must(err)
	return n
}

func (w *world) run(a *actor.Actor, run func(context.Context) error) (stop func() error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	<-a.Started()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	w.t.Cleanup(func() {
		if err := stop(); err != nil {
			w.t.Error(err)
		}
	})
	return stop
}

// neighbour is a town or J-LIS, and the events that it has read of the network.
type neighbour struct {
	*actor.Actor
	w    *world
	mu   sync.Mutex
	read []feed.Event
}

// neighbour starts one that reads the topic of the network.
func (w *world) neighbour(id, topic string) *neighbour {
	w.t.Helper()
	a, err := actor.New(w.t.Context(), w.actorConfig(id, storetest.SQLite().Fresh(w.t)), actor.Spec{Title: id, Version: "test", Log: slog.New(slog.DiscardHandler)})
	w.must(err)
	n := &neighbour{Actor: a, w: w}
	n.Offer(api.TopicResidents, httpapi.Roles("jukinet"))
	n.Follow("jukinet:1", topic, func(_ context.Context, tx *store.Tx, e feed.Event) error {
		tx.AfterCommit(func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.read = append(n.read, e)
		})
		return nil
	})
	w.run(a, a.Run)
	return n
}

func (w *world) town(code jitsuin.MunicipalityCode) *neighbour {
	return w.neighbour("municipality:"+string(code), api.TopicToTown(code))
}

func (n *neighbour) events(kinds ...string) (out []feed.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.read {
		for _, k := range kinds {
			if e.Type == k {
				out = append(out, e)
			}
		}
	}
	return out
}

// send has a town send notices.
func (n *neighbour) send(notices ...api.Notice) {
	n.w.t.Helper()
	for _, c := range notices {
		n.w.must(n.DB.Update(n.w.t.Context(), func(tx *store.Tx) error {
			_, err := feed.Append(tx, feed.Draft{Topic: api.TopicResidents, Subject: string(c.Subject), Type: api.TypeNotice, Body: c, RecordedAt: n.Clock.Now()})
			return err
		}))
	}
}

func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

// ready asks /readyz.
func (w *world) ready() (status int, wrong string) {
	w.t.Helper()
	resp, err := http.Get("http://" + w.origins["jukinet:1"] + "/readyz")
	w.must(err)
	defer resp.Body.Close()
	var b strings.Builder
	w.must(resp.Write(&b))
	return resp.StatusCode, b.String()
}

// entry is the first notice of the i-th invented person.
func entry(t testing.TB, town jitsuin.MunicipalityCode, i int) api.Notice {
	t.Helper()
	n := hanako
	n.Subject, n.Municipality = jitsuin.NewID(), town
	n.Items.Name = fmt.Sprintf("見本　花子%d", i)
	body := 2_000_000_000 + 41*i
	for {
		code := fmt.Sprintf("%010d", body)
		if check, err := rules.ResidentCodeCheckDigit(code); err == nil {
			n.ResidentCode = jitsuin.ResidentCode(code + string(check))
			break
		}
		body++
	}
	first := fmt.Sprintf("%011d", 30_000_000_000+i)
	last, err := rules.MyNumberCheckDigit(first)
	if err != nil {
		t.Fatal(err)
	}
	n.MyNumber = jitsuin.MyNumber(first + string(last))
	return n
}

// next is a later notice of the same person.
func next(n api.Notice, town jitsuin.MunicipalityCode, c jitsuin.Cause, s jitsuin.ResidentState, change ...func(*api.Notice)) api.Notice {
	n.Municipality, n.Cause, n.State, n.Destination = town, c, s, ""
	for _, f := range change {
		f(&n)
	}
	return n
}
