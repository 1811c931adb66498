package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/trace"
	"github.com/jitsuin/jitsuin/internal/web"
)

const (
	mostViewers = 32
	traceWait   = 25 * time.Second
	traceRetry  = 2 * time.Second
)

// events streams messages as they come (server-sent events): each is one line of the list as JSON, its id
// the cursor from which to go on. Actors are asked only as long as somebody looks: one long poll each.
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	if c.viewers.Add(1) > mostViewers {
		c.viewers.Add(-1)
		httpapi.WriteError(w, r, c.Log, jitsuin.Errorf(jitsuin.Limited, "too-many-viewers", "%d pages are looking already", mostViewers))
		return
	}
	defer c.viewers.Add(-1)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	at, lists := parseCursor(after), make(chan trace.List)
	for _, i := range c.traced() {
		go c.pull(ctx, i.ID, at[i.ID], lists)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	fmt.Fprint(w, ": welcome\n\n")
	for out.Flush() == nil {
		select {
		case <-ctx.Done():
			return
		case <-actor.Stopping(ctx):
			return
		case l := <-lists:
			at.seen(l)
			c.write(w, web.LangOf(r), filterOf(r.URL.Query()), l, at)
		case <-time.After(traceWait):
			fmt.Fprint(w, ": still here\n\n") // a viewer who has gone is noticed
		}
	}
}

// pull long-polls one actor until ctx ends.
func (c *Console) pull(ctx context.Context, id string, at asOf, lists chan<- trace.List) {
	for ctx.Err() == nil {
		l, err := c.fetch(ctx, id, at, url.Values{"wait": {traceWait.String()}, "limit": {"500"}})
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(traceRetry):
			}
			continue
		}
		fresh := cursor{}
		fresh.seen(l)
		at = fresh[id]
		if len(l.Entries) == 0 {
			continue
		}
		select {
		case lists <- l:
		case <-ctx.Done():
		}
	}
}

// write gives the messages of a list to one viewer.
func (c *Console) write(w http.ResponseWriter, lang web.Lang, f filter, l trace.List, at cursor) {
	for _, e := range l.Entries {
		for _, m := range messagesOf(e) {
			line := c.line(lang, m)
			if !f.lets(line) {
				continue
			}
			raw, err := json.Marshal(line)
			if err != nil {
				continue
			}
			fmt.Fprintf(w, "id: %s\ndata: %s\n\n", at, raw)
		}
	}
}
