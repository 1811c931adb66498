package platform

import (
	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/status"
)

// people is what Platform has for the people behind the checks; the files own.go and me*.go, users.go, statuscheck.go,
// subscription.go and consent*.go use it.
type people struct {
	sessions web.Sessions[meSession]
	lists    map[jitsuin.CertKind]*status.CRLCache // see held.go
}

// openPeople makes our own pages and the desk that leads their browsers to a card.
func (p *Platform) openPeople() error {
	if err := p.openSite(); err != nil {
		return err
	}
	p.errands = &errand.Desk{DB: p.DB, Origin: p.origin(), Cookie: errandCookie, Log: p.Log, Make: p.askHolder, Open: p.openAt, Secret: p.screenKey(), Record: p.recordErrand}
	p.people.sessions = web.Sessions[meSession]{DB: p.DB, Cookie: "platform_me", Life: meLife, Secure: p.secure(), FromOutside: true}
	p.people.lists = p.newHeldLists()
	p.openMe()
	if err := p.openTLSLogin(); err != nil {
		return err
	}
	p.openOffice()
	return nil
}

func (p *Platform) peopleRoutes() {
	p.errands.Routes(p.API, p.site)
	p.mePages()
	p.officeRoutes()
	p.userRoutes()
	p.statusRoutes()
	p.subscriptionRoutes()
	p.consentRoutes()
}
