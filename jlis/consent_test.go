package jlis

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

var consentText = api.ConsentText{Number: "C-1", Recipient: form.Text{JA: "見本証券株式会社", EN: "Sample Securities"}, Verifier: "見本プラットフォーム", VerifierID: "platform:1",
	Service: form.Text{JA: "総合証券口座", EN: "Securities account"}, Purpose: "お客様の住所等を最新にするため", Contact: "お客様窓口"}

// signs has the holder of a certificate fill in and sign a form; n is the number of the key.
func (c *country) signs(f form.Form, r record, n int) []byte {
	c.Helper()
	leaf, err := cert.Parse(r.DER)
	must(c, err)
	items := hanako
	if r.Kind == jitsuin.SignCert {
		items = parse(c, r.DER)
	}
	now := c.agency.Clock.Now()
	filled, err := form.Fill(f, items, nil, jitsuin.DateOf(now))
	must(c, err)
	document, err := filled.PDF()
	must(c, err)
	signed, err := (&pades.Signer{Certificate: leaf, Key: sharedKeys(c).resident[n]}).Sign(c.Context(), document, pades.Options{At: now, Name: items.Name})
	must(c, err)
	return signed
}

// verifier makes an instance one that may ask.
func (c *country) verifier(id string) api.Client {
	c.Helper()
	c.accredit(id, minister.InForce)
	client := api.Client{Remote: c.as(id, "jlis:1")}
	must(c, client.NotifyVerifier(c.Context(), api.Verifier{Name: id, Office: "1F", StartsOn: jitsuin.DateOf(time.Now())}))
	return client
}

func refusedWith(t *testing.T, what string, err error, kind jitsuin.Kind, code string) {
	t.Helper()
	if jitsuin.KindOf(err) != kind || jitsuin.CodeOf(err) != code {
		t.Errorf("%s: %v %q, want %v %q: %v", what, jitsuin.KindOf(err), jitsuin.CodeOf(err), kind, code, err)
	}
}

func id() string { return string(jitsuin.NewID()) }

