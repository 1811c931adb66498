package openid

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// logoutPage asks whether a browser's logins end, where the client did not prove that its own is meant.
type logoutPage struct {
	Action string
	Client string // id, "" for none
	Return string // registered address, "" for none
	State  string
}

// loggedOut says what ended.
type loggedOut struct {
	Ended int
	Back  string // "" for nowhere
}

// endSession is RP-Initiated Logout 1.0. With an ID token of a login in this very browser, that login ends, the client's others hear
// of it, and the browser goes back at once. Else the person is asked first: a page of somebody else must not log them out.
func (p *Provider) endSession(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := parameters(r)
		if err != nil {
			return err
		}
		var h hinted
		if raw := in["id_token_hint"]; raw != "" {
			if h, err = p.hint(i, raw); err != nil {
				return err
			}
			if in["client_id"] != "" && in["client_id"] != h.client {
				return fault(invalidRequest, "client_id and id_token_hint name two clients")
			}
		}
		id := orElse(h.client, in["client_id"])
		back, err := p.backOf(r.Context(), id, in["post_logout_redirect_uri"])
		if err != nil {
			return err
		}
		if h.client != "" {
			ended, err := p.endOwn(r.Context(), h, browserOf(r))
			if err != nil {
				return err
			}
			if ended {
				return p.afterLogout(w, r, 1, back, in["state"])
			}
		}
		p.Host.Page(w, r, http.StatusOK, "openid-logout", logoutPage{Action: i.path + "/logout-confirmed", Client: id, Return: back, State: in["state"]})
		return nil
	}
}

// backOf gives the address to which a logout returns: one that the client registered, byte by byte.
func (p *Provider) backOf(ctx context.Context, id, back string) (string, error) {
	if back == "" {
		return "", nil
	}
	unknown := jitsuin.Errorf(jitsuin.Invalid, "redirect-unknown", "the address to return to is not one that this client registered")
	if id == "" {
		return "", unknown
	}
	c, err := p.client(ctx, id)
	if err != nil {
		return "", err
	}
	if !slices.Contains(c.meta.PostLogoutURIs, back) {
		return "", unknown
	}
	return back, nil
}

