package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// What a persona does about a request. Whatever goes wrong on the person's side of it (wrong and locked PIN, card taken away) ends
// in their giving up: a relying party is told that, and never why.
const (
	OutcomeConsent = "consent"      // reads, agrees, signs or logs in
	OutcomeCancel  = "cancel"       // says no
	OutcomeWrong   = "wrong-pin"    // types a wrong PIN, and then says no; the try comes back, so that tests can be repeated
	OutcomeLocked  = "locked-pin"   // the card answers as one whose PIN is locked; the chip itself is not changed
	OutcomeRemoved = "removed-card" // the card is gone in the moment in which it should sign
	OutcomeRevoked = "revoked"      // consents with certificates that are revoked: of a persona that was ended
	OutcomeTimeOut = "time-out"     // walks away: no answer is ever sent
)

// Approval has a persona answer a request.
type Approval struct {
	Request string            `json:"request" minLength:"1" maxLength:"1000" doc:"the request_uri, or the address of the holder's page on which the browser stands"`
	Persona string            `json:"persona" minLength:"1" maxLength:"100" doc:"id or name, see /sandbox/personas"`
	Outcome string            `json:"outcome,omitempty" enum:"consent,cancel,wrong-pin,locked-pin,removed-card,revoked,time-out" default:"consent"`
	Inputs  map[string]string `json:"inputs,omitempty" doc:"what is typed into a form, by field"`
}

// Approved is what came of it.
type Approved struct {
	Txn       jitsuin.ID `json:"txn"`
	Persona   string     `json:"persona"`
	Outcome   string     `json:"outcome"`
	ReturnURL string     `json:"return_url,omitempty" doc:"lead the browser that began here, once"`
	// ScreenSecret is there in the place of ReturnURL where another device began.
	ScreenSecret string `json:"screen_secret,omitempty" doc:"six digits to type in the browser that began, where that is on another device"`

	Error     string `json:"error,omitempty" doc:"what the relying party was told: access_denied"`
	Happened  string `json:"happened,omitempty" doc:"code of what went wrong at the holder, such as pin-wrong, pin-blocked, card-gone"`
	TriesLeft *int   `json:"tries_left,omitempty" doc:"of wrong-pin and locked-pin: what the person saw"`
	Refusal   string `json:"refusal,omitempty" doc:"why the relying party did not take the answer"`
}

type approvalIn struct{ Body Approval }

type approvalOut struct{ Body Approved }

type personaList struct {
	Personas []Persona `json:"personas"`
}

type personasOut struct{ Body personaList }

func (s *Site) approvalRoutes() {
	invented := httpapi.Public("in a sandbox all people are invented, and whoever reaches this site reaches their cards")
	httpapi.Register(s.API, httpapi.Operation{ID: "personas", Method: http.MethodGet, Path: "/sandbox/personas",
		Summary: "The people as whom tests may answer (sandbox only)", Description: "They, and the user ids that relying parties get for them, are the same in every country of the same seed.", Policy: invented}, s.getPersonas)
	httpapi.Register(s.API, httpapi.Operation{ID: "approve", Method: http.MethodPost, Path: "/sandbox/approvals", Status: http.StatusCreated,
		Summary:     "Answer a pending request as a named person (sandbox only)",
		Description: "The same steps as on the pages: the real card is used. A request is answered once. Wrong and locked PIN and a card that is taken away end as if the person had given up: the relying party is told access_denied, and never why.", Policy: invented}, s.postApproval)
}

func (s *Site) getPersonas(context.Context, *struct{}) (*personasOut, error) {
	p, err := ReadPersonas(s.cfg.Personas)
	if err != nil {
		return nil, err
	}
	return &personasOut{personaList{p.Personas}}, nil
}

// requestOf takes the address of a request out of that of our page: the one to which the relying party led, or the one on which a
// browser stands that followed. Other links are given as they are.
func (s *Site) requestOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	if uri := u.Query().Get("request_uri"); uri != "" {
		return uri
	}
	rest, ok := strings.CutPrefix(u.Path, "/request/")
	if !ok {
		return link
	}
	txn, _, _ := strings.Cut(rest, "/")
	if c, ok := s.flows.claims(jitsuin.ID(txn)); ok {
		if p, err := s.Directory.Lookup(c.Issuer); err == nil {
			return p.Origin + requestPath + txn
		}
	}
	return link
}

// requested begins a request of a test, and tells a tester who gave something else what to give.
func (s *Site) requested(ctx context.Context, link string) (*flow, error) {
	f, err := s.begin(ctx, s.requestOf(link))
	if e, ok := errors.AsType[*jitsuin.Error](err); ok && e.Code == "request-foreign" {
		return nil, e.WithHint("give the request_uri, or the address of the page of this site to which the browser was led; where it stands at the platform, which asks what may be given, agree there first").At("request")
	}
	return f, err
}

func (s *Site) postApproval(ctx context.Context, in *approvalIn) (*approvalOut, error) {
	known, err := ReadPersonas(s.cfg.Personas)
	if err != nil {
		return nil, err
	}
	who, err := known.Find(in.Body.Persona)
	if err != nil {
		return nil, err
	}
	f, err := s.requested(ctx, in.Body.Request)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.closeCard()
	out := Approved{Txn: f.claims.Txn, Persona: who.ID, Outcome: in.Body.Outcome}
	if out.Outcome == "" {
		out.Outcome = OutcomeConsent
	}
	a := &acting{Site: s, f: f, as: who, known: known, inputs: in.Body.Inputs}
	if err := a.act(ctx, &out); err != nil {
		return nil, err
	}
	out.ReturnURL, out.ScreenSecret, out.Refusal = f.back, f.secret, f.refusal
	if f.answer != nil {
		out.Error = f.answer.Error
	}
	return &approvalOut{out}, nil
}

