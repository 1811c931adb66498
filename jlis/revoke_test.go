package jlis

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jlis/api"
)

// holder enters somebody with both certificates, the n-th pair of keys.
func (d *desk) holder(items jitsuin.FourItems, n int) jitsuin.ID {
	d.Helper()
	subject := d.resident(items)
	app := d.reissue(subject, items, d.held(subject), map[jitsuin.CertKind]int{jitsuin.SignCert: 2 * n, jitsuin.AuthCert: 2*n + 1})
	if got := d.apply(app); got.State != appDelivered {
		d.Fatalf("%s: %+v", got.State, d.refused())
	}
	return subject
}

func TestWhatEachChangeEnds(t *testing.T) {
	t.Parallel()
	renamed, minor := hanako, hanako
	renamed.Name = "朝霧　花子"
	minor.Address = "霞県朝霧市見本町１－２－３"
	today := jitsuin.DateOf(time.Now())
	aff, ces := jitsuin.ReasonAffiliationChanged, jitsuin.ReasonCessationOfOperation
	for name, try := range map[string]struct {
		change     func(*jitsuin.Change)
		sign, auth jitsuin.RevocationReason // "" stays
		later      bool                     // on the day of departure, not now
	}{
		"a move within the town": {func(c *jitsuin.Change) { c.Cause, c.Items = jitsuin.CauseMoveWithin, moved }, aff, "", false},
		"a new name":             {func(c *jitsuin.Change) { c.Cause, c.Items = jitsuin.CauseAmended, renamed }, aff, "", false},
		"a minor correction":     {func(c *jitsuin.Change) { c.Cause, c.MinorRule, c.Items = jitsuin.CauseMinorCorrection, 5, minor }, "", "", false},
		"a move out, on its way": {func(c *jitsuin.Change) { c.Cause, c.State = jitsuin.CauseMoveOut, jitsuin.Moving }, "", "", false},
		"a move in elsewhere": {func(c *jitsuin.Change) {
			c.Cause, c.Municipality, c.Items = jitsuin.CauseMoveIn, yugiri, moved
		}, aff, "", false},
		"death":      {func(c *jitsuin.Change) { c.Cause, c.State = jitsuin.CauseDeath, jitsuin.Dead }, ces, ces, false},
		"deletion":   {func(c *jitsuin.Change) { c.Cause, c.State = jitsuin.CauseDeleted, jitsuin.Deleted }, ces, ces, false},
		"a new code": {func(c *jitsuin.Change) { c.Cause = jitsuin.CauseCodeRequested }, ces, ces, false},
		"departure today": {func(c *jitsuin.Change) {
			c.Cause, c.State, c.OccurredOn = jitsuin.CauseMoveOut, jitsuin.Abroad, today
		}, ces, ces, false},
		"departure in ten days": {func(c *jitsuin.Change) {
			c.Cause, c.State, c.OccurredOn = jitsuin.CauseMoveOut, jitsuin.Abroad, today.AddDays(10)
		}, ces, ces, true},
		"departure in ten days with the card in use": {func(c *jitsuin.Change) {
			c.Cause, c.State, c.OccurredOn, c.ContinuedUse = jitsuin.CauseMoveOut, jitsuin.Abroad, today.AddDays(10), true
		}, aff, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
			subject := d.holder(hanako, 0)
			had := d.living(subject)
			c := entered(subject, hanako)
			try.change(&c)
			d.change(c)
			moment := d.Clock.Now()
			if try.later {
				if n := len(d.living(subject)); n != 2 {
					t.Fatalf("%d certificates before the day", n)
				}
				day := today.AddDays(10)
				must(t, d.fireRevocations(t.Context(), day.Start().Add(-time.Second)))
				if n := len(d.living(subject)); n != 2 {
					t.Fatalf("%d certificates a second before the day", n)
				}
				moment = day.Start()
				must(t, d.fireRevocations(t.Context(), moment))
				must(t, d.fireRevocations(t.Context(), moment.Add(time.Hour)))
			}
			living := d.living(subject)
			revoked := map[jitsuin.CertKind]api.Revoked{}
			for _, r := range sent[api.Revoked](d, api.TopicToTown(c.Municipality), api.TypeRevoked) {
				revoked[r.Kind] = r
			}
			for kind, want := range map[jitsuin.CertKind]jitsuin.RevocationReason{jitsuin.SignCert: try.sign, jitsuin.AuthCert: try.auth} {
				_, lives := living[kind]
				if lives != (want == "") || revoked[kind].Reason != want {
					t.Errorf("%s: lives %v, told %+v, want %q", kind, lives, revoked[kind], want)
				}
				if n := d.count(`SELECT COUNT(*) FROM revocation WHERE kind = $1 AND serial = $2`, string(kind), had[kind].Serial.String()); n != len(want)/max(len(want), 1) {
					t.Errorf("%s: %d revocations", kind, n)
				}
				if at := revoked[kind].EffectiveAt; want != "" && (at.After(moment) || moment.Sub(at) > time.Minute) {
					t.Errorf("%s: revoked at %v, not at %v", kind, at, moment)
				}
			}
		})
	}
}

func TestADepartureThatIsCalledOffEndsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	subject := d.holder(hanako, 0)
	day := jitsuin.DateOf(time.Now()).AddDays(10)
	leaving := entered(subject, hanako)
	leaving.Cause, leaving.State, leaving.OccurredOn = jitsuin.CauseMoveOut, jitsuin.Abroad, day
	d.change(leaving)
	amended := leaving // while still leaving, an amendment changes nothing of the plan
	amended.Cause, amended.OccurredOn = jitsuin.CauseMinorCorrection, jitsuin.DateOf(time.Now())
	amended.MinorRule = 1
	d.change(amended)
	if n := d.count(`SELECT COUNT(*) FROM revocation_due`); n != 2 {
		t.Fatalf("%d plans", n)
	}
	stays := entered(subject, hanako)
	stays.RequestID = "an act of its own" // an entry without one is that of the older register, which came before
	d.change(stays)
	must(t, d.fireRevocations(t.Context(), day.Start().AddDate(1, 0, 0)))
	if n := len(d.living(subject)); n != 2 {
		t.Errorf("%d certificates are left", n)
	}
}

// A planned revocation has effect from its day, however late it was recorded; both times are kept
// and told, and status says the first.
func TestBothTimesOfARevocationAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		subject := d.holder(hanako, 0)
		had := d.living(subject)
		c := entered(subject, hanako)
		c.Cause, c.State, c.OccurredOn = jitsuin.CauseMoveOut, jitsuin.Abroad, c.OccurredOn.AddDays(10)
		d.change(c)
		effective := c.OccurredOn.Start()
		late := effective.Add(7 * time.Hour) // the Agency stood still at midnight
		must(t, d.fireRevocations(t.Context(), late))
		for _, r := range had {
			var from, at int64
			d.view(func(tx *store.Tx) error {
				return tx.QueryRow(`SELECT effective_at, recorded_at FROM revocation WHERE kind = $1 AND serial = $2`, string(r.Kind), r.Serial.String()).Scan(&from, &at)
			})
			if !store.Time(from).Equal(effective) || !store.Time(at).Equal(late) {
				t.Errorf("%s: effective at %v, recorded at %v", r.Kind, store.Time(from), store.Time(at))
			}
		}
		told := sent[api.Revoked](d, api.TopicToTown(asagiri), api.TypeRevoked)
		for _, r := range told {
			if !r.EffectiveAt.Equal(effective) || !r.RecordedAt.Equal(late) {
				t.Errorf("told %+v", r)
			}
		}
		events := d.statusEvents()
		if len(told) != 2 || len(events) != 4 || !events[2].RevokedAt.Equal(effective) || !events[3].RevokedAt.Equal(effective) {
			t.Errorf("%d told; status: %+v", len(told), events)
		}
	})
}

func TestAChangeOfAnUnknownPersonIsNotLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t, newWorld(t, storetest.SQLite().Fresh(t)))
	c := entered(jitsuin.NewID(), hanako)
	for _, cause := range []jitsuin.Cause{jitsuin.CauseMoveWithin, jitsuin.CauseDeath, jitsuin.CauseMoveOut, jitsuin.CauseCodeOfficial} {
		c.Cause = cause
		if err := d.tryChange(c); jitsuin.KindOf(err) != jitsuin.NotFound { // NotFound parks the event and raises an alarm
			t.Errorf("%s: %v", cause, err)
		}
	}
	if n := d.count(`SELECT COUNT(*) FROM person`) + d.count(`SELECT COUNT(*) FROM town_mark`); n != 0 {
		t.Error("it left something")
	}
}

func TestTheSchemaTakesOneRevocationPerCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		d := newDesk(t, newWorld(t, url))
		subject := d.holder(hanako, 0)
		r := d.living(subject)[jitsuin.SignCert]
		why := revocation{At: d.Clock.Now(), Recorded: d.Clock.Now(), Reason: jitsuin.ReasonKeyCompromise, Cause: "test", Town: asagiri}
		once := func() error {
			return d.DB.Update(t.Context(), func(tx *store.Tx) error { return d.revoke(tx, r, why) })
		}
		must(t, once())
		if err := once(); !store.IsDuplicate(err) {
			t.Errorf("a second revocation: %v", err)
		}
		if n := len(d.statusEvents()); n != 3 {
			t.Errorf("%d status events", n)
		}
	})
}
