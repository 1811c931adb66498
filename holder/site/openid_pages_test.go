package site_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform"
)

// The provider's own pages, by keyboard, in both languages: a client is made, a login asks for data, which come from the card, a logout asks first.
func TestTheProvidersPagesInABrowser(t *testing.T) {
	w := newWorld(t, plan{known: true, platform: func(c *platform.Config) { c.Sandbox.Open = true },
		cards: func(w *world) { w.card("霧島　写", holdertest.Order{Face: &faceItems, Without: jitsuin.SignCert}) }})
	var came url.Values
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			came = r.URL.Query()
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Write([]byte("<!doctype html><title>rp</title><h1>The shop</h1>"))
	}))
	t.Cleanup(srv.Close)
	for _, lang := range []string{"ja", "en"} {
		words := map[string][]string{
			"ja": {"利用者に見せる名前", "戻り先のURL（redirect_uri", "氏名", "クライアントを作る", "クライアントができました", "渡す情報を選んでください", "選んだものを渡してログインへ進む", "このカードで進む", "券面事項入力補助用の暗証番号", "読み取る（まだ渡しません）", "同意して進む", "利用者証明用の暗証番号", "ログインする", "ログアウトしますか", "すべてログアウトする", "ログアウトしました", "登録できませんでした"},
			"en": {"Name that people are shown", "Addresses to return to (redirect_uri", "Name", "Make the client", "The client is made", "Choose what you give", "Give what I ticked and go on to log in", "Go on with this card", "PIN for the card's text", "Read (nothing is given yet)", "Agree and go on", "PIN for user authentication", "Log in", "Log out?", "Log out everywhere", "You are logged out", "The client was not made"},
		}[lang]
		b := webtest.New(t, lang, 1280)
		b.Open(w.Origin + "/openid/clients")
		look(b, "openid-clients-"+lang)
		b.Fill(words[0], "Trial shop")
		b.Fill(words[1], "http://shop.example/callback")
		b.Keyboard(words[3])
		b.See(words[16])
		look(b, "openid-clients-wrong-"+lang)
		b.Fill(words[1], srv.URL+"/callback")
		b.Tick(words[2])
		b.Keyboard(words[3])
		b.See(words[4])
		look(b, "openid-client-"+lang)
		id := webtest.Eval[string](b, `document.getElementById("client-id").textContent`)
		q := url.Values{"response_type": {"code"}, "client_id": {id}, "redirect_uri": {srv.URL + "/callback"}, "scope": {"openid name"}, "state": {"s"}, "ui_locales": {lang},
			"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}
		b.Open(w.Origin + "/openid/authorize?" + q.Encode())
		b.See(words[5], "Trial shop")
		look(b, "openid-consent-"+lang)
		b.TabTo(words[2])
		b.Press(" ")
		b.Keyboard(words[6])
		b.Tick("霧島　写")
		b.Keyboard(words[7])
		b.Fill(words[8], holdertest.TextPIN)
		b.Keyboard(words[9])
		b.See("霧島　花子")
		b.Keyboard(words[10])
		b.Fill(words[11], holdertest.AuthPIN)
		b.Keyboard(words[12])
		b.See("The shop")
		if came.Get("code") == "" || came.Get("state") != "s" {
			t.Errorf("came back with %v", came)
		}
		b.Open(w.Origin + "/openid/logout?lang=" + lang)
		b.See(words[13])
		look(b, "openid-logout-"+lang)
		b.Keyboard(words[14])
		b.See(words[15])
		look(b, "openid-logged-out-"+lang)
		q.Set("redirect_uri", srv.URL+"/other")
		b.Open(w.Origin + "/openid/authorize?" + q.Encode())
		look(b, "openid-refused-"+lang)
	}
}
