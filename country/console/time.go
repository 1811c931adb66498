package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
)

// timePages registers the moving of the civil clock.
func (c *Console) timePages() {
	public := httpapi.Public("the clock of a sandbox is moved by who looks at it; other sites are kept out")
	c.site.Handle(c.API, "POST /time", public, c.moveTime)
	c.site.Handle(c.API, "GET /time", public, c.showMoved)
}

// clockBar is what the clock on a page offers.
type clockBar struct {
	Next *nextEvent // nil where nothing falls due
}

// nextEvent is the next thing that falls due.
type nextEvent struct {
	At   time.Time
	On   jitsuin.Date
	What string
}

func (c *Console) clockBar(ctx context.Context, l web.Lang) clockBar {
	return clockBar{Next: c.nextEvent(ctx, l)}
}

// moveTime moves civil time and leads to what happened because of it.
func (c *Console) moveTime(w http.ResponseWriter, r *http.Request) error {
	from := c.Clock.Now()
	to, err := c.target(r, from)
	if err != nil {
		return err
	}
	before := c.gather(r.Context(), cursor{}, url.Values{"limit": {"1"}})
	ahead, _ := c.upcoming(r.Context())
	if err := c.move(r.Context(), to); err != nil {
		return err
	}
	q := url.Values{"from": {from.UTC().Format(time.RFC3339)}, "since": {before.cursor.String()}}
	for _, d := range ahead {
		if !d.Routine && d.At.After(from) && !d.At.After(to) && len(q["fell"]) < mostFallen {
			q.Add("fell", fmt.Sprintf("%s %s %d %d", d.Kind, d.Actor, d.Count, d.At.Unix()))
		}
	}
	http.Redirect(w, r, "/time?"+q.Encode(), http.StatusSeeOther)
	return nil
}

// mostFallen is how many things that fell due the page after a move names.
const mostFallen = 20

// target is the time to which a form leads.
func (c *Console) target(r *http.Request, from time.Time) (time.Time, error) {
	switch by := r.PostForm.Get("by"); by {
	case "day":
		return from.AddDate(0, 0, 1), nil
	case "month":
		return nextMonth(from.In(jitsuin.JST)), nil
	case "next":
		next := c.nextEvent(r.Context(), web.JA)
		if next == nil {
			return from, jitsuin.Errorf(jitsuin.Conflict, "nothing-due", "nothing falls due")
		}
		return next.At, nil
	default:
		return from, jitsuin.Errorf(jitsuin.Invalid, "time-by", "time is moved by a day, a month or to the next event, not by %q", by).At("by")
	}
}

// nextMonth is the same day of the next month, or its last day where it has none.
func nextMonth(t time.Time) time.Time {
	next := t.AddDate(0, 1, 0)
	if next.Day() != t.Day() { // such as 31 January, which became a day of March
		next = next.AddDate(0, 0, -next.Day())
	}
	return next
}

// move moves the clock of the whole country and waits until everybody has done what was due by then.
func (c *Console) move(ctx context.Context, to time.Time) error {
	if err := c.Remote(c.Self.ID).Call(ctx, http.MethodPost, "/clock", "", map[string]time.Time{"to": to}, nil); err != nil {
		return err
	}
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		slow error
	)
	for _, i := range c.traced() {
		if !country.HasClock(i.ID) || i.ID == c.Self.ID {
			continue
		}
		all.Go(func() {
			if err := country.WaitFired(ctx, c.Remote(i.ID), to); err != nil {
				mu.Lock()
				slow = err
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return slow
}

// movedData is what the page after a move is made from.
type movedData struct {
	From, To   time.Time
	FromOn, On jitsuin.Date
	Lines      []line
	Ticks      int // how many were told of the new time
	Fell       []dueLine
	Clock      clockBar
}

// showMoved tells what happened because time went on.
func (c *Console) showMoved(w http.ResponseWriter, r *http.Request) error {
	l := web.LangOf(r)
	from, err := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
	if err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "time-from", "from is a time").At("from")
	}
	now := c.Clock.Now()
	g := c.gather(r.Context(), parseCursor(r.URL.Query().Get("since")), url.Values{"limit": {"500"}})
	d := movedData{From: from, To: now, FromOn: jitsuin.DateOf(from), On: jitsuin.DateOf(now), Clock: c.clockBar(r.Context(), l)}
	for _, m := range g.messages {
		if v := m.ev(); v != nil && v.Type == "clock.moved" {
			d.Ticks++
		} else if m.key() != "consolemap.say.country.post-clock" && m.key() != "consolemap.say.country.post-time" {
			d.Lines = append(d.Lines, c.line(l, m))
		}
	}
	for _, s := range r.URL.Query()["fell"] {
		var v coming
		var at int64
		if n, _ := fmt.Sscanf(s, "%s %s %d %d", &v.Kind, &v.Actor, &v.Count, &at); n == 4 {
			v.At = time.Unix(at, 0)
			d.Fell = append(d.Fell, c.dueLine(l, v, d.FromOn))
		}
	}
	c.site.Page(w, r, http.StatusOK, "time", d)
	return nil
}
