//go:build unix

package country_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/signature"
)

// suspension is a country whose minister suspends the platform and lifts that again.
type suspension struct {
	*living
	t        *testing.T
	office   minister.Client
	tenant   *client.Client
	origin   string
	platform *httpapi.Remote // as the platform, to J-LIS and to its status origin
	status   *httpapi.Remote
	sig      []byte
}

func (s *suspension) decide(state, reason string) {
	s.t.Helper()
	d := minister.Decision{Verifier: country.Platform, Name: "見本プラットフォーム株式会社", Ground: "17-1-6", State: state, Reason: reason, Official: "主務　花子"}
	if _, err := s.office.Decide(s.t.Context(), d, string(jitsuin.NewID())); err != nil {
		s.t.Fatal(err)
	}
}

// attempt is one thing that only an accredited verifier gets, and the code of its refusal, "" for none.
func (s *suspension) attempts() map[string]func(ctx context.Context) string {
	return map[string]func(context.Context) string{
		"verification": func(ctx context.Context) string { return s.verify(ctx, client.NewRequestID()) },
		"login challenge": func(ctx context.Context) string {
			_, err := s.tenant.Challenge(ctx, s.origin, "ログイン")
			return jitsuin.CodeOf(err)
		},
		"holder request": func(ctx context.Context) string {
			_, err := s.tenant.Request(ctx, "", client.HolderRequest{Act: client.ActLogin, Origin: s.origin, Purpose: "ログイン", PurposeEN: "log in", ResponseURI: s.origin + "/answers", State: strings.Repeat("s", 32)})
			return jitsuin.CodeOf(err)
		},
		"links at J-LIS": func(ctx context.Context) string {
			// Nobody has this number; who is not served is not even told that.
			_, err := jlis.Client{Remote: s.platform}.Links(ctx, jlis.Link{Kind: jitsuin.SignCert, Serial: strings.Repeat("1", 32)})
			return strings.TrimSuffix(jitsuin.CodeOf(err), "certificate-unknown")
		},
		"revocation list": func(ctx context.Context) string { return s.list(ctx) },
	}
}

func (s *suspension) list(ctx context.Context) string { return listOf(ctx, s.status) }

// listOf asks the status origin for a list, and gives the code of the refusal, "" for none.
func listOf(ctx context.Context, origin *httpapi.Remote) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://callee/crl/sign", nil)
	if err != nil {
		return err.Error()
	}
	resp, err := origin.RoundTrip(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return jitsuin.CodeOf(httpapi.DecodeProblem(resp))
	}
	return ""
}

// verify has the letter checked under a key, and gives the code of the error; "not passed" for a bad report.
func (s *suspension) verify(ctx context.Context, key string) string {
	v, err := s.tenant.Verify(ctx, key, client.VerificationRequest{Document: letter, Signature: s.sig, Purpose: "contract"})
	switch {
	case err != nil:
		return jitsuin.CodeOf(err)
	case v.Report.Verdict != signature.Passed:
		return "not passed"
	}
	return ""
}

// until tries everything at once again and again until each has the code, and gives how long that took.
func (s *suspension) until(since time.Time, code string) map[string]time.Duration {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	took := map[string]time.Duration{}
	for what, try := range s.attempts() {
		all.Go(func() {
			for {
				began := time.Now()
				got := try(ctx)
				if got == code {
					mu.Lock()
					took[what] = began.Sub(since) // refused is who asked then; the client's own repetitions do not count
					mu.Unlock()
					return
				}
				if ctx.Err() != nil || got != "" && got != "accreditation-suspended" && got != "status-denied" && got != "links-unavailable" {
					s.t.Errorf("%s: %q, want %q", what, got, code)
					return
				}
				time.Sleep(20 * time.Millisecond) // within the tenant's quota
			}
		})
	}
	all.Wait()
	return took
}