// Somebody consents, moves, gets a new certificate and withdraws: one supply is paid for, and the consent outlives the certificate.
func TestALifeOfAConsent(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	subject, living := c.reissued(hanako, 0)
	platform, other := c.verifier("platform:1"), c.verifier("platform:2")
	ctx := t.Context()
	document := c.signs(api.ConsentForm(consentText), living[jitsuin.SignCert], 0)
	given, err := platform.Consent(ctx, id(), document)
	must(t, err)
	today := jitsuin.DateOf(c.agency.Clock.Now())
	term, err := rules.ConsentTerm(today)
	must(t, err)
	if given.State != api.ConsentInForce || given.GivenOn != today || given.LastDay != term.Until || given.Service != "総合証券口座" || given.Number != "C-1" {
		t.Errorf("the consent is %+v", given)
	}
	latest := func(key string, known *api.Link) (api.Latest, error) {
		return platform.Latest(ctx, key, given.ID, api.LatestRequest{Known: known})
	}
	l, err := latest(id(), nil)
	must(t, err)
	if l.New || l.Items != nil || l.Yen != 0 {
		t.Errorf("nothing has changed, and the answer is %+v", l)
	}
	change := entered(subject, moved)
	change.Cause, change.RequestID = jitsuin.CauseMoveWithin, id()
	c.notice(change)
	c.revoked(subject, jitsuin.SignCert)
	key := id()
	first, err := latest(key, nil)
	must(t, err)
	if !first.New || first.Items == nil || *first.Items != moved || len(first.Fields) != 1 || first.Fields[0] != "address" || first.Yen != 20 {
		t.Errorf("after the move %+v", first)
	}
	if again, err := latest(key, nil); err != nil || again.Supply != first.Supply || *again.Items != moved {
		t.Errorf("the same request again: %+v %v", again, err)
	}
	if l, err = latest(id(), nil); err != nil || l.New || l.Yen != 0 {
		t.Errorf("a second time: %+v %v", l, err)
	}
	_, err = other.Latest(ctx, id(), given.ID, api.LatestRequest{})
	refusedWith(t, "another verifier's consent", err, jitsuin.NotFound, "consent-unknown")
	_, err = other.Latest(ctx, id(), jitsuin.NewID(), api.LatestRequest{})
	refusedWith(t, "a consent that never was", err, jitsuin.NotFound, "consent-unknown")

	fresh := c.anew(subject, moved, 2)
	withdrawal := api.WithdrawalForm("W-1", given.ID, consentText.Recipient, consentText.Service)
	_, stranger := c.reissued(jitsuin.FourItems{Name: "沢渡　太郎", Address: hanako.Address, BirthDate: hanako.BirthDate, Sex: jitsuin.Male}, 2)
	_, err = platform.Withdraw(ctx, id(), given.ID, c.signs(withdrawal, stranger[jitsuin.SignCert], 4))
	refusedWith(t, "somebody else's withdrawal", err, jitsuin.Denied, "withdrawal-person")
	_, err = platform.Withdraw(ctx, id(), given.ID, document)
	refusedWith(t, "a withdrawal with the dead certificate's consent", err, jitsuin.Invalid, "consent-signature")

	c.accredit("platform:1", minister.Suspended)
	_, err = latest(id(), nil)
	refusedWith(t, "while suspended", err, jitsuin.Denied, "accreditation-suspended")
	ended, err := platform.Withdraw(ctx, id(), given.ID, c.signs(withdrawal, fresh, 2))
	if err != nil || ended.State != api.ConsentWithdrawn || ended.EndedAt == nil {
		t.Fatalf("withdrawn while the verifier is suspended: %+v %v", ended, err)
	}
	c.accredit("platform:1", minister.InForce)
	_, err = latest(id(), nil)
	refusedWith(t, "after the withdrawal", err, jitsuin.Revoked, "consent-withdrawn")
	_, err = latest(key, nil)
	refusedWith(t, "a repeated request after the withdrawal", err, jitsuin.Revoked, "consent-withdrawn")
	auth := living[jitsuin.AuthCert]
	all, err := platform.Inquire(ctx, api.Link{Kind: jitsuin.AuthCert, Serial: auth.Serial.String()})
	if err != nil || len(all) != 1 || all[0].ID != given.ID || all[0].State != api.ConsentWithdrawn {
		t.Errorf("looked up with the authentication certificate: %+v %v", all, err)
	}
	if none, err := other.Inquire(ctx, api.Link{Kind: jitsuin.AuthCert, Serial: auth.Serial.String()}); err != nil || len(none) != 0 {
		t.Errorf("another verifier sees %+v %v", none, err)
	}
}

// anew issues a new signature certificate with the key number n.
func (c *country) anew(subject jitsuin.ID, items jitsuin.FourItems, n int) record {
	c.Helper()
	d := &desk{c, c.agency, 0}
	app := d.reissue(subject, items, d.held(subject), map[jitsuin.CertKind]int{jitsuin.SignCert: n})
	app.Position = jitsuin.Position{Epoch: 1, N: c.n}
	c.applyFor(app)
	c.delivered(app.ID)
	return d.living(subject)[jitsuin.SignCert]
}

// What the firm has checked since is not new to it; what it has from before is told from.
func TestWhatIsNewIsToldFromWhatTheFirmHas(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	subject, living := c.reissued(hanako, 0)
	platform := c.verifier("platform:1")
	old := api.Link{Kind: jitsuin.SignCert, Serial: living[jitsuin.SignCert].Serial.String()}
	change := entered(subject, moved)
	change.Cause, change.RequestID = jitsuin.CauseMoveWithin, id()
	c.notice(change)
	c.revoked(subject, jitsuin.SignCert)
	fresh := c.anew(subject, moved, 2)
	given, err := platform.Consent(t.Context(), id(), c.signs(api.ConsentForm(consentText), fresh, 2))
	must(t, err)
	l, err := platform.Latest(t.Context(), id(), given.ID, api.LatestRequest{Known: &api.Link{Kind: jitsuin.SignCert, Serial: fresh.Serial.String()}})
	if err != nil || l.New {
		t.Errorf("the firm has checked the new certificate, and is told %+v %v", l, err)
	}
	l, err = platform.Latest(t.Context(), id(), given.ID, api.LatestRequest{Known: &old})
	if err != nil || !l.New || l.Yen != 20 {
		t.Errorf("the firm has the old certificate's items, and is told %+v %v", l, err)
	}
	l, err = platform.Latest(t.Context(), id(), given.ID, api.LatestRequest{Known: &old})
	if err != nil || l.New {
		t.Errorf("it has been told by now, and is told %+v %v", l, err)
	}
	gone := entered(subject, moved)
	gone.Cause, gone.State, gone.RequestID = jitsuin.CauseDeath, jitsuin.Dead, id()
	c.notice(gone)
	c.revoked(subject, jitsuin.AuthCert)
	_, err = platform.Latest(t.Context(), id(), given.ID, api.LatestRequest{})
	refusedWith(t, "of somebody who has died", err, jitsuin.Revoked, "person-left")
}

