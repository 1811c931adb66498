package platform_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/audit"
	auditpack "github.com/jitsuin/jitsuin/internal/audit/pack"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/rules"
)

// archive is a platform that has ended, with its database.
type archive struct {
	*bank
	db     *store.DB
	config platform.Config
	seq    *feed.Sequencer
	run    string
	number uint64
	before *audit.Place
}

// worked is an archive after a check, a login and a refusal, whose log was witnessed up to its end.
func worked(t *testing.T, change func(*platform.Config)) *archive {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	b := open(t, path, change)
	p := b.Agency.Resident("霧島　花子")
	b.verify(b.signed(p))
	if _, err := b.login(b.tenant, p.Auth); err != nil {
		t.Fatal(err)
	}
	if _, err := b.As("jlis:1").HTTPClient().Get("http://callee/feeds/" + audit.Topic); err != nil {
		t.Fatal(err)
	}
	b.awaitLogged("notification-filed")
	b.Stop()
	a := &archive{bank: b, config: platform.Config{Config: b.Config(platformtest.ID, path)}}
	if change != nil {
		change(&a.config)
	}
	var err error
	if a.db, err = store.Open(t.Context(), path, platform.Migrations(), feed.Tables()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.db.Close() })
	a.seq, err = feed.NewSequencer(t.Context(), feed.SequencerConfig{DB: a.db, Log: slog.New(slog.DiscardHandler),
		HighWater: feed.HighWaterFile(filepath.Join(a.config.State, actor.HighWaterFile))})
	if err != nil {
		t.Fatal(err)
	}
	a.step()
	a.witness()
	return a
}

