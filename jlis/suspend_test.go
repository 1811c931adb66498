package jlis

import (
	"crypto"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
)

// lose reports a loss.
func (d *desk) lose(items jitsuin.FourItems) (api.LostReport, error) {
	d.Helper()
	out, err := d.reportLost(httpapi.WithIdempotencyKey(d.Context(), id()), &lostIn{Body: api.LostCard{Items: items, Cause: "lost"}})
	if err != nil {
		return api.LostReport{}, err
	}
	return out.Body, nil
}

func (d *desk) find(subject jitsuin.ID) (n int) {
	d.Helper()
	must(d, d.DB.Update(d.Context(), func(tx *store.Tx) (err error) {
		n, err = d.resume(tx, subject, "municipality:91201", d.Clock.Now())
		return err
	}))
	return n
}

func TestALostCardIsSuspendedAtOnceAndComesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		subject := d.holder(hanako, 0)
		_, err := d.enrol(d.applied(subject, newTelephone(t, jitsuin.CertKinds[:]...)))
		must(t, err)
		application := d.applied(subject, newTelephone(t, jitsuin.CertKinds[:]...))
		var all []record
		for _, m := range []map[jitsuin.CertKind]record{d.living(subject), d.onPhone(subject)} {
			for _, r := range m {
				all = append(all, r)
			}
		}
		report, err := d.lose(hanako)
		must(t, err)
		for _, r := range all {
			e := d.said(r)
			if state, why := d.ocsp(r); state != cert.Revoked || why != jitsuin.ReasonCertificateHold || e.State != api.StateHeld || !e.HeldAt.Equal(report.At) {
				t.Errorf("%s: %s %s, %+v", r.Profile, state, why, e)
			}
		}
		_, err = d.enrol(application)
		refusedWith(t, "an application with a card that is suspended", err, jitsuin.Invalid, "consent-signature")
		if again, err := d.lose(hanako); err != nil || again.Reference == report.Reference || len(d.statusEvents()) != 8 {
			t.Errorf("reported again: %+v %v, %d events", again, err, len(d.statusEvents()))
		}
		if n := d.find(subject); n != 4 {
			t.Errorf("%d certificates came back", n)
		}
		for _, r := range all {
			if state, _ := d.ocsp(r); state != cert.Good {
				t.Errorf("%s: %s after the card was found", r.Profile, state)
			}
		}
		if n := d.find(subject); n != 0 || len(d.statusEvents()) != 12 {
			t.Errorf("lifted again: %d", n)
		}

		// Lost again and never found: a new start at the counter ends what was suspended, as of the loss.
		lost, err := d.lose(hanako)
		must(t, err)
		d.Clock.Set(36 * time.Hour)
		move := entered(subject, moved)
		move.Cause = jitsuin.CauseMoveWithin
		d.change(move)
		for _, r := range all {
			e := d.said(r)
			switch {
			case r.Kind == jitsuin.AuthCert && e.State != api.StateHeld:
				t.Errorf("%s: %+v", r.Profile, e)
			case r.Kind == jitsuin.SignCert && (e.State != api.StateRevoked || !e.RevokedAt.Equal(lost.At)):
				t.Errorf("%s: ended %+v, suspended at %v", r.Profile, e, lost.At)
			}
		}
		if n := d.find(subject); n != 2 {
			t.Errorf("%d came back; what has ended does not", n)
		}
		for _, r := range all {
			if state, _ := d.ocsp(r); (state == cert.Good) != (r.Kind == jitsuin.AuthCert) {
				t.Errorf("%s: %s in the end", r.Profile, state)
			}
		}
	})
}

// Nobody learns from the answer who is in the register, and nobody tries many people.
func TestAReportTellsNothingAndIsNotForTrying(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	d.holder(hanako, 0)
	d.resident(moved)
	d.resident(moved) // two with the same four items: a person at the desk must look
	stranger := hanako
	stranger.Name = "見知　らぬ人"
	for range 2 {
		for _, items := range []jitsuin.FourItems{stranger, moved} {
			if r, err := d.lose(items); err != nil || len(r.Reference) != 12 || r.At.IsZero() {
				t.Fatalf("%+v %v", r, err)
			}
		}
	}
	if n := d.count(`SELECT COUNT(*) FROM suspension`); n != 0 {
		t.Errorf("%d suspensions of somebody else", n)
	}
	spaced := hanako
	spaced.Name += "  "
	_, err := d.lose(spaced)
	must(t, err)
	if n := d.count(`SELECT COUNT(*) FROM suspension`); n != 2 {
		t.Errorf("%d suspensions", n)
	}
	_, err = d.lose(hanako)
	refusedWith(t, "the sixth within an hour", err, jitsuin.Limited, "reports-many")
	_, err = d.reportLost(t.Context(), &lostIn{Body: api.LostCard{Items: hanako, Cause: "borrowed"}})
	refusedWith(t, "another cause", err, jitsuin.Invalid, "lost-cause")
}

