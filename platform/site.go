package platform

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
)

//go:embed templates/*.html assets/*
var templateFiles embed.FS

// openSite makes the pages of the platform's origin: one frame, one accent, one folder of templates for every topic. A topic registers
// its pages with p.site.Handle, and those for people of the office with p.officePage.
func (p *Platform) openSite() error {
	templates, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return err
	}
	assets, err := fs.Sub(templateFiles, "assets")
	if err != nil {
		return err
	}
	var formsTo []string
	if holder, err := p.Directory.Lookup(p.cfg.Holder); err == nil && holder.Origin != "" { // without one no request is made
		formsTo = []string{holder.Origin}
	}
	if p.tlsLogin() {
		formsTo = append(formsTo, p.cfg.TLSLogin.Origin)
	}
	p.site, err = web.New(web.Options{Name: "me.name", Accent: "purple", Templates: templates, Assets: assets, Hosts: p.hosts(), FormsTo: formsTo, Log: p.Log,
		Funcs: template.FuncMap{"civil": func() jitsuin.Date { return jitsuin.DateOf(p.Clock.Now()) }, "now": time.Now, "pick2": pick2,
			"age": func(claim string) string { return strings.TrimPrefix(claim, "age_over_") }}})
	if err != nil {
		return err
	}
	p.site.ServeAssets(p.API)
	return nil
}

// pick2 gives the text in a language.
func pick2(l web.Lang, ja, en string) string { return web.Pair{JA: ja, EN: en}.In(l) }

// hosts are the names under which browsers reach the platform: its origin, and where it listens.
func (p *Platform) hosts() []string {
	hosts := []string{p.Config.Listen}
	if u, err := url.Parse(p.origin()); err == nil && u.Host != "" {
		hosts = append(hosts, u.Host)
	}
	return hosts
}

// origin is where the platform is reached, as the directory has it; "" where that names none.
func (p *Platform) origin() string {
	i, err := p.Directory.Lookup(p.Config.Instance)
	if err != nil {
		return ""
	}
	return i.Origin
}

// secure tells whether our origin is reached by https.
func (p *Platform) secure() bool {
	u, err := url.Parse(p.origin())
	return err == nil && u.Scheme == "https"
}

func seeOther(w http.ResponseWriter, r *http.Request, to string) {
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// cookie is one of ours; it comes along when the holder leads back.
func (p *Platform) cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure()}
}

func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
