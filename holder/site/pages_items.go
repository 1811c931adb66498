package site

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

type itemsPINPage struct {
	about
	Form      *web.Form
	Items     []string
	TriesLeft int
	Again     bool
}

func (s *Site) showItemsPIN(w http.ResponseWriter, r *http.Request, f *flow) error {
	return s.itemsPINPage(w, r, f, nil)
}

func (s *Site) itemsPINPage(w http.ResponseWriter, r *http.Request, f *flow, wrong error) error {
	if f.stage() != "/items-pin" {
		return s.goOn(w, r, f)
	}
	if err := f.notExpired(); err != nil {
		return err
	}
	left, err := s.itemsTries(r.Context(), f)
	if err != nil {
		return err
	}
	field := pinField("pin", "holder.items.pin", jitsuin.AuthCert)
	p := itemsPINPage{about: s.about(f, "items"), Items: f.claims.Items, TriesLeft: left, Again: f.again, Form: web.NewForm(nil, field)}
	status := http.StatusOK
	if wrong != nil {
		noteWrongPIN(p.Form, "pin", wrong)
		status = http.StatusUnprocessableEntity
	}
	s.pages.Page(w, r, status, "itemspin", p)
	return nil
}

// itemsTries asks the card, which costs no try, and gives it back at once.
func (s *Site) itemsTries(ctx context.Context, f *flow) (int, error) {
	card, err := s.openCard(ctx, f.card)
	if err != nil {
		return 0, err
	}
	defer card.Close()
	return card.ItemsTries(ctx)
}

func (s *Site) takeItemsPIN(w http.ResponseWriter, r *http.Request, f *flow) error {
	pin := secret(r, "pin")
	if f.stage() != "/items-pin" {
		clear(pin)
		return s.goOn(w, r, f)
	}
	err := checkTyped(jitsuin.AuthCert, pin) // four digits, as that one
	if err == nil {
		err = s.readItems(r.Context(), f, pin)
	}
	switch jitsuin.CodeOf(err) {
	case "pin-wrong", "pin-form", "pin-missing", "pin-blocked":
		return s.itemsPINPage(w, r, f, err)
	}
	if err != nil {
		return err
	}
	f.again = false
	return s.goOn(w, r, f)
}

// shownItem is one item as the person sees it before it is sent.
type shownItem struct {
	Name    string
	Value   string
	Over    int  // of age_over_N
	Reached bool // the answer to it
}

type itemsPage struct {
	about
	Items   []shownItem
	Seconds int
}

func (s *Site) showItems(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() != "/items" {
		return s.goOn(w, r, f)
	}
	if err := f.notExpired(); err != nil {
		return err
	}
	p := itemsPage{about: s.about(f, "items"), Seconds: int(s.cfg.CardOpen.Seconds())}
	for _, name := range f.claims.Items {
		v := f.read.values[name]
		p.Items = append(p.Items, shownItem{Name: name, Value: v, Over: api.AgeOver(name), Reached: v == "true"})
	}
	s.pages.Page(w, r, http.StatusOK, "items", p)
	return nil
}

// takeItems is the consent, for this request alone.
func (s *Site) takeItems(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() == "/items" {
		if err := f.agree(); err != nil && jitsuin.CodeOf(err) != "items-closed" {
			return err
		}
	}
	return s.goOn(w, r, f)
}
