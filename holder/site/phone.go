package site

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/phone"
	"github.com/jitsuin/jitsuin/internal/web"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
	"github.com/jitsuin/jitsuin/signature/pades"
)

// The person's telephones (スマートフォン用電子証明書): enrolled here with a card, and used in the place of one.

// phonePrefix begins the name of a telephone where a card is named.
const phonePrefix = "phone:"

// phones is the folder of the telephones.
func (s *Site) phones() string { return filepath.Join(s.Config.State, "phones") }

// openCard opens what a name means: a card, or a telephone.
func (s *Site) openCard(ctx context.Context, name string) (*holder.Card, error) {
	p, err := s.phoneNamed(name)
	if err != nil {
		return nil, err
	}
	if p != nil {
		name = p.Dir()
	}
	return s.cards.Open(ctx, name)
}

// phoneNamed gives the telephone that a name means; nil for a card's.
func (s *Site) phoneNamed(name string) (*phone.Phone, error) {
	id, is := strings.CutPrefix(name, phonePrefix)
	if !is {
		return nil, nil
	}
	return phone.Find(s.phones(), jitsuin.ID(id))
}

// phoneChoices are the telephones that may be chosen for a request.
func (s *Site) phoneChoices() (all []choice, err error) {
	have, err := phone.All(s.phones())
	for _, i := range have {
		all = append(all, choice{phonePrefix + string(i.ID), i.Label, cardText(i.Label, i.ID)})
	}
	return all, err
}

// takes tells whether a card, or a telephone, can answer the request: a telephone carries no text from which items of a login are read.
func (f *flow) takes(card string) bool {
	return !f.asksItems() || !strings.HasPrefix(card, phonePrefix)
}

type phonesPage struct {
	Phones  []phone.Info
	Form    *web.Form
	Cards   bool // a card is here
	Done    bool
	Changed bool   // a PIN
	Refused string // a code that the page has words for; "other" for any other
	Sandbox bool
}

const mostLabel = 30 // characters

var phoneModels = []web.Option{{Value: string(rules.Android), Label: "holder.phone.android"}, {Value: string(rules.IPhone), Label: "holder.phone.iphone"}}

// phoneForm asks for all that an enrolment needs.
func (s *Site) phoneForm(r *http.Request) (*web.Form, error) {
	cards, err := s.choices(r.Context())
	if err != nil {
		return nil, err
	}
	var options []web.Option
	for _, c := range cards {
		if strings.HasPrefix(c.card, phonePrefix) {
			continue
		}
		text := c.text
		if text == "" {
			text = c.label
		}
		options = append(options, web.Option{Value: c.card, Text: text})
	}
	pin := func(name, label string, kind jitsuin.CertKind) web.Field { return pinField(name, label, kind) }
	return web.NewForm(r.PostForm,
		web.Field{Name: "card", Label: "holder.phone.card", Kind: web.RadioField, Need: true, Options: options},
		pin("card_pin", "holder.phone.card-pin", jitsuin.SignCert),
		web.Field{Name: "model", Label: "holder.phone.model", Kind: web.RadioField, Need: true, Options: phoneModels},
		web.Field{Name: "label", Label: "holder.phone.label", Help: "holder.phone.label-help", Kind: web.TextField, Need: true, Max: mostLabel, Width: "medium"},
		pin("phone_auth", "holder.phone.auth-pin", jitsuin.AuthCert),
		pin("phone_sign", "holder.phone.sign-pin", jitsuin.SignCert),
		web.Field{Name: "biometrics", Label: "holder.phone.biometrics", Kind: web.CheckField}), nil
}

func (s *Site) showPhones(w http.ResponseWriter, r *http.Request) error {
	f, err := s.phoneForm(r)
	if err != nil {
		return err
	}
	return s.phonesPage(w, r, f, http.StatusOK, "")
}

func (s *Site) phonesPage(w http.ResponseWriter, r *http.Request, f *web.Form, status int, refused string) error {
	all, err := phone.All(s.phones())
	if err != nil {
		return err
	}
	s.pages.Page(w, r, status, "phones", phonesPage{Phones: all, Form: f, Cards: len(f.Fields[0].Options) > 0, Done: r.URL.Query().Has("done"), Changed: r.URL.Query().Has("changed"), Refused: refused, Sandbox: s.cfg.Sandbox})
	return nil
}

