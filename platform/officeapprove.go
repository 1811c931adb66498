package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/office"
)

// asPerson gives the session of the person who asks, whose certificate is good at this moment, and a context that carries the reason.
func (p *Platform) asPerson(ctx context.Context, reason string) (context.Context, office.Session, error) {
	s, ok := sessionOf(ctx)
	if !ok {
		return ctx, s, jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	if err := p.fresh(ctx, s); err != nil {
		return ctx, s, err
	}
	return audit.With(ctx, audit.Person{Name: s.Person.Signed(), Terminal: s.Terminal, Reason: reason}), s, nil
}

// proposed is what a person proposes.
type proposed struct {
	act             office.Act
	subject, behalf string // behalf is the tenant whose thing it is
	body            any    // what the act needs beyond its subject
	reason          string
	same            any                      // what makes a repetition the same; nil for subject, behalf and body
	also            func(tx *store.Tx) error // stores what takes effect by the approval alone; nil for nothing
}

// propose has a person propose an act that another is to approve; body is what the act needs beyond its subject, behalf the tenant
// whose thing it is. Errors are those of office.Sensitive.Propose and of fresh.
func (p *Platform) propose(ctx context.Context, a office.Act, subject, behalf string, body any, reason string) (office.Proposal, error) {
	return p.proposeWith(ctx, proposed{act: a, subject: subject, behalf: behalf, body: body, reason: reason})
}

func (p *Platform) proposeWith(ctx context.Context, in proposed) (office.Proposal, error) {
	ctx, s, err := p.asPerson(ctx, in.reason)
	if err != nil {
		return office.Proposal{}, err
	}
	raw, err := json.Marshal(in.body)
	if err != nil {
		return office.Proposal{}, fmt.Errorf("the body of a proposal: %w", err)
	}
	if in.same == nil {
		in.same = []any{in.subject, in.behalf, in.body}
	}
	one := office.Proposal{ID: jitsuin.NewID(), Act: in.act, Subject: in.subject, Behalf: in.behalf, Body: raw, Reason: in.reason}
	civil, wall := p.Clock.Now(), time.Now()
	return httpapi.Once(ctx, p.DB, "propose "+string(in.act), []any{in.same, in.reason}, func(tx *store.Tx) (office.Proposal, error) {
		if in.also != nil {
			if err := in.also(tx); err != nil {
				return office.Proposal{}, err
			}
		}
		made, err := p.acts.Propose(tx, s.Person.ID, one, civil, wall)
		if err != nil {
			return made, err
		}
		return made, audit.Record(ctx, tx, civil, audit.Line{Act: string(in.act) + "-proposed", Subject: in.subject, Tenant: in.behalf,
			Detail: map[string]string{"proposal": string(made.ID)}})
	})
}

// approve is a second person's agreement. Errors are those of office.Sensitive.Approve, of office.Proposal.Outcome and of fresh.
func (p *Platform) approve(ctx context.Context, id jitsuin.ID, reason string) (office.Proposal, error) {
	ctx, s, err := p.asPerson(ctx, reason)
	if err != nil {
		return office.Proposal{}, err
	}
	civil, wall := p.Clock.Now(), time.Now()
	done, err := httpapi.Once(ctx, p.DB, "approve", []any{id, reason}, func(tx *store.Tx) (office.Proposal, error) {
		one, err := p.acts.Approve(ctx, tx, s.Person.ID, id, reason, civil, wall)
		if err != nil {
			return one, err
		}
		return one, p.recordDecision(ctx, tx, one, civil)
	})
	if err == nil {
		p.know(ctx) // it may have been about a tenant: that holds before the answer leaves
		err = done.Outcome()
	}
	return done, err
}

// refuse is a second person's no, withdraw the first one's.
func (p *Platform) refuse(ctx context.Context, id jitsuin.ID, reason string) (office.Proposal, error) {
	return p.endProposal(ctx, "refuse", id, reason, func(tx *store.Tx, by jitsuin.ID, civil time.Time) (office.Proposal, error) {
		return office.Refuse(tx, by, id, reason, civil)
	})
}

func (p *Platform) withdraw(ctx context.Context, id jitsuin.ID) (office.Proposal, error) {
	return p.endProposal(ctx, "withdraw", id, "", func(tx *store.Tx, by jitsuin.ID, civil time.Time) (office.Proposal, error) {
		return office.Withdraw(tx, by, id, civil)
	})
}

func (p *Platform) endProposal(ctx context.Context, operation string, id jitsuin.ID, reason string, end func(*store.Tx, jitsuin.ID, time.Time) (office.Proposal, error)) (office.Proposal, error) {
	s, ok := sessionOf(ctx)
	if !ok {
		return office.Proposal{}, jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	ctx = audit.With(ctx, audit.Person{Name: s.Person.Signed(), Terminal: s.Terminal, Reason: reason})
	civil := p.Clock.Now()
	return httpapi.Once(ctx, p.DB, operation, []any{id, reason}, func(tx *store.Tx) (office.Proposal, error) {
		one, err := end(tx, s.Person.ID, civil)
		if err != nil {
			return one, err
		}
		return one, p.recordDecision(ctx, tx, one, civil)
	})
}

// recordDecision writes the line of a proposal that has come to its end. The act itself bears the reason for which it was proposed,
// and names both people.
func (p *Platform) recordDecision(ctx context.Context, tx *store.Tx, one office.Proposal, civil time.Time) error {
	first, err := office.PersonOf(tx, one.Proposer)
	if err != nil {
		return err
	}
	l := audit.Line{Act: string(one.Act), Subject: one.Subject, Tenant: one.Behalf, Detail: map[string]string{"proposal": string(one.ID), "proposed_by": first.Signed()}}
	switch one.State {
	case office.Done:
		l.Reason, l.Detail["approved_because"] = one.Reason, one.Decision
	default:
		l.Act += "-" + string(one.State)
	}
	return audit.Record(ctx, tx, civil, l)
}