// acting is a persona at one request.
type acting struct {
	*Site
	f      *flow
	as     Persona
	known  Personas
	inputs map[string]string
}

func (a *acting) act(ctx context.Context, out *Approved) (err error) {
	switch out.Outcome {
	case OutcomeCancel:
		return a.cancel(ctx, a.f)
	case OutcomeTimeOut:
		return a.note(ctx, a.f, outcomeLeft)
	}
	card, err := a.cardOf(ctx, a.as)
	if err != nil {
		return err
	}
	if err := a.choose(ctx, a.f, card); err != nil {
		return err
	}
	switch out.Outcome {
	case OutcomeConsent, OutcomeRevoked:
		return a.consent(ctx, out.Outcome == OutcomeRevoked)
	case OutcomeWrong:
		return a.wrong(ctx, out)
	case OutcomeLocked:
		return a.fail(ctx, out, "pin-blocked", func(c reader.Card) reader.Card { return locked{c} })
	}
	return a.fail(ctx, out, "card-gone", func(c reader.Card) reader.Card { return &removed{Card: c} })
}

// consent goes the whole way. A persona that was not ended has nothing revoked to show, and the other way round.
func (a *acting) consent(ctx context.Context, ended bool) error {
	switch {
	case ended && !a.as.Ended:
		return jitsuin.Errorf(jitsuin.Conflict, "persona-in-force", "the certificates of %s are in force", a.as.ID).
			WithHint("jitsuin holder end %s revokes them, for good; choose somebody whom no other test needs", a.as.ID).At("outcome")
	case !ended && a.as.Ended:
		return jitsuin.Errorf(jitsuin.Conflict, "persona-ended", "the certificates of %s are revoked", a.as.ID).WithHint("say outcome revoked, or choose another persona").At("persona")
	}
	if err := a.use(ctx, a.pin()); err != nil {
		return err
	}
	a.f.answer.Unattended = true
	return a.send(ctx, a.f)
}

func (a *acting) pin() string {
	if a.f.kind() == jitsuin.SignCert {
		return a.known.SignPassword
	}
	return a.known.PIN
}

// use does all that comes before the answer is sent.
func (a *acting) use(ctx context.Context, pin string) error {
	if a.f.asksItems() {
		if err := a.readItems(ctx, a.f, []byte(a.known.PIN)); err != nil {
			return err
		}
		if err := a.f.agree(); err != nil {
			return err
		}
	}
	if err := a.unlock(ctx, a.f, []byte(pin)); err != nil {
		return err
	}
	if a.f.form != nil {
		if err := a.fill(a.f, a.inputs); err != nil {
			return err
		}
	}
	return a.sign(ctx, a.f, test{})
}

// wrong shows the card a PIN that is wrong, and after that the right one, which gives the try back; then the person says no.
func (a *acting) wrong(ctx context.Context, out *Approved) error {
	pin := "0000"
	switch {
	case a.f.kind() == jitsuin.SignCert:
		pin = "WRONG999"
	case a.known.PIN == pin:
		pin = "9999"
	}
	err := a.unlock(ctx, a.f, []byte(pin))
	if code := jitsuin.CodeOf(err); code != "pin-wrong" && code != "pin-blocked" {
		if err == nil {
			err = jitsuin.Errorf(jitsuin.Internal, "persona-pin", "the card takes the PIN %s", "that should be wrong")
		}
		return err
	}
	left := triesOf(err)
	out.Happened, out.TriesLeft = jitsuin.CodeOf(err), &left
	if out.Happened == "pin-wrong" {
		if err := a.unlock(ctx, a.f, []byte(a.pin())); err != nil {
			return err
		}
	}
	return a.cancel(ctx, a.f)
}

// fail uses the card through something that goes wrong between it and us, and then the person says no.
func (a *acting) fail(ctx context.Context, out *Approved, code string, wrap func(reader.Card) reader.Card) error {
	a.f.through = wrap
	err := a.use(ctx, a.pin())
	if jitsuin.CodeOf(err) != code {
		if err == nil {
			err = jitsuin.Errorf(jitsuin.Internal, "persona-fault", "nothing went wrong with the card")
		}
		return err
	}
	out.Happened = code
	if code == "pin-blocked" {
		left := 0
		out.TriesLeft = &left
	}
	return a.cancel(ctx, a.f)
}

// locked is a card that answers as one whose PINs are all locked.
type locked struct{ reader.Card }

const (
	insVerify = 0x20
	insSign   = 0x2A
)

func (l locked) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	switch {
	case len(apdu) < 4 || apdu[1] != insVerify:
		return l.Card.Transmit(ctx, apdu)
	case len(apdu) == 4: // how many tries are left
		return []byte{0x63, 0xC0}, nil
	}
	return []byte{byte(card.SWBlocked >> 8), byte(card.SWBlocked & 0xFF)}, nil
}

// removed is a card that is taken away when it should sign.
type removed struct {
	reader.Card
	gone bool
}

func (r *removed) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if r.gone = r.gone || len(apdu) > 3 && apdu[1] == insSign; r.gone {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "the card was taken away")
	}
	return r.Card.Transmit(ctx, apdu)
}

// openCardOf opens what was chosen for a request, through what lies between.
func (s *Site) openCardOf(ctx context.Context, f *flow) (*holder.Card, error) {
	if f.through != nil {
		return s.cards.Wrapped(f.through).Open(ctx, f.card)
	}
	return s.openCard(ctx, f.card)
}
