package municipality

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/municipality/api"
)

func on(y, m, d int) jitsuin.Date { return jitsuin.Date{Year: y, Month: time.Month(m), Day: d} }

var (
	now    = on(2026, 11, 20)
	before = record{Subject: "aa", Household: "hh", MyNumber: "123456789018", ResidentCode: "24727059608", State: jitsuin.Present, Revision: 3, Card: "cc",
		Items: jitsuin.FourItems{Name: "見本　花子", Address: "試験県見本市一丁目", BirthDate: on(1980, 2, 17), Sex: jitsuin.Female}}
	fresh = jukinet.NumberPair{MyNumber: "983205673214", ResidentCode: "24846016224"}
)

// known is the situation in which the register has the person in a state.
func known(state jitsuin.ResidentState) situation {
	b := before
	b.State = state
	if state == jitsuin.Moving {
		b.Destination, b.DepartsOn = "91202", on(2026, 11, 10)
	}
	if state == jitsuin.Abroad {
		b.DepartsOn = on(2026, 11, 10)
	}
	s := unknown()
	s.Before = &b
	return s
}

func unknown() situation {
	return situation{Town: "91201", Today: now, Numbers: &fresh, NewSubject: "new", NewHousehold: "nh",
		IsTown: func(c jitsuin.MunicipalityCode) bool { return c == "91201" || c == "91202" }}
}

func items(change func(*jitsuin.FourItems)) *jitsuin.FourItems {
	f := before.Items
	change(&f)
	return &f
}

