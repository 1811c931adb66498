package jukinet

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/jukinet/api"
)

func day(y, m, d int) jitsuin.Date { return jitsuin.Date{Year: y, Month: time.Month(m), Day: d} }

var hanako = api.Notice{MyNumber: "123456789018", ResidentCode: "24727059608", Change: jitsuin.Change{Subject: "aa", Cause: jitsuin.CauseEntered,
	OccurredOn: day(2026, 11, 20), Municipality: "91201", State: jitsuin.Present,
	Items: jitsuin.FourItems{Name: "見本　花子", Address: "試験県見本市一丁目", BirthDate: day(1980, 2, 17), Sex: jitsuin.Female}}}

// notice is a notice about the person by a town.
func notice(town jitsuin.MunicipalityCode, c jitsuin.Cause, s jitsuin.ResidentState, change ...func(*api.Notice)) api.Notice {
	n := hanako
	n.Municipality, n.Cause, n.State = town, c, s
	for _, f := range change {
		f(&n)
	}
	return n
}

func to(town jitsuin.MunicipalityCode) func(*api.Notice) {
	return func(n *api.Notice) { n.Destination = town }
}
func addressed(n *api.Notice) { n.Items.Address = "試験県別市" }
func recoded(n *api.Notice)   { n.ResidentCode = "24846016224" }

func at(town jitsuin.MunicipalityCode, s jitsuin.ResidentState, destination ...jitsuin.MunicipalityCode) *person {
	p := of(hanako)
	p.Municipality, p.State = town, s
	for _, d := range destination {
		p.Destination = d
	}
	return &p
}

func TestNoticesThatFollowOnTheRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n      api.Notice
		before *person
	}{
		"first entry":          {hanako, nil},
		"birth":                {notice("91201", jitsuin.CauseBirth, jitsuin.Present), nil},
		"entry after deletion": {hanako, at("91201", jitsuin.Deleted)},
		"move within":          {notice("91201", jitsuin.CauseMoveWithin, jitsuin.Present, addressed), at("91201", jitsuin.Present)},
		"move out":             {notice("91201", jitsuin.CauseMoveOut, jitsuin.Moving, to("91202")), at("91201", jitsuin.Present)},
		"move in":              {notice("91202", jitsuin.CauseMoveIn, jitsuin.Present, addressed), at("91201", jitsuin.Moving, "91202")},
		"abroad":               {notice("91201", jitsuin.CauseMoveOut, jitsuin.Abroad), at("91201", jitsuin.Present)},
		"back":                 {notice("91201", jitsuin.CauseMoveIn, jitsuin.Present), at("91201", jitsuin.Abroad)},
		"death":                {notice("91201", jitsuin.CauseDeath, jitsuin.Dead), at("91201", jitsuin.Present)},
		"death on the way":     {notice("91201", jitsuin.CauseDeath, jitsuin.Dead), at("91201", jitsuin.Moving, "91202")},
		"amended abroad":       {notice("91201", jitsuin.CauseAmended, jitsuin.Abroad, addressed), at("91201", jitsuin.Abroad)},
		"minor": {notice("91201", jitsuin.CauseMinorCorrection, jitsuin.Present, addressed, func(n *api.Notice) { n.MinorRule = 5 }),
			at("91201", jitsuin.Present)},
		"new code": {notice("91201", jitsuin.CauseCodeRequested, jitsuin.Present, recoded), at("91201", jitsuin.Present)},
	} {
		if err := checkNotice(c.n.Municipality, c.n, c.before); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoticesThatContradictTheRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		town   jitsuin.MunicipalityCode
		n      api.Notice
		before *person
		kind   jitsuin.Kind
		code   string
	}{
		"a move of somebody unknown":      {"91201", notice("91201", jitsuin.CauseMoveWithin, jitsuin.Present), nil, jitsuin.NotFound, "person-unknown"},
		"an arrival of somebody unknown":  {"91202", notice("91202", jitsuin.CauseMoveIn, jitsuin.Present), nil, jitsuin.NotFound, "person-unknown"},
		"a death of somebody unknown":     {"91201", notice("91201", jitsuin.CauseDeath, jitsuin.Dead), nil, jitsuin.NotFound, "person-unknown"},
		"a town that speaks for another":  {"91202", hanako, nil, jitsuin.Denied, "not-this-town"},
		"a town that does not hold":       {"91202", notice("91202", jitsuin.CauseDeath, jitsuin.Dead), at("91201", jitsuin.Present), jitsuin.Conflict, "not-held-here"},
		"the old town after the arrival":  {"91201", notice("91201", jitsuin.CauseDeath, jitsuin.Dead), at("91202", jitsuin.Present), jitsuin.Conflict, "not-held-here"},
		"an arrival before the departure": {"91202", notice("91202", jitsuin.CauseMoveIn, jitsuin.Present), at("91201", jitsuin.Present), jitsuin.Conflict, "departure-missing"},
		"an arrival on another's way":     {"91203", notice("91203", jitsuin.CauseMoveIn, jitsuin.Present), at("91201", jitsuin.Moving, "91202"), jitsuin.Conflict, "departure-missing"},
		"an arrival of the dead":          {"91202", notice("91202", jitsuin.CauseMoveIn, jitsuin.Present), at("91201", jitsuin.Dead), jitsuin.Conflict, "person-state"},
		"an arrival of a resident":        {"91201", notice("91201", jitsuin.CauseMoveIn, jitsuin.Present), at("91201", jitsuin.Present), jitsuin.Conflict, "person-state"},
		"an entry of a resident":          {"91201", hanako, at("91201", jitsuin.Present), jitsuin.Conflict, "person-state"},
		"an entry of another's resident":  {"91202", notice("91202", jitsuin.CauseEntered, jitsuin.Present), at("91201", jitsuin.Present), jitsuin.Conflict, "not-held-here"},
		"a birth of a resident":           {"91201", notice("91201", jitsuin.CauseBirth, jitsuin.Present), at("91201", jitsuin.Present), jitsuin.Invalid, "birth-recorded"},
		"a departure of somebody abroad":  {"91201", notice("91201", jitsuin.CauseMoveOut, jitsuin.Moving, to("91202")), at("91201", jitsuin.Abroad), jitsuin.Conflict, "person-state"},
		"a departure to nowhere":          {"91201", notice("91201", jitsuin.CauseMoveOut, jitsuin.Moving), at("91201", jitsuin.Present), jitsuin.Invalid, "destination"},
		"a death with a destination":      {"91201", notice("91201", jitsuin.CauseDeath, jitsuin.Dead, to("91202")), at("91201", jitsuin.Present), jitsuin.Invalid, "destination"},
		"two deaths":                      {"91201", notice("91201", jitsuin.CauseDeath, jitsuin.Dead), at("91201", jitsuin.Dead), jitsuin.Conflict, "person-state"},
		"a state that the cause has not":  {"91201", notice("91201", jitsuin.CauseDeath, jitsuin.Present), at("91201", jitsuin.Present), jitsuin.Invalid, "state-and-cause"},
		"a wrong My Number":               {"91201", notice("91201", jitsuin.CauseEntered, jitsuin.Present, func(n *api.Notice) { n.MyNumber = "123456789012" }), nil, jitsuin.Invalid, "my-number-check"},
		"a wrong resident code":           {"91201", notice("91201", jitsuin.CauseEntered, jitsuin.Present, func(n *api.Notice) { n.ResidentCode = "24727059607" }), nil, jitsuin.Invalid, "resident-code-check"},
		"another My Number":               {"91201", notice("91201", jitsuin.CauseMoveWithin, jitsuin.Present, func(n *api.Notice) { n.MyNumber = "983205673214" }), at("91201", jitsuin.Present), jitsuin.Conflict, "my-number-differs"},
		"another code by a move":          {"91201", notice("91201", jitsuin.CauseMoveWithin, jitsuin.Present, recoded), at("91201", jitsuin.Present), jitsuin.Conflict, "resident-code-differs"},
		"a change of code to itself":      {"91201", notice("91201", jitsuin.CauseCodeOfficial, jitsuin.Present), at("91201", jitsuin.Present), jitsuin.Conflict, "resident-code-differs"},
		"a minor correction of birth": {"91201", notice("91201", jitsuin.CauseMinorCorrection, jitsuin.Present, func(n *api.Notice) { n.MinorRule, n.Items.BirthDate = 1, day(1980, 2, 18) }),
			at("91201", jitsuin.Present), jitsuin.Invalid, "minor-correction-items"},
		"no name": {"91201", notice("91201", jitsuin.CauseEntered, jitsuin.Present, func(n *api.Notice) { n.Items.Name = "" }), nil, jitsuin.Invalid, "four-items"},
	} {
		err := checkNotice(c.town, c.n, c.before)
		if err == nil || jitsuin.KindOf(err) != c.kind || jitsuin.CodeOf(err) != c.code {
			t.Errorf("%s: got %v (%v %q), want %v %q", name, err, jitsuin.KindOf(err), jitsuin.CodeOf(err), c.kind, c.code)
		}
		if k := jitsuin.KindOf(err); k == jitsuin.Unavailable || k == jitsuin.Internal {
			t.Errorf("%s: would hold the whole feed up", name)
		}
	}
}
