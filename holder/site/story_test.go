package site_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// inForce is a status service for which no certificate was revoked.
type inForce struct{}

func (inForce) Status(_ context.Context, _, _ *x509.Certificate, at time.Time) (cert.Status, error) {
	return cert.Status{State: cert.Good, Source: cert.SourceOCSP, ThisUpdate: at.Add(-time.Minute), NextUpdate: at.Add(time.Minute)}, nil
}

// verified judges a signature as a verifier that trusts the test's authorities.
func (w *world) verified(a client.HolderAnswer, document []byte) *signature.Report {
	w.t.Helper()
	in := signature.Input{Signature: a.Signature, Content: bytes.NewReader(document)}
	if a.Signature == nil { // it is inside
		in = signature.Input{Signature: document}
	}
	r, err := signature.Verify(w.t.Context(), in,
		signature.Policy{Anchors: []*x509.Certificate{w.cards.CAs[jitsuin.SignCert].Cert, w.cards.CAs[jitsuin.AuthCert].Cert}, At: time.Now(), Revocation: inForce{}})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func TestAFormIsFilledInReadAndSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	m := w.request("form", nil)
	p.open(m.Open)
	p.on("電子署名の依頼", "テナント", w.firm.origin, "証券口座の開設", "総合証券口座開設申込書", "霧島　花子", "氏名、住所、生年月日", "署名用電子証明書")
	p.send(p.flow(""), "card", string(w.Good.ID))
	p.on("署名用パスワードの入力", "あと5回入力できます", "4桁の数字の暗証番号ではありません")
	p.send("", "pin", strings.ToLower(holdertest.SignPIN))
	p.on("総合証券口座開設申込書", "取扱店", "本店", "職業")
	p.send("", "v-occupation", "", "v-purpose", "growth")
	if p.code != http.StatusUnprocessableEntity {
		t.Errorf("a form without an answer: %d", p.code)
	}
	p.on("総合証券口座開設申込書", `href="#f-v-occupation"`, `value="growth" selected`)
	p.send("", "v-occupation", "会社員", "v-purpose", "growth")
	p.on("書面を読んでから署名してください", "会社員", "資産形成", "実印を押すのと同じ重み")
	if strings.Contains(p.page, "わざと失敗させる") {
		t.Error("testers' faults are offered outside the sandbox")
	}
	p.send("")
	p.on("署名を送りました", w.firm.origin+"/done?code=once")
	a := w.only()
	if a.Txn != m.Txn || a.State != state || a.Error != "" || len(a.Documents) != 1 {
		t.Fatalf("%+v", a)
	}
	if r := w.verified(a, a.Documents[0].Content); r.Verdict != signature.Passed {
		t.Errorf("%+v", r)
	}
	made, err := pades.Original(a.Documents[0].Content)
	if err != nil || a.Signature != nil {
		t.Fatalf("the form is not signed inside itself: %v", err)
	}
	filled, err := form.Read(made)
	if err != nil || filled.Form.Number != "A-17" || filled.Values["occupation"] != "会社員" {
		t.Errorf("%+v, %v", filled, err)
	}
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	items, err := cert.ItemsOf(leaf)
	if err != nil || len(filled.Differences(items.FourItems)) > 0 || !leaf.Equal(w.Good.Certificates[jitsuin.SignCert]) {
		t.Errorf("the document is not the signer's: %v, %v", filled.Differences(items.FourItems), err)
	}
	w.secretsStayOut(p)
	english := w.person()
	english.open(w.request("login", nil).Open + "&lang=en")
	english.on("You are asked to log in", "Log in to your account")
	english.send(english.flow(""), "card", string(w.Good.ID))
	english.on("Enter the PIN of four digits")
	// What is done is done: the pages lead to the end, and nobody signs again.
	p.open(m.Open)
	p.on("署名を送りました")
	other := w.person()
	other.open(m.Open)
	other.on("この依頼にはもう答えています")
	if len(w.firm.taken()) != 1 {
		t.Error("the answer was sent again")
	}
	home := w.person()
	home.open("http://" + w.Address("holder:1") + "/")
	home.on("マイカード", "霧島　花子", "証券口座の開設", "送信済み", string(m.Txn), "残り5回")
	if strings.Contains(home.page, "会社員") || strings.Contains(home.page, "一丁目") {
		t.Error("the list shows what was signed")
	}
}

func TestAPDFIsSignedAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	p.toPIN(w.request("pdf", nil), w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.on("書面を読んでから署名してください", "約款", "指紋")
	read := *p.at
	p.open(strings.TrimSuffix(p.at.String(), "/read") + "/document.pdf")
	if p.page != string(w.firm.pdf) {
		t.Error("the page gives another document than the firm's")
	}
	p.at = &read
	p.send("")
	p.on("署名を送りました")
	a := w.only()
	if r := w.verified(a, w.firm.pdf); r.Verdict != signature.Passed {
		t.Errorf("%+v", r)
	}
}

func TestALoginShowsPresenceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	m := w.request("login", nil)
	p.open(m.Open)
	p.on("ログインの依頼", "文書への署名は行いません", "氏名・住所などは渡りません")
	p.send(p.flow(""), "card", string(w.Good.ID))
	p.on("4桁の暗証番号の入力", "あと3回入力できます")
	p.send("", "pin", holdertest.AuthPIN)
	p.on("本人であることを示しました", w.firm.origin+"/done?code=once")
	a := w.only()
	claims := w.claims(m)
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	_, err = claims.Challenge.ToSign().Verify(t.Context(), signature.Answer{Certificate: leaf, Signature: a.Signature, DigestAlg: a.DigestAlg}, time.Now(),
		signature.Policy{Anchors: []*x509.Certificate{w.cards.CAs[jitsuin.AuthCert].Cert}, At: time.Now(), Revocation: inForce{}})
	if err != nil || len(a.Documents) != 0 {
		t.Errorf("%v %+v", err, a)
	}
	// The platform takes the transaction for the challenge. It trusts other authorities than the test's cards have.
	l, err := w.client.Login(t.Context(), client.LoginRequest{Challenge: a.Txn, Certificate: a.Certificate, Signature: a.Signature, DigestAlg: a.DigestAlg})
	if err != nil || l.Report.Integrity == signature.Broken {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestAPersonSaysNo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	m := w.request("form", nil)
	p.toPIN(m, w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.send(p.flow("/cancel"))
	p.on("取りやめました", "何にも署名していません", w.firm.origin+"/done?code=once")
	a := w.only()
	if a.Error != "access_denied" || a.State != state || a.Certificate != nil || a.Signature != nil || a.Documents != nil {
		t.Errorf("%+v", a)
	}
	w.free()
	again := w.person()
	again.open(m.Open)
	again.on("この依頼にはもう答えています")
}

// free fails where the card is still in somebody's hands.
func (w *world) free() {
	w.t.Helper()
	p := w.person()
	p.open("http://" + w.Address("holder:1") + "/")
	if strings.Contains(p.page, "使用中か") {
		w.t.Error("a card was not given back")
	}
}

func TestWrongPINsAreCountedAndNeverTriedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	p.toPIN(w.request("login", nil), w.Good.ID)
	for _, typed := range []string{"", "12345", "12a4", holdertest.SignPIN} { // cost no try
		p.send("", "pin", typed)
		p.on("4桁の暗証番号の入力", "あと3回入力できます")
	}
	p.send("", "pin", "9999")
	p.on("4桁の暗証番号の入力", "違います。あと2回入力", "あと2回入力できます")
	p.send("", "pin", "9999")
	p.on("4桁の暗証番号の入力", "違います。あと1回入力", "次に間違えるとロック")
	p.send("", "pin", "9999")
	p.on("暗証番号がロックされています", "窓口")
	p.open(strings.TrimSuffix(p.at.String(), "/pin") + "/pin")
	p.on("暗証番号がロックされています", "この暗証番号はロックされています", "別のカードを使う")
	if strings.Contains(p.page, `type="password"`) {
		t.Error("a locked PIN is asked for")
	}
	p.send("", "pin", holdertest.AuthPIN)
	if strings.Contains(p.heading(), "示しました") {
		t.Error("a locked PIN was taken")
	}
	p.send(p.flow("/cancel"))
	p.on("取りやめました")
	if w.only().Error != "access_denied" {
		t.Error("something else than a no was sent")
	}
	w.secretsStayOut(p)
}

