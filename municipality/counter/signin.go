package counter

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
)

// Wall times of the sign-in.
const (
	sessionLife = 8 * time.Hour    // a working day
	sessionIdle = 30 * time.Minute // a terminal that was left alone
	seenEvery   = time.Minute      // how exactly the last use is noted
)

// session is a clerk at the terminal.
type session struct {
	Clerk string    `json:"clerk"`
	Seen  time.Time `json:"seen"`
	// Confirmed is the case whose applicant the clerk has recognised, so that the screen may be turned.
	Confirmed jitsuin.ID `json:"confirmed,omitempty"`
}

func (c *Counter) signInRoutes() {
	type in struct{ Body api.TicketRequest }
	type out struct{ Body api.Ticket }
	policy := httpapi.Checked("The sandbox's console, and this municipality's own counter", func(_ context.Context, who httpapi.Caller) error {
		if who.Role == "country" || who.ID == "counter:"+string(c.code) {
			return nil
		}
		return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s gives no clerk of %s a ticket", who.ID, c.code)
	})
	httpapi.Register(c.actor.API, httpapi.Operation{ID: "counter-ticket", Method: http.MethodPost, Path: "/counter/tickets",
		Summary: "A sign-in ticket for a clerk: good for two minutes, and once", Policy: policy},
		func(ctx context.Context, i *in) (*out, error) {
			t, err := c.ticket(ctx, i.Body.Clerk)
			return &out{t}, err
		})
	open := httpapi.Public("the ticket is the proof")
	c.site.Handle(c.actor.API, "GET "+api.EnterPath, open, c.enter)
	c.site.Handle(c.actor.API, "POST /counter/leave", httpapi.Public("it ends the browser's own session"), c.leave)
	for _, door := range []string{"GET /{$}", "GET /counter"} {
		c.actor.API.Raw(door, httpapi.Public("it leads to the counter's pages"), http.RedirectHandler("/counter/", http.StatusSeeOther))
	}
}

// ticket draws a ticket for a clerk.
func (c *Counter) ticket(ctx context.Context, clerk string) (api.Ticket, error) {
	token, until, err := c.tickets.Draw(ctx, clerk)
	if jitsuin.CodeOf(err) == "person-name" {
		return api.Ticket{}, jitsuin.Errorf(jitsuin.Invalid, "clerk-name", "a ticket needs the clerk's name, on one line").At("clerk")
	}
	if err == nil {
		c.actor.Log.InfoContext(ctx, "ticket", "clerk", strings.TrimSpace(clerk), "for", httpapi.CallerOf(ctx).ID, "request_id", httpapi.RequestID(ctx))
	}
	return api.Ticket{Ticket: token, ExpiresAt: until}, err
}

// enter uses a ticket up and begins the clerk's session.
func (c *Counter) enter(w http.ResponseWriter, r *http.Request) error {
	clerk, err := c.tickets.Use(r.Context(), r.URL.Query().Get("ticket"))
	if jitsuin.CodeOf(err) == "ticket-unknown" {
		c.signIn(w, r, http.StatusForbidden, "counter.signin.refused")
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.sessions.Begin(w, r, session{Clerk: clerk, Seen: c.now()}); err != nil {
		return err
	}
	c.actor.Log.InfoContext(r.Context(), "signed in", "clerk", clerk, "request_id", httpapi.RequestID(r.Context()))
	http.Redirect(w, r, web.Inside("/counter/", r.URL.Query().Get("next")), http.StatusSeeOther)
	return nil
}

// leave ends the session.
func (c *Counter) leave(w http.ResponseWriter, r *http.Request) error {
	if err := c.sessions.End(w, r); err != nil {
		return err
	}
	c.signIn(w, r, http.StatusOK, "counter.signin.left")
	return nil
}

// signIn is the page that says how to sign in.
func (c *Counter) signIn(w http.ResponseWriter, r *http.Request, status int, why string) {
	c.facing.Page(w, r, status, "signin", map[string]any{"Why": why, "Posted": r.Method == http.MethodPost && status == http.StatusUnauthorized})
}

// clerk gives the session; Unauthenticated "no-session" where there is none, or nobody used it for half an hour.
func (c *Counter) clerk(w http.ResponseWriter, r *http.Request) (session, error) {
	s, err := c.peek(r)
	if err != nil {
		if jitsuin.CodeOf(err) == "session-idle" {
			if err := c.sessions.End(w, r); err != nil {
				return session{}, err
			}
			err = jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "the terminal was left alone too long")
		}
		return session{}, err
	}
	if now := c.now(); now.Sub(s.Seen) > seenEvery {
		s.Seen = now
		err = c.sessions.Put(r, s)
	}
	return s, err
}

// peek gives the session without counting as its use: a list that renews itself keeps nobody signed in.
func (c *Counter) peek(r *http.Request) (session, error) {
	s, err := c.sessions.Get(r)
	if err == nil && c.now().Sub(s.Seen) > sessionIdle {
		err = jitsuin.Errorf(jitsuin.Unauthenticated, "session-idle", "the terminal was left alone too long")
	}
	return s, err
}
