package platform

import (
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
)

// The resident's own view: who had their certificates checked here, when and what for, which consents are in force, what was passed on,
// and which records are kept until when. It is found by the certificates of the person, and shown to nobody else.

// meSession is a resident who is logged in: the id in our own sector.
type meSession struct {
	Person jitsuin.ID `json:"person"`
}

// meLife is how long a resident stays logged in, wall time.
const meLife = 15 * time.Minute

// Names of errands.
const errandMe = "me"

func (p *Platform) openMe() {
	p.errands.Handle(errandMe, errand.Handler{Decide: p.decideOwnLogin, Arrive: p.meArrives})
}

func (p *Platform) mePages() {
	session := httpapi.Public("the session cookie decides")
	p.site.Handle(p.API, "GET /me", session, p.mePage)
	p.site.Handle(p.API, "POST /me/login", httpapi.Public("whoever has a card may log in"), p.meLogin)
	p.site.Handle(p.API, "POST /me/logout", session, p.meLogout)
}

func (p *Platform) meLogin(w http.ResponseWriter, r *http.Request) error {
	return p.errands.Begin(w, r, errand.Request{Name: errandMe, Act: api.ActLogin, Purpose: "ご自身の利用記録の確認", PurposeEN: "To see how your certificates were used"})
}

func (p *Platform) meArrives(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	if v.Outcome != ownWelcome {
		seeOther(w, r, "/me?outcome="+url.QueryEscape(v.Outcome))
		return nil
	}
	if err := p.people.sessions.Begin(w, r, meSession{Person: jitsuin.ID(v.Result)}); err != nil {
		return err
	}
	seeOther(w, r, "/me")
	return nil
}

func (p *Platform) meLogout(w http.ResponseWriter, r *http.Request) error {
	if err := p.people.sessions.End(w, r); err != nil {
		return err
	}
	seeOther(w, r, "/me")
	return nil
}

// meOutcomes are what a login can come to, other than a session.
var meOutcomes = []string{errand.Cancelled, errand.Late, errand.HolderFailed, ownNotAccepted}

// mePage shows what there is of a person, or offers a login.
func (p *Platform) mePage(w http.ResponseWriter, r *http.Request) error {
	_, err := p.people.sessions.Get(r)
	switch {
	case jitsuin.CodeOf(err) == "no-session":
		last := ""
		for _, o := range meOutcomes {
			if r.URL.Query().Get("outcome") == o {
				last = o
			}
		}
		p.site.Page(w, r, http.StatusOK, "me-login", last)
		return nil
	case err != nil:
		return err
	}
	p.site.Page(w, r, http.StatusOK, "me", nil)
	return nil
}
