package audits

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
)

// desk is a platform that has run, and a witness that answers over HTTP.
type desk struct {
	t      *testing.T
	folder string
	place  Place
	keys   map[string]httpapi.Identity
	stated []string
	db     *store.DB
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, folder: t.TempDir(), keys: map[string]httpapi.Identity{}}
	d.place = Place{Config: d.path("platform.yaml")}
	witness := httptest.NewServer(http.HandlerFunc(d.answer))
	t.Cleanup(witness.Close)
	address, err := freeport.Address()
	d.must(err)
	operator, err := actor.NewKey()
	d.must(err)
	var list []httpapi.Instance
	for id, origin := range map[string]string{"platform:1": "http://" + address, "minister:1": witness.URL, "jlis:1": "", "status:1": "", "holder:1": ""} {
		key, err := actor.NewKey()
		d.must(err)
		d.keys[id] = httpapi.Identity{ID: id, Key: key}
		list = append(list, d.keys[id].Public(origin))
	}
	signed, err := httpapi.SignDirectory(operator, list)
	d.must(err)
	d.must(os.WriteFile(d.path("directory.jws"), signed, 0o600))
	d.must(actor.WritePublicKey(d.path("operator.pem"), &operator.PublicKey))
	d.must(actor.WriteKey(d.path("key.pem"), d.keys["platform:1"].Key))
	d.must(os.WriteFile(d.place.Config, []byte("instance: platform:1\nlisten: "+address+`
database: db.sqlite
state: state
key: key.pem
directory: directory.jws
directory_key: operator.pem
`), 0o600))
	v, err := open(d.place.Config)
	d.must(err)
	p, err := platform.New(t.Context(), v.config) // makes the tables
	d.must(err)
	d.must(p.Close())
	d.write(v.config)
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.folder, name) }

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// answer is the witness.
func (d *desk) answer(w http.ResponseWriter, r *http.Request) {
	list := api.StatementList{Statements: []string{}}
	if r.URL.Path == "/witness/platform:1/statements" && r.URL.Query().Get("after") == "0" {
		list = api.StatementList{Statements: d.stated, Last: uint64(len(d.stated))}
	}
	json.NewEncoder(w).Encode(list)
}

