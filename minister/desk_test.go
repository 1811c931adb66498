package minister_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

// browser is an official's, or anybody's, at the office's origin. Pages are read in English.
type browser struct {
	t      *testing.T
	origin string
	client *http.Client
	page   string
	status int
}

func (o *office) browser(t *testing.T) *browser {
	t.Helper()
	i, err := o.dir.Lookup("minister:1")
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, origin: i.Origin, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

func (b *browser) read(resp *http.Response, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.page, b.status = string(body), resp.StatusCode
	return resp.Request.URL.Path
}

// open asks for a page in both languages and keeps the English one; it gives where that led.
func (b *browser) open(path string) string {
	b.t.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	if !strings.Contains(path, "ticket=") {
		if b.read(b.client.Get(b.origin + path + join + "lang=ja")); b.status >= 500 {
			b.t.Fatalf("%s in Japanese: HTTP %d", path, b.status)
		}
	}
	return b.read(b.client.Get(b.origin + path + join + "lang=en"))
}

var hidden = regexp.MustCompile(`name="act" value="([0-9a-f]{32})"`)

// send sends a form of the page with a key that the page made.
func (b *browser) send(path string, fields ...string) string {
	b.t.Helper()
	form := url.Values{}
	if key := hidden.FindStringSubmatch(b.page); key != nil {
		form.Set("act", key[1])
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.read(b.client.PostForm(b.origin+path, form))
}

func (b *browser) sees(keys ...string) {
	b.t.Helper()
	text := strings.NewReplacer("&#39;", "'", "&amp;", "&").Replace(b.page)
	for _, key := range keys {
		want := key
		if web.Has(key) {
			want = web.Text(web.EN, key)
		}
		if !strings.Contains(text, want) {
			b.t.Errorf("HTTP %d, without %q", b.status, want)
		}
	}
}

// signedIn is an official at the desk.
func (o *office) signedIn(t *testing.T, name string) *browser {
	t.Helper()
	ticket, err := o.as("official:1").Ticket(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	b := o.browser(t)
	if at := b.open(ticket.Link("")); at != "/desk/" || b.status != http.StatusOK {
		t.Fatalf("signed in: at %s, HTTP %d", at, b.status)
	}
	return b
}

// An application is examined item by item in the browser, sent back, amended, granted; the accreditation suspended, lifted, audited.
func TestTheDesk(t *testing.T) {
	t.Parallel()
	o := start(t, "sqlite::memory:")
	platform := o.as("platform:1")
	application, err := platform.Apply(t.Context(), application(t), "application-0001")
	if err != nil {
		t.Fatal(err)
	}
	b := o.signedIn(t, "主務　花子")
	b.sees("主務　花子", "検証プラットフォーム", "minister.application.state.received", "minister.work.audits-none")
	at := "/desk/applications/" + string(application.ID)
	b.open(at)
	b.sees("責任　太郎", "minister.outcome.pending", "minister.decision.title")
	if b.send(at+"/decision", "state", "granted"); b.status != http.StatusUnprocessableEntity {
		t.Errorf("granted without an examination: HTTP %d", b.status)
	}
	b.sees("minister.code.criteria-open")
	next := b.open(at + "/criteria/" + application.Items[0].Criterion)
	for range application.Items {
		b.sees("minister.examine.statement", "SHA-256")
		fields := []string{"outcome", "accepted"}
		if strings.HasSuffix(next, "/"+rules.CriterionAudit) {
			if b.send(next, "outcome", "amend"); b.status != http.StatusUnprocessableEntity {
				t.Errorf("to be amended without words: HTTP %d", b.status)
			}
			b.sees("minister.code.words-missing")
			fields = []string{"outcome", "amend", "words", "監査人の氏名を書いてください。"}
		}
		next = b.send(next, fields...)
	}
	if next != at {
		t.Errorf("after the last item: %s", next)
	}
	b.sees("監査人の氏名を書いてください。", "minister.return.title")
	b.open("/desk/evidence/platform:1/" + application.Items[0].Evidence[0].SHA256)
	if b.page != application.Items[0].Criterion {
		t.Errorf("the evidence: HTTP %d %q", b.status, b.page)
	}
	b.open(at)
	b.send(at + "/return")
	b.sees("minister.application.state.returned")
	better := api.AmendmentRequest{Items: []api.ApplicationItem{{Criterion: rules.CriterionAudit, Statement: "外部の監査人<script>", Evidence: []api.Exhibit{paper("選任書", "監査人")}}}}
	if _, err := platform.Amend(t.Context(), application.ID, better, "amend-0001"); err != nil {
		t.Fatal(err)
	}
	next = b.open(at + "/criteria/" + rules.CriterionAudit)
	b.sees("外部の監査人&lt;script&gt;")
	b.send(next, "outcome", "accepted")
	b.send(at+"/decision", "state", "granted", "reason", "")
	b.sees("minister.application.state.granted", "minister.application.accreditation")
	o.deskOfAccreditation(t, b)
}

func (o *office) deskOfAccreditation(t *testing.T, b *browser) {
	t.Helper()
	all, err := o.as("official:1").List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v %v", all, err)
	}
	a, at := all[0], "/desk/accreditations/"+string(all[0].ID)
	b.open(at)
	b.sees("minister.standing.in-force", "minister.act.suspend", "minister.audit.state.due")
	if b.send(at+"/decision", "what", "suspend"); b.status != http.StatusUnprocessableEntity {
		t.Errorf("suspended without a reason: HTTP %d", b.status)
	}
	b.sees("minister.code.reason-missing")
	b.send(at+"/decision", "what", "suspend", "reason", "動作記録の欠落")
	b.sees("minister.standing.suspended", "minister.act.lift", "動作記録の欠落")
	public := o.browser(t)
	public.open("/register")
	public.sees("minister.standing.suspended", a.Name)
	public.open("/register/" + string(a.ID))
	public.sees("minister.step.suspended", "動作記録の欠落")
	if strings.Contains(public.page, "主務　花子") {
		t.Error("the public register names the official")
	}
	b.send(at+"/decision", "what", "lift", "reason", "是正を確認")
	b.sees("minister.step.lifted")
	b.send(at+"/decision", "what", "renew")
	b.sees("minister.code.already-in-force")
	o.minister.Clock.Set(time.Until(a.Until.AddDays(-90).Start()))
	b.send(at+"/decision", "what", "renew")
	b.sees("minister.code.audit-open")
	report := api.AuditReport{Year: 1, Auditor: "監査法人　例", AuditedOn: a.Until.AddDays(-100), Conclusion: "適正。", Evidence: []api.Exhibit{paper("報告書", "報告")}}
	if _, err := o.as("platform:1").SubmitAudit(t.Context(), a.ID, report, "audit-0001"); err != nil {
		t.Fatal(err)
	}
	b.open("/desk/audits")
	b.sees("minister.audit.state.submitted")
	year := b.open(at + "/audits/1")
	b.sees("監査法人　例", "適正。")
	b.send(year, "state", "closed")
	b.sees("minister.audit.state.closed")
	b.open(at)
	b.send(at+"/decision", "what", "renew")
	b.sees("minister.step.renewed")
	h, err := o.as("official:1").One(t.Context(), a.ID)
	if err != nil || len(h.Steps) != 4 {
		t.Fatalf("%+v %v", h, err)
	}
	for _, s := range h.Steps {
		if s.Official != "主務　花子" || s.By != "minister:1" {
			t.Errorf("decided by %q of %q", s.Official, s.By)
		}
	}
	if h, err = o.as("platform:1").One(t.Context(), a.ID); err != nil || h.Steps[0].Official != "" {
		t.Errorf("a verifier is told who decided: %+v %v", h.Steps, err)
	}
}

func TestNobodyComesToTheDeskWithoutATicket(t *testing.T) {
	t.Parallel()
	o := start(t, "sqlite::memory:")
	if _, err := o.as("platform:1").Ticket(t.Context(), "だれか"); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a verifier draws a ticket: %v", err)
	}
	b := o.browser(t)
	for _, path := range []string{"/desk/", "/desk/applications", "/desk/audits", "/desk/evidence/platform:1/" + strings.Repeat("0", 64)} {
		if b.open(path); b.status != http.StatusUnauthorized {
			t.Errorf("%s: HTTP %d", path, b.status)
		}
		b.sees("minister.signin.title")
	}
	if b.send("/desk/accreditations/"+string(jitsuin.NewID())+"/decision", "what", "suspend", "reason", "x"); b.status != http.StatusUnauthorized {
		t.Errorf("a form without a session: HTTP %d", b.status)
	}
	b.sees("minister.signin.lost")
	ticket, err := o.as("official:1").Ticket(t.Context(), "主務　花子")
	if err != nil {
		t.Fatal(err)
	}
	if at := b.open(ticket.Link("//elsewhere.example/desk/")); at != "/desk/" {
		t.Errorf("a link led to %s", at)
	}
	again := o.browser(t)
	if again.open(ticket.Link("")); again.status != http.StatusForbidden {
		t.Errorf("a ticket works twice: HTTP %d", again.status)
	}
	b.send("/desk/leave")
	b.sees("minister.signin.left")
	if b.open("/desk/"); b.status != http.StatusUnauthorized {
		t.Errorf("after leaving: HTTP %d", b.status)
	}
	if at := b.open("/"); at != "/register" {
		t.Errorf("the origin leads to %s", at)
	}
}
