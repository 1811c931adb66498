package jlis

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
)

var both = map[jitsuin.CertKind]int{jitsuin.SignCert: 0, jitsuin.AuthCert: 1}

func TestAReissueBringsCertificatesByOneCommit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		subject := d.resident(hanako)
		app := d.reissue(subject, hanako, d.held(subject), both)
		if got := d.apply(app); got.State != appDelivered {
			t.Fatalf("the application is %s: %+v", got.State, d.refused())
		}
		delivered := d.delivered()
		if len(delivered) != 1 || len(delivered[0].Certificates) != 2 || delivered[0].Card != app.Card || delivered[0].Application != app.ID {
			t.Fatalf("delivered: %+v", delivered)
		}
		serials := map[string]bool{}
		for _, issued := range delivered[0].Certificates {
			c, err := cert.Parse(issued.Certificate)
			must(t, err)
			u := d.authority[issued.Kind]
			if _, err := cert.ValidatePath(t.Context(), c, cert.PathOptions{Anchors: []*x509.Certificate{u.cert}, At: d.Clock.Now()}); err != nil {
				t.Errorf("%s: %v", issued.Kind, err)
			}
			if kind, ok := cert.KindOf(c); !ok || kind != issued.Kind {
				t.Errorf("the %s certificate is of kind %q", issued.Kind, kind)
			}
			if !jitsuin.DateOf(c.NotAfter).LastSecond().Equal(c.NotAfter) || !c.NotAfter.Equal(issued.NotAfter) {
				t.Errorf("valid until %v", c.NotAfter)
			}
			s, ok := cert.SerialOf(c.SerialNumber)
			if _, _, own := d.codecs[issued.Kind].Decode(s); !ok || !own || serials[s.String()] {
				t.Error("the serial number is none of ours, or used twice")
			}
			serials[s.String()] = true
			found, err := cert.Lint(issued.Certificate, cert.Profile(issued.Kind))
			if err != nil || len(found) > 0 {
				t.Errorf("lint: %v %v", found, err)
			}
		}
		if got := parse(t, delivered[0].Certificates[0].Certificate); got != hanako {
			t.Errorf("the certificate says %+v", got)
		}
		events := d.statusEvents()
		if len(events) != 2 || events[0].State != api.StateGood || !serials[events[0].Serial] || events[0].Municipality != asagiri {
			t.Errorf("status: %+v", events)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		w := newWorld(t, url)
		w.withCards(t)
		d := newDesk(t, w)
		person := d.resident(hanako)
		card := d.held(person)
		other := d.resident(hanako)
		kid := d.resident(child())
		kidCard := d.held(kid)
		left := d.resident(hanako)
		leftCard := d.held(left)
		gone := entered(left, hanako)
		gone.Cause, gone.State = jitsuin.CauseMoveOut, jitsuin.Moving
		d.change(gone)
		certified := d.reissue(person, hanako, card, map[jitsuin.CertKind]int{jitsuin.AuthCert: 1})
		if d.apply(certified).State != appDelivered {
			t.Fatal("the first application was refused")
		}
		auth := map[jitsuin.CertKind]int{jitsuin.AuthCert: 2}
		with := func(app api.Application, f func(*api.Application)) api.Application { f(&app); return app }
		weak := with(d.reissue(person, hanako, card, auth), func(a *api.Application) {
			public := slices.Clone(a.PublicKeys[jitsuin.AuthCert])
			public[len(public)-6] &^= 1 // an even modulus: five bytes of exponent follow it
			a.PublicKeys[jitsuin.AuthCert] = public
		})
		for name, try := range map[string]struct {
			app  api.Application
			code string
		}{
			"nobody of that identity":        {d.newCard(jitsuin.NewID(), hanako, jitsuin.AuthCert), refusedResident},
			"moved out":                      {d.reissue(left, hanako, leftCard, auth), refusedResident},
			"on another town's register":     {with(d.newCard(person, hanako, jitsuin.AuthCert), func(a *api.Application) { a.Municipality = yugiri; a.Position = jitsuin.Position{} }), ""},
			"another address on the form":    {d.reissue(person, moved, card, auth), refusedItems},
			"a child's signature":            {d.reissue(kid, child(), kidCard, map[jitsuin.CertKind]int{jitsuin.SignCert: 2}), refusedEntitled},
			"a second authentication":        {d.newCard(person, hanako, jitsuin.AuthCert), refusedInForce},
			"a second, beside a first":       {d.newCard(person, hanako, jitsuin.SignCert, jitsuin.AuthCert), refusedInForce},
			"a weak key":                     {weak, refusedKey},
			"a key certified before":         {d.reissue(other, hanako, d.held(other), map[jitsuin.CertKind]int{jitsuin.AuthCert: 1}), refusedKey},
			"its own key again":              {d.reissue(person, hanako, card, map[jitsuin.CertKind]int{jitsuin.AuthCert: 1}), refusedKey},
			"one key for both":               {d.reissue(person, hanako, card, map[jitsuin.CertKind]int{jitsuin.AuthCert: 2, jitsuin.SignCert: 2}), refusedKey},
			"no key":                         {with(d.reissue(person, hanako, card, auth), func(a *api.Application) { a.PublicKeys = nil }), refusedKey},
			"a key too many":                 {with(d.reissue(person, hanako, card, both), func(a *api.Application) { a.Kinds = a.Kinds[:1] }), refusedKey},
			"a card that is not there":       {d.reissue(person, hanako, jitsuin.NewID(), auth), refusedCard},
			"somebody else's card":           {d.reissue(person, hanako, kidCard, auth), refusedCard},
			"no kind":                        {d.newCard(other, hanako), refusedForm},
			"a kind twice":                   {d.newCard(other, hanako, jitsuin.AuthCert, jitsuin.AuthCert), refusedForm},
			"a kind that does not exist":     {d.newCard(other, hanako, "phone"), refusedForm},
			"a new card that brings its key": {with(d.reissue(other, hanako, "", auth), func(a *api.Application) { a.Type = api.NewCard }), refusedForm},
			"something else":                 {with(d.newCard(other, hanako, jitsuin.AuthCert), func(a *api.Application) { a.Type = "gift" }), refusedForm},
		} {
			before := len(d.refused())
			got := d.apply(try.app)
			if try.code == "" {
				if got.State != appWaiting {
					t.Errorf("%s: %s", name, got.State)
				}
				continue
			}
			refused := d.refused()
			if got.State != appRefused || len(refused) != before+1 || refused[before].Code != try.code || refused[before].Application != try.app.ID || refused[before].Reason == "" {
				t.Errorf("%s: %s, %+v", name, got.State, refused[before:])
			}
			if try.code == refusedItems && !slices.Equal(refused[before].Fields, []string{"address"}) {
				t.Errorf("%s: fields %v", name, refused[before].Fields)
			}
			if n := d.count(`SELECT COUNT(*) FROM certificate WHERE made_for = $1`, string(try.app.ID)) + d.count(`SELECT COUNT(*) FROM card WHERE application = $1`, string(try.app.ID)); n != 0 {
				t.Errorf("%s: the refused application has left something", name)
			}
		}
		if events := d.statusEvents(); len(events) != 1 {
			t.Errorf("status says %+v", events)
		}
	})
}

