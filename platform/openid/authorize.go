package openid

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// browserCookie is by which a browser's logins are known. It holds a random token; the database has its digest.
const browserCookie = "platform_openid"

// browser gives the digest of the browser's token, and draws one where it has none.
func (p *Provider) browser(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(browserCookie)
	if err == nil && len(c.Value) == len(web.NewToken()) {
		return web.Hash(c.Value)
	}
	token := web.NewToken()
	http.SetCookie(w, &http.Cookie{Name: browserCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.Secure})
	return web.Hash(token)
}

func browserOf(r *http.Request) string {
	if c, err := r.Cookie(browserCookie); err == nil && c.Value != "" {
		return web.Hash(c.Value)
	}
	return ""
}

// parameters gives those of a request: the query's for GET, the body's for POST.
func parameters(r *http.Request) (map[string]string, error) {
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return nil, fault(invalidRequest, "the form cannot be read")
		}
		return single(r.PostForm)
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault(invalidRequest, "the query cannot be read")
	}
	return single(values)
}

// authorize takes a browser in that a client sent. Until client and redirect address are known to belong together, what is wrong is told
// to the person; after that to the client.
func (p *Provider) authorize(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := parameters(r)
		if err != nil {
			return err
		}
		c, standing, err := p.clientNow(r.Context(), in["client_id"], nil)
		if err != nil {
			return err
		}
		if err := p.Host.Spend(c.tenant, false); err != nil {
			return err
		}
		q, err := p.asked(w, r, i, c, in)
		if back, ok := errors.AsType[*toClient](err); ok {
			return p.lead(w, r, i, back.redirect, back.state, errorAnswer(back.error))
		}
		if err != nil {
			return err
		}
		if err = standing; err == nil {
			err = p.begin(w, r, c, q)
		}
		if err != nil {
			return p.lead(w, r, i, q.params.RedirectURI, q.params.State, errorAnswer(p.logged(r, err)))
		}
		return nil
	}
}

// logged gives an error that is our own to the log.
func (p *Provider) logged(r *http.Request, err error) error {
	if _, _, status := described(err); status >= 500 {
		p.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	}
	return err
}

// toClient is an error that the client is told by redirect.
type toClient struct {
	error
	redirect, state string
}

// asked gives the request that a browser brings: pushed before, or in its parameters.
func (p *Provider) asked(w http.ResponseWriter, r *http.Request, i issuer, c client, in map[string]string) (request, error) {
	browser := p.browser(w, r)
	if ref := in["request_uri"]; strings.HasPrefix(ref, pushedPrefix) {
		return p.takePushed(r.Context(), i, c, ref, browser)
	}
	redirect, err := c.redirectOf(in["redirect_uri"])
	if err != nil {
		return request{}, err
	}
	back := func(err error) error { return &toClient{err, redirect, in["state"]} }
	switch {
	case in["request_uri"] != "":
		return request{}, back(fault(requestURINotSupported, "request_uri is one that the pushed authorization request endpoint gave"))
	case c.meta.RequirePushed:
		return request{}, back(fault(invalidRequest, "this client pushes its requests (RFC 9126)"))
	}
	q, err := p.parse(i, c, in, redirect)
	if err != nil {
		return request{}, back(err)
	}
	now := p.Now()
	return request{id: jitsuin.NewID(), tenant: c.tenant, client: c.id, issuer: i, params: q, browser: browser, expiresAt: now.Add(requestLife), takenAt: store.Micros(now), fresh: true}, nil
}

// redirectOf gives the address that is one of the client's, byte by byte (RFC 9700 §2.1).
func (c client) redirectOf(raw string) (string, error) {
	if raw == "" || !slices.Contains(c.meta.RedirectURIs, raw) {
		return "", jitsuin.Errorf(jitsuin.Invalid, "redirect-unknown", "the address to return to is not one that this client registered")
	}
	return raw, nil
}

// begin goes on with a request: from a session, to the page that asks for consent, or to the holder.
func (p *Provider) begin(w http.ResponseWriter, r *http.Request, c client, q request) error {
	if q.params.silent() {
		return p.silently(w, r, c, q)
	}
	if q.params.Signing != "" {
		return p.toSign(w, r, c, q)
	}
	if len(q.params.Claims) > 0 {
		if err := p.keep(r.Context(), q); err != nil {
			return err
		}
		path := p.url(q.issuer, "/consent?login="+string(q.id))
		if q.params.Lang != "" {
			path += "&lang=" + q.params.Lang
		}
		http.Redirect(w, r, path, http.StatusSeeOther)
		return nil
	}
	if p.offersChoice() {
		if err := p.keep(r.Context(), q); err != nil {
			return err
		}
		return p.choose(w, r, q, "")
	}
	return p.away(w, r, c, q, Ask{})
}

// away leads the browser to its holder, or where another device finds the way to it. Of the ask, Items and Elsewhere are the caller's.
func (p *Provider) away(w http.ResponseWriter, r *http.Request, c client, q request, a Ask) error {
	a.Request, a.Tenant, a.Client, a.With = q.id, c.tenant, c.meta, q.save
	return p.Host.Begin(w, speaking(r, q), a)
}

// speaking gives the browser's request in the language that the client asked for.
func speaking(r *http.Request, q request) *http.Request {
	l := q.params.Lang
	if l == "" || r.Method != http.MethodGet {
		return r
	}
	u := *r.URL
	values := u.Query()
	values.Set("lang", l)
	u.RawQuery = values.Encode()
	r = r.Clone(r.Context())
	r.URL = &u
	return r
}

func errorAnswer(err error) url.Values {
	code, description, _ := described(err)
	return url.Values{"error": {code}, "error_description": {description}}
}

// answerAt gives the address at which the client gets an answer, with state and the issuer (RFC 9207).
func (p *Provider) answerAt(i issuer, redirect, state string, answer url.Values) string {
	u, err := url.Parse(redirect)
	if err != nil {
		return p.Origin // registered addresses parse
	}
	answer.Set("iss", p.url(i, ""))
	if state != "" {
		answer.Set("state", state)
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += answer.Encode()
	return u.String()
}

// lead leads the browser back to the client.
func (p *Provider) lead(w http.ResponseWriter, r *http.Request, i issuer, redirect, state string, answer url.Values) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, p.answerAt(i, redirect, state, answer), http.StatusSeeOther)
	return nil
}

// pushedRequest keeps what a client asks for and gives a reference to it (RFC 9126).
func (p *Provider) pushedRequest(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, who, err := p.called(r, i, i.pushed)
		if err != nil {
			return err
		}
		if in["request_uri"] != "" {
			return fault(invalidRequest, "a pushed request has no request_uri")
		}
		proof, err := p.proof(r, i, i.pushed, "")
		if err != nil {
			return err
		}
		if err := p.takeSeen(r.Context(), who.seen, proof.seen); err != nil {
			return err
		}
		redirect, err := who.client.redirectOf(in["redirect_uri"])
		if err != nil {
			return fault(invalidRequest, "redirect_uri is not one that this client registered")
		}
		q, err := p.parse(i, who.client, in, redirect)
		if err != nil {
			return err
		}
		if proof.jkt != "" {
			if q.JKT != "" && q.JKT != proof.jkt {
				return fault(invalidDPoP, "dpop_jkt names another key than the proof's")
			}
			q.JKT = proof.jkt
		}
		reference, err := p.push(r.Context(), i, who.client, q)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusCreated, map[string]any{"request_uri": reference, "expires_in": int(pushedLife.Seconds())})
		return nil
	}
}
