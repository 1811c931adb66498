package site_test

import (
	"crypto"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform"
)

// outcomeWords are what a person reads, and the names of what they press, on the way through everything that goes wrong.
var outcomeWords = map[string]map[string]string{
	"ja": {"go": "このカードで進む", "pin": "利用者証明用の暗証番号", "login": "ログインする", "wrong": "違います。あと2回入力できます", "gone": "カードが離れました", "retry": "もう一度試す",
		"locked": "暗証番号がロックされています", "counter": "市区町村の窓口で再設定", "other": "別のカードを使う", "revoked": "この証明書は失効しているか、利用が一時停止されています", "new": "新しい電子証明書の発行を申請",
		"again": "別のカードで試す", "warning": "証明書について確認してください", "all the same": "それでも進む", "expired": "この証明書は有効期間内ではありません", "renew": "3か月前から更新できます",
		"unsure": "証明書が有効かどうかを、いま確認できません", "not you": "カードに問題があるわけではありません", "back": "やめて元のサイトへ戻る"},
	"en": {"go": "Go on with this card", "pin": "PIN for user authentication", "login": "Log in", "wrong": "It is wrong. Tries left: 2", "gone": "The card was taken away", "retry": "Try again",
		"locked": "The PIN is locked", "counter": "counter of your municipality", "other": "Use another card", "revoked": "This certificate has been revoked or suspended", "new": "Ask for a new certificate",
		"again": "Try with another card", "warning": "Something about your certificate", "all the same": "Go on all the same", "expired": "This certificate is not within its time", "renew": "from three months before its end",
		"unsure": "It cannot be told now whether this certificate is in force", "not you": "nothing wrong with your card", "back": "Stop and go back to the site"},
}

// outcomeWorld has a card for each thing that can be wrong with one.
func outcomeWorld(t *testing.T) (w *world, locked *holdertest.Card) {
	t.Helper()
	return newWorld(t, plan{known: true, platform: func(c *platform.Config) { c.Sandbox.Open = true }, cards: func(w *world) {
		locked = w.card("閉　じ子", holdertest.Order{Without: jitsuin.SignCert})
		for label, change := range map[string]func(*cert.Template){"失効　太郎": nil, "期限　切子": func(c *cert.Template) {
			c.NotBefore, c.LastDay = time.Now().AddDate(-4, 0, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(-2)
		}} {
			who := w.Agency.Resident(label)
			w.cards.Issue = func(kind jitsuin.CertKind, key crypto.PublicKey) *x509.Certificate {
				w.Agency.Reissue(who, kind, func(c *cert.Template) {
					c.Key = key
					if change != nil {
						change(c)
					}
				})
				return who.Auth.Cert
			}
			made := w.card(label, holdertest.Order{Without: jitsuin.SignCert})
			if change == nil {
				w.Agency.Revoke(jitsuin.AuthCert, made.Certificates[jitsuin.AuthCert])
			}
		}
	}}), locked
}

// chooseByKeyboard reaches the cards by Tab, which stops at a group of them once, and the one that is meant by the arrow.
func chooseByKeyboard(t *testing.T, b *webtest.Browser, card string) {
	t.Helper()
	const focused = `(() => { const e = document.activeElement; return e && e.type === "radio" ? e.labels[0].innerText.trim() : ""; })()`
	for range 20 {
		switch at := webtest.Eval[string](b, focused); {
		case at == "":
			b.Press(kb.Tab)
		case !strings.HasPrefix(at, card):
			b.Press(kb.ArrowDown)
		default:
			b.Press(" ")
			return
		}
	}
	t.Fatalf("the keyboard never reaches %q on %s:\n%s", card, b.URL(), b.Text())
}

// Whatever goes wrong with PIN, card or certificate during a login has its page, from which the person goes on: by keyboard, in both languages.
func TestEverythingThatGoesWrongHasItsPage(t *testing.T) {
	w, locked := outcomeWorld(t)
	var came url.Values
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			came = r.URL.Query()
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Write([]byte("<!doctype html><title>rp</title><h1>The shop</h1>"))
	}))
	t.Cleanup(srv.Close)
	c := w.relyingParty("shop", srv.URL, map[string]any{"client_name": "Trial shop", "token_endpoint_auth_method": "none"})
	if _, err := w.host.SetFault(t.Context(), locked.ID, fault.Setting{Name: fault.AuthPINBlocked}); err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"ja", "en"} {
		words := outcomeWords[lang]
		b := webtest.New(t, lang, 1280)
		q := url.Values{"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {srv.URL + "/callback"}, "scope": {"openid"}, "state": {"s"}, "ui_locales": {lang},
			"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}
		choose := func(card string) {
			t.Helper()
			b.See(words["go"])
			chooseByKeyboard(t, b, card)
			b.Keyboard(words["go"])
		}
		pin := func(pin string) {
			t.Helper()
			b.See(words["login"])
			b.TabTo(words["pin"])
			if webtest.Eval[string](b, `document.activeElement.tagName`) == "A" { // of the summary of what was wrong: it leads to the field
				b.Press(kb.Enter)
			}
			b.Press(pin + kb.Enter)
		}
		page := func(name string, says ...string) {
			t.Helper()
			for _, s := range says {
				b.See(words[s])
			}
			look(b, "outcome-"+name+"-"+lang)
		}
		b.Open(w.Origin + "/openid/authorize?" + q.Encode())
		choose("霧島")
		pin("9999")
		page("wrong-pin", "wrong")
		if _, err := w.host.SetFault(t.Context(), w.Good.ID, fault.Setting{Name: fault.Removed}); err != nil {
			t.Fatal(err)
		}
		pin(holdertest.AuthPIN)
		page("removed", "gone")
		b.Keyboard(words["retry"])
		b.See(words["pin"])
		b.Keyboard(words["other"])
		choose("閉")
		page("locked", "locked", "counter")
		b.Keyboard(words["other"])
		choose("失効")
		pin(holdertest.AuthPIN)
		page("revoked", "revoked", "new")
		b.Keyboard(words["again"])
		choose("期限")
		pin(holdertest.AuthPIN)
		page("warning", "warning")
		b.Keyboard(words["all the same"])
		page("expired", "expired", "renew")
		b.Keyboard(words["again"])
		choose("霧島")
		w.Status.Down.Store(true)
		pin(holdertest.AuthPIN)
		page("unsure", "unsure", "not you")
		w.Status.Down.Store(false)
		b.Keyboard(words["retry"])
		choose("霧島")
		pin(holdertest.AuthPIN)
		b.See("The shop")
		if came.Get("code") == "" || came.Get("state") != "s" {
			t.Errorf("came back with %v", came)
		}
		b.Open(w.Origin + "/openid/authorize?" + q.Encode())
		choose("失効")
		pin(holdertest.AuthPIN)
		b.See(words["revoked"])
		b.Keyboard(words["back"])
		b.See("The shop")
		if came.Get("error") != "access_denied" || came.Get("state") != "s" || came.Has("code") {
			t.Errorf("came back with %v", came)
		}
	}
	w.secretsStayOut()
}
