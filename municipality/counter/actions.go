package counter

import (
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// action is something that the counter can do for a person, or why it cannot now.
type action struct {
	Key    string // counter.act.KEY is what it is called
	Path   string // "" where it is impossible
	Reason string
}

// actionsFor lists the acts that are possible now, and those that are not with the reason.
func (c *Counter) actionsFor(l web.Lang, p api.Resident, cases []api.Case) (can, cannot []action) {
	base := "/counter/residents/" + string(p.Subject)
	all := []action{c.applyAction(l, p, cases, api.NewCard), c.applyAction(l, p, cases, api.Reissue)}
	for _, a := range acts {
		if a.entry {
			continue
		}
		one := action{Key: string(a.cause), Path: base + "/changes/" + string(a.cause)}
		switch {
		case p.Municipality != c.code:
			one.Path, one.Reason = "", web.Text(l, "counter.why.elsewhere", "town", c.townName(p.Municipality))
		case !slices.Contains(a.from, p.State):
			one.Path, one.Reason = "", web.Text(l, "counter.why.state", "state", web.Text(l, "counter.resident-state."+string(p.State)))
		}
		all = append(all, one)
	}
	for _, one := range all {
		if one.Path != "" {
			can = append(can, one)
		} else {
			cannot = append(cannot, one)
		}
	}
	return can, cannot
}

// applyAction tells whether an application of the type can be taken in.
func (c *Counter) applyAction(l web.Lang, p api.Resident, cases []api.Case, t api.ApplicationType) action {
	a := action{Key: string(t)}
	switch {
	case p.Municipality != c.code:
		a.Reason = web.Text(l, "counter.why.elsewhere", "town", c.townName(p.Municipality))
	case p.State != jitsuin.Present:
		a.Reason = web.Text(l, "counter.why.state", "state", web.Text(l, "counter.resident-state."+string(p.State)))
	case t == api.NewCard && p.Card != "":
		a.Reason = web.Text(l, "counter.why.has-card")
	case len(openKinds(cases)) == len(jitsuin.CertKinds):
		a.Reason = web.Text(l, "counter.why.open-case")
	case t == api.Reissue && c.config.Reader == "":
		a.Reason = web.Text(l, "counter.why.no-reader")
	default:
		a.Path = "/counter/residents/" + string(p.Subject) + "/apply/" + string(t)
	}
	return a
}

// openKinds are the certificate kinds for which the person has an open case.
func openKinds(cases []api.Case) map[jitsuin.CertKind]bool {
	open := map[jitsuin.CertKind]bool{}
	for _, one := range cases {
		if one.State == api.Done || one.State == api.Refused {
			continue
		}
		for _, k := range one.Kinds {
			open[k] = true
		}
	}
	return open
}

func holderOf(p api.Resident) rules.Holder {
	return rules.Holder{Birth: p.Items.BirthDate, AdultWard: p.Standing.AdultWard}
}
