package site

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/form"
)

// inputName is the name of a field of the stranger's form in ours.
func inputName(field string) string { return "v-" + field }

// inputs makes our form from the fields that the person fills in.
func (f *flow) inputs(l web.Lang, r *http.Request) *web.Form {
	var fields []web.Field
	for _, d := range f.form.Fields {
		if d.From != form.FromPerson {
			continue
		}
		one := web.Field{Name: inputName(d.Name), LabelText: pair(d.Label).In(l), Kind: web.TextField, Need: d.Required, Max: d.Max}
		if d.Help != nil {
			one.HelpText = pair(*d.Help).In(l)
		}
		for _, o := range d.Options {
			one.Kind = web.ChoiceField
			one.Options = append(one.Options, web.Option{Value: o.Value, Text: pair(o.Label).In(l)})
		}
		fields = append(fields, one)
	}
	return web.NewForm(r.PostForm, fields...)
}

func (s *Site) showForm(w http.ResponseWriter, r *http.Request, f *flow) error {
	if stage := f.stage(); f.form == nil || stage != "/form" && stage != "/read" {
		return s.goOn(w, r, f)
	}
	in := f.inputs(web.LangOf(r), r)
	for name, value := range f.typed {
		in.Set(inputName(name), value)
	}
	return s.formPage(w, r, f, in, http.StatusOK)
}

func (s *Site) formPage(w http.ResponseWriter, r *http.Request, f *flow, in *web.Form, status int) error {
	p := formPage{about: s.about(f, "form"), Form: in, Title: pair(f.form.Title), Intro: pair(f.form.Intro)}
	for _, d := range f.form.Fields {
		if d.From == form.FromPerson {
			continue
		}
		p.Known = append(p.Known, known{pair(d.Label), form.Shown(d, f.open.items)})
	}
	s.pages.Page(w, r, status, "form", p)
	return nil
}

func (s *Site) takeForm(w http.ResponseWriter, r *http.Request, f *flow) error {
	if stage := f.stage(); f.form == nil || stage != "/form" && stage != "/read" {
		if f.form != nil && stage == "/pin" { // the card was closed meanwhile: what was typed is kept
			f.typed, f.signed = f.takeTyped(r), nil
		}
		return s.goOn(w, r, f)
	}
	err := s.fill(f, f.takeTyped(r))
	if jitsuin.CodeOf(err) == "form-values" {
		in := f.inputs(web.LangOf(r), r)
		for _, p := range form.ProblemsOf(err) {
			switch p.Code {
			case "missing":
				in.Wrong(inputName(p.Field), "common.form.missing")
			case "long":
				in.Wrong(inputName(p.Field), "common.form.long", "max", p.Max)
			case "choice":
				in.Wrong(inputName(p.Field), "common.form.choice")
			default:
				in.Wrong(inputName(p.Field), "holder.form.characters")
			}
		}
		return s.formPage(w, r, f, in, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return s.goOn(w, r, f)
}

func (f *flow) takeTyped(r *http.Request) map[string]string {
	typed := map[string]string{}
	for _, d := range f.form.Fields {
		if v := r.PostForm.Get(inputName(d.Name)); d.From == form.FromPerson && v != "" {
			typed[d.Name] = v
		}
	}
	return typed
}

type readPage struct {
	about
	Lines   []form.Line // of a form
	IsForm  bool
	Text    string // of a text
	Blind   bool   // a digest alone: nothing to read
	Size    string // of a plain document
	Digest  string
	Seconds int // that the card stays open
	Test    *web.Form
}

func (s *Site) showRead(w http.ResponseWriter, r *http.Request, f *flow) error {
	return s.readPage(w, r, f, nil)
}

func (s *Site) readPage(w http.ResponseWriter, r *http.Request, f *flow, wrong error) error {
	if f.stage() != "/read" {
		return s.goOn(w, r, f)
	}
	sum := sha256.Sum256(f.signed)
	p := readPage{about: s.about(f, "read"), IsForm: f.form != nil, Size: strconv.Itoa((len(f.signed) + 1023) / 1024), Digest: hex.EncodeToString(sum[:]), Seconds: int(s.cfg.CardOpen.Seconds())}
	for _, d := range f.claims.Documents {
		switch d.MediaType {
		case api.MediaTypeText:
			p.Text = string(f.signed)
		case api.MediaTypeDigest:
			p.Blind, p.Digest = true, hex.EncodeToString(d.SHA256)
		}
	}
	if f.form != nil {
		var err error
		if p.Lines, err = f.lines(); err != nil {
			return err
		}
	}
	status := http.StatusOK
	if s.cfg.Sandbox {
		p.Test = f.testForm(r)
		if wrong != nil {
			noteWrongPIN(p.Test, "wrong_pin", wrong)
			status = http.StatusUnprocessableEntity
		}
	}
	s.pages.Page(w, r, status, "read", p)
	return nil
}

// testForm lets a tester choose how the answer goes wrong.
func (f *flow) testForm(r *http.Request) *web.Form {
	var options []web.Option
	for _, one := range f.faults() {
		options = append(options, web.Option{Value: string(one), Label: "holder.fault." + string(one)})
	}
	pin := pinField("wrong_pin", "holder.fault.pin", jitsuin.AuthCert)
	pin.Need, pin.Help = false, "holder.fault.pin-help"
	return web.NewForm(r.PostForm, web.Field{Name: "fault", Label: "holder.fault.label", Kind: web.ChoiceField, Options: options}, pin)
}

func (s *Site) takeRead(w http.ResponseWriter, r *http.Request, f *flow) error {
	wanted, pin := fault(r.PostForm.Get("fault")), secret(r, "wrong_pin")
	defer clear(pin)
	if f.stage() != "/read" {
		return s.goOn(w, r, f)
	}
	if err := s.checkFault(f, wanted); err != nil {
		return err
	}
	if wanted == faultWrongKind {
		if err := checkTyped(jitsuin.AuthCert, pin); err != nil {
			return s.readPage(w, r, f, err)
		}
	}
	err := s.finish(r.Context(), f, test{wanted, pin})
	if code := jitsuin.CodeOf(err); code == "card-closed" {
		return s.goOn(w, r, f) // to the page that asks for the PIN again
	}
	if err != nil {
		return err
	}
	return s.goOn(w, r, f)
}

// showDocument gives the very bytes that are signed.
func (s *Site) showDocument(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.signed == nil {
		return jitsuin.Errorf(jitsuin.NotFound, "flow-document", "there is no document yet")
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", "attachment; filename=document.pdf") // a stranger's PDF is not opened at our origin
	if f.form != nil {
		h.Set("Content-Disposition", "inline; filename=document.pdf")
	}
	w.Write(f.signed)
	return nil
}
