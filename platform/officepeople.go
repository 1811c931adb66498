package platform

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
)

// grant is the body of a proposal to make somebody an administrator: by an invitation, or with the roles of a person who works here.
type grant struct {
	Invitation jitsuin.ID    `json:"invitation,omitempty"`
	Person     jitsuin.ID    `json:"person,omitempty"`
	Roles      []office.Role `json:"roles"`
}

func (p *Platform) officePeopleRoutes() {
	httpapi.Register(p.API, httpapi.Operation{ID: "office-invite", Method: http.MethodPost, Path: "/office/invitations", Status: http.StatusCreated,
		Summary:     "Invite somebody to work at the platform, from its own machine",
		Description: "For the first people, and for the day on which no administrator can log in. The invitation is good for a day and once. Errors: Invalid person-name, roles, reason.",
		Policy: httpapi.Checked("The platform itself (who has its machine), and the sandbox's console", func(_ context.Context, c httpapi.Caller) error {
			if c.ID == p.Config.Instance || c.Role == "country" {
				return nil
			}
			return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s invites nobody here", c.ID)
		})}, p.postInvitation)
	p.officePage("GET /office/people", office.SeePeople, p.peoplePage)
	p.officePage("GET /office/people/{id}", office.SeePeople, p.personPage)
	p.officePage("GET /office/invite", office.InvitePerson, p.invitePage)
	p.officePage("POST /office/invite", office.InvitePerson, p.invite)
	p.officePage("POST /office/people/{id}/roles", office.ChangeRoles, p.postRoles)
	p.officePage("POST /office/people/{id}/end", office.EndPerson, p.postEnd)
	p.officePage("POST /office/invitations/{id}/withdraw", office.InvitePerson, p.postWithdrawInvitation)
	p.sensitive(office.GrantAdmin, office.Effect{Mark: markGrant, Show: showGrant, Do: doGrant})
}

type invitationIn struct{ Body api.InvitationRequest }

type invitationOut struct{ Body api.Invitation }

// postInvitation is no act that takes effect once: an invitation too many ends by itself, and the table of requests should not have
// a secret. Who has the machine needs no second person: they could as well write into the database.
func (p *Platform) postInvitation(ctx context.Context, in *invitationIn) (*invitationOut, error) {
	roles := make([]office.Role, len(in.Body.Roles))
	for i, r := range in.Body.Roles {
		roles[i] = office.Role(r)
	}
	if err := office.CheckReason(in.Body.Reason); err != nil {
		return nil, err
	}
	civil := p.Clock.Now()
	i, token, err := office.NewInvitation(strings.TrimSpace(in.Body.Name), roles, httpapi.CallerOf(ctx).ID, civil, time.Now())
	if err != nil {
		return nil, err
	}
	i.Confirmed = true
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		if err := office.PutInvitation(tx, i, token); err != nil {
			return err
		}
		return recordInvitation(ctx, tx, i, in.Body.Reason, civil)
	})
	return &invitationOut{api.Invitation{ID: i.ID, Token: token, ExpiresAt: i.ExpiresAt}}, err
}

func recordInvitation(ctx context.Context, tx *store.Tx, i office.Invitation, reason string, civil time.Time) error {
	return audit.Record(ctx, tx, civil, audit.Line{Act: string(office.InvitePerson), Subject: string(i.ID), Reason: reason,
		Detail: map[string]string{"name": i.Name, "roles": rolesText(i.Roles)}})
}

// madeInvitation is what is kept of an invitation for a repetition: not its token.
type madeInvitation struct {
	ID      jitsuin.ID
	Pending jitsuin.ID // the proposal that waits for a second person
}

