package municipality

import (
	"bytes"
	"context"
	"maps"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// logCase writes who did what in a case; never what about whom in numbers.
func (t *Town) logCase(ctx context.Context, act, clerk string, c api.Application, err error) {
	t.Log.InfoContext(ctx, "case", "act", act, "clerk", clerk, "request_id", httpapi.RequestID(ctx),
		"application", c.ID, "state", c.State, "code", c.Code, "refused", jitsuin.CodeOf(err))
}

// apply is step ①: an application form becomes a case.
func (t *Town) apply(ctx context.Context, n api.NewApplication) (api.Application, error) {
	id := jitsuin.NewID()
	if err := t.upToDate(); err != nil {
		return api.Application{}, err
	}
	out, err := httpapi.Once(ctx, t.DB, "apply", n, func(tx *store.Tx) (api.Application, error) {
		if err := checkForm(n); err != nil {
			return api.Application{}, err
		}
		r, err := findApplicant(tx, n)
		if err != nil {
			return api.Application{}, err
		}
		if err := mayHave(n.Type, n.Kinds, *r, t.today()); err != nil {
			return api.Application{}, err
		}
		if n.Type == api.Reissue && r.Card != "" && r.Card != n.Card {
			return api.Application{}, jitsuin.Errorf(jitsuin.Conflict, "card-differs", "this is not the card that was handed over to the applicant").At("card")
		}
		c := &caseFile{ID: id, Type: n.Type, State: api.Received, Subject: r.Subject, Kinds: n.Kinds, Card: n.Card,
			Form: n.Items, RequestID: httpapi.RequestID(ctx)}
		if err := claim(tx, c); err != nil {
			return api.Application{}, err
		}
		return c.view(), t.saveCase(tx, c)
	})
	t.logCase(ctx, "apply", n.Clerk, out, err)
	if err != nil {
		return out, err
	}
	return t.application(ctx, out.ID)
}

// findApplicant finds the resident whom a form is about: the one that the clerk named, or the only
// one with the form's date of birth who shares name or address with it. Whether every item agrees
// is for the check.
func findApplicant(tx *store.Tx, n api.NewApplication) (*record, error) {
	if n.Subject != "" {
		r, err := readRecord(tx, n.Subject)
		if err == nil && (r == nil || r.State != jitsuin.Present) {
			err = errUnknownResident()
		}
		return r, err
	}
	born, err := findResidents(tx, "", n.Items.BirthDate.String(), maxFound)
	if err != nil {
		return nil, err
	}
	named, err := findResidents(tx, n.Items.Name, "", maxFound)
	if err != nil {
		return nil, err
	}
	best, score, tie := (*record)(nil), 1, false // one item in common is nobody
	for _, r := range append(born, named...) {
		s := 4 - len(n.Items.Differences(r.Items))
		switch {
		case best != nil && best.Subject == r.Subject:
		case s > score:
			best, score, tie = &r, s, false
		case s == score:
			tie = true
		}
	}
	switch {
	case best == nil:
		return nil, jitsuin.Errorf(jitsuin.NotFound, "resident-unknown", "nobody on the register fits the form").At("items").
			WithHint("look the applicant up by name or date of birth and name the resident")
	case tie:
		return nil, jitsuin.Errorf(jitsuin.Conflict, "resident-ambiguous", "several residents fit the form").At("items").
			WithHint("look the applicant up and name the resident")
	}
	return best, nil
}

const maxFound = 500

// change applies fn to a case once and gives the case as it is then. An err of fn changes nothing;
// with failed the case is stored all the same, and failed is the answer (a wrong reply code counts).
func (t *Town) change(ctx context.Context, act string, id jitsuin.ID, in any, fn func(tx *store.Tx, c *caseFile) (failed *jitsuin.Error, err error)) (api.Application, error) {
	type outcome struct {
		Application api.Application `json:"application"`
		Failed      *failure        `json:"failed,omitempty"`
	}
	asked := struct {
		ID jitsuin.ID
		In any
	}{id, in}
	out, err := httpapi.Once(ctx, t.DB, act, asked, func(tx *store.Tx) (outcome, error) {
		c, err := readCase(tx, id)
		if err != nil {
			return outcome{}, err
		}
		failed, err := fn(tx, c)
		if err != nil {
			return outcome{}, err
		}
		if err := t.saveCase(tx, c); err != nil {
			return outcome{}, err
		}
		return outcome{c.view(), asFailure(failed)}, nil
	})
	if err == nil && out.Failed != nil {
		err = out.Failed.err()
	}
	return out.Application, err
}

// failure is an error that is stored with what it changed.
type failure struct {
	Kind                       jitsuin.Kind
	Code, Message, Hint, Field string
}

func asFailure(e *jitsuin.Error) *failure {
	if e == nil {
		return nil
	}
	return &failure{e.Kind, e.Code, e.Message, e.Hint, e.Field}
}

func (f *failure) err() *jitsuin.Error {
	return &jitsuin.Error{Kind: f.Kind, Code: f.Code, Message: f.Message, Hint: f.Hint, Field: f.Field}
}

// sendInquiry makes the inquiry letter.
func (t *Town) sendInquiry(ctx context.Context, id jitsuin.ID, clerk string) (api.Letter, error) {
	code := newReplyCode()
	asked := struct{ ID, Clerk string }{string(id), clerk}
	out, err := httpapi.Once(ctx, t.DB, "inquiry", asked, func(tx *store.Tx) (api.Letter, error) {
		c, err := readCase(tx, id)
		if err != nil {
			return api.Letter{}, err
		}
		r, err := readRecord(tx, c.Subject)
		if err != nil {
			return api.Letter{}, err
		}
		l, err := c.inquire(r, code, t.today().AddDays(t.inquiryDays))
		if err != nil {
			return api.Letter{}, err
		}
		return l, t.saveCase(tx, c)
	})
	t.logCase(ctx, "inquiry", clerk, api.Application{ID: id}, err)
	return out, err
}

// check is step ②; for a new card J-LIS is told (③) before it answers, if that works at once.
func (t *Town) check(ctx context.Context, id jitsuin.ID, k api.Check) (api.Application, error) {
	if err := checkRequestOf(k); err != nil {
		return api.Application{}, err
	}
	out, err := t.change(ctx, "check", id, k, func(tx *store.Tx, c *caseFile) (*jitsuin.Error, error) {
		if err := c.in(api.Received, api.InquirySent); err != nil {
			return nil, err
		}
		r, err := readRecord(tx, c.Subject)
		if err != nil {
			return nil, err
		}
		return c.check(k, r, t.today(), t.Clock.Now()), nil
	})
	t.logCase(ctx, "check", k.Clerk, out, err)
	if err != nil {
		return out, err
	}
	return t.advanced(ctx, id)
}

// submitKeys takes the public keys that the presented card made, and tells J-LIS (③).
func (t *Town) submitKeys(ctx context.Context, id jitsuin.ID, k api.Keys) (api.Application, error) {
	for kind, key := range k.PublicKeys {
		if _, err := cert.ParseSubjectKey(key); err != nil {
			return api.Application{}, jitsuin.Errorf(jitsuin.Invalid, "key-refused", "the %s key: %w", kind, err).At("public_keys")
		}
	}
	out, err := t.change(ctx, "keys", id, k, func(_ *store.Tx, c *caseFile) (*jitsuin.Error, error) {
		if len(c.PublicKeys) > 0 && maps.EqualFunc(c.PublicKeys, k.PublicKeys, bytes.Equal) {
			return nil, nil // the terminal begins again after a crash
		}
		if err := c.in(api.Checked); err != nil {
			return nil, err
		}
		if c.Type != api.Reissue {
			return nil, jitsuin.Errorf(jitsuin.Conflict, "keys-not-asked", "the keys of a new card are made by J-LIS")
		}
		for _, kind := range c.Kinds {
			if k.PublicKeys[kind] == nil || len(k.PublicKeys) != len(c.Kinds) {
				return nil, jitsuin.Errorf(jitsuin.Invalid, "keys-differ", "one key is needed for each kind that was applied for").At("public_keys")
			}
		}
		c.PublicKeys = k.PublicKeys
		return nil, nil
	})
	t.logCase(ctx, "keys", "", out, err)
	if err != nil {
		return out, err
	}
	return t.advanced(ctx, id)
}

// application reads a case.
func (t *Town) application(ctx context.Context, id jitsuin.ID) (out api.Application, err error) {
	err = t.DB.View(ctx, func(tx *store.Tx) error {
		c, err := readCase(tx, id)
		if err == nil {
			out = c.view()
		}
		return err
	})
	return out, err
}

// advanced does what the town has to do in a case and gives the case. What does not work now is
// tried again by the task.
func (t *Town) advanced(ctx context.Context, id jitsuin.ID) (api.Application, error) {
	if err := t.advance(ctx, id); err != nil && ctx.Err() == nil {
		t.Log.WarnContext(ctx, "a case waits", "application", id, "err", err)
	}
	return t.application(ctx, id)
}
