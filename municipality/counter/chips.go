package counter

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/municipality/terminal"
	"github.com/jitsuin/jitsuin/rules"
)

func (c *Counter) chipRoutes() {
	c.handle("GET /counter/cases/{id}/handover", c.handoverForm)
	c.handle("POST /counter/cases/{id}/handover", c.handover)
	c.handle("GET /counter/cases/{id}/card", c.cardForm)
	c.handle("POST /counter/cases/{id}/card", c.card)
	c.handle("GET /counter/cases/{id}/pins", c.pinForm)
	c.handle("POST /counter/cases/{id}/pins", c.pins)
	c.handle("GET /counter/cases/{id}/finished", c.finished)
}

// chipTime bounds an act with a chip, J-LIS's part of a re-issue included.
const chipTime = time.Minute

// confirmation is the clerk's word that the person at the counter is the applicant.
func confirmation(values map[string][]string) *web.Form {
	return web.NewForm(values, web.Field{Name: "confirmed", Label: "counter.handover.confirmed", Kind: web.CheckField, Need: true})
}

func (c *Counter) showHandover(w http.ResponseWriter, r *http.Request, s session, status int, one api.Case, f *web.Form) error {
	person, err := c.town.Resident(r.Context(), one.Subject)
	if err != nil {
		return err
	}
	return c.show(w, r, s, status, "handover", map[string]any{"Case": one, "Steps": stepsOf(one.Application), "Rows": compare(web.LangOf(r), person.Items), "Form": f,
		"Gone": person.State != jitsuin.Present || person.Municipality != c.code, "State": person.State,
		"Representative": rules.RepresentativeSetsPIN(holderOf(person), c.today())})
}

