package site_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/internal/webtest"
	"github.com/jitsuin/jitsuin/platform"
)

var sixDigits = regexp.MustCompile(`\b([0-9]{3}) ([0-9]{3})\b`)

// shownDigits reads what the telephone shows.
func shownDigits(t *testing.T, phone *webtest.Browser) string {
	t.Helper()
	m := sixDigits.FindStringSubmatch(phone.Text())
	if m == nil {
		t.Fatalf("the telephone shows no digits:\n%s", phone.Text())
	}
	return m[1] + m[2]
}

// Two browsers: one begins at a client of the provider's and shows the QR code, the other has the card. The first goes on by itself when the
// second has answered, and to the client when the digits are right.
func TestALoginOnAnotherDeviceInTwoBrowsers(t *testing.T) {
	w := newWorld(t, plan{known: true, platform: func(c *platform.Config) { c.Sandbox.Open, c.OtherDevices = true, true }})
	var came url.Values
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			came = r.URL.Query()
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Write([]byte("<!doctype html><title>rp</title><h1>The shop</h1>"))
	}))
	t.Cleanup(srv.Close)
	c := w.relyingParty("shop", srv.URL, map[string]any{"token_endpoint_auth_method": "none"})
	for _, lang := range []string{"ja", "en"} {
		words := map[string][]string{
			"ja": {"別の端末で答える", "別の端末でQRコードを読み取ってください", "この依頼は、別の画面で始められました", "このカードで進む", "利用者証明用の暗証番号", "ログインする", "入力内容を確かめてください", "始めた画面に、この数字を入力してください", "6桁の数字", "入力して進む", "数字が違います", "読み取れない方へ"},
			"en": {"Answer on another device", "Scan the QR code with another device", "Another screen began this", "Go on with this card", "PIN for user authentication", "Log in", "Please check what you entered", "Type these digits on the screen where you began", "Six digits", "Go on", "These are other digits", "If you cannot scan it"},
		}[lang]
		came = nil
		screen, phone := webtest.New(t, lang, 1280), webtest.New(t, lang, 390)
		q := url.Values{"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {srv.URL + "/callback"}, "scope": {"openid"}, "state": {"s"}, "ui_locales": {lang},
			"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}
		screen.Open(w.Origin + "/openid/authorize?" + q.Encode())
		screen.See(words[0])
		look(screen, "screen-0-choose-"+lang)
		screen.Keyboard(words[0])
		screen.See(words[1])
		look(screen, "screen-1-scan-"+lang)
		screen.Click(words[11])
		link := webtest.Eval[string](screen, `document.getElementById("screen-link").textContent`)
		phone.Open(link + "&lang=" + lang)
		phone.See(words[2], "127.0.0.1")
		look(phone, "screen-2-phone-"+lang)
		phone.Resize(390)
		phone.Tick("霧島")
		phone.Click(words[3])
		phone.See(words[2])
		phone.Fill(words[4], "9999")
		phone.Click(words[5])
		phone.See(words[6], words[2])
		phone.Fill(words[4], holdertest.AuthPIN)
		phone.Click(words[5])
		phone.See(words[7])
		look(phone, "screen-3-digits-"+lang)
		screen.See(words[8]) // by itself
		if came != nil {
			t.Errorf("the client was told before the digits: %v", came)
		}
		wrong := "000000"
		digits := shownDigits(t, phone)
		if digits == wrong {
			wrong = "000001"
		}
		screen.Fill(words[8], wrong)
		screen.Keyboard(words[9])
		screen.See(words[10])
		look(screen, "screen-4-wrong-"+lang)
		screen.Fill(words[8], digits)
		screen.Keyboard(words[9])
		screen.See("The shop") // by itself, through the page that says that the digits are right
		if came.Get("code") == "" || came.Get("state") != "s" {
			t.Errorf("came back with %v", came)
		}
		// Scanned again, by another telephone, after the answer.
		late := webtest.New(t, lang, 390)
		late.Open(link)
		late.See(map[string]string{"ja": "この依頼にはもう答えています", "en": "This request was answered already"}[lang])
	}
	w.secretsStayOut()
}

// Said no on the telephone: the screen says so by itself and leads back, and the telephone leads nowhere.
func TestNoOnTheOtherDevice(t *testing.T) {
	w := newWorld(t, plan{known: true})
	screen, phone := webtest.New(t, "ja", 1280), webtest.New(t, "ja", 390)
	screen.Open(w.Origin + "/me")
	look(screen, "screen-me")
	screen.Click("別の端末で答える")
	screen.Click("読み取れない方へ")
	phone.Open(webtest.Eval[string](screen, `document.getElementById("screen-link").textContent`))
	phone.Click("やめる")
	phone.See("始めた画面をご覧ください")
	look(phone, "screen-no-phone")
	screen.See("取りやめました")
	look(screen, "screen-no")
	screen.Click("先へ進む")
	screen.See("カードでログイン")
	// And no on the screen: the telephone that answers after that is told.
	screen.Click("別の端末で答える")
	screen.Click("読み取れない方へ")
	phone.Open(webtest.Eval[string](screen, `document.getElementById("screen-link").textContent`))
	screen.Click("やめる")
	screen.See("取りやめました")
	phone.Tick("霧島")
	phone.Click("このカードで進む")
	phone.Fill("利用者証明用の暗証番号", holdertest.AuthPIN)
	phone.Click("ログインする")
	phone.See("相手が受け付けませんでした")
	look(phone, "screen-stopped-phone")
}
