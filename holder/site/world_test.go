package site_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature/form"
)

// world is a holder with a real platform, real chips, and a relying party of the test's own.
type world struct {
	*platformtest.World
	t      *testing.T
	cards  *holdertest.World
	data   string
	host   *host.Host
	Site   *site.Site
	firm   *firm
	client *client.Client
	log    *platformtest.Buffer
	Good   *holdertest.Card
}

// plan says how a world differs from the usual one.
type plan struct {
	site     func(*site.Config)
	platform func(*platform.Config)
	cards    func(w *world) // makes further cards before the host starts
	known    bool           // the certificates of cards are ones that the platform's world knows of
}

func newWorld(t *testing.T, p plan) *world {
	t.Helper()
	w := &world{World: platformtest.New(t, "sqlite::memory:", p.platform), t: t, cards: holdertest.New(t), data: shortDir(t), log: &platformtest.Buffer{}}
	w.Accredit(minister.InForce)
	w.firm = newFirm(t)
	tenant := w.Register("tenant:firm", w.firm.origin)
	var err error
	if w.client, err = client.New(w.Origin, platformtest.ID, tenant.ID, tenant.Key); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	if p.known {
		w.issueKnown()
	}
	w.Good = w.card("霧島　花子", holdertest.Order{})
	if p.cards != nil {
		p.cards(w)
	}
	if w.host, err = host.New(filepath.Join(w.data, "cards"), host.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.host.Close() })
	cfg := site.Config{Config: w.Config("holder:1", "sqlite::memory:"), Cards: filepath.Join(w.data, "cards"),
		FaceAnchor: w.faceAnchor(),
		Log:        slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if p.site != nil {
		p.site(&cfg)
	}
	if w.Site, err = site.New(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	w.Run(w.Site)
	return w
}

// faceAnchor writes the root of the test's cards.
func (w *world) faceAnchor() string {
	w.t.Helper()
	text, err := w.cards.FaceAnchor(w.t).PEM()
	path := filepath.Join(w.t.TempDir(), "face.pub")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return path
}

// issueKnown has the agency of the platform's world issue the certificates of the cards, all to one resident.
func (w *world) issueKnown() {
	who := w.Agency.Resident("霧島　花子")
	w.cards.CAs = w.Agency.Authorities
	w.cards.Issue = func(kind jitsuin.CertKind, key crypto.PublicKey) *x509.Certificate {
		w.Agency.Reissue(who, kind, func(c *cert.Template) { c.Key = key })
		if kind == jitsuin.SignCert {
			return who.Sign.Cert
		}
		return who.Auth.Cert
	}
}

// shortDir is a folder whose name leaves room for a socket's.
func shortDir(t *testing.T) string {
	t.Helper()
	return t.TempDir()
}

func (w *world) card(label string, o holdertest.Order) *holdertest.Card {
	w.t.Helper()
	c := w.cards.Card(w.t, w.data, o)
	if err := holder.CardsIn(w.data).SetLabel(c.ID, label); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// firm is a relying party: it gives out a form and a PDF, and takes answers.
type firm struct {
	origin string
	srv    *httptest.Server

	mu      sync.Mutex
	form    []byte
	pdf     []byte
	status  int    // of its answer to an answer, 200 where 0
	back    string // where it leads the person; its own page where ""
	answers []client.HolderAnswer
}

func newFirm(t *testing.T) *firm {
	t.Helper()
	raw, err := json.Marshal(account())
	if err != nil {
		t.Fatal(err)
	}
	f := &firm{form: raw, pdf: []byte("%PDF-1.7\n% a document of the firm\n%%EOF\n")}
	mux := http.NewServeMux()
	give := func(content *[]byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			f.mu.Lock()
			defer f.mu.Unlock()
			w.Write(*content)
		}
	}
	mux.HandleFunc("GET /form", give(&f.form))
	mux.HandleFunc("GET /pdf", give(&f.pdf))
	mux.HandleFunc("GET /led-away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/form", http.StatusFound) })
	mux.HandleFunc("POST /answers", f.take)
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(`<!doctype html><html lang="ja"><title>firm</title><main><h1>証券会社の画面</h1></main></html>`))
	})
	mux.HandleFunc("GET /ask", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(`<!doctype html><html lang="ja"><title>firm</title><main><h1>証券会社</h1><form action="` + r.URL.Query().Get("open") + `"><a href="` + r.URL.Query().Get("open") + `">カードで続ける</a></form></main></html>`))
	})
	f.srv = httptest.NewServer(mux)
	t.Cleanup(f.srv.Close)
	f.origin = f.srv.URL
	return f
}

