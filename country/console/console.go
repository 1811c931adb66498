package console

import (
	"embed"
	"html/template"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// Console is what the pages are made from.
type Console struct {
	*actor.Actor
	cfg  country.Config
	site *web.Site
	// folder is the data folder, or "" where it is not on this machine: then nobody can be acted for,
	// and the pages say so.
	folder  country.Folder
	viewers atomic.Int64 // of the live map
	// desk acts for people; nil where the folder is not here.
	desk *desk
}

// topic is one entry of the menu. The pages of a topic stand in files of their own.
type topic struct {
	item  web.Item
	pages func(*Console)
}

// topics are the console's pages in the order of the menu.
var topics = []topic{
	{web.Item{Key: "consolemap.menu.map", Path: "/"}, (*Console).mapPages},
	{web.Item{Key: "console.menu.story", Path: "/story"}, (*Console).storyPages},
	{web.Item{Key: "console.menu.people", Path: "/people"}, (*Console).peoplePages},
	{web.Item{Key: "console.menu.certificates", Path: "/certificates"}, (*Console).certificatePages},
	{web.Item{Key: "consolemap.menu.due", Path: "/due"}, (*Console).duePages},
	{web.Item{Key: "consolemap.menu.messages", Path: "/messages"}, (*Console).messagePages},
}

// Pages puts the console's pages onto the actor country:1.
func Pages(a *actor.Actor, cfg country.Config) error {
	_, err := open(a, cfg)
	return err
}

// open is Pages, and gives the console itself.
func open(a *actor.Actor, cfg country.Config) (*Console, error) {
	c := &Console{Actor: a, cfg: cfg}
	if cfg.Folder != "" {
		if _, err := os.Stat(country.Folder(cfg.Folder).Path("country.json")); err == nil {
			c.folder = country.Folder(cfg.Folder)
		}
	}
	if c.CanAct() {
		d, err := newDesk(c)
		if err != nil {
			return nil, err
		}
		c.desk = d
	}
	var menu []web.Item
	for _, t := range topics {
		menu = append(menu, t.item)
	}
	var err error
	c.site, err = web.New(web.Options{Name: "consolemap.name", Accent: "gray", Templates: sub(templateFiles, "templates"), Assets: sub(assetFiles, "assets"),
		Funcs: c.funcs(), Menu: menu, FormsTo: c.formOrigins(), Hosts: c.hosts(), Log: a.Log})
	if err != nil {
		return nil, err
	}
	c.site.ServeAssets(a.API)
	for _, t := range topics {
		t.pages(c)
	}
	c.timePages()
	return c, nil
}

// CanAct tells whether the data folder is here, so that the console can act for people.
func (c *Console) CanAct() bool { return c.folder != "" }

// funcs are what the console's templates have beyond those of every page.
func (c *Console) funcs() template.FuncMap {
	funcs := c.peopleFuncs()
	maps.Copy(funcs, template.FuncMap{
		"civil":     func() time.Time { return c.Clock.Now() },
		"civilOn":   func() jitsuin.Date { return jitsuin.DateOf(c.Clock.Now()) },
		"canAct":    c.CanAct,
		"shorten":   shorten,
		"size":      size,
		"clockTime": func(t time.Time) string { return t.In(jitsuin.JST).Format("15:04:05") },
	})
	return funcs
}

// hosts are the names under which the console answers: those at which it listens, and its origin in
// the directory. A page of somebody else whose name was made to lead here gets nothing.
func (c *Console) hosts() []string {
	hosts := append([]string{c.cfg.Listen}, c.cfg.Also...)
	if i, err := c.Directory.Lookup(c.Self.ID); err == nil {
		if u, err := url.Parse(i.Origin); err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	for _, h := range hosts { // both names of the machine itself
		if name, port, err := net.SplitHostPort(h); err == nil {
			switch name {
			case "localhost":
				hosts = append(hosts, net.JoinHostPort("127.0.0.1", port))
			case "127.0.0.1", "":
				hosts = append(hosts, net.JoinHostPort("localhost", port))
			}
		}
	}
	return hosts
}

func sub(files fs.FS, dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return f
}