// enrolment is what a person typed to enrol a telephone.
type enrolment struct {
	card, label string
	cardPIN     []byte
	model       rules.PhoneModel
	pins        map[jitsuin.CertKind]jitsuin.PIN
	biometrics  bool
}

// takePhones enrols a telephone.
func (s *Site) takePhones(w http.ResponseWriter, r *http.Request) error {
	e := enrolment{cardPIN: secret(r, "card_pin"), pins: map[jitsuin.CertKind]jitsuin.PIN{}}
	defer clear(e.cardPIN)
	typed := map[jitsuin.CertKind][]byte{jitsuin.AuthCert: secret(r, "phone_auth"), jitsuin.SignCert: secret(r, "phone_sign")}
	f, err := s.phoneForm(r)
	if err != nil {
		return err
	}
	e.read(f, typed)
	if !f.OK() {
		return s.phonesPage(w, r, f, http.StatusUnprocessableEntity, "")
	}
	switch _, err := s.enrol(r.Context(), e); {
	case err == nil:
		http.Redirect(w, r, "/phones?done", http.StatusSeeOther)
		return nil
	case jitsuin.CodeOf(err) == "pin-wrong" || jitsuin.CodeOf(err) == "pin-form":
		noteWrongPIN(f, "card_pin", err)
		return s.phonesPage(w, r, f, http.StatusUnprocessableEntity, "")
	case slices.Contains(phoneRefusals, jitsuin.CodeOf(err)):
		return s.phonesPage(w, r, f, http.StatusUnprocessableEntity, jitsuin.CodeOf(err))
	default:
		return err
	}
}

// phoneRefusals are those of J-LIS, and of the card, for which there are words.
var phoneRefusals = []string{"consent-signature", "card-suspended", "certificate-missing", "no-term", "pin-blocked", "phone-under-way"}

// read takes what was typed and notes at the fields what is wrong with it.
func (e *enrolment) read(f *web.Form, typed map[jitsuin.CertKind][]byte) {
	e.card, e.label, e.model, e.biometrics = f.Get("card"), f.Get("label"), rules.PhoneModel(f.Get("model")), f.Get("biometrics") != ""
	if !slices.ContainsFunc(f.Fields[0].Options, func(o web.Option) bool { return o.Value == e.card }) {
		f.Wrong("card", "common.form.choice")
	}
	if !e.model.Valid() {
		f.Wrong("model", "common.form.choice")
	}
	if e.label == "" {
		f.Wrong("label", "common.form.missing")
	}
	if len([]rune(e.label)) > mostLabel {
		f.Wrong("label", "common.form.long", "max", mostLabel)
	}
	if err := checkTyped(jitsuin.SignCert, e.cardPIN); err != nil {
		noteWrongPIN(f, "card_pin", err)
	}
	for field, kind := range map[string]jitsuin.CertKind{"phone_auth": jitsuin.AuthCert, "phone_sign": jitsuin.SignCert} {
		pin, err := reader.NormalNewPIN(kind, jitsuin.PIN(typed[kind]))
		clear(typed[kind])
		if err != nil {
			f.Wrong(field, "holder.phone.pin-form")
		}
		e.pins[kind] = pin
	}
}

// enrol does the whole: the card is asked for its password, the telephone makes its keys, the card signs the application, J-LIS issues,
// the telephone takes the certificates in. Where it breaks off the telephone is erased again; should J-LIS have
// issued already, those certificates end with the next enrolment, which takes their place.
func (s *Site) enrol(ctx context.Context, e enrolment) (id jitsuin.ID, err error) {
	card, err := s.openCard(ctx, e.card)
	if err != nil {
		return "", err
	}
	defer func() { _ = card.Close() }()
	key, err := card.Unlock(ctx, jitsuin.SignCert, typedPIN(e.cardPIN))
	if err != nil {
		return "", err
	}
	id = jitsuin.NewID()
	p, err := phone.Make(ctx, s.phones(), phone.Info{ID: id, Model: e.model, Label: e.label, MadeAt: s.Clock.Now()}, e.pins)
	if err != nil {
		return "", err
	}
	if err := s.certify(ctx, p, key, e); err != nil {
		if gone := p.Erase(); gone != nil {
			return "", gone
		}
		return "", err
	}
	return id, nil
}

