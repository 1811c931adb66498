package site_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"math/big"

	"crypto/x509"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/site"
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
