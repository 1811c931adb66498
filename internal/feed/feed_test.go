package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

// The story: a sender appends within its own transactions, events get numbers, a reader follows.
func TestFollow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		db := openDB(t, url)
		s := newSender(t, db, fileMarks(t))
		r := newReader(t, openDB(t, "sqlite::memory:"), s)
		r.mustPoll() // nothing yet
		s.must("a", "1", "b", "1", "a", "2")
		s.must("c", "1")
		r.mustPoll()
		wantState(t, r, "a", "2", "b", "1", "c", "1")
		if h := r.f.Health(); h.Err() != nil || h.Cursor != (jitsuin.Position{Epoch: 1, N: 4}) || h.Applied != h.Cursor {
			t.Errorf("health %+v", h)
		}
		if got := number(t, r.db, `SELECT n FROM passed_on WHERE epoch = 1`); got != 4 {
			t.Errorf("passed on as far as %d", got)
		}
	})
}

// Events for which nobody waits are numbered a little later, at the latest with the next one for which somebody does.
func TestPatientEvents(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.seq.Run(ctx) }()
	patient := func(subject string) {
		t.Helper()
		err := s.db.Update(t.Context(), func(tx *store.Tx) error {
			_, err := Append(tx, Draft{Topic: topic, Subject: subject, Type: "set", RecordedAt: start, Patient: true})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	numbered := func(want int64) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); number(t, s.db, `SELECT COUNT(*) FROM feed_events`) != want; {
			if time.Now().After(deadline) {
				t.Fatalf("not %d events after 10 seconds, long before the sequencer looks by itself", want)
			}
			time.Sleep(time.Millisecond)
		}
	}
	if err := s.append("first", "1"); err != nil {
		t.Fatal(err)
	}
	numbered(1) // so that nothing of the start numbers the next
	time.Sleep(20 * time.Millisecond)
	patient("a")
	numbered(2)
	patient("b")
	if err := s.append("c", "1"); err != nil {
		t.Fatal(err)
	}
	numbered(4)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAbortedTransactionAppendsNothing(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	err := s.db.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := Append(tx, Draft{Topic: topic, Subject: "a", Type: "set", RecordedAt: start}); err != nil {
			t.Fatal(err)
		}
		return errors.New("the act failed")
	})
	if n, stepErr := s.seq.Step(t.Context()); err == nil || n != 0 || stepErr != nil {
		t.Errorf("numbered %d: %v", n, stepErr)
	}
}

