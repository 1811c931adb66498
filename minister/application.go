package minister

import (
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

// Acts on an application, as they stand in its history.
const (
	actFiled    = "filed"
	actExamined = "examined"
	actReturned = "returned"
	actAmended  = "amended"
	actTaken    = "taken-back"
)

// newApplication begins an application that was checked.
func newApplication(r api.ApplicationRequest, verifier string, id jitsuin.ID, now time.Time) api.Application {
	a := api.Application{ID: id, Verifier: verifier, State: api.Received, FiledAt: now, UpdatedAt: now, ApplicationRequest: r}
	for _, item := range r.Items {
		a.Examination = append(a.Examination, api.Examined{Criterion: item.Criterion, Outcome: api.Pending})
	}
	return a
}

// checkApplication refuses what cannot be examined: a member that says nothing, a criterion that is missing, twice or unknown.
func checkApplication(r api.ApplicationRequest, today jitsuin.Date) error {
	for name, v := range map[string]string{"name": r.Name, "address": r.Address, "representative": r.Representative, "system": r.System,
		"responsible.name": r.Responsible.Name, "responsible.post": r.Responsible.Post, "responsible.contact": r.Responsible.Contact} {
		if strings.TrimSpace(v) == "" {
			return jitsuin.Errorf(jitsuin.Invalid, "application-incomplete", "an application says %s", name).At(name)
		}
	}
	if r.StartsOn.IsZero() {
		return jitsuin.Errorf(jitsuin.Invalid, "date-missing", "an application says on which day the work is to begin").At("starts_on")
	}
	var wanted []string
	for _, c := range rules.CriteriaOn(today) {
		wanted = append(wanted, c.Key)
	}
	return checkItems(r.Items, wanted, "every criterion needs an item")
}

// checkItems tells whether there is exactly one item for each criterion that is wanted.
func checkItems(items []api.ApplicationItem, wanted []string, why string) error {
	seen := map[string]bool{}
	for _, item := range items {
		switch {
		case seen[item.Criterion]:
			return jitsuin.Errorf(jitsuin.Invalid, "criterion-twice", "the criterion %q has two items", item.Criterion).At("items")
		case !slices.Contains(wanted, item.Criterion):
			return jitsuin.Errorf(jitsuin.Invalid, "criterion-not-asked", "the criterion %q is not asked for here", item.Criterion).At("items")
		case strings.TrimSpace(item.Statement) == "":
			return jitsuin.Errorf(jitsuin.Invalid, "statement-missing", "the item for %q does not say how it is met", item.Criterion).At("items")
		}
		seen[item.Criterion] = true
	}
	for _, key := range wanted {
		if !seen[key] {
			return jitsuin.Errorf(jitsuin.Invalid, "criterion-missing", "there is no item for the criterion %q", key).WithHint("%s", why).At("items")
		}
	}
	return nil
}

func inState(a api.Application, states ...string) error {
	if slices.Contains(states, a.State) {
		return nil
	}
	return jitsuin.Errorf(jitsuin.Conflict, "application-state", "the application is %s", a.State)
}

// examined notes the outcome for one criterion. It may be changed until the application goes back or is decided.
func examined(a api.Application, r api.ExaminationRequest, now time.Time) (api.Application, error) {
	if err := inState(a, api.Received); err != nil {
		return a, err
	}
	words := strings.TrimSpace(r.Words)
	if r.Outcome == api.Amend && words == "" {
		return a, jitsuin.Errorf(jitsuin.Invalid, "words-missing", "whoever is to amend something is told what").At("words")
	}
	i := slices.IndexFunc(a.Examination, func(e api.Examined) bool { return e.Criterion == r.Criterion })
	if i < 0 {
		return a, jitsuin.Errorf(jitsuin.Invalid, "criterion-unknown", "the application has no item for %q", r.Criterion).At("criterion")
	}
	a.Examination = slices.Clone(a.Examination)
	a.Examination[i] = api.Examined{Criterion: r.Criterion, Outcome: r.Outcome, Words: words, At: &now, Official: r.Official}
	return a, nil
}

// returned sends an application back to be amended.
func returned(a api.Application) (api.Application, error) {
	if err := inState(a, api.Received); err != nil {
		return a, err
	}
	if len(a.Asked()) == 0 {
		return a, jitsuin.Errorf(jitsuin.Conflict, "nothing-to-amend", "no criterion is to be amended")
	}
	a.State = api.Returned
	return a, nil
}

// amended takes the new items in; what was accepted before stays as it is.
func amended(a api.Application, items []api.ApplicationItem) (api.Application, error) {
	if err := inState(a, api.Returned); err != nil {
		return a, err
	}
	if err := checkItems(items, a.Asked(), "every criterion that is to be amended needs a new item"); err != nil {
		return a, err
	}
	a.Items, a.Examination = slices.Clone(a.Items), slices.Clone(a.Examination)
	for _, item := range items {
		i := slices.IndexFunc(a.Items, func(had api.ApplicationItem) bool { return had.Criterion == item.Criterion })
		a.Items[i] = item
		a.Examination[i] = api.Examined{Criterion: item.Criterion, Outcome: api.Pending}
	}
	a.State = api.Received
	return a, nil
}

// concluded decides an application. What it leads to is decide's.
func concluded(a api.Application, v api.Verdict) (api.Application, error) {
	if err := inState(a, api.Received, api.Returned); err != nil {
		return a, err
	}
	a.Reason = strings.TrimSpace(v.Reason)
	switch {
	case v.State == api.Refused && a.Reason == "":
		return a, jitsuin.Errorf(jitsuin.Invalid, "reason-missing", "a refusal needs its reason").At("reason")
	case v.State == api.Granted:
		var open []string
		for _, e := range a.Examination {
			if e.Outcome != api.Accepted {
				open = append(open, e.Criterion)
			}
		}
		if len(open) > 0 {
			return a, jitsuin.Errorf(jitsuin.Conflict, "criteria-open", "not accepted: %s", strings.Join(open, ", ")).
				WithHint("accept each criterion, have it amended, or refuse")
		}
	}
	a.State = v.State
	return a, nil
}

// takenBack ends an application by its applicant's wish.
func takenBack(a api.Application) (api.Application, error) {
	err := inState(a, api.Received, api.Returned)
	if err == nil {
		a.State = api.TakenBack
	}
	return a, err
}

// forApplicant leaves out who of the office did what.
func forApplicant(f api.ApplicationFile) api.ApplicationFile {
	f.Examination = slices.Clone(f.Examination)
	for i := range f.Examination {
		f.Examination[i].Official = ""
	}
	f.Steps = slices.Clone(f.Steps)
	for i := range f.Steps {
		f.Steps[i].By, f.Steps[i].Official = "", ""
	}
	return f
}