func TestACertificateThatHasExpired(t *testing.T) {
	t.Parallel()
	var old *holdertest.Card
	w := newWorld(t, plan{cards: func(w *world) { old = w.card("古川　旧", holdertest.Order{Years: -5, Without: jitsuin.AuthCert}) }})
	p := w.person()
	p.toPIN(w.request("form", nil), old.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.on("証明書について確認してください", "有効期間が過ぎています")
	p.send("")
	p.on("総合証券口座開設申込書")
	p.send("", "v-occupation", "会社員", "v-purpose", "income")
	p.send("")
	p.on("署名を送りました")
	a := w.only()
	if r := w.verified(a, a.Documents[0].Content); r.Verdict != signature.Failed || r.SubIndication != signature.Expired {
		t.Errorf("%+v", r)
	}
	// The same card has no certificate for a login, which is said before a PIN is asked for.
	login := w.person()
	login.toPIN(w.request("login", nil), old.ID)
	login.on("このカードでは進めません", "このカードには利用者証明用の電子証明書がありません")
}

func TestACardDoesNotStayOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{site: func(c *site.Config) { c.CardOpen = 12 * time.Second }})
	p := w.person()
	p.toPIN(w.request("form", nil), w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.send("", "v-occupation", "会社員", "v-purpose", "growth")
	w.await("the card to be closed", func() bool {
		other := w.person()
		other.open("http://" + w.Address("holder:1") + "/")
		return !strings.Contains(other.page, "使用中か")
	})
	p.send(p.flow("/read"))
	p.on("署名用パスワードの入力", "時間がたったため")
	if len(w.firm.taken()) != 0 {
		t.Fatal("something was signed with a closed card")
	}
	p.send("", "pin", holdertest.SignPIN)
	p.on("書面を読んでから署名してください", "会社員") // what was typed is there still
	p.send("")
	p.on("署名を送りました")
}

func TestACardIsTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	p.toPIN(w.request("form", nil), w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.send("", "v-occupation", "会社員", "v-purpose", "growth")
	w.host.Close()
	p.send(p.flow("/read"))
	p.on("カードが離れました", "署名もログインも行われていません", "もう一度試す")
	if len(w.firm.taken()) != 0 {
		t.Error("an answer was sent")
	}
}

func TestAnAnswerThatDoesNotGetThroughIsSentAgainAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	w.firm.set(func(f *firm) { f.status = http.StatusBadGateway })
	p := w.person()
	p.toPIN(w.request("pdf", nil), w.Good.ID)
	p.send("", "pin", holdertest.SignPIN)
	p.send("")
	p.on("答えが届きませんでした", "もう一度署名することはありません")
	w.free() // the card is not kept for it
	p.send(p.flow("/send"))
	p.on("答えが届きませんでした")
	w.firm.set(func(f *firm) { f.status = 0 })
	p.send(p.flow("/send"))
	p.on("署名を送りました")
	if r := w.verified(w.only(), w.firm.pdf); r.Verdict != signature.Passed {
		t.Errorf("%+v", r)
	}
	home := w.person()
	home.open("http://" + w.Address("holder:1") + "/")
	home.on("マイカード", "送信済み")
}

func TestPINsAreChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	p := w.person()
	page := "http://" + w.Address("holder:1") + "/cards/" + string(w.Good.ID) + "/pin?kind=auth"
	change := func(old, fresh, again string) {
		p.open(page)
		link := *p.at
		v := "old_pin=" + old + "&new_pin=" + fresh + "&again_pin=" + again
		p.take(p.http.Post(link.String(), "application/x-www-form-urlencoded", strings.NewReader(v)))
	}
	change("1234", "56", "56")
	p.on("4桁の暗証番号を変える", `href="#f-new_pin"`, "あと3回")
	change("1234", "5678", "5679")
	p.on("4桁の暗証番号を変える", `href="#f-again_pin"`, "まだ変わっていません")
	change("9999", "5678", "5678")
	p.on("4桁の暗証番号を変える", `href="#f-old_pin"`, "あと2回")
	change("1234", "5678", "5678")
	p.on("マイカード", "変更しました")
	login := w.person()
	login.toPIN(w.request("login", nil), w.Good.ID)
	login.send("", "pin", "5678")
	login.on("本人であることを示しました")
	for _, pin := range []string{"=1234", "=5678"} {
		if shows(w.log.String(), pin) {
			t.Error("the log has a PIN")
		}
	}
}

func (w *world) keyOf(id string) (*ecdsa.PublicKey, error) {
	i, err := w.Directory().Lookup(id)
	if err != nil {
		return nil, err
	}
	return i.Keys[0].Key.(*ecdsa.PublicKey), nil
}

// claims opens a request as the holder does.
func (w *world) claims(m client.MadeRequest) api.RequestClaims {
	w.t.Helper()
	p := w.person()
	p.open(m.URI)
	c, err := api.OpenRequest(p.page, w.keyOf, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
