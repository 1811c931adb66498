package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
)

// inTheMap is how many messages the first page lists; the page of messages has more.
const inTheMap = 12

// mapPages registers the map with what moves on it, and the pages of single messages.
func (c *Console) mapPages() {
	public := httpapi.Public("the sandbox is shown to who runs it; secrets and numbers were never kept")
	c.site.Handle(c.API, "GET /{$}", public, c.showMap)
	c.API.Raw("GET /events", public, http.HandlerFunc(c.events))
}

// filter narrows the list of messages to one node, to what goes between two, or to the messages of one act. The
// last is for who gathers the messages: the actors choose by the request id.
type filter struct {
	At, Between string // a node; the key of an arrow
	Request     string // a request id
}

func filterOf(q url.Values) filter { return filter{q.Get("at"), q.Get("between"), q.Get("request")} }

// Any tells that something is left out.
func (f filter) Any() bool { return f != filter{} }

func (f filter) lets(l line) bool {
	return (f.At == "" || f.At == l.FromNode || f.At == l.ToNode) && (f.Between == "" || f.Between == l.Path)
}

// query is the filter as a part of an address.
func (f filter) query() url.Values {
	q := url.Values{}
	if f.At != "" {
		q.Set("at", f.At)
	}
	if f.Between != "" {
		q.Set("between", f.Between)
	}
	if f.Request != "" {
		q.Set("request", f.Request)
	}
	return q
}

// mapNode is a node with what a person reads of it.
type mapNode struct {
	drawnNode
	Name    string
	Wrong   []string
	Checked bool // it has a state
	Chosen  bool
}

type mapArrow struct {
	arrow
	Label  string
	Chosen bool
}

// mapPicture is one drawing of the map.
type mapPicture struct {
	picture
	Nodes  []mapNode
	Arrows []mapArrow
}

// mapData is what the first page is made from.
type mapData struct {
	Pictures []mapPicture
	Actors   []state
	Lines    []line
	Filter   filter
	About    string // whom the filter leaves
	Nodes    []web.Option
	Cursor   string
	Stream   string // address of what comes next
	Silent   []string
	Clock    clockBar
}

func (c *Console) showMap(w http.ResponseWriter, r *http.Request) error {
	l, f := web.LangOf(r), filterOf(r.URL.Query())
	limit := url.Values{"limit": {"300"}}
	states := make(chan []state, 1)
	go func() { states <- c.look(r.Context()) }()
	g := c.gather(r.Context(), cursor{}, limit)
	d := mapData{Filter: f, Cursor: g.cursor.String(), Lines: c.latest(l, g.messages, f, inTheMap), Actors: <-states, Clock: c.clockBar(r.Context(), l)}
	for _, id := range g.silent {
		d.Silent = append(d.Silent, c.name(l, id))
	}
	stream := f.query()
	stream.Set("after", d.Cursor)
	stream.Set("lang", string(l))
	d.Stream = "/events?" + stream.Encode()
	for _, p := range []picture{wide, narrow} {
		d.Pictures = append(d.Pictures, c.drawMap(l, p, d.Actors, f))
	}
	for _, n := range d.Pictures[0].Nodes {
		d.Nodes = append(d.Nodes, web.Option{Value: n.ID, Text: n.Name})
	}
	d.About = c.about(l, f)
	c.site.Page(w, r, http.StatusOK, "map", d)
	return nil
}

// latest gives the newest messages that the filter lets through, the newest first.
func (c *Console) latest(l web.Lang, all []message, f filter, most int) []line {
	var out []line
	for _, m := range slices.Backward(all) {
		if line := c.line(l, m); f.lets(line) {
			if out = append(out, line); len(out) == most {
				break
			}
		}
	}
	return out
}

// nodes lists what stands on the map.
func (c *Console) nodes() []string {
	all := []string{personNode}
	for _, role := range roles {
		for _, i := range c.Directory.Role(role) {
			if i.Origin != "" {
				all = append(all, i.ID)
			}
		}
	}
	return append(all, verifierNode)
}

func (c *Console) drawMap(l web.Lang, p picture, states []state, f filter) mapPicture {
	nodes, arrows := p.draw(c.nodes())
	out := mapPicture{picture: p}
	for _, n := range nodes {
		m := mapNode{drawnNode: n, Name: c.name(l, n.ID), Chosen: f.At == n.ID}
		for _, s := range states {
			if s.ID == n.ID {
				m.Checked, m.Wrong = true, s.Wrong
			}
		}
		out.Nodes = append(out.Nodes, m)
	}
	for _, a := range arrows {
		out.Arrows = append(out.Arrows, mapArrow{a, c.about(l, filter{Between: a.Key}), f.Between == a.Key})
	}
	return out
}

// about says in words what a filter lets through.
func (c *Console) about(l web.Lang, f filter) string {
	a, b, _ := strings.Cut(f.Between, "~")
	switch {
	case f.Between != "" && a == b:
		return web.Text(l, "consolemap.about.desk", "name", c.name(l, a))
	case f.Between != "":
		return web.Text(l, "consolemap.about.between", "a", c.name(l, a), "b", c.name(l, b))
	case f.At != "":
		return web.Text(l, "consolemap.about.at", "name", c.name(l, f.At))
	case f.Request != "":
		return web.Text(l, "console.messages.of-act")
	}
	return ""
}

// well tells whether everybody is.
func (d mapData) Well() bool {
	return !slices.ContainsFunc(d.Actors, func(s state) bool { return len(s.Wrong) > 0 }) && len(d.Silent) == 0
}
