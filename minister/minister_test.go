package minister_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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
	"github.com/jitsuin/jitsuin/rules"
)

// office is a running minister's office and the callers that the tests need.
type office struct {
	minister *minister.Minister
	dir      *httpapi.Directory
	caller   map[string]httpapi.Identity
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
	for _, id := range []string{"minister:1", "official:1", "platform:1", "platform:2", "jlis:1", "municipality:91201", "country:1"} {
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
	o.minister = m
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

// application is a complete one for today, as an operator files it.
func application(t *testing.T) api.ApplicationRequest {
	t.Helper()
	today := jitsuin.DateOf(time.Now())
	r := api.ApplicationRequest{Applicant: api.Applicant{Name: "検証プラットフォーム", Address: "雲居県朝霧市", Representative: "代表　例子", System: "検証サーバー2台",
		Responsible: api.Responsible{Name: "責任　太郎", Post: "運用部長", Contact: "ops@platform.example"}, StartsOn: today}}
	for _, c := range rules.CriteriaOn(today) {
		r.Items = append(r.Items, api.ApplicationItem{Criterion: c.Key, Statement: "規程による。", Evidence: []api.Exhibit{paper("規程", c.Key)}})
	}
	return r
}

func paper(name, text string) api.Exhibit {
	sum := sha256.Sum256([]byte(text))
	return api.Exhibit{Name: name, MediaType: "text/plain", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(text)), Content: []byte(text)}
}

// accept has every criterion of an application accepted that is not yet.
func accept(t *testing.T, official api.Client, a api.Application) {
	t.Helper()
	for _, e := range a.Examination {
		if e.Outcome != api.Accepted {
			_, err := official.Examine(t.Context(), a.ID, api.ExaminationRequest{Criterion: e.Criterion, Outcome: api.Accepted, Official: "主務　花子"}, string(jitsuin.NewID()))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// accredited has platform:1 accredited by an application.
func (o *office) accredited(t *testing.T) api.Accreditation {
	t.Helper()
	official := o.as("official:1")
	a, err := o.as("platform:1").Apply(t.Context(), application(t), string(jitsuin.NewID()))
	if err != nil {
		t.Fatal(err)
	}
	accept(t, official, a)
	if a, err = official.Conclude(t.Context(), a.ID, api.Verdict{State: api.Granted, Official: "主務　花子"}, string(jitsuin.NewID())); err != nil {
		t.Fatal(err)
	}
	h, err := official.One(t.Context(), a.Accreditation)
	if err != nil {
		t.Fatal(err)
	}
	return h.Accreditation
}

func TestAccreditationOverTheWire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		o := start(t, url)
		official := o.as("official:1")
		lift := api.Decision{Verifier: "platform:1", Name: "検証プラットフォーム", Ground: "17-1-6", State: api.InForce}
		if _, err := official.Decide(t.Context(), lift, "decision-0001"); jitsuin.CodeOf(err) != "application-needed" {
			t.Errorf("accredited without an application: %v", err)
		}
		first := o.accredited(t)
		today := jitsuin.DateOf(time.Now())
		if first.GrantedOn != today || !first.InForceOn(today) || !first.InForceOn(first.Until) || first.InForceOn(first.Until.AddDays(1)) {
			t.Errorf("granted %+v", first)
		}
		suspend := lift
		suspend.State, suspend.Reason = api.Suspended, "監査で不備"
		if _, err := official.Decide(t.Context(), suspend, ""); jitsuin.CodeOf(err) != "idempotency-key-missing" {
			t.Errorf("no key: %v", err)
		}
		if a, err := official.Decide(t.Context(), suspend, "decision-0002"); err != nil || a.State != api.Suspended || a.ID != first.ID {
			t.Fatalf("suspended: %+v, %v", a, err)
		}
		if again, err := official.Decide(t.Context(), suspend, "decision-0002"); err != nil || again.State != api.Suspended {
			t.Errorf("the same request again gave %+v, %v", again, err)
		}
		if _, err := official.Decide(t.Context(), lift, "decision-0002"); jitsuin.CodeOf(err) != "idempotency-key-reused" {
			t.Errorf("a key was used twice: %v", err)
		}
		if _, err := o.as("platform:1").Decide(t.Context(), lift, "decision-0003"); jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("a verifier lifted its own suspension: %v", err)
		}
		if _, err := o.as("platform:1").Apply(t.Context(), application(t), "application-0002"); jitsuin.CodeOf(err) != "already-accredited" {
			t.Errorf("applied while suspended: %v", err)
		}
		if a, err := official.Decide(t.Context(), lift, "decision-0004"); err != nil || a.State != api.InForce || a.Until != first.Until {
			t.Fatalf("lifted: %+v, %v", a, err)
		}
		o.checkHistory(t, first)
	})
}

