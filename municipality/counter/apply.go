package counter

import (
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// applying is an application that is being taken in (①).
type applying struct {
	person api.Resident
	kind   api.ApplicationType
	form   *web.Form
	// whyNot are the reasons for which the law keeps a kind of certificate from the person.
	whyNot map[jitsuin.CertKind]string
}

// applying reads who applies for what, and makes the form: filled from the register, to be compared
// with the paper form and corrected to what that says.
func (c *Counter) applying(r *http.Request, values map[string][]string) (applying, error) {
	a := applying{kind: api.ApplicationType(r.PathValue("type")), whyNot: map[jitsuin.CertKind]string{}}
	if a.kind != api.NewCard && a.kind != api.Reissue {
		return a, jitsuin.Errorf(jitsuin.NotFound, "application-type", "there is no such application")
	}
	var err error
	if a.person, err = c.town.Resident(r.Context(), idOf(r)); err != nil {
		return a, err
	}
	list, err := c.town.DeskOf(r.Context(), a.person.Subject, "", 0)
	if err != nil {
		return a, err
	}
	l, open := web.LangOf(r), openKinds(list.Cases)
	var fields []web.Field
	for _, kind := range jitsuin.CertKinds {
		switch err := rules.MayHold(kind, holderOf(a.person), c.today()); {
		case err != nil:
			a.whyNot[kind] = wordsOf(l, err)
		case open[kind] && values == nil: // what is sent is for the API to judge: it may be a second click
			a.whyNot[kind] = web.Text(l, "counter.why.open-case")
		default:
			fields = append(fields, web.Field{Name: string(kind), Label: "counter.kind." + string(kind), Kind: web.CheckField})
		}
	}
	if a.kind == api.Reissue {
		cards, err := c.onReader()
		if err != nil {
			return a, err
		}
		fields = append(fields, web.Field{Name: "card", Label: "counter.apply.card", Help: "counter.apply.card-help", Kind: web.ChoiceField, Need: true, Options: cards, Width: "medium"})
	}
	a.form = web.NewForm(values, append(fields, itemFields()...)...)
	if values == nil {
		fillItems(a.form, a.person.Items)
		if a.kind == api.NewCard {
			a.form.Set("sign", "yes")
			a.form.Set("auth", "yes")
		}
		a.form.Set("card", string(a.person.Card))
	}
	return a, nil
}

func (a applying) kinds() []jitsuin.CertKind {
	var kinds []jitsuin.CertKind
	for _, kind := range jitsuin.CertKinds {
		if a.whyNot[kind] == "" && a.form.Checked(string(kind)) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func (c *Counter) showApply(w http.ResponseWriter, r *http.Request, s session, status int, a applying) error {
	return c.show(w, r, s, status, "apply", map[string]any{"Person": a.person, "Type": a.kind, "Form": a.form, "WhyNot": a.whyNot,
		"Register": compare(web.LangOf(r), a.person.Items), "CardLabel": c.labelOf(a.person.Card)})
}

func (c *Counter) applyForm(w http.ResponseWriter, r *http.Request, s session) error {
	a, err := c.applying(r, nil)
	if err != nil {
		return err
	}
	return c.showApply(w, r, s, http.StatusOK, a)
}

// apply takes the application in and goes on with the check.
func (c *Counter) apply(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, err := web.ActOf(r)
	if err != nil {
		return err
	}
	a, err := c.applying(r, r.PostForm)
	if err != nil {
		return err
	}
	a.form.Check()
	kinds := a.kinds()
	if len(kinds) == 0 {
		a.form.Wrong("sign", "counter.apply.no-kind")
	}
	items := itemsOf(a.form)
	if a.form.OK() {
		one, err := c.town.Apply(ctx, api.NewApplication{Type: a.kind, Subject: a.person.Subject, Items: items, Kinds: kinds,
			Card: jitsuin.ID(a.form.Get("card")), Clerk: s.Clerk}, actKey(ctx))
		if err == nil {
			http.Redirect(w, r, "/counter/cases/"+string(one.ID)+"/check", http.StatusSeeOther)
			return nil
		}
		if !refuse(web.LangOf(r), a.form, err) {
			return err
		}
	}
	return c.showApply(w, r, s, http.StatusUnprocessableEntity, a)
}