// The minister suspends the accreditation: within moments the platform, J-LIS and its status origin refuse, with one clear code. It
// is lifted: the same requests work, an earlier one has its answer, and J-LIS was notified once.
func TestASuspensionStopsVerificationAndLosesNothing(t *testing.T) {
	l := live(t, country.Options{Data: t.TempDir(), Listen: listen(t)})
	s := &suspension{living: l, t: t}
	s.tenant, s.origin = l.tenant(t)
	remote := func(from, to string) *httpapi.Remote {
		r, err := l.Remote(from, to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
	s.office, s.platform, s.status = minister.Client{Remote: remote(country.Official, country.Minister)}, remote(country.Platform, country.JLIS), remote(country.Platform, country.Status)
	cards, err := holder.CardsIn(string(l.Folder)).List(t.Context())
	if err != nil || len(cards) == 0 {
		t.Fatalf("no cards: %v", err)
	}
	s.sig = l.signature(t, string(cards[0].ID))
	before := client.NewRequestID()
	if code := s.verify(t.Context(), before); code != "" {
		t.Fatal(code)
	}
	made, err := s.tenant.Request(t.Context(), "", client.HolderRequest{Act: client.ActLogin, Origin: s.origin, Purpose: "ログイン", PurposeEN: "log in", ResponseURI: s.origin + "/answers", State: strings.Repeat("s", 32)})
	if err != nil {
		t.Fatal(err)
	}
	fetch := func() int {
		resp, err := http.Get(made.URI)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}

	suspended := time.Now()
	s.decide(minister.Suspended, "監査で動作記録の欠落が見つかった。")
	report(t, "refused after the suspension", s.until(suspended, "accreditation-suspended"))
	if code := s.verify(t.Context(), before); code != "accreditation-suspended" {
		t.Errorf("an earlier answer is served again while suspended: %q", code)
	}
	meanwhile := client.NewRequestID()
	_, err = s.tenant.Verify(t.Context(), meanwhile, client.VerificationRequest{Document: letter, Signature: s.sig, Purpose: "contract"})
	if e, ok := err.(*jitsuin.Error); !ok || e.Kind != jitsuin.Unavailable || !strings.Contains(e.Hint, "Idempotency-Key") {
		t.Errorf("the tenant is told %v", err)
	}
	if got := fetch(); got != http.StatusServiceUnavailable {
		t.Errorf("a request to the holder is given out while suspended: HTTP %d", got)
	}

	lifted := time.Now()
	s.decide(minister.InForce, "是正を確認した。")
	report(t, "served again after the lifting", s.until(lifted, ""))
	for what, key := range map[string]string{"asked while suspended": meanwhile, "answered before": before} {
		if code := s.verify(t.Context(), key); code != "" {
			t.Errorf("%s: %q", what, code)
		}
	}
	if got := fetch(); got != http.StatusOK {
		t.Errorf("the request to the holder after the lifting: HTTP %d", got)
	}
	var own platform.Standing
	if err := remote(country.Operator, country.Platform).Call(t.Context(), "GET", "/v1/accreditation", "", nil, &own); err != nil ||
		!own.MayVerify || !own.Notified || own.Application == nil || own.Application.State != minister.Granted {
		t.Errorf("the platform's standing: %+v %v", own, err)
	}
	s.accreditedAnew(remote(country.Operator, country.Platform))
	l.stop()
	// One notification of each accreditation: the suspension asked for none.
	notices := `SELECT COUNT(*) FROM verifier_notice WHERE instance = 'platform:1'`
	if got := countIn(t, l.Path("actors", "jlis-1", "db.sqlite"), notices); got != 2 {
		t.Errorf("%d notifications, want 2", got)
	}
	if got := countIn(t, l.Path("actors", "platform-1", "db.sqlite"), `SELECT COUNT(*) FROM checks WHERE verdict <> 'TOTAL-PASSED'`); got != 0 {
		t.Errorf("%d checks were decided by the suspension", got)
	}
}

// accreditedAnew withdraws the accreditation, and has the platform apply again: an item is sent back and amended from the file that
// the operator changed, and once it is granted everything works as before.
func (s *suspension) accreditedAnew(operator *httpapi.Remote) {
	t := s.t
	t.Helper()
	s.decide(minister.Withdrawn, "事業の譲渡。")
	standing := func(what string, is func(platform.Standing) bool) (own platform.Standing) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if err := operator.Call(t.Context(), "GET", "/v1/accreditation", "", nil, &own); err != nil {
				t.Fatal(err)
			}
			if is(own) {
				return own
			}
			if time.Now().After(end) {
				t.Fatalf("waited in vain for %s: %+v", what, own)
			}
		}
	}
	standing("the withdrawal", func(own platform.Standing) bool { return own.Because == "accreditation-withdrawn" })
	_, err := s.tenant.Verify(t.Context(), "", client.VerificationRequest{Document: letter, Signature: s.sig, Purpose: "contract"})
	if jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("withdrawn, the tenant is told %v", err)
	}
	file := func() (a minister.Application) {
		t.Helper()
		if err := operator.Call(t.Context(), "POST", "/v1/accreditation/application", string(jitsuin.NewID()), nil, &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := file()
	amend := minister.ExaminationRequest{Criterion: "audit", Outcome: minister.Amend, Words: "監査人の氏名を書いてください。", Official: "主務　花子"}
	if _, err := s.office.Examine(t.Context(), a.ID, amend, string(jitsuin.NewID())); err != nil {
		t.Fatal(err)
	}
	if _, err := s.office.Return(t.Context(), a.ID, minister.ReturnRequest{Official: "主務　花子"}, string(jitsuin.NewID())); err != nil {
		t.Fatal(err)
	}
	own := standing("the return of the application", func(own platform.Standing) bool {
		return own.Application.ID == a.ID && own.Application.State == minister.Returned
	})
	if asked := own.Application.Asked(); len(asked) != 1 || asked[0] != "audit" {
		t.Errorf("the operator is told to amend %v", asked)
	}
	plan := s.Path("application", "audit-plan.txt")
	if err := os.WriteFile(plan, []byte("監査計画\n監査人：監査　一郎\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if amended := file(); amended.ID != a.ID || amended.State != minister.Received {
		t.Errorf("amended: %s %s", amended.ID, amended.State)
	}
	if err := s.AccreditPlatform(t.Context()); err != nil {
		t.Fatal(err)
	}
	standing("the accreditation", func(own platform.Standing) bool {
		return own.MayVerify && own.Notified && own.Application.State == minister.Granted
	})
	for end := time.Now().Add(20 * time.Second); s.list(t.Context()) != ""; time.Sleep(20 * time.Millisecond) { // J-LIS hears of it by itself
		if time.Now().After(end) {
			t.Fatal("J-LIS does not serve the platform that is accredited anew")
		}
	}
	if code := s.verify(t.Context(), client.NewRequestID()); code != "" {
		t.Errorf("accredited anew: %q", code)
	}
}

// untilAccredited waits until the platform has heard that it is accredited and J-LIS serves it, and the verifier that every country has.
func untilAccredited(t *testing.T, f country.Folder) {
	t.Helper()
	remote := func(from, to string) *httpapi.Remote {
		r, err := f.Remote(from, to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
	operator, own, verifier := remote(country.Operator, country.Platform), remote(country.Platform, country.Status), remote(country.Verifier, country.Status)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var standing platform.Standing
		err := operator.Call(t.Context(), "GET", "/v1/accreditation", "", nil, &standing)
		if err == nil && standing.MayVerify && standing.Notified && listOf(t.Context(), own) == "" && listOf(t.Context(), verifier) == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the platform is not accredited: %+v, %v", standing, err)
		}
	}
}

func report(t *testing.T, what string, took map[string]time.Duration) {
	for name, d := range took {
		t.Logf("%s: %s after %v", what, name, d.Round(time.Millisecond))
	}
}

func countIn(t *testing.T, path, query string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", fmt.Sprintf("file:%s?mode=ro", path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