func (p *Provider) afterLogout(w http.ResponseWriter, r *http.Request, ended int, back, state string) error {
	if back == "" {
		p.Host.Page(w, r, http.StatusOK, "openid-logged-out", loggedOut{Ended: ended})
		return nil
	}
	to, err := withState(back, state)
	if err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func withState(back, state string) (string, error) {
	u, err := url.Parse(back)
	if err != nil {
		return "", err
	}
	if state != "" {
		q := u.Query()
		q.Set("state", state)
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

// endOwn ends the login that an ID token is of, if it is this browser's.
func (p *Provider) endOwn(ctx context.Context, h hinted, browser string) (ended bool, err error) {
	c, err := p.client(ctx, h.client)
	if err != nil {
		return false, err
	}
	err = p.endThose(ctx, func(tx *store.Tx) (all []session, err error) {
		all, err = store.Collect(scanSession)(tx.Query(`SELECT `+sessionColumns+` FROM openid_sessions WHERE id = $1 AND client = $2 AND tenant = $3 AND browser = $4 AND ended_at = 0`,
			h.SID, c.id, c.tenant, browser))
		ended = len(all) > 0
		return all, err
	}, "client")
	return ended, err
}

// confirmLogout ends all logins of this browser, after the person said so.
func (p *Provider) confirmLogout(i issuer) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		back, err := p.backOf(r.Context(), r.PostForm.Get("client"), r.PostForm.Get("return"))
		if err != nil {
			return err
		}
		browser, ended := browserOf(r), 0
		err = p.endThose(r.Context(), func(tx *store.Tx) (all []session, err error) {
			all, err = store.Collect(scanSession)(tx.Query(`/* every tenant: a person ends what their browser began */ SELECT `+sessionColumns+` FROM openid_sessions
				WHERE browser = $1 AND browser <> '' AND ended_at = 0 AND expires_at > $2`, browser, store.Micros(p.Now())))
			ended = len(all)
			return all, err
		}, "person")
		if err != nil {
			return err
		}
		if back != "" {
			if back, err = withState(back, r.PostForm.Get("state")); err != nil {
				return err
			}
		}
		p.Host.Page(w, r, http.StatusOK, "openid-logged-out", loggedOut{ended, back})
		return nil
	}
}

// endThose ends sessions and has their clients told.
func (p *Provider) endThose(ctx context.Context, find func(tx *store.Tx) ([]session, error), by string) error {
	ids := []string{} // drawn before: a closure may run again
	for range 64 {
		ids = append(ids, string(jitsuin.NewID()))
	}
	err := p.DB.Update(ctx, func(tx *store.Tx) error {
		all, err := find(tx)
		if err != nil {
			return err
		}
		for n, o := range all {
			if n >= len(ids) {
				return jitsuin.Errorf(jitsuin.Conflict, "logins-many", "more logins than are ended at a time").WithHint("end them again")
			}
			if err := p.endSessionIn(ctx, tx, o, ids[n], by); err != nil {
				return err
			}
		}
		return nil
	})
	p.wake()
	return err
}

// endSessionIn ends a session at once, with its tokens, codes and what was read of the person, and queues the word to the client.
func (p *Provider) endSessionIn(ctx context.Context, tx *store.Tx, o session, id, by string) error {
	now := store.Micros(p.Now())
	for _, text := range []string{`UPDATE openid_sessions SET ended_at = $1, items = '' WHERE id = $2 AND tenant = $3 AND ended_at = 0`,
		`UPDATE openid_tokens SET revoked_at = $1 WHERE session = $2 AND tenant = $3 AND revoked_at = 0`,
		`UPDATE openid_codes SET used_at = $1 WHERE session = $2 AND tenant = $3 AND used_at = 0`} {
		if _, err := tx.Exec(text, now, o.id, o.tenant); err != nil {
			return err
		}
	}
	c, err := findClient(tx, o.client)
	if err != nil && jitsuin.KindOf(err) != jitsuin.NotFound {
		return err
	}
	if err == nil && c.meta.BackChannelLogout != "" && o.started {
		if _, err := tx.Exec(`INSERT INTO openid_logouts (id, tenant, client, issuer, session, user_id, address, made_at, tries, next_at, ended_at, outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $8, 0, '')`,
			id, o.tenant, o.client, o.issuer.path, o.id, o.user, c.meta.BackChannelLogout, now); err != nil {
			return err
		}
	}
	return p.Host.Record(ctx, tx, o.tenant, "openid-session-ended", o.id, map[string]string{"client": o.client, "by": by})
}

// EndOf ends one session of a tenant's user, for the resident whose it is. One that is over already, and one that never was, are
// NotFound alike.
func (p *Provider) EndOf(ctx context.Context, tenant, user, id string) error {
	found := false
	err := p.endThose(ctx, func(tx *store.Tx) (all []session, err error) {
		all, err = store.Collect(scanSession)(tx.Query(`SELECT `+sessionColumns+` FROM openid_sessions WHERE id = $1 AND tenant = $2 AND user_id = $3 AND ended_at = 0`, id, tenant, user))
		found = len(all) > 0
		return all, err
	}, "resident")
	if err == nil && !found {
		err = jitsuin.Errorf(jitsuin.NotFound, "session-unknown", "there is no such login, or it is over")
	}
	return err
}

// Forget ends what there is of a tenant's user, who is being forgotten.
func (p *Provider) Forget(tx *store.Tx, tenant, user string) error {
	now := store.Micros(p.Now())
	for _, text := range []string{
		`UPDATE openid_tokens SET revoked_at = $1 WHERE tenant = $2 AND revoked_at = 0 AND session IN (SELECT id FROM openid_sessions WHERE tenant = $2 AND user_id = $3)`,
		`UPDATE openid_sessions SET ended_at = $1, items = '' WHERE tenant = $2 AND user_id = $3 AND ended_at = 0`} {
		if _, err := tx.Exec(text, now, tenant, user); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`DELETE FROM openid_given WHERE tenant = $1 AND user_id = $2`, tenant, user)
	return err
}
