package minister

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

// designationRoutes are the register of who may use the free area of cards (空き領域).
func (m *Minister) designationRoutes() {
	published := httpapi.Public("who may use the free area of the card is published")
	httpapi.Register(m.API, httpapi.Operation{ID: "designate", Method: http.MethodPost, Path: "/designations", Status: http.StatusCreated,
		Summary:     "Designate a body that may use the free area of cards",
		Description: "Public bodies and private operators (My Number Act art. 18(ii)); municipalities have ordinances. Needs the header Idempotency-Key.",
		Policy:      httpapi.Roles("official")}, m.designate)
	httpapi.Register(m.API, httpapi.Operation{ID: "withdraw-designation", Method: http.MethodPost, Path: "/designations/{id}/withdrawal",
		Summary: "Withdraw a designation", Description: "Nothing revives it. From then on nothing is loaded or written by it; deleting stays allowed. Needs the header Idempotency-Key.",
		Policy: httpapi.Roles("official")}, m.withdraw)
	httpapi.Register(m.API, httpapi.Operation{ID: "designations", Method: http.MethodGet, Path: "/designations",
		Summary: "All designations, those that are over included", Policy: published}, m.listDesignations)
	httpapi.Register(m.API, httpapi.Operation{ID: "designation", Method: http.MethodGet, Path: "/designations/{id}",
		Summary: "One designation with its decisions", Policy: published}, m.oneDesignation)
}

type (
	designateIn struct {
		Key  string `header:"Idempotency-Key"`
		Body api.DesignationRequest
	}
	withdrawIn struct {
		ID   string `path:"id"`
		Key  string `header:"Idempotency-Key"`
		Body api.WithdrawalRequest
	}
	designationOut  struct{ Body api.Designation }
	designationsOut struct {
		Body struct {
			Designations []api.Designation `json:"designations"`
		}
	}
	designationHistoryOut struct{ Body api.DesignationHistory }
)

// designation makes a designation of a request, or says what is wrong with it.
func designation(r api.DesignationRequest, id jitsuin.ID) (api.Designation, error) {
	d := api.Designation{ID: id, Provider: r.Provider, Body: strings.TrimSpace(r.Body), BodyEN: r.BodyEN, Name: strings.TrimSpace(r.Name), NameEN: r.NameEN,
		AID: strings.ToUpper(r.AID), Ground: r.Ground, Purpose: strings.TrimSpace(r.Purpose), Bytes: r.Bytes, From: r.From, Until: r.Until, State: api.InForce}
	aid, err := card.ParseProviderAID(r.AID)
	if err != nil {
		return d, err
	}
	switch {
	case card.InTownSpace(aid):
		return d, jitsuin.Errorf(jitsuin.Conflict, "aid-reserved", "the name %X is for applications of municipalities", aid).At("aid")
	case !verifierForm.MatchString(r.Provider) || !strings.HasPrefix(r.Provider, "provider:"):
		return d, jitsuin.Errorf(jitsuin.Invalid, "provider-form", "a body is named as an instance, such as provider:ministry-1").At("provider")
	case d.Body == "":
		return d, jitsuin.Errorf(jitsuin.Invalid, "name-missing", "the body's name is missing").At("body")
	case d.Name == "":
		return d, jitsuin.Errorf(jitsuin.Invalid, "name-missing", "the application's name is missing").At("name")
	case d.Purpose == "":
		return d, jitsuin.Errorf(jitsuin.Invalid, "purpose-missing", "a designation says for what the free area is used").At("purpose")
	case d.From.IsZero():
		return d, jitsuin.Errorf(jitsuin.Invalid, "date-missing", "a designation says from which day on it is in force").At("from")
	case !d.Until.IsZero() && d.Until.Before(d.From):
		return d, jitsuin.Errorf(jitsuin.Invalid, "date-order", "a designation ends after it begins").At("until")
	}
	return d, nil
}

// mayName refuses an AID that a designation in force, or one to come, has or could be confused with.
func mayName(all []api.Designation, d api.Designation, today jitsuin.Date) error {
	name, err := card.ParseProviderAID(d.AID)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.State == api.Withdrawn || !other.Until.IsZero() && today.After(other.Until) {
			// The same body may be designated anew; a name once given never goes to another body, whose application could
			// otherwise be found under the name of one that still lies on cards.
			if other.Provider == d.Provider {
				continue
			}
		}
		if have, err := card.ParseProviderAID(other.AID); err == nil && card.AIDsCollide(name, have) {
			return jitsuin.Errorf(jitsuin.Conflict, "aid-taken", "the name %s was given to %s", other.AID, other.Body).At("aid")
		}
	}
	return nil
}

