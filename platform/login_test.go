package platform_test

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
	"github.com/jitsuin/jitsuin/signature"
)

func TestLoginsThatAreNotAccepted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		hanako := b.Agency.Resident("霧島　花子")
		no := func(what string, c platformtest.Credential, verdict signature.Verdict, sub signature.SubIndication) {
			t.Helper()
			l, err := b.login(b.tenant, c)
			if err != nil || l.User != nil || l.Report.Verdict != verdict || l.Report.SubIndication != sub || l.Report.Reasons[0].JA == "" {
				t.Errorf("%s: %+v, %v", what, l, err)
			}
		}
		l, err := b.login(b.tenant, hanako.Auth)
		if err != nil || l.Report.Verdict != signature.Passed || l.User == nil || !l.Report.Chain.OK {
			t.Fatalf("%+v, %v", l, err)
		}
		b.Status.Down.Store(true)
		no("no status", hanako.Auth, signature.Indeterminate, signature.TryLater)
		b.Status.Down.Store(false)
		b.refuseWrongAnswers(t, hanako)
		b.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
		no("revoked", hanako.Auth, signature.Failed, signature.Revoked)
		b.Agency.Reissue(hanako, jitsuin.AuthCert, func(c *cert.Template) {
			c.NotBefore, c.LastDay = time.Now().AddDate(-1, 0, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(-1)
		})
		no("expired", hanako.Auth, signature.Failed, signature.Expired)
		forger := platformtest.NewAuthority(t, jitsuin.AuthCert, 98)
		tmpl := forger.Resident(t, hanako.Auth.Cert.SerialNumber)
		tmpl.Key, tmpl.NotBefore, tmpl.LastDay = hanako.Auth.Cert.PublicKey, time.Now().AddDate(0, -1, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(900)
		no("another authority of the name", platformtest.Credential{Cert: forger.Issue(t, tmpl), Key: hanako.Auth.Key}, signature.Indeterminate, signature.NoCertificateChain)
		if n := b.count(`SELECT COUNT(*) FROM users`); n != 1 {
			t.Errorf("%d users, want the one who was let in", n)
		}
	})
}

// refuseWrongAnswers sends answers that do not fit their challenge.
func (b *bank) refuseWrongAnswers(t *testing.T, p *platformtest.Person) {
	t.Helper()
	for what, change := range map[string]func(*api.ChallengeText){
		"another origin":  func(c *api.ChallengeText) { c.Origin = "https://phishing.example" },
		"another purpose": func(c *api.ChallengeText) { c.Purpose = "送金" },
		"another client":  func(c *api.ChallengeText) { c.ClientID = "tenant:other" },
		"another nonce":   func(c *api.ChallengeText) { c.Nonce += "x" },
	} {
		asked := b.challenge(b.tenant)
		shown := asked
		change(&shown.Challenge)
		a, err := shown.Challenge.ToSign().Sign(p.Auth.Cert, p.Auth.Key)
		if err != nil {
			t.Fatal(err)
		}
		l, err := b.send(b.tenant, api.LoginRequest{Challenge: asked.ID, Certificate: a.Certificate.Raw, Signature: a.Signature})
		if err != nil || l.User != nil || l.Report.Verdict != signature.Failed || l.Report.SubIndication != signature.SigCryptoFailure {
			t.Errorf("%s: %+v, %v", what, l, err)
		}
	}
	// The signature certificate over a challenge: a signature fits, the kind does not.
	c := b.challenge(b.tenant)
	a, err := c.Challenge.ToSign().Sign(p.Auth.Cert, p.Sign.Key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := b.send(b.tenant, api.LoginRequest{Challenge: c.ID, Certificate: p.Sign.Cert.Raw, Signature: a.Signature})
	if err != nil || l.User != nil || l.Report.Verdict != signature.Failed || l.Report.SubIndication != signature.ChainConstraints {
		t.Errorf("the signature certificate: %+v, %v", l, err)
	}
}

func TestAChallengeIsAnsweredOnceAndInTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, func(c *platform.Config) { c.ChallengeLife = 10 * time.Second })
		other := b.Register("tenant:other", origin)
		hanako := b.Agency.Resident("霧島　花子")
		late := b.challenge(b.tenant)
		c := b.challenge(b.tenant)
		_, err := b.answer(other, c, hanako.Auth)
		code(t, err, jitsuin.NotFound, "challenge-unknown")
		if l, err := b.answer(b.tenant, c, hanako.Auth); err != nil || l.User == nil {
			t.Errorf("after another tenant tried: %+v, %v", l, err)
		}
		_, err = b.answer(b.tenant, c, hanako.Auth)
		code(t, err, jitsuin.Conflict, "challenge-used")
		never := c
		never.ID = jitsuin.NewID()
		_, err = b.answer(b.tenant, never, hanako.Auth)
		code(t, err, jitsuin.NotFound, "challenge-unknown")
		b.advance(time.Hour) // civil time has no say in this
		if l, err := b.login(b.tenant, hanako.Auth); err != nil || l.User == nil {
			t.Errorf("with civil time moved: %+v, %v", l, err)
		}
		time.Sleep(time.Until(late.Challenge.ToSign().ExpiresAt) + 10*time.Millisecond)
		_, err = b.answer(b.tenant, late, hanako.Auth)
		code(t, err, jitsuin.Expired, "challenge-expired")
		err = b.once(b.tenant, "/v1/login-challenges", "", api.ChallengeRequest{Origin: "https://elsewhere.example", Purpose: "login"}, nil)
		code(t, err, jitsuin.Denied, "origin-not-registered")
		_, err = b.send(b.tenant, api.LoginRequest{Challenge: b.challenge(b.tenant).ID, Certificate: []byte("no certificate"), Signature: []byte{1}})
		code(t, err, jitsuin.Invalid, "certificate-form")
	})
}
