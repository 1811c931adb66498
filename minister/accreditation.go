package minister

import (
	"regexp"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

// groundAccredited is the one ground on which the minister decides (JPKI Act art. 17(1)(vi)); the
// others name bodies that are verifiers by the law itself.
const groundAccredited = "17-1-6"

// term is how long an accreditation lasts. The Ordinance was read for accredited certifiers
// (art. 17(1)(v)); that the same holds for item (vi) is unsure.
var term = rules.Rule{
	ID: "accreditation-term", N: 1, Unit: rules.Years,
	Text: rules.Text{JA: "認定は1年ごとに更新を受けなければ、その期間の経過によって効力を失う。",
		EN: "An accreditation loses its effect unless it is renewed every year."},
	Source: rules.Source{Act: rules.Text{JA: "公的個人認証法施行令", EN: "Enforcement Ordinance of the JPKI Act"},
		Article: rules.Text{JA: "10条", EN: "art. 10"}, Confidence: rules.OurReading,
		Note: "Read for item (v) in the text of 2013; the term for item (vi) is unsure and taken to be the same."},
}

// lastDay gives the last day of a term that begins on from: the first day does not count (Civil
// Code art. 140), so it is the same day of a later year, or 28 February for the 29th.
func lastDay(from jitsuin.Date) jitsuin.Date {
	d := jitsuin.Date{Year: from.Year + term.N, Month: from.Month, Day: from.Day}
	if next := jitsuin.DateOf(d.Start()); next != d {
		return next.AddDays(-next.Day)
	}
	return d
}

var verifierForm = regexp.MustCompile(`^[a-z]+:[a-z0-9][a-z0-9-]*$`)

// decide gives the accreditation as it stands after decision d on the day today. last is the newest
// one of the verifier, the zero value where there is none; id is for a new one.
//
// An accreditation that is withdrawn or over is never revived: the decision in-force makes a new
// one. In force it is renewed, once ahead of its end; suspended it is lifted.
func decide(last api.Accreditation, d api.Decision, today jitsuin.Date, id jitsuin.ID) (api.Accreditation, error) {
	if err := checkDecision(d); err != nil {
		return api.Accreditation{}, err
	}
	over := !last.Until.IsZero() && today.After(last.Until)
	standing := last.ID != "" && last.State != api.Withdrawn && !over
	if !standing {
		if d.State != api.InForce {
			return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "not-accredited", "%s has no accreditation that could be %s", d.Verifier, d.State)
		}
		return grant(d, today, id), nil
	}
	if d.Ground != last.Ground {
		return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "other-ground", "%s is accredited on the ground %s", d.Verifier, last.Ground).
			WithHint("withdraw that accreditation first").At("ground")
	}
	next := last
	next.Name, next.Reason = d.Name, d.Reason
	switch {
	case d.State != last.State:
		next.State = d.State
	case d.State == api.InForce:
		return renew(next, today)
	default:
		return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "already-"+d.State, "the accreditation of %s is %s already", d.Verifier, d.State)
	}
	return next, nil
}

func checkDecision(d api.Decision) error {
	switch {
	case !verifierForm.MatchString(d.Verifier):
		return jitsuin.Errorf(jitsuin.Invalid, "verifier-form", "a verifier is named as an instance, such as platform:1").At("verifier")
	case strings.TrimSpace(d.Name) == "":
		return jitsuin.Errorf(jitsuin.Invalid, "name-missing", "the verifier's name is missing").At("name")
	case d.State != api.InForce && strings.TrimSpace(d.Reason) == "":
		return jitsuin.Errorf(jitsuin.Invalid, "reason-missing", "a suspension or withdrawal needs its reason").At("reason")
	}
	return nil
}

func grant(d api.Decision, today jitsuin.Date, id jitsuin.ID) api.Accreditation {
	a := api.Accreditation{ID: id, Verifier: d.Verifier, Name: d.Name, Ground: d.Ground, GrantedOn: today, State: api.InForce, Reason: d.Reason}
	if d.Ground == groundAccredited {
		a.Until = lastDay(today)
	}
	return a
}

// renew extends an accreditation in force by one term from its last day (更新), unless that was
// done already.
func renew(a api.Accreditation, today jitsuin.Date) (api.Accreditation, error) {
	if a.Until.IsZero() || a.Until.After(lastDay(today)) {
		return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "already-in-force", "the accreditation of %s is in force and needs no renewal", a.Verifier)
	}
	if a.Until == lastDay(today) {
		return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "already-in-force", "the accreditation of %s was given or renewed today", a.Verifier)
	}
	a.Until = lastDay(a.Until)
	return a, nil
}