func TestEveryActLeadsToItsRecord(t *testing.T) {
	t.Parallel()
	newborn := &jitsuin.FourItems{Name: "見本　一子", Address: "試験県見本市一丁目", BirthDate: on(2026, 11, 18), Sex: jitsuin.Female}
	certificate := &jukinet.Transfer{Subject: "aa", From: "91202", PlannedOn: on(2026, 11, 15), Items: before.Items,
		MyNumber: before.MyNumber, ResidentCode: before.ResidentCode}
	for _, c := range []struct {
		name string
		req  api.ChangeRequest
		s    situation
		want func(r *record) // what differs from before
	}{
		{"birth", api.ChangeRequest{Cause: jitsuin.CauseBirth, OccurredOn: on(2026, 11, 18), Items: newborn, Household: "hh"},
			func() situation { s := unknown(); s.HouseholdExists = true; return s }(),
			func(r *record) {
				*r = record{Subject: "new", Household: "hh", Items: *newborn, State: jitsuin.Present, MyNumber: fresh.MyNumber, ResidentCode: fresh.ResidentCode}
			}},
		{"entered officially", api.ChangeRequest{Cause: jitsuin.CauseEntered, OccurredOn: now, Items: &before.Items}, unknown(),
			func(r *record) {
				*r = record{Subject: "new", Household: "nh", Items: before.Items, State: jitsuin.Present, MyNumber: fresh.MyNumber, ResidentCode: fresh.ResidentCode}
			}},
		{"entered again after an official deletion", api.ChangeRequest{Cause: jitsuin.CauseEntered, Subject: "aa", OccurredOn: now, Items: &before.Items},
			known(jitsuin.Deleted), func(r *record) {}},
		{"move within", api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: "aa", OccurredOn: now, Address: "試験県見本市二丁目"}, known(jitsuin.Present),
			func(r *record) { r.Items.Address = "試験県見本市二丁目" }},
		{"move out, planned", api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: "aa", OccurredOn: on(2026, 11, 30), Destination: "91202"}, known(jitsuin.Present),
			func(r *record) { r.State, r.Destination, r.DepartsOn = jitsuin.Moving, "91202", on(2026, 11, 30) }},
		{"move out, notified late: noted, not refused", api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: "aa", OccurredOn: on(2026, 11, 1), Destination: "91202"}, known(jitsuin.Present),
			func(r *record) { r.State, r.Destination, r.DepartsOn = jitsuin.Moving, "91202", on(2026, 11, 1) }},
		{"abroad", api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: "aa", OccurredOn: now, Abroad: true}, known(jitsuin.Present),
			func(r *record) { r.State, r.DepartsOn = jitsuin.Abroad, now }},
		{"abroad with continued use, asked on the last day", api.ChangeRequest{Cause: jitsuin.CauseMoveOut, Subject: "aa", OccurredOn: on(2026, 11, 21), Abroad: true, ContinuedUse: true},
			known(jitsuin.Present), func(r *record) { r.State, r.DepartsOn, r.ContinuedUse = jitsuin.Abroad, on(2026, 11, 21), true }},
		{"move in with a moving-out certificate", api.ChangeRequest{Cause: jitsuin.CauseMoveIn, Subject: "aa", OccurredOn: now, Address: "試験県見本市三丁目"},
			func() situation { s := unknown(); s.Certificate = certificate; return s }(),
			func(r *record) {
				*r = record{Subject: "aa", Household: "nh", Items: before.Items, State: jitsuin.Present, MyNumber: before.MyNumber, ResidentCode: before.ResidentCode}
				r.Items.Address = "試験県見本市三丁目"
			}},
		{"back from abroad", api.ChangeRequest{Cause: jitsuin.CauseMoveIn, Subject: "aa", OccurredOn: now, Address: "試験県見本市三丁目"}, known(jitsuin.Abroad),
			func(r *record) { r.Household, r.Items.Address = "nh", "試験県見本市三丁目" }},
		{"death", api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: "aa", OccurredOn: now}, known(jitsuin.Present), func(r *record) { r.State = jitsuin.Dead }},
		{"death on the way to another town", api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: "aa", OccurredOn: now}, known(jitsuin.Moving),
			func(r *record) { r.State, r.DepartsOn = jitsuin.Dead, on(2026, 11, 10) }},
		{"official deletion", api.ChangeRequest{Cause: jitsuin.CauseDeleted, Subject: "aa", OccurredOn: now}, known(jitsuin.Present), func(r *record) { r.State = jitsuin.Deleted }},
		{"a new name by marriage", api.ChangeRequest{Cause: jitsuin.CauseAmended, Subject: "aa", OccurredOn: now, Items: items(func(f *jitsuin.FourItems) { f.Name = "試験　花子" })},
			known(jitsuin.Present), func(r *record) { r.Items.Name = "試験　花子" }},
		{"minor correction of the name, case 2", api.ChangeRequest{Cause: jitsuin.CauseMinorCorrection, MinorRule: 2, Subject: "aa", OccurredOn: now,
			Items: items(func(f *jitsuin.FourItems) { f.Name = "見夲　花子" })}, known(jitsuin.Present), func(r *record) { r.Items.Name = "見夲　花子" }},
		{"minor correction of the address, case 5", api.ChangeRequest{Cause: jitsuin.CauseMinorCorrection, MinorRule: 5, Subject: "aa", OccurredOn: now,
			Items: items(func(f *jitsuin.FourItems) { f.Address = "試験県見本市一番一号" })}, known(jitsuin.Present), func(r *record) { r.Items.Address = "試験県見本市一番一号" }},
		{"new resident code", api.ChangeRequest{Cause: jitsuin.CauseCodeRequested, Subject: "aa", OccurredOn: now}, known(jitsuin.Present),
			func(r *record) { r.ResidentCode = fresh.ResidentCode }},
	} {
		want := before
		if c.s.Before != nil {
			c.s.Before.Card = before.Card
		}
		c.want(&want)
		got, err := decide(c.req, c.s)
		if err != nil || got != want {
			t.Errorf("%s: %v\n got %#v\nwant %#v", c.name, err, got, want)
		}
	}
}

// The last day to notify stands in the rules; what is noted is whether today lies after it.
func TestNoticesThatAreDue(t *testing.T) {
	t.Parallel()
	for cause, want := range map[jitsuin.Cause]jitsuin.Date{
		jitsuin.CauseMoveIn: now.AddDays(14), jitsuin.CauseMoveWithin: now.AddDays(14), jitsuin.CauseMoveOut: now.AddDays(-1),
		jitsuin.CauseBirth: now.AddDays(13), jitsuin.CauseDeath: now.AddDays(6), jitsuin.CauseDeleted: {}, jitsuin.CauseAmended: {}} {
		if got := noticeDue(api.ChangeRequest{Cause: cause, OccurredOn: now}); got != want {
			t.Errorf("%s on %s: due %s, want %s", cause, now, got, want)
		}
	}
}
