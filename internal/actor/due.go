package actor

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Due is something that falls due at a civil time: GET /upcoming.
type Due struct {
	// Kind is the name of a job in lower case with hyphens, or of a day that the law sets.
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
	Count int       `json:"count"`
	// Fires tells that the actor does something then; otherwise something begins or ends by itself.
	Fires bool `json:"fires"`
	// Routine is what comes round again and again and changes nothing.
	Routine bool `json:"routine,omitempty"`
}

// Dues is the answer of GET /upcoming: what is ahead, the earliest first.
type Dues struct {
	Now time.Time `json:"now"`
	Due []Due     `json:"due"`
}

// mostDue is how many entries of one kind are listed.
const mostDue = 200

type upcoming struct {
	kind    string
	routine bool
	list    func(ctx context.Context, now time.Time) ([]clock.Due, error)
}

// Upcoming has GET /upcoming list days that come without a job, such as the end of a certificate: what is
// after now, the earliest first.
func (a *Actor) Upcoming(kind string, routine bool, list func(ctx context.Context, now time.Time) ([]clock.Due, error)) {
	a.upcoming = append(a.upcoming, upcoming{kind, routine, list})
}

type dueOut struct{ Body Dues }

func (a *Actor) offerDue() {
	httpapi.Register(a.API, httpapi.Operation{ID: "upcoming", Method: http.MethodGet, Path: "/upcoming", Summary: "What is falling due here",
		Description: "Jobs, and days that the law sets, by kind and time. It names nobody.", Policy: httpapi.Roles("country")}, a.due)
}

func (a *Actor) due(ctx context.Context, _ *struct{}) (*dueOut, error) {
	now := a.Clock.Now()
	out := &dueOut{Dues{Now: now, Due: []Due{}}}
	add := func(kind string, fires, routine bool, list []clock.Due) {
		for _, d := range list[:min(len(list), mostDue)] {
			out.Body.Due = append(out.Body.Due, Due{kind, d.At, d.Count, fires, routine})
		}
	}
	for _, j := range a.jobs {
		list, err := j.Upcoming(ctx)
		if err != nil {
			return nil, err
		}
		add(strings.ReplaceAll(j.Name, " ", "-"), true, false, list)
	}
	for _, u := range a.upcoming {
		list, err := u.list(ctx, now)
		if err != nil {
			return nil, err
		}
		add(u.kind, false, u.routine, list)
	}
	slices.SortStableFunc(out.Body.Due, func(x, y Due) int { return x.At.Compare(y.At) })
	return out, nil
}
