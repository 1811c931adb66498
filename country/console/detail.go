package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
)

// messagePages registers the list of all messages and the page of each.
func (c *Console) messagePages() {
	public := httpapi.Public("the sandbox is shown to who runs it; secrets and numbers were never kept")
	c.site.Handle(c.API, "GET /messages", public, c.showMessages)
	c.site.Handle(c.API, "GET /messages/{actor}/{seq}", public, c.showMessage)
}

// messagesData is what the list is made from.
type messagesData struct {
	Lines  []line
	Filter filter
	About  string
	Nodes  []web.Option
	Quiet  bool
	Counts []quietCount
	Silent []string
	Clock  clockBar
}

// quietCount is how often there was housekeeping of a kind.
type quietCount struct {
	Kind string
	N    uint64
}

const inTheList = 500

func (c *Console) showMessages(w http.ResponseWriter, r *http.Request) error {
	l, f := web.LangOf(r), filterOf(r.URL.Query())
	q := url.Values{"limit": {"2000"}}
	quiet := r.URL.Query().Get("quiet") != ""
	if quiet {
		q.Set("quiet", "1")
	}
	if f.Request != "" {
		q.Set("request_id", f.Request)
	}
	g := c.gather(r.Context(), cursor{}, q)
	d := messagesData{Lines: c.latest(l, g.messages, f, inTheList), Filter: f, About: c.about(l, f), Quiet: quiet, Clock: c.clockBar(r.Context(), l)}
	for _, id := range c.nodes() {
		d.Nodes = append(d.Nodes, web.Option{Value: id, Text: c.name(l, id)})
	}
	for _, id := range g.silent {
		d.Silent = append(d.Silent, c.name(l, id))
	}
	for kind, n := range g.counts {
		if kind != "" {
			d.Counts = append(d.Counts, quietCount{kind, n})
		}
	}
	slices.SortFunc(d.Counts, func(a, b quietCount) int { return int(int64(b.N) - int64(a.N)) })
	c.site.Page(w, r, http.StatusOK, "messages", d)
	return nil
}

// messageData is what the page of a message is made from.
type messageData struct {
	message
	Line            line
	FromID, ToID    string
	Explain         string
	Problem         *httpapi.Problem // where it was refused
	Request, Answer string
	EventBody       string
	Found           []found
	Dialogue        []spoken
	Sequence        []line // all messages of the same act, in order
	Wall, CivilTime time.Time
	TookText        string
	HeaderNames     []string
	Cut             bool // something was too large to be kept
	Clock           clockBar
}

func (c *Console) showMessage(w http.ResponseWriter, r *http.Request) error {
	l := web.LangOf(r)
	id := r.PathValue("actor")
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 63)
	if err != nil || !slices.ContainsFunc(c.traced(), func(i httpapi.Instance) bool { return i.ID == id }) {
		return jitsuin.Errorf(jitsuin.NotFound, "trace-forgotten", "there is no such exchange")
	}
	e, err := c.entry(r.Context(), id, seq)
	if err != nil {
		return err
	}
	m := message{e, -1}
	if n, err := strconv.Atoi(r.URL.Query().Get("event")); err == nil && n >= 0 && n < len(e.Events) {
		m.event = n
	} else if len(e.Events) > 0 {
		m.event = 0
	}
	d := messageData{message: m, Line: c.line(l, m), FromID: m.From(), ToID: m.To(), Explain: m.Explain(l), Request: pretty(e.Request), Answer: pretty(e.Answer),
		Dialogue: dialogue(l, e.Card), Wall: m.end(), CivilTime: m.civilEnd(c.Clock.Offset()), TookText: (time.Duration(e.Took) * time.Microsecond).String(),
		Clock: c.clockBar(r.Context(), l)}
	var body json.RawMessage
	if v := m.ev(); v != nil {
		body = v.Body
		d.EventBody = prettyJSON(body)
	}
	d.Found = findings(l, e, body)
	d.Cut = e.Request != nil && e.Request.Cut || e.Answer != nil && e.Answer.Cut
	d.Problem = problemOf(e)
	for name := range e.Headers {
		d.HeaderNames = append(d.HeaderNames, name)
	}
	slices.Sort(d.HeaderNames)
	d.Sequence = c.sequence(r, l, e)
	c.site.Page(w, r, http.StatusOK, "message", d)
	return nil
}

// problemOf gives what a refusal said.
func problemOf(e trace.Entry) *httpapi.Problem {
	var p httpapi.Problem
	if e.Status < 400 || e.Answer == nil || json.Unmarshal(e.Answer.JSON, &p) != nil || p.Code == "" {
		return nil
	}
	return &p
}

// sequence gives every message of the act to which an exchange belongs, in the order in which they began.
func (c *Console) sequence(r *http.Request, l web.Lang, e trace.Entry) []line {
	if e.RequestID == "" || len(e.Events) > 0 {
		return nil
	}
	g := c.gather(r.Context(), cursor{}, url.Values{"request_id": {e.RequestID}})
	if len(g.messages) < 2 {
		return nil
	}
	slices.SortStableFunc(g.messages, func(a, b message) int { return a.At.Compare(b.At) })
	return c.lines(l, g.messages)
}

// Size writes how large a body was.
func size(b *trace.Body) string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf("%s, %d", b.Type, b.Size)
}

// EventType and EventPlace say which event it is.
func (d messageData) EventType() string {
	if v := d.ev(); v != nil {
		return v.Type
	}
	return ""
}

func (d messageData) EventPlace() string {
	if v := d.ev(); v != nil {
		return v.Topic + " " + v.Position
	}
	return ""
}
