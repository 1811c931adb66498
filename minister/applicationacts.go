package minister

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

// by tells who acts in ctx: the caller's instance, or this office where one of its pages was used.
func (m *Minister) by(ctx context.Context, official string) who {
	if caller := httpapi.CallerOf(ctx).ID; caller != "" {
		return who{caller, official}
	}
	return who{m.Self.ID, official}
}

// Apply files an application of a verifier. It takes effect once by the Idempotency-Key of ctx, as all acts here.
func (m *Minister) Apply(ctx context.Context, verifier string, r api.ApplicationRequest) (api.Application, error) {
	now := m.Clock.Now()
	if err := checkApplication(r, jitsuin.DateOf(now)); err != nil {
		return api.Application{}, err
	}
	asked := r
	documents, err := takeItems(&r.Items)
	if err != nil {
		return api.Application{}, err
	}
	id := jitsuin.NewID()
	return httpapi.Once(ctx, m.DB, "apply", asked, func(tx *store.Tx) (api.Application, error) {
		if err := mayApply(tx, verifier, jitsuin.DateOf(now)); err != nil {
			return api.Application{}, err
		}
		a := newApplication(r, verifier, id, now)
		if err := putDocuments(tx, verifier, documents); err != nil {
			return a, err
		}
		return a, putApplication(tx, &a, actFiled, m.by(ctx, ""), now, said{Request: r})
	})
}

// mayApply refuses a second application beside an open one, and one for what the verifier has already.
func mayApply(tx *store.Tx, verifier string, today jitsuin.Date) error {
	all, err := listApplications(tx, verifier)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Open() {
			return jitsuin.Errorf(jitsuin.Conflict, "application-open", "an earlier application is not decided").WithHint("amend it, or take it back first")
		}
	}
	a, _, err := last(tx, verifier)
	if err == nil && standing(a, today) {
		err = jitsuin.Errorf(jitsuin.Conflict, "already-accredited", "%s is accredited until %s; the accreditation is %s", verifier, a.Until, a.State).
			WithHint("a renewal is decided after the yearly audit and needs no application")
	}
	return err
}

// takeItems takes the documents out of the items.
func takeItems(items *[]api.ApplicationItem) (documents []document, err error) {
	bare := append([]api.ApplicationItem(nil), *items...)
	total := 0
	for i := range bare {
		var more []document
		if bare[i].Evidence, more, err = takeEvidence(bare[i].Evidence, "items"); err != nil {
			return nil, err
		}
		for _, d := range more {
			total += len(d.content)
		}
		documents = append(documents, more...)
	}
	if total > api.MaxDocuments {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "documents-large", "the documents have more than %d bytes together", api.MaxDocuments).
			WithHint("give the address where they lie instead").At("items")
	}
	*items = bare
	return documents, nil
}

// change is one act on an application: it gives what becomes of it, the word for the history and what was said.
type change func(tx *store.Tx, a api.Application, now time.Time) (api.Application, string, said, error)

// act does something to an application; verifier is the applicant where it acts itself, "" for the office.
func (m *Minister) act(ctx context.Context, operation string, id jitsuin.ID, verifier, official string, in any, do change) (api.Application, error) {
	now := m.Clock.Now()
	return httpapi.Once(ctx, m.DB, operation, []any{id, in}, func(tx *store.Tx) (api.Application, error) {
		a, err := getApplication(tx, id, verifier)
		if err != nil {
			return a, err
		}
		a, act, what, err := do(tx, a, now)
		if err != nil {
			return a, err
		}
		return a, putApplication(tx, &a, act, m.by(ctx, official), now, what)
	})
}

