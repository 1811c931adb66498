package desk

import (
	"net/http"
	"slices"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/minister/api"
)

// entry is an accreditation as pages show it. Standing is its state on the day: a term that ran out is over, whatever was decided.
type entry struct {
	api.Accreditation
	Standing string
}

const over = "over"

func (d *Desk) entryOf(a api.Accreditation) entry {
	e := entry{a, a.State}
	if a.State != api.Withdrawn && !a.Until.IsZero() && d.today().After(a.Until) {
		e.Standing = over
	}
	return e
}

// Live tells whether something can still be decided about it.
func (e entry) Live() bool { return e.Standing == api.InForce || e.Standing == api.Suspended }

// stepView is a decision with what it was: a first one grants, one in force after a suspension lifts, any other renews.
type stepView struct {
	api.Step
	Key string
}

func stepsOf(h api.History) []stepView {
	var all []stepView
	before := ""
	for _, s := range h.Steps {
		key := "minister.step." + s.State
		switch {
		case s.State == api.InForce && before == "":
			key = "minister.step.granted"
		case s.State == api.InForce && before == api.Suspended:
			key = "minister.step.lifted"
		case s.State == api.InForce:
			key = "minister.step.renewed"
		}
		all, before = append(all, stepView{s, key}), s.State
	}
	slices.Reverse(all) // the newest first
	return all
}

func (d *Desk) registerRoutes() {
	published := httpapi.Public("who is accredited is published")
	d.actor.API.Raw("GET /{$}", httpapi.Public("it leads to the register"), http.RedirectHandler("/register", http.StatusSeeOther))
	d.public.Handle(d.actor.API, "GET /register", published, d.register)
	d.public.Handle(d.actor.API, "GET /register/{id}", published, d.registered)
}

// entries gives all accreditations, those that count first, and then by name.
func (d *Desk) entries(r *http.Request) ([]entry, error) {
	all, err := d.office.Accreditations(r.Context())
	var list []entry
	for _, a := range all {
		list = append(list, d.entryOf(a))
	}
	slices.SortStableFunc(list, func(x, y entry) int {
		switch {
		case x.Live() != y.Live() && x.Live():
			return -1
		case x.Live() != y.Live():
			return 1
		}
		return 0
	})
	return list, err
}

// register is the public list of verifiers.
func (d *Desk) register(w http.ResponseWriter, r *http.Request) error {
	list, err := d.entries(r)
	if err != nil {
		return err
	}
	d.public.Page(w, r, http.StatusOK, "register", map[string]any{"Entries": list, "Today": d.today()})
	return nil
}

// registered is one verifier with its history. It does not say who of the office decided.
func (d *Desk) registered(w http.ResponseWriter, r *http.Request) error {
	h, err := d.office.Accreditation(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	d.public.Page(w, r, http.StatusOK, "registered", map[string]any{"Entry": d.entryOf(h.Accreditation), "Steps": stepsOf(h), "Today": d.today()})
	return nil
}

func (d *Desk) workRoutes() { d.handle("GET /desk/{$}", d.work) }

// work is what is at hand: applications to examine, audits to look at or late, and those accredited.
func (d *Desk) work(w http.ResponseWriter, r *http.Request, s session) error {
	applications, err := d.office.Applications(r.Context(), "")
	if err != nil {
		return err
	}
	waiting := slices.DeleteFunc(applications, func(a api.Application) bool { return !a.Open() })
	audits, err := d.office.OpenAudits(r.Context())
	if err != nil {
		return err
	}
	list, err := d.entries(r)
	if err != nil {
		return err
	}
	return d.show(w, r, s, http.StatusOK, "work", map[string]any{"Applications": waiting, "Audits": audits, "Entries": list})
}

// serveEvidence gives a document to the official, as a file: it comes from outside, so no browser shows it here.
func (d *Desk) serveEvidence(w http.ResponseWriter, r *http.Request, _ session) error {
	mediaType, content, err := d.office.Evidence(r.Context(), r.PathValue("verifier"), r.PathValue("sha256"))
	if err != nil {
		return err
	}
	name := r.PathValue("sha256")[:12]
	for _, k := range []struct{ mediaType, ext string }{{"application/pdf", ".pdf"}, {"text/plain", ".txt"}, {"text/csv", ".csv"}, {"application/json", ".json"},
		{"image/png", ".png"}, {"image/jpeg", ".jpg"}, {"application/zip", ".zip"}} {
		if k.mediaType == mediaType {
			name += k.ext
		}
	}
	h := w.Header()
	if mediaType == "text/plain" {
		mediaType += "; charset=utf-8"
	}
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.Write(content)
	return nil
}