func (f *firm) take(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status == http.StatusTemporaryRedirect {
		http.Redirect(w, r, "/elsewhere", f.status)
		return
	}
	if f.status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(f.status)
		json.NewEncoder(w).Encode(map[string]any{"kind": "conflict", "code": "txn-over", "detail": "this transaction is over", "status": f.status})
		return
	}
	var a client.HolderAnswer
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.answers = append(f.answers, a)
	back := f.back
	if back == "" {
		back = f.origin + "/done?code=once"
	}
	json.NewEncoder(w).Encode(client.AnswerTaken{ReturnURL: back})
}

func (f *firm) set(change func(*firm)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *firm) taken() []client.HolderAnswer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]client.HolderAnswer{}, f.answers...)
}

// only gives the one answer that the firm has.
func (w *world) only() client.HolderAnswer {
	w.t.Helper()
	all := w.firm.taken()
	if len(all) != 1 {
		w.t.Fatalf("the firm has %d answers", len(all))
	}
	return all[0]
}

func both(ja, en string) form.Text { return form.Text{JA: ja, EN: en} }

func account() form.Form {
	return form.Form{ID: "account-opening", Number: "A-17", Title: both("総合証券口座開設申込書", "Application for a securities account"), Issuer: both("見本証券", "Sample Securities"),
		Intro: both("私は、次のとおり口座の開設を申し込みます。", "I apply for an account as follows."),
		Fields: []form.Field{{Name: "name", Label: both("氏名", "Name"), From: form.FromCertificate, Item: form.ItemName}, {Name: "address", Label: both("住所", "Address"), From: form.FromCertificate, Item: form.ItemAddress},
			{Name: "birth", Label: both("生年月日", "Date of birth"), From: form.FromCertificate, Item: form.ItemBirthDate},
			{Name: "occupation", Label: both("職業", "Occupation"), From: form.FromPerson, Required: true, Max: 20},
			{Name: "purpose", Label: both("取引の目的", "Purpose of trading"), From: form.FromPerson, Required: true, Options: []form.Option{{Value: "growth", Label: both("資産形成", "Building assets")}, {Value: "income", Label: both("配当収入", "Income")}}},
			{Name: "branch", Label: both("取扱店", "Branch"), From: form.FromIssuer, Value: "本店"}},
		Clauses: []form.Text{both("氏名又は住所に異動があったときは、遅滞なく届け出ます。", "I give notice of changes of name or address.")}}
}

const state = "state-0123456789abcdef"

// request has the platform make a request of the firm's.
func (w *world) request(act string, change func(*client.HolderRequest)) client.MadeRequest {
	w.t.Helper()
	r := client.HolderRequest{Purpose: "証券口座へのログイン", PurposeEN: "Log in to your account", Origin: w.firm.origin, ResponseURI: w.firm.origin + "/answers", State: state}
	switch act {
	case "login":
		r.Act = client.ActLogin
	case "form":
		r.Act, r.Purpose, r.PurposeEN, r.Items = client.ActSign, "証券口座の開設", "Opening a securities account", []string{"name", "address", "birth_date"}
		r.Documents = []client.RequestDocument{w.document("口座開設申込書", client.MediaTypeForm, "/form", w.firm.form)}
	case "pdf":
		r.Act, r.Purpose, r.PurposeEN = client.ActSign, "約款への同意", "Consent to the terms"
		r.Documents = []client.RequestDocument{w.document("約款", client.MediaTypePDF, "/pdf", w.firm.pdf)}
	}
	if change != nil {
		change(&r)
	}
	m, err := w.client.Request(w.t.Context(), "", r)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *world) document(name, kind, path string, content []byte) client.RequestDocument {
	sum := sha256.Sum256(content)
	return client.RequestDocument{Name: name, MediaType: kind, SHA256: sum[:], HRef: w.firm.origin + path}
}