func TestAnApplicationWaitsForItsPlaceInTheRegister(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	subject := d.resident(hanako)
	card := d.held(subject)
	app := d.reissue(subject, moved, card, both)
	app.Position.N++ // the change of address has been recorded in the town, and not come here
	if got := d.apply(app); got.State != appWaiting {
		t.Fatalf("before its place the application is %s", got.State)
	}
	// A stranger's parked notice does not hold it up, one of the person's own does.
	park := func(who jitsuin.ID, n int) {
		must(t, d.DB.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO feed_parked (source, topic, epoch, n, authority, subject, event, code, message, tries, parked_at, tried_at)
				VALUES ('jukinet:1', 'jlis', 1, $1, 1, $2, $3, 'x', 'x', 1, 1, 1)`, n, string(who), `{"epoch":1,"n":1,"prev":"`+zeros+`","hash":"`+zeros+`","recorded_at":"2026-01-01T00:00:00Z","type":"x","subject":"`+string(who)+`","version":1}`)
			return err
		}))
	}
	park(jitsuin.NewID(), 7)
	park(subject, 8)
	c := entered(subject, moved)
	c.Cause = jitsuin.CauseMoveWithin
	d.change(c)
	must(t, ignoreNotReached(d.issue(t.Context(), app.ID)))
	if got := d.state(app.ID); got.State != appWaiting {
		t.Fatalf("with a parked notice of the person the application is %s", got.State)
	}
	must(t, d.DB.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(`DELETE FROM feed_parked WHERE n = 8`); return err }))
	must(t, d.issue(t.Context(), app.ID))
	if got := d.state(app.ID); got.State != appDelivered {
		t.Fatalf("at its place the application is %s: %+v", got.State, d.refused())
	}
	if got := parse(t, d.delivered()[0].Certificates[0].Certificate); got != moved {
		t.Errorf("the certificate was made from an older record: %+v", got)
	}
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

func ignoreNotReached(err error) error {
	if err == errNotReached {
		return nil
	}
	return err
}

// A change that is recorded between the intent and the storing abandons the intent.
func TestAChangeBetweenIntentAndStoringAbandonsTheIntent(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	subject := d.resident(hanako)
	app := d.reissue(subject, hanako, d.held(subject), both)
	must(t, d.DB.Update(t.Context(), func(tx *store.Tx) error { return takeIn(tx, app, d.Clock.Now()) }))
	must(t, d.checkAndIntend(t.Context(), d.state(app.ID)))
	c := entered(subject, moved)
	c.Cause = jitsuin.CauseMoveWithin
	d.change(c)
	must(t, d.issue(t.Context(), app.ID))
	if got := d.state(app.ID); got.State != appRefused || d.refused()[0].Code != refusedItems {
		t.Fatalf("the application is %s", got.State)
	}
	if len(d.statusEvents()) != 0 || len(d.living(subject)) != 0 {
		t.Error("something of it is visible")
	}
	// Its keys can be certified for the address as it is now; its serial numbers stay unused.
	again := d.reissue(subject, moved, app.Card, both)
	if got := d.apply(again); got.State != appDelivered {
		t.Fatalf("the next application is %s: %+v", got.State, d.refused())
	}
	if n := d.count(`SELECT COUNT(DISTINCT serial) FROM certificate WHERE profile IN ('sign', 'auth')`); n != 4 {
		t.Errorf("%d serial numbers for four intents", n)
	}
}

func TestAReissueSupersedesAndEndsWithTheAuthenticationCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		subject := d.resident(hanako)
		card := d.held(subject)
		if d.apply(d.reissue(subject, hanako, card, both)).State != appDelivered {
			t.Fatal(d.refused())
		}
		first := d.living(subject)
		d.Clock.Set(200 * 24 * time.Hour) // on, past a birthday or not; never into the renewal window
		if got := d.apply(d.reissue(subject, hanako, card, map[jitsuin.CertKind]int{jitsuin.SignCert: 2})); got.State != appDelivered {
			t.Fatal(d.refused())
		}
		second := d.living(subject)
		if second[jitsuin.AuthCert].Serial != first[jitsuin.AuthCert].Serial || second[jitsuin.SignCert].Serial == first[jitsuin.SignCert].Serial {
			t.Fatal("the wrong certificate was replaced")
		}
		if second[jitsuin.SignCert].lastDay().After(first[jitsuin.AuthCert].lastDay()) {
			t.Error("the signature certificate outlives the authentication certificate")
		}
		revoked := sent[api.Revoked](d, api.TopicToTown(asagiri), api.TypeRevoked)
		if len(revoked) != 1 || revoked[0].Reason != jitsuin.ReasonSuperseded || revoked[0].Kind != jitsuin.SignCert {
			t.Errorf("revoked: %+v", revoked)
		}
		events := d.statusEvents()
		if n := len(events); n != 4 || events[2].State != api.StateRevoked || events[2].Serial != first[jitsuin.SignCert].Serial.String() ||
			events[3].State != api.StateGood {
			t.Errorf("status: %+v", events)
		}
	})
}
