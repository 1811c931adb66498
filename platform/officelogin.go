package platform

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/platform/office"
	"github.com/jitsuin/jitsuin/signature"
)

// How a person of the office gets in: by an errand, as everybody who needs a card at our own origin. The accreditation is not asked:
// it is about what is done for others, and who works here must get in on the day on which it is suspended. The status of the
// certificate is asked, and without it nobody gets in.

const (
	officeErrand   = "office"
	loginPurpose   = "プラットフォームの係員としてのログイン"
	loginPurposeEN = "Login to the platform operator's office"
)

// officeOutcomes are those that the page of the login tells of.
var officeOutcomes = []office.Outcome{office.Stranger, office.Gone, office.Uninvited, office.Known, office.Revoked, office.Expired, office.NotAccepted,
	office.Unknowable, errand.Cancelled, errand.Late, errand.HolderFailed}

func (p *Platform) officeLoginRoutes() {
	open := httpapi.Public("it leads to the login with a card")
	p.site.Handle(p.API, "GET /office/login", open, func(w http.ResponseWriter, r *http.Request) error { return p.officeLoginPage(w, r, http.StatusOK) })
	p.site.Handle(p.API, "POST /office/login", open, p.startOfficeLogin)
	p.site.Handle(p.API, "GET "+api.JoinPath, httpapi.Public("the invitation is the proof"), p.joinPage)
	p.site.Handle(p.API, "POST /office/leave", httpapi.Public("it ends the browser's own session"), p.leaveOffice)
}

// officeLoginPage offers the login, and says what the last one came to.
func (p *Platform) officeLoginPage(w http.ResponseWriter, r *http.Request, status int) error {
	var last office.Outcome
	for _, o := range officeOutcomes {
		if r.URL.Query().Get("outcome") == string(o) {
			last = o
		}
	}
	_, in := sessionOf(r.Context())
	p.site.Page(w, r, status, "office-login", map[string]any{"Last": last, "In": in, "Left": r.URL.Query().Has("left"),
		"Posted": r.Method == http.MethodPost && status == http.StatusUnauthorized})
	return nil
}

// joinPage shows an invitation to who was invited.
func (p *Platform) joinPage(w http.ResponseWriter, r *http.Request) error {
	token, now := r.URL.Query().Get("invitation"), time.Now()
	var i office.Invitation
	err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) { i, err = office.Invited(tx, token, now); return err })
	if jitsuin.CodeOf(err) == "invitation-unknown" {
		return p.uninvited(w, r)
	}
	if err != nil {
		return err
	}
	p.site.Page(w, r, http.StatusOK, "office-join", map[string]any{"Invitation": i, "Token": token})
	return nil
}

// uninvited says that an invitation cannot be used, whatever the reason.
func (p *Platform) uninvited(w http.ResponseWriter, r *http.Request) error {
	seeOther(w, r, "/office/login?outcome="+string(office.Uninvited))
	return nil
}

// startOfficeLogin leads the browser to its holder, with an invitation where the form has one.
func (p *Platform) startOfficeLogin(w http.ResponseWriter, r *http.Request) error {
	q := errand.Request{Name: officeErrand, Act: api.ActLogin, Purpose: loginPurpose, PurposeEN: loginPurposeEN,
		Client: &api.RequestClient{ID: p.Config.Instance, NameJA: "プラットフォーム事業者（係員用）", NameEN: "Platform operator (office)", Origin: p.origin()}}
	if a, _, err := p.accreditation(r.Context()); err == nil && api.Printing(a.Name) {
		q.Client.NameJA, q.Client.NameEN = a.Name+"（係員用）", a.Name+" (office)"
	}
	if token := r.PostForm.Get("invitation"); token != "" {
		var i office.Invitation
		now := time.Now()
		err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) { i, err = office.Invited(tx, token, now); return err })
		if jitsuin.CodeOf(err) == "invitation-unknown" {
			return p.uninvited(w, r)
		}
		if err != nil {
			return err
		}
		q.About = string(i.ID)
	}
	return p.errands.Begin(w, r, q)
}

// decideOfficeLogin judges the answer of a card and says whose it is: the outcome, and the person's id. What is good or bad about it is
// told to the person by a page, not to their holder.
func (p *Platform) decideOfficeLogin(ctx context.Context, v errand.Visit, a api.HolderAnswer) (outcome, result string, err error) {
	end, leaf := p.judgeOwn(ctx, v, a)
	if end != office.Welcome {
		return string(end), "", ctx.Err()
	}
	links, err := p.askLinks(ctx, linkOf(jitsuin.AuthCert, leaf))
	if err != nil {
		return string(office.Unknowable), "", ctx.Err()
	}
	user, id, civil, wall := jitsuin.NewID(), jitsuin.NewID(), p.Clock.Now(), time.Now()
	var who office.Person
	err = p.DB.Update(ctx, func(tx *store.Tx) (err error) {
		who, end, err = p.admit(ctx, tx, v, links, user, id, civil, wall)
		if err == nil && end == office.Welcome {
			err = office.PutPass(tx, v.Txn, who.ID, leaf.Raw, wall)
		}
		return err
	})
	return string(end), string(who.ID), err
}