func (a *archive) step() feed.Mark {
	a.t.Helper()
	if _, err := a.seq.Step(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	h, err := a.seq.Head(a.t.Context(), audit.Topic)
	if err != nil {
		a.t.Fatal(err)
	}
	return h.Mark()
}

// says writes a line that the platform ran at a time.
func (a *archive) says(act string, at time.Time) {
	a.t.Helper()
	if act == audit.ActStarted {
		a.run = string(jitsuin.NewID())
	}
	signer, err := feed.NewSigner(a.Identity(platformtest.ID).Key, platformtest.ID)
	if err != nil {
		a.t.Fatal(err)
	}
	head, err := signer.SignHead(audit.Topic, a.step(), at)
	if err != nil {
		a.t.Fatal(err)
	}
	err = a.db.Update(a.t.Context(), func(tx *store.Tx) error {
		return audit.Record(a.t.Context(), tx, at, audit.Present(act, platformtest.ID, a.run, 0, head))
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.step()
}

// witness keeps a statement on the head.
func (a *archive) witness() {
	a.t.Helper()
	a.number++
	seen := audit.PlaceOf(a.step())
	s := audit.Statement{Witness: "minister:1", Verifier: platformtest.ID, Topic: audit.Topic, Number: a.number, Seen: seen, Before: a.before}
	jws, err := s.Sign(a.Identity("minister:1").Key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.before = &seen
	err = a.db.Update(a.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO witness_statements (id, number, epoch, n, statement) VALUES ($1, $2, $3, $4, $5)`, string(jitsuin.NewID()), a.number, seen.Epoch, seen.N, jws)
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) pack(period audit.Span, wall time.Time) ([]byte, auditpack.Manifest) {
	a.t.Helper()
	var out bytes.Buffer
	m, err := platform.WritePack(a.t.Context(), &out, platform.PackOptions{Config: a.config, DB: a.db, Period: period, Wall: wall})
	if err != nil {
		a.t.Fatal(err)
	}
	return out.Bytes(), m
}

func (a *archive) verify(content []byte) (auditpack.Result, error) {
	a.t.Helper()
	key, err := actor.ReadPublicKey(a.config.DirectoryKey)
	if err != nil {
		a.t.Fatal(err)
	}
	return auditpack.Verify(bytes.NewReader(content), int64(len(content)), auditpack.Options{Key: key})
}

// unpacked gives the files of a pack.
func unpacked(t *testing.T, content []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// zipped makes a pack of files that somebody has changed.
func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func hoursAround(now time.Time) audit.Span {
	return audit.Span{From: now.Add(-time.Hour), To: now.Add(time.Hour)}
}

func TestAnAuditPackIsCheckedOffLine(t *testing.T) {
	t.Parallel()
	papers := t.TempDir()
	for name, text := range map[string]string{"procedures.txt": "業務手順書：従事者の責任と監査", "application.yaml": `name: 検証プラットフォーム
address: 見本県見本市1-1
representative: 代表 例子
responsible: {name: 責任 者子, post: 情報管理室長, contact: 03-0000-0000}
system: 二つの場所の機械
items:
  - criterion: procedures
    statement: 手順書に従事者の責任を定めています。
    evidence: [{name: 業務手順書, file: procedures.txt}]
`} {
		if err := os.WriteFile(filepath.Join(papers, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := worked(t, func(c *platform.Config) { c.Application = filepath.Join(papers, "application.yaml") })
	now := time.Now().UTC()
	content, m := a.pack(hoursAround(now), now)
	r, err := a.verify(content)
	if err != nil || r.Log.Fault != nil || r.Log.Witnessed == (jitsuin.Position{}) || r.Manifest.Verifier != platformtest.ID {
		t.Fatalf("%+v, %v", r.Log, err)
	}
	if again, _ := a.pack(hoursAround(now), now); !bytes.Equal(again, content) {
		t.Error("the same data make other bytes")
	}
	files := unpacked(t, content)
	for _, c := range rules.CriteriaOn(jitsuin.DateOf(now)) {
		if !slices.ContainsFunc(m.Criteria, func(k auditpack.Criterion) bool {
			return k.Key == c.Key && strings.Contains(files["README.txt"], k.Folder)
		}) {
			t.Errorf("the criterion %s has no folder", c.Key)
		}
	}
	for name, says := range map[string]string{"intrusion/refusals.ndjson": "not-for-this-caller", "intrusion/configuration.yaml": "instance: platform:1",
		"operation-records/log.ndjson": `"act":"verify"`, "secrecy/tenants.json": "tenant:bank", "responsible-person/responsible.json": "責任 者子",
		"responsible-person/accreditation-acts.ndjson": "notification-filed", "procedures/statement.txt": "手順書に", "procedures/documents/01-業務手順書": "従事者の責任"} {
		found := ""
		for path, text := range files {
			if _, rest, _ := strings.Cut(path, "-"); rest == name {
				found = text
			}
		}
		if !strings.Contains(found, says) {
			t.Errorf("%s does not say %q: %.200s", name, says, found)
		}
	}
	lacks := map[string]bool{}
	for _, l := range m.Missing {
		lacks[l.Criterion] = true
	}
	if lacks[rules.CriterionProcedures] || !lacks[rules.CriterionSecrecy] || !lacks[rules.CriterionCrisis] {
		t.Errorf("missing: %+v", m.Missing)
	}
	for _, text := range files {
		if strings.Contains(text, "霧島") {
			t.Error("the pack names a resident")
		}
	}
	a.tamper(t, files)
}

// tamper changes one thing of a pack after the other.
func (a *archive) tamper(t *testing.T, files map[string]string) {
	t.Helper()
	var log string
	for name := range files {
		if strings.HasSuffix(name, "/"+auditpack.NameLog) {
			log = name
		}
	}
	for name, text := range files {
		changed := map[string]string{}
		for n, c := range files {
			changed[n] = c
		}
		changed[name] = text + " "
		r, err := a.verify(zipped(t, changed))
		if name == auditpack.NameDirectory { // blanks around the signed list are not part of it: the manifest notices
			name = auditpack.NameDirectory
		}
		if err != nil || r.Log.Fault == nil || r.Log.Fault.File != name {
			t.Errorf("%s changed: %+v, %v", name, r.Log.Fault, err)
		}
		delete(changed, name)
		if r, err := a.verify(zipped(t, changed)); err == nil && (r.Log.Fault == nil || r.Log.Fault.File != name) {
			t.Errorf("%s removed: %+v", name, r.Log.Fault)
		}
	}
	more := map[string]string{"extra.txt": "x"}
	for n, c := range files {
		more[n] = c
	}
	if r, err := a.verify(zipped(t, more)); err != nil || r.Log.Fault == nil || r.Log.Fault.File != "extra.txt" {
		t.Errorf("a file put in: %+v, %v", r.Log.Fault, err)
	}
	// Whoever has the platform's key and signs anew is found by the log itself.
	var m auditpack.Manifest
	if err := json.Unmarshal([]byte(files[auditpack.NameManifest]), &m); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := auditpack.NewWriter(&out, m)
	w.Manifest.First, w.Manifest.Last = m.First, m.Last
	for _, f := range m.Files {
		text := files[f.Path]
		if f.Path == log {
			lines := strings.SplitAfter(text, "\n")
			text = strings.Join(slices.Delete(lines, 3, 4), "")
		}
		if f.Path == auditpack.NameDirectory || f.Path == auditpack.NameRead {
			continue
		}
		if err := w.Add(filepath.Dir(f.Path), filepath.Base(f.Path), f.What, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	err := w.Close([]byte(files[auditpack.NameDirectory]), func(typ string, payload []byte) (string, error) {
		return audit.SignPayload(typ, platformtest.ID, a.Identity(platformtest.ID).Key, payload)
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.verify(out.Bytes()); err != nil || r.Log.Fault == nil || r.Log.Fault.Code != audit.FaultMissing || r.Log.Fault.At.N != 4 {
		t.Errorf("a line removed, and signed anew: %+v, %v", r.Log.Fault, err)
	}
}

func TestAMissingHourOfAPackIsNamed(t *testing.T) {
	t.Parallel()
	a := worked(t, nil)
	day := jitsuin.DateOf(time.Now().UTC().Add(24 * time.Hour)).Start() // a civil day of its own
	a.says(audit.ActStarted, day.Add(-30*time.Minute))
	for h := range 9 {
		a.says(audit.ActHour, day.Add(time.Duration(h)*time.Hour))
		if h == 4 {
			a.witness()
		}
	}
	silent := day.Add(8 * time.Hour)
	a.says(audit.ActStarted, silent.Add(3*time.Hour))
	for h := range 16 {
		a.says(audit.ActHour, silent.Add(time.Duration(4+h)*time.Hour))
	}
	a.witness()
	a.says(audit.ActHour, silent.Add(20*time.Hour))
	period := audit.PeriodOf(jitsuin.DateOf(day), jitsuin.DateOf(day))
	content, m := a.pack(period, silent.Add(21*time.Hour))
	r, err := a.verify(content)
	if err != nil || r.Log.Fault != nil || !r.Log.Incomplete() {
		t.Fatalf("%+v, %v", r.Log, err)
	}
	if len(m.Gaps) != 1 || len(r.Log.Gaps) != 1 || m.Gaps[0].Stopped || !m.Gaps[0].From.Equal(silent) || m.Gaps[0].To.Sub(silent) != 3*time.Hour {
		t.Errorf("the list names %+v, the log %+v", m.Gaps, r.Log.Gaps)
	}
	if hours := r.Log.Gaps[0].Hours(); len(hours) != 3 || !hours[0].Equal(silent) {
		t.Errorf("%v", hours)
	}
	// A day that is covered has no gap, and its slice begins and ends where something is signed.
	quiet := audit.Span{From: day.Add(2 * time.Hour), To: day.Add(4 * time.Hour)}
	content, m = a.pack(quiet, silent.Add(21*time.Hour))
	if r, err = a.verify(content); err != nil || r.Log.Fault != nil || r.Log.Incomplete() || len(m.Gaps) != 0 || r.Log.Witnessed != r.Log.Last.Position() {
		t.Errorf("%+v, %v", r.Log, err)
	}
	// A time before the log began is not covered either.
	early := audit.Span{From: day.AddDate(0, 0, -9), To: day.AddDate(0, 0, -8)}
	content, _ = a.pack(early, silent.Add(21*time.Hour))
	if r, err = a.verify(content); err != nil || !r.Log.Incomplete() || len(r.Log.Gaps) != 1 || !r.Log.Gaps[0].From.Equal(early.From) || !r.Log.Gaps[0].To.Equal(early.To) {
		t.Errorf("before the log: %+v, %v", r.Log.Gaps, err)
	}
}