// inviteBy has an administrator invite somebody. The token is given to the first caller and to no repetition. An invitation for an
// administrator opens nothing until another person has approved it.
func (p *Platform) inviteBy(ctx context.Context, name string, roles []office.Role, reason string) (made madeInvitation, token string, err error) {
	s, ok := sessionOf(ctx)
	if !ok {
		return made, "", jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	civil, wall := p.Clock.Now(), time.Now()
	i, token, err := office.NewInvitation(strings.TrimSpace(name), roles, s.Person.Caller(), civil, wall)
	if err != nil {
		return made, "", err
	}
	put := func(tx *store.Tx) error { return office.PutInvitation(tx, i, token) }
	if i.Confirmed {
		made, err = byPerson(ctx, p, office.InvitePerson, reason, []any{i.Name, i.Roles}, func(ctx context.Context, tx *store.Tx, _ office.Person) (madeInvitation, error) {
			if err := put(tx); err != nil {
				return madeInvitation{}, err
			}
			return madeInvitation{ID: i.ID}, recordInvitation(ctx, tx, i, reason, civil)
		})
	} else {
		made, err = p.proposeInvitation(ctx, i, reason, put)
	}
	if made.ID != i.ID {
		token = ""
	}
	return made, token, err
}

func (p *Platform) proposeInvitation(ctx context.Context, i office.Invitation, reason string, put func(*store.Tx) error) (madeInvitation, error) {
	one, err := p.proposeWith(ctx, proposed{act: office.GrantAdmin, subject: string(i.ID), reason: reason,
		body: grant{Invitation: i.ID, Roles: i.Roles}, same: []any{i.Name, i.Roles}, also: put})
	return madeInvitation{ID: jitsuin.ID(one.Subject), Pending: one.ID}, err
}

// rolesBy has an administrator give a person other roles. That of an administrator waits for a second person; the proposal is given.
func (p *Platform) rolesBy(ctx context.Context, id jitsuin.ID, roles []office.Role, reason string) (pending jitsuin.ID, err error) {
	var has office.Person
	if err := p.DB.View(ctx, func(tx *store.Tx) (err error) { has, err = office.PersonOf(tx, id); return err }); err != nil {
		return "", err
	}
	if slices.Contains(roles, office.Administrator) && !slices.Contains(has.Roles, office.Administrator) {
		one, err := p.propose(ctx, office.GrantAdmin, string(id), "", grant{Person: id, Roles: roles}, reason)
		return one.ID, err
	}
	civil := p.Clock.Now()
	_, err = byPerson(ctx, p, office.ChangeRoles, reason, []any{id, roles}, func(ctx context.Context, tx *store.Tx, who office.Person) (bool, error) {
		if now, err := office.PersonOf(tx, id); err != nil || slices.Contains(roles, office.Administrator) && !slices.Contains(now.Roles, office.Administrator) {
			return false, firstError(err, jitsuin.Errorf(jitsuin.Conflict, "roles-changed", "the person's roles were changed meanwhile"))
		}
		before, err := office.SetRoles(tx, who, id, roles)
		if err != nil {
			return false, err
		}
		return true, audit.Record(ctx, tx, civil, audit.Line{Act: string(office.ChangeRoles), Subject: string(id),
			Detail: map[string]string{"before": rolesText(before), "after": rolesText(roles)}})
	})
	return "", err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// endBy cuts a person off at once: sessions, proposals and unused invitations end with them.
func (p *Platform) endBy(ctx context.Context, id jitsuin.ID, reason string) error {
	civil, wall := p.Clock.Now(), time.Now()
	_, err := byPerson(ctx, p, office.EndPerson, reason, id, func(ctx context.Context, tx *store.Tx, who office.Person) (bool, error) {
		e, err := office.End(tx, who, id, civil, wall)
		if err != nil {
			return false, err
		}
		return true, audit.Record(ctx, tx, civil, audit.Line{Act: string(office.EndPerson), Subject: string(id),
			Detail: map[string]string{"sessions": count(e.Sessions), "proposals": count(e.Proposals), "invitations": count(e.Invitations)}})
	})
	return err
}

// markGrant refuses to make somebody an administrator where that is not open any more, and says what they are now.
func markGrant(tx *store.Tx, one office.Proposal) (string, error) {
	var g grant
	if err := one.Decode(&g); err != nil {
		return "", err
	}
	if err := office.CheckRoles(g.Roles); err != nil {
		return "", err
	}
	if g.Person != "" {
		who, err := office.PersonOf(tx, g.Person)
		switch {
		case err != nil:
			return "", err
		case !who.Works():
			return "", jitsuin.Errorf(jitsuin.Conflict, "person-gone", "this person does not work here any more")
		case who.ID == one.Proposer:
			return "", jitsuin.Errorf(jitsuin.Denied, "own-roles", "nobody changes what they are themselves")
		}
		return rolesText(who.Roles), nil
	}
	i, err := office.InvitationOf(tx, g.Invitation)
	if err == nil && (i.Person != "" || !i.Withdrawn.IsZero()) {
		err = jitsuin.Errorf(jitsuin.Conflict, "invitation-used", "the invitation was used or withdrawn already")
	}
	return i.Name, err
}

func showGrant(tx *store.Tx, one office.Proposal) ([]office.Fact, error) {
	var g grant
	if err := one.Decode(&g); err != nil {
		return nil, err
	}
	facts := []office.Fact{{Label: factRolesAfter, Roles: g.Roles}}
	if g.Person != "" {
		who, err := office.PersonOf(tx, g.Person)
		return append([]office.Fact{{Label: factName, Value: who.Name}, {Label: factRolesNow, Roles: who.Roles}}, facts...), err
	}
	i, err := office.InvitationOf(tx, g.Invitation)
	return append([]office.Fact{{Label: factInvited, Value: i.Name}}, facts...), err
}

func doGrant(_ context.Context, tx *store.Tx, one office.Proposal, wall time.Time) error {
	var g grant
	if err := one.Decode(&g); err != nil {
		return err
	}
	if g.Person == "" {
		return office.ConfirmInvitation(tx, g.Invitation, wall)
	}
	_, err := office.SetRoles(tx, office.Person{ID: one.Decider}, g.Person, g.Roles)
	return err
}