// Amend takes an applicant's answer to a returned application.
func (m *Minister) Amend(ctx context.Context, id jitsuin.ID, verifier string, r api.AmendmentRequest) (api.Application, error) {
	asked := r
	documents, err := takeItems(&r.Items)
	if err != nil {
		return api.Application{}, err
	}
	return m.act(ctx, "amend", id, verifier, "", asked, func(tx *store.Tx, a api.Application, _ time.Time) (api.Application, string, said, error) {
		what := said{Request: r}
		for _, item := range r.Items {
			what.Criteria = append(what.Criteria, item.Criterion)
		}
		if err := putDocuments(tx, a.Verifier, documents); err != nil {
			return a, "", what, err
		}
		a, err := amended(a, r.Items)
		return a, actAmended, what, err
	})
}

// TakeBack ends an applicant's application.
func (m *Minister) TakeBack(ctx context.Context, id jitsuin.ID, verifier string) (api.Application, error) {
	return m.act(ctx, "take-back", id, verifier, "", nil, func(_ *store.Tx, a api.Application, _ time.Time) (api.Application, string, said, error) {
		a, err := takenBack(a)
		return a, actTaken, said{}, err
	})
}

// Examine notes what the office found of one criterion.
func (m *Minister) Examine(ctx context.Context, id jitsuin.ID, r api.ExaminationRequest) (api.Application, error) {
	return m.act(ctx, "examine", id, "", r.Official, r, func(_ *store.Tx, a api.Application, now time.Time) (api.Application, string, said, error) {
		a, err := examined(a, r, now)
		return a, actExamined, said{Criteria: []string{r.Criterion}, Outcome: r.Outcome, Words: r.Words}, err
	})
}

// Return sends an application back to its applicant.
func (m *Minister) Return(ctx context.Context, id jitsuin.ID, r api.ReturnRequest) (api.Application, error) {
	return m.act(ctx, "return", id, "", r.Official, r, func(_ *store.Tx, a api.Application, _ time.Time) (api.Application, string, said, error) {
		what := said{Criteria: a.Asked()}
		a, err := returned(a)
		return a, actReturned, what, err
	})
}

// Conclude decides an application. Granting it accredits its verifier in the same commit.
func (m *Minister) Conclude(ctx context.Context, id jitsuin.ID, v api.Verdict) (api.Application, error) {
	fresh := jitsuin.NewID()
	return m.act(ctx, "conclude", id, "", v.Official, v, func(tx *store.Tx, a api.Application, now time.Time) (api.Application, string, said, error) {
		a, err := concluded(a, v)
		what := said{Words: a.Reason}
		if err != nil || v.State != api.Granted {
			return a, v.State, what, err
		}
		d := api.Decision{Verifier: a.Verifier, Name: a.Name, Ground: groundAccredited, State: api.InForce, Reason: a.Reason}
		before, number, err := last(tx, a.Verifier)
		if err != nil {
			return a, v.State, what, err
		}
		if standing(before, jitsuin.DateOf(now)) {
			return a, v.State, what, jitsuin.Errorf(jitsuin.Conflict, "already-accredited", "%s is accredited until %s", a.Verifier, before.Until)
		}
		granted, err := decide(before, d, jitsuin.DateOf(now), fresh)
		if err != nil {
			return a, v.State, what, err
		}
		a.Accreditation = granted.ID
		return a, v.State, what, record(tx, granted, number+1, now, m.by(ctx, v.Official))
	})
}

// Application gives an application with its steps; verifier is the applicant who asks, "" for the office.
func (m *Minister) Application(ctx context.Context, id jitsuin.ID, verifier string) (f api.ApplicationFile, err error) {
	err = m.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if f.Application, err = getApplication(tx, id, verifier); err != nil {
			return err
		}
		f.Steps, err = applicationSteps(tx, id)
		return err
	})
	if verifier != "" {
		f = forApplicant(f)
	}
	return f, err
}

// Applications lists a verifier's applications, or with "" everybody's.
func (m *Minister) Applications(ctx context.Context, verifier string) (all []api.Application, err error) {
	err = m.DB.View(ctx, func(tx *store.Tx) error {
		all, err = listApplications(tx, verifier)
		return err
	})
	return all, err
}
