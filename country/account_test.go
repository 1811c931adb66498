//go:build unix

package country_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/internal/webtest"
	town "github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/signature"
)

// customers are people of a running country with a browser in front of them.
type customers struct {
	*living
	*webtest.Browser
	t    *testing.T
	lang web.Lang
	firm string                    // its origin
	next int                       // the next person with a card
	held []people.Resident         // with a card, in the order of their names
	card map[jitsuin.ID]jitsuin.ID // of a resident
}

func newCustomers(t *testing.T) *customers {
	t.Helper()
	b := webtest.New(t, "ja", 1280)
	l := live(t, country.Options{Data: filepath.Join(t.TempDir(), "data"), Listen: listen(t), Seed: 4})
	c := &customers{living: l, Browser: b, t: t, lang: web.JA, card: map[jitsuin.ID]jitsuin.ID{}}
	_, c.firm = l.tenant(t)
	facts, err := l.Facts()
	if err != nil {
		t.Fatal(err)
	}
	cards := holder.CardsIn(string(l.Folder))
	ids, err := cards.Held()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]jitsuin.ID{}
	for _, id := range ids {
		label, err := cards.Label(id)
		if err != nil || names[label] != "" {
			t.Fatalf("the label %q of %s: %v", label, id, err)
		}
		names[label] = id
	}
	for _, r := range facts.Sample().Residents {
		if id := names[r.Items.Name]; id != "" && c.card[r.ID] == "" {
			c.held, c.card[r.ID] = append(c.held, r), id
			delete(names, r.Items.Name)
		}
	}
	return c
}

// person gives somebody with a card whom no part of the test has seen.
func (c *customers) person() people.Resident {
	c.t.Helper()
	if c.next == len(c.held) {
		c.t.Fatal("nobody with a card is left")
	}
	c.next++
	return c.held[c.next-1]
}

func (c *customers) text(key string, pairs ...any) string { return web.Text(c.lang, key, pairs...) }

func (c *customers) clickText(key string) { c.t.Helper(); c.Click(c.text(key)) }

// begins leads to the holder from a page of the firm, taps the card there and comes to the PIN.
func (c *customers) begins(p people.Resident, page, button string) {
	c.t.Helper()
	c.Open(c.firm + page + "?lang=" + string(c.lang))
	c.clickText(button)
	c.See(c.text("holder.choose.tap"), c.text("holder.choose.gets"))
	c.Tick(p.Items.Name)
	c.clickText("holder.choose.go")
}

// fillsIn opens an account as far as the document that is to be signed.
func (c *customers) fillsIn(p people.Resident) {
	c.t.Helper()
	c.begins(p, "/open", "firm.open.button")
	c.types("sign", "SAMPLE1")
	c.declares()
}

func (c *customers) types(kind, pin string) {
	c.t.Helper()
	c.Fill(c.text("holder.pin.label-"+kind), pin)
	if kind == "sign" {
		c.clickText("holder.pin.go-sign")
	} else {
		c.clickText("holder.pin.go-login")
		c.leadsBack("holder.done.title-login")
	}
}

// declares fills the form in and comes to reading it.
func (c *customers) declares() {
	c.t.Helper()
	c.See(c.text("holder.form.yours"))
	for label, option := range map[[2]string][2]string{{"職業", "Occupation"}: {"会社員", "Employee"}, {"取引を行う目的", "Purpose"}: {"老後", "Saving for old age"},
		{"外国の重要な公的地位", "Foreign politically"}: {"本人・家族とも", "Neither"}, {"確認", "Confirmation"}: {"下の各条を読み", "I have read"}} {
		if c.lang == web.EN {
			c.Choose(label[1], option[1])
		} else {
			c.Choose(label[0], option[0])
		}
	}
	c.clickText("holder.form.go")
	c.See(c.text("holder.read.title"))
}

// signs presses the button, and does not wait until the holder leads back by itself.
func (c *customers) signs() {
	c.t.Helper()
	c.clickText("holder.read.sign")
	c.leadsBack("holder.done.title-sign")
}

func (c *customers) cancels() {
	c.t.Helper()
	c.clickText("holder.cancel")
	c.leadsBack("holder.done.title-denied")
}

func (c *customers) leadsBack(title string) {
	c.t.Helper()
	c.See(c.text(title))
	webtest.Eval[bool](c.Browser, `(() => { const a = document.querySelector("a[data-return]"); if (a) location.replace(a.href); return true; })()`)
}

// goesWrong chooses on the page for reading how the answer goes wrong.
func (c *customers) goesWrong(how string) {
	c.t.Helper()
	c.clickText("holder.fault.fold")
	c.Choose(c.text("holder.fault.label"), c.text("holder.fault."+how))
}

// refusedFor wants the firm's page of a refusal: what happened, what it means, what to do next.
func (c *customers) refusedFor(outcome string) {
	c.t.Helper()
	stem := "firm.outcome." + outcome
	c.See(c.text(stem+".title"), c.text("firm.refused.not-opened"), c.text(stem+".means"), c.text("common.what-to-do"), c.text(stem+".next"))
	c.FitsWidth(360)
	c.Resize(1280)
	c.Shots("account-refused-" + outcome + "-" + string(c.lang))
}

// logsIn goes from the firm's page of a login through the holder to the account.
func (c *customers) logsIn(p people.Resident) {
	c.t.Helper()
	c.begins(p, "/login", "firm.login.button")
	c.types("auth", "1234")
}