// What is no consent: another form, missing or changed words, the other key, a dead certificate, a name of another verifier.
func TestWhatIsNoConsent(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	_, living := c.reissued(hanako, 0)
	platform := c.verifier("platform:1")
	sign := living[jitsuin.SignCert]
	try := func(what string, document []byte, kind jitsuin.Kind, code string) {
		t.Helper()
		_, err := platform.Consent(t.Context(), id(), document)
		refusedWith(t, what, err, kind, code)
	}
	without := func(change func(*form.Form)) []byte {
		f := api.ConsentForm(consentText)
		change(&f)
		return c.signs(f, sign, 0)
	}
	for _, i := range rules.ConsentItems() {
		if !i.Mandatory || i.Key == "subject" {
			continue
		}
		drop := without(func(f *form.Form) {
			for n, d := range f.Fields {
				if d.Name == i.Key {
					f.Fields = append(f.Fields[:n:n], f.Fields[n+1:]...)
					return
				}
			}
		})
		try("without "+i.Key, drop, jitsuin.Invalid, "consent-form")
		break // one in this way; all of them are looked at below
	}
	try("another term", without(func(f *form.Form) { set(f, "term", "無期限") }), jitsuin.Invalid, "consent-form")
	try("another verifier", without(func(f *form.Form) { set(f, rules.ConsentVerifier, "見本（platform:2）") }), jitsuin.Denied, "consent-verifier")
	try("another form", without(func(f *form.Form) { f.ID = "account" }), jitsuin.Invalid, "consent-form")
	try("the authentication key", c.signs(api.ConsentForm(consentText), living[jitsuin.AuthCert], 1), jitsuin.Invalid, "consent-signature")
	good := c.signs(api.ConsentForm(consentText), sign, 0)
	altered := append([]byte{}, good...)
	altered[len(altered)/2] ^= 1
	if _, err := platform.Consent(t.Context(), id(), altered); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("an altered document: %v", err)
	}
	if _, err := platform.Consent(t.Context(), id(), []byte("%PDF-1.7 nothing")); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("no document at all: %v", err)
	}
	must(t, second(platform.Consent(t.Context(), id(), good)))
	try("the same number again", good, jitsuin.Conflict, "consent-known")
	for _, i := range rules.ConsentItems() {
		f := form.Filled{Form: api.ConsentForm(consentText), Values: map[string]string{}}
		for _, d := range f.Form.Fields {
			f.Values[d.Name] = d.Value
		}
		delete(f.Values, i.Key)
		if err := api.CheckConsent(f, "platform:1"); (err != nil) != i.Mandatory {
			t.Errorf("without %s: %v", i.Key, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func set(f *form.Form, name, value string) {
	for n := range f.Fields {
		if f.Fields[n].Name == name {
			f.Fields[n].Value = value
		}
	}
}

// A consent is in force on its last day and expired on the next, and is dropped when its record's time is over.
func TestAConsentEndsByItself(t *testing.T) {
	t.Parallel()
	c := consent{}
	c.GivenOn, c.LastDay = jitsuin.Date{Year: 2028, Month: 2, Day: 29}, jitsuin.Date{Year: 2038, Month: 2, Day: 28}
	for on, want := range map[jitsuin.Date]string{c.LastDay: api.ConsentInForce, c.LastDay.AddDays(1): api.ConsentExpired} {
		if got := c.in(on).State; got != want {
			t.Errorf("on %v it is %s, want %s", on, got, want)
		}
	}
}
