package platform

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/office"
)

// Labels of what a second person is shown.
var (
	factName       = web.Pair{JA: "係員", EN: "Person"}
	factInvited    = web.Pair{JA: "招待する人", EN: "Invited"}
	factRolesNow   = web.Pair{JA: "今の役割", EN: "Roles now"}
	factRolesAfter = web.Pair{JA: "変更後の役割", EN: "Roles afterwards"}
)

// officeRoutes are the pages and routes of the people of the office.
func (p *Platform) officeRoutes() {
	p.API.Raw("GET /office", publicDoor, http.RedirectHandler("/office/", http.StatusSeeOther))
	p.officeLoginRoutes()
	p.officePeopleRoutes()
	p.approvalRoutes()
	p.officePage("GET /office/{$}", office.SeeOverview, p.overviewPage)
	p.officeTenantRoutes()
	p.officePage("GET /office/log", office.SeeLog, p.logPage)
	p.officePage("GET /office/duties", office.SeeOverview, p.dutiesPage)
}

// menu are the pages in their order, each with the act that it takes to see it.
var officeMenu = []struct {
	item web.Item
	act  office.Act
}{
	{web.Item{Key: "office.menu.overview", Path: "/office/"}, office.SeeOverview},
	{web.Item{Key: "office.menu.tenants", Path: "/office/tenants"}, office.SeeTenants},
	{web.Item{Key: "office.menu.records", Path: "/office/records"}, office.SeeRecords},
	{web.Item{Key: "office.menu.holds", Path: "/office/holds"}, office.SeeRecords},
	{web.Item{Key: "office.menu.approvals", Path: "/office/approvals"}, office.SeeApprovals},
	{web.Item{Key: "office.menu.people", Path: "/office/people"}, office.SeePeople},
	{web.Item{Key: "office.menu.log", Path: "/office/log"}, office.SeeLog},
	{web.Item{Key: "office.menu.duties", Path: "/office/duties"}, office.SeeOverview},
}

// deskView is the head of every page of the office: who is here, where, and where they may go.
type deskView struct {
	office.Session
	Menu    []web.Item
	Waiting int // for approval
	Here    string
}

// showOffice writes a page for the person who asks; data must be a map or nil, and gets the member Desk.
func (p *Platform) showOffice(w http.ResponseWriter, r *http.Request, status int, name string, data map[string]any) error {
	s, ok := sessionOf(r.Context())
	if !ok {
		return jitsuin.Errorf(jitsuin.Unauthenticated, "no-session", "nobody is logged in, or the session is over")
	}
	d, now := deskView{Session: s, Here: r.URL.Path}, time.Now()
	for _, m := range officeMenu {
		if s.Person.May(m.act) {
			d.Menu = append(d.Menu, m.item)
		}
	}
	if err := p.DB.View(r.Context(), func(tx *store.Tx) (err error) { d.Waiting, err = office.WaitingCount(tx, now); return err }); err != nil {
		return err
	}
	if data == nil {
		data = map[string]any{}
	}
	data["Desk"] = d
	p.site.Page(w, r, status, name, data)
	return nil
}

// actContext gives the context of a form that takes effect once.
func actContext(r *http.Request) (context.Context, error) { return web.ActOf(r) }

// idOf reads the identifier in the path. What is none is refused like one that never was.
func idOf(r *http.Request, code string) (jitsuin.ID, error) {
	id, err := jitsuin.ParseID(r.PathValue("id"))
	if err != nil {
		return "", jitsuin.Errorf(jitsuin.NotFound, code, "there is no such thing")
	}
	return id, nil
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

var reasonField = web.Field{Name: "reason", Label: "office.reason", Help: "office.reason.help", Kind: web.TextField, Need: true, Max: office.MaxReason}

// reasonForm is the form of an act that needs a reason and nothing else.
func reasonForm(r *http.Request) *web.Form { return web.NewForm(r.PostForm, reasonField) }

// dutiesPage shows the table of duties.
func (p *Platform) dutiesPage(w http.ResponseWriter, r *http.Request) error {
	return p.showOffice(w, r, http.StatusOK, "office-duties", map[string]any{"Duties": office.Duties, "Roles": office.Roles})
}
