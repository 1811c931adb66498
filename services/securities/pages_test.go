package securities_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// scripted is a holder that does at once what the test wants, and leads back.
type scripted struct {
	b      *browser
	answer func(b *browser, a asked) api.HolderAnswer // to an application
	login  platformtest.Credential
	keeps  bool // stays on its own page
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.keeps {
		w.Write([]byte(`<!doctype html><html lang="ja"><head><title>カード</title></head><body><main><h1>カードを使う画面</h1></main></body></html>`))
		return
	}
	claims := s.b.claims(r.URL.Query().Get("request_uri"))
	var answer api.HolderAnswer
	if claims.Act == api.ActLogin {
		answer = s.b.loginTo(claims, s.login)
	} else {
		answer = s.answer(s.b, s.b.fetched(claims))
	}
	back, code := s.b.posts(answer)
	if code != "" {
		s.b.t.Error(code)
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (f *firm) scriptedHolder() *scripted {
	f.t.Helper()
	l, err := net.Listen("tcp", f.Address("holder:1"))
	if err != nil {
		f.t.Fatal(err)
	}
	h := &scripted{b: f.browser()}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	s.Start()
	f.t.Cleanup(s.Close)
	return h
}

var holes = regexp.MustCompile(`\{[a-z-]+\}`)

// Every page is looked at by a browser: it can be used by everybody and fits a telephone.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	f := open(t, "sqlite::memory:")
	h, c := f.scriptedHolder(), webtest.New(t, "ja", 1280)
	look := func(name string, texts ...string) {
		t.Helper()
		c.See(texts...)
		if hole := holes.FindString(c.Text()); hole != "" {
			t.Errorf("%s: %s was not filled", name, hole)
		}
		c.Axe()
		c.FitsWidth(360)
		c.Shots(name)
		c.Resize(1280)
	}
	// the same page in the other language, and back
	english := func(name string, texts ...string) {
		t.Helper()
		c.Click("English")
		look(name+"-en", texts...)
		c.Click("日本語")
		c.See("本文へ移動")
	}
	c.Open(f.origin + "/")
	look("home", "証券口座をその場で開設")
	for _, r := range refusals(t, f) {
		h.answer = r.answer
		c.Open(f.origin + "/open")
		if r.outcome == "cancelled" {
			look("open", "当社が受け取らないもの", "マイナンバー")
		}
		c.Click("カードを使う画面へ進む")
		c.See(text(web.JA, "firm.outcome."+r.outcome+".title"), text(web.JA, "firm.outcome."+r.outcome+".next"), "次にすること")
		if r.outcome == "revoked" { // the others differ in their words only
			look("refused-" + r.outcome)
			english("refused-"+r.outcome, text(web.EN, "firm.outcome."+r.outcome+".next"))
		}
	}
	hanako := f.Agency.Resident("霧島　花子")
	h.answer = func(b *browser, a asked) api.HolderAnswer { return b.answer(a, hanako) }
	f.Status.Down.Store(true)
	c.Open(f.origin + "/open")
	c.Click("カードを使う画面へ進む")
	look("waiting", "署名を確認しています")
	f.Status.Down.Store(false)
	c.Click("もう一度確認する")
	look("opened", "口座を開設しました", "口座番号")
	english("opened", "Your account is open")
	c.Click("何が起きたか")
	look("opened-fold", "TOTAL-PASSED")
	c.Click("ログインする")
	h.login = f.Agency.Resident("沢渡　太郎").Auth
	c.Click("カードでログインする")
	look("login-no-customer", "まだ口座がありません")
	h.login = hanako.Auth
	c.Click("カードでログインする")
	look("account", "あなたの口座", "霧島　花子", "確認記録")
	english("account", "Your application", "Record of your identification")
	c.Click("ログアウト")
	c.See("証券口座をその場で開設")
	c.Click("あなたの口座")
	look("no-session", "ログインが必要です")
	h.keeps = true
	c.Open(f.origin + "/open")
	c.Click("カードを使う画面へ進む")
	c.See("カードを使う画面")
}