// write fills the log up to twenty lines and has it stated.
func (d *desk) write(c platform.Config) {
	d.t.Helper()
	var err error
	d.db, err = store.Open(d.t.Context(), c.Database, platform.Migrations(), feed.Tables())
	d.must(err)
	d.t.Cleanup(func() { d.db.Close() })
	seq, err := feed.NewSequencer(d.t.Context(), feed.SequencerConfig{DB: d.db, Log: slog.New(slog.DiscardHandler), HighWater: feed.HighWaterFile(filepath.Join(c.State, actor.HighWaterFile))})
	d.must(err)
	d.must(d.db.Update(d.t.Context(), func(tx *store.Tx) error {
		for range 19 { // the first line is the platform's own, about its key for ID tokens
			if err := audit.Record(d.t.Context(), tx, time.Now(), audit.Line{Who: "tenant:bank", Act: "verify", Subject: string(jitsuin.NewID())}); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err = seq.Step(d.t.Context())
	d.must(err)
	head, err := seq.Head(d.t.Context(), audit.Topic)
	d.must(err)
	s := audit.Statement{Witness: "minister:1", Verifier: "platform:1", Topic: audit.Topic, Number: 1, Seen: audit.PlaceOf(head.Mark())}
	jws, err := s.Sign(d.keys["minister:1"].Key)
	d.must(err)
	d.stated = []string{jws}
}

func (d *desk) look() Found {
	d.t.Helper()
	found, err := Databases(d.t.Context(), d.place, nil)
	if err != nil || len(found) != 1 {
		d.t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

func said(f Found, lang string) string {
	var all strings.Builder
	for _, l := range f.Say(lang) {
		all.WriteString(l.Text + "\n")
	}
	return all.String()
}

func (d *desk) exec(query string) {
	d.t.Helper()
	d.must(d.db.Update(d.t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query); return err }))
}

func TestADatabaseIsLookedAtWithItsWitness(t *testing.T) {
	d := newDesk(t)
	f := d.look()
	if f.Code() != 0 || f.Witnessed.N != 20 || f.Unasked != "" {
		t.Fatalf("%+v", f)
	}
	if en, ja := said(f, "en"), said(f, "ja"); !strings.Contains(en, "is whole: 20 lines, 1.1 to 1.20") || !strings.Contains(ja, "完全です：20 行") {
		t.Errorf("%s%s", en, ja)
	}
	// The tail is cut, head and high-water file with it: only the witness knows.
	d.exec(`DELETE FROM feed_events WHERE n > 12`)
	d.exec(`UPDATE feed_heads SET n = 12, hash = (SELECT hash FROM feed_events WHERE n = 12)`)
	d.must(os.Remove(filepath.Join(d.folder, "state", actor.HighWaterFile)))
	if f = d.look(); f.Code() != 1 || f.Fault.Code != audit.FaultCut || !strings.Contains(said(f, "en"), "1.13–1.20: the end was cut off") || !strings.Contains(said(f, "ja"), "1.13–1.20") {
		t.Errorf("%+v\n%s", f.Fault, said(f, "en"))
	}
	d.stated = nil
	if f = d.look(); f.Code() != 0 || !strings.Contains(said(f, "en"), "no witness has stated anything") {
		t.Errorf("without a witness nobody can know: %s", said(f, "en"))
	}
}

func TestAWitnessThatIsAwayIsNamed(t *testing.T) {
	d := newDesk(t)
	d.keys["minister:1"] = httpapi.Identity{}
	v, err := open(d.place.Config)
	d.must(err)
	v.config.Minister = "minister:9"
	f, err := v.check(t.Context(), nil)
	if err != nil || f.Code() != 0 || f.Unasked == "" || !strings.Contains(said(f, "en"), "the witness was not asked") {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestFilesAreTakenAwayAndChecked(t *testing.T) {
	d := newDesk(t)
	var log bytes.Buffer
	if n, err := Export(t.Context(), d.place, &log); err != nil || n != 20 {
		t.Fatalf("%d, %v", n, err)
	}
	path := d.path("log.ndjson")
	key, err := actor.ReadPublicKey(d.path("operator.pem"))
	d.must(err)
	check := func(content []byte) Found {
		t.Helper()
		d.must(os.WriteFile(path, content, 0o600))
		f, err := File(path, key, d.path("directory.jws"), nil)
		d.must(err)
		return f
	}
	if f := check(log.Bytes()); f.Code() != 0 || f.Witnessed.N != 20 {
		t.Errorf("%+v", f)
	}
	if f := check(bytes.Replace(log.Bytes(), []byte("tenant:bank"), []byte("tenant:bonk"), 1)); f.Code() != 1 || f.Fault.At.N != 2 {
		t.Errorf("%+v", f.Fault)
	}
	var zip bytes.Buffer
	today := jitsuin.DateOf(time.Now())
	m, err := Pack(t.Context(), d.place, audit.PeriodOf(today, today), &zip)
	if err != nil || len(m.Missing) == 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	f := check(zip.Bytes())
	if f.Fault != nil || f.Pack == nil || f.Code() != 2 { // nothing says that the platform ran
		t.Errorf("%+v", f)
	}
	if text := said(f, "en"); !strings.Contains(text, "its signature is genuine") || !strings.Contains(text, "no word of the time from") || !strings.Contains(text, "missing [operators]") {
		t.Error(text)
	}
	other, err := actor.NewKey()
	d.must(err)
	if _, err := File(path, &other.PublicKey, "", nil); jitsuin.CodeOf(err) != "directory-signature" {
		t.Errorf("with another key: %v", err)
	}
}

func TestStatementsComeAsLinesOrAsAnswers(t *testing.T) {
	for _, text := range []string{"a.b.c\nd.e.f\n", `{"statements":["a.b.c"],"last":1}` + "\n" + `{"statements":["d.e.f"],"last":2}`} {
		if all, err := ReadStatements([]byte(text)); err != nil || strings.Join(all, " ") != "a.b.c d.e.f" {
			t.Errorf("%v, %v", all, err)
		}
	}
	if _, err := ReadStatements([]byte(`{"statements":`)); jitsuin.CodeOf(err) != "statements-form" {
		t.Errorf("%v", err)
	}
}
