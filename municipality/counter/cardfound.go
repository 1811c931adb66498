package counter

import (
	"net/http"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// A card that was reported lost is found: the person is checked here, and J-LIS lifts the suspension (一時停止の解除). Nobody else can.

func (c *Counter) cardFoundRoutes() {
	c.handle("GET /counter/residents/{id}/card-found", c.cardFoundForm)
	c.handle("POST /counter/residents/{id}/card-found", c.cardFound)
}

func (c *Counter) showCardFound(w http.ResponseWriter, r *http.Request, s session, status int, person api.Resident, f *web.Form) error {
	done := r.URL.Query().Get("done")
	n, err := strconv.Atoi(done)
	if err != nil {
		n = 0
	}
	return c.show(w, r, s, status, "cardfound", map[string]any{"Person": person, "Form": f, "Done": err == nil, "Certificates": n,
		"Representative": rules.RepresentativeSetsPIN(holderOf(person), c.today())})
}

// livesHere gives a person who lives here now.
func (c *Counter) livesHere(r *http.Request) (api.Resident, error) {
	person, err := c.town.Resident(r.Context(), idOf(r))
	if err == nil && (person.State != jitsuin.Present || person.Municipality != c.code) {
		err = jitsuin.Errorf(jitsuin.Conflict, "not-resident", "the person does not live here")
	}
	return person, err
}

func (c *Counter) cardFoundForm(w http.ResponseWriter, r *http.Request, s session) error {
	person, err := c.livesHere(r)
	if err != nil {
		return err
	}
	return c.showCardFound(w, r, s, http.StatusOK, person, web.NewForm(nil, checkFields()...))
}

func (c *Counter) cardFound(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, err := web.ActOf(r)
	if err != nil {
		return err
	}
	person, err := c.livesHere(r)
	if err != nil {
		return err
	}
	f := web.NewForm(r.PostForm, checkFields()...)
	if f.Check() {
		found := api.FoundCard{Clerk: s.Clerk, Representative: rules.RepresentativeSetsPIN(holderOf(person), c.today()),
			Document: api.Document{Type: f.Get("type"), Number: f.Get("number"), Expires: f.Date("expires"), Items: itemsOf(f), FaceMatches: f.Get("face_matches") == "yes"}}
		out, err := c.town.CardFound(ctx, person.Subject, found, actKey(ctx))
		if err == nil {
			http.Redirect(w, r, "/counter/residents/"+string(person.Subject)+"/card-found?done="+strconv.Itoa(out.Certificates), http.StatusSeeOther)
			return nil
		}
		if !refuse(web.LangOf(r), f, err) {
			return err
		}
	}
	return c.showCardFound(w, r, s, http.StatusUnprocessableEntity, person, f)
}
