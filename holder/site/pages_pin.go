package site

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/phone"
	"github.com/jitsuin/jitsuin/internal/web"
)

type pinPage struct {
	about
	Form      *web.Form
	Kind      jitsuin.CertKind
	TriesLeft int
	Again     bool          // the card was open before and was closed
	Missing   bool          // the card carries no certificate for the key
	Phone     bool          // a telephone, no card
	Sensor    *phone.Sensor // of a telephone; nil for none
	Unknown   bool          // the sensor has just not recognised the person
}

// pinField asks for the PIN of a kind. A wrong one is never written back.
func pinField(name, label string, kind jitsuin.CertKind) web.Field {
	return web.Field{Name: name, Label: label, Help: "holder.pin.help-" + string(kind), Kind: web.SecretField, Need: true, Max: 64, Width: "narrow", Numeric: kind == jitsuin.AuthCert}
}

func (s *Site) showPIN(w http.ResponseWriter, r *http.Request, f *flow) error {
	return s.pinPage(w, r, f, nil)
}

func (s *Site) pinPage(w http.ResponseWriter, r *http.Request, f *flow, wrong error) error {
	if f.stage() != "/pin" {
		return s.goOn(w, r, f)
	}
	if err := f.notExpired(); err != nil {
		return err
	}
	key, err := s.keyStatus(r.Context(), f)
	if err != nil {
		return err
	}
	p := pinPage{about: s.about(f, "pin"), Kind: f.kind(), TriesLeft: key.TriesLeft, Again: f.again, Missing: !key.Certificate, Phone: strings.HasPrefix(f.card, phonePrefix),
		Form: web.NewForm(nil, pinField("pin", "holder.pin.label-"+string(f.kind()), f.kind()))}
	status := http.StatusOK
	if p.Sensor, err = s.sensorOf(f); err != nil {
		return err
	}
	if p.Unknown = jitsuin.CodeOf(wrong) == "sensor-unknown"; p.Unknown || jitsuin.CodeOf(wrong) == "sensor-locked" || jitsuin.CodeOf(wrong) == "sensor-off" {
		status = http.StatusUnprocessableEntity
	} else if wrong != nil {
		noteWrongPIN(p.Form, "pin", wrong)
		status = http.StatusUnprocessableEntity
	}
	s.pages.Page(w, r, status, "pin", p)
	return nil
}

// noteWrongPIN says at the field what the card, or the form of what was typed, has against it.
func noteWrongPIN(form *web.Form, field string, err error) {
	switch jitsuin.CodeOf(err) {
	case "pin-wrong":
		form.Wrong(field, "holder.pin.wrong", "left", triesOf(err))
	case "pin-missing":
		form.Wrong(field, "common.form.missing")
	case "pin-blocked": // the page says so in the place of the field
	default:
		form.Wrong(field, "holder.pin.form")
	}
}

// triesOf says how often the PIN of an error may still be wrong.
func triesOf(err error) int {
	if e, ok := errors.AsType[*reader.PINError](err); ok {
		return e.TriesLeft
	}
	return 0
}

// keyStatus asks the card, which costs no try, and gives it back at once.
func (s *Site) keyStatus(ctx context.Context, f *flow) (holder.KeyStatus, error) {
	card, err := s.openCard(ctx, f.card)
	if err != nil {
		return holder.KeyStatus{}, err
	}
	status, err := card.Status(ctx)
	if closing := card.Close(); err == nil {
		err = closing
	}
	return status.Of(f.kind()), err
}

// secret takes a PIN out of a form, so that nothing that looks at the form later finds it.
func secret(r *http.Request, name string) []byte {
	if apart, ok := r.Context().Value(secretsKey{}).(secrets); ok {
		return apart[name] // overwritten when the page is made, too
	}
	pin := []byte(r.PostForm.Get(name))
	r.PostForm.Del(name)
	r.Form.Del(name)
	return pin
}

// checkTyped refuses what cannot be a PIN before the card sees it.
func checkTyped(kind jitsuin.CertKind, pin []byte) error {
	if len(pin) == 0 {
		return jitsuin.Errorf(jitsuin.Invalid, "pin-missing", "no PIN was typed")
	}
	return holder.CheckPIN(kind, pin)
}

func (s *Site) takePIN(w http.ResponseWriter, r *http.Request, f *flow) error {
	pin := secret(r, "pin")
	if f.stage() != "/pin" {
		clear(pin)
		return s.goOn(w, r, f)
	}
	err := checkTyped(f.kind(), pin)
	if err == nil {
		err = s.unlock(r.Context(), f, pin)
	}
	if err == nil {
		err = s.pinShown(f)
	}
	switch jitsuin.CodeOf(err) {
	case "pin-wrong", "pin-form", "pin-missing", "pin-blocked":
		return s.pinPage(w, r, f, err)
	}
	if err != nil {
		return err
	}
	return s.afterPIN(w, r, f)
}

// afterPIN goes on with a card that is open: a login is answered at once, a document is read first.
func (s *Site) afterPIN(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.kind() == jitsuin.AuthCert && f.stage() == "/read" {
		if err := s.finish(r.Context(), f, test{}); err != nil {
			return err
		}
	}
	return s.goOn(w, r, f)
}
