package counter

import (
	"net/http"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
)

func (c *Counter) changeRoutes() {
	c.handle("GET /counter/residents/{id}/changes/{act}", c.changeForm)
	c.handle("POST /counter/residents/{id}/changes/{act}", c.change)
	c.handle("GET /counter/residents/{id}/recorded/{revision}", c.recorded)
	c.handle("GET /counter/arrivals/{id}", c.changeForm)
	c.handle("POST /counter/arrivals/{id}", c.change)
	c.handle("GET /counter/entries", c.entries)
	c.handle("GET /counter/entries/{act}", c.changeForm)
	c.handle("POST /counter/entries/{act}", c.change)
	c.handle("GET /counter/residents/{id}/entries/{act}", c.changeForm)
	c.handle("POST /counter/residents/{id}/entries/{act}", c.change)
}

// changing is an act that is being recorded.
type changing struct {
	act     act
	person  api.Resident // the zero value for somebody who is entered for the first time
	known   bool         // the register has the person
	arrival *arrival     // of a move-in with a moving-out certificate
	relative
	form *web.Form
}

// relative is somebody on the register whose household a newcomer may join.
type relative struct{ With api.Resident }

// changing reads whom an act concerns, and makes its form.
func (c *Counter) changing(r *http.Request, values map[string][]string) (k changing, err error) {
	ctx, word, id := r.Context(), r.PathValue("act"), idOf(r)
	path := r.Pattern[len(r.Method)+1:]
	switch path {
	case "/counter/arrivals/{id}":
		a, err := c.town.Arrival(ctx, id)
		if err != nil {
			return k, err
		}
		k.arrival = &arrival{a, c.townName(a.From)}
		k.person = api.Resident{Subject: a.Subject, Items: a.Items, Standing: a.Standing}
		k.act, err = actOf(string(jitsuin.CauseMoveIn), false)
		if err != nil {
			return k, err
		}
	case "/counter/entries/{act}", "/counter/residents/{id}/entries/{act}":
		if k.act, err = actOf(word, true); err != nil {
			return k, err
		}
		if r.PathValue("id") != "" {
			if k.With, err = c.town.Resident(ctx, id); err != nil {
				return k, err
			}
		}
	default:
		if k.act, err = actOf(word, false); err != nil {
			return k, err
		}
		if k.person, err = c.town.Resident(ctx, id); err != nil {
			return k, err
		}
		k.known = true
	}
	k.form = c.form(k.act, values, c.households(k))
	if values == nil {
		c.fill(k)
	}
	return k, nil
}

// households are those that somebody may join: that of the relative from whose page the clerk came.
func (c *Counter) households(k changing) []web.Option {
	if k.With.Household == "" {
		return nil
	}
	return []web.Option{{Value: string(k.With.Household), Text: k.With.Items.Name}}
}

// fill puts in what is known.
func (c *Counter) fill(k changing) {
	if k.act.takes("items") && k.known {
		fillItems(k.form, k.person.Items)
	}
	if k.With.Subject != "" {
		k.form.Set("address", k.With.Items.Address)
		k.form.Set("household", string(k.With.Household))
	}
	if k.act.takes("standing") {
		fillStanding(k.form, k.person.Standing)
	}
}

func (c *Counter) changeForm(w http.ResponseWriter, r *http.Request, s session) error {
	k, err := c.changing(r, nil)
	if err != nil {
		return err
	}
	return c.showChange(w, r, s, http.StatusOK, k, nil)
}

// showChange shows the form, or with a preview what the act would do.
func (c *Counter) showChange(w http.ResponseWriter, r *http.Request, s session, status int, k changing, p *api.Preview) error {
	data := map[string]any{"Act": string(k.act.cause), "Person": k.person, "Known": k.known, "Arrival": k.arrival, "With": k.With, "Form": k.form, "Entry": k.act.entry, "Action": r.URL.Path}
	if k.person.Subject != "" {
		data["Items"] = compare(web.LangOf(r), k.person.Items)
	}
	if p == nil {
		return c.show(w, r, s, status, "change", data)
	}
	l := web.LangOf(r)
	before := k.person.Items
	if k.person.Subject == "" {
		before = p.Change.Items
	}
	data["Rows"], data["Preview"], data["Hidden"] = compare(l, before, p.Change.Items), p, hidden(k.form)
	if q := k.act.request(k.form, k.person, s.Clerk); q.Standing != nil {
		data["Standing"] = q.Standing
	}
	data["Effects"], data["Columns"] = effectsOf(l, *p), changeColumns
	if p.Lapse != nil {
		data["LapseText"] = pickText(l, p.Lapse.Rule.Text)
	}
	if k.known {
		list, err := c.town.DeskOf(r.Context(), k.person.Subject, "", 0)
		if err != nil {
			return err
		}
		data["Certificates"] = c.certificatesOf(list.Cases)
	}
	if to := p.Change.State; to == jitsuin.Moving {
		data["Destination"] = c.townName(jitsuin.MunicipalityCode(k.form.Get("destination")))
	}
	return c.show(w, r, s, status, "preview", data)
}

