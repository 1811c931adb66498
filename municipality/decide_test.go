package municipality

import (
	"errors"
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

func TestImpossibleActsAreRefused(t *testing.T) {
	minor := func(rule int, change func(*jitsuin.FourItems)) api.ChangeRequest {
		return api.ChangeRequest{Cause: jitsuin.CauseMinorCorrection, MinorRule: rule, Subject: "aa", OccurredOn: now, Items: items(change)}
	}
	name := func(f *jitsuin.FourItems) { f.Name = "試験　花子" }
	type refusal struct {
		name  string
		req   api.ChangeRequest
		s     situation
		kind  jitsuin.Kind
		code  string
		field string
	}
	of := func(c jitsuin.Cause) api.ChangeRequest {
		return api.ChangeRequest{Cause: c, Subject: "aa", OccurredOn: now, Destination: "", Address: ""}
	}
	move := func(change func(*api.ChangeRequest)) api.ChangeRequest {
		r := of(jitsuin.CauseMoveOut)
		r.Destination = "91202"
		change(&r)
		return r
	}
	entry := func(c jitsuin.Cause, f *jitsuin.FourItems) api.ChangeRequest {
		return api.ChangeRequest{Cause: c, OccurredOn: now, Items: f}
	}
	arrived := known(jitsuin.Moving)
	arrived.Before.ArrivedAt = "91202"
	emptyStock := unknown()
	emptyStock.Numbers = nil
	noCode := known(jitsuin.Present)
	noCode.Numbers = nil
	twin := unknown()
	twin.Twin = true
	within := of(jitsuin.CauseMoveWithin)
	within.Address = "試験県見本市二丁目"
	in := of(jitsuin.CauseMoveIn)
	in.Address = "試験県見本市二丁目"
	early := in
	early.OccurredOn = on(2026, 11, 9)
	withFuture := within
	withFuture.OccurredOn = now.AddDays(1)
	newborn := items(func(f *jitsuin.FourItems) { f.BirthDate = now })
	for _, c := range []refusal{
		{"unknown cause", of("vanished"), known(jitsuin.Present), jitsuin.Invalid, "cause-unknown", "cause"},
		{"no day", api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: "aa"}, known(jitsuin.Present), jitsuin.Invalid, "date-missing", "occurred_on"},
		{"a move of tomorrow", withFuture, known(jitsuin.Present), jitsuin.Invalid, "date-in-future", "occurred_on"},
		{"a death before birth", api.ChangeRequest{Cause: jitsuin.CauseDeath, Subject: "aa", OccurredOn: on(1979, 1, 1)}, known(jitsuin.Present), jitsuin.Invalid, "date-before-birth", "occurred_on"},
		{"nobody named", api.ChangeRequest{Cause: jitsuin.CauseDeath, OccurredOn: now}, unknown(), jitsuin.Invalid, "subject-missing", "subject"},
		{"somebody unknown", of(jitsuin.CauseDeath), unknown(), jitsuin.NotFound, "resident-unknown", "subject"},
		{"death of the dead", of(jitsuin.CauseDeath), known(jitsuin.Dead), jitsuin.Conflict, "resident-state", ""},
		{"death of somebody entered elsewhere", of(jitsuin.CauseDeath), arrived, jitsuin.Conflict, "entered-elsewhere", ""},
		{"move within of somebody abroad", within, known(jitsuin.Abroad), jitsuin.Conflict, "resident-state", ""},
		{"move within without an address", of(jitsuin.CauseMoveWithin), known(jitsuin.Present), jitsuin.Invalid, "address-missing", "address"},
		{"move to the same address", func() api.ChangeRequest { r := within; r.Address = before.Items.Address; return r }(), known(jitsuin.Present), jitsuin.Conflict, "nothing-changed", "address"},
		{"move out twice", move(func(*api.ChangeRequest) {}), known(jitsuin.Moving), jitsuin.Conflict, "resident-state", ""},
		{"move out of the dead", move(func(*api.ChangeRequest) {}), known(jitsuin.Dead), jitsuin.Conflict, "resident-state", ""},
		{"move out to nowhere", move(func(r *api.ChangeRequest) { r.Destination = "" }), known(jitsuin.Present), jitsuin.Invalid, "destination", "destination"},
		{"move out abroad and to a town", move(func(r *api.ChangeRequest) { r.Abroad = true }), known(jitsuin.Present), jitsuin.Invalid, "destination", "destination"},
		{"move out to the same town", move(func(r *api.ChangeRequest) { r.Destination = "91201" }), known(jitsuin.Present), jitsuin.Invalid, "destination", "destination"},
		{"move out to no town", move(func(r *api.ChangeRequest) { r.Destination = "99999" }), known(jitsuin.Present), jitsuin.Invalid, "destination", "destination"},
		{"continued use within the country", move(func(r *api.ChangeRequest) { r.ContinuedUse = true }), known(jitsuin.Present), jitsuin.Invalid, "continued-use", "continued_use"},
		{"continued use asked for on the day of departure", move(func(r *api.ChangeRequest) { r.Destination, r.Abroad, r.ContinuedUse = "", true, true }), known(jitsuin.Present), jitsuin.Expired, "continued-use-late", "continued_use"},
		{"continued use before there was any", move(func(r *api.ChangeRequest) {
			r.Destination, r.Abroad, r.ContinuedUse, r.OccurredOn = "", true, true, on(2024, 5, 26)
		}), known(jitsuin.Present), jitsuin.Invalid, "continued-use-too-early", "continued_use"},
		{"abroad for a death", func() api.ChangeRequest { r := of(jitsuin.CauseDeath); r.Abroad = true; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "cause"},
		{"an address for a death", func() api.ChangeRequest { r := of(jitsuin.CauseDeath); r.Address = "町"; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "address"},
		{"items for a move", func() api.ChangeRequest { r := within; r.Items = newborn; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "items"},
		{"a household for a death", func() api.ChangeRequest { r := of(jitsuin.CauseDeath); r.Household = "hh"; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "household"},
		{"an unknown household", func() api.ChangeRequest { r := within; r.Household = "xx"; return r }(), known(jitsuin.Present), jitsuin.NotFound, "household-unknown", "household"},
		{"move in without a certificate", in, unknown(), jitsuin.Conflict, "moving-certificate-missing", ""},
		{"move in of somebody on the way elsewhere", in, known(jitsuin.Moving), jitsuin.Conflict, "moving-certificate-missing", ""},
		{"move in of a resident", in, known(jitsuin.Present), jitsuin.Conflict, "already-resident", "subject"},
		{"move in of the dead", in, known(jitsuin.Dead), jitsuin.Conflict, "resident-state", ""},
		{"move in without an address", of(jitsuin.CauseMoveIn), known(jitsuin.Abroad), jitsuin.Invalid, "address-missing", "address"},
		{"back before the departure", early, known(jitsuin.Abroad), jitsuin.Invalid, "date-before-departure", "occurred_on"},
		{"move in of nobody", api.ChangeRequest{Cause: jitsuin.CauseMoveIn, OccurredOn: now, Address: "町"}, unknown(), jitsuin.Invalid, "subject-missing", "subject"},
		{"birth on another day", entry(jitsuin.CauseBirth, items(func(f *jitsuin.FourItems) { f.BirthDate = now.AddDays(-1) })), unknown(), jitsuin.Invalid, "birth-date", "occurred_on"},
		{"birth of a resident", func() api.ChangeRequest { r := entry(jitsuin.CauseBirth, newborn); r.Subject = "aa"; return r }(), known(jitsuin.Present), jitsuin.Invalid, "subject-given", "subject"},
		{"birth without items", entry(jitsuin.CauseBirth, nil), unknown(), jitsuin.Invalid, "items-missing", "items"},
		{"birth without a name", entry(jitsuin.CauseBirth, items(func(f *jitsuin.FourItems) { f.Name = " " })), unknown(), jitsuin.Invalid, "four-items", "name"},
		{"a birth without numbers in stock", entry(jitsuin.CauseBirth, newborn), emptyStock, jitsuin.Unavailable, "numbers-exhausted", ""},
		{"an entry of somebody who is there", entry(jitsuin.CauseEntered, &before.Items), twin, jitsuin.Conflict, "resident-exists", "items"},
		{"an official entry of a resident", func() api.ChangeRequest { r := entry(jitsuin.CauseEntered, &before.Items); r.Subject = "aa"; return r }(), known(jitsuin.Present), jitsuin.Conflict, "resident-state", ""},
		{"deletion of somebody abroad", of(jitsuin.CauseDeleted), known(jitsuin.Abroad), jitsuin.Conflict, "resident-state", ""},
		{"amendment of nothing", api.ChangeRequest{Cause: jitsuin.CauseAmended, Subject: "aa", OccurredOn: now, Items: &before.Items}, known(jitsuin.Present), jitsuin.Conflict, "nothing-changed", "items"},
		{"amendment of the dead", api.ChangeRequest{Cause: jitsuin.CauseAmended, Subject: "aa", OccurredOn: now, Items: items(name)}, known(jitsuin.Dead), jitsuin.Conflict, "resident-state", ""},
		{"amendment without items", of(jitsuin.CauseAmended), known(jitsuin.Present), jitsuin.Invalid, "items-missing", "items"},
		{"minor correction of no case", minor(0, name), known(jitsuin.Present), jitsuin.Invalid, "minor-rule", "minor_rule"},
		{"minor correction of case 8", minor(8, name), known(jitsuin.Present), jitsuin.Invalid, "minor-rule", "minor_rule"},
		{"minor correction of a name in a case for addresses", minor(5, name), known(jitsuin.Present), jitsuin.Invalid, "minor-correction-items", "name"},
		{"minor correction of the date of birth", minor(1, func(f *jitsuin.FourItems) { f.BirthDate = on(1980, 2, 18) }), known(jitsuin.Present), jitsuin.Invalid, "minor-correction-items", "birth_date"},
		{"a case of minor correction for an amendment", func() api.ChangeRequest {
			r := minor(1, name)
			r.Cause = jitsuin.CauseAmended
			return r
		}(), known(jitsuin.Present), jitsuin.Invalid, "minor-rule", "minor_rule"},
		{"a new code without one in stock", of(jitsuin.CauseCodeOfficial), noCode, jitsuin.Unavailable, "numbers-exhausted", ""},
		{"a new code for somebody abroad", of(jitsuin.CauseCodeOfficial), known(jitsuin.Abroad), jitsuin.Conflict, "resident-state", ""},
	} {
		_, err := decide(c.req, c.s)
		e, _ := errors.AsType[*jitsuin.Error](err)
		if e == nil || e.Kind != c.kind || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: got %#v, want %v %q at %q", c.name, err, c.kind, c.code, c.field)
		}
	}
}

// The last day to notify stands in the rules; what is noted is whether today lies after it.
func TestNoticesThatAreDue(t *testing.T) {
	for cause, want := range map[jitsuin.Cause]jitsuin.Date{
		jitsuin.CauseMoveIn: now.AddDays(14), jitsuin.CauseMoveWithin: now.AddDays(14), jitsuin.CauseMoveOut: now.AddDays(-1),
		jitsuin.CauseBirth: now.AddDays(13), jitsuin.CauseDeath: now.AddDays(6), jitsuin.CauseDeleted: {}, jitsuin.CauseAmended: {}} {
		if got := noticeDue(api.ChangeRequest{Cause: cause, OccurredOn: now}); got != want {
			t.Errorf("%s on %s: due %s, want %s", cause, now, got, want)
		}
	}
}
