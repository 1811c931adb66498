package site

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
)

//go:embed templates/*.html assets/* migrations/*.sql
var files embed.FS

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

// Site is the running holder.
type Site struct {
	*actor.Actor
	cfg   Config
	cards holder.Cards
	pages *web.Site
	flows flows
	http  *http.Client
}

// New opens the holder; Run starts it.
func New(ctx context.Context, cfg Config) (*Site, error) {
	if cfg.CardOpen == 0 {
		cfg.CardOpen = 3 * time.Minute
	}
	s := &Site{cfg: cfg, cards: holder.CardsAt(cfg.Cards), http: newHTTP(), flows: flows{all: map[flowKey]*flow{}}}
	spec, foot := actor.Spec{Title: "Holder (利用者)", Version: "1", Migrations: folder("migrations"), Log: cfg.Log, Store: cfg.Store}, ""
	if cfg.own != nil {
		spec.Guard, foot = s.guard, "holderlocal.foot"
	}
	a, err := actor.New(ctx, cfg.Config, spec)
	if err != nil {
		return nil, err
	}
	s.Actor = a
	if s.pages, err = web.New(web.Options{Name: "holder.name", Accent: "navy", Foot: foot, Templates: folder("templates"), Assets: folder("assets"), Hosts: s.hosts(), Log: a.Log,
		Funcs: template.FuncMap{"ageover": api.AgeOver}}); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.API.Ready("cards", func(context.Context) error {
		if _, err := s.cards.Held(); err != nil && cfg.own == nil {
			return jitsuin.Errorf(jitsuin.Unavailable, "cards-folder", "the folder of the cards cannot be read")
		}
		return nil
	})
	s.routes()
	a.Go("close what nobody uses", s.sweep)
	a.Every(time.Hour, "forget", s.forget)
	return s, nil
}

// newHTTP makes the client that fetches requests and documents and sends answers: it goes where it is
// told and nowhere else.
func newHTTP() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	return &http.Client{Transport: t, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// hosts are the names under which this site is reached.
func (s *Site) hosts() []string {
	hosts := []string{s.Config.Listen}
	if self, err := s.Directory.Lookup(s.Config.Instance); err == nil {
		if u, err := url.Parse(self.Origin); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}

func (s *Site) routes() {
	browser := httpapi.Public("the person at the browser; a request's pages belong to the browser that opened it")
	alone := map[string]web.Handler{"GET /{$}": s.home, "GET /cards/{card}/pin": s.changePIN, "POST /cards/{card}/pin": s.changePIN,
		"GET /phones": s.showPhones, "POST /phones": s.takePhones, "GET /phones/{phone}/pin": s.changePIN, "POST /phones/{phone}/pin": s.changePIN,
		"POST /phones/{phone}/erase": s.erasePhone,
		"GET /lost":                  s.showLost, "POST /lost": s.takeLost}
	if s.cfg.own != nil { // no authority knows of it
		alone = map[string]web.Handler{"GET /{$}": s.localHome}
	}
	for pattern, h := range alone {
		s.pages.Handle(s.API, pattern, browser, h)
	}
	for pattern, h := range map[string]web.Handler{
		"POST /request/{txn}/sensor": s.flowPage(s.takeSensor),
		"GET /request":               s.open, "GET /request/{txn}": s.flowPage(s.showChoose), "POST /request/{txn}": s.flowPage(s.takeChoose),
		"POST /request/{txn}/another": s.flowPage(s.takeAnother), "POST /request/{txn}/cancel": s.flowPage(s.takeCancel),
		"GET /request/{txn}/items-pin": s.flowPage(s.showItemsPIN), "POST /request/{txn}/items-pin": s.flowPage(s.takeItemsPIN),
		"GET /request/{txn}/items": s.flowPage(s.showItems), "POST /request/{txn}/items": s.flowPage(s.takeItems),
		"GET /request/{txn}/pin": s.flowPage(s.showPIN), "POST /request/{txn}/pin": s.flowPage(s.takePIN),
		"GET /request/{txn}/warning": s.flowPage(s.showWarning), "POST /request/{txn}/warning": s.flowPage(s.takeWarning),
		"GET /request/{txn}/form": s.flowPage(s.showForm), "POST /request/{txn}/form": s.flowPage(s.takeForm),
		"GET /request/{txn}/read": s.flowPage(s.showRead), "POST /request/{txn}/read": s.flowPage(s.takeRead),
		"GET /request/{txn}/document.pdf": s.flowPage(s.showDocument),
		"GET /request/{txn}/send":         s.flowPage(s.showSend), "POST /request/{txn}/send": s.flowPage(s.takeSend),
		"GET /request/{txn}/done": s.flowPage(s.showDone),
	} {
		s.pages.Handle(s.API, pattern, browser, h)
	}
	s.pages.ServeAssets(s.API)
	if s.cfg.Sandbox {
		s.sandboxRoutes()
	}
}

// sweep closes cards whose time is over and drops flows that nobody goes on with; when the actor
// ends, all of them.
func (s *Site) sweep(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.flows.closeAll()
			return nil
		case <-tick.C:
			s.flows.sweep(time.Now())
		}
	}
}
