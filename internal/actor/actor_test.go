package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// pair is two actors: town sends the topic "words", network follows it and keeps what it heard.
type pair struct {
	town, network *actor.Actor
	configs       map[string]actor.Config
}

var words = fstest.MapFS{"00001_words.sql": {Data: []byte("-- +goose Up\nCREATE TABLE word (subject TEXT PRIMARY KEY, word TEXT NOT NULL);\n")}}

func address(t *testing.T) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func newPair(t *testing.T) *pair {
	t.Helper()
	dir := t.TempDir()
	operator, err := actor.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{configs: map[string]actor.Config{}}
	var list []httpapi.Instance
	for _, id := range []string{"municipality:91201", "jukinet:1", "country:1"} {
		key, err := actor.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		name := strings.ReplaceAll(id, ":", "-")
		c := actor.Config{Instance: id, Listen: address(t), Database: filepath.Join(dir, name+".db"), State: filepath.Join(dir, name),
			Key: filepath.Join(dir, name+".pem"), Directory: filepath.Join(dir, "directory.jws"), DirectoryKey: filepath.Join(dir, "operator.pem"), Clock: "country:1"}
		if err := actor.WriteKey(c.Key, key); err != nil {
			t.Fatal(err)
		}
		p.configs[id] = c
		list = append(list, httpapi.Identity{ID: id, Key: key}.Public("http://"+c.Listen))
	}
	signed, err := httpapi.SignDirectory(operator, list)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "directory.jws"), signed, 0o600),
		actor.WritePublicKey(filepath.Join(dir, "operator.pem"), &operator.PublicKey)); err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t *testing.T, c actor.Config, options ...store.Option) *actor.Actor {
	t.Helper()
	a, err := actor.New(t.Context(), c, actor.Spec{Title: "test", Version: "1", Migrations: words, Log: slog.New(slog.DiscardHandler), Store: options})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// run runs actors until the test or stop ends them.
func run(t *testing.T, actors ...*actor.Actor) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, len(actors))
	for _, a := range actors {
		go func() { done <- a.Run(ctx) }()
		select {
		case <-a.Started():
		case err := <-done:
			t.Fatalf("did not start: %v", err)
		}
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		for range actors {
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

func (p *pair) open(t *testing.T) {
	p.town = open(t, p.configs["municipality:91201"])
	p.town.Offer("words", httpapi.Roles("jukinet"))
	p.network = open(t, p.configs["jukinet:1"])
	p.network.Follow("municipality:91201", "words", func(_ context.Context, tx *store.Tx, e feed.Event) error {
		var w string
		if err := e.Decode(&w); err != nil {
			return err
		}
		if w == "unknown" {
			return jitsuin.Errorf(jitsuin.NotFound, "word-unknown", "nobody knows this word")
		}
		_, err := tx.Exec(`INSERT INTO word (subject, word) VALUES ($1, $2) ON CONFLICT (subject) DO UPDATE SET word = excluded.word`, e.Subject, w)
		return err
	})
}

func (p *pair) say(t *testing.T, subject, word string) {
	t.Helper()
	err := p.town.DB.Update(t.Context(), func(tx *store.Tx) error {
		_, err := feed.Append(tx, feed.Draft{Topic: "words", Subject: subject, Type: "word", Body: word, RecordedAt: p.town.Clock.Now()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *pair) heard(t *testing.T, subject string) (word string) {
	t.Helper()
	p.network.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT word FROM word WHERE subject = $1`, subject).Scan(&word)
	})
	return word
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func TestWhatOneActorRecordsReachesTheOther(t *testing.T) {
	p := newPair(t)
	p.open(t)
	stop := run(t, p.town, p.network)
	p.say(t, "a", "こんにちは")
	at, err := p.town.Position(t.Context(), "words")
	if err != nil || at != (jitsuin.Position{Epoch: 1, N: 1}) {
		t.Fatalf("position %v, %v", at, err)
	}
	eventually(t, "the word arrives", func() bool { return p.heard(t, "a") == "こんにちは" })
	eventually(t, "progress says so", func() bool {
		out, err := httpapi.Do[actor.Progress](t.Context(), p.town.Remote("jukinet:1"), "GET", "/feeds", "", nil)
		return err == nil && out.AppliedOf("municipality:91201", "words") == at
	})
	p.say(t, "b", "unknown")
	p.say(t, "b", "later") // waits behind the one that was parked
	eventually(t, "readiness names the parked events", func() bool {
		return strings.Contains(fmt.Sprint(p.network.API.Unready(t.Context())), "2 events are parked")
	})
	if w := p.heard(t, "b"); w != "" {
		t.Errorf("an event went past a parked one of its subject: %q", w)
	}
	stop()
	p.open(t) // and everything is as it was
	run(t, p.town, p.network)
	p.say(t, "a", "さようなら")
	eventually(t, "the next word arrives", func() bool { return p.heard(t, "a") == "さようなら" })
}

func TestATopicIsForItsReadersOnly(t *testing.T) {
	p := newPair(t)
	p.open(t)
	run(t, p.town, p.network)
	for topic, want := range map[string]jitsuin.Kind{"words": jitsuin.Denied, "nothing": jitsuin.NotFound} {
		err := p.town.Remote("municipality:91201").Call(t.Context(), "GET", "/feeds/"+topic, "", nil, nil)
		if jitsuin.KindOf(err) != want {
			t.Errorf("%s: %v", topic, err)
		}
	}
	resp, err := http.Get("http://" + p.configs["municipality:91201"].Listen + "/feeds/words")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s", resp.Status)
	}
}

func TestCivilTimeFollowsItsFeedAndStays(t *testing.T) {
	p := newPair(t)
	country := open(t, p.configs["country:1"])
	country.Offer(actor.TopicClock, httpapi.Roles("municipality", "jukinet"))
	p.open(t)
	stop := run(t, country, p.town, p.network)
	err := country.DB.Update(t.Context(), func(tx *store.Tx) error {
		if err := country.SetClock(tx, 48*time.Hour); err != nil {
			return err
		}
		_, err := feed.Append(tx, feed.Draft{Topic: actor.TopicClock, Subject: actor.ClockSubject, Type: actor.TypeClock,
			Body: actor.ClockMoved{OffsetMicros: (48 * time.Hour).Microseconds()}, RecordedAt: time.Now()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "both actors are two days ahead", func() bool {
		return p.town.Clock.Offset() == 48*time.Hour && p.network.Clock.Offset() == 48*time.Hour
	})
	stop()
	p.open(t)
	if off := p.town.Clock.Offset(); off != 48*time.Hour {
		t.Errorf("after a restart the town is %v ahead", off)
	}
	p.town.Close()
	p.network.Close()
}

func TestTheClockMovesThoughTheCommitGaveNoAnswer(t *testing.T) {
	p := newPair(t)
	var armed atomic.Bool
	c := p.configs["country:1"]
	c.Clock = ""
	a := open(t, c, store.WithFaults(func() store.Fault {
		if armed.CompareAndSwap(true, false) {
			return store.CommitPersisted
		}
		return store.NoFault
	}))
	run(t, a)
	var offset time.Duration
	eventually(t, "the fault hits a move of the clock and no other commit", func() bool {
		offset += time.Hour
		armed.Store(true)
		err := a.DB.Update(t.Context(), func(tx *store.Tx) error { return a.SetClock(tx, offset) })
		return jitsuin.CodeOf(err) == store.CodeUnknown
	})
	eventually(t, "the clock is where the database says", func() bool { return a.Clock.Offset() == offset })
}

func TestAnAddressThatIsTakenIsSaidAtOnce(t *testing.T) {
	p := newPair(t)
	l, err := net.Listen("tcp", p.configs["jukinet:1"].Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := open(t, p.configs["jukinet:1"])
	if err := a.Run(t.Context()); jitsuin.CodeOf(err) != "listen" {
		t.Fatalf("got %v", err)
	}
}

func TestConfigurationErrorsNameTheLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jlis.yaml")
	for text, want := range map[string]string{
		"instance: jlis:1\nlistne: 127.0.0.1:1\n": "jlis.yaml:2:1: listne",
		"instance: [1\n": "jlis.yaml:1:11: ",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var c actor.Config
		err := actor.Load(path, &c)
		if jitsuin.KindOf(err) != jitsuin.Invalid || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
	c := actor.Config{Instance: "jlis:1"}
	if err := c.Resolve("/etc"); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("an incomplete configuration: %v", err)
	}
}

// Every actor forgets what it answered to requests once nobody repeats them any more.
func TestAnswersAreKeptForRepetitionsAndNoLonger(t *testing.T) {
	t.Parallel()
	a := open(t, newPair(t).configs["municipality:91201"])
	for key, age := range map[string]time.Duration{"new": 0, "young": httpapi.RequestsKept - time.Hour, "old": httpapi.RequestsKept + time.Second} {
		_, err := httpapi.Once(httpapi.WithIdempotencyKey(t.Context(), key), a.DB, "word", "in", func(*store.Tx) (string, error) { return "out", nil })
		if err == nil {
			err = a.DB.Update(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE api_request SET done_at = $1 WHERE key = $2`, store.Micros(time.Now().Add(-age)), key)
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, a)
	kept := func() (keys []string) {
		err := a.DB.View(t.Context(), func(tx *store.Tx) (err error) {
			keys, err = store.Collect(func(s store.Scanner) (key string, err error) { return key, s.Scan(&key) })(tx.Query(`SELECT key FROM api_request ORDER BY key`))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	for end := time.Now().Add(10 * time.Second); len(kept()) == 3 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if got := kept(); !slices.Equal(got, []string{"new", "young"}) {
		t.Errorf("kept are %v", got)
	}
}
