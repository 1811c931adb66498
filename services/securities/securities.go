package securities

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// Config is the firm's configuration. What New does with a zero value stands at each member.
type Config struct {
	actor.Config `yaml:",inline"`
	// Platform is the platform's instance: platform:1. PlatformURL is its origin: the directory's.
	Platform    string `yaml:"platform,omitempty" check:"instance=platform"`
	PlatformURL string `yaml:"platform_url,omitempty" check:"origin"`
	// Tenant is who the firm is at the platform: tenant:NAME for the instance service:NAME. TenantKey is the
	// PEM file of its private key: beside Key, named like the tenant with a hyphen for the colon.
	Tenant    string `yaml:"tenant,omitempty" check:"instance=tenant"`
	TenantKey string `yaml:"tenant_key,omitempty" check:"private-key"`
	// Origin is where customers' browsers find the firm, as registered at the platform: the directory's.
	Origin string `yaml:"origin,omitempty" check:"origin"`
	// Holder is the holder's instance, to whose pages browsers are led: holder:1.
	Holder string `yaml:"holder,omitempty" check:"instance=holder,listed"`
	// Responsible is who is in charge of the checks that the system makes, as confirmation records name them.
	Responsible string `yaml:"responsible,omitempty"`
	// SessionLife is how long a customer stays logged in: 30 minutes.
	SessionLife time.Duration `yaml:"session_life,omitempty" check:"not-negative"`
	// Log defaults to slog.Default.
	Log *slog.Logger `yaml:"-"`
	// Store are further options of the database, for tests.
	Store []store.Option `yaml:"-"`
}

// Resolve makes relative paths absolute and says what is missing.
func (c *Config) Resolve(base string) error {
	actor.ResolvePaths(base, &c.TenantKey)
	return c.Config.Resolve(base)
}

func (c *Config) fill() {
	if c.Platform == "" {
		c.Platform = "platform:1"
	}
	if c.Tenant == "" {
		_, name, _ := strings.Cut(c.Instance, ":")
		c.Tenant = "tenant:" + name
	}
	if c.TenantKey == "" {
		c.TenantKey = filepath.Join(filepath.Dir(c.Key), strings.ReplaceAll(c.Tenant, ":", "-")+".pem")
	}
	if c.Holder == "" {
		c.Holder = "holder:1"
	}
	if c.Responsible == "" {
		c.Responsible = "口座開設部 見本　例子"
	}
	if c.SessionLife == 0 {
		c.SessionLife = 30 * time.Minute
	}
}

// Firm is the running service.
type Firm struct {
	*actor.Actor
	cfg      Config
	platform *client.Client
	site     *web.Site
}

//go:embed migrations/*.sql
var migrationFiles embed.FS

// New opens the firm; Run starts it.
func New(ctx context.Context, cfg Config) (*Firm, error) {
	cfg.fill()
	a, err := actor.New(ctx, cfg.Config, actor.Spec{Title: "Securities firm (証券会社)", Version: "1", Migrations: Migrations(), Log: cfg.Log, Store: cfg.Store})
	if err != nil {
		return nil, err
	}
	f := &Firm{Actor: a, cfg: cfg}
	if err := f.connect(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if f.site, err = f.newSite(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	f.routes()
	f.pages()
	f.Every(10*time.Minute, "forget", func(ctx context.Context) error { return f.forgetTokens(ctx, time.Now()) })
	return f, nil
}

// connect makes the client of the platform. This and New's configuration are all that a relying
// party needs to begin.
func (f *Firm) connect() error {
	key, err := actor.ReadKey(f.cfg.TenantKey)
	if err != nil {
		return err
	}
	for _, d := range []struct {
		p  *string
		id string
	}{{&f.cfg.PlatformURL, f.cfg.Platform}, {&f.cfg.Origin, f.cfg.Instance}} {
		if *d.p != "" {
			continue
		}
		i, err := f.Directory.Lookup(d.id)
		if err != nil {
			return err
		}
		*d.p = i.Origin
	}
	f.platform, err = client.New(f.cfg.PlatformURL, f.cfg.Platform, f.cfg.Tenant, key)
	return err
}

func (f *Firm) routes() {
	customers := httpapi.Public("customers come with nothing but their card")
	httpapi.Register(f.API, httpapi.Operation{ID: "start-application", Method: http.MethodPost, Path: "/applications", Status: http.StatusCreated,
		Summary: "Begin the opening of an account", Description: "Draws an application. The person is led to open, where their holder has the form filled in and signed.", Policy: customers}, f.postApplication)
	f.site.Handle(f.API, "GET /applications/{number}/form", httpapi.Public("whoever knows an application's number; the form names nobody"), f.serveForm)
	httpapi.Register(f.API, httpapi.Operation{ID: "answer", Method: http.MethodPost, Path: "/answers", MaxBody: maxAnswerBody,
		Summary: "Take in what a holder answers", Description: "The same answer again gives the same address, and has its effect once.",
		Policy: httpapi.Public("a holder that knows txn and state of a request")}, f.postAnswer)
	httpapi.Register(f.API, httpapi.Operation{ID: "login-start", Method: http.MethodPost, Path: "/login/start",
		Summary: "Begin a login", Policy: customers}, f.startLogin)
	httpapi.Register(f.API, httpapi.Operation{ID: "login-finish", Method: http.MethodPost, Path: "/login/finish",
		Summary: "Finish a login with the card's answer", Policy: customers}, f.finishLogin)
	httpapi.Register(f.API, httpapi.Operation{ID: "logout", Method: http.MethodPost, Path: "/logout", Status: http.StatusNoContent,
		Summary: "End the session", Policy: httpapi.Public("the session cookie decides")}, f.logout)
	httpapi.Register(f.API, httpapi.Operation{ID: "me", Method: http.MethodGet, Path: "/me",
		Summary: "The customer who is logged in", Policy: httpapi.Public("the session cookie decides")}, f.me)
	httpapi.Register(f.API, httpapi.Operation{ID: "record", Method: http.MethodGet, Path: "/me/record",
		Summary: "The confirmation record of the customer who is logged in", Policy: httpapi.Public("the session cookie decides")}, f.getRecord)
}
