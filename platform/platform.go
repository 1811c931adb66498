package platform

import (
	"context"
	"crypto/x509"
	"embed"
	"errors"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/platform/fair"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/signature/report"
	"github.com/jitsuin/jitsuin/status"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

// Platform is the running verifier.
type Platform struct {
	*actor.Actor
	officeDesk
	cfg     Config
	count   counters
	jlis    jlis.Client
	anchors atomic.Pointer[[]*x509.Certificate] // nil until they are known
	times   atomic.Pointer[[]*x509.Certificate] // anchors for time, nil until they are known
	lists   *status.CRLCache                    // for tenants whose checks ask lists
	members members                             // the tenants as this process knows them
	checks  *fair.Queue                         // in which they take turns
	sealer  *report.Sealer                      // signs PDF reports
	errands *errand.Desk                        // sends browsers from our own pages to their holders
	site    *web.Site                           // our own pages, see own.go
	people  people                              // see people.go
	openid  *openid.Provider                    // see openid.go
	results
	accrediting
	refusals *refusals // that are not in the operation log yet
}

// New opens the verifier; Run starts it.
func New(ctx context.Context, cfg Config) (*Platform, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	p := &Platform{cfg: cfg, checks: cfg.newQueue()}
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Platform operator (プラットフォーム事業者)", Version: "1",
		Migrations: migrations(), Callers: []httpapi.KeyLookup{p.tenantKeys}, Log: cfg.Log, Store: append([]store.Option{store.Also("web", web.Migrations()), store.Erasing()}, cfg.Store...)})
	if err != nil {
		return nil, err
	}
	p.count = newCounters(a.Metrics)
	p.Actor, p.jlis = a, jlis.Client{Remote: a.Remote(cfg.JLIS)}
	if err := p.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return p, nil
}

// open readies what New is made of beyond the actor.
func (p *Platform) open(ctx context.Context) error {
	if err := p.loadAnchors(ctx); err != nil {
		return err
	}
	if p.cfg.Standalone {
		if err := p.registerOwn(ctx); err != nil {
			return err
		}
	}
	if err := p.openSealer(); err != nil {
		return err
	}
	if err := p.openPeople(); err != nil {
		return err
	}
	p.lists = p.newLists()
	if err := p.openMembers(ctx); err != nil {
		return err
	}
	p.API.Ready("anchors", func(context.Context) error { _, err := p.trusted(); return err })
	p.Follow(p.cfg.Minister, minister.TopicAccreditations, p.applyAccreditation).OnForget(p.forgetAccreditation)
	p.Go("fetch CA certificates", p.fetchAnchors)
	p.Go("fetch the root for time", p.fetchTimeAnchor)
	p.Go("notify J-LIS", p.notifyJLIS)
	p.openAccreditation()
	p.Every(time.Hour, "forget", p.forget)
	if err := p.beginOld(ctx); err != nil {
		return err
	}
	p.At(clock.Job{Name: "end of retention", Next: p.nextRecordEnd, Fire: p.dropRecords, List: p.recordEnds})
	if err := p.openResults(); err != nil {
		return err
	}
	if err := p.openOpenID(ctx); err != nil {
		return err
	}
	p.openLog()
	p.routes()
	p.docPages()
	p.figures()
	return nil
}

// forget drops what is only needed for a while, by wall time.
func (p *Platform) forget(ctx context.Context) error {
	now := time.Now()
	return errors.Join(p.forgetChallenges(ctx, now.Add(-24*time.Hour)), p.endUnused(ctx, now), p.forgetRequests(ctx, now.Add(-time.Hour)),
		p.errands.Forget(ctx, now.Add(-24*time.Hour)), p.forgetAdapters(ctx, now))
}
