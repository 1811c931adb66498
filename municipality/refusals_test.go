package municipality

import (
	"errors"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// refusal is an act that is impossible, and what is said of it.
type refusal struct {
	name  string
	req   api.ChangeRequest
	s     situation
	kind  jitsuin.Kind
	code  string
	field string
}

func refused(t *testing.T, all []refusal) {
	t.Helper()
	for _, c := range all {
		_, err := decide(c.req, c.s)
		e, _ := errors.AsType[*jitsuin.Error](err)
		if e == nil || e.Kind != c.kind || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: got %#v, want %v %q at %q", c.name, err, c.kind, c.code, c.field)
		}
	}
}

// of is an act of today about the person whom the register knows.
func of(c jitsuin.Cause) api.ChangeRequest {
	return api.ChangeRequest{Cause: c, Subject: "aa", OccurredOn: now}
}

var (
	within  = api.ChangeRequest{Cause: jitsuin.CauseMoveWithin, Subject: "aa", OccurredOn: now, Address: "試験県見本市二丁目"}
	newborn = items(func(f *jitsuin.FourItems) { f.BirthDate = now })
)

func TestImpossibleRequestsAreRefused(t *testing.T) {
	t.Parallel()
	arrived := known(jitsuin.Moving)
	arrived.Before.ArrivedAt = "91202"
	withFuture := within
	withFuture.OccurredOn = now.AddDays(1)
	refused(t, []refusal{
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
		{"abroad for a death", func() api.ChangeRequest { r := of(jitsuin.CauseDeath); r.Abroad = true; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "cause"},
		{"an address for a death", func() api.ChangeRequest { r := of(jitsuin.CauseDeath); r.Address = "町"; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "address"},
		{"items for a move", func() api.ChangeRequest { r := within; r.Items = newborn; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "items"},
		{"a household for a death", func() api.ChangeRequest { r := of(jitsuin.CauseDeath); r.Household = "hh"; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "household"},
		{"an unknown household", func() api.ChangeRequest { r := within; r.Household = "xx"; return r }(), known(jitsuin.Present), jitsuin.NotFound, "household-unknown", "household"},
		{"deletion of somebody abroad", of(jitsuin.CauseDeleted), known(jitsuin.Abroad), jitsuin.Conflict, "resident-state", ""},
		{"a standing for a death", func() api.ChangeRequest { r := of(jitsuin.CauseDeath); r.Standing = &api.Standing{}; return r }(), known(jitsuin.Present), jitsuin.Invalid, "not-for-this-cause", "standing"},
	})
}

func TestImpossibleDeparturesAreRefused(t *testing.T) {
	t.Parallel()
	move := func(change func(*api.ChangeRequest)) api.ChangeRequest {
		r := of(jitsuin.CauseMoveOut)
		r.Destination = "91202"
		change(&r)
		return r
	}
	refused(t, []refusal{
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
	})
}

func TestImpossibleEntriesAreRefused(t *testing.T) {
	t.Parallel()
	entry := func(c jitsuin.Cause, f *jitsuin.FourItems) api.ChangeRequest {
		return api.ChangeRequest{Cause: c, OccurredOn: now, Items: f}
	}
	emptyStock, twin := unknown(), unknown()
	emptyStock.Numbers, twin.Twin = nil, true
	in := of(jitsuin.CauseMoveIn)
	in.Address = "試験県見本市二丁目"
	early := in
	early.OccurredOn = on(2026, 11, 9)
	refused(t, []refusal{
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
	})
}

func TestImpossibleAmendmentsAreRefused(t *testing.T) {
	t.Parallel()
	minor := func(rule int, change func(*jitsuin.FourItems)) api.ChangeRequest {
		return api.ChangeRequest{Cause: jitsuin.CauseMinorCorrection, MinorRule: rule, Subject: "aa", OccurredOn: now, Items: items(change)}
	}
	standing := func(s api.Standing) api.ChangeRequest { r := of(jitsuin.CauseAmended); r.Standing = &s; return r }
	name := func(f *jitsuin.FourItems) { f.Name = "試験　花子" }
	noCode := known(jitsuin.Present)
	noCode.Numbers = nil
	refused(t, []refusal{
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
		{"amendment to an unknown stay", standing(api.Standing{Nationality: "BR", Stay: "tourist"}), known(jitsuin.Present), jitsuin.Invalid, "standing", "stay"},
		{"amendment to a stay of a national", standing(api.Standing{Stay: "permanent"}), known(jitsuin.Present), jitsuin.Invalid, "standing", "stay"},
		{"amendment to the same standing", standing(api.Standing{}), known(jitsuin.Present), jitsuin.Conflict, "nothing-changed", "items"},
	})
}
