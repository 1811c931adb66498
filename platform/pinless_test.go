package platform_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/status"
)

// Authentication without a PIN is for who is entitled to it by contract; what comes of it says that no PIN was asked for, inside what was
// signed too, and a challenge of the one sort never passes for one of the other.
func TestPINlessUseIsForSpecifiedVerifiers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		draw := func(pinless bool, purpose string) (c api.Challenge, err error) {
			err = b.once(b.tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: purpose, PINless: pinless}, &c)
			return c, err
		}
		_, err := draw(true, "入館")
		code(t, err, jitsuin.Denied, "pinless-not-entitled")
		entitled := contract("委託-2", jitsuin.DateOf(time.Now()))
		entitled.PINless = true
		changed, err := asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank", api.TenantChange{Contract: entitled})
		if err != nil || changed.Contract == nil || !changed.Contract.PINless {
			t.Fatalf("%+v %v", changed, err)
		}
		if line := b.awaitLogged("tenant-changed"); !strings.Contains(line.Detail["changed"], "pinless") {
			t.Errorf("the operation log says %+v", line)
		}
		c, err := draw(true, "入館")
		if err != nil || !c.Challenge.PINless || c.Challenge.Purpose != api.PINlessPurpose+"入館" || c.Challenge.ToSign().Purpose != c.Challenge.Purpose {
			t.Fatalf("%+v %v", c, err)
		}
		in, err := b.answer(b.tenant, c, hanako.Auth)
		if err != nil || in.Report.Verdict != signature.Passed || !in.PINless || in.User == nil {
			t.Fatalf("%+v %v", in, err)
		}
		with, err := b.login(b.tenant, hanako.Auth)
		if err != nil || with.PINless || with.User.ID != in.User.ID {
			t.Errorf("with the PIN: %+v %v", with, err)
		}
		// Neither passes for the other: the purpose is signed.
		normal := b.challenge(b.tenant)
		pinless, err := draw(true, "入館")
		if err != nil {
			t.Fatal(err)
		}
		for what, pair := range map[string][2]api.Challenge{"a gate's answer to a login": {normal, pinless}, "a login's answer to a gate": {pinless, normal}} {
			shown := pair[0]
			shown.Challenge.Purpose = pair[1].Challenge.Purpose
			a, err := shown.Challenge.ToSign().Sign(hanako.Auth.Cert, hanako.Auth.Key)
			if err != nil {
				t.Fatal(err)
			}
			l, err := b.send(b.tenant, api.LoginRequest{Challenge: pair[0].ID, Certificate: a.Certificate.Raw, Signature: a.Signature})
			if err != nil || l.User != nil || l.Report.Verdict == signature.Passed {
				t.Errorf("%s: %+v %v", what, l, err)
			}
		}
		_, err = draw(false, api.PINlessPurpose+"入館")
		code(t, err, jitsuin.Invalid, "purpose-pinless")
		entitled.PINless = false
		if _, err := asOffice[api.Tenant](b, "PATCH", "/v1/tenants/tenant:bank", api.TenantChange{Contract: entitled}); err != nil {
			t.Fatal(err)
		}
		_, err = draw(true, "入館")
		code(t, err, jitsuin.Denied, "pinless-not-entitled")
	})
}

// hold suspends a certificate, or lifts that, as J-LIS does.
func (b *bank) hold(kind jitsuin.CertKind, of platformtest.Credential, what status.EventType, version uint16) {
	b.t.Helper()
	serial, _ := cert.SerialOf(of.Cert.SerialNumber)
	err := b.Agency.Sets[kind].Apply(status.Event{Serial: serial, Kind: kind, Type: what, Version: version, At: b.Platform.Clock.Now().Truncate(time.Second)})
	if err != nil {
		b.t.Fatal(err)
	}
}

// Who has lost a card sees, when it is found, what was done and what was tried since, and nobody else does.
func TestAResidentSeesEveryUseSinceTheLoss(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako, taro := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
		for publicOf(hanako.Auth.Key).Equal(taro.Auth.Key.Public()) {
			taro = b.Agency.Resident("沢渡　太郎")
		}
		before := b.Browser()
		before.Open("/me?lang=ja")
		if page := before.Errand("/me/login", nil, hanako).Body; !strings.Contains(page, "使われようとした記録はありません") || strings.Contains(page, "一時停止中のため") {
			t.Errorf("before the loss: %.200s", page)
		}
		if _, err := b.login(b.tenant, hanako.Auth); err != nil { // on the day before
			t.Fatal(err)
		}
		b.advance(24 * time.Hour)
		day := jitsuin.DateOf(b.Platform.Clock.Now())
		b.hold(jitsuin.AuthCert, hanako.Auth, status.Held, 2)
		b.hold(jitsuin.SignCert, hanako.Sign, status.Held, 2)
		if l, err := b.login(b.tenant, hanako.Auth); err != nil || l.User != nil || l.Report.Verdict == signature.Passed {
			t.Fatalf("while suspended: %+v %v", l, err)
		}
		if v := b.verify(b.signed(hanako)); v.Report.Verdict == signature.Passed || v.Items != nil {
			t.Fatalf("signed while suspended: %+v", v)
		}
		c := b.challenge(b.tenant) // a stranger's signature beside her certificate says nothing about her card
		if l, err := b.answer(b.tenant, c, platformtest.Credential{Cert: hanako.Auth.Cert, Key: taro.Auth.Key}); err == nil && l.Report.Verdict == signature.Passed {
			t.Fatalf("%+v", l)
		}
		if n := b.count(`SELECT COUNT(*) FROM refused_uses`); n != 2 {
			t.Errorf("%d refused uses", n)
		}
		b.hold(jitsuin.AuthCert, hanako.Auth, status.Released, 3)
		b.hold(jitsuin.SignCert, hanako.Sign, status.Released, 3)
		me := b.Browser()
		me.Open("/me?lang=ja")
		page := me.Errand("/me/login", nil, hanako).Body
		if n := strings.Count(page, "一時停止中のため、拒まれた"); n != 2 || !strings.Contains(page, "ログインの確認") {
			t.Errorf("%d attempts are shown", n)
		}
		since := me.Open("/me?lang=ja&since=" + day.String()).Body
		checks := since[strings.Index(since, "確認の記録"):]
		if !strings.Contains(since, "一時停止中のため") || strings.Contains(checks[:strings.Index(checks, "</h2>")+600], "証券口座へのログイン") {
			t.Errorf("since the loss: %s", checks)
		}
		if odd := me.Open("/me?lang=ja&since=yesterday").Body; !strings.Contains(odd, "一時停止中のため") {
			t.Error("what is no date hides what there is")
		}
		for _, serial := range []string{hanako.Auth.Cert.SerialNumber.Text(16), hanako.Sign.Cert.SerialNumber.Text(16)} {
			if strings.Contains(page, serial) {
				t.Error("the page tells a serial number")
			}
		}
		stranger := b.Browser()
		stranger.Open("/me?lang=ja")
		if theirs := stranger.Errand("/me/login", nil, taro).Body; strings.Contains(theirs, "一時停止中のため") {
			t.Error("somebody else sees it")
		}
	})
}
