package platform

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/signature/form"
)

// The resident's own view: who had their certificates checked here, when and what for, which consents are in force, what was passed on,
// and which records are kept until when. It is found by the certificates of the person, and shown to nobody else.

// meSession is a resident who is logged in: the id in our own sector.
type meSession struct {
	Person jitsuin.ID `json:"person"`
}

// meLife is how long a resident stays logged in, wall time.
const meLife = 15 * time.Minute

const errandMe = "me"

func (p *Platform) openMe() {
	p.errands.Handle(errandMe, errand.Handler{Decide: p.decideOwnLogin, Present: p.presentOwnLogin, Elsewhere: true, Arrive: p.meArrives})
	p.errands.Handle(errandWithdrawal, errand.Handler{Decide: p.decideWithdrawal, Arrive: p.withdrawalArrives})
}

func (p *Platform) mePages() {
	session := httpapi.Public("the session cookie decides")
	p.site.Handle(p.API, "GET /me", session, p.mePage)
	p.site.Handle(p.API, "POST /me/login", httpapi.Public("whoever has a card may log in"), p.meLogin)
	p.site.Handle(p.API, "POST /me/logout", session, p.meLogout)
	p.site.Handle(p.API, "POST /me/consents/{id}/withdrawal", session, p.meWithdraw)
	p.site.Handle(p.API, "POST /me/logins/{id}/end", session, p.meEndLogin)
	p.childPages(session)
}

func (p *Platform) meLogin(w http.ResponseWriter, r *http.Request) error {
	q := errand.Request{Name: errandMe, Act: api.ActLogin, Purpose: "ご自身の利用記録の確認", PurposeEN: "To see how your certificates were used"}
	if r.PostFormValue("way") == "tls" {
		return p.beginPresent(w, r, q)
	}
	if r.PostFormValue("way") == "elsewhere" {
		return p.errands.BeginElsewhere(w, r, q)
	}
	return p.errands.Begin(w, r, q)
}

func (p *Platform) meArrives(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	if v.Outcome != ownWelcome {
		seeOther(w, r, "/me?outcome="+url.QueryEscape(v.Outcome))
		return nil
	}
	now := p.Clock.Now()
	err := p.DB.Update(r.Context(), func(tx *store.Tx) error {
		return audit.Record(r.Context(), tx, now, audit.Line{Who: "resident:" + v.Result, Act: "resident-looked", Subject: v.Result, Detail: wayOf(v)})
	})
	if err != nil {
		return err
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

// meLoginView is the page that offers a login.
type meLoginView struct {
	Cancelled bool
	Words     string // what came of the last try: the stem of the texts, "" for none
	TLS       bool   // the browser may show the card's certificate itself
}

// Outcomes that the pages have words for.
var (
	meOutcomes         = []string{errand.Cancelled, errand.Late, errand.HolderFailed, errand.SecretWrong, errand.SecretLate, ownNotAccepted}
	withdrawalOutcomes = []string{consentWithdrawn, errand.Cancelled, errand.Late, errand.HolderFailed, ownNotAccepted, anotherPerson}
)

func oneOf(word string, all []string) string {
	if slices.Contains(all, word) {
		return word
	}
	return ""
}

// mePage shows what there is of a person, or offers a login.
func (p *Platform) mePage(w http.ResponseWriter, r *http.Request) error {
	s, err := p.people.sessions.Get(r)
	switch {
	case jitsuin.CodeOf(err) == "no-session" && err != nil:
		outcome := r.URL.Query().Get("outcome")
		p.site.Page(w, r, http.StatusOK, "me-login", meLoginView{Cancelled: outcome == errand.Cancelled, Words: outcomeWords(outcome, "me.login.", meOutcomes), TLS: p.tlsLogin()})
		return nil
	case err != nil:
		return err
	}
	child := r.URL.Query().Get("child")
	if _, err := jitsuin.ParseID(child); err == nil {
		return p.childPage(w, r, s.Person, child)
	}
	f := web.NewForm(r.URL.Query(), web.Field{Name: "since", Label: "me.lost.since", Kind: web.DateField, Width: "narrow"})
	v, err := p.usageOf(r.Context(), s.Person, f.Date("since"))
	if err != nil {
		return err
	}
	v.Form, v.Lost = f, p.lostPage()
	v.Added, v.NotAdded, v.ChildForm = oneOf(child, childOutcomes), outcomeWords(child, "", nil), childForm()
	v.Ended = r.URL.Query().Get("login") == "ended"
	v.Done = oneOf(r.URL.Query().Get("withdrawal"), withdrawalOutcomes)
	p.site.Page(w, r, http.StatusOK, "me", v)
	return nil
}

// lostPage is where a card is reported lost: at the holder's.
func (p *Platform) lostPage() string {
	for _, h := range p.Directory.Role("holder") {
		return h.Origin + "/lost"
	}
	return ""
}

// myConsent gives a consent of the person; anybody else's, and one that never was, are NotFound alike.
func (p *Platform) myConsent(ctx context.Context, person jitsuin.ID, id string) (c consent, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		var tenant string
		err := tx.QueryRow(mineWhy+`SELECT n.tenant FROM consents n JOIN person_certificates m ON m.kind = n.kind AND m.serial = n.serial
			WHERE n.id = $1 AND m.person = $2`, id, person).Scan(&tenant)
		if errors.Is(err, sql.ErrNoRows) {
			return jitsuin.Errorf(jitsuin.NotFound, "consent-unknown", "you have given no such consent")
		}
		if err == nil {
			c, err = consentOf(tx, tenant, jitsuin.ID(id))
		}
		return err
	})
	return c, err
}

// meWithdraw leads the resident to their card, to sign the withdrawal of a consent.
func (p *Platform) meWithdraw(w http.ResponseWriter, r *http.Request) error {
	s, err := p.people.sessions.Get(r)
	if jitsuin.CodeOf(err) == "no-session" && err != nil {
		seeOther(w, r, "/me")
		return nil
	}
	if err != nil {
		return err
	}
	c, err := p.myConsent(r.Context(), s.Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	if c.agency == "" || c.State != api.ConsentInForce && c.State != api.ConsentForgotten {
		return jitsuin.Errorf(jitsuin.Conflict, "consent-over", "this consent is not in force")
	}
	encoded, err := withdrawalForm(c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(encoded)
	return p.errands.Begin(w, r, errand.Request{Name: errandWithdrawal, About: aboutConsent(c.tenant, c.ID), Act: api.ActSign, Purpose: "最新の4情報の提供への同意の撤回",
		PurposeEN: "Withdrawal of the consent to the supply of the latest four items", Items: []string{form.ItemName},
		Documents: []api.RequestDocument{{Name: "同意の撤回書", MediaType: api.MediaTypeForm, SHA256: sum[:], HRef: p.origin() + "/v1/consents/" + string(c.ID) + "/withdrawal-form"}}})
}

func (p *Platform) withdrawalArrives(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	seeOther(w, r, "/me?withdrawal="+url.QueryEscape(v.Outcome))
	return nil
}
