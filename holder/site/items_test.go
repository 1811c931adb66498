package site_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/webtest"
)

var faceItems = jitsuin.FourItems{Name: "霧島　花子", Address: "雲居県朝霧野市貝寄町４丁目３２番１７号", BirthDate: jitsuin.Date{Year: 1980, Month: 2, Day: 17}, Sex: jitsuin.Female}

// withFace is a world with one more card, which has a face; its id comes later.
func withFace(t *testing.T, change func(*site.Config)) (*world, *holdertest.Card) {
	t.Helper()
	var c *holdertest.Card
	w := newWorld(t, plan{site: change, cards: func(w *world) { c = w.card("霧島　写", holdertest.Order{Face: &faceItems}) }})
	return w, c
}

func (w *world) loginFor(items ...string) client.MadeRequest {
	w.t.Helper()
	return w.request("login", func(r *client.HolderRequest) { r.Items = items })
}

func TestItemsOfALoginAreReadCheckedShownAndSent(t *testing.T) {
	t.Parallel()
	w, c := withFace(t, nil)
	m := w.loginFor("name", "sex", "age_over_20", "age_over_65")
	p := w.person()
	p.open(m.Open)
	p.on("ログインの依頼", "氏名", "20歳以上かどうか", "はい・いいえだけ")
	p.send(p.flow(""), "card", string(c.ID))
	p.on("カードの情報を読み取ります", "あと3回入力できます", "券面事項入力補助用")
	p.send("", "pin", "9999")
	p.on("カードの情報を読み取ります", "あと2回入力できます")
	p.open("http://" + w.Address("holder:1") + p.flow("/pin")) // not past what has not been agreed to
	p.on("カードの情報を読み取ります")
	p.send(p.flow("/items-pin"), "pin", holdertest.TextPIN)
	p.on("渡す情報を確かめてください", "霧島　花子", "女", "20歳以上かどうか", "はい", "65歳以上かどうか", "いいえ", "この一回だけの同意です")
	for _, hidden := range []string{"貝寄町", "1980", holdertest.MyNumber} {
		if shows(p.page, hidden) {
			t.Errorf("the page shows %q, which nobody asked for", hidden)
		}
	}
	p.send("")
	p.on("4桁の暗証番号の入力")
	if len(w.firm.taken()) != 0 {
		t.Fatal("something was sent before the login")
	}
	p.send("", "pin", holdertest.AuthPIN)
	p.on("本人であることを示しました")
	a := w.only()
	if err := a.CheckItems(w.claims(m).Items); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"name": "霧島　花子", "sex": "2", "age_over_20": "true", "age_over_65": "false"} {
		if a.Items[name] != want {
			t.Errorf("%s is %q, want %q", name, a.Items[name], want)
		}
	}
	if len(a.Items) != 4 || len(a.Documents) != 0 {
		t.Errorf("the answer has more than was asked for: %v", a.Items)
	}
	w.secretsStayOut(p)
	for _, secret := range []string{"霧島　花子", holdertest.MyNumber, "貝寄町"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestNothingIsGivenWithoutConsent(t *testing.T) {
	t.Parallel()
	w, c := withFace(t, nil)
	p := w.person()
	p.open(w.loginFor("name").Open)
	p.send(p.flow(""), "card", string(c.ID))
	p.send("", "pin", holdertest.TextPIN)
	p.on("渡す情報を確かめてください")
	p.send(p.flow("/pin"), "pin", holdertest.AuthPIN) // past the consent
	p.on("渡す情報を確かめてください")
	p.send(p.flow("/cancel"))
	p.on("取りやめました")
	if a := w.only(); a.Error != "access_denied" || a.Items != nil || a.Certificate != nil {
		t.Errorf("%+v", a)
	}
}

func TestWhatWasReadIsForgotten(t *testing.T) {
	t.Parallel()
	w, c := withFace(t, func(cfg *site.Config) { cfg.CardOpen = time.Second })
	p := w.person()
	p.open(w.loginFor("name").Open)
	p.send(p.flow(""), "card", string(c.ID))
	p.send("", "pin", holdertest.TextPIN)
	w.await("the items to be forgotten", func() bool {
		p.open("http://" + w.Address("holder:1") + p.flow("/items"))
		return strings.Contains(p.heading(), "カードの情報を読み取ります")
	})
	p.on("カードの情報を読み取ります", "読み取った内容を消しました")
}

func TestALockedTextGivesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	p.open(w.loginFor("name").Open)
	p.send(p.flow(""), "card", string(w.Good.ID)) // nobody has set the PIN of its text
	p.on("暗証番号がロックされています", "券面事項入力補助用", "窓口で再設定")
	p.send("", "pin", holdertest.TextPIN)
	p.on("暗証番号がロックされています")
}

// A text of another issuer is refused, whatever it says.
func TestItemsOfAnotherIssuerAreRefused(t *testing.T) {
	t.Parallel()
	stranger := holdertest.New(t)
	var c *holdertest.Card
	w := newWorld(t, plan{cards: func(w *world) {
		c = stranger.Card(t, w.data, holdertest.Order{Face: &faceItems})
	}})
	p := w.person()
	p.open(w.loginFor("name").Open)
	p.send(p.flow(""), "card", string(c.ID))
	p.send("", "pin", holdertest.TextPIN)
	p.on("発行者の書いたものではありません", "何も渡していません")
	if len(w.firm.taken()) != 0 {
		t.Error("something was sent")
	}
}

func TestItemsInABrowser(t *testing.T) {
	w, _ := withFace(t, nil)
	for _, lang := range []string{"ja", "en"} {
		words := map[string][]string{
			"ja": {"このカードで進む", "券面事項入力補助用の暗証番号", "読み取る（まだ渡しません）", "渡す情報を確かめてください", "同意して進む", "利用者証明用の暗証番号", "ログインする"},
			"en": {"Go on with this card", "PIN for the card's text", "Read (nothing is given yet)", "Look at what is given", "Agree and go on", "PIN for user authentication", "Log in"},
		}[lang]
		b := webtest.New(t, lang, 1280)
		w.from(b, w.loginFor("name", "address", "birth_date", "age_over_18"))
		look(b, "items-1-ask-"+lang)
		b.TabTo("霧島　写")
		b.Press(" ")
		b.Keyboard(words[0])
		b.See(words[1])
		look(b, "items-2-pin-"+lang)
		b.TabTo(words[1])
		b.Press(holdertest.TextPIN)
		b.Keyboard(words[2])
		b.See(words[3], "霧島　花子")
		look(b, "items-3-consent-"+lang)
		b.Keyboard(words[4])
		b.TabTo(words[5])
		b.Press(holdertest.AuthPIN)
		b.Keyboard(words[6])
		b.See("証券会社の画面")
	}
}
