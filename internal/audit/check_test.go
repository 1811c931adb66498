package audit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
)

const (
	verifier = "platform:1"
	office   = "minister:1"
)

// desk is a log that is written as an actor writes it, with a witness beside it.
type desk struct {
	t          testing.TB
	url        string
	db         *store.DB
	seq        *feed.Sequencer
	signer     *feed.Signer
	water      string
	keys       map[string]*ecdsa.PrivateKey
	now        time.Time // civil and wall
	run        string
	statements []string
	stated     *Place
	number     uint64
}

func newDesk(t testing.TB, url string) *desk {
	t.Helper()
	d := &desk{t: t, url: url, keys: map[string]*ecdsa.PrivateKey{}, now: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), water: filepath.Join(t.TempDir(), "water")}
	for _, id := range []string{verifier, office} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		d.must(err)
		d.keys[id] = key
	}
	var err error
	d.db, err = store.Open(t.Context(), url, nil, feed.Tables())
	d.must(err)
	t.Cleanup(func() { d.db.Close() })
	d.signer, err = feed.NewSigner(d.keys[verifier], verifier)
	d.must(err)
	d.open()
	return d
}

// open reads the high-water file and the database, as a start does.
func (d *desk) open() {
	d.t.Helper()
	var err error
	d.seq, err = feed.NewSequencer(d.t.Context(), feed.SequencerConfig{DB: d.db, Log: slog.New(slog.DiscardHandler), HighWater: feed.HighWaterFile(d.water)})
	d.must(err)
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) known(instance string) ([]jose.JSONWebKey, error) {
	if k := d.keys[instance]; k != nil {
		return []jose.JSONWebKey{{Key: &k.PublicKey}}, nil
	}
	return nil, errors.New("nobody of that name")
}

func (d *desk) expect() Expect {
	return Expect{Verifier: verifier, Keys: d.known, Statements: d.statements}
}

func (d *desk) write(lines ...Line) {
	d.t.Helper()
	d.must(d.db.Update(d.t.Context(), func(tx *store.Tx) error {
		for _, l := range lines {
			if err := Record(context.Background(), tx, d.now, l); err != nil {
				return err
			}
		}
		return nil
	}))
	for {
		n, err := d.seq.Step(d.t.Context())
		d.must(err)
		if n == 0 {
			return
		}
	}
}

// acts writes n lines about acts.
func (d *desk) acts(n int) {
	d.t.Helper()
	var lines []Line
	for range n {
		lines = append(lines, Line{Who: "tenant:bank", Terminal: "192.0.2.7", Act: "verify", Subject: string(jitsuin.NewID()), Tenant: "tenant:bank",
			Detail: map[string]string{"verdict": "TOTAL-PASSED", "purpose": "account"}})
	}
	d.write(lines...)
}

func (d *desk) head() feed.Mark {
	d.t.Helper()
	h, err := d.seq.Head(d.t.Context(), Topic)
	d.must(err)
	return h.Mark()
}

// says has the actor say that it runs.
func (d *desk) says(act string) {
	d.t.Helper()
	if act == ActStarted {
		d.run = string(jitsuin.NewID())
	}
	head, err := d.signer.SignHead(Topic, d.head(), d.now)
	d.must(err)
	d.write(Present(act, verifier, d.run, 0, head))
}

// hours lets time pass, with acts in each hour.
func (d *desk) hours(n, acts int) {
	d.t.Helper()
	for range n {
		d.acts(acts)
		d.now = d.now.Add(time.Hour)
		d.says(ActHour)
	}
}

// witness has the witness read to the head and state it.
func (d *desk) witness(finding string) {
	d.t.Helper()
	d.number++
	seen := PlaceOf(d.head())
	s := Statement{Witness: office, Verifier: verifier, Topic: Topic, Number: d.number, Seen: seen, Before: d.stated, Finding: finding, Civil: d.now, Wall: d.now}
	jws, err := s.Sign(d.keys[office])
	d.must(err)
	d.statements, d.stated = append(d.statements, jws), &seen
}