// judgeOwn tells what can be told of an answer without asking who it is.
func (p *Platform) judgeOwn(ctx context.Context, v errand.Visit, a api.HolderAnswer) (office.Outcome, *x509.Certificate) {
	leaf, err := cert.Parse(a.Certificate)
	if err != nil || v.Challenge == nil {
		return office.NotAccepted, nil
	}
	anchors, err := p.trusted()
	if err != nil {
		return office.Unknowable, nil
	}
	answer := signature.Answer{Certificate: leaf, Signature: a.Signature, DigestAlg: a.DigestAlg}
	if answer.DigestAlg == "" {
		answer.DigestAlg = suiteDigest(leaf)
	}
	path, err := v.Challenge.ToSign().Verify(ctx, answer, time.Now(), signature.Policy{Anchors: anchors, At: p.Clock.Now(), Revocation: p.newWitness(true), Kind: jitsuin.AuthCert})
	if code := jitsuin.CodeOf(err); code == "challenge-expired" || code == "challenge-early" {
		return errand.Late, nil
	}
	r := loginReport(path, leaf, p.Clock.Now(), err)
	p.count.judged(sortLogin, r)
	return outcomeOf(r), leaf
}

func outcomeOf(r *signature.Report) office.Outcome {
	switch {
	case r.Verdict == signature.Passed:
		return office.Welcome
	case r.SubIndication == signature.Revoked:
		return office.Revoked
	case r.SubIndication == signature.Expired:
		return office.Expired
	case r.SubIndication == signature.TryLater:
		return office.Unknowable
	}
	return office.NotAccepted
}

// admit tells who it is whose card has answered, and binds them to their invitation where they have one. Of strangers nothing is
// stored. user and id are drawn for somebody who was never here.
func (p *Platform) admit(ctx context.Context, tx *store.Tx, v errand.Visit, links []jlis.Link, user, id jitsuin.ID, civil, wall time.Time) (who office.Person, end office.Outcome, err error) {
	if v.About != "" {
		return p.join(ctx, tx, v, links, user, id, civil, wall)
	}
	known, _, err := ownPersons(tx, links)
	if err != nil || len(known) == 0 {
		return who, office.Stranger, err
	}
	who, is, err := office.ByUser(tx, string(known[0]))
	switch {
	case err != nil || !is:
		return office.Person{}, office.Stranger, err
	case !who.Works():
		return office.Person{}, office.Gone, nil
	}
	_, err = assignPerson(tx, links, known[0], civil) // remembers a card that is new
	return who, office.Welcome, err
}

func (p *Platform) join(ctx context.Context, tx *store.Tx, v errand.Visit, links []jlis.Link, fresh, id jitsuin.ID, civil, wall time.Time) (who office.Person, end office.Outcome, err error) {
	known, _, err := ownPersons(tx, links)
	if err != nil {
		return who, "", err
	}
	user := append(known, fresh)[0]
	who, err = office.Join(tx, jitsuin.ID(v.About), string(user), id, civil, wall)
	switch jitsuin.CodeOf(err) {
	case "invitation-unknown":
		return office.Person{}, office.Uninvited, nil
	case "person-known":
		return office.Person{}, office.Known, nil
	}
	if err == nil {
		_, err = assignPerson(tx, links, user, civil)
	}
	if err != nil {
		return who, "", err
	}
	return who, office.Welcome, audit.Record(ctx, tx, civil, audit.Line{Who: who.Signed(), Act: "person-joined", Subject: string(who.ID),
		Detail: map[string]string{"invitation": v.About, "roles": rolesText(who.Roles)}})
}

// arriveAtOffice takes the browser back: who is welcome gets a session, everybody else a page that says why not.
func (p *Platform) arriveAtOffice(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	if v.Outcome != string(office.Welcome) {
		seeOther(w, r, "/office/login?outcome="+url.QueryEscape(v.Outcome))
		return nil
	}
	token, now, civil := web.NewToken(), time.Now(), p.Clock.Now()
	old, terminal := cookieOf(r, p.sessionCookie()), p.terminal(r)
	err := p.DB.Update(r.Context(), func(tx *store.Tx) error {
		who, err := office.UsePass(tx, v.Txn, token, terminal, now)
		if err != nil {
			return err
		}
		if _, err = office.EndSession(tx, web.Hash(old)); err != nil {
			return err
		}
		return audit.Record(r.Context(), tx, civil, audit.Line{Who: who.Signed(), Terminal: terminal, Act: "person-logged-in", Subject: string(who.ID)})
	})
	switch _, in := sessionOf(r.Context()); {
	case jitsuin.CodeOf(err) == "return-used" && in: // the page led back by itself and was clicked on as well
	case jitsuin.CodeOf(err) == "person-gone":
		seeOther(w, r, "/office/login?outcome="+string(office.Gone))
		return nil
	case err != nil:
		return err
	default:
		http.SetCookie(w, p.cookie(p.sessionCookie(), token, office.SessionLife))
	}
	seeOther(w, r, "/office/")
	return nil
}

// leaveOffice ends the browser's session here, and not only in the browser.
func (p *Platform) leaveOffice(w http.ResponseWriter, r *http.Request) error {
	s, in := sessionOf(r.Context())
	if in {
		civil := p.Clock.Now()
		err := p.DB.Update(r.Context(), func(tx *store.Tx) error {
			if _, err := office.EndSession(tx, s.Hash); err != nil {
				return err
			}
			return audit.Record(r.Context(), tx, civil, audit.Line{Act: "person-logged-out", Subject: string(s.Person.ID)})
		})
		if err != nil {
			return err
		}
	}
	http.SetCookie(w, p.cookie(p.sessionCookie(), "", -time.Second))
	seeOther(w, r, "/office/login?left")
	return nil
}
