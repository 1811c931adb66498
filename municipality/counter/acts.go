package counter

import (
	"slices"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// act is a change (異動) that the counter records: from which states of a record it starts, and what
// its form asks for besides the day.
type act struct {
	cause jitsuin.Cause
	from  []jitsuin.ResidentState
	asks  []string
	entry bool // somebody is entered whom the register does not have
}

// acts are in the order in which the pages offer them.
var acts = []act{
	{cause: jitsuin.CauseMoveWithin, from: present, asks: []string{"address"}},
	{cause: jitsuin.CauseMoveOut, from: present, asks: []string{"destination", "continued_use"}},
	{cause: jitsuin.CauseMoveIn, from: []jitsuin.ResidentState{jitsuin.Abroad}, asks: []string{"address", "household"}},
	{cause: jitsuin.CauseDeath, from: []jitsuin.ResidentState{jitsuin.Present, jitsuin.Moving, jitsuin.Abroad}},
	{cause: jitsuin.CauseMinorCorrection, from: []jitsuin.ResidentState{jitsuin.Present, jitsuin.Abroad}, asks: []string{"minor_rule", "items"}},
	{cause: jitsuin.CauseAmended, from: []jitsuin.ResidentState{jitsuin.Present, jitsuin.Abroad}, asks: []string{"items", "standing"}},
	{cause: jitsuin.CauseDeleted, from: present},
	{cause: jitsuin.CauseEntered, from: []jitsuin.ResidentState{jitsuin.Deleted}, asks: []string{"items", "standing"}},
	{cause: jitsuin.CauseCodeRequested, from: present},
	{cause: jitsuin.CauseCodeOfficial, from: present},
	{cause: jitsuin.CauseBirth, asks: []string{"items", "household", "standing"}, entry: true},
	{cause: jitsuin.CauseEntered, asks: []string{"items", "household", "standing"}, entry: true},
}

var present = []jitsuin.ResidentState{jitsuin.Present}

// actOf finds an act by the word in the path.
func actOf(word string, entry bool) (act, error) {
	for _, a := range acts {
		if string(a.cause) == word && a.entry == entry {
			return a, nil
		}
	}
	return act{}, jitsuin.Errorf(jitsuin.NotFound, "act-unknown", "the counter has no such act")
}

func (a act) takes(what string) bool { return slices.Contains(a.asks, what) }

// abroad is the destination that is no municipality.
const abroad = "abroad"

// form makes the form of the act; households are those that somebody may join.
func (c *Counter) form(a act, values map[string][]string, households []web.Option) *web.Form {
	var fields []web.Field
	if a.takes("minor_rule") {
		fields = append(fields, web.Field{Name: "minor_rule", Label: "counter.change.minor-rule", Help: "counter.change.minor-rule-help", Kind: web.ChoiceField, Need: true, Options: minorCases()})
	}
	if a.cause != jitsuin.CauseBirth { // the day of a birth is the date of birth
		fields = append(fields, web.Field{Name: "occurred_on", Label: "counter.change.on." + string(a.cause), Kind: web.DateField, Need: true, Width: "narrow"})
	}
	if a.takes("destination") {
		fields = append(fields, web.Field{Name: "destination", Label: "counter.change.destination", Kind: web.ChoiceField, Need: true, Options: c.destinations(), Width: "medium"},
			web.Field{Name: "continued_use", Label: "counter.change.continued-use", Help: "counter.change.continued-use-help", Kind: web.CheckField})
	}
	if a.takes("address") {
		fields = append(fields, web.Field{Name: "address", Label: "counter.change.new-address", Kind: web.TextField, Need: true, Max: 200})
	}
	if a.takes("items") {
		fields = append(fields, itemFields()...)
	}
	if a.takes("household") && len(households) > 0 {
		fields = append(fields, web.Field{Name: "household", Label: "counter.change.household", Help: "counter.change.household-help", Kind: web.ChoiceField, Options: households, Width: "medium"})
	}
	if a.takes("standing") {
		fields = append(fields, standingFields()...)
	}
	return web.NewForm(values, fields...)
}

// minorCases are the seven cases of a minor correction, in both languages.
func minorCases() []web.Option {
	var all []web.Option
	for _, m := range rules.MinorCases() {
		n := strconv.Itoa(m.N)
		all = append(all, web.Option{Value: n, Label: "counter.minor." + n})
	}
	return all
}

// destinations are the other municipalities of the country, and abroad.
func (c *Counter) destinations() []web.Option {
	var all []web.Option
	for _, i := range c.actor.Directory.Role("municipality") {
		if code := jitsuin.MunicipalityCode(i.ID[len("municipality:"):]); code != c.code {
			all = append(all, web.Option{Value: string(code), Text: c.townName(code)})
		}
	}
	return append(all, web.Option{Value: abroad, Label: "counter.change.abroad"})
}

func standingFields() []web.Field {
	var stays []web.Option
	for _, s := range []rules.Stay{rules.Permanent, rules.SpecialPermanent, rules.HighlySkilled2, rules.MidToLongTerm, rules.Provisional, rules.Transitional} {
		stays = append(stays, web.Option{Value: string(s), Label: "counter.stay." + string(s)})
	}
	return []web.Field{
		{Name: "nationality", Label: "counter.standing.nationality", Help: "counter.standing.nationality-help", Kind: web.TextField, Max: 2, Width: "narrow"},
		{Name: "stay", Label: "counter.standing.stay", Help: "counter.standing.stay-help", Kind: web.ChoiceField, Options: stays, Width: "medium"},
		{Name: "stay_until", Label: "counter.standing.stay-until", Kind: web.DateField, Width: "narrow"},
		{Name: "adult_ward", Label: "counter.standing.adult-ward", Kind: web.CheckField}}
}

func fillStanding(f *web.Form, s api.Standing) {
	f.Set("nationality", s.Nationality)
	f.Set("stay", string(s.Stay))
	f.Set("stay_until", s.StayUntil.String())
	if s.AdultWard {
		f.Set("adult_ward", "yes")
	}
}

// request makes the API's request of what was typed.
func (a act) request(f *web.Form, person api.Resident, clerk string) api.ChangeRequest {
	q := api.ChangeRequest{Subject: person.Subject, Cause: a.cause, Clerk: clerk}
	if a.cause != jitsuin.CauseBirth {
		q.OccurredOn = f.Date("occurred_on")
	}
	if a.takes("minor_rule") {
		q.MinorRule, _ = strconv.Atoi(f.Get("minor_rule")) // one of the choices
	}
	if a.takes("destination") {
		if to := f.Get("destination"); to == abroad {
			q.Abroad = true
		} else {
			q.Destination = jitsuin.MunicipalityCode(to)
		}
		q.ContinuedUse = f.Checked("continued_use")
	}
	if a.takes("address") {
		q.Address = f.Get("address")
	}
	if a.takes("items") {
		items := itemsOf(f)
		q.Items = &items
		if a.cause == jitsuin.CauseBirth {
			q.OccurredOn = items.BirthDate
		}
	}
	if a.takes("household") {
		q.Household = jitsuin.ID(f.Get("household"))
	}
	if a.takes("standing") {
		s := api.Standing{Nationality: f.Get("nationality"), Stay: rules.Stay(f.Get("stay")), StayUntil: f.Date("stay_until"), AdultWard: f.Checked("adult_ward")}
		if !same(s, person.Standing) {
			q.Standing = &s
		}
	}
	return q
}

// same tells whether two standings say the same: nationals are written with or without JP.
func same(a, b api.Standing) bool {
	for _, s := range []*api.Standing{&a, &b} {
		if s.Nationality == "JP" {
			s.Nationality = ""
		}
	}
	return a == b
}
