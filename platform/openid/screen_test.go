package openid_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

var (
	screenLink = regexp.MustCompile(`<code id="screen-link">([^<]+)</code>`)
	leadsOn    = regexp.MustCompile(`href="([^"]*/errands/return\?code=[^"]+)"`)
)

// asksDevices has the provider ask which device answers.
func asksDevices(c *platform.Config) { c.OtherDevices = true }

// choice begins a login and gives the form of the page at which the person chooses.
func (p *rp) choice(at *platformtest.Browser, a asking, change url.Values) url.Values {
	p.b.t.Helper()
	_, last := p.begun(at, p.query(a, change))
	m := regexp.MustCompile(`name="login" value="([0-9a-f]+)"`).FindStringSubmatch(last.Body)
	if m == nil {
		p.b.t.Fatalf("no choice: HTTP %d %s", last.Status, last.Body)
	}
	return url.Values{"login": {m[1]}}
}

// onScreen sends the form of a page for another device, and gives the path of the page with the QR code, and its link.
func (p *rp) onScreen(at *platformtest.Browser, form string, in url.Values) (path, link string) {
	p.b.t.Helper()
	in.Set("way", "elsewhere")
	to := at.Post(p.issuer+form, in)
	page := at.Open(to.Location)
	m := screenLink.FindStringSubmatch(page.Body)
	if m == nil {
		p.b.t.Fatalf("no QR code: HTTP %d %s", page.Status, page.Body)
	}
	path, _, _ = strings.Cut(to.Location, "?")
	return path, html.UnescapeString(m[1])
}

// typed types digits and follows the link that leads on, to the relying party.
func (p *rp) typed(at *platformtest.Browser, path, digits string) url.Values {
	p.b.t.Helper()
	to := at.Post(path, url.Values{"screen_secret": {digits}})
	page := at.Open(to.Location)
	m := leadsOn.FindStringSubmatch(page.Body)
	if m == nil {
		p.b.t.Fatalf("the page does not lead on: HTTP %d %s", page.Status, page.Body)
	}
	return p.back(at, html.UnescapeString(m[1]))
}

// told answers a request on a telephone, and gives the digits that it shows.
func (b *bank) told(link string, who *platformtest.Person) string {
	b.t.Helper()
	claims := b.OpenRequest(link)
	status, taken := b.Post(claims, b.AnswerOf(claims, who))
	if status != http.StatusOK || taken.ScreenSecret == "" {
		b.t.Fatalf("HTTP %d %+v", status, taken)
	}
	return taken.ScreenSecret
}

func TestAClientsLoginOnAnotherDevice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, asksDevices)
		hanako := b.Agency.Resident("霧島　花子")
		p, a := b.relyingParty(b.tenant, nil), newAsking()
		at := b.Browser()
		path, link := p.onScreen(at, "/choose", p.choice(at, a, nil))
		if got := p.typed(at, path, b.told(link, hanako)); got.Get("code") == "" || got.Get("state") != a.State {
			t.Errorf("the client gets %v", got)
		}
		// A login for data: what is agreed to is asked for on the telephone.
		at, a = b.Browser(), newAsking()
		in := p.choice(at, a, url.Values{"scope": {"openid name"}})
		in.Set("claim-name", "yes")
		path, link = p.onScreen(at, "/consent", in)
		if c := b.OpenRequest(link); len(c.Items) != 1 || c.Items[0] != "name" || !c.AnotherDevice {
			t.Errorf("the telephone is asked for %v", c.Items)
		}
		if got := p.typed(at, path, b.told(link, hanako)); got.Get("code") == "" {
			t.Errorf("the client gets %v", got)
		}
	})
}

func TestTooManyWrongDigitsAreDenied(t *testing.T) {
	b := open(t, storetest.SQLite().Fresh(t), asksDevices)
	hanako := b.Agency.Resident("霧島　花子")
	p, a := b.relyingParty(b.tenant, nil), newAsking()
	at := b.Browser()
	in := p.choice(at, a, url.Values{"scope": {"openid name"}})
	in.Set("claim-name", "yes")
	path, link := p.onScreen(at, "/consent", in)
	wrong := "000000"
	digits := b.told(link, hanako)
	if digits == wrong {
		wrong = "000001"
	}
	for range 4 {
		if page := at.Post(path, url.Values{"screen_secret": {wrong}}); page.Status != http.StatusUnprocessableEntity {
			t.Fatalf("HTTP %d", page.Status)
		}
	}
	if got := p.typed(at, path, wrong); got.Get("error") != "access_denied" || got.Get("state") != a.State || got.Has("code") {
		t.Errorf("the client gets %v", got)
	}
	var kept int
	err := b.Platform.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT COUNT(*) FROM openid_sessions WHERE items <> '' OR ended_at = 0`).Scan(&kept)
	})
	if err != nil || kept != 0 {
		t.Errorf("%d logins keep what was read of the person (%v)", kept, err)
	}
}

// An attacker begins one login twice, and has a victim answer the one: the other must not lead on, whatever it is answered with.
func TestAnAnswerOpensNoOtherErrand(t *testing.T) {
	b := open(t, storetest.SQLite().Fresh(t), asksDevices)
	victim, attacker := b.Agency.Resident("霧島　花子"), b.Agency.Resident("沢渡　太郎")
	for name, relayed := range map[string]string{"by QR code": "elsewhere", "by a link": ""} {
		t.Run(name, func(t *testing.T) {
			p, a := b.relyingParty(b.tenant, nil), newAsking()
			at := b.Browser()
			in := p.choice(at, a, nil)
			own := at.Post(p.issuer+"/choose", in).Location
			if relayed == "" {
				b.Answered(at.Post(p.issuer+"/choose", in).Location, victim) // where this leads, the victim's browser learns
			} else {
				_, link := p.onScreen(at, "/choose", in)
				b.told(link, victim)
			}
			got := p.back(at, b.Answered(own, attacker))
			if got.Has("code") || got.Get("error") != "access_denied" {
				t.Errorf("the attacker's browser gets %v", got)
			}
		})
	}
}
