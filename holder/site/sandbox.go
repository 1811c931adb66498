package site

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
)

// SandboxAnswer has the holder answer a request in a person's place: the same steps as the pages, without
// pages. In the sandbox only.
type SandboxAnswer struct {
	RequestURI string            `json:"request_uri" maxLength:"500"`
	Card       jitsuin.ID        `json:"card" doc:"one of the holder's cards, or phone: and the id of a telephone"`
	Inputs     map[string]string `json:"inputs,omitempty" doc:"what the person types into the form, by field"`
	PIN        string            `json:"pin,omitempty" doc:"of the key that the request needs"` // no jitsuin.PIN, which never travels as JSON
	TextPIN    string            `json:"text_pin,omitempty" doc:"of the card's text, where a login asks for items; the person agrees to all of them"`
	WrongPIN   string            `json:"wrong_pin,omitempty" doc:"of the authentication key, for the fault wrong-kind"`
	Fault      string            `json:"fault,omitempty" enum:"altered,wrong-kind,twice,late"`
	Deny       bool              `json:"deny,omitempty" doc:"the person says no"`
}

// SandboxAnswered is what came of it.
type SandboxAnswered struct {
	Txn       jitsuin.ID `json:"txn"`
	ReturnURL string     `json:"return_url,omitempty" doc:"where the person's browser is led"`
	Warnings  []string   `json:"warnings,omitempty" doc:"what was wrong with the certificate"`
	Refusal   string     `json:"refusal,omitempty" doc:"why the relying party did not take the answer"`
	Second    string     `json:"second,omitempty" doc:"what became of the second answer, of the fault twice: taken, or an error's code"`
}

type sandboxIn struct{ Body SandboxAnswer }

type sandboxOut struct{ Body SandboxAnswered }

func (s *Site) sandboxRoutes() {
	s.approvalRoutes()
	httpapi.Register(s.API, httpapi.Operation{ID: "sandbox-answer", Method: http.MethodPost, Path: "/sandbox/answers", Status: http.StatusCreated,
		Summary: "Answer a request in a person's place (sandbox only)", Policy: httpapi.Roles("country")}, s.postSandbox)
	httpapi.Register(s.API, httpapi.Operation{ID: "sandbox-phone", Method: http.MethodPost, Path: "/sandbox/phones", Status: http.StatusCreated,
		Summary: "Enrol a telephone in a person's place (sandbox only)", Description: "Each call makes a telephone; it ends those of the person that were made before.", Policy: httpapi.Roles("country")}, s.postSandboxPhone)
}

// SandboxPhone enrols a telephone in a person's place, as the page does. In the sandbox only.
type SandboxPhone struct {
	Card         jitsuin.ID       `json:"card" doc:"with which the application is signed"`
	Password     string           `json:"password" doc:"of the card's key for signatures"`
	Model        rules.PhoneModel `json:"model" enum:"android,iphone"`
	Label        string           `json:"label" maxLength:"30"`
	PIN          string           `json:"pin" doc:"of the telephone's key for authentication, new"`
	SignPassword string           `json:"sign_password" doc:"of the telephone's key for signatures, new"`
	Biometrics   bool             `json:"biometrics,omitempty"`
}

// SandboxPhoneMade names the telephone, as a card is named.
type SandboxPhoneMade struct {
	Card jitsuin.ID `json:"card" doc:"phone: and an id"`
}

type (
	sandboxPhoneIn  struct{ Body SandboxPhone }
	sandboxPhoneOut struct{ Body SandboxPhoneMade }
)

func (s *Site) postSandboxPhone(ctx context.Context, in *sandboxPhoneIn) (*sandboxPhoneOut, error) {
	b := in.Body
	id, err := s.enrol(ctx, enrolment{card: string(b.Card), cardPIN: []byte(b.Password), label: b.Label, model: b.Model, biometrics: b.Biometrics,
		pins: map[jitsuin.CertKind]jitsuin.PIN{jitsuin.AuthCert: jitsuin.PIN(b.PIN), jitsuin.SignCert: jitsuin.PIN(b.SignPassword)}})
	if err != nil {
		return nil, err
	}
	return &sandboxPhoneOut{SandboxPhoneMade{Card: jitsuin.ID(phonePrefix) + id}}, nil
}

func (s *Site) postSandbox(ctx context.Context, in *sandboxIn) (*sandboxOut, error) {
	f, err := s.begin(ctx, in.Body.RequestURI)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.closeCard()
	if in.Body.Deny {
		err = s.cancel(ctx, f)
	} else {
		err = s.play(ctx, f, in.Body)
	}
	if err != nil {
		return nil, err
	}
	out := &sandboxOut{SandboxAnswered{Txn: f.claims.Txn, ReturnURL: f.back, Refusal: f.refusal, Second: f.second}}
	for _, w := range f.warnings {
		out.Body.Warnings = append(out.Body.Warnings, w.Code)
	}
	return out, nil
}

// longestWait is how long the API waits for a request to expire.
const longestWait = time.Minute

func (s *Site) play(ctx context.Context, f *flow, in SandboxAnswer) error {
	wanted := fault(in.Fault)
	if err := s.checkFault(f, wanted); err != nil {
		return err
	}
	if wanted == faultLate && time.Until(time.Unix(f.claims.ExpiresAt, 0)) > longestWait {
		return jitsuin.Errorf(jitsuin.Invalid, "fault-wait", "the request expires in more than %s", longestWait).
			WithHint("give the platform a shorter request_life").At("fault")
	}
	if err := s.choose(ctx, f, string(in.Card)); err != nil {
		return err
	}
	if f.asksItems() {
		if err := s.readItems(ctx, f, []byte(in.TextPIN)); err != nil {
			return err
		}
		if err := f.agree(); err != nil {
			return err
		}
	}
	if err := s.unlock(ctx, f, []byte(in.PIN)); err != nil {
		return err
	}
	if f.form != nil {
		if err := s.fill(f, in.Inputs); err != nil {
			return err
		}
	}
	if err := s.sign(ctx, f, test{wanted, []byte(in.WrongPIN)}); err != nil {
		return err
	}
	if wait := f.untilLate(time.Now()); wait > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	return s.send(ctx, f)
}
