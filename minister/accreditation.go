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
	if !standing(last, today) {
		if d.State != api.InForce {
			return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "not-accredited", "%s has no accreditation that could be %s", d.Verifier, d.State)
		}
		return grant(d, today, id)
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

// standing tells whether an accreditation is there that can be renewed, suspended, lifted or withdrawn.
func standing(a api.Accreditation, today jitsuin.Date) bool {
	return a.ID != "" && a.State != api.Withdrawn && (a.Until.IsZero() || !today.After(a.Until))
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

func grant(d api.Decision, today jitsuin.Date, id jitsuin.ID) (api.Accreditation, error) {
	a := api.Accreditation{ID: id, Verifier: d.Verifier, Name: d.Name, Ground: d.Ground, GrantedOn: today, State: api.InForce, Reason: d.Reason}
	if d.Ground != groundAccredited {
		return a, nil
	}
	term, err := rules.AccreditationTerm(today)
	a.Until = term.Until
	return a, err
}

// renew extends an accreditation in force by one term from its last day (更新), unless that was
// done already.
func renew(a api.Accreditation, today jitsuin.Date) (api.Accreditation, error) {
	fromToday, err := rules.AccreditationTerm(today)
	if err != nil {
		return api.Accreditation{}, err
	}
	if a.Until.IsZero() || !a.Until.Before(fromToday.Until) {
		return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "already-in-force", "the accreditation of %s is in force and needs no renewal", a.Verifier)
	}
	next, err := rules.AccreditationTerm(a.Until)
	a.Until = next.Until
	return a, err
}
