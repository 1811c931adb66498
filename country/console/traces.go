package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/trace"
)

// traced lists the actors whose exchanges can be shown: all that answer somewhere.
func (c *Console) traced() []httpapi.Instance {
	var all []httpapi.Instance
	for _, i := range c.Directory.All() {
		if i.Origin != "" {
			all = append(all, i)
		}
	}
	return all
}

// asOf says how far an actor's messages have been seen: in which run of it, up to which number.
type asOf struct {
	boot string // the first characters
	seq  uint64
}

// cursor says it of every actor.
type cursor map[string]asOf

// String writes a cursor for an address: ACTOR@BOOT@SEQ, joined by commas.
func (c cursor) String() string {
	var parts []string
	for id, at := range c {
		parts = append(parts, fmt.Sprintf("%s@%s@%d", id, at.boot, at.seq))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// parseCursor reads what String wrote; what it cannot read it leaves out, so that everything of that actor is new.
func parseCursor(s string) cursor {
	c := cursor{}
	for _, part := range strings.Split(s, ",") {
		f := strings.Split(part, "@")
		if len(f) != 3 {
			continue
		}
		if seq, err := strconv.ParseUint(f[2], 10, 63); err == nil {
			c[f[0]] = asOf{f[1], seq}
		}
	}
	return c
}

const bootShown = 8

// seen moves the cursor to the end of a list.
func (c cursor) seen(l trace.List) { c[l.Actor] = asOf{l.Boot[:min(len(l.Boot), bootShown)], l.Last} }

// fetch asks one actor for its messages after the cursor.
func (c *Console) fetch(ctx context.Context, id string, at asOf, q url.Values) (trace.List, error) {
	q.Set("after", strconv.FormatUint(at.seq, 10))
	l, err := c.list(ctx, id, q)
	if err == nil && at.boot != "" && !strings.HasPrefix(l.Boot, at.boot) { // it has started anew: all that it has is new
		q.Set("after", "0")
		l, err = c.list(ctx, id, q)
	}
	return l, err
}

func (c *Console) list(ctx context.Context, id string, q url.Values) (l trace.List, err error) {
	err = c.ask(ctx, id, "/trace?"+q.Encode(), &l)
	return l, err
}

// entry gives one exchange whole.
func (c *Console) entry(ctx context.Context, id string, seq uint64) (e trace.Entry, err error) {
	err = c.ask(ctx, id, fmt.Sprintf("/trace/%d", seq), &e)
	return e, err
}

// ask gets a path of an actor as JSON. The card host, which knows no access tokens, has a key of its own for this.
func (c *Console) ask(ctx context.Context, id, path string, out any) error {
	if httpapi.RoleOf(id) != "cards" {
		return c.Remote(id).Call(ctx, http.MethodGet, path, "", nil, out)
	}
	i, err := c.Directory.Lookup(id)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.cfg.CardsTraceKey)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "trace-key", "there is no key for what %s has traced", id)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.Origin+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "callee-unreachable", "%s does not answer: %w", id, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return httpapi.DecodeProblem(resp)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, 16<<20)).Decode(out)
}

// gathered is what several actors remember, in the order in which it ended.
type gathered struct {
	messages []message
	cursor   cursor
	counts   map[string]uint64 // of housekeeping, by kind
	silent   []string          // actors that could not be asked
}

// gather asks every actor at the same time for what came after the cursor.
func (c *Console) gather(ctx context.Context, after cursor, q url.Values) gathered {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	g := gathered{cursor: cursor{}, counts: map[string]uint64{}}
	var mu sync.Mutex
	var asked sync.WaitGroup
	for _, i := range c.traced() {
		asked.Go(func() {
			l, err := c.fetch(ctx, i.ID, after[i.ID], cloneQuery(q))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				g.silent = append(g.silent, i.ID)
				return
			}
			g.cursor.seen(l)
			for kind, n := range l.Counts {
				g.counts[kind] += n
			}
			for _, e := range l.Entries {
				g.messages = append(g.messages, messagesOf(e)...)
			}
		})
	}
	asked.Wait()
	slices.Sort(g.silent)
	slices.SortStableFunc(g.messages, func(a, b message) int { return a.end().Compare(b.end()) })
	return g
}

func cloneQuery(q url.Values) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = v
	}
	return out
}