// An item is sent back and amended; other applicants neither see nor touch the application; what was done stands in its history.
func TestAnApplicationOverTheWire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		o := start(t, url)
		official, platform, other := o.as("official:1"), o.as("platform:1"), o.as("platform:2")
		a, err := platform.Apply(t.Context(), application(t), "application-0001")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := platform.Apply(t.Context(), application(t), "application-0001"); err != nil || again.ID != a.ID {
			t.Errorf("repeated: %v %v", again.ID, err)
		}
		if _, err := platform.Apply(t.Context(), application(t), "application-0002"); jitsuin.CodeOf(err) != "application-open" {
			t.Errorf("a second application: %v", err)
		}
		for what, err := range map[string]error{
			"a town applies": func() error {
				_, err := o.as("municipality:91201").Apply(t.Context(), application(t), "application-0003")
				return err
			}(),
			"the applicant examines": func() error {
				_, err := platform.Examine(t.Context(), a.ID, api.ExaminationRequest{Criterion: "audit", Outcome: api.Accepted}, "examine-0001")
				return err
			}(),
			"the applicant grants itself": func() error {
				_, err := platform.Conclude(t.Context(), a.ID, api.Verdict{State: api.Granted}, "conclude-0001")
				return err
			}(),
			"an official applies": func() error { _, err := official.Apply(t.Context(), application(t), "application-0004"); return err }(),
		} {
			if jitsuin.KindOf(err) != jitsuin.Denied {
				t.Errorf("%s: %v", what, err)
			}
		}
		amend := api.ExaminationRequest{Criterion: "audit", Outcome: api.Amend, Words: "監査人の氏名を書いてください。", Official: "主務　花子"}
		if _, err := official.Examine(t.Context(), a.ID, amend, "examine-0002"); err != nil {
			t.Fatal(err)
		}
		waiting := make(chan api.ApplicationFile, 1)
		go func() {
			f, _ := platform.Application(t.Context(), a.ID, 2, 20*time.Second)
			waiting <- f
		}()
		if _, err := official.Return(t.Context(), a.ID, api.ReturnRequest{Official: "主務　花子"}, "return-0001"); err != nil {
			t.Fatal(err)
		}
		if f := <-waiting; f.State != api.Returned || !slices.Equal(f.Asked(), []string{"audit"}) || f.Steps[1].Words != amend.Words || f.Steps[1].Official != "" {
			t.Errorf("who waits is told %s, to amend %v: %+v", f.State, f.Asked(), f.Steps)
		}
		better := api.AmendmentRequest{Items: []api.ApplicationItem{{Criterion: "audit", Statement: "外部の監査人による。", Evidence: []api.Exhibit{paper("選任書", "監査人の選任")}}}}
		never := func() error { _, err := other.Application(t.Context(), jitsuin.NewID(), 0, 0); return err }()
		for what, err := range map[string]error{
			"sees":   func() error { _, err := other.Application(t.Context(), a.ID, 0, 0); return err }(),
			"amends": func() error { _, err := other.Amend(t.Context(), a.ID, better, "amend-0001"); return err }(),
			"ends":   func() error { _, err := other.TakeBack(t.Context(), a.ID, "take-0001"); return err }(),
		} {
			if err == nil || never == nil || err.Error() != never.Error() || jitsuin.KindOf(err) != jitsuin.NotFound {
				t.Errorf("another applicant %s it: %v", what, err)
			}
		}
		if a, err = platform.Amend(t.Context(), a.ID, better, "amend-0002"); err != nil || a.State != api.Received {
			t.Fatalf("amended: %v %v", a.State, err)
		}
		o.checkDocuments(t, better.Items[0].Evidence[0])
		accept(t, official, a)
		if a, err = official.Conclude(t.Context(), a.ID, api.Verdict{State: api.Refused, Reason: "責任者が兼務している。", Official: "主務　次郎"}, "conclude-0002"); err != nil {
			t.Fatal(err)
		}
		if all, err := platform.List(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("refused, and accredited: %+v %v", all, err)
		}
		f, err := official.Application(t.Context(), a.ID, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var acts []string
		for _, s := range f.Steps {
			if s.Act != "examined" {
				acts = append(acts, s.Act+" "+s.By+" "+s.Official)
			}
		}
		if want := []string{"filed platform:1 ", "returned official:1 主務　花子", "amended platform:1 ", "refused official:1 主務　次郎"}; !slices.Equal(acts, want) {
			t.Errorf("history: %q", acts)
		}
		o.accredited(t) // after a refusal one may apply again
	})
}

// checkDocuments fetches a document of platform:1 as several callers.
func (o *office) checkDocuments(t *testing.T, e api.Exhibit) {
	t.Helper()
	for caller, want := range map[string]int{"official:1": 200, "platform:1": 200, "platform:2": 404, "municipality:91201": 403} {
		resp, err := httpapi.NewRemote(o.caller[caller], o.dir, "minister:1").HTTPClient().Get("http://callee/accreditation-evidence/platform:1/" + e.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want || want == 200 && !bytes.Equal(body, e.Content) {
			t.Errorf("%s gets the document: HTTP %d %q %v", caller, resp.StatusCode, body, err)
		}
	}
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
