package console

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
)

// message is what goes from one to another: a request with its answer, or one event of a feed with its reader.
type message struct {
	trace.Entry
	event int // index of the event; -1 for a request
}

// messagesOf gives the messages of an exchange: one, or one for each event.
func messagesOf(e trace.Entry) []message {
	if len(e.Events) == 0 {
		return []message{{e, -1}}
	}
	all := make([]message, len(e.Events))
	for i := range e.Events {
		all[i] = message{e, i}
	}
	return all
}

// ev is the event, nil for a request.
func (m message) ev() *trace.Event {
	if m.event < 0 || m.event >= len(m.Events) {
		return nil
	}
	return &m.Events[m.event]
}

// ID names the message in the whole country, as long as its actor runs.
func (m message) ID() string {
	id := fmt.Sprintf("%s/%d", m.Actor, m.Seq)
	if m.event >= 0 {
		id += fmt.Sprintf(".%d", m.event)
	}
	return id
}

// Href is the page of the message.
func (m message) Href() string {
	href := fmt.Sprintf("/messages/%s/%d", url.PathEscape(m.Actor), m.Seq)
	if m.event >= 0 {
		href += fmt.Sprintf("?event=%d", m.event)
	}
	return href
}

// From and To are instances; "" is somebody unknown: a resident, with a browser or a program. An event goes
// from who sends the feed to who reads it.
func (m message) From() string {
	if m.event >= 0 {
		return m.Actor
	}
	return m.Caller
}

func (m message) To() string {
	if m.event >= 0 {
		return m.Caller
	}
	return m.Actor
}

// end is when the message was done, in wall time.
func (m message) end() time.Time { return m.At.Add(time.Duration(m.Took) * time.Microsecond) }

// civilEnd is the same in civil time; offset is for actors that know none.
func (m message) civilEnd(offset time.Duration) time.Time {
	if m.Civil.IsZero() {
		return m.end().Add(offset)
	}
	return m.Civil.Add(time.Duration(m.Took) * time.Microsecond)
}

// OK tells whether it went well.
func (m message) OK() bool { return m.Status < 400 }

// key names the words for the message: say.ROLE.METHOD-PATH or say.event.TYPE.
func (m message) key() string {
	if e := m.ev(); e != nil {
		return "consolemap.say.event." + strings.ReplaceAll(e.Type, ".", "-")
	}
	method, path, _ := strings.Cut(m.Route, " ")
	if path == "" {
		method, path = m.Method, "none"
	}
	parts := []string{strings.ToLower(method)}
	for _, p := range strings.Split(path, "/") {
		if p != "" && !strings.HasPrefix(p, "{") {
			parts = append(parts, strings.ToLower(strings.ReplaceAll(p, ".", "-")))
		}
	}
	return "consolemap.say." + httpapi.RoleOf(m.Actor) + "." + strings.Join(parts, "-")
}

// Say tells in plain words what the message is. A route that the catalogue does not know is named itself.
func (m message) Say(l web.Lang) string {
	if web.Has(m.key()) {
		return web.Text(l, m.key())
	}
	if e := m.ev(); e != nil {
		return web.Text(l, "consolemap.say.other-event", "type", e.Type)
	}
	if m.Browser {
		key := "consolemap.say.press"
		if m.Method == "GET" {
			key = "consolemap.say.page"
		}
		return web.Text(l, key, "path", m.Path)
	}
	route := m.Route
	if route == "" {
		route = m.Method + " " + m.Path
	}
	return web.Text(l, "consolemap.say.other", "route", route)
}

// Explain says more, where the catalogue has it.
func (m message) Explain(l web.Lang) string {
	if key := m.key() + ".more"; web.Has(key) {
		return web.Text(l, key)
	}
	return ""
}

// known tells whether the catalogue has words of its own for the message.
func (m message) known() bool { return web.Has(m.key()) || m.Browser && m.event < 0 }

// line is a message as the list and the script have it.
type line struct {
	ID       string `json:"id"`
	Href     string `json:"href"`
	Time     string `json:"time"`
	ISO      string `json:"iso"`
	From     string `json:"from"` // names to be read
	To       string `json:"to"`
	Say      string `json:"say"`
	OK       bool   `json:"ok"`
	Word     string `json:"word"`
	Path     string `json:"path"`    // the arrow of the map
	Reverse  bool   `json:"reverse"` // against its direction
	FromNode string `json:"fromNode"`
	ToNode   string `json:"toNode"`
	Accent   string `json:"accent"`
}

// line writes a message down in a language.
func (c *Console) line(l web.Lang, m message) line {
	at := m.civilEnd(c.Clock.Offset()).In(jitsuin.JST)
	from, to := c.place(m.From()), c.place(m.To())
	key, reverse := arrowOf(from, to)
	word := web.Text(l, "consolemap.ok")
	if !m.OK() {
		word = web.Text(l, "consolemap.refused", "status", m.Status)
	}
	return line{ID: m.ID(), Href: m.Href(), Time: at.Format("15:04:05"), ISO: at.Format(time.RFC3339), From: c.name(l, m.From()), To: c.name(l, m.To()),
		Say: m.Say(l), OK: m.OK(), Word: word, Path: key, Reverse: reverse, FromNode: from.node, ToNode: to.node, Accent: accentOf(from.node)}
}

func (c *Console) lines(l web.Lang, all []message) []line {
	out := make([]line, len(all))
	for i, m := range all {
		out[i] = c.line(l, m)
	}
	return out
}