func (m *Minister) designate(ctx context.Context, in *designateIn) (*designationOut, error) {
	d, err := designation(in.Body, jitsuin.NewID())
	if err != nil {
		return nil, err
	}
	now := m.Clock.Now()
	d, err = httpapi.Once(ctx, m.DB, "designate", in.Body, func(tx *store.Tx) (api.Designation, error) {
		all, err := designations(tx)
		if err == nil {
			err = mayName(all, d, jitsuin.DateOf(now))
		}
		if err != nil {
			return d, err
		}
		body, err := json.Marshal(d)
		if err != nil {
			return d, err
		}
		if _, err := tx.Exec(`INSERT INTO designation (id, aid, number, body) SELECT $1, $2, COUNT(*) + 1, $3 FROM designation WHERE aid = $2`,
			string(d.ID), d.AID, string(body)); err != nil {
			return d, err
		}
		return d, decided(tx, d, now, httpapi.CallerOf(ctx).ID)
	})
	return &designationOut{d}, err
}

func (m *Minister) withdraw(ctx context.Context, in *withdrawIn) (*designationOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "reason-missing", "a withdrawal needs its reason").At("reason")
	}
	now := m.Clock.Now()
	d, err := httpapi.Once(ctx, m.DB, "withdraw-designation", []any{id, in.Body}, func(tx *store.Tx) (api.Designation, error) {
		d, err := findDesignation(tx, id)
		if err != nil {
			return d, err
		}
		if d.State == api.Withdrawn {
			return d, jitsuin.Errorf(jitsuin.Conflict, "already-withdrawn", "the designation of %s is withdrawn already", d.Body)
		}
		d.State, d.Reason = api.Withdrawn, reason
		body, err := json.Marshal(d)
		if err != nil {
			return d, err
		}
		if _, err := tx.Exec(`UPDATE designation SET body = $2 WHERE id = $1`, string(d.ID), string(body)); err != nil {
			return d, err
		}
		return d, decided(tx, d, now, httpapi.CallerOf(ctx).ID)
	})
	return &designationOut{d}, err
}

// decided keeps a decision and tells the readers of the feed.
func decided(tx *store.Tx, d api.Designation, at time.Time, by string) error {
	_, err := tx.Exec(`INSERT INTO designation_decision (designation, number, decided_at, decided_by, state, until, reason)
		SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6 FROM designation_decision WHERE designation = $1`,
		string(d.ID), store.Micros(at), by, d.State, d.Until.String(), d.Reason)
	if err != nil {
		return err
	}
	_, err = feed.Append(tx, feed.Draft{Topic: api.TopicDesignations, Subject: d.AID, Type: api.TypeDesignation, Body: d, RecordedAt: at})
	return err
}

func scanDesignation(s store.Scanner) (d api.Designation, err error) {
	var body string
	if err := s.Scan(&body); err != nil {
		return d, err
	}
	err = json.Unmarshal([]byte(body), &d)
	return d, err
}

// designations gives all of them, in the order of names and then of time.
func designations(tx *store.Tx) ([]api.Designation, error) {
	return store.Collect(scanDesignation)(tx.Query(`SELECT body FROM designation ORDER BY aid, number`))
}

func findDesignation(tx *store.Tx, id jitsuin.ID) (api.Designation, error) {
	d, err := scanDesignation(tx.QueryRow(`SELECT body FROM designation WHERE id = $1`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "designation-unknown", "there is no such designation")
	}
	return d, err
}

func (m *Minister) listDesignations(ctx context.Context, _ *struct{}) (*designationsOut, error) {
	out := &designationsOut{}
	err := m.DB.View(ctx, func(tx *store.Tx) error {
		all, err := designations(tx)
		out.Body.Designations = append([]api.Designation{}, all...)
		return err
	})
	return out, err
}

func (m *Minister) oneDesignation(ctx context.Context, in *oneIn) (*designationHistoryOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	out := &designationHistoryOut{}
	err = m.DB.View(ctx, func(tx *store.Tx) (err error) {
		if out.Body.Designation, err = findDesignation(tx, id); err != nil {
			return err
		}
		out.Body.Steps, err = store.Collect(scanStep)(tx.Query(
			`SELECT decided_at, decided_by, state, until, reason, '' FROM designation_decision WHERE designation = $1 ORDER BY number`, string(id)))
		return err
	})
	return out, err
}