func (c *customers) at(p people.Resident, change town.ChangeRequest) {
	c.t.Helper()
	r, err := c.Remote(country.Counter(p.Municipality), country.Town(p.Municipality))
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	now, err := country.CivilNow(c.t.Context(), c.Folder)
	if err != nil {
		c.t.Fatal(err)
	}
	change.Subject, change.OccurredOn, change.Clerk = p.ID, jitsuin.DateOf(now.Now), "窓口 例子"
	if _, err := (town.Client{Remote: r}).Record(c.t.Context(), change, ""); err != nil {
		c.t.Fatal(err)
	}
}

// TestAnAccountIsOpenedInABrowser plays the opening of an account, the login and each refusal, as people do: at the
// firm's and the holder's pages of a running country.
func TestAnAccountIsOpenedInABrowser(t *testing.T) {
	t.Parallel()
	c := newCustomers(t)
	for _, lang := range []web.Lang{web.JA, web.EN} {
		c.lang = lang
		c.opensAndLogsIn(c.person())
	}
	c.lang = web.JA
	c.altersAndMistakes(c.person())
	c.cancelsAndLocks(c.person())
	c.moves(c.person())
	c.dies(c.person())
	c.outlivesTheCertificate(c.person())
}

func (c *customers) opensAndLogsIn(p people.Resident) {
	c.t.Helper()
	c.logsIn(p)
	c.See(c.text("firm.login.no-customer.title"), c.text("firm.login.no-customer.next"))
	c.fillsIn(p)
	c.See(p.Items.Name, p.Items.Address, "総合証券口座開設申込書")
	c.signs()
	c.See(c.text("firm.opened.title"), c.text("firm.opened.number"), c.text("firm.opened.record"))
	c.Axe()
	c.FitsWidth(360)
	c.Resize(1280)
	c.Shots("account-opened-" + string(c.lang))
	c.logsIn(p)
	c.See(c.text("firm.account.title"), p.Items.Name, p.Items.Address, c.text("firm.account.record"))
	c.Axe()
	c.clickText("firm.account.logout")
	c.See(c.text("firm.home.title"))
	c.fillsIn(p)
	c.signs()
	c.See(c.text("firm.outcome.known.title"), c.text("firm.outcome.known.next"))
}

func (c *customers) altersAndMistakes(p people.Resident) {
	c.t.Helper()
	c.fillsIn(p)
	c.goesWrong("altered")
	c.signs()
	c.refusedFor("altered")
	c.fillsIn(p)
	c.goesWrong("wrong-kind")
	c.Fill(c.text("holder.fault.pin"), "1234")
	c.signs()
	c.refusedFor("wrong-kind")
}

func (c *customers) cancelsAndLocks(p people.Resident) {
	c.t.Helper()
	c.fillsIn(p)
	c.cancels()
	c.refusedFor("cancelled")
	c.begins(p, "/open", "firm.open.button")
	for left := 4; left >= 0; left-- {
		c.types("sign", "WRONG1")
		if left > 0 {
			c.See(c.text("holder.pin.left", "n", left))
		}
	}
	c.See(c.text("errors.kind-locked.title"), c.text("holder.pin.blocked-sign"), c.text("holder.pin.blocked-next"), c.text("holder.pin.blocked-now"))
	c.cancels()
	c.refusedFor("cancelled") // it tells where a locked password is set anew
	c.See("ロックされたときは、お住まいの市区町村の窓口")
}

// moves: the certificate dies while the form is being read.
func (c *customers) moves(p people.Resident) {
	c.t.Helper()
	before := c.signature(c.t, string(c.card[p.ID]))
	c.fillsIn(p)
	c.at(p, town.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Address: p.Items.Address + "　新しい家"})
	c.untilRevoked(before)
	c.signs()
	c.refusedFor("revoked")
	c.Axe()
}

// dies: somebody else has the card of a dead person.
func (c *customers) dies(p people.Resident) {
	c.t.Helper()
	before := c.signature(c.t, string(c.card[p.ID]))
	c.at(p, town.ChangeRequest{Cause: jitsuin.CauseDeath})
	c.untilRevoked(before)
	c.fillsIn(p)
	c.signs()
	c.refusedFor("revoked")
	c.begins(p, "/login", "firm.login.button")
	c.types("auth", "1234")
	c.See(c.text("firm.login.revoked.title"), c.text("firm.login.revoked.next"))
}

// untilRevoked waits until the platform refuses a signature that was made before.
func (c *customers) untilRevoked(sig []byte) {
	c.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); c.verify(c.t, sig).Report.SubIndication != signature.Revoked; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatal("the certificate was not revoked")
		}
	}
}

// outlivesTheCertificate moves civil time beyond the end of every certificate. The platform's accreditation ran
// out on the way, and it is accredited anew.
func (c *customers) outlivesTheCertificate(p people.Resident) {
	c.t.Helper()
	now, err := country.CivilNow(c.t.Context(), c.Folder)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := country.MoveClock(c.t.Context(), c.Folder, now.Now.AddDate(6, 0, 0)); err != nil {
		c.t.Fatal(err)
	}
	if err := c.AccreditPlatform(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	untilAccredited(c.t, c.Folder)
	c.begins(p, "/open", "firm.open.button")
	c.types("sign", "SAMPLE1")
	c.See(c.text("holder.warning.certificate-expired"), c.text("holder.warning.next"))
	c.clickText("holder.warning.go")
	c.declares()
	c.signs()
	c.refusedFor("expired")
	if !strings.HasPrefix(c.URL(), c.firm) {
		c.t.Errorf("the page of the refusal is at %s", c.URL())
	}
}
