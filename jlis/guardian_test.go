package jlis

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

// One bit is told, by the civil day: for a child until the day before the fifteenth birthday, and to verifiers alone.
func TestWhetherARepresentativeActsIsOneBit(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	kid := child()
	today := jitsuin.DateOf(time.Now())
	kid.BirthDate = jitsuin.Date{Year: today.Year - 15, Month: today.Month, Day: min(today.Day, 28)}.AddDays(40)
	d := &desk{c, c.agency, 0}
	subject := jitsuin.NewID()
	position := c.notice(entered(subject, kid))
	card := d.held(subject)
	app := d.reissue(subject, kid, card, map[jitsuin.CertKind]int{jitsuin.AuthCert: 1})
	app.Position = position
	c.applyFor(app)
	c.delivered(app.ID)
	link := api.Link{Kind: jitsuin.AuthCert, Serial: d.living(subject)[jitsuin.AuthCert].Serial.String()}
	_, grown := c.reissued(hanako, 1)
	asked := api.Client{Remote: c.as("platform:1", "jlis:1")}
	if _, err := asked.GuardianActs(t.Context(), link); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("before it is accredited: %v", err)
	}
	c.accredit("platform:1", minister.InForce)
	must(t, asked.NotifyVerifier(t.Context(), api.Verifier{Name: "p", Office: "o", StartsOn: today}))
	says := func(what string, l api.Link, want bool) {
		t.Helper()
		if acts, err := asked.GuardianActs(t.Context(), l); err != nil || acts != want {
			t.Errorf("%s: %v %v", what, acts, err)
		}
	}
	says("a child", link, true)
	says("a grown person", api.Link{Kind: jitsuin.SignCert, Serial: grown[jitsuin.SignCert].Serial.String()}, false)
	birthday := jitsuin.Date{Year: kid.BirthDate.Year + 15, Month: kid.BirthDate.Month, Day: kid.BirthDate.Day}
	if birthday.Month == time.February && birthday.Day == 29 {
		t.Skip("this year's test would need a birthday that not every year has")
	}
	c.agency.Clock.Set(time.Until(birthday.Start()) - time.Hour)
	says("the day before the birthday", link, true)
	c.agency.Clock.Set(time.Until(birthday.Start()) + time.Minute)
	says("the birthday", link, false)
	never, err := c.agency.codecs[jitsuin.AuthCert].Encode(1, 1_000_000)
	must(t, err)
	if _, err := asked.GuardianActs(t.Context(), api.Link{Kind: jitsuin.AuthCert, Serial: never.String()}); jitsuin.KindOf(err) != jitsuin.NotFound {
		t.Errorf("a certificate that never was: %v", err)
	}
}
