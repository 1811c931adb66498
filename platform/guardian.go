package platform

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
)

// A legal representative (法定代理人) sees a child's use beside their own. That they are it is shown by the child's card and its PIN: the
// representative sets it at the counter, where who they are was checked. Whether a representative still acts is asked of J-LIS at each
// look, so that on the fifteenth birthday the child's use is the child's alone.

const errandChild = "child"

// Outcomes of adding a child.
const (
	childSelf  = "child-self"  // their own card
	childGrown = "child-grown" // nobody acts for this person
	childYoung = "child-young" // somebody acts for who wants to act
)

var childOutcomes = []string{childSelf, childGrown, childYoung, errand.Cancelled, errand.Late, errand.HolderFailed, ownNotAccepted}

// meChild is a child of whom a guardian sees the use.
type meChild struct {
	ID    jitsuin.ID // of the guardianship
	Label string     // as the guardian calls them
	child jitsuin.ID
}

const mostChildLabel = 30 // characters

func childForm() *web.Form {
	return web.NewForm(nil, web.Field{Name: "label", Label: "me.child.label", Kind: web.TextField, Need: true, Max: mostChildLabel, Width: "medium"})
}

func (p *Platform) childPages(session httpapi.Policy) {
	p.errands.Handle(errandChild, errand.Handler{Decide: p.decideOwnLogin, Arrive: p.childArrives})
	p.site.Handle(p.API, "POST /me/children", session, p.meAddChild)
	p.site.Handle(p.API, "POST /me/children/{id}/end", session, p.meEndChild)
}

// meAddChild leads the guardian to the child's card.
func (p *Platform) meAddChild(w http.ResponseWriter, r *http.Request) error {
	_, err := p.people.sessions.Get(r)
	if jitsuin.CodeOf(err) == "no-session" && err != nil {
		seeOther(w, r, "/me")
		return nil
	}
	label := strings.TrimSpace(r.PostForm.Get("label"))
	if err == nil && (label == "" || len([]rune(label)) > mostChildLabel) {
		err = jitsuin.Errorf(jitsuin.Invalid, "child-label", "how you call the child has 1 to %d characters", mostChildLabel).At("label")
	}
	if err != nil {
		return err
	}
	return p.errands.Begin(w, r, errand.Request{Name: errandChild, About: label, Act: api.ActLogin, Purpose: "法定代理人として利用記録を見るための、お子さまのカードの確認",
		PurposeEN: "To see a child's record as the legal representative: the child's card"})
}

func (p *Platform) childArrives(w http.ResponseWriter, r *http.Request, v errand.Visit) error {
	s, err := p.people.sessions.Get(r)
	if jitsuin.CodeOf(err) == "no-session" && err != nil {
		seeOther(w, r, "/me") // it ended meanwhile
		return nil
	}
	outcome := v.Outcome
	if err == nil && outcome == ownWelcome {
		outcome, err = p.addChild(r.Context(), s.Person, jitsuin.ID(v.Result), v.About)
	}
	if err != nil {
		return err
	}
	seeOther(w, r, "/me?child="+url.QueryEscape(outcome))
	return nil
}

// addChild notes a guardianship and gives its id, or why there is none.
func (p *Platform) addChild(ctx context.Context, guardian, child jitsuin.ID, label string) (string, error) {
	if guardian == child {
		return childSelf, nil
	}
	acts, err := p.guardianActs(ctx, child)
	if err != nil || !acts {
		return childGrown, err
	}
	if acts, err = p.guardianActs(ctx, guardian); err != nil || acts {
		return childYoung, err
	}
	id, now := jitsuin.NewID(), p.Clock.Now()
	var have string
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO guardianships (id, guardian, child, label, since) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (guardian, child) DO UPDATE SET label = excluded.label`, id, guardian, child, label, store.Micros(now))
		if err == nil {
			err = tx.QueryRow(`SELECT id FROM guardianships WHERE guardian = $1 AND child = $2`, guardian, child).Scan(&have)
		}
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Line{Who: "resident:" + string(guardian), Act: "guardian-added", Subject: string(child)})
	})
	return have, err
}

// guardianActs asks J-LIS whether a legal representative acts for a person of our own sector today. Unavailable where it does not answer.
func (p *Platform) guardianActs(ctx context.Context, person jitsuin.ID) (bool, error) {
	var l jlis.Link
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT kind, serial FROM person_certificates WHERE person = $1 ORDER BY kind, serial LIMIT 1`, person).Scan(&l.Kind, &l.Serial)
	})
	if err != nil {
		return false, err
	}
	asking, cancel := context.WithTimeout(ctx, linksTime)
	defer cancel()
	acts, err := p.jlis.GuardianActs(asking, l)
	if err != nil && ctx.Err() == nil { // the cause may name the serial number
		p.Log.WarnContext(ctx, "whether a representative acts could not be had", "code", jitsuin.CodeOf(err))
		err = jitsuin.Errorf(jitsuin.Unavailable, "guardian-unknown", "it cannot be told now whether a legal representative acts").WithHint("try again later")
	}
	return acts, err
}

