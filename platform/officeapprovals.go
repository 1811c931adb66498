package platform

import (
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/office"
)

var publicDoor = httpapi.Public("it leads to the office's pages")

func (p *Platform) approvalRoutes() {
	p.officePage("GET /office/approvals", office.SeeApprovals, p.approvalsPage)
	p.officePage("GET /office/approvals/{id}", office.SeeApprovals, func(w http.ResponseWriter, r *http.Request) error {
		id, err := idOf(r, "proposal-unknown")
		if err != nil {
			return err
		}
		return p.approvalPage(w, r, http.StatusOK, id, nil)
	})
	p.officePage("POST /office/approvals/{id}", office.SeeApprovals, p.postDecision)
}

const mostDecisions = 50

// proposalView is a proposal with the people in it.
type proposalView struct {
	office.Proposal
	Duty          office.Duty
	First, Second office.Person
	Facts         []office.Fact
	May           bool // the person who looks may decide it
	Own           bool // they have proposed it
	Over          bool
}

func (p *Platform) viewProposal(tx *store.Tx, one office.Proposal, me office.Person, now time.Time) (v proposalView, err error) {
	v = proposalView{Proposal: one, Duty: office.DutyOf(one.Act), Own: one.Proposer == me.ID, Over: !now.Before(one.Expires)}
	if v.First, err = office.PersonOf(tx, one.Proposer); err != nil {
		return v, err
	}
	if one.Decider != "" {
		if v.Second, err = office.PersonOf(tx, one.Decider); err != nil {
			return v, err
		}
	}
	v.May = one.State == office.Waiting && !v.Own && !v.Over && me.MaySecond(one.Act)
	if one.State == office.Waiting {
		v.Facts, err = p.acts.Show(tx, one)
		if kind := jitsuin.KindOf(err); err != nil && (kind == jitsuin.NotFound || kind == jitsuin.Conflict) {
			err = nil // the thing is gone; the approval will say so
		}
	}
	return v, err
}

func (p *Platform) approvalsPage(w http.ResponseWriter, r *http.Request) error {
	s, _ := sessionOf(r.Context())
	var waiting, past []proposalView
	now := time.Now()
	err := p.DB.View(r.Context(), func(tx *store.Tx) error {
		waiting, past = nil, nil
		open, err := office.Proposals(tx, office.Waiting, mostDecisions)
		if err != nil {
			return err
		}
		done, err := office.Decisions(tx, mostDecisions)
		if err != nil {
			return err
		}
		for _, one := range append(open, done...) {
			v, err := p.viewProposal(tx, one, s.Person, now)
			if err != nil {
				return err
			}
			if one.State == office.Waiting && !v.Over {
				waiting = append(waiting, v)
			} else {
				past = append(past, v)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.showOffice(w, r, http.StatusOK, "office-approvals", map[string]any{"Waiting": waiting, "Past": past})
}

func (p *Platform) approvalPage(w http.ResponseWriter, r *http.Request, status int, id jitsuin.ID, f *web.Form) error {
	s, _ := sessionOf(r.Context())
	var v proposalView
	now := time.Now()
	err := p.DB.View(r.Context(), func(tx *store.Tx) error {
		one, err := office.ProposalOf(tx, id)
		if err == nil {
			v, err = p.viewProposal(tx, one, s.Person, now)
		}
		return err
	})
	if err != nil {
		return err
	}
	if f == nil {
		f = web.NewForm(nil, reasonField)
	}
	return p.showOffice(w, r, status, "office-approval", map[string]any{"One": v, "Form": f, "Said": r.URL.Query().Get("said")})
}

// postDecision takes in a yes, a no, or the first person's own withdrawal.
func (p *Platform) postDecision(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r, "proposal-unknown")
	if err != nil {
		return err
	}
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f, decision := reasonForm(r), r.PostForm.Get("decision")
	if decision != "withdraw" && !f.Check() {
		return p.approvalPage(w, r, http.StatusUnprocessableEntity, id, f)
	}
	switch decision {
	case "approve":
		_, err = p.approve(ctx, id, f.Get("reason"))
	case "refuse":
		_, err = p.refuse(ctx, id, f.Get("reason"))
	case "withdraw":
		_, err = p.withdraw(ctx, id)
	default:
		err = jitsuin.Errorf(jitsuin.Invalid, "decision", "a decision is approve, refuse or withdraw").At("decision")
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/office/approvals/"+string(id)+"?said="+decision, http.StatusSeeOther)
	return nil
}