// person is a browser without script: it follows redirects, keeps cookies, and sends forms.
type person struct {
	w    *world
	http *http.Client
	at   *url.URL
	page string
	code int
}

func (w *world) person() *person {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &person{w: w, http: &http.Client{Jar: jar}}
}

func (p *person) take(resp *http.Response, err error) {
	p.w.t.Helper()
	if err != nil {
		p.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.at, p.page, p.code = resp.Request.URL, string(raw), resp.StatusCode
}

func (p *person) open(link string) { p.w.t.Helper(); p.take(p.http.Get(link)) }

// send posts a form to a page of the flow: pairs are name and value.
func (p *person) send(path string, pairs ...string) {
	p.w.t.Helper()
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	link := *p.at
	link.RawQuery = ""
	if path != "" {
		link.Path, link.RawQuery, _ = strings.Cut(path, "?")
	}
	p.take(p.http.PostForm(link.String(), v))
}

// shows tells whether a text has a secret; digits in the middle of a random id in hexadecimal are none.
func shows(text, secret string) bool {
	hex := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }
	for at := 0; ; {
		i := strings.Index(text[at:], secret)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(secret)
		if !(from > 0 && hex(secret[0]) && hex(text[from-1])) && !(to < len(text) && hex(text[to])) {
			return true
		}
		at = from + 1
	}
}

var flowPath = regexp.MustCompile(`^/request/[0-9a-f]{32}`)

// flow is the path of the flow on which the person is.
func (p *person) flow(stage string) string {
	p.w.t.Helper()
	f := flowPath.FindString(p.at.Path)
	if f == "" {
		p.w.t.Fatalf("not in a flow but on %s: %s", p.at, p.heading())
	}
	return f + stage
}

var headings = regexp.MustCompile(`(?s)<h1>(.*?)</h1>`)

func (p *person) heading() string {
	if m := headings.FindStringSubmatch(p.page); m != nil {
		return m[1]
	}
	return p.page
}

// on fails where the person is on another page.
func (p *person) on(heading string, texts ...string) {
	p.w.t.Helper()
	if !strings.Contains(p.heading(), heading) {
		p.w.t.Fatalf("on %s %q, want %q\n%s", p.at, p.heading(), heading, p.page)
	}
	for _, s := range texts {
		if !strings.Contains(p.page, s) {
			p.w.t.Fatalf("%q does not stand on %q\n%s", s, heading, p.page)
		}
	}
}

// toPIN opens a request and chooses a card.
func (p *person) toPIN(m client.MadeRequest, card jitsuin.ID) {
	p.w.t.Helper()
	p.open(m.Open)
	p.send(p.flow(""), "card", string(card))
}

// secretsStayOut fails where a PIN was written into a page or a log.
func (w *world) secretsStayOut(pages ...*person) {
	w.t.Helper()
	for _, pin := range []string{holdertest.SignPIN, "pin=", "WRONG99"} {
		if strings.Contains(w.log.String(), pin) {
			w.t.Errorf("the log has %q", pin)
		}
	}
	for _, p := range pages {
		if strings.Contains(p.page, holdertest.SignPIN) || strings.Contains(p.page, "WRONG99") {
			w.t.Error("a page has a PIN")
		}
	}
}

// sandbox calls the holder's sandbox API as an instance.
func (w *world) sandbox(caller string, in site.SandboxAnswer) (site.SandboxAnswered, error) {
	w.t.Helper()
	r := httpapi.NewRemote(w.Identity(caller), w.Directory(), "holder:1")
	defer r.Close()
	return httpapi.Do[site.SandboxAnswered](w.t.Context(), r, "POST", "/sandbox/answers", "", in)
}

// await waits until something is so.
func (w *world) await(what string, so func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}
