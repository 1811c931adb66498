package minister

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

// Config is the minister's configuration. Log defaults to slog.Default.
type Config struct {
	actor.Config `yaml:",inline"`
	Log          *slog.Logger `yaml:"-"`
}

// Minister is the running office.
type Minister struct{ *actor.Actor }

// New opens the office; Run starts it.
func New(ctx context.Context, cfg Config) (*Minister, error) {
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Competent minister (主務大臣)", Version: "1", Migrations: migrations(), Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	m := &Minister{a}
	a.Offer(api.TopicAccreditations, httpapi.Roles("jlis", "platform", "verifier"))
	a.Offer(api.TopicDesignations, httpapi.Roles("jlis"))
	m.routes()
	m.designationRoutes()
	m.Metrics.Read("accreditations", m.readFigures)
	m.Upcoming("accreditations-end", false, m.endingAccreditations)
	m.Upcoming("designations-end", false, m.endingDesignations)
	return m, nil
}

func (m *Minister) routes() {
	published := httpapi.Public("who is accredited is published")
	httpapi.Register(m.API, httpapi.Operation{ID: "decide", Method: http.MethodPost, Path: "/accreditations", Status: http.StatusCreated,
		Summary: "Record a decision on a verifier",
		Description: "State in-force grants, renews or lifts a suspension; suspended and withdrawn need a reason. " +
			"Needs the header Idempotency-Key.", Policy: httpapi.Roles("official")}, m.decide)
	httpapi.Register(m.API, httpapi.Operation{ID: "accreditations", Method: http.MethodGet, Path: "/accreditations",
		Summary: "All accreditations", Policy: published}, m.list)
	httpapi.Register(m.API, httpapi.Operation{ID: "accreditation", Method: http.MethodGet, Path: "/accreditations/{id}",
		Summary: "One accreditation with its decisions", Policy: published}, m.one)
}

type decideIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.Decision
}

type accreditationOut struct{ Body api.Accreditation }

// decide records a decision, tells the readers of the feed, and gives the accreditation as it is now.
func (m *Minister) decide(ctx context.Context, in *decideIn) (*accreditationOut, error) {
	id := jitsuin.NewID()
	now := m.Clock.Now()
	a, err := httpapi.Once(ctx, m.DB, "decide", in.Body, func(tx *store.Tx) (api.Accreditation, error) {
		before, number, err := last(tx, in.Body.Verifier)
		if err != nil {
			return api.Accreditation{}, err
		}
		after, err := decide(before, in.Body, jitsuin.DateOf(now), id)
		if err != nil {
			return api.Accreditation{}, err
		}
		if after.ID != before.ID {
			number++
		}
		if err := save(tx, after, number, now, httpapi.CallerOf(ctx).ID); err != nil {
			return api.Accreditation{}, err
		}
		_, err = feed.Append(tx, feed.Draft{Topic: api.TopicAccreditations, Subject: after.Verifier,
			Type: api.TypeAccreditation, Body: after, RecordedAt: now})
		return after, err
	})
	if err != nil {
		return nil, err
	}
	return &accreditationOut{a}, nil
}

type listOut struct {
	Body struct {
		Accreditations []api.Accreditation `json:"accreditations"`
	}
}

func (m *Minister) list(ctx context.Context, _ *struct{}) (*listOut, error) {
	all, err := list(ctx, m.DB)
	out := &listOut{}
	out.Body.Accreditations = append([]api.Accreditation{}, all...)
	return out, err
}

type oneIn struct {
	ID string `path:"id"`
}

type oneOut struct{ Body api.History }

func (m *Minister) one(ctx context.Context, in *oneIn) (*oneOut, error) {
	id, err := jitsuin.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	a, steps, err := find(ctx, m.DB, id)
	if err != nil {
		return nil, err
	}
	return &oneOut{api.History{Accreditation: a, Steps: steps}}, nil
}
