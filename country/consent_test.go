//go:build unix

package country_test

import (
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/web"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// TestALatestAddressReachesTheFirmOnce walks what somebody does with a firm over a move: she opens an account, consents to her latest items being told,
// moves; the firm is told the new address once and charged once, and finds that her certificate lapsed; she sees all of it at the platform,
// withdraws there with her new certificate, and the firm is refused.
func TestALatestAddressReachesTheFirmOnce(t *testing.T) {
	t.Parallel()
	c := newCustomers(t)
	p := c.person()
	card := string(c.card[p.ID])
	firm, origin := c.tenant(t)
	platform := c.origin(country.Platform)

	c.fillsIn(p)
	c.signs()
	c.See(c.text("firm.opened.title"))
	user := c.sign(t, card).User.ID // the same person again, at the same firm
	before := c.signature(t, card)
	if s, err := firm.CheckStatus(t.Context(), "", user, "住所の確認"); err != nil || s.Status != client.StatusGood {
		t.Fatalf("before the move: %+v %v", s, err)
	}
	consent, err := firm.AskConsent(t.Context(), "", client.ConsentRequest{User: user, Service: client.Words{JA: "総合証券口座", EN: "Securities account"},
		Purpose: "お客様の住所等を最新にするため", Contact: "お客様窓口", ReturnURL: origin + "/"})
	if err != nil {
		t.Fatal(err)
	}
	c.Open(consent.Open + "&lang=" + string(c.lang))
	c.See("実印サンド証券株式会社")
	c.signsForm(p)
	if got, err := firm.Consent(t.Context(), consent.ID); err != nil || got.State != "in-force" {
		t.Fatalf("after the signature: %+v %v", got, err)
	}
	if l, err := firm.LatestItems(t.Context(), "", user, consent.ID); err != nil || l.New || l.Yen != 0 {
		t.Errorf("nothing has changed: %+v %v", l, err)
	}

	address := p.Items.Address + "　新しい家"
	c.at(p, town.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Address: address})
	c.untilRevoked(before)
	if s, err := firm.CheckStatus(t.Context(), "", user, "住所の確認"); err != nil || s.Status != client.StatusRevoked || s.Reason != jitsuin.ReasonAffiliationChanged || s.Since == nil {
		t.Errorf("after the move: %+v %v", s, err)
	}
	yen := 0
	for range 2 {
		l, err := firm.LatestItems(t.Context(), "", user, consent.ID)
		if err != nil {
			t.Fatal(err)
		}
		if l.New && (l.Items == nil || l.Items.Address != address) {
			t.Errorf("told %+v", l.Items)
		}
		yen += l.Yen
	}
	if yen != 20 {
		t.Errorf("asked twice, charged %d yen, want 20", yen)
	}

	c.Open(platform + "/me?lang=" + string(c.lang))
	c.Shots("me-login")
	c.clickText("me.login.button")
	c.taps(p)
	c.types("auth", "1234")
	c.See(c.text("me.title"), "総合証券口座", "住所の確認", c.text("me.item.address"), c.text("me.for.account"), c.text("me.record.confirmation"))
	c.FitsWidth(360)
	c.Resize(1280)
	c.Shots("me")
	c.Open(platform + "/me?lang=en")
	c.See(web.Text(web.EN, "me.title"), "Securities account")
	c.Shots("me-en")
	c.Open(platform + "/me?lang=ja")

	country.ReissueFor(t, c.Folder, country.Cardholder{Subject: p.ID, Town: p.Municipality, Items: withAddress(p, address), Card: c.card[p.ID]})
	c.clickText2("me.withdraw.of", "service", "総合証券口座")
	c.signsForm(p)
	c.See(c.text("me.withdrawal.withdrawn.title"), c.text("me.state.withdrawn"))
	c.Shots("me-withdrawn")
	if _, err := firm.LatestItems(t.Context(), "", user, consent.ID); jitsuin.CodeOf(err) != "consent-withdrawn" {
		t.Errorf("after the withdrawal: %v", err)
	}
	if again := c.sign(t, card); again.User == nil || again.User.ID != user {
		t.Errorf("with the new certificate she is %+v, want %s", again.User, user)
	}
	if _, err := firm.Subscribe(t.Context(), "", []string{user}, "住所の更新"); err != nil {
		t.Fatal(err)
	}
	if u, err := firm.User(t.Context(), user); err != nil || !u.Subscribed || len(u.Kinds) == 0 {
		t.Errorf("the user: %+v %v", u, err)
	}
	c.Axe() // last: it is left out where axe is not installed
}

func withAddress(p people.Resident, address string) jitsuin.FourItems {
	items := p.Items
	items.Address = address
	return items
}

// origin is where an instance has its pages.
func (c *customers) origin(id string) string {
	c.t.Helper()
	d, err := c.Directory()
	if err != nil {
		c.t.Fatal(err)
	}
	i, err := d.Lookup(id)
	if err != nil {
		c.t.Fatal(err)
	}
	return i.Origin
}

func (c *customers) clickText2(key string, pairs ...any) {
	c.t.Helper()
	c.Click(c.text(key, pairs...))
}

// taps puts the card to the holder.
func (c *customers) taps(p people.Resident) {
	c.t.Helper()
	c.See(c.text("holder.choose.tap"))
	c.Tick(p.Items.Name)
	c.clickText("holder.choose.go")
}

// signsForm signs a form in which nothing is to be filled in.
func (c *customers) signsForm(p people.Resident) {
	c.t.Helper()
	c.taps(p)
	c.types("sign", "SAMPLE1")
	c.See(c.text("holder.form.go"))
	c.clickText("holder.form.go")
	c.See(c.text("holder.read.title"))
	c.signs()
}
