package municipality

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

type (
	enactIn struct {
		Key  string `header:"Idempotency-Key"`
		Body api.OrdinanceRequest
	}
	repealIn struct {
		ID   string `path:"id" maxLength:"32"`
		Key  string `header:"Idempotency-Key"`
		Body api.RepealRequest
	}
	ordinanceOut  struct{ Body api.Ordinance }
	ordinancesOut struct {
		Body struct {
			Ordinances []api.Ordinance `json:"ordinances"`
		}
	}
)

// ordinanceRoutes are the register of the ordinances (条例) by which the town uses the free area of cards.
func (t *Town) ordinanceRoutes(counter httpapi.Policy) {
	httpapi.Register(t.API, httpapi.Operation{ID: "ordinances", Method: http.MethodGet, Path: "/ordinances", Summary: "The ordinances on the free area of the card, those that are over included",
		Policy: httpapi.Public("ordinances are promulgated")}, t.listOrdinances)
	httpapi.Register(t.API, httpapi.Operation{ID: "enact", Method: http.MethodPost, Path: "/ordinances", Status: http.StatusCreated, Summary: "Enter an ordinance on the free area of the card (空き領域)",
		Description: "The assembly has enacted it; this is the entry in the town's register, of which J-LIS is told. Needs the header Idempotency-Key.", Policy: counter}, t.enterOrdinance)
	httpapi.Register(t.API, httpapi.Operation{ID: "repeal", Method: http.MethodPost, Path: "/ordinances/{id}/repeal", Summary: "Enter that an ordinance was repealed",
		Description: "From then on nothing is loaded by it; deleting stays allowed. Needs the header Idempotency-Key.", Policy: counter}, t.enterRepeal)
}

// ordinance makes the entry of a request, or says what is wrong with it.
func (t *Town) ordinance(r api.OrdinanceRequest, id jitsuin.ID) (api.Ordinance, error) {
	o := api.Ordinance{ID: id, Number: strings.TrimSpace(r.Number), Title: strings.TrimSpace(r.Title), Name: strings.TrimSpace(r.Name), NameEN: r.NameEN,
		AID: strings.ToUpper(r.AID), Purpose: strings.TrimSpace(r.Purpose), Bytes: r.Bytes, From: r.From, Until: r.Until, State: api.InForce}
	aid, err := card.ParseProviderAID(r.AID)
	if err != nil {
		return o, err
	}
	mine := card.TownAID(t.code, 0)
	switch {
	case len(aid) != len(mine) || string(aid[:len(aid)-1]) != string(mine[:len(mine)-1]):
		return o, jitsuin.Errorf(jitsuin.Conflict, "aid-reserved", "the applications of %s have names that begin with %X", t.code, mine[:len(mine)-1]).At("aid")
	case o.Number == "" || o.Title == "" || o.Name == "":
		return o, jitsuin.Errorf(jitsuin.Invalid, "name-missing", "an ordinance has a number, a title and the name of its application").At("title")
	case o.Purpose == "":
		return o, jitsuin.Errorf(jitsuin.Invalid, "purpose-missing", "an ordinance says for what the free area is used").At("purpose")
	case o.From.IsZero():
		return o, jitsuin.Errorf(jitsuin.Invalid, "date-missing", "an ordinance says from which day on it is in force").At("from")
	case !o.Until.IsZero() && o.Until.Before(o.From):
		return o, jitsuin.Errorf(jitsuin.Invalid, "date-order", "an ordinance ends after it begins").At("until")
	}
	return o, nil
}

func (t *Town) enterOrdinance(ctx context.Context, in *enactIn) (*ordinanceOut, error) {
	o, err := t.ordinance(in.Body, jitsuin.NewID())
	if err != nil {
		return nil, err
	}
	today := t.today()
	o, err = httpapi.Once(ctx, t.DB, "enact", in.Body, func(tx *store.Tx) (api.Ordinance, error) {
		all, err := ordinances(tx)
		if err != nil {
			return o, err
		}
		for _, other := range all {
			if other.AID == o.AID && other.State == api.InForce && (other.Until.IsZero() || !today.After(other.Until)) {
				return o, jitsuin.Errorf(jitsuin.Conflict, "aid-taken", "the name %s belongs to %s", o.AID, other.Number).At("aid")
			}
		}
		return o, t.saveOrdinance(tx, o)
	})
	return &ordinanceOut{o}, err
}

func (t *Town) enterRepeal(ctx context.Context, in *repealIn) (*ordinanceOut, error) {
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "reason-missing", "a repeal needs its reason").At("reason")
	}
	o, err := httpapi.Once(ctx, t.DB, "repeal", []any{in.ID, in.Body}, func(tx *store.Tx) (api.Ordinance, error) {
		o, err := scanOrdinance(tx.QueryRow(`SELECT body FROM ordinance WHERE id = $1`, in.ID))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return o, jitsuin.Errorf(jitsuin.NotFound, "ordinance-unknown", "the town has no such ordinance")
		case err != nil:
			return o, err
		case o.State == api.Repealed:
			return o, jitsuin.Errorf(jitsuin.Conflict, "already-repealed", "%s is repealed already", o.Number)
		}
		o.State, o.Reason = api.Repealed, reason
		return o, t.saveOrdinance(tx, o)
	})
	return &ordinanceOut{o}, err
}

// saveOrdinance stores an ordinance and tells J-LIS.
func (t *Town) saveOrdinance(tx *store.Tx, o api.Ordinance) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	now := t.Clock.Now()
	if _, err := tx.Exec(`INSERT INTO ordinance (id, aid, body, entered_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET body = excluded.body`,
		string(o.ID), o.AID, string(body), store.Micros(now)); err != nil {
		return err
	}
	_, err = feed.Append(tx, feed.Draft{Topic: api.TopicOrdinances, Subject: o.AID, Type: api.TypeOrdinance, Body: o, RecordedAt: now})
	return err
}

func scanOrdinance(s store.Scanner) (o api.Ordinance, err error) {
	var body string
	if err := s.Scan(&body); err != nil {
		return o, err
	}
	err = json.Unmarshal([]byte(body), &o)
	return o, err
}

func ordinances(tx *store.Tx) ([]api.Ordinance, error) {
	return store.Collect(scanOrdinance)(tx.Query(`SELECT body FROM ordinance ORDER BY entered_at, id`))
}

func (t *Town) listOrdinances(ctx context.Context, _ *struct{}) (*ordinancesOut, error) {
	out := &ordinancesOut{}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		all, err := ordinances(tx)
		out.Body.Ordinances = append([]api.Ordinance{}, all...)
		return err
	})
	return out, err
}
