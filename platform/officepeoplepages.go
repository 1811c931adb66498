package platform

import (
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/office"
)

// seat is a person with their open sessions.
type seat struct {
	office.Person
	Open int
}

func (p *Platform) peoplePage(w http.ResponseWriter, r *http.Request) error {
	var seats []seat
	var invitations []office.Invitation
	now := time.Now()
	err := p.DB.View(r.Context(), func(tx *store.Tx) error {
		seats = nil
		people, err := office.People(tx)
		if err != nil {
			return err
		}
		open, err := office.Sessions(tx, now)
		if err != nil {
			return err
		}
		for _, one := range people {
			seats = append(seats, seat{one, open[one.ID]})
		}
		invitations, err = office.Invitations(tx, now)
		return err
	})
	if err != nil {
		return err
	}
	return p.showOffice(w, r, http.StatusOK, "office-people", map[string]any{"People": seats, "Invitations": invitations, "Said": r.URL.Query().Get("said"),
		"MayInvite": mayHere(r, office.InvitePerson)})
}

func mayHere(r *http.Request, a office.Act) bool {
	s, ok := sessionOf(r.Context())
	return ok && s.Person.May(a)
}

func (p *Platform) personPage(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r, "person-unknown")
	if err != nil {
		return err
	}
	return p.showPerson(w, r, http.StatusOK, id, nil, nil)
}

// showPerson is a person's page with the forms for their roles and for their leaving, which may be filled in.
func (p *Platform) showPerson(w http.ResponseWriter, r *http.Request, status int, id jitsuin.ID, roles, end *web.Form) error {
	var one seat
	now := time.Now()
	err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		if one.Person, err = office.PersonOf(tx, id); err != nil {
			return err
		}
		open, err := office.Sessions(tx, now)
		one.Open = open[id]
		return err
	})
	if err != nil {
		return err
	}
	if roles == nil {
		roles = rolesForm(nil)
		for _, have := range one.Roles {
			roles.Set("role-"+string(have), "yes")
		}
	}
	if end == nil {
		end = endForm(nil)
	}
	s, _ := sessionOf(r.Context())
	self := s.Person.ID == id
	return p.showOffice(w, r, status, "office-person", map[string]any{"One": one, "Roles": roles, "End": end, "Self": self, "Said": r.URL.Query().Get("said"),
		"MayRoles": one.Works() && !self && s.Person.May(office.ChangeRoles), "MayEnd": one.Works() && !self && s.Person.May(office.EndPerson)})
}

// roleFields are a box for each role.
func roleFields() (fields []web.Field) {
	for _, r := range office.Roles {
		fields = append(fields, web.Field{Name: "role-" + string(r), Label: "office.role." + string(r), Help: "office.role." + string(r) + ".help", Kind: web.CheckField})
	}
	return fields
}

func rolesForm(values url.Values) *web.Form {
	return web.NewForm(values, append(roleFields(), reasonField)...)
}

func endForm(values url.Values) *web.Form {
	because := reasonField
	because.Name = "end-reason"
	return web.NewForm(values, because)
}

// rolesIn reads the boxes, and notes what nobody may have.
func rolesIn(f *web.Form) (roles []office.Role) {
	for _, r := range office.Roles {
		if f.Checked("role-" + string(r)) {
			roles = append(roles, r)
		}
	}
	switch {
	case len(roles) == 0:
		f.Wrong("role-"+string(office.Roles[0]), "office.roles.none")
	case office.CheckRoles(roles) != nil:
		f.Wrong("role-"+string(office.Auditor), "office.roles.auditor")
	}
	return roles
}

func (p *Platform) postRoles(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r, "person-unknown")
	if err != nil {
		return err
	}
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := rolesForm(r.PostForm)
	roles := rolesIn(f)
	if !f.Check() {
		return p.showPerson(w, r, http.StatusUnprocessableEntity, id, f, nil)
	}
	pending, err := p.rolesBy(ctx, id, roles, f.Get("reason"))
	if err != nil {
		return err
	}
	to := "/office/people/" + string(id) + "?said=roles"
	if pending != "" {
		to = "/office/approvals/" + string(pending) + "?said=proposed"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (p *Platform) postEnd(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r, "person-unknown")
	if err != nil {
		return err
	}
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := endForm(r.PostForm)
	if !f.Check() {
		return p.showPerson(w, r, http.StatusUnprocessableEntity, id, nil, f)
	}
	if err := p.endBy(ctx, id, f.Get("end-reason")); err != nil {
		return err
	}
	http.Redirect(w, r, "/office/people/"+string(id)+"?said=ended", http.StatusSeeOther)
	return nil
}

func inviteForm(values url.Values) *web.Form {
	name := web.Field{Name: "name", Label: "office.invite.name", Help: "office.invite.name.help", Kind: web.TextField, Need: true, Max: 60, Width: "medium"}
	return web.NewForm(values, append([]web.Field{name}, append(roleFields(), reasonField)...)...)
}

func (p *Platform) invitePage(w http.ResponseWriter, r *http.Request) error {
	return p.showOffice(w, r, http.StatusOK, "office-invite", map[string]any{"Form": inviteForm(nil)})
}

// invite shows the link once: nobody can read it again, here or in the database.
func (p *Platform) invite(w http.ResponseWriter, r *http.Request) error {
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	f := inviteForm(r.PostForm)
	roles := rolesIn(f)
	if f.Check() && office.CheckName(f.Get("name")) != nil {
		f.Wrong("name", "office.invite.name.wrong")
	}
	if !f.OK() {
		return p.showOffice(w, r, http.StatusUnprocessableEntity, "office-invite", map[string]any{"Form": f})
	}
	made, token, err := p.inviteBy(ctx, f.Get("name"), roles, f.Get("reason"))
	if err != nil {
		return err
	}
	link := ""
	if token != "" {
		link = p.origin() + api.Invitation{Token: token}.Link()
	}
	return p.showOffice(w, r, http.StatusOK, "office-invited", map[string]any{"Name": f.Get("name"), "Link": link, "Pending": made.Pending, "Hours": int(office.InvitationLife.Hours())})
}

func (p *Platform) postWithdrawInvitation(w http.ResponseWriter, r *http.Request) error {
	id, err := idOf(r, "invitation-unknown")
	if err != nil {
		return err
	}
	ctx, err := actContext(r)
	if err != nil {
		return err
	}
	s, _ := sessionOf(ctx)
	civil, wall := p.Clock.Now(), time.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		who, err := office.PersonOf(tx, s.Person.ID)
		if err == nil {
			err = mayDo(who, office.InvitePerson)
		}
		if err != nil {
			return err
		}
		i, err := office.WithdrawInvitation(tx, id, wall)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, civil, audit.Line{Act: "invitation-withdrawn", Subject: string(id), Detail: map[string]string{"name": i.Name}})
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/office/people?said=withdrawn", http.StatusSeeOther)
	return nil
}
