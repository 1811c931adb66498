package desk

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

// Office is what the pages show and do. Acts take effect once by the Idempotency-Key of ctx.
type Office interface {
	Accreditations(ctx context.Context) ([]api.Accreditation, error)
	Accreditation(ctx context.Context, id jitsuin.ID) (api.History, error)
	Decide(ctx context.Context, d api.Decision) (api.Accreditation, error)
	Applications(ctx context.Context, verifier string) ([]api.Application, error)
	Application(ctx context.Context, id jitsuin.ID, verifier string) (api.ApplicationFile, error)
	Examine(ctx context.Context, id jitsuin.ID, r api.ExaminationRequest) (api.Application, error)
	Return(ctx context.Context, id jitsuin.ID, r api.ReturnRequest) (api.Application, error)
	Conclude(ctx context.Context, id jitsuin.ID, v api.Verdict) (api.Application, error)
	Audits(ctx context.Context, accreditation jitsuin.ID, verifier string) ([]api.AuditYear, error)
	OpenAudits(ctx context.Context) ([]api.AuditYear, error)
	JudgeAudit(ctx context.Context, accreditation jitsuin.ID, year int, v api.AuditVerdict) (api.AuditYear, error)
	Evidence(ctx context.Context, verifier, digest string) (mediaType string, content []byte, err error)
}

//go:embed templates/*.html assets/*
var embedded embed.FS

func folder(name string) fs.FS {
	f, err := fs.Sub(embedded, name)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return f
}

// Tables are what the pages need in the office's database.
func Tables() []store.Option { return []store.Option{store.Also("web", web.Migrations())} }

// Wall times of a session at the desk.
const (
	sessionLife = 8 * time.Hour    // a working day
	sessionIdle = 30 * time.Minute // a desk that was left alone
	seenEvery   = time.Minute      // how exactly the last use is noted
)

// session is an official at the desk.
type session struct {
	Official string    `json:"official"`
	Seen     time.Time `json:"seen"`
}

// Desk is the pages. Safe for concurrent use.
type Desk struct {
	actor    *actor.Actor
	office   Office
	site     *web.Site // the officials' pages
	public   *web.Site // the register
	sessions web.Sessions[session]
	tickets  web.Tickets
	now      func() time.Time // wall time
}

const cookie = "minister-desk"

// New registers the pages at the office's API.
func New(a *actor.Actor, office Office) error {
	d := &Desk{actor: a, office: office, now: time.Now, sessions: web.Sessions[session]{DB: a.DB, Cookie: cookie, Life: sessionLife, FromOutside: true},
		tickets: web.Tickets{DB: a.DB, Site: cookie}}
	hosts := []string{a.Config.Listen}
	if i, err := a.Directory.Lookup(a.Self.ID); err == nil {
		if u, err := url.Parse(i.Origin); err == nil && u.Host != "" {
			hosts, d.sessions.Secure = append(hosts, u.Host), u.Scheme == "https"
		}
	}
	options := web.Options{Name: "minister.site", Accent: "gray", Templates: folder("templates"), Assets: folder("assets"), Hosts: hosts, Log: a.Log,
		Funcs: template.FuncMap{"pair": func(t rules.Text) web.Pair { return web.Pair{JA: t.JA, EN: t.EN} }, "accepted": accepted, "criterion": criterionText},
		Menu:  []web.Item{{Key: "minister.menu.register", Path: "/register"}, {Key: "minister.menu.desk", Path: "/desk/"}}}
	var err error
	if d.public, err = web.New(options); err != nil {
		return err
	}
	options.Menu = []web.Item{{Key: "minister.menu.work", Path: "/desk/"}, {Key: "minister.menu.applications", Path: "/desk/applications"},
		{Key: "minister.menu.audits", Path: "/desk/audits"}, {Key: "minister.menu.register", Path: "/register"}}
	if d.site, err = web.New(options); err != nil {
		return err
	}
	d.site.ServeAssets(a.API)
	d.signInRoutes()
	d.registerRoutes()
	d.workRoutes()
	d.applicationRoutes()
	d.accreditationRoutes()
	return nil
}

// today is the day in civil time.
func (d *Desk) today() jitsuin.Date { return jitsuin.DateOf(d.actor.Clock.Now()) }

func (d *Desk) signInRoutes() {
	type in struct{ Body api.TicketRequest }
	type out struct{ Body api.Ticket }
	policy := httpapi.Checked("The sandbox's console, an official's program, and this office itself", func(_ context.Context, who httpapi.Caller) error {
		if who.Role == "country" || who.Role == "official" || who.ID == d.actor.Self.ID {
			return nil
		}
		return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s gives no official a ticket", who.ID)
	})
	httpapi.Register(d.actor.API, httpapi.Operation{ID: "desk-ticket", Method: http.MethodPost, Path: "/desk/tickets",
		Summary: "A sign-in ticket for an official: good for two minutes, and once", Policy: policy},
		func(ctx context.Context, i *in) (*out, error) {
			ticket, until, err := d.tickets.Draw(ctx, i.Body.Official)
			if err != nil {
				return nil, err
			}
			d.actor.Log.InfoContext(ctx, "ticket", "official", i.Body.Official, "for", httpapi.CallerOf(ctx).ID, "request_id", httpapi.RequestID(ctx))
			return &out{api.Ticket{Ticket: ticket, ExpiresAt: until}}, nil
		})
	d.site.Handle(d.actor.API, "GET "+api.EnterPath, httpapi.Public("the ticket is the proof"), d.enter)
	d.site.Handle(d.actor.API, "POST /desk/leave", httpapi.Public("it ends the browser's own session"), d.leave)
	d.actor.API.Raw("GET /desk", httpapi.Public("it leads to the desk's pages"), http.RedirectHandler("/desk/", http.StatusSeeOther))
}

