package desk

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/minister/api"
)

func (d *Desk) accreditationRoutes() {
	d.handle("GET /desk/accreditations/{id}", d.accreditation)
	d.handle("POST /desk/accreditations/{id}/decision", d.decide)
	d.handle("GET /desk/audits", d.audits)
	d.handle("GET /desk/accreditations/{id}/audits/{year}", d.audit)
	d.handle("POST /desk/accreditations/{id}/audits/{year}", d.judge)
}

// Acts on an accreditation, as the form names them: what the state becomes.
var acts = map[string]string{"suspend": api.Suspended, "lift": api.InForce, "renew": api.InForce, "withdraw": api.Withdrawn}

// accreditationForm offers what can be decided as things stand.
func accreditationForm(r *http.Request, e entry) *web.Form {
	var options []web.Option
	add := func(value string) {
		options = append(options, web.Option{Value: value, Label: "minister.act." + value})
	}
	switch e.Standing {
	case api.InForce:
		add("suspend")
		if !e.Until.IsZero() {
			add("renew")
		}
		add("withdraw")
	case api.Suspended:
		add("lift")
		add("withdraw")
	}
	return web.NewForm(r.PostForm, web.Field{Name: "what", Label: "minister.act.which", Kind: web.RadioField, Need: true, Options: options}, reasonField("minister.act.reason", false))
}

// accreditation shows one accreditation: state, history with names, audits, and what can be decided.
func (d *Desk) accreditation(w http.ResponseWriter, r *http.Request, s session) error {
	h, err := d.office.Accreditation(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	return d.accreditationPage(w, r, s, h, accreditationForm(r, d.entryOf(h.Accreditation)))
}

func (d *Desk) accreditationPage(w http.ResponseWriter, r *http.Request, s session, h api.History, f *web.Form) error {
	audits, err := d.office.Audits(r.Context(), h.ID, "")
	if err != nil {
		return err
	}
	slices.Reverse(audits)
	applications, err := d.office.Applications(r.Context(), h.Verifier)
	if err != nil {
		return err
	}
	var from jitsuin.ID // the application that it rests on; none before there were any
	for _, a := range applications {
		if a.Accreditation == h.ID {
			from = a.ID
		}
	}
	return d.show(w, r, s, statusOf(f), "accreditation", map[string]any{"Entry": d.entryOf(h.Accreditation), "Steps": stepsOf(h), "Audits": audits, "Form": f, "From": from})
}

// decide suspends, lifts, renews or withdraws. The radio button is named "what": "act" is the key of the form.
func (d *Desk) decide(w http.ResponseWriter, r *http.Request, s session) error {
	h, err := d.office.Accreditation(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	f := accreditationForm(r, d.entryOf(h.Accreditation))
	state := acts[f.Get("what")]
	if state != api.InForce && f.Get("what") != "" && f.Get("reason") == "" {
		f.Wrong("reason", "minister.code.reason-missing")
	}
	ok, err := act(r, f, func(ctx context.Context) error {
		_, err := d.office.Decide(ctx, api.Decision{Verifier: h.Verifier, Name: h.Name, Ground: h.Ground, State: state, Reason: f.Get("reason"), Official: s.Official})
		return err
	})
	if err != nil {
		return err
	}
	if !ok {
		return d.accreditationPage(w, r, s, h, f)
	}
	http.Redirect(w, r, "/desk/accreditations/"+string(h.ID), http.StatusSeeOther)
	return nil
}

// audits lists the audits that are not closed, the first that is due first.
func (d *Desk) audits(w http.ResponseWriter, r *http.Request, s session) error {
	open, err := d.office.OpenAudits(r.Context())
	if err != nil {
		return err
	}
	return d.show(w, r, s, http.StatusOK, "audits", map[string]any{"Audits": open})
}

func (d *Desk) yearOf(r *http.Request) (api.AuditYear, error) {
	audits, err := d.office.Audits(r.Context(), idOf(r), "")
	if err != nil {
		return api.AuditYear{}, err
	}
	year, err := strconv.Atoi(r.PathValue("year"))
	if err != nil || year < 1 || year > len(audits) {
		return api.AuditYear{}, jitsuin.Errorf(jitsuin.NotFound, "audit-unknown", "the accreditation has no such year")
	}
	return audits[year-1], nil
}

func auditForm(r *http.Request) *web.Form {
	return web.NewForm(r.PostForm, web.Field{Name: "state", Label: "minister.audit.which", Kind: web.RadioField, Need: true, Options: []web.Option{
		{Value: api.AuditClosed, Label: "minister.audit.close"}, {Value: api.AuditReturned, Label: "minister.audit.return"}}},
		web.Field{Name: "words", Label: "minister.audit.words", Kind: web.TextField, Max: 1000})
}

// audit shows a year's audit with its report.
func (d *Desk) audit(w http.ResponseWriter, r *http.Request, s session) error {
	return d.auditPage(w, r, s, auditForm(r))
}

func (d *Desk) auditPage(w http.ResponseWriter, r *http.Request, s session, f *web.Form) error {
	y, err := d.yearOf(r)
	if err != nil {
		return err
	}
	slices.Reverse(y.Steps)
	return d.show(w, r, s, statusOf(f), "audit", map[string]any{"Audit": y, "Form": f})
}

// judge closes a year's audit, or returns it to be remedied.
func (d *Desk) judge(w http.ResponseWriter, r *http.Request, s session) error {
	y, err := d.yearOf(r)
	if err != nil {
		return err
	}
	f := auditForm(r)
	if f.Get("state") == api.AuditReturned && f.Get("words") == "" {
		f.Wrong("words", "minister.code.words-missing")
	}
	ok, err := act(r, f, func(ctx context.Context) error {
		_, err := d.office.JudgeAudit(ctx, y.Accreditation, y.Year, api.AuditVerdict{State: f.Get("state"), Words: f.Get("words"), Official: s.Official})
		return err
	})
	if err != nil {
		return err
	}
	if !ok {
		return d.auditPage(w, r, s, f)
	}
	http.Redirect(w, r, "/desk/accreditations/"+string(y.Accreditation)+"/audits/"+strconv.Itoa(y.Year), http.StatusSeeOther)
	return nil
}
