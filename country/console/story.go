package console

import (
	"context"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/store"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// The steps of the guided story, in their order. Where the story stands follows from the resident's own state and
// from what was done for them, so that who reloads, restarts, or does a step elsewhere goes on at the right place.
const (
	storyMeet    = "meet"
	storyApply   = "apply"
	storyReceive = "receive"
	storyAccount = "account"
	storyLogin   = "login"
	storyMove    = "move"
	storyDead    = "dead"
	storyRenew   = "renew"
	storyCorrect = "correct"
	storyEnd     = "end"
)

var storySteps = []string{storyMeet, storyApply, storyReceive, storyAccount, storyLogin, storyMove, storyDead, storyRenew, storyCorrect, storyEnd}

// storyActs says which act a step's button does.
var storyActs = map[string]actKind{storyMeet: actBegin, storyApply: actApply, storyReceive: actHandover, storyAccount: actSign, storyLogin: actLogin,
	storyMove: actMove, storyDead: actAgain, storyRenew: actReissue, storyCorrect: actCorrect}

// tale is where the story stands.
type tale struct {
	begin *actFile // nil before the first
	who   *person
	acts  []*actFile // for the person since the story began, the newest first
	step  string
}

// tale reads where the story stands. Before it began, who is whom it would follow; nobody is left where who is nil.
func (d *desk) tale(ctx context.Context) (*tale, error) {
	t := &tale{step: storyMeet}
	err := d.DB.View(ctx, func(tx *store.Tx) (err error) {
		t.begin, err = storyBegin(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if t.begin == nil {
		t.who, err = d.nextHero(ctx)
		return t, err
	}
	if t.who, err = d.person(ctx, t.begin.Subject); err != nil {
		return nil, err
	}
	all, err := d.actsOf(ctx, t.begin.Subject)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if !a.Started.Before(t.begin.Started) && a.Kind != actBegin {
			t.acts = append(t.acts, a)
		}
	}
	t.step = stepOf(t.who, t.acts)
	return t, nil
}

// stepOf tells where the story of a person stands.
func stepOf(p *person, acts []*actFile) string {
	did := func(k actKind) bool {
		return slices.ContainsFunc(acts, func(a *actFile) bool { return a.Kind == k && a.State == actDone })
	}
	open, has := p.openCase(), p.cardID() != ""
	switch {
	case p.State == jitsuin.Dead || p.State == jitsuin.Deleted || p.State == jitsuin.Abroad || did(actCorrect):
		return storyEnd
	case !has && (open == nil || open.State == town.Received || open.State == town.InquirySent):
		return storyApply
	case !has:
		return storyReceive
	case !did(actMove) && !did(actSign):
		return storyAccount
	case !did(actMove) && !did(actLogin):
		return storyLogin
	case !did(actMove):
		return storyMove
	case !did(actAgain) && did(actSign):
		return storyDead
	case p.living(jitsuin.SignCert) == nil:
		return storyRenew
	}
	return storyCorrect
}

// adult is the age from which the story can tell of somebody without a word on guardians.
const adult = 20

// nextHero finds whom to tell of: the guide's persona, or the next national of full age who has no card. nil for
// nobody.
func (d *desk) nextHero(ctx context.Context) (*person, error) {
	candidates := slices.Clone(d.sample.Residents)
	slices.SortStableFunc(candidates, func(a, b people.Resident) int {
		return rank(a) - rank(b)
	})
	latest := jitsuin.DateOf(d.Clock.Now().AddDate(-adult, 0, 0))
	for _, r := range candidates {
		if r.Items.BirthDate.After(latest) || r.Nationality != "JP" || r.AdultWard || rank(r) > 1 {
			continue
		}
		p, err := d.person(ctx, r.ID)
		if jitsuin.KindOf(err) == jitsuin.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.State == jitsuin.Present && p.cardID() == "" && p.openCase() == nil {
			return p, nil
		}
	}
	return nil, nil
}

func rank(r people.Resident) int {
	switch r.Persona {
	case people.Guide:
		return 0
	case "":
		return 1
	}
	return 2 // wanted by tests and other stories
}

// last gives the act of the story that ended last, nil for none.
func (t *tale) last() *actFile {
	var last *actFile
	for _, a := range t.acts {
		if !a.Running() && (last == nil || a.Ended.After(last.Ended)) {
			last = a
		}
	}
	return last
}

// running gives the act that is under way, nil for none.
func (t *tale) running() *actFile {
	for _, a := range t.acts {
		if a.Running() {
			return a
		}
	}
	return nil
}

// lasted is how long the story took so far, wall time.
func (t *tale) lasted() time.Duration {
	if last := t.last(); last != nil && t.begin != nil {
		return last.Ended.Sub(t.begin.Started).Round(time.Second)
	}
	return 0
}
