package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

func TestTheCatalogueHasBothLanguages(t *testing.T) {
	if len(Catalogue()) < 40 {
		t.Fatalf("only %d texts: the test does not see the catalogue", len(Catalogue()))
	}
	for name, content := range map[string]string{
		"lacks one": "x.a:\n  ja: あ\n", "does not begin with": "y.a:\n  ja: あ\n  en: a\n", "different {names}": "x.a:\n  ja: '{n}個'\n  en: some\n",
		"unknown field": "x.a:\n  ja: あ\n  en: a\n  fr: a\n",
	} {
		_, err := readTexts(fstest.MapFS{"texts/x.yaml": {Data: []byte(content)}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryKindOfErrorHasWords(t *testing.T) {
	for k := jitsuin.Internal; k <= jitsuin.Unavailable; k++ {
		for _, l := range []Lang{JA, EN} {
			w := Explain(l, jitsuin.Errorf(k, "nobody-knows-this-code", "x"))
			if w.Title == "" || w.Means == "" || w.Next == "" {
				t.Errorf("%s in %s: %+v", k, l, w)
			}
		}
	}
}

// site is a small actor's pages.
func site(t *testing.T) http.Handler {
	t.Helper()
	s, err := New(Options{Name: "common.menu", Who: "朝霧野市", Accent: "green", Hosts: []string{"example.test"}, FormsTo: []string{"http://holder.test"},
		Templates: fstest.MapFS{"ask.html": {Data: []byte(`{{define "title"}}Ask{{end}}{{define "main"}}<h1>Ask</h1><form method="post">{{act}}{{template "problems" (problems .Data)}}{{template "form" (form .Data)}}<button>{{t "common.back"}}</button></form>{{end}}`)}}})
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.NewAPI("test", "1", nil, slog.New(slog.DiscardHandler))
	ask := func(w http.ResponseWriter, r *http.Request) error {
		f := NewForm(r.PostForm, Field{Name: "who", Label: "common.menu", Kind: TextField, Need: true, Max: 5},
			Field{Name: "day", Label: "common.menu", Kind: DateField}, Field{Name: "pin", Label: "common.menu", Kind: SecretField})
		if r.Method == http.MethodPost {
			if _, err := ActOf(r); err != nil {
				return err
			}
			if f.Check() {
				return jitsuin.Errorf(jitsuin.Conflict, "no-such-code", "done already")
			}
			s.Page(w, r, http.StatusUnprocessableEntity, "ask", f)
			return nil
		}
		s.Page(w, r, http.StatusOK, "ask", f)
		return nil
	}
	s.Handle(api, "GET /ask", httpapi.Public("test"), ask)
	s.Handle(api, "POST /ask", httpapi.Public("test"), ask)
	s.ServeAssets(api)
	return api.Handler()
}

func call(h http.Handler, method, path string, form url.Values, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://example.test"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAPageSpeaksTheReadersLanguage(t *testing.T) {
	h := site(t)
	lang := func(path string, change func(*http.Request)) string {
		body := call(h, "GET", path, nil, change).Body.String()
		_, rest, _ := strings.Cut(body, `<html lang="`)
		return rest[:2]
	}
	if l := lang("/ask", nil); l != "ja" {
		t.Errorf("by default: %s", l)
	}
	if l := lang("/ask", func(r *http.Request) { r.Header.Set("Accept-Language", "fr, en-GB;q=0.8, ja;q=0.5") }); l != "en" {
		t.Errorf("by the browser's wish: %s", l)
	}
	if l := lang("/ask?lang=en", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "lang", Value: "ja"}) }); l != "en" {
		t.Errorf("by choice: %s", l)
	}
	if l := lang("/ask", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "lang", Value: "en"}) }); l != "en" {
		t.Errorf("by an earlier choice: %s", l)
	}
}

func TestAFormLosesNothingAndShowsNoSecret(t *testing.T) {
	h := site(t)
	act := url.Values{"act": {string(jitsuin.NewID())}}
	form := url.Values{"act": act["act"], "who": {"<長すぎる名前>"}, "day": {"2026-02-30"}, "pin": {"SECRET9"}}
	w := call(h, "POST", "/ask", form, nil)
	body := w.Body.String()
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, "&lt;長すぎる名前&gt;") || !strings.Contains(body, "5文字まで") || !strings.Contains(body, "実在する日付") {
		t.Errorf("%d %s", w.Code, body)
	}
	if strings.Contains(body, "SECRET9") {
		t.Error("a secret was written into the page")
	}
	if !strings.Contains(body, `href="#f-who"`) || !strings.Contains(body, `aria-invalid="true"`) {
		t.Error("the summary does not lead to the field")
	}
	if w := call(h, "POST", "/ask", url.Values{"who": {"a"}}, nil); w.Code != http.StatusBadRequest {
		t.Errorf("a form of nobody's: %d", w.Code)
	}
	w = call(h, "POST", "/ask", url.Values{"act": act["act"], "who": {"a"}}, nil)
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "no-such-code") || !strings.Contains(w.Body.String(), "次にすること") {
		t.Errorf("an error is no page that helps: %d", w.Code)
	}
}

func TestOnlyThisSiteUnderItsOwnName(t *testing.T) {
	h := site(t)
	if w := call(h, "GET", "/ask", nil, func(r *http.Request) { r.Host = "evil.test" }); w.Code != http.StatusForbidden {
		t.Errorf("another name: %d", w.Code)
	}
	foreign := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if w := call(h, "POST", "/ask", url.Values{"act": {string(jitsuin.NewID())}, "who": {"a"}}, foreign); w.Code != http.StatusForbidden {
		t.Errorf("a form of another site: %d", w.Code)
	}
	w := call(h, "GET", "/ask", nil, nil)
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self' http://holder.test"} {
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), want) {
			t.Errorf("the policy lacks %q", want)
		}
	}
}

func TestAssetsCarryTheirHash(t *testing.T) {
	h := site(t)
	body := call(h, "GET", "/ask", nil, nil).Body.String()
	_, rest, _ := strings.Cut(body, `rel="stylesheet" href="`)
	link, _, _ := strings.Cut(rest, `"`)
	w := call(h, "GET", link, nil, nil)
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d %v", link, w.Code, w.Header())
	}
	if w := call(h, "GET", "/assets/000000000000/base.css", nil, nil); w.Code != http.StatusNotFound {
		t.Errorf("another hash: %d", w.Code)
	}
}
