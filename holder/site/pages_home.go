package site

import (
	"bytes"
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/phone"
	"github.com/jitsuin/jitsuin/internal/web"
)

type homePage struct {
	Cards   []homeCard
	Lately  []past
	Changed bool
}

type homeCard struct {
	ID    jitsuin.ID
	Text  string
	Keys  []holder.KeyStatus
	InUse bool
}

func (s *Site) home(w http.ResponseWriter, r *http.Request) error {
	listed, err := s.cards.List(r.Context())
	if err != nil && jitsuin.CodeOf(err) != "card-missing" {
		return err
	}
	p := homePage{Changed: r.URL.Query().Has("changed")}
	for _, l := range listed {
		label, err := s.cards.Label(l.ID)
		if err != nil {
			return err
		}
		p.Cards = append(p.Cards, homeCard{ID: l.ID, Text: cardText(label, l.ID), Keys: l.Status.Keys[:], InUse: l.Err != nil})
	}
	if p.Lately, err = s.lately(r.Context()); err != nil {
		return err
	}
	s.pages.Page(w, r, http.StatusOK, "home", p)
	return nil
}

// change is what a person typed to change a PIN.
type change struct{ old, fresh, again []byte }

func (c *change) PIN(_ context.Context, q holder.Question) ([]byte, error) {
	switch q.Role {
	case holder.New:
		return bytes.Clone(c.fresh), nil
	case holder.Again:
		return bytes.Clone(c.again), nil
	}
	return bytes.Clone(c.old), nil
}

func (*change) Confirms() bool { return true }

func (c *change) clear() { clear(c.old); clear(c.fresh); clear(c.again) }

type changePage struct {
	Card      string // or telephone, as a person calls it
	Phone     bool
	Path      string
	Form      *web.Form
	Kind      jitsuin.CertKind
	Other     jitsuin.CertKind
	TriesLeft int
	Missing   bool
}

// changing is whose PIN is changed, and which.
type changing struct {
	name  string // for openCard
	label string
	path  string
	back  string // where to go when it is done
	phone *phone.Phone
	kind  jitsuin.CertKind
}

// whatChanges reads the address of a page that changes a PIN.
func (s *Site) whatChanges(r *http.Request) (c changing, err error) {
	c.kind = jitsuin.AuthCert
	if r.URL.Query().Get("kind") == string(jitsuin.SignCert) {
		c.kind = jitsuin.SignCert
	}
	if named := r.PathValue("phone"); named != "" {
		if c.phone, err = phone.Find(s.phones(), jitsuin.ID(named)); err != nil {
			return c, err
		}
		i, err := c.phone.Info()
		c.name, c.label, c.path, c.back = phonePrefix+named, i.Label, "/phones/"+named+"/pin", "/phones"
		return c, err
	}
	id, err := jitsuin.ParseID(r.PathValue("card"))
	if err != nil {
		return c, jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no such card here")
	}
	c.name, c.path, c.back = string(id), "/cards/"+string(id)+"/pin", "/"
	label, err := s.cards.Label(id)
	c.label = cardText(label, id)
	return c, err
}

func (s *Site) changePIN(w http.ResponseWriter, r *http.Request) error {
	c, err := s.whatChanges(r)
	if err != nil {
		return err
	}
	var wrong error
	var field string
	if r.Method == http.MethodPost {
		if field, wrong = s.takeChange(r, c); wrong == nil {
			http.Redirect(w, r, c.back+"?changed", http.StatusSeeOther)
			return nil
		}
		if field == "" {
			return wrong
		}
	}
	return s.changePage(w, r, c, field, wrong)
}

// takeChange changes the PIN; field is where what is wrong is to be said, "" for no field.
func (s *Site) takeChange(r *http.Request, c changing) (field string, err error) {
	typed := &change{secret(r, "old_pin"), secret(r, "new_pin"), secret(r, "again_pin")}
	defer typed.clear()
	if err := checkTyped(c.kind, typed.old); err != nil {
		return "old_pin", err
	}
	if _, err := reader.NormalNewPIN(c.kind, jitsuin.PIN(typed.fresh)); err != nil {
		return "new_pin", err
	}
	card, err := s.openCard(r.Context(), c.name)
	if err != nil {
		return "", err
	}
	defer card.Close()
	change := func() error { return card.ChangePIN(r.Context(), c.kind, typed) }
	if c.phone == nil {
		err = change()
	} else if err = c.phone.Reseal(c.kind, typed.fresh, change); err == nil {
		err = c.phone.Known()
	}
	switch jitsuin.CodeOf(err) {
	case "pin-wrong", "pin-blocked":
		return "old_pin", err
	case "pin-differs":
		return "again_pin", err
	case "pin-form":
		return "new_pin", err
	}
	return "", err
}

func (s *Site) changePage(w http.ResponseWriter, r *http.Request, c changing, field string, wrong error) error {
	card, err := s.openCard(r.Context(), c.name)
	if err != nil {
		return err
	}
	status, err := card.Status(r.Context())
	if closing := card.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	other := jitsuin.SignCert
	if c.kind == jitsuin.SignCert {
		other = jitsuin.AuthCert
	}
	key := status.Of(c.kind)
	p := changePage{Card: c.label, Phone: c.phone != nil, Path: c.path, Kind: c.kind, Other: other, TriesLeft: key.TriesLeft, Missing: !key.Certificate,
		Form: web.NewForm(nil, pinField("old_pin", "holder.change.old", c.kind), pinField("new_pin", "holder.change.new", c.kind), pinField("again_pin", "holder.change.again", c.kind))}
	code := http.StatusOK
	if wrong != nil {
		code = http.StatusUnprocessableEntity
		if jitsuin.CodeOf(wrong) == "pin-differs" {
			p.Form.Wrong(field, "holder.change.differs")
		} else {
			noteWrongPIN(p.Form, field, wrong)
		}
	}
	s.pages.Page(w, r, code, "change", p)
	return nil
}
