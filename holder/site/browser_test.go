package site_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

// look asks axe, checks a narrow window and takes pictures.
func look(b *webtest.Browser, name string) {
	b.Axe()
	b.FitsWidth(360)
	b.Shots(name)
	b.Resize(1280)
}

// from opens a request as a person does: by a link on the firm's page, from another origin.
func (w *world) from(b *webtest.Browser, m client.MadeRequest) {
	b.Open(w.firm.origin + "/ask?open=" + url.QueryEscape(m.Open))
	b.Click("カードで続ける")
}

func TestAPersonSignsInABrowser(t *testing.T) {
	w := newWorld(t, plan{site: func(c *site.Config) { c.Sandbox = true }, cards: func(w *world) { w.card("雲居　太郎", holdertest.Order{Without: "auth"}) }})
	for _, lang := range []string{"ja", "en"} {
		words := map[string][]string{
			"ja": {"電子署名の依頼", "霧島　花子", "このカードで進む", "署名用パスワード", "次へ", "職業", "取引の目的", "資産形成", "書面を作って読む", "署名する", "入力内容を確かめてください", "試験する人へ", "失敗のさせ方"},
			"en": {"You are asked to sign", "霧島　花子", "Go on with this card", "Password for signatures", "Go on", "Occupation", "Purpose of trading", "Building assets", "Make the document and read it", "Sign", "Please check what you entered", "For testers", "How it goes wrong"},
		}[lang]
		b := webtest.New(t, lang, 1280)
		before := len(w.firm.taken())
		w.from(b, w.request("form", nil))
		b.See(words[0])
		look(b, "sign-1-ask-"+lang)
		b.Tick(words[1])
		b.Click(words[2])
		b.See(words[3])
		look(b, "sign-2-pin-"+lang)
		b.Fill(words[3], "WRONG99")
		b.Click(words[4])
		b.See(words[10])
		look(b, "sign-2-wrong-"+lang)
		b.Fill(words[3], holdertest.SignPIN)
		b.Click(words[4])
		b.See(words[5], "霧島")
		look(b, "sign-3-form-"+lang)
		b.Fill(words[5], "会社員")
		b.Choose(words[6], words[7])
		b.Click(words[8])
		b.See("総合証券口座開設申込書", "会社員", "資産形成")
		b.NotSee(words[12])
		look(b, "sign-4-read-"+lang)
		b.Click(words[11])
		b.See(words[12])
		look(b, "sign-4-testers-"+lang)
		b.Click(words[9])
		b.See("証券会社の画面") // by itself, through the page that says it is done
		if len(w.firm.taken()) != before+1 {
			t.Errorf("the firm has %d answers", len(w.firm.taken()))
		}
	}
	w.secretsStayOut()
}

func TestAPersonLogsInByKeyboardAlone(t *testing.T) {
	w := newWorld(t, plan{})
	for _, lang := range []string{"ja", "en"} {
		words := map[string][]string{
			"ja": {"ログインの依頼", "このカードで進む", "利用者証明用の暗証番号", "ログインする"},
			"en": {"You are asked to log in", "Go on with this card", "PIN for user authentication", "Log in"},
		}[lang]
		b := webtest.New(t, lang, 1280)
		before := len(w.firm.taken())
		w.from(b, w.request("login", nil))
		b.See(words[0])
		look(b, "login-1-ask-"+lang)
		b.TabTo("霧島")
		b.Press(" ")
		b.Keyboard(words[1])
		b.See(words[2])
		look(b, "login-2-pin-"+lang)
		b.TabTo(words[2])
		b.Press(holdertest.AuthPIN)
		b.Keyboard(words[3])
		b.See("証券会社の画面")
		if len(w.firm.taken()) != before+1 {
			t.Errorf("the firm has %d answers", len(w.firm.taken()))
		}
	}
}

func TestTheOtherPagesInABrowser(t *testing.T) {
	w := newWorld(t, plan{cards: func(w *world) { w.card("古川　旧", holdertest.Order{Years: -5, Without: "auth"}) }})
	for _, lang := range []string{"ja", "en"} {
		b := webtest.New(t, lang, 1280)
		b.Open("http://" + w.Address("holder:1") + "/")
		look(b, "home-"+lang)
		b.Click(map[string]string{"ja": "4桁の暗証番号を変える", "en": "Change the PIN of four digits"}[lang])
		look(b, "change-"+lang)
		w.from(b, w.request("pdf", nil))
		b.Tick("古川　旧")
		b.Click(map[string]string{"ja": "このカードで進む", "en": "Go on with this card"}[lang])
		b.Fill(map[string]string{"ja": "署名用パスワード", "en": "Password for signatures"}[lang], holdertest.SignPIN)
		b.Click(map[string]string{"ja": "次へ", "en": "Go on"}[lang])
		b.See(map[string]string{"ja": "有効期間が過ぎています", "en": "has expired"}[lang])
		look(b, "warning-"+lang)
		b.Click(map[string]string{"ja": "それでも進む", "en": "Go on all the same"}[lang])
		b.See("SHA-256")
		look(b, "read-pdf-"+lang)
		w.firm.set(func(f *firm) { f.status = http.StatusBadGateway })
		b.Click(map[string]string{"ja": "署名する", "en": "Sign"}[lang])
		b.See(map[string]string{"ja": "答えが届きませんでした", "en": "The answer did not get through"}[lang])
		look(b, "send-"+lang)
		w.firm.set(func(f *firm) { f.status = http.StatusConflict })
		b.Click(map[string]string{"ja": "もう一度送る", "en": "Send again"}[lang])
		b.See(map[string]string{"ja": "相手が受け付けませんでした", "en": "The site did not take it"}[lang])
		look(b, "refused-"+lang)
		w.firm.set(func(f *firm) { f.status = 0 })
	}
}

func TestEachRefusalHasItsPage(t *testing.T) {
	w := newWorld(t, plan{})
	b := webtest.New(t, "ja", 1280)
	open := func(link, heading, name string) {
		t.Helper()
		b.Open(link)
		b.See(heading, "次にすること")
		look(b, "refusal-"+name)
	}
	holder := "http://" + w.Address("holder:1")
	open(holder+"/request?request_uri="+url.QueryEscape("http://elsewhere.example/x"), "この依頼は開けません", "foreign")
	m := w.request("form", nil)
	parts := strings.Split(w.signed(w.claims(m), w.Platform.Self.Key, "jitsuin-request+jwt"), ".")
	w.put(m, parts[0]+"."+parts[1]+"."+strings.Repeat("A", len(parts[2])))
	open(m.Open, "この依頼は信用できません", "signature")
	m = w.request("form", nil)
	c := w.claims(m)
	c.IssuedAt, c.ExpiresAt = c.IssuedAt-100, time.Now().Unix()-1
	w.put(m, w.signed(c, w.Platform.Self.Key, "jitsuin-request+jwt"))
	open(m.Open, "依頼の期限が過ぎました", "expired")
	m = w.request("form", nil)
	w.firm.set(func(f *firm) { f.form = append(f.form, ' ') })
	open(m.Open, "書面が依頼と違います", "document")
	open(holder+"/request/"+string(m.Txn)+"/read", "この手続きは終わっています", "flow")
	// Cancelled and opened again in another browser.
	w.from(b, w.request("login", nil))
	b.Click("やめて元のサイトへ戻る")
	b.See("証券会社の画面")
}
