package platform

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
)

// health is one thing of the overview that is well or not. Key is office.health.KEY, with Of what it is about.
type health struct {
	Key, Of string
	OK      bool
	Detail  string // what is wrong, as it may be told to people of the office
}

// expiring is something whose last moment is known. Key is office.expires.KEY.
type expiring struct {
	Key, Of string
	At      time.Time
	Near    bool
	Over    bool
}

// queue is something that waits for work. Key is office.queue.KEY.
type queue struct {
	Key, Of string
	N       int64
	Bad     bool // it should be empty
}

// nearBy is how long before its end something is shown as near.
const nearBy = 60 * 24 * time.Hour

// overview is what the first page shows.
type overview struct {
	Accreditation *minister.Accreditation // nil while nothing was heard of it
	InForce       bool
	Health        []health
	Queues        []queue
	Expiring      []expiring
	Alone         bool // a single administrator
}

func (p *Platform) overviewPage(w http.ResponseWriter, r *http.Request) error {
	o, err := p.overview(r.Context())
	if err != nil {
		return err
	}
	return p.showOffice(w, r, http.StatusOK, "office-overview", map[string]any{"O": o, "Now": p.Clock.Now()})
}

func (p *Platform) overview(ctx context.Context) (o overview, err error) {
	now := p.Clock.Now()
	a, _, err := p.accreditation(ctx)
	switch {
	case err == nil:
		o.Accreditation, o.InForce = &a, a.InForceOn(jitsuin.DateOf(now))
		if !a.Until.IsZero() {
			o.Expiring = append(o.Expiring, expiring{Key: "accreditation", At: a.Until.LastSecond()})
		}
	case jitsuin.CodeOf(err) != "accreditation-unknown":
		return o, err
	}
	o.Health = p.checkHealth(ctx)
	o.Expiring = append(o.Expiring, p.ownCertificates()...)
	certificates := o.Expiring
	if err := p.DB.View(ctx, func(tx *store.Tx) error {
		o.Expiring = slices.Clone(certificates) // it may be run again
		return p.readOverview(tx, &o, now)
	}); err != nil {
		return o, err
	}
	for i := range o.Expiring {
		e := &o.Expiring[i]
		e.Over, e.Near = !now.Before(e.At), e.At.Sub(now) < nearBy
	}
	slices.SortStableFunc(o.Expiring, func(a, b expiring) int { return a.At.Compare(b.At) })
	return o, nil
}

// checkHealth runs what /readyz runs, and says how the feeds are that we read.
func (p *Platform) checkHealth(ctx context.Context) (all []health) {
	bounded, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for name, err := range p.API.Checks(bounded) {
		if strings.HasPrefix(name, "feed ") {
			continue // told below, with how far it is
		}
		h := health{Key: "check", Of: name, OK: err == nil}
		if err != nil {
			h.Detail = httpapi.ProblemOf(ctx, err).Detail
		}
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b health) int { return strings.Compare(a.Of, b.Of) })
	for _, f := range p.Readings() {
		h := health{Key: "feed", Of: f.Source + " " + f.Topic, OK: f.Health.Err() == nil}
		if err := f.Health.Err(); err != nil {
			h.Detail = httpapi.ProblemOf(ctx, err).Detail
		} else if behind := int64(actor.Lag(f.Health.Head, f.Health.Applied)); behind > 0 {
			h.Detail = count(behind)
		}
		all = append(all, h)
	}
	return all
}

// ownCertificates are the certificates that we rely on or sign with.
func (p *Platform) ownCertificates() (all []expiring) {
	if p.sealer != nil && p.sealer.Certificate != nil {
		all = append(all, expiring{Key: "report", At: p.sealer.Certificate.NotAfter})
	}
	if anchors, err := p.trusted(); err == nil {
		for _, c := range anchors {
			all = append(all, expiring{Key: "anchor", Of: c.Subject.String(), At: c.NotAfter})
		}
	}
	if times := p.times.Load(); times != nil {
		for _, c := range *times {
			all = append(all, expiring{Key: "time-anchor", Of: c.Subject.String(), At: c.NotAfter})
		}
	}
	return all
}

func (p *Platform) readOverview(tx *store.Tx, o *overview, now time.Time) error {
	o.Queues = nil
	backlog, err := feed.Backlog(tx)
	if err != nil {
		return err
	}
	for _, b := range backlog {
		o.Queues = append(o.Queues, queue{Key: "unnumbered", Of: b.Topic, N: b.Events})
	}
	parked, err := feed.AllParked(tx)
	if err != nil {
		return err
	}
	for _, s := range parked {
		o.Queues = append(o.Queues, queue{Key: "parked", Of: s.Source + " " + s.Topic, N: s.Events, Bad: true})
	}
	over := queue{Key: "records-over", Bad: true}
	if err := tx.QueryRow(`/* every tenant: the overview counts what is overdue */ SELECT COUNT(*) FROM vault_records WHERE keep_until <> '' AND keep_until < $1 AND held = 0`, jitsuin.DateOf(now).String()).Scan(&over.N); err != nil {
		return err
	}
	o.Queues = append(o.Queues, over)
	results, err := resultsNow(tx, time.Now(), jitsuin.DateOf(now))
	if err != nil {
		return err
	}
	o.Queues = append(o.Queues, queue{Key: "checks", N: results.waiting}, queue{Key: "events", N: results.events}, queue{Key: "webhooks-failing", N: results.failing, Bad: true},
		queue{Key: "webhooks-stopped", N: results.stopped, Bad: true}, queue{Key: "copies", N: results.copies}, queue{Key: "copies-over", N: results.over, Bad: true})
	contracts, err := store.Collect(scanContractEnd)(tx.Query(`SELECT id, contract_until FROM tenants WHERE contract_until <> '' AND state <> $1 ORDER BY contract_until, id LIMIT $2`,
		api.TenantEnded, contractsShown))
	if err != nil {
		return err
	}
	o.Expiring = append(o.Expiring, contracts...)
	o.Alone, err = office.OneAdministrator(tx)
	return err
}

// contractsShown is how many contracts of tenants are shown, those that end first.
const contractsShown = 10

func scanContractEnd(s store.Scanner) (e expiring, err error) {
	e.Key = "contract"
	var until string
	if err := s.Scan(&e.Of, &until); err != nil {
		return e, err
	}
	day, err := jitsuin.ParseDate(until)
	e.At = day.LastSecond()
	return e, err
}