func (s *Site) certify(ctx context.Context, p *phone.Phone, key *holder.Unlocked, e enrolment) error {
	request, err := s.phoneRequest(ctx, p, key, e)
	if err != nil {
		return err
	}
	issued, err := s.cfg.enrolAt(ctx, s, request)
	if err != nil {
		return err
	}
	certificates := map[jitsuin.CertKind][]byte{}
	for _, c := range issued.Certificates {
		certificates[c.Kind] = c.Certificate
	}
	if e.biometrics {
		if err := p.UseBiometrics(e.pins); err != nil {
			return err
		}
	}
	return p.Take(ctx, certificates, issued.Authorities)
}

// phoneRequest makes the application: signed with the card, shown to be the telephone's own.
func (s *Site) phoneRequest(ctx context.Context, p *phone.Phone, key *holder.Unlocked, e enrolment) (r jlis.PhoneRequest, err error) {
	r.Model = e.model
	if r.PublicKeys, err = p.Keys(ctx, e.pins); err != nil {
		return r, err
	}
	items, err := itemsOf(key.Certificate())
	if err != nil {
		return r, err
	}
	now := s.Clock.Now()
	filled, err := form.Fill(jlis.PhoneForm(jitsuin.NewID(), e.model, r.PublicKeys), items, nil, jitsuin.DateOf(now))
	if err != nil {
		return r, err
	}
	document, err := filled.PDF()
	if err != nil {
		return r, err
	}
	if r.Document, err = key.PDF(ctx, document, pades.Options{At: now, Name: items.Name}); err != nil {
		return r, err
	}
	r.Proofs, err = p.Prove(ctx, e.pins, func(kind jitsuin.CertKind) []byte { return jlis.PhoneProof(kind, r.Document) })
	return r, err
}

// erasePhone forgets a telephone with its keys.
func (s *Site) erasePhone(w http.ResponseWriter, r *http.Request) error {
	p, err := phone.Find(s.phones(), jitsuin.ID(r.PathValue("phone")))
	if err == nil {
		err = p.Erase()
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/phones", http.StatusSeeOther)
	return nil
}

// sensorOf gives the sensor of the telephone that a flow uses; nil for a card, and where the sensor does not stand for the PIN.
func (s *Site) sensorOf(f *flow) (*phone.Sensor, error) {
	p, err := s.phoneNamed(f.card)
	if err != nil || p == nil {
		return nil, err
	}
	sensor, err := p.Sensor(f.kind())
	if err != nil || !sensor.On {
		return nil, err
	}
	return &sensor, nil
}

// takeSensor is the person at the telephone's sensor, in the place of the PIN. In the sandbox the sensor can be told not to recognise them.
func (s *Site) takeSensor(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() != "/pin" {
		return s.goOn(w, r, f)
	}
	p, err := s.phoneNamed(f.card)
	if err != nil || p == nil {
		return s.goOn(w, r, f)
	}
	pin, err := p.Touch(f.kind(), !s.cfg.Sandbox || r.PostForm.Get("finger") != "unknown")
	if err == nil {
		err = s.unlock(r.Context(), f, pin)
	}
	switch code := jitsuin.CodeOf(err); code {
	case "":
	case "pin-wrong", "pin-blocked", "pin-form": // it was changed since
		if err := p.StopBiometrics(); err != nil {
			return err
		}
		return s.pinPage(w, r, f, nil)
	case "sensor-unknown", "sensor-locked", "sensor-off":
		return s.pinPage(w, r, f, err)
	}
	if err != nil {
		return err
	}
	return s.afterPIN(w, r, f)
}

// pinShown notes that the person is known to the telephone again.
func (s *Site) pinShown(f *flow) error {
	p, err := s.phoneNamed(f.card)
	if err != nil || p == nil {
		return err
	}
	return p.Known()
}
