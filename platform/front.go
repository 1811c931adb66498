package platform

import (
	"net/http"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

// front is what the first page of our origin shows: whether we are accredited, and the doors that there are.
type front struct {
	Accreditation   *minister.Accreditation // nil while nothing was heard of it
	InForce         bool
	Sandbox, Office bool
	Clients         bool // of the OpenID provider may be made by whoever comes
}

func (p *Platform) frontRoutes() {
	p.site.Handle(p.API, "GET /{$}", httpapi.Public("the first page says who we are"), p.frontPage)
}

func (p *Platform) frontPage(w http.ResponseWriter, r *http.Request) error {
	f := front{Sandbox: p.offers("GET /sandbox"), Office: p.offers("GET /office/login"), Clients: p.offers("GET /openid/clients")}
	a, _, err := p.accreditation(r.Context())
	switch {
	case err == nil:
		f.Accreditation, f.InForce = &a, a.InForceOn(jitsuin.DateOf(p.Clock.Now()))
	case jitsuin.CodeOf(err) != "accreditation-unknown":
		return err
	}
	p.site.Page(w, r, http.StatusOK, "front", f)
	return nil
}

// offers tells whether our origin has a page.
func (p *Platform) offers(pattern string) bool {
	return slices.ContainsFunc(p.API.Routes(), func(r httpapi.Route) bool { return r.Path == pattern })
}