// childrenOf lists the children of whom a guardian sees the use.
func childrenOf(tx *store.Tx, guardian jitsuin.ID) ([]meChild, error) {
	return store.Collect(func(s store.Scanner) (c meChild, err error) { return c, s.Scan(&c.ID, &c.Label, &c.child) })(
		tx.Query(`SELECT id, label, child FROM guardianships WHERE guardian = $1 ORDER BY since, id`, guardian))
}

// childPage shows a child's use. On the day on which nobody acts for the child any more, the guardianship ends instead.
func (p *Platform) childPage(w http.ResponseWriter, r *http.Request, guardian jitsuin.ID, id string) error {
	c, err := p.myChild(r.Context(), guardian, id)
	if err != nil {
		return err
	}
	acts, err := p.guardianActs(r.Context(), c.child)
	if err != nil {
		return err
	}
	if !acts {
		if err := p.endChild(r.Context(), guardian, id, "grown"); err != nil {
			return err
		}
		seeOther(w, r, "/me?child="+childGrown)
		return nil
	}
	f := web.NewForm(r.URL.Query(), web.Field{Name: "since", Label: "me.lost.since", Kind: web.DateField, Width: "narrow"})
	v, err := p.usageOf(r.Context(), c.child, f.Date("since"))
	if err != nil {
		return err
	}
	v.Form, v.Lost, v.Child = f, p.lostPage(), &c
	for i := range v.Consents {
		v.Consents[i].MayWithdraw = false // with the child's own signature certificate, which a child has not
	}
	now := p.Clock.Now()
	err = p.DB.Update(r.Context(), func(tx *store.Tx) error {
		return audit.Record(r.Context(), tx, now, audit.Line{Who: "resident:" + string(guardian), Act: "guardian-looked", Subject: string(c.child)})
	})
	if err != nil {
		return err
	}
	p.site.Page(w, r, http.StatusOK, "me", v)
	return nil
}

// myChild gives a guardian's child; anybody else's, and one that never was, are NotFound alike.
func (p *Platform) myChild(ctx context.Context, guardian jitsuin.ID, id string) (c meChild, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT id, label, child FROM guardianships WHERE id = $1 AND guardian = $2`, id, guardian).Scan(&c.ID, &c.Label, &c.child)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "child-unknown", "you see no such child's record")
	}
	return c, err
}

func (p *Platform) endChild(ctx context.Context, guardian jitsuin.ID, id, why string) error {
	now := p.Clock.Now()
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		var child string
		err := tx.QueryRow(`DELETE FROM guardianships WHERE id = $1 AND guardian = $2 RETURNING child`, id, guardian).Scan(&child)
		if errors.Is(err, sql.ErrNoRows) {
			return jitsuin.Errorf(jitsuin.NotFound, "child-unknown", "you see no such child's record")
		}
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Line{Who: "resident:" + string(guardian), Act: "guardian-ended", Subject: child, Reason: why})
	})
}

// meEndChild has a guardian see a child's record no more.
func (p *Platform) meEndChild(w http.ResponseWriter, r *http.Request) error {
	s, err := p.people.sessions.Get(r)
	if jitsuin.CodeOf(err) == "no-session" && err != nil {
		seeOther(w, r, "/me")
		return nil
	}
	if err == nil {
		err = p.endChild(r.Context(), s.Person, r.PathValue("id"), "asked")
	}
	if err != nil {
		return err
	}
	seeOther(w, r, "/me")
	return nil
}
