package counter

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/municipality/terminal"
)

// Config is the section counter of a municipality's configuration. Without it the town has no pages.
type Config struct {
	// Key is the PEM file of the private key of counter:CODE, as which the pages call the town.
	Key string `yaml:"key"`
	// TerminalKey (PEM) and TerminalCertificate (DER) are what chips trust the terminal by. Where the
	// files are missing they are made, and certified by J-LIS, the first time a chip is needed.
	TerminalKey         string `yaml:"terminal_key"`
	TerminalCertificate string `yaml:"terminal_certificate"`
	// Reader is the folder with the sockets of the cards that residents have: the sandbox's reader on the
	// counter. Without it no card can be put on the reader, and nothing is re-issued.
	Reader string `yaml:"reader,omitempty"`
	// Labels is the folder where the sandbox notes what is printed on each card.
	Labels string `yaml:"labels,omitempty"`
	// Towns are the names of the municipalities by their codes, this one's included.
	Towns map[jitsuin.MunicipalityCode]string `yaml:"towns,omitempty"`
}

// Resolve makes the paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	actor.ResolvePaths(base, &c.Key, &c.TerminalKey, &c.TerminalCertificate, &c.Reader, &c.Labels)
	for name, v := range map[string]string{"key": c.Key, "terminal_key": c.TerminalKey, "terminal_certificate": c.TerminalCertificate} {
		if v == "" {
			return jitsuin.Errorf(jitsuin.Invalid, "config", "the section counter lacks %q", name).At("counter." + name)
		}
	}
	return nil
}

// Client gives the way to a town as its counter, with the key of the configuration.
func (c Config) Client(d *httpapi.Directory, code jitsuin.MunicipalityCode) (api.Client, error) {
	key, err := actor.ReadKey(c.Key)
	if err != nil {
		return api.Client{}, err
	}
	self := httpapi.Identity{ID: "counter:" + string(code), Key: key}
	return api.Client{Remote: httpapi.NewRemote(self, d, "municipality:"+string(code))}, nil
}

//go:embed migrations/*.sql templates/*.html assets/*
var embedded embed.FS

func folder(name string) fs.FS {
	f, err := fs.Sub(embedded, name)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return f
}

// Tables are what the pages need in the town's database.
func Tables() []store.Option {
	return []store.Option{store.Also("web", web.Migrations()), store.Also("counter", folder("migrations"))}
}

// Counter is the pages of one town. Safe for concurrent use.
type Counter struct {
	config   Config
	code     jitsuin.MunicipalityCode
	actor    *actor.Actor
	town     api.Client
	cards    host.Cards
	site     *web.Site // what the clerk sees
	facing   *web.Site // what the resident sees when the screen is turned
	sessions web.Sessions[session]
	tickets  web.Tickets
	now      func() time.Time // wall time
	acts     keyed
	identity sync.Mutex // one certification at a time
}

// New registers the pages and the sign-in at the town's API. cards opens chips by their handles.
func New(a *actor.Actor, code jitsuin.MunicipalityCode, cards host.Cards, cfg Config) (*Counter, error) {
	c := &Counter{config: cfg, code: code, actor: a, cards: cards, now: time.Now,
		sessions: web.Sessions[session]{DB: a.DB, Cookie: "counter-" + string(code), Life: sessionLife, FromOutside: true}}
	c.tickets = web.Tickets{DB: a.DB, Site: c.sessions.Cookie, Now: func() time.Time { return c.now() }}
	var err error
	if c.town, err = cfg.Client(a.Directory, code); err != nil {
		return nil, err
	}
	menu := []web.Item{{Key: "counter.menu.work", Path: "/counter/"}, {Key: "counter.menu.residents", Path: "/counter/residents"}, {Key: "counter.menu.entries", Path: "/counter/entries"}}
	if c.site, err = web.New(c.options(menu)); err != nil {
		return nil, err
	}
	if c.facing, err = web.New(c.options(nil)); err != nil {
		return nil, err
	}
	if err := c.secure(); err != nil {
		return nil, err
	}
	c.site.ServeAssets(a.API)
	c.routes()
	return c, nil
}

func (c *Counter) options(menu []web.Item) web.Options {
	return web.Options{Name: "counter.site", Who: c.townName(c.code), Accent: "green", Templates: folder("templates"), Assets: folder("assets"),
		Menu: menu, Hosts: c.hosts(), Log: c.actor.Log}
}

// hosts are the names under which browsers reach the town: its origin, and where it listens.
func (c *Counter) hosts() []string {
	hosts := []string{c.actor.Config.Listen}
	if i, err := c.actor.Directory.Lookup(c.actor.Self.ID); err == nil {
		if u, err := url.Parse(i.Origin); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}

// secure marks the cookie where the town is reached by https.
func (c *Counter) secure() error {
	i, err := c.actor.Directory.Lookup(c.actor.Self.ID)
	if err != nil {
		return err
	}
	u, err := url.Parse(i.Origin)
	c.sessions.Secure = err == nil && u.Scheme == "https"
	return err
}

// Close drops idle connections.
func (c *Counter) Close() { c.town.Close() }

func (c *Counter) townName(code jitsuin.MunicipalityCode) string {
	if name := c.config.Towns[code]; name != "" {
		return name
	}
	return string(code)
}

// today is the day in civil time.
func (c *Counter) today() jitsuin.Date { return jitsuin.DateOf(c.actor.Clock.Now()) }

// terminal is the terminal with this clerk at it.
func (c *Counter) terminal(ctx context.Context, clerk string) (*terminal.Terminal, error) {
	c.identity.Lock()
	defer c.identity.Unlock()
	identity, err := terminal.Identity(ctx, c.town, c.config.TerminalKey, c.config.TerminalCertificate)
	return &terminal.Terminal{Town: c.town, Cards: c.cards, Identity: identity, Clerk: clerk}, err
}

func (c *Counter) routes() {
	c.signInRoutes()
	c.deskRoutes()
	c.caseRoutes()
	c.chipRoutes()
	c.changeRoutes()
	c.freeAreaRoutes()
	c.cardFoundRoutes()
}

// page is a page that a signed-in clerk asks for.
type page func(w http.ResponseWriter, r *http.Request, s session) error

// handle registers a page. Without a session it is the page that says how to sign in, and nothing is done.
func (c *Counter) handle(pattern string, h page) {
	c.site.Handle(c.actor.API, pattern, httpapi.Public("the page itself asks for a clerk's session"), func(w http.ResponseWriter, r *http.Request) error {
		s, err := c.clerk(w, r)
		if jitsuin.CodeOf(err) == "no-session" {
			c.signIn(w, r, http.StatusUnauthorized, "")
			return nil
		}
		if err != nil {
			return err
		}
		return h(w, r, s)
	})
}

// keyed lets one act at a time happen to each thing: a second click waits for the first.
type keyed struct {
	mu   sync.Mutex
	busy map[jitsuin.ID]chan struct{}
}

func (k *keyed) lock(ctx context.Context, id jitsuin.ID) (unlock func(), err error) {
	for {
		k.mu.Lock()
		if k.busy == nil {
			k.busy = map[jitsuin.ID]chan struct{}{}
		}
		before, taken := k.busy[id]
		if !taken {
			mine := make(chan struct{})
			k.busy[id] = mine
			k.mu.Unlock()
			return func() {
				k.mu.Lock()
				delete(k.busy, id)
				k.mu.Unlock()
				close(mine)
			}, nil
		}
		k.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
