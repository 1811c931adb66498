package counter

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// The free area (空き領域) of a resident's card at the counter: the town's seal-registration application (印鑑登録証) is laid on
// it and taken off.

func (c *Counter) freeAreaRoutes() {
	c.handle("GET /counter/residents/{id}/free-area", c.freeAreaForm)
	c.handle("POST /counter/residents/{id}/free-area", c.freeArea)
}

// freeAreaFields ask for the card on the reader and what is to be done.
func (c *Counter) freeAreaFields(values map[string][]string) (*web.Form, error) {
	cards, err := c.onReader()
	return web.NewForm(values,
		web.Field{Name: "card", Label: "counter.card.on-reader", Help: "counter.card.on-reader-help", Kind: web.ChoiceField, Need: true, Options: cards, Width: "medium"},
		web.Field{Name: "what", Label: "counterfree.what", Kind: web.RadioField, Need: true, Options: []web.Option{
			{Value: "load", Label: "counterfree.load"}, {Value: "delete", Label: "counterfree.delete"}}}), err
}

func (c *Counter) showFreeArea(w http.ResponseWriter, r *http.Request, s session, status int, person api.Resident, f *web.Form) error {
	ordinances, err := c.town.Ordinances(r.Context())
	if err != nil {
		return err
	}
	cards, err := c.town.SealCards(r.Context(), person.Subject)
	if err != nil {
		return err
	}
	inForce := slices.DeleteFunc(ordinances, func(o api.Ordinance) bool { return !o.InForceOn(c.today()) })
	for i, o := range inForce {
		if web.LangOf(r) == web.EN && o.NameEN != "" {
			inForce[i].Name = o.NameEN
		}
	}
	done := r.URL.Query().Get("done")
	if done != "load" && done != "delete" {
		done = ""
	}
	return c.show(w, r, s, status, "freearea", map[string]any{"Person": person, "Form": f, "Ordinances": inForce, "Cards": cards, "CardLabel": c.labelOf(person.Card),
		"Done": done, "Reader": c.config.Reader != ""})
}

// cardHolder gives a person of this town who has a card.
func (c *Counter) cardHolder(r *http.Request) (api.Resident, error) {
	person, err := c.town.Resident(r.Context(), idOf(r))
	if err == nil && (person.State != jitsuin.Present || person.Municipality != c.code) {
		err = jitsuin.Errorf(jitsuin.Conflict, "not-resident", "the person does not live here")
	}
	if err == nil && person.Card == "" {
		err = jitsuin.Errorf(jitsuin.Conflict, "no-card", "the person has no card that was handed over or presented here")
	}
	return person, err
}

func (c *Counter) freeAreaForm(w http.ResponseWriter, r *http.Request, s session) error {
	person, err := c.cardHolder(r)
	if err != nil {
		return err
	}
	f, err := c.freeAreaFields(nil)
	if err != nil {
		return err
	}
	f.Set("card", string(person.Card))
	return c.showFreeArea(w, r, s, http.StatusOK, person, f)
}

// freeArea lays the application on the card or takes it off. Both may be done again: what was interrupted is begun anew.
func (c *Counter) freeArea(w http.ResponseWriter, r *http.Request, s session) error {
	person, err := c.cardHolder(r)
	if err != nil {
		return err
	}
	f, err := c.freeAreaFields(r.PostForm)
	if err != nil {
		return err
	}
	f.Check()
	if card := f.Get("card"); f.OK() && card != string(person.Card) {
		f.Wrong("card", "counter.code.card-differs")
	}
	if !f.OK() {
		return c.showFreeArea(w, r, s, http.StatusUnprocessableEntity, person, f)
	}
	switch err := c.withFreeArea(r.Context(), s, person, f.Get("what") == "load"); {
	case err == nil:
		http.Redirect(w, r, "/counter/residents/"+string(person.Subject)+"/free-area?done="+f.Get("what"), http.StatusSeeOther)
		return nil
	case refuse(web.LangOf(r), f, err):
		return c.showFreeArea(w, r, s, http.StatusConflict, person, f)
	default:
		return err
	}
}

func (c *Counter) withFreeArea(ctx context.Context, s session, person api.Resident, load bool) error {
	ctx, cancel := context.WithTimeout(ctx, chipTime)
	defer cancel()
	unlock, err := c.acts.lock(ctx, person.Card)
	if err != nil {
		return err
	}
	defer unlock()
	t, err := c.terminal(ctx, s.Clerk)
	if err != nil {
		return err
	}
	ch, err := c.lay(ctx, person.Card)
	if err != nil {
		return err
	}
	if load {
		_, err = t.LoadSeal(ctx, person.Subject, ch)
	} else {
		err = t.DeleteSeal(ctx, person.Subject, ch)
	}
	return errors.Join(err, ch.Close())
}

// lostWith tells whether the person of a finished case for a new card had the application on an earlier one.
func (c *Counter) lostWith(ctx context.Context, one api.Case) (bool, error) {
	if one.Type != api.NewCard {
		return false, nil
	}
	cards, err := c.town.SealCards(ctx, one.Subject)
	return len(cards) > 0 && cards[0].State == api.SealLost, err
}