func (d *desk) export() []byte {
	d.t.Helper()
	var out bytes.Buffer
	d.must(d.db.View(d.t.Context(), func(tx *store.Tx) error {
		out.Reset()
		_, err := Export(tx, &out, d.statements, func(m feed.Mark) (string, error) { return d.signer.SignHead(Topic, m, d.now) })
		return err
	}))
	return out.Bytes()
}

// day is a log of some hours with a witness that stated three times, the last time at its end.
func day(t testing.TB, url string) *desk {
	t.Helper()
	d := newDesk(t, url)
	d.says(ActStarted)
	d.hours(2, 20)
	d.witness("")
	d.hours(3, 20)
	d.witness("")
	d.hours(2, 20)
	d.acts(15)
	d.witness("")
	return d
}

func (d *desk) check(e Expect) Report {
	d.t.Helper()
	r, err := CheckDatabase(d.t.Context(), d.db, e)
	d.must(err)
	return r
}

func TestAWholeLogIsWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		d := day(t, url)
		r := d.check(d.expect())
		head := d.head()
		if r.Fault != nil || r.Lines != head.N || r.Last.Mark() != head || r.Incomplete() || len(r.Gaps) != 0 || r.Statements != 3 {
			t.Fatalf("%+v", r)
		}
		if r.Witnessed != head.Position || r.Signed.N == 0 {
			t.Errorf("witnessed up to %s, signed up to %s", r.Witnessed, r.Signed)
		}
		of, err := CheckExport(bytes.NewReader(d.export()), Expect{Verifier: verifier, Keys: d.known})
		if err != nil || of.Fault != nil || of.Lines != r.Lines || of.Witnessed != r.Witnessed {
			t.Errorf("exported: %+v, %v", of, err)
		}
	})
}

func TestAnEmptyLogIsWhole(t *testing.T) {
	d := newDesk(t, "sqlite::memory:")
	if r := d.check(d.expect()); r.Fault != nil || r.Lines != 0 {
		t.Errorf("%+v", r)
	}
	if r, err := CheckExport(bytes.NewReader(d.export()), d.expect()); err != nil || r.Fault != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := CheckExport(bytes.NewReader(nil), d.expect()); err != nil || r.Fault == nil || r.Fault.Code != FaultUnsigned {
		t.Errorf("nothing at all: %+v, %v", r, err)
	}
}

// A database that is tampered with: the first bad entry is named, whatever the intruder also changed in it.
func TestTamperedDatabases(t *testing.T) {
	type tamper struct {
		name  string
		sql   []string
		code  string
		at    uint64 // of the first bad entry
		until uint64
	}
	for _, c := range []tamper{
		{"a word is changed", []string{`UPDATE feed_events SET body = REPLACE(body, 'TOTAL-PASSED', 'TOTAL-FAILED') WHERE n = 30`}, FaultChanged, 30, 0},
		{"another time", []string{`UPDATE feed_events SET recorded_at = recorded_at + 1 WHERE n = 31`}, FaultChanged, 31, 0},
		{"blanks in the JSON", []string{`UPDATE feed_events SET body = REPLACE(body, '{', '{ ') WHERE n = 33`}, FaultChanged, 33, 0},
		{"the words are erased", []string{`UPDATE feed_events SET body = NULL WHERE n = 34`}, FaultNoLine, 34, 0},
		{"a line is removed", []string{`DELETE FROM feed_events WHERE n = 40`}, FaultMissing, 40, 40},
		{"an hour is removed", []string{`DELETE FROM feed_events WHERE n BETWEEN 40 AND 60`}, FaultMissing, 40, 60},
		{"the first lines are removed", []string{`DELETE FROM feed_events WHERE n < 5`}, FaultMissing, 1, 4},
		{"a line is removed, and the rest moved up", []string{`DELETE FROM feed_events WHERE n = 40`, `UPDATE feed_events SET n = n - 1 WHERE n > 40`}, FaultChanged, 40, 0},
		{"two lines change places", []string{`UPDATE feed_events SET n = 9999 WHERE n = 50`, `UPDATE feed_events SET n = 50 WHERE n = 51`, `UPDATE feed_events SET n = 51 WHERE n = 9999`}, FaultChanged, 50, 0},
		{"the tail is cut", []string{`DELETE FROM feed_events WHERE n > 100`}, FaultCut, 101, 0},
		{"the tail is cut, the head with it", []string{`DELETE FROM feed_events WHERE n > 100`,
			`UPDATE feed_heads SET n = 100, hash = (SELECT hash FROM feed_events WHERE n = 100)`}, FaultCut, 101, 0},
		{"everything is gone", []string{`DELETE FROM feed_events`, `DELETE FROM feed_heads`}, FaultCut, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := day(t, "sqlite::memory:")
			last := d.head().N
			d.must(d.db.Update(t.Context(), func(tx *store.Tx) error {
				for _, q := range c.sql {
					if _, err := tx.Exec(q); err != nil {
						return err
					}
				}
				return nil
			}))
			f := d.check(d.expect()).Fault
			until := c.until
			if c.code == FaultCut {
				until = last
			}
			if f == nil || f.Code != c.code || f.At.N != c.at || f.Until.N != until {
				t.Errorf("%v, wanted %s at %d to %d", f, c.code, c.at, until)
			}
		})
	}
}

