package minister

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/minister/desk"
)

// Config is the minister's configuration. Log defaults to slog.Default.
type Config struct {
	actor.Config `yaml:",inline"`
	// WitnessEvery is how often the office states what it has read of a verifier's operation log that grows, wall time: a minute.
	WitnessEvery time.Duration `yaml:"witness_every,omitempty" check:"not-negative"`
	Log          *slog.Logger  `yaml:"-"`
}

// Minister is the running office.
type Minister struct {
	*actor.Actor
	witness      *witness
	witnessEvery time.Duration
}

// New opens the office; Run starts it.
func New(ctx context.Context, cfg Config) (*Minister, error) {
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Competent minister (主務大臣)", Version: "1", Migrations: migrations(), Log: cfg.Log, Store: desk.Tables()})
	if err != nil {
		return nil, err
	}
	m := &Minister{Actor: a, witnessEvery: cmp.Or(cfg.WitnessEvery, witnessEvery)}
	if err := desk.New(a, m); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Offer(api.TopicAccreditations, httpapi.Roles("jlis", "platform", "verifier"))
	a.Offer(api.TopicDesignations, httpapi.Roles("jlis"))
	a.Offer(api.TopicWitness, httpapi.Roles("platform", "verifier"))
	m.openWitness()
	m.routes()
	m.designationRoutes()
	m.applicationRoutes()
	m.auditRoutes()
	m.witnessRoutes()
	m.Metrics.Read("accreditations", m.readFigures)
	m.Metrics.Read("audits", m.readAudits)
	m.Metrics.Read("witness", m.readWitness)
	m.Upcoming("accreditations-end", false, m.endingAccreditations)
	m.Upcoming("audits-due", false, m.auditsAhead)
	m.Upcoming("designations-end", false, m.endingDesignations)
	return m, nil
}

func (m *Minister) routes() {
	published := httpapi.Public("who is accredited is published")
	httpapi.Register(m.API, httpapi.Operation{ID: "decide", Method: http.MethodPost, Path: "/accreditations", Status: http.StatusCreated,
		Summary: "Record a decision on a verifier",
		Description: "State in-force renews or lifts a suspension, and records a body that the law names; a private operator is accredited by an application. " +
			"A renewal needs the year's audit closed. Suspended and withdrawn need a reason. Needs the header Idempotency-Key.", Policy: httpapi.Roles(roleOfficial)}, m.decide)
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

func (m *Minister) decide(ctx context.Context, in *decideIn) (*accreditationOut, error) {
	a, err := m.Decide(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &accreditationOut{a}, nil
}

// Decide records a decision, tells the readers of the feed, and gives the accreditation as it is now. Conflict
// "application-needed" where a private operator would be accredited anew, "audit-open" where a renewal lacks the year's audit.
func (m *Minister) Decide(ctx context.Context, d api.Decision) (api.Accreditation, error) {
	id := jitsuin.NewID()
	now := m.Clock.Now()
	return httpapi.Once(ctx, m.DB, "decide", d, func(tx *store.Tx) (api.Accreditation, error) {
		before, number, err := last(tx, d.Verifier)
		if err != nil {
			return api.Accreditation{}, err
		}
		after, err := decide(before, d, jitsuin.DateOf(now), id)
		if err != nil {
			return api.Accreditation{}, err
		}
		switch {
		case after.ID != before.ID && after.Ground == groundAccredited:
			return api.Accreditation{}, jitsuin.Errorf(jitsuin.Conflict, "application-needed", "%s has no accreditation that stands: a private operator is accredited by an application", d.Verifier).
				WithHint("it applies with POST /accreditation-applications, and the office decides on that")
		case after.ID != before.ID:
			number++
		case after.Until != before.Until:
			if err := mayRenew(tx, before); err != nil {
				return api.Accreditation{}, err
			}
		}
		return after, record(tx, after, number, now, m.by(ctx, d.Official))
	})
}

// record stores an accreditation with the decision that made it so, and tells the readers of the feed.
func record(tx *store.Tx, a api.Accreditation, number int64, at time.Time, by who) error {
	if err := save(tx, a, number, at, by); err != nil {
		return err
	}
	tx.Notify(applicationSignal)
	tx.Notify(decidedSignal)
	_, err := feed.Append(tx, feed.Draft{Topic: api.TopicAccreditations, Subject: a.Verifier, Type: api.TypeAccreditation, Body: a, RecordedAt: at})
	return err
}

// Accreditations gives all of them, those that are over included, ordered by verifier.
func (m *Minister) Accreditations(ctx context.Context) ([]api.Accreditation, error) {
	return list(ctx, m.DB)
}

// Accreditation gives one with every decision on it.
func (m *Minister) Accreditation(ctx context.Context, id jitsuin.ID) (api.History, error) {
	a, steps, err := find(ctx, m.DB, id)
	return api.History{Accreditation: a, Steps: steps}, err
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
	if httpapi.CallerOf(ctx).Role != roleOfficial {
		for i := range steps {
			steps[i].Official = ""
		}
	}
	return &oneOut{api.History{Accreditation: a, Steps: steps}}, nil
}