// enter uses a ticket up and begins the official's session.
func (d *Desk) enter(w http.ResponseWriter, r *http.Request) error {
	official, err := d.tickets.Use(r.Context(), r.URL.Query().Get("ticket"))
	if jitsuin.CodeOf(err) == "ticket-unknown" {
		d.signIn(w, r, http.StatusForbidden, "minister.signin.refused")
		return nil
	}
	if err != nil {
		return err
	}
	if err := d.sessions.Begin(w, r, session{Official: official, Seen: d.now()}); err != nil {
		return err
	}
	d.actor.Log.InfoContext(r.Context(), "signed in", "official", official, "request_id", httpapi.RequestID(r.Context()))
	http.Redirect(w, r, web.Inside("/desk/", r.URL.Query().Get("next")), http.StatusSeeOther)
	return nil
}

// leave ends the session.
func (d *Desk) leave(w http.ResponseWriter, r *http.Request) error {
	if err := d.sessions.End(w, r); err != nil {
		return err
	}
	d.signIn(w, r, http.StatusOK, "minister.signin.left")
	return nil
}

// signIn is the page that says how to sign in.
func (d *Desk) signIn(w http.ResponseWriter, r *http.Request, status int, why string) {
	d.public.Page(w, r, status, "signin", map[string]any{"Why": why, "Posted": r.Method == http.MethodPost && status == http.StatusUnauthorized})
}

// official gives the session; Unauthenticated "no-session" where there is none, or nobody used it for half an hour.
func (d *Desk) official(w http.ResponseWriter, r *http.Request) (session, error) {
	s, err := d.sessions.Get(r)
	if err != nil {
		return s, err
	}
	now := d.now()
	if now.Sub(s.Seen) > sessionIdle {
		if err := d.sessions.End(w, r); err != nil {
			return s, err
		}
		return s, jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "the desk was left alone too long")
	}
	if now.Sub(s.Seen) > seenEvery {
		s.Seen = now
		err = d.sessions.Put(r, s)
	}
	return s, err
}

// page is a page that a signed-in official asks for.
type page func(w http.ResponseWriter, r *http.Request, s session) error

// handle registers a page. Without a session it is the page that says how to sign in, and nothing is done.
func (d *Desk) handle(pattern string, h page) {
	d.site.Handle(d.actor.API, pattern, httpapi.Public("the page itself asks for an official's session"), func(w http.ResponseWriter, r *http.Request) error {
		s, err := d.official(w, r)
		if jitsuin.CodeOf(err) == "no-session" {
			d.signIn(w, r, http.StatusUnauthorized, "")
			return nil
		}
		if err != nil {
			return err
		}
		return h(w, r, s)
	})
}

// show writes a page for the official.
func (d *Desk) show(w http.ResponseWriter, r *http.Request, s session, status int, name string, data map[string]any) error {
	data["Official"], data["Today"] = s.Official, d.today()
	d.site.Page(w, r, status, name, data)
	return nil
}

// idOf reads the identifier in the path; what is none matches nothing.
func idOf(r *http.Request) jitsuin.ID {
	id, err := jitsuin.ParseID(r.PathValue("id"))
	if err != nil {
		return "00000000000000000000000000000000"
	}
	return id
}

// act does something once by the form's own key. What the office refuses is noted at the form, which is shown again; ok is false then.
func act(r *http.Request, f *web.Form, do func(ctx context.Context) error) (ok bool, err error) {
	if !f.Check() {
		return false, nil
	}
	ctx, err := web.ActOf(r)
	if err != nil {
		return false, err
	}
	if err = do(ctx); err == nil {
		return true, nil
	}
	key, refused := refusal(err)
	if !refused {
		return false, err
	}
	f.Wrong("", key)
	return false, nil
}

// refusal gives the words for what the office refuses because of what was asked, or because things have moved on.
func refusal(err error) (key string, refused bool) {
	if k := jitsuin.KindOf(err); err == nil || k != jitsuin.Invalid && k != jitsuin.Conflict {
		return "", false
	}
	if key = "minister.code." + jitsuin.CodeOf(err); !web.Has(key) {
		key = "minister.code.other"
	}
	return key, true
}

// criterionText is what a criterion says; one that the rules do not know has its key alone.
func criterionText(key string) web.Pair {
	for _, c := range rules.Criteria() {
		if c.Key == key {
			return web.Pair{JA: c.Text.JA, EN: c.Text.EN}
		}
	}
	return web.Pair{JA: key, EN: key}
}

// accepted counts the criteria that were.
func accepted(all []api.Examined) (n int) {
	for _, e := range all {
		if e.Outcome == api.Accepted {
			n++
		}
	}
	return n
}

// statusOf is the HTTP status of a form's page: shown first, or shown again with what is wrong.
func statusOf(f *web.Form) int {
	if f.OK() {
		return http.StatusOK
	}
	return http.StatusUnprocessableEntity
}