// An intruder who has the database alone and makes the whole chain anew is found by what the actor had signed.
func TestAChainMadeAnewIsFound(t *testing.T) {
	for name, also := range map[string]func(*desk){
		"by the signed heads in the log": func(d *desk) { d.statements = nil },
		"by the witness":                 func(*desk) {},
	} {
		t.Run(name, func(t *testing.T) {
			d := day(t, "sqlite::memory:")
			also(d)
			forged := d.forge(d.export(), 30, 1)
			r, err := CheckExport(bytes.NewReader(forged), d.expect())
			if err != nil || r.Fault == nil || r.Fault.At.N > 30 || r.Fault.Until.N < 30 || r.Fault.Code != FaultRewritten {
				t.Errorf("%+v, %v", r.Fault, err)
			}
		})
	}
}

// An intruder who also has the actor's key is found by the witness alone.
func TestWithTheKeyOnlyTheWitnessFindsIt(t *testing.T) {
	d := day(t, "sqlite::memory:")
	var other *desk
	for other == nil || other.head().N < d.head().N {
		other = newDesk(t, "sqlite::memory:")
		other.keys = d.keys
		other.signer = d.signer
		other.says(ActStarted)
		other.hours(7, 20)
		other.acts(40)
	}
	e := other.expect()
	if r := other.check(e); r.Fault != nil {
		t.Fatalf("the forgery is not even good in itself: %v", r.Fault)
	}
	e.Statements = d.statements
	if r := other.check(e); r.Fault == nil || r.Fault.Code != FaultRewritten || r.Fault.At.N != 1 {
		t.Errorf("%+v", r.Fault)
	}
}

