package site_test

import (
	"context"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/webtest"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// agency stands for J-LIS: it looks at an application and issues under the authorities of the test's cards.
type agency struct {
	w       **world
	asked   atomic.Int64
	refuses error
}

func (a *agency) enrol(_ context.Context, r jlis.PhoneRequest) (out jlis.PhoneIssued, err error) {
	w := *a.w
	a.asked.Add(1)
	if a.refuses != nil {
		return out, a.refuses
	}
	made, err := pades.Original(r.Document)
	if err != nil {
		return out, err
	}
	filled, err := form.Read(made)
	if err != nil {
		return out, err
	}
	if err := r.CheckPhone(filled); err != nil {
		return out, err
	}
	out.Authorities = map[jitsuin.CertKind][]byte{}
	for n, kind := range jitsuin.CertKinds {
		public, err := x509.ParsePKIXPublicKey(r.PublicKeys[kind])
		if err != nil {
			return out, err
		}
		if err := (cert.Algorithms{}).Verify(public, x509.SHA256WithRSA, jlis.PhoneProof(kind, r.Document), r.Proofs[kind]); err != nil {
			return out, err
		}
		ca := w.cards.CAs[kind]
		t := w.cards.Resident(w.t, ca)
		t.Profile, t.Key, t.Serial = cert.PhoneProfile(kind), public, big.NewInt(int64(n)+7000)
		out.Authorities[kind] = ca.Cert.Raw
		out.Certificates = append(out.Certificates, jlis.Issued{Kind: kind, Certificate: ca.Issue(w.t, t).Raw})
	}
	return out, nil
}

func phoneWorld(t *testing.T) (*world, *agency) {
	t.Helper()
	var w *world
	a := &agency{w: &w}
	w = newWorld(t, plan{site: func(c *site.Config) { c.Enrol, c.Sandbox = a.enrol, true }})
	return w, a
}

const (
	phonePIN      = "2468"
	phonePassword = "PHONE2468"
)

// enrols fills in the page; change sets other answers.
func (p *person) enrols(change ...string) {
	p.w.t.Helper()
	p.open("http://" + p.w.Address("holder:1") + "/phones")
	p.on("スマートフォン用電子証明書", "署名して申請する")
	p.send("/phones", append([]string{"card", string(p.w.Good.ID), "card_pin", holdertest.SignPIN, "model", "android", "label", "わたしの電話",
		"phone_auth", phonePIN, "phone_sign", phonePassword, "biometrics", "yes"}, change...)...)
}

// phoneName finds the telephone's name among the choices of the page.
func (p *person) phoneName() string {
	p.w.t.Helper()
	i := strings.Index(p.page, `value="phone:`)
	if i < 0 {
		p.w.t.Fatalf("no telephone is offered: %s", p.page)
	}
	return p.page[i+len(`value="`):][:len("phone:")+32]
}

func TestATelephoneIsEnrolledWithTheCardAndUsedInItsPlace(t *testing.T) {
	t.Parallel()
	w, _ := phoneWorld(t)
	p := w.person()
	p.enrols()
	p.on("スマートフォン用電子証明書", "電子証明書を載せました", "わたしの電話", "Android")

	// A login with a finger: no PIN is typed.
	p.open(w.request("login", nil).Open)
	p.send(p.flow(""), "card", p.phoneName())
	p.on("暗証番号の入力", "指紋・顔で認証する", "認識に失敗させる")
	p.send(p.flow("/sensor"), "finger", "unknown")
	p.on("暗証番号の入力", "認識できませんでした。あと4回")
	p.send(p.flow("/sensor"), "finger", "known")
	p.on("本人であることを示しました")
	a := w.only()
	leaf, err := cert.Parse(a.Certificate)
	if err != nil || !cert.OnPhone(leaf) {
		t.Fatalf("answered with another certificate: %v", err)
	}

	// A signature with the finger, once the sensor was locked and the password typed.
	p.open(w.request("form", nil).Open)
	p.send(p.flow(""), "card", p.phoneName())
	for range 5 {
		p.send(p.flow("/sensor"), "finger", "unknown")
	}
	p.on("署名用パスワードの入力", "センサーをロックしました")
	p.send(p.flow("/sensor"), "finger", "known")
	p.on("署名用パスワードの入力", "センサーをロックしました")
	p.send(p.flow("/pin"), "pin", phonePassword)
	p.send(p.flow("/form"), "v-occupation", "会社員", "v-purpose", "growth")
	p.send(p.flow("/read"))
	p.on("署名を送りました")
	all := w.firm.taken()
	if r := w.verified(all[1], all[1].Documents[0].Content); r.Verdict != signature.Passed {
		t.Errorf("%+v", r)
	}
	p.open(w.request("login", nil).Open)
	p.send(p.flow(""), "card", p.phoneName())
	p.send(p.flow("/sensor"), "finger", "known")
	p.on("本人であることを示しました") // the sensor works again
	w.secretsStayOut(p)
	for _, s := range []string{phonePassword, "finger=", phonePIN + "&"} {
		if strings.Contains(w.log.String(), s) {
			t.Errorf("the log shows %q", s)
		}
	}
}

// A telephone's PINs are its own: they are changed there, the card's stay as they are, and the finger goes on standing for them.
func TestATelephonesPINsAreChanged(t *testing.T) {
	t.Parallel()
	w, _ := phoneWorld(t)
	p := w.person()
	p.enrols()
	p.open(w.request("login", nil).Open)
	name := p.phoneName()
	home := "http://" + w.Address("holder:1")
	page := "/phones/" + strings.TrimPrefix(name, "phone:") + "/pin"
	change := func(kind, old, fresh, again string) {
		t.Helper()
		p.open(home + page + "?kind=" + kind)
		p.on(map[string]string{"auth": "4桁の暗証番号を変える", "sign": "署名用パスワードを変える"}[kind], "スマートフォン: わたしの電話", "カードのものではありません")
		p.send(page+"?kind="+kind, "old_pin", old, "new_pin", fresh, "again_pin", again)
	}
	withFinger := func() {
		t.Helper()
		p.open(w.request("login", nil).Open)
		p.send(p.flow(""), "card", name)
		p.send(p.flow("/sensor"), "finger", "known")
		p.on("本人であることを示しました")
	}
	change("auth", phonePIN, "13", "13")
	p.on("4桁の暗証番号を変える", `href="#f-new_pin"`, "あと3回")
	change("auth", holdertest.AuthPIN, "1357", "1357")
	p.on("4桁の暗証番号を変える", `href="#f-old_pin"`, "あと2回")
	withFinger() // the sealed PIN is still the chip's
	change("auth", phonePIN, "1357", "1358")
	p.on("4桁の暗証番号を変える", `href="#f-again_pin"`, "まだ変わっていません")
	change("auth", phonePIN, "1357", "1357")
	p.on("スマートフォン用電子証明書", "変更しました")
	withFinger()
	change("sign", phonePassword, "CHANGED77", "CHANGED77")
	p.on("スマートフォン用電子証明書", "変更しました")
	p.open(w.request("login", nil).Open)
	p.send(p.flow(""), "card", name)
	p.send(p.flow("/pin"), "pin", phonePIN)
	p.on("暗証番号の入力", "あと2回")
	p.send(p.flow("/pin"), "pin", "1357")
	p.on("本人であることを示しました")
	p.open(w.request("login", nil).Open)
	p.send(p.flow(""), "card", string(w.Good.ID))
	p.send(p.flow("/pin"), "pin", holdertest.AuthPIN)
	p.on("本人であることを示しました")

	for range 3 {
		change("auth", "9999", "1111", "1111")
	}
	p.on("4桁の暗証番号を変える", "この暗証番号はロックされています", "カードを使って載せ直してください")
	for _, other := range []string{string(jitsuin.NewID()), url.PathEscape("../cards"), "x"} {
		if p.send("/phones/"+other+"/pin?kind=auth", "old_pin", "1234", "new_pin", "1357", "again_pin", "1357"); p.code != http.StatusNotFound {
			t.Errorf("changing at %s: %d", other, p.code)
		}
	}
	for _, s := range []string{"=1357", "CHANGED77", "=9999"} {
		if shows(w.log.String(), s) {
			t.Errorf("the log shows %q", s)
		}
	}
}

func TestWhatKeepsATelephoneFromBeingEnrolled(t *testing.T) {
	t.Parallel()
	w, a := phoneWorld(t)
	p := w.person()
	p.enrols("card_pin", "WRONG99")
	p.on("スマートフォン用電子証明書", "あと4回入力できます", `href="#f-card_pin"`)
	p.enrols("card_pin", "!")
	p.on("スマートフォン用電子証明書", "カードには送っていない")
	p.enrols("card", "no-card", "model", "fridge", "label", " ", "phone_auth", "12", "phone_sign", "ABC")
	for _, field := range []string{"card", "model", "label", "phone_auth", "phone_sign"} {
		if p.code != http.StatusUnprocessableEntity || !strings.Contains(p.page, `href="#f-`+field) {
			t.Errorf("nothing is said about %s: %d", field, p.code)
		}
	}
	if n := a.asked.Load(); n != 0 {
		t.Errorf("J-LIS was asked %d times", n)
	}
	for code, says := range map[string]string{"card-suspended": "一時停止中", "consent-signature": "失効しているか", "certificate-missing": "両方そろっていません", "phone-under-way": "時間がかかって"} {
		a.refuses = jitsuin.Errorf(jitsuin.Denied, code, "no")
		p.enrols()
		p.on("スマートフォン用電子証明書", says)
		if p.code != http.StatusUnprocessableEntity || strings.Contains(p.page, "わたしの電話（") {
			t.Errorf("%s: %d, or a telephone without certificates is listed", code, p.code)
		}
	}
	a.refuses = nil
	p.enrols("biometrics", "")
	p.on("スマートフォン用電子証明書", "わたしの電話（Android）")
	p.open(w.request("login", nil).Open)
	name := p.phoneName()
	p.send(p.flow(""), "card", name)
	if strings.Contains(p.page, "指紋・顔で認証する") {
		t.Error("a finger is offered where the person did not want it")
	}
	p.send(p.flow("/sensor"), "finger", "known")
	p.on("暗証番号の入力")
	p.send(p.flow("/pin"), "pin", phonePIN)
	p.on("本人であることを示しました")
	id := strings.TrimPrefix(name, "phone:")
	p.send("/phones/" + id + "/erase")
	p.open(w.request("login", nil).Open)
	if strings.Contains(p.page, "phone:") {
		t.Error("an erased telephone is offered")
	}
	for _, other := range []string{id, url.PathEscape("../cards"), "x"} {
		p.send("/phones/" + other + "/erase")
		if p.code != http.StatusNotFound {
			t.Errorf("erasing %s: %d", other, p.code)
		}
	}
}

// A telephone has no text: it is not offered where a login asks for items, and not taken either.
func TestATelephoneIsNotOfferedWhereItemsAreAsked(t *testing.T) {
	t.Parallel()
	w, _ := phoneWorld(t)
	p := w.person()
	p.enrols()
	p.open(w.request("login", nil).Open)
	name := p.phoneName()
	p.open(w.request("login", func(r *client.HolderRequest) { r.Items = []string{"name"} }).Open)
	if strings.Contains(p.page, "phone:") || !strings.Contains(p.page, string(w.Good.ID)) {
		t.Errorf("offered: %s", p.page)
	}
	p.send(p.flow(""), "card", name)
	if p.code != http.StatusUnprocessableEntity || !strings.Contains(p.page, string(w.Good.ID)) {
		t.Errorf("a telephone was taken: %d at %s", p.code, p.at)
	}
}

// The pages in a browser, in both languages: axe, a narrow window, by keyboard.
func TestTelephoneAndLossInABrowser(t *testing.T) {
	w, _ := phoneWorld(t)
	for _, lang := range []string{"ja", "en"} {
		words := map[string][]string{
			"ja": {"署名して申請する", "カードの署名用パスワード", "Android", "端末の呼び名", "スマートフォンで使う4桁の暗証番号", "スマートフォンで使う署名用パスワード", "暗証番号の代わりに", "電子証明書を載せました",
				"このカードで進む", "（テスト）認識に失敗させる", "認識できませんでした", "指紋・顔で認証する", "直ちに一時停止する", "入力内容を確かめてください",
				"4桁の暗証番号を変える", "今のもの", "新しいもの ※必須", "新しいもの（もう一度）", "変更する", "変更しました"},
			"en": {"Sign and apply", "The card's password", "Android", "What you call it", "A new PIN of four digits", "A new password for signatures", "Use a fingerprint", "The telephone has its certificates",
				"Go on with this card", "(Test) let it not recognise you", "You were not recognised", "Use fingerprint or face", "Suspend at once", "Please check what you entered",
				"Change the PIN of four digits", "The present one", "The new one (required)", "The new one again", "Change it", "It was changed"},
		}[lang]
		label := "わたしの電話 " + lang
		b := webtest.New(t, lang, 1280)
		home := "http://" + w.Address("holder:1")
		b.Open(home + "/phones")
		b.See(words[0])
		look(b, "phone-1-form-"+lang)
		b.Tick("霧島")
		b.Tick(words[2])
		b.Fill(words[3], label)
		b.Tick(words[6])
		for _, password := range []string{"SHORT", holdertest.SignPIN} { // secrets are typed anew each time
			b.Fill(words[1], password)
			b.Fill(words[4], phonePIN)
			b.Fill(words[5], phonePassword)
			b.Click(words[0])
			if password != holdertest.SignPIN {
				b.See(words[13])
				look(b, "phone-1-wrong-"+lang)
			}
		}
		b.See(words[7], label)
		look(b, "phone-2-done-"+lang)
		b.Click(words[14] + " " + label)
		b.See(label, words[15])
		look(b, "phone-2-change-"+lang)
		for _, old := range []string{"0000", phonePIN} {
			b.Fill(words[15], old)
			b.Fill(words[16], "1357")
			b.Fill(words[17], "1357")
			b.Click(words[18])
			if old != phonePIN {
				b.See(words[13])
				look(b, "phone-2-change-wrong-"+lang)
			}
		}
		b.See(words[19], label)
		look(b, "phone-2-changed-"+lang)
		before := len(w.firm.taken())
		w.from(b, w.request("login", nil))
		b.Tick(label)
		look(b, "phone-3-choose-"+lang)
		b.Click(words[8])
		b.See(words[9])
		look(b, "phone-4-sensor-"+lang)
		b.Click(words[9])
		b.See(words[10])
		look(b, "phone-4-unknown-"+lang)
		b.Keyboard(words[11])
		b.See("証券会社の画面")
		if len(w.firm.taken()) != before+1 {
			t.Errorf("the firm has %d answers", len(w.firm.taken()))
		}
		b.Open(home + "/lost")
		b.See(words[12])
		look(b, "lost-1-"+lang)
	}
}