func get(t *testing.T, s *sender, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	s.srv.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The wire format, written out by hand: the hash is computed here from the definition alone.
func TestWireFormat(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	err := s.db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := Append(tx, Draft{Topic: topic, Subject: "実印", Type: "<set>", Body: map[string]any{"z": 1.50, "a": "é&"},
			RecordedAt: start.Add(1500 * time.Millisecond), Origin: &Origin{"municipality:91201", 2, 7}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.must("b", "1")
	resp := get(t, s, "/feeds/changes?after=&limit=1")
	line := body(t, resp)
	if resp.Header.Get("Content-Type") != "application/x-ndjson" || resp.Header.Get("Feed-Head") != "1.2" || strings.Count(line, "\n") != 1 {
		t.Fatalf("%v %q", resp.Header, line)
	}
	const members = `{"epoch":1,"n":1,"origin":{"actor":"municipality:91201","epoch":2,"n":7},"recorded_at":"2026-04-01T00:00:01.5Z",` +
		`"subject":"実印","type":"<set>","version":1}`
	const content = `{"a":"é&","z":1.5}`
	m, b := sha256.Sum256([]byte(members)), sha256.Sum256([]byte(content))
	want := Hash(sha256.Sum256(append(append(make([]byte, 32), m[:]...), b[:]...)))
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	if got["hash"] != want.String() || got["prev"] != strings.Repeat("0", 64) || !strings.Contains(line, `"body":`+content) {
		t.Errorf("the line %s\nshould have hash %s", line, want)
	}
	// Another sender's members, order and spacing are hashed as they come.
	form, err := jcs.Transform([]byte(`{"n":1,"epoch":1,"later":[1,2],"type":"t","subject":"s","version":1,"recorded_at":"2026-04-01T00:00:00.500Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	m = sha256.Sum256(form)
	sum := Hash(sha256.Sum256(append(append(make([]byte, 32), m[:]...), b[:]...)))
	foreign := `{ "later":[1, 2],"prev":"` + Hash{}.String() + `","hash":"` + sum.String() + `","body":{"z":1.50,"a":"é&"},
		"n":1,"epoch":1,"type":"t","subject":"s","version":1,"recorded_at":"2026-04-01T00:00:00.500Z"}`
	if _, err := parseEvent([]byte(foreign)); err != nil {
		t.Error(err)
	}
	for _, near := range []string{
		strings.Replace(foreign, `"later":[1, 2]`, `"later":[1, 3]`, 1),
		strings.Replace(foreign, `"z":1.50`, `"z":1.51`, 1),
		strings.Replace(foreign, `"version":1`, `"version":2`, 1),
		strings.Replace(foreign, `"body":`, `"body_":`, 1),
		strings.Replace(foreign, `"body":`, `"body_hash":"`+Hash{}.String()+`","body":`, 1),
		strings.Replace(foreign, `"hash":"`, `"hash":"A`, 1),
		foreign[:len(foreign)-1], "null", "[]", "",
	} {
		if _, err := parseEvent([]byte(near)); err == nil {
			t.Errorf("accepted %s", near)
		}
	}
}

func TestErasedBodiesStillChain(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	s.must("a", "secret", "b", "1", "a", "new")
	err := s.db.Update(t.Context(), func(tx *store.Tx) error {
		n, err := Erase(tx, topic, "a", 1)
		if n != 1 {
			t.Errorf("erased %d", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := body(t, get(t, s, "/feeds/changes")); strings.Contains(text, "secret") || strings.Count(text, "body_hash") != 1 {
		t.Errorf("served %s", text)
	}
	r := newReader(t, openDB(t, "sqlite::memory:"), s)
	r.mustPoll()
	wantState(t, r, "a", "new", "b", "1")
}

func TestAppendRefuses(t *testing.T) {
	db := openDB(t, "sqlite::memory:")
	good := Draft{Topic: topic, Subject: "a", Type: "set", Body: 1, RecordedAt: start}
	change := func(f func(*Draft)) Draft { d := good; f(&d); return d }
	for name, d := range map[string]Draft{
		"topic":   change(func(d *Draft) { d.Topic = "Changes" }),
		"path":    change(func(d *Draft) { d.Topic = "a/b" }),
		"subject": change(func(d *Draft) { d.Subject = "" }),
		"long":    change(func(d *Draft) { d.Subject = strings.Repeat("x", MaxSubject+1) }),
		"utf8":    change(func(d *Draft) { d.Subject = "\xff" }),
		"type":    change(func(d *Draft) { d.Type = "" }),
		"time":    change(func(d *Draft) { d.RecordedAt = time.Time{} }),
		"body":    change(func(d *Draft) { d.Body = func() {} }),
		"large":   change(func(d *Draft) { d.Body = strings.Repeat("x", MaxBody) }),
	} {
		err := db.Update(t.Context(), func(tx *store.Tx) error { _, err := Append(tx, d); return err })
		if jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := Append(tx, change(func(d *Draft) { d.Body = strings.Repeat("<", MaxBody-2) }))
		return err
	})
	if err != nil { // the largest body goes through the whole way
		t.Fatal(err)
	}
	s := newSender(t, db, newMarks())
	s.must("b", "1")
	events, err := (&SourceConfig{Source: "s", Topic: topic, BaseURL: "http://s", HTTP: &http.Client{Transport: s}, Limit: 10}).events(t.Context(), cursor{}, 0)
	if err != nil || len(events) != 2 {
		t.Errorf("read %d events: %v", len(events), err)
	}
}

func TestServerRefuses(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	s.must("a", "1")
	s.srv.cfg.Allow = func(_ *http.Request, topic string) error {
		if topic == "others" {
			return jitsuin.Errorf(jitsuin.Denied, "not-yours", "another's feed")
		}
		return nil
	}
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"/feeds/changes":                 {200, ""},
		"/feeds/changes?after=1.0":       {200, ""},
		"/feeds/empty":                   {200, ""},
		"/feeds/others":                  {403, "not-yours"},
		"/feeds/others/head":             {403, "not-yours"},
		"/feeds/others/snapshot":         {403, "not-yours"},
		"/feeds/CHANGES":                 {400, "feed-topic"},
		"/feeds/changes?after=x":         {400, "position-form"},
		"/feeds/changes?after=-1.0":      {400, "position-form"},
		"/feeds/changes?wait=-1s":        {400, "feed-wait"},
		"/feeds/changes?wait=long":       {400, "feed-wait"},
		"/feeds/changes?limit=0":         {400, "feed-limit"},
		"/feeds/changes?after=1.1&wait=": {200, ""},
	} {
		r := get(t, s, path)
		if r.StatusCode != want.status || r.Header.Get("Feed-Error") != want.code {
			t.Errorf("%s: %d %q", path, r.StatusCode, r.Header.Get("Feed-Error"))
		}
		if text := body(t, r); want.code != "" && !strings.Contains(text, `"code":"`+want.code+`"`) {
			t.Errorf("%s: %s", path, text)
		}
	}
	s.srv.cfg.MaxReaders = 1
	s.srv.readers.Store(1)
	if r := get(t, s, "/feeds/changes"); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", r.StatusCode)
	}
}

// A reader that waits is woken by the event, long before its time is over.
func TestLongPoll(t *testing.T) {
	s := newSender(t, openDB(t, storetest.SQLite().Fresh(t)), newMarks())
	ctx, stop := context.WithCancel(t.Context())
	running := make(chan error, 2)
	go func() { running <- s.seq.Run(ctx) }()
	web := httptest.NewServer(s.srv.Handler())
	defer web.Close()
	r := newReader(t, openDB(t, storetest.SQLite().Fresh(t)), http.DefaultTransport)
	r.f.cfg.BaseURL = web.URL
	applied := make(chan string, 10)
	inner := r.f.cfg.Apply
	r.f.cfg.Apply = func(ctx context.Context, tx *store.Tx, e Event) error {
		tx.AfterCommit(func() { applied <- e.Subject })
		return inner(ctx, tx, e)
	}
	go func() { running <- r.f.Run(ctx) }()
	for _, subject := range []string{"a", "b", "c"} {
		if err := s.append(subject, "1"); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-applied:
			if got != subject {
				t.Errorf("applied %s, want %s", got, subject)
			}
		case <-time.After(20 * time.Second): // the wait is 25 s
			t.Fatal("the reader was not woken")
		}
	}
	stop()
	for range 2 {
		if err := <-running; err != nil {
			t.Errorf("not a clean stop: %v", err)
		}
	}
}

func TestSignedHead(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	s.must("a", "1", "b", "1")
	compact := body(t, get(t, s, "/feeds/changes/head"))
	h, err := verifyHead(compact, "head", topic, pinned)
	if err != nil || h.Epoch != 1 || h.N != 2 || h.Hash.IsZero() {
		t.Fatalf("%+v %v", h, err)
	}
	forged, err := NewSigner(mustKey(t), "sender-1")
	if err != nil {
		t.Fatal(err)
	}
	fake, err := forged.sign(h)
	if err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]func() error{
		"use":   func() error { _, err := verifyHead(compact, "snapshot", topic, pinned); return err },
		"topic": func() error { _, err := verifyHead(compact, "head", "other", pinned); return err },
		"key":   func() error { _, err := verifyHead(fake, "head", topic, pinned); return err },
		"tampered": func() error {
			_, err := verifyHead(compact[:len(compact)-8]+"AAAAAAAA", "head", topic, pinned)
			return err
		},
		"not a jws": func() error {
			_, err := verifyHead("x.y.z", "head", topic, pinned)
			return err
		},
	} {
		if check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMemoryFollower(t *testing.T) {
	s := newSender(t, openDB(t, "sqlite::memory:"), newMarks())
	s.must("a", "1", "b", "1", "a", "2")
	state := map[string]string{}
	f, err := NewMemoryFollower(MemoryConfig{SourceConfig: source(s), Log: silent,
		Apply: func(_ context.Context, e Event) error { state[e.Subject] = string(e.Body); return nil },
		Reset: func() { clear(state) }})
	if err != nil {
		t.Fatal(err)
	}
	poll := func() {
		t.Helper()
		if _, err := f.Poll(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	poll()
	if len(state) != 2 || !strings.Contains(state["a"], "2") || f.Position() != (jitsuin.Position{Epoch: 1, N: 3}) {
		t.Errorf("%v at %s", state, f.Position())
	}
	if _, err := s.seq.NewEpoch(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	state["gone"] = "must not survive the snapshot"
	s.must("c", "1")
	poll()
	poll()
	if len(state) != 3 || state["gone"] != "" || f.Position() != (jitsuin.Position{Epoch: 5, N: 1}) {
		t.Errorf("%v at %s", state, f.Position())
	}
	f.cfg.Apply = func(context.Context, Event) error { return errors.New("a defect") }
	s.must("d", "1")
	_, err = f.Poll(t.Context(), 0)
	wantAlarm(t, err, CodeApply)
	if f.Position().N != 1 || f.Health() == nil {
		t.Error("it went on")
	}
}

func TestHighWaterFile(t *testing.T) {
	path := t.TempDir() + "/high-water"
	open := func() (HighWater, map[string]Mark) {
		t.Helper()
		h := HighWaterFile(path)
		m, err := h.Marks()
		if err != nil {
			t.Fatal(err)
		}
		return h, m
	}
	h, m := open()
	if len(m) != 0 {
		t.Fatal(m)
	}
	for n := range uint64(20000) { // far beyond the size at which it is compacted
		if n < 19990 && n%100 != 0 {
			continue
		}
		if err := h.Raise(map[string]Mark{topic: {jitsuin.Position{Epoch: 1, N: n}, Hash{1, byte(n)}}, "other": {jitsuin.Position{Epoch: 3, N: 1}, Hash{}}}); err != nil {
			t.Fatal(err)
		}
	}
	want := Mark{jitsuin.Position{Epoch: 1, N: 19999}, Hash{1, byte(19999 % 256)}}
	if _, m = open(); len(m) != 2 || m[topic] != want {
		t.Errorf("read %v", m)
	}
	f := h.(*highWaterFile)
	if _, err := f.write(bytes.Repeat([]byte("other 3.1 "+Hash{}.String()+"\n"), compactAt/70)); err != nil {
		t.Fatal(err)
	}
	if err := h.Raise(map[string]Mark{topic: want}); err != nil {
		t.Fatal(err)
	}
	if size := fileSize(t, path); size > 1000 {
		t.Errorf("after compaction %d bytes", size)
	}
	appendTo(t, path, topic+" 1.99999 0123") // a crash in the middle of a line
	if h, m = open(); m[topic] != want {
		t.Errorf("read %v", m)
	}
	want.N++
	if err := h.Raise(map[string]Mark{topic: want}); err != nil {
		t.Fatal(err)
	}
	if _, m = open(); m[topic] != want {
		t.Errorf("read %v after the torn line", m)
	}
	appendTo(t, path, "nonsense\n")
	if _, err := HighWaterFile(path).Marks(); err == nil {
		t.Error("a damaged file was read")
	}
}
