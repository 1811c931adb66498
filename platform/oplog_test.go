package platform_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// logged gives the lines of the operation log by act, also those that have no number yet.
func (b *bank) logged() map[string][]audit.Line {
	b.t.Helper()
	return linesIn(b.t, b.Platform.DB)
}

func linesIn(t *testing.T, db *store.DB) map[string][]audit.Line {
	t.Helper()
	lines := map[string][]audit.Line{}
	err := db.View(t.Context(), func(tx *store.Tx) error {
		bodies, err := store.Collect(func(s store.Scanner) (body string, err error) { return body, s.Scan(&body) })(tx.Query(
			`SELECT body FROM feed_events WHERE topic = $1 UNION ALL SELECT body FROM feed_outbox WHERE topic = $1`, audit.Topic))
		clear(lines)
		for _, body := range bodies {
			var l audit.Line
			if err := json.Unmarshal([]byte(body), &l); err != nil {
				return err
			}
			lines[l.Act] = append(lines[l.Act], l)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// awaitLogged waits for a line of an act.
func (b *bank) awaitLogged(act string) audit.Line {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		lines := b.logged()
		if l := lines[act]; len(l) > 0 {
			return l[len(l)-1]
		}
		if time.Now().After(end) {
			b.t.Fatalf("no line %s; there are %v", act, slices.Collect(maps.Keys(lines)))
		}
	}
}

func TestEveryActHasItsLine(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	p := b.Agency.Resident("霧島　花子")
	v := b.verify(b.signed(p))
	in, err := b.login(b.tenant, p.Auth)
	if err != nil {
		t.Fatal(err)
	}
	for act, want := range map[string]audit.Line{
		"verify":                 {Who: "tenant:bank", Terminal: "127.0.0.1", Subject: string(v.ID), Tenant: "tenant:bank"},
		"login":                  {Who: "tenant:bank", Terminal: "127.0.0.1", Subject: string(in.ID), Tenant: "tenant:bank"},
		"tenant-registered":      {Who: "operator:1", Terminal: "127.0.0.1", Subject: "tenant:bank", Tenant: "tenant:bank"},
		"accreditation-in-force": {Who: "minister:1", Subject: "0123456789abcdef0123456789abcdef", Reason: "decision 1"},
		"notification-filed":     {Who: "platform:1", Subject: "0123456789abcdef0123456789abcdef"},
		"log-started":            {Who: "platform:1"},
	} {
		l := b.awaitLogged(act)
		if l.Who != want.Who || l.Terminal != want.Terminal || l.Tenant != want.Tenant || l.Reason != want.Reason || want.Subject != "" && l.Subject != want.Subject {
			t.Errorf("%s: %+v", act, l)
		}
		if want.Terminal != "" && l.Request == "" {
			t.Errorf("%s names no request", act)
		}
	}
	// What is refused as a request has no line: there was no act.
	before := len(b.logged()["verify"])
	if _, err := b.verifyAs(b.tenant, api.VerificationRequest{Document: document, Purpose: "no-such-purpose"}); err == nil {
		t.Fatal("an unknown purpose was taken")
	}
	if after := len(b.logged()["verify"]); after != before {
		t.Errorf("a refused request wrote %d lines", after-before)
	}
	whole, err := json.Marshal(b.logged())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{p.Items.Name, p.Items.Address, p.Sign.Cert.SerialNumber.Text(16), p.Auth.Cert.SerialNumber.Text(16)} {
		if secret != "" && strings.Contains(strings.ToLower(string(whole)), strings.ToLower(secret)) {
			t.Errorf("the log says %q", secret)
		}
	}
}

func TestWhoIsRefusedIsCounted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	b := open(t, path, nil)
	stranger := httpapi.Identity{ID: "tenant:stranger", Key: b.tenant.Key}
	for range 3 {
		if _, err := b.verifyAs(stranger, api.VerificationRequest{Document: document}); err == nil {
			t.Fatal("a stranger was served")
		}
		if err := b.once(b.tenant, "/v1/tenants", string(jitsuin.NewID()), api.TenantRequest{ID: "tenant:x", Name: "x", PublicKey: []byte{1}}, nil); jitsuin.KindOf(err) != jitsuin.Denied {
			t.Fatal(err)
		}
	}
	if n := len(b.logged()["access-refused"]); n > 0 {
		t.Errorf("%d lines were written at once", n)
	}
	b.Stop() // writes what is counted, and that the platform ends
	db, err := store.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lines := linesIn(t, db)
	counts := map[string]string{}
	for _, l := range lines["access-refused"] {
		counts[l.Who+" "+l.Subject+" "+l.Detail["code"]] = l.Detail["count"]
		if l.Terminal != "127.0.0.1" {
			t.Errorf("%+v", l)
		}
	}
	if want := map[string]string{"unknown POST /token invalid-grant": "3", "tenant:bank POST /v1/tenants not-for-this-caller": "3"}; !maps.Equal(counts, want) {
		t.Errorf("%v, wanted %v", counts, want)
	}
	if len(lines["log-stopped"]) != 1 {
		t.Errorf("the log does not say that the platform ended: %+v", lines)
	}
	r, err := audit.CheckDatabase(t.Context(), db, audit.Expect{Verifier: platformtest.ID, Keys: audit.DirectoryKeys(b.Directory())})
	if err != nil || r.Fault != nil || r.Incomplete() {
		t.Errorf("%+v, %v", r, err)
	}
}

// What the witness states comes back and is kept, and only what it has signed.
func TestTheWitnessesStatementsAreKept(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	b.awaitLogged("log-started")
	sign := func(number uint64, by string) string {
		s := audit.Statement{Witness: by, Verifier: platformtest.ID, Topic: audit.Topic, Number: number, Seen: audit.Place{Epoch: 1, N: number}, Wall: time.Now()}
		jws, err := s.Sign(b.Identity(by).Key)
		if err != nil {
			t.Fatal(err)
		}
		return jws
	}
	b.State(minister.StatementEvent{Statement: sign(1, "minister:1"), Number: 1, Epoch: 1, N: 1})
	b.State(minister.StatementEvent{Statement: sign(2, "minister:1"), Number: 2, Epoch: 1, N: 2})
	kept := func() (n int) {
		err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(`SELECT COUNT(*) FROM witness_statements`).Scan(&n) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for end := time.Now().Add(20 * time.Second); kept() < 2; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d statements are kept", kept())
		}
	}
	for caller, want := range map[string]int{"operator:1": http.StatusForbidden, "jlis:1": http.StatusForbidden, "minister:1": http.StatusOK} {
		resp, err := b.As(caller).HTTPClient().Get("http://callee/feeds/" + audit.Topic)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s reads the operation log with status %d", caller, resp.StatusCode)
		}
	}
}
