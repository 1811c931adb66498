package platform

import (
	"embed"
	"html/template"
	"io/fs"
	"net/url"

	"github.com/jitsuin/jitsuin/internal/web"
)

// people is what Platform has for the people behind the checks; the files own.go and me*.go, users*.go, statuscheck*.go,
// subscription.go and consent*.go use it.
type people struct {
	sessions web.Sessions[meSession]
}

//go:embed templates/*.html
var templateFiles embed.FS

// openPeople makes our own pages and the desk that leads their browsers to a card.
func (p *Platform) openPeople() error {
	if err := p.openErrands(); err != nil {
		return err
	}
	templates, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return err
	}
	here, err := url.Parse(p.errands.Origin)
	if err != nil {
		return err
	}
	var formsTo []string
	if holder, err := p.Directory.Lookup(p.cfg.Holder); err == nil && holder.Origin != "" { // without one no request is made
		formsTo = append(formsTo, holder.Origin)
	}
	p.site, err = web.New(web.Options{Name: "me.name", Accent: "purple", Templates: templates, FormsTo: formsTo, Hosts: []string{here.Host},
		Funcs: template.FuncMap{"pick2": pick2}, Log: p.Log, Menu: []web.Item{{Key: "me.menu", Path: "/me"}}})
	p.people.sessions = web.Sessions[meSession]{DB: p.DB, Cookie: "platform_me", Life: meLife, Secure: here.Scheme == "https", FromOutside: true}
	p.openMe()
	return err
}

// pick2 gives the text in a language.
func pick2(l web.Lang, ja, en string) string { return web.Pair{JA: ja, EN: en}.In(l) }

func (p *Platform) peopleRoutes() {
	p.site.ServeAssets(p.API)
	p.errands.Routes(p.API, p.site)
	p.mePages()
}