// From where reports came is kept for a day, and so are those that suspended nothing.
func TestReportsAreKeptNoLongerThanTheyAreNeeded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		d.holder(hanako, 0)
		stranger := hanako
		stranger.Name = "見知　らぬ人"
		hit, err := d.lose(hanako)
		must(t, err)
		for _, items := range []jitsuin.FourItems{stranger, hanako} { // nobody's, and a second one, that changed nothing
			_, err := d.lose(items)
			must(t, err)
		}
		count := func(where string) int { return d.count(`SELECT COUNT(*) FROM lost_report WHERE ` + where) }
		must(t, d.forgetReports(t.Context(), time.Now().Add(-time.Minute)))
		if count(`source <> ''`) != 3 {
			t.Error("forgotten within their time")
		}
		for range 2 {
			must(t, d.forgetReports(t.Context(), time.Now().Add(time.Minute)))
			if all, own := count(`1 = 1`), count(`reference = '`+hit.Reference+`' AND source = ''`); all != 1 || own != 1 {
				t.Errorf("%d reports are left, %d of them the one that suspended", all, own)
			}
		}
		if n := d.count(`SELECT COUNT(*) FROM suspension WHERE released_at = 0`); n != 2 {
			t.Errorf("%d suspensions", n)
		}
	})
}

// Only the town on whose register the person stands lifts a suspension, and a holder's call does not.
func TestASuspensionIsLiftedAtTheOwnTownsCounterOnly(t *testing.T) {
	t.Parallel()
	c := newCountry(t, storetest.SQLite().Fresh(t))
	subject, _ := c.reissued(hanako, 0)
	public := api.Client{Remote: c.as("service:x", "jlis:1")}
	_, err := public.ReportLost(t.Context(), id(), api.LostCard{Items: hanako, Cause: "stolen"})
	must(t, err)
	for as, want := range map[string]string{"municipality:91202": "person-unknown", "platform:1": "role", "service:x": "role"} {
		_, err := api.Client{Remote: c.as(as, "jlis:1")}.Resume(t.Context(), id(), api.Resumption{Subject: subject})
		if err == nil || want != "role" && jitsuin.CodeOf(err) != want || want == "role" && jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("%s: %v", as, err)
		}
	}
	town, key := api.Client{Remote: c.as("municipality:91201", "jlis:1")}, id()
	for range 2 {
		if got, err := town.Resume(t.Context(), key, api.Resumption{Subject: subject}); err != nil || got.Certificates != 2 {
			t.Errorf("at the counter: %+v %v", got, err)
		}
	}
}

// Whatever happens in whatever order: nobody has two telephones, and nothing on a telephone is better off than the card.
func TestATelephoneIsNeverBetterOffThanTheCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite().Fresh(t))
	w.config.LostReports = 1000
	d := newDesk(t, w)
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 1))
	subject, items := d.holder(hanako, 0), hanako
	card := d.heldBy(subject)
	signKey := crypto.Signer(sharedKeys(t).resident[0])
	enrolled := 0
	for step := 0; step < 60 || enrolled == 0 && step < 1000; step++ { // sixty steps in which she is always out of luck come now and then
		switch dice.IntN(7) {
		case 0, 1:
			if has, ok := d.living(subject)[jitsuin.SignCert]; ok {
				p := newTelephone(t, jitsuin.CertKinds[:]...)
				if _, err := d.enrol(p.applies(t, has, signKey, d.Clock.Now())); err == nil { // refused while suspended, or with a certificate less
					enrolled++
				}
			}
		case 2:
			_, err := d.lose(items)
			must(t, err)
		case 3:
			d.find(subject)
		case 4:
			items.Address = []string{hanako.Address, moved.Address}[dice.IntN(2)]
			move := entered(subject, items)
			move.Cause, move.RequestID = jitsuin.CauseMoveWithin, id()
			d.change(move)
		case 5, 6:
			if _, has := d.living(subject)[jitsuin.SignCert]; has {
				continue
			}
			again := newTelephone(t, jitsuin.SignCert) // for the card this time
			app := d.newCard(subject, items, jitsuin.SignCert)
			app.Type, app.Card, app.PublicKeys = api.Reissue, card, again.public(t)
			if d.apply(app).State == appDelivered {
				signKey = again[jitsuin.SignCert]
			}
		}
		d.notBetterOff(step, seed, subject)
	}
	if enrolled == 0 {
		t.Errorf("seed %d: no telephone was ever enrolled", seed)
	}
}

func (d *desk) heldBy(subject jitsuin.ID) (card jitsuin.ID) {
	d.Helper()
	d.view(func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT id FROM card WHERE subject = $1`, string(subject)).Scan(&card)
	})
	return card
}

func (d *desk) notBetterOff(step int, seed uint64, subject jitsuin.ID) {
	d.Helper()
	onCard, phone := d.living(subject), d.onPhone(subject)
	applications := map[string]bool{}
	for kind, r := range phone {
		applications[r.MadeFor] = true
		on, has := onCard[kind]
		if !has || !on.NotAfter.Equal(r.NotAfter) {
			d.Fatalf("seed %d, step %d: %s is in force on the telephone beside a dead or other one on the card", seed, step, kind)
		}
		if state, _ := d.ocsp(on); state == cert.Revoked {
			if state, _ := d.ocsp(r); state == cert.Good {
				d.Fatalf("seed %d, step %d: %s is good on the telephone while the card's is suspended", seed, step, kind)
			}
		}
	}
	if len(applications) > 1 {
		d.Fatalf("seed %d, step %d: certificates on two telephones", seed, step)
	}
}