func TestARolledBackDatabase(t *testing.T) {
	d := newDesk(t, filepath.Join(t.TempDir(), "db"))
	d.says(ActStarted)
	d.hours(2, 10)
	d.witness("")
	d.acts(5)
	kept := filepath.Join(t.TempDir(), "kept")
	d.copyTo(kept)
	was := d.head()
	d.hours(3, 10)
	d.witness("")
	d.acts(3)
	lost := d.head()

	old, err := store.Open(t.Context(), kept, nil, feed.Tables())
	d.must(err)
	defer old.Close()
	marks, err := feed.PeekMarks(d.water)
	d.must(err)
	e := d.expect()
	e.Reached = []feed.Mark{marks[Topic]}
	r, err := CheckDatabase(t.Context(), old, e)
	if err != nil || r.Fault == nil || r.Fault.Code != FaultCut || r.Fault.At.N != was.N+1 || r.Fault.Until.N != lost.N {
		t.Fatalf("by the high-water file: %+v, %v", r.Fault, err)
	}
	r, err = CheckDatabase(t.Context(), old, d.expect())
	if err != nil || r.Fault == nil || r.Fault.Code != FaultCut || r.Fault.At.N != was.N+1 || r.Fault.Until.N != lost.N-3 {
		t.Fatalf("by the witness, where the intruder rolled that file back, too: %+v, %v", r.Fault, err)
	}

	// An operator who restores says so: a new epoch begins, and what was lost is named.
	d.db = old
	d.open()
	if _, err := d.seq.NewEpoch(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if r := d.check(d.expect()); r.Fault != nil {
		t.Errorf("before the first line of the new epoch: %v", r.Fault)
	}
	d.says(ActStarted)
	d.hours(1, 4)
	d.witness(FindingLost)
	r = d.check(d.expect())
	if r.Fault != nil || !r.Incomplete() || len(r.Epochs) != 1 {
		t.Fatalf("%+v", r)
	}
	if n := r.Epochs[0]; n.After != was.Position || n.At != (jitsuin.Position{Epoch: 7, N: 1}) || n.Lost != lost.N-3-was.N || n.LostUntil.N != lost.N-3 {
		t.Errorf("%+v", n)
	}
	if len(r.Findings) != 1 || r.Findings[0].Finding != FindingLost {
		t.Errorf("%+v", r.Findings)
	}
}

// copyTo keeps a copy of the database as it is now.
func (d *desk) copyTo(path string) {
	d.t.Helper()
	d.must(d.db.Close()) // the file is whole then
	content, err := os.ReadFile(d.url)
	d.must(err)
	d.must(os.WriteFile(path, content, 0o600))
	d.db, err = store.Open(d.t.Context(), d.url, nil, feed.Tables())
	d.must(err)
	d.open()
}

func TestAMissingHourIsNamed(t *testing.T) {
	d := newDesk(t, "sqlite::memory:")
	start := d.now
	d.says(ActStarted)
	d.hours(2, 2)
	d.now = d.now.Add(20 * time.Minute)
	d.says(ActStopped)
	d.now = d.now.Add(3 * time.Hour) // it does not run
	d.says(ActStarted)
	d.hours(2, 2)
	silent := d.now
	d.now = d.now.Add(5 * time.Hour) // it was killed
	d.says(ActStarted)
	d.hours(1, 2)
	r := d.check(d.expect())
	if len(r.Gaps) != 2 || !r.Incomplete() {
		t.Fatalf("%+v", r.Gaps)
	}
	if g := r.Gaps[0]; !g.Stopped || !g.From.Equal(start.Add(2*time.Hour+20*time.Minute)) || g.To.Sub(g.From) != 3*time.Hour || len(g.Hours()) != 4 || g.After.N+1 != g.Before.N {
		t.Errorf("the stop: %+v", g)
	}
	if g := r.Gaps[1]; g.Stopped || !g.From.Equal(silent) || g.To.Sub(g.From) != 5*time.Hour || len(g.Hours()) != 6 {
		t.Errorf("the silence: %+v", g)
	}
	e := d.expect()
	e.Period = Span{silent.Add(90 * time.Minute), silent.Add(100 * time.Minute)}
	if r := d.check(e); len(r.Gaps) != 1 || r.Gaps[0].Span != e.Period {
		t.Errorf("a period within the silence: %+v", r.Gaps)
	}
	e.Period = Span{start, start.Add(2 * time.Hour)}
	if r := d.check(e); len(r.Gaps) != 0 {
		t.Errorf("a period that is covered: %+v", r.Gaps)
	}
}

func TestAMovedClockIsNoSilence(t *testing.T) {
	d := newDesk(t, "sqlite::memory:")
	d.says(ActStarted)
	d.now = d.now.Add(time.Hour + 30*24*time.Hour)
	head, err := d.signer.SignHead(Topic, d.head(), d.now)
	d.must(err)
	d.write(Present(ActHour, verifier, d.run, 30*24*time.Hour, head))
	if r := d.check(d.expect()); len(r.Gaps) != 0 || r.Fault != nil {
		t.Errorf("%+v", r)
	}
}
