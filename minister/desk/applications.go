package desk

import (
	"context"
	"net/http"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

func (d *Desk) applicationRoutes() {
	const base = "/desk/applications"
	d.handle("GET "+base, d.applications)
	d.handle("GET "+base+"/{id}", d.application)
	d.handle("GET "+base+"/{id}/criteria/{key}", d.criterion)
	d.handle("POST "+base+"/{id}/criteria/{key}", d.examine)
	d.handle("POST "+base+"/{id}/return", d.giveBack)
	d.handle("POST "+base+"/{id}/decision", d.conclude)
	d.handle("GET /desk/evidence/{verifier}/{sha256}", d.serveEvidence)
}

// applications lists all of them, the newest first.
func (d *Desk) applications(w http.ResponseWriter, r *http.Request, s session) error {
	all, err := d.office.Applications(r.Context(), "")
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(x, y api.Application) int { return y.FiledAt.Compare(x.FiledAt) })
	return d.show(w, r, s, http.StatusOK, "applications", map[string]any{"Applications": all})
}

// item is a criterion with what the applicant shows and what was found.
type item struct {
	Rule     rules.Criterion
	Shown    api.ApplicationItem
	Examined api.Examined
}

// itemsOf joins criteria, items and findings. A criterion that the rules no longer know has its key alone.
func itemsOf(a api.Application) []item {
	var all []item
	for i, shown := range a.Items {
		rule, err := rules.CriterionOf(shown.Criterion, jitsuin.DateOf(a.FiledAt))
		if err != nil {
			rule = rules.Criterion{Key: shown.Criterion, Rule: rules.Rule{Text: rules.Text{JA: shown.Criterion, EN: shown.Criterion}}}
		}
		all = append(all, item{rule, shown, a.Examination[i]})
	}
	return all
}

func reasonField(key string, need bool) web.Field {
	return web.Field{Name: "reason", Label: key, Help: "minister.reason-help", Kind: web.TextField, Max: 500, Need: need}
}

func decisionForm(r *http.Request) *web.Form {
	return web.NewForm(r.PostForm, web.Field{Name: "state", Label: "minister.decision.which", Kind: web.RadioField, Need: true, Options: []web.Option{
		{Value: api.Granted, Label: "minister.decision.grant"}, {Value: api.Refused, Label: "minister.decision.refuse"}}}, reasonField("minister.decision.reason", false))
}

// application shows an application: who applies, the criteria with what was found, the history, and what can be done now.
func (d *Desk) application(w http.ResponseWriter, r *http.Request, s session) error {
	return d.applicationPage(w, r, s, decisionForm(r))
}

func (d *Desk) applicationPage(w http.ResponseWriter, r *http.Request, s session, f *web.Form) error {
	a, err := d.office.Application(r.Context(), idOf(r), "")
	if err != nil {
		return err
	}
	open := 0
	for _, e := range a.Examination {
		if e.Outcome == api.Pending {
			open++
		}
	}
	slices.Reverse(a.Steps)
	return d.show(w, r, s, statusOf(f), "application", map[string]any{"Application": a, "Items": itemsOf(a.Application), "Steps": a.Steps, "Form": f,
		"Pending": open, "Asked": len(a.Asked())})
}

func examinationForm(r *http.Request, e api.Examined) *web.Form {
	f := web.NewForm(r.PostForm, web.Field{Name: "outcome", Label: "minister.examine.outcome", Kind: web.RadioField, Need: true, Options: []web.Option{
		{Value: api.Accepted, Label: "minister.outcome.accepted"}, {Value: api.Amend, Label: "minister.outcome.amend"}}},
		web.Field{Name: "words", Label: "minister.examine.words", Help: "minister.examine.words-help", Kind: web.TextField, Max: 1000})
	if r.Method == http.MethodGet && e.Outcome != api.Pending {
		f.Set("outcome", e.Outcome)
		f.Set("words", e.Words)
	}
	return f
}

// find gives the item for a criterion, and its place.
func find(a api.Application, key string) (item, int, error) {
	for i, one := range itemsOf(a) {
		if one.Shown.Criterion == key {
			return one, i, nil
		}
	}
	return item{}, 0, jitsuin.Errorf(jitsuin.NotFound, "criterion-unknown", "the application has no such item")
}

// criterion shows one criterion with its evidence.
func (d *Desk) criterion(w http.ResponseWriter, r *http.Request, s session) error {
	a, err := d.office.Application(r.Context(), idOf(r), "")
	if err != nil {
		return err
	}
	one, _, err := find(a.Application, r.PathValue("key"))
	if err != nil {
		return err
	}
	return d.criterionPage(w, r, s, a, one, examinationForm(r, one.Examined))
}

func (d *Desk) criterionPage(w http.ResponseWriter, r *http.Request, s session, a api.ApplicationFile, one item, f *web.Form) error {
	_, i, err := find(a.Application, one.Shown.Criterion)
	if err != nil {
		return err
	}
	return d.show(w, r, s, statusOf(f), "criterion", map[string]any{"Application": a, "Item": one, "Form": f, "N": i + 1, "Of": len(a.Items)})
}

// examine records what was found of one criterion, and leads to the next that is not examined.
func (d *Desk) examine(w http.ResponseWriter, r *http.Request, s session) error {
	file, err := d.office.Application(r.Context(), idOf(r), "")
	if err != nil {
		return err
	}
	one, _, err := find(file.Application, r.PathValue("key"))
	if err != nil {
		return err
	}
	f := examinationForm(r, one.Examined)
	if f.Get("outcome") == api.Amend && f.Get("words") == "" {
		f.Wrong("words", "minister.code.words-missing")
	}
	var after api.Application
	ok, err := act(r, f, func(ctx context.Context) (err error) {
		after, err = d.office.Examine(ctx, file.ID, api.ExaminationRequest{Criterion: one.Shown.Criterion, Outcome: f.Get("outcome"), Words: f.Get("words"), Official: s.Official})
		return err
	})
	if err != nil {
		return err
	}
	if !ok {
		return d.criterionPage(w, r, s, file, one, f)
	}
	next := "/desk/applications/" + string(file.ID)
	for _, e := range after.Examination {
		if e.Outcome == api.Pending {
			next += "/criteria/" + e.Criterion
			break
		}
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// giveBack sends an application back to be amended.
func (d *Desk) giveBack(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, err := web.ActOf(r)
	if err != nil {
		return err
	}
	_, err = d.office.Return(ctx, idOf(r), api.ReturnRequest{Official: s.Official})
	if key, refused := refusal(err); refused {
		f := decisionForm(r)
		f.Wrong("", key)
		return d.applicationPage(w, r, s, f)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/desk/applications/"+string(idOf(r)), http.StatusSeeOther)
	return nil
}

// conclude grants or refuses an application.
func (d *Desk) conclude(w http.ResponseWriter, r *http.Request, s session) error {
	f := decisionForm(r)
	if f.Get("state") == api.Refused && f.Get("reason") == "" {
		f.Wrong("reason", "minister.code.reason-missing")
	}
	ok, err := act(r, f, func(ctx context.Context) error {
		_, err := d.office.Conclude(ctx, idOf(r), api.Verdict{State: f.Get("state"), Reason: f.Get("reason"), Official: s.Official})
		return err
	})
	if err != nil {
		return err
	}
	if !ok {
		return d.applicationPage(w, r, s, f)
	}
	http.Redirect(w, r, "/desk/applications/"+string(idOf(r)), http.StatusSeeOther)
	return nil
}
