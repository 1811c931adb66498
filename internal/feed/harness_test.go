package feed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

const topic = "changes"

var start = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

var silent = slog.New(slog.DiscardHandler)

// key is the sender's key, shared by all tests.
var key = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

func pinned(id string) (*ecdsa.PublicKey, error) {
	if id != "sender-1" {
		return nil, fmt.Errorf("no key %q", id)
	}
	return &key().PublicKey, nil
}

// The reader's own tables: the state of each subject, and how often each event had its effect.
var readerTables = fstest.MapFS{"00001_state.sql": {Data: []byte(`-- +goose Up
CREATE TABLE state (subject TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE effects (epoch BIGINT NOT NULL, n BIGINT NOT NULL, times BIGINT NOT NULL, PRIMARY KEY (epoch, n));
CREATE TABLE passed_on (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL, n BIGINT NOT NULL);
`)}}

func openDB(t testing.TB, url string, opts ...store.Option) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url, readerTables, append(opts, Tables())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// sender is an actor that appends events.
type sender struct {
	t     testing.TB
	db    *store.DB
	marks HighWater
	seq   *Sequencer
	srv   *Server
}

func newSender(t testing.TB, db *store.DB, marks HighWater) *sender {
	t.Helper()
	s := &sender{t: t, db: db, marks: marks}
	s.restart()
	return s
}

// restart is what a crash and a new start are to the sender: all memory is lost.
func (s *sender) restart() {
	s.t.Helper()
	seq, err := NewSequencer(context.Background(), SequencerConfig{DB: s.db, HighWater: s.marks, Log: silent, Poll: 5 * time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := NewSigner(key(), "sender-1")
	if err != nil {
		s.t.Fatal(err)
	}
	srv, err := NewServer(ServerConfig{Sequencer: seq, Signer: signer, Now: time.Now,
		Allow: func(*http.Request, string) error { return nil }})
	if err != nil {
		s.t.Fatal(err)
	}
	s.seq, s.srv = seq, srv
}

func (s *sender) append(subject, value string) error {
	return s.db.Update(context.Background(), func(tx *store.Tx) error {
		_, err := Append(tx, Draft{Topic: topic, Subject: subject, Type: "set", Body: map[string]string{"value": value}, RecordedAt: start})
		return err
	})
}

// must appends and numbers, without faults.
func (s *sender) must(pairs ...string) {
	s.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := s.append(pairs[i], pairs[i+1]); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := s.seq.Step(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// RoundTrip answers requests without a network.
func (s *sender) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.srv.Handler().ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// reader is an actor that follows the sender.
type reader struct {
	t    testing.TB
	db   *store.DB
	fail map[string]error // what Apply says for a subject
	f    *Follower
	now  time.Time
}

func newReader(t testing.TB, db *store.DB, via http.RoundTripper) *reader {
	t.Helper()
	r := &reader{t: t, db: db, fail: map[string]error{}, now: start}
	f, err := NewFollower(r.config(via))
	if err != nil {
		t.Fatal(err)
	}
	r.f = f
	return r
}

func source(via http.RoundTripper) SourceConfig {
	return SourceConfig{Source: "town:91201", Topic: topic, BaseURL: "http://sender",
		HTTP: &http.Client{Transport: via}, Keys: pinned}
}

func (r *reader) config(via http.RoundTripper) FollowerConfig {
	return FollowerConfig{SourceConfig: source(via), DB: r.db, Log: silent, Batch: 3, Backoff: time.Millisecond,
		Now: func() time.Time { return r.now },
		Apply: func(_ context.Context, tx *store.Tx, e Event) error {
			var body struct{ Value string }
			if err := e.Decode(&body); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO state (subject, value) VALUES ($1, $2)
				ON CONFLICT (subject) DO UPDATE SET value = excluded.value`, e.Subject, body.Value); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO effects (epoch, n, times) VALUES ($1, $2, 1)
				ON CONFLICT (epoch, n) DO UPDATE SET times = effects.times + 1`, e.Epoch, e.N); err != nil {
				return err
			}
			return r.fail[e.Subject] // after its writes, which must then be undone
		},
		Forget: func(_ context.Context, tx *store.Tx, subject string) error {
			_, err := tx.Exec(`DELETE FROM state WHERE subject = $1`, subject)
			return err
		},
		OnBatch: func(tx *store.Tx, applied jitsuin.Position) error {
			_, err := tx.Exec(`INSERT INTO passed_on (id, epoch, n) VALUES (1, $1, $2)
				ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, n = excluded.n`, applied.Epoch, applied.N)
			return err
		}}
}

func (r *reader) poll() error {
	_, err := r.f.Poll(context.Background(), 0)
	return err
}

func (r *reader) mustPoll() {
	r.t.Helper()
	if err := r.poll(); err != nil {
		r.t.Fatal(err)
	}
}

// state reads what the reader holds.
func (r *reader) state() map[string]string {
	r.t.Helper()
	return readMap(r.t, r.db, `SELECT subject, value FROM state`)
}

func readMap(t testing.TB, db *store.DB, query string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := db.View(context.Background(), func(tx *store.Tx) error {
		clear(m)
		rows, err := tx.Query(query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k, v string
			if err := rows.Scan(&k, &v); err != nil {
				return err
			}
			m[k] = v
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// number reads one number.
func number(t testing.TB, db *store.DB, query string, args ...any) (n int64) {
	t.Helper()
	err := db.View(context.Background(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func wantState(t testing.TB, r *reader, pairs ...string) {
	t.Helper()
	want := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = pairs[i+1]
	}
	if got := r.state(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the reader holds %v, want %v", got, want)
	}
}

func wantAlarm(t testing.TB, err error, code string) {
	t.Helper()
	if _, ok := errors.AsType[*Alarm](err); !ok || jitsuin.CodeOf(err) != code {
		t.Errorf("got %v (code %q), want the alarm %s", err, jitsuin.CodeOf(err), code)
	}
}

// memoryMarks is a HighWater without a disk, with faults.
type memoryMarks struct {
	marks map[string]Mark
	fault store.Fault // of the next Raise
}

func newMarks() *memoryMarks { return &memoryMarks{marks: map[string]Mark{}} }

func (m *memoryMarks) Marks() (map[string]Mark, error) {
	c := map[string]Mark{}
	for k, v := range m.marks {
		c[k] = v
	}
	return c, nil
}

func (m *memoryMarks) Raise(marks map[string]Mark) error {
	fault := m.fault
	m.fault = store.NoFault
	if fault != store.CommitLost {
		for k, v := range marks {
			m.marks[k] = v
		}
	}
	if fault != store.NoFault {
		return errors.New("the disk failed")
	}
	return nil
}

func fileMarks(t testing.TB) HighWater {
	return HighWaterFile(filepath.Join(t.TempDir(), "high-water"))
}