func (c *Counter) handoverForm(w http.ResponseWriter, r *http.Request, s session) error {
	one, err := c.town.Case(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	if one.State != api.Ready {
		return movedOn(w, r, one.ID)
	}
	return c.showHandover(w, r, s, http.StatusOK, one, confirmation(nil))
}

// handover takes the clerk's word and turns the screen.
func (c *Counter) handover(w http.ResponseWriter, r *http.Request, s session) error {
	one, err := c.town.Case(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	if one.State != api.Ready {
		return movedOn(w, r, one.ID)
	}
	f := confirmation(r.PostForm)
	if !f.Check() {
		return c.showHandover(w, r, s, http.StatusUnprocessableEntity, one, f)
	}
	return c.turn(w, r, s, one.ID)
}

// turn remembers whom the clerk has recognised, and leads to the page for the resident.
func (c *Counter) turn(w http.ResponseWriter, r *http.Request, s session, id jitsuin.ID) error {
	s.Confirmed = id
	if err := c.sessions.Put(r, s); err != nil {
		return err
	}
	http.Redirect(w, r, "/counter/cases/"+string(id)+"/pins", http.StatusSeeOther)
	return nil
}

// cardFields ask for the card on the reader, and whether PINs are set anew.
func (c *Counter) cardFields(values map[string][]string) (*web.Form, error) {
	cards, err := c.onReader()
	return web.NewForm(values,
		web.Field{Name: "card", Label: "counter.card.on-reader", Help: "counter.card.on-reader-help", Kind: web.ChoiceField, Need: true, Options: cards, Width: "medium"},
		web.Field{Name: "pins", Label: "counter.card.pins", Kind: web.RadioField, Need: true, Options: []web.Option{
			{Value: "keep", Label: "counter.card.pins-keep"}, {Value: "new", Label: "counter.card.pins-new"}}}), err
}

func (c *Counter) showCard(w http.ResponseWriter, r *http.Request, s session, status int, one api.Case, f *web.Form) error {
	return c.show(w, r, s, status, "card", map[string]any{"Case": one, "Steps": stepsOf(one.Application), "Form": f, "CardLabel": c.labelOf(one.Card)})
}

// awaitsCard tells whether a re-issue is at the point where the card lies on the reader.
func awaitsCard(one api.Case) bool {
	return one.Type == api.Reissue && (one.State == api.Checked || one.State == api.Notified || one.State == api.Delivered)
}

func (c *Counter) cardForm(w http.ResponseWriter, r *http.Request, s session) error {
	one, err := c.town.Case(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	if !awaitsCard(one) {
		return movedOn(w, r, one.ID)
	}
	f, err := c.cardFields(nil)
	if err != nil {
		return err
	}
	f.Set("card", string(one.Card))
	return c.showCard(w, r, s, http.StatusOK, one, f)
}

// card makes keys in the card, has J-LIS issue, and writes the certificates; or turns the screen first.
func (c *Counter) card(w http.ResponseWriter, r *http.Request, s session) error {
	one, err := c.town.Case(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	if !awaitsCard(one) {
		return movedOn(w, r, one.ID)
	}
	f, err := c.cardFields(r.PostForm)
	if err != nil {
		return err
	}
	f.Check()
	if card := f.Get("card"); f.OK() && card != string(one.Card) {
		f.Wrong("card", "counter.code.card-differs")
	}
	if !f.OK() {
		return c.showCard(w, r, s, http.StatusUnprocessableEntity, one, f)
	}
	if f.Get("pins") == "new" {
		return c.turn(w, r, s, one.ID)
	}
	err = c.withChip(r.Context(), s, one, nil)
	switch {
	case err == nil || jitsuin.KindOf(err) == jitsuin.Denied: // done, or J-LIS has refused: the case says which
		http.Redirect(w, r, "/counter/cases/"+string(one.ID), http.StatusSeeOther)
		return nil
	case refuse(web.LangOf(r), f, err):
		return c.showCard(w, r, s, http.StatusUnprocessableEntity, one, f)
	}
	return err
}

// withChip does the act with the chip: hands a new card over, or writes new certificates into the card
// on the reader. A second click waits for the first and finds the case done.
func (c *Counter) withChip(ctx context.Context, s session, one api.Case, pins terminal.PINs) error {
	ctx, cancel := context.WithTimeout(ctx, chipTime)
	defer cancel()
	unlock, err := c.acts.lock(ctx, one.ID)
	if err != nil {
		return err
	}
	defer unlock()
	t, err := c.terminal(ctx, s.Clerk)
	if err != nil {
		return err
	}
	if one.Type == api.NewCard {
		done, err := t.HandOver(ctx, one.ID, pins)
		if err != nil {
			return err
		}
		return c.print(done.Card, one.Name)
	}
	ch, err := c.lay(ctx, one.Card)
	if err != nil {
		return err
	}
	_, err = t.Reissue(ctx, one.ID, ch, pins)
	return errors.Join(err, ch.Close())
}

// pinField is the name of a PIN's field. What begins so is masked wherever a request is remembered.
func pinField(kind jitsuin.CertKind) string { return "pin_" + string(kind) }

// pinFields ask for each PIN twice.
func pinFields(kinds []jitsuin.CertKind, values map[string][]string) *web.Form {
	var fields []web.Field
	for _, kind := range kinds {
		key := "counter.pins." + string(kind)
		most := 16
		if kind == jitsuin.AuthCert {
			most = 4
		}
		fields = append(fields, web.Field{Name: pinField(kind), Label: key, Help: key + "-help", Kind: web.SecretField, Need: true, Max: most, Numeric: kind == jitsuin.AuthCert, Width: "medium"},
			web.Field{Name: pinField(kind) + "_again", Label: key + "-again", Kind: web.SecretField, Need: true, Max: most, Numeric: kind == jitsuin.AuthCert, Width: "medium"})
	}
	return web.NewForm(values, fields...)
}

// facing reads the case whose applicant the clerk has recognised; ok is false where the page is not for
// now, and an answer was given.
func (c *Counter) facingCase(w http.ResponseWriter, r *http.Request, s session) (one api.Case, ok bool, err error) {
	if one, err = c.town.Case(r.Context(), idOf(r)); err != nil {
		return one, false, err
	}
	back := "/counter/cases/" + string(one.ID)
	switch {
	case one.State == api.Done && s.Confirmed == one.ID:
		http.Redirect(w, r, back+"/finished", http.StatusSeeOther)
	case one.State != api.Ready && !awaitsCard(one):
		return one, false, movedOn(w, r, one.ID)
	case s.Confirmed != one.ID && one.Type == api.NewCard:
		http.Redirect(w, r, back+"/handover", http.StatusSeeOther)
	case s.Confirmed != one.ID:
		http.Redirect(w, r, back+"/card", http.StatusSeeOther)
	default:
		return one, true, nil
	}
	return one, false, nil
}

func (c *Counter) showPINs(w http.ResponseWriter, r *http.Request, status int, one api.Case, f *web.Form) error {
	person, err := c.town.Resident(r.Context(), one.Subject)
	if err != nil {
		return err
	}
	return c.turned(w, r, status, "pins", map[string]any{"Case": one, "Form": f, "Representative": rules.RepresentativeSetsPIN(holderOf(person), c.today())})
}

func (c *Counter) pinForm(w http.ResponseWriter, r *http.Request, s session) error {
	one, ok, err := c.facingCase(w, r, s)
	if err != nil || !ok {
		return err
	}
	return c.showPINs(w, r, http.StatusOK, one, pinFields(one.Kinds, nil))
}

// pins sets what the resident has typed. The form of each PIN is checked before the chip sees any; what
// was typed is in this request and nowhere else.
func (c *Counter) pins(w http.ResponseWriter, r *http.Request, s session) error {
	if _, err := web.ActOf(r); err != nil {
		return err
	}
	one, ok, err := c.facingCase(w, r, s)
	if err != nil || !ok {
		return err
	}
	f := pinFields(one.Kinds, r.PostForm)
	f.Check()
	typed := map[jitsuin.CertKind]jitsuin.PIN{}
	for _, kind := range one.Kinds {
		typed[kind] = checkPIN(web.LangOf(r), f, kind)
	}
	if !f.OK() {
		return c.showPINs(w, r, http.StatusUnprocessableEntity, one, f)
	}
	err = c.withChip(r.Context(), s, one, func(kind jitsuin.CertKind) (jitsuin.PIN, error) { return typed[kind], nil })
	if err != nil {
		if jitsuin.KindOf(err) == jitsuin.Denied {
			return movedOn(w, r, one.ID)
		}
		if refuse(web.LangOf(r), f, err) {
			return c.showPINs(w, r, http.StatusConflict, one, f)
		}
		return err
	}
	http.Redirect(w, r, "/counter/cases/"+string(one.ID)+"/finished", http.StatusSeeOther)
	return nil
}

// checkPIN notes what is wrong with a PIN and its repetition, without a word of what was typed. A password
// is taken in upper case, as the card has it.
func checkPIN(l web.Lang, f *web.Form, kind jitsuin.CertKind) jitsuin.PIN {
	typed := jitsuin.PIN(f.Get(pinField(kind)))
	pin, err := reader.NormalNewPIN(kind, typed)
	if typed != "" && err != nil {
		if rule, known := rules.PINOf(rules.PINKind(kind)); known == nil {
			f.WrongText(pinField(kind), pickText(l, rule.Text))
		}
		return ""
	}
	if again := f.Get(pinField(kind) + "_again"); again != "" && !strings.EqualFold(again, typed.Reveal()) {
		f.Wrong(pinField(kind)+"_again", "counter.pins.differ")
	}
	return pin
}

// finished tells the resident that all is done.
func (c *Counter) finished(w http.ResponseWriter, r *http.Request, _ session) error {
	one, err := c.town.Case(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	if one.State != api.Done {
		return movedOn(w, r, one.ID)
	}
	lost, err := c.lostWith(r.Context(), one)
	if err != nil {
		return err
	}
	return c.turned(w, r, http.StatusOK, "finished", map[string]any{"Case": one, "Sign": slices.Contains(one.Kinds, jitsuin.SignCert), "Lost": lost})
}
