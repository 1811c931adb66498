package municipality_test

import (
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// foreign makes a resident of an older register a foreign one.
func foreign(r municipality.ImportLine, stay rules.Stay, until jitsuin.Date) municipality.ImportLine {
	r.Nationality, r.Stay, r.StayUntil = "BR", stay, until
	return r
}

// What the register says of wards and stays decides at the counter, and is certified to J-LIS.
func TestWhatTheLawLetsAResidentHave(t *testing.T) {
	t.Parallel()
	soon := today().AddDays(100)
	ward := resident(t, 1, "見本　花子", grown)
	ward.AdultWard = true
	limited := foreign(resident(t, 2, "ＳＡＭＰＬＥ　ＡＮＡ", grown), rules.MidToLongTerm, soon)
	permanent := foreign(resident(t, 3, "ＳＡＭＰＬＥ　ＢＥＡ", grown), rules.Permanent, jitsuin.Date{})
	over := foreign(resident(t, 4, "ＳＡＭＰＬＥ　ＣＩＡ", grown), rules.MidToLongTerm, today().AddDays(-1))
	later := resident(t, 5, "見本　五子", grown)
	w := newWorld(t, storetest.SQLite().Fresh(t), ward, limited, permanent, over, later)
	apply := func(r municipality.ImportLine, kinds ...jitsuin.CertKind) (api.Application, error) {
		return w.counter.Apply(t.Context(), api.NewApplication{Type: api.NewCard, Subject: r.Subject, Items: r.Items, Kinds: kinds, Clerk: clerk}, "")
	}
	_, err := apply(ward, bothKinds...)
	wantError(t, err, jitsuin.Denied, "adult-ward")
	_, err = apply(over, jitsuin.AuthCert)
	wantError(t, err, jitsuin.Expired, "stay-over")
	for _, c := range []struct {
		who   municipality.ImportLine
		kinds []jitsuin.CertKind
		want  jlis.Holder
	}{
		{ward, bothKinds[1:], jlis.Holder{AdultWard: true}},
		{limited, bothKinds, jlis.Holder{Stay: rules.MidToLongTerm, StayUntil: soon}},
		{permanent, bothKinds, jlis.Holder{Stay: rules.Permanent}},
	} {
		a, err := apply(c.who, c.kinds...)
		w.must(err)
		_, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: licence(c.who.Items)})
		w.must(err)
		var told jlis.Application
		eventually(t, "J-LIS is told", func() (ok bool) { told, ok = w.application(a.ID); return ok })
		if told.Holder != c.want {
			t.Errorf("%s: certified %+v, want %+v", c.who.Items.Name, told.Holder, c.want)
		}
	}
	// Who becomes a ward between the application and the check is refused at the check.
	a, err := apply(later, bothKinds...)
	w.must(err)
	change := api.ChangeRequest{Cause: jitsuin.CauseAmended, Subject: later.Subject, OccurredOn: today(), Standing: &api.Standing{AdultWard: true}}
	w.record(change)
	w.refused(change, jitsuin.Conflict, "nothing-changed")
	a, err = w.counter.Check(t.Context(), a.ID, api.Check{Clerk: clerk, Document: licence(later.Items)})
	if err != nil || a.State != api.Refused || a.Code != "adult-ward" {
		t.Errorf("a ward since the application: %+v %v", a, err)
	}
}

// The standing goes with a resident who moves, and the network is told of it for that alone.
func TestTheStandingMovesWithTheResident(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		until := today().AddDays(100)
		ana := foreign(resident(t, 1, "ＳＡＭＰＬＥ　ＡＮＡ", grown), rules.Transitional, until)
		ana.AdultWard = true
		standing := jukinet.Standing{Nationality: "BR", Stay: rules.Transitional, StayUntil: until, AdultWard: true}
		w := newWorld(t, database, ana)
		w.record(api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: ana.Subject, OccurredOn: today(), Destination: otherTown})
		eventually(t, "the network has it", func() bool { return len(w.notices(ana.Subject)) == 2 })
		told := w.notices(ana.Subject)
		if told[0].Standing != (jukinet.Standing{}) || told[1].Standing != standing {
			t.Errorf("the network was told %+v, then %+v", told[0].Standing, told[1].Standing)
		}
		bea := resident(t, 2, "ＳＡＭＰＬＥ　ＢＥＡ", grown)
		w.send(w.network, jukinet.TopicToTown(town), string(bea.Subject), jukinet.TypeTransfer, jukinet.Transfer{Subject: bea.Subject, From: otherTown,
			PlannedOn: today(), Items: bea.Items, MyNumber: bea.MyNumber, ResidentCode: bea.ResidentCode, Standing: standing})
		in := api.ChangeRequest{Cause: jitsuin.CauseMoveIn, Subject: bea.Subject, OccurredOn: today(), Address: "試験県見本市三丁目", Clerk: clerk}
		eventually(t, "she moves in", func() bool { _, err := w.counter.Record(t.Context(), in, ""); return err == nil })
		got, err := w.counter.Resident(t.Context(), bea.Subject)
		w.must(err)
		if got.Standing != api.Standing(standing) {
			t.Errorf("the register has %+v", got.Standing)
		}
	})
}