// typed is a field of a form that goes through the preview unseen.
type typed struct{ Name, Value string }

func hidden(f *web.Form) []typed {
	var all []typed
	for _, d := range f.Fields {
		if v := f.Get(d.Name); v != "" {
			all = append(all, typed{d.Name, v})
		}
	}
	return all
}

// effect is what the pages say of one certificate: what happens, and by what rule.
type effect struct {
	Kind   jitsuin.CertKind
	Timing string
	On     jitsuin.Date
	Reason string
}

func effectsOf(l web.Lang, p api.Preview) []effect {
	var all []effect
	for _, kind := range jitsuin.CertKinds {
		e := p.Effect.Of(kind)
		all = append(all, effect{kind, string(e.Timing), e.On, pickText(l, p.Effect.Rule.Text)})
	}
	return all
}

// change shows what the act will do; with the clerk's confirmation it records it.
func (c *Counter) change(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, err := web.ActOf(r)
	if err != nil {
		return err
	}
	k, err := c.changing(r, r.PostForm)
	done, over := c.recordedBefore(r, err)
	if over { // a second click: the moving-out certificate is used
		return c.toRecorded(w, r, done)
	}
	if err != nil {
		return err
	}
	l := web.LangOf(r)
	if r.PostForm.Get("step") == "edit" {
		return c.showChange(w, r, s, http.StatusOK, k, nil)
	}
	k.form.Check()
	q := k.act.request(k.form, k.person, s.Clerk)
	if !k.form.OK() {
		return c.showChange(w, r, s, http.StatusUnprocessableEntity, k, nil)
	}
	if r.PostForm.Get("step") != "record" {
		p, err := c.town.Preview(ctx, q)
		if err == nil {
			return c.showChange(w, r, s, http.StatusOK, k, &p)
		}
		if !refuse(l, k.form, err) {
			return err
		}
		return c.showChange(w, r, s, http.StatusUnprocessableEntity, k, nil)
	}
	q.Revision, _ = strconv.ParseInt(r.PostForm.Get("revision"), 10, 64) // of our own page; another one is refused
	result, err := c.town.Record(ctx, q, actKey(ctx))
	switch {
	case err == nil:
		return c.toRecorded(w, r, result)
	case stale(err) && k.known:
		http.Redirect(w, r, "/counter/residents/"+string(k.person.Subject)+"?moved=on", http.StatusSeeOther)
		return nil
	case refuse(l, k.form, err):
		return c.showChange(w, r, s, http.StatusUnprocessableEntity, k, nil)
	}
	return err
}

// recordedBefore finds the entry of an arrival that was recorded already, when the form is sent again.
func (c *Counter) recordedBefore(r *http.Request, failed error) (api.ChangeResult, bool) {
	if jitsuin.CodeOf(failed) != "moving-certificate-missing" {
		return api.ChangeResult{}, false
	}
	person, err := c.town.Resident(r.Context(), idOf(r))
	if err != nil || person.State != jitsuin.Present {
		return api.ChangeResult{}, false
	}
	return api.ChangeResult{Change: jitsuin.Change{Subject: person.Subject}, Revision: person.Revision}, true
}

func (c *Counter) toRecorded(w http.ResponseWriter, r *http.Request, done api.ChangeResult) error {
	http.Redirect(w, r, "/counter/residents/"+string(done.Change.Subject)+"/recorded/"+strconv.FormatInt(done.Revision, 10), http.StatusSeeOther)
	return nil
}

// recorded shows a change that was recorded, with both its times, and what has become of the certificates.
func (c *Counter) recorded(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, id := r.Context(), idOf(r)
	list, err := c.town.DeskOf(ctx, id, "", 0) // first: its mark must not be newer than what is shown
	if err != nil {
		return err
	}
	person, err := c.town.Resident(ctx, id)
	if err != nil {
		return err
	}
	history, err := c.town.Changes(ctx, id)
	if err != nil {
		return err
	}
	for _, h := range history {
		if strconv.FormatInt(h.Revision, 10) != r.PathValue("revision") {
			continue
		}
		l := web.LangOf(r)
		return c.show(w, r, s, http.StatusOK, "recorded", map[string]any{"Person": person, "Entry": h, "Late": !h.NoticeDue.IsZero() && jitsuin.DateOf(h.RecordedAt).After(h.NoticeDue),
			"Items": compare(l, person.Items), "Certificates": c.certificatesOf(list.Cases), "Mark": list.Mark})
	}
	return jitsuin.Errorf(jitsuin.NotFound, "record-unknown", "nothing was recorded under that number")
}

// entries is where somebody is entered whom the register does not have.
func (c *Counter) entries(w http.ResponseWriter, r *http.Request, s session) error {
	list, err := c.town.Desk(r.Context(), "", 0)
	if err != nil {
		return err
	}
	return c.show(w, r, s, http.StatusOK, "entries", map[string]any{"Arrivals": c.arrivals(list.Arrivals), "Mark": list.Mark})
}
