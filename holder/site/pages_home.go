package site

import (
	"bytes"
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder"
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
	Card      string
	Path      string
	Form      *web.Form
	Kind      jitsuin.CertKind
	Other     jitsuin.CertKind
	TriesLeft int
	Missing   bool
}

func (s *Site) changePIN(w http.ResponseWriter, r *http.Request) error {
	id, err := jitsuin.ParseID(r.PathValue("card"))
	if err != nil {
		return jitsuin.Errorf(jitsuin.NotFound, "card-missing", "there is no such card here")
	}
	kind := jitsuin.AuthCert
	if r.URL.Query().Get("kind") == string(jitsuin.SignCert) {
		kind = jitsuin.SignCert
	}
	var wrong error
	var field string
	if r.Method == http.MethodPost {
		if field, wrong = s.takeChange(r, id, kind); wrong == nil {
			http.Redirect(w, r, "/?changed", http.StatusSeeOther)
			return nil
		}
		if field == "" {
			return wrong
		}
	}
	return s.changePage(w, r, id, kind, field, wrong)
}

// takeChange changes the PIN; field is where what is wrong is to be said, "" for no field.
func (s *Site) takeChange(r *http.Request, id jitsuin.ID, kind jitsuin.CertKind) (field string, err error) {
	c := &change{secret(r, "old_pin"), secret(r, "new_pin"), secret(r, "again_pin")}
	defer c.clear()
	if err := checkTyped(kind, c.old); err != nil {
		return "old_pin", err
	}
	if _, err := reader.NormalNewPIN(kind, jitsuin.PIN(c.fresh)); err != nil {
		return "new_pin", err
	}
	card, err := s.cards.Open(r.Context(), string(id))
	if err != nil {
		return "", err
	}
	defer card.Close()
	switch err = card.ChangePIN(r.Context(), kind, c); jitsuin.CodeOf(err) {
	case "pin-wrong":
		return "old_pin", err
	case "pin-differs":
		return "again_pin", err
	case "pin-form":
		return "new_pin", err
	}
	return "", err
}

func (s *Site) changePage(w http.ResponseWriter, r *http.Request, id jitsuin.ID, kind jitsuin.CertKind, field string, wrong error) error {
	card, err := s.cards.Open(r.Context(), string(id))
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
	label, err := s.cards.Label(id)
	if err != nil {
		return err
	}
	other := jitsuin.SignCert
	if kind == jitsuin.SignCert {
		other = jitsuin.AuthCert
	}
	p := changePage{Card: cardText(label, id), Path: "/cards/" + string(id) + "/pin", Kind: kind, Other: other, TriesLeft: status.Of(kind).TriesLeft, Missing: !status.Of(kind).Certificate,
		Form: web.NewForm(nil, pinField("old_pin", "holder.change.old", kind), pinField("new_pin", "holder.change.new", kind), pinField("again_pin", "holder.change.again", kind))}
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
