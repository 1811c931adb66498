package console

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
)

// duePages registers the list of what is falling due.
func (c *Console) duePages() {
	c.site.Handle(c.API, "GET /due", httpapi.Public("kinds, times and numbers; nobody is named"), c.showDue)
}

// coming is something that falls due at one of the actors.
type coming struct {
	actor.Due
	Actor string
}

// upcoming asks every actor at the same time what is falling due, and gives it the earliest first, with
// those that could not be asked.
func (c *Console) upcoming(ctx context.Context) (all []coming, silent []string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var (
		asked sync.WaitGroup
		mu    sync.Mutex
	)
	for _, i := range c.traced() {
		if !country.HasClock(i.ID) || i.ID == c.Self.ID {
			continue
		}
		asked.Go(func() {
			dues, err := httpapi.Do[actor.Dues](ctx, c.Remote(i.ID), http.MethodGet, "/upcoming", "", nil)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				silent = append(silent, i.ID)
				return
			}
			for _, d := range dues.Due {
				all = append(all, coming{d, i.ID})
			}
		})
	}
	asked.Wait()
	slices.Sort(silent)
	slices.SortStableFunc(all, func(x, y coming) int { return x.At.Compare(y.At) })
	return all, silent
}

// nextEvent is the first thing ahead that is no routine.
func (c *Console) nextEvent(ctx context.Context, l web.Lang) *nextEvent {
	all, _ := c.upcoming(ctx)
	for _, d := range all {
		if !d.Routine && d.At.After(c.Clock.Now()) {
			return &nextEvent{At: d.At, On: jitsuin.DateOf(d.At), What: dueText(l, d.Kind, "what")}
		}
	}
	return nil
}

// dueText is a text about a kind of due thing; one that the catalogue does not know is named itself.
func dueText(l web.Lang, kind, part string) string {
	if key := "consolemap.due." + kind + "." + part; web.Has(key) {
		return web.Text(l, key)
	}
	return web.Text(l, "consolemap.due.other."+part, "kind", kind)
}

// dueLine is one line of the list.
type dueLine struct {
	On      jitsuin.Date
	At      time.Time
	InDays  int
	Count   int
	What    string
	Then    string
	Whose   string
	Fires   bool
	Routine bool
}

// dueLine writes down what falls due, as seen from a day.
func (c *Console) dueLine(l web.Lang, v coming, today jitsuin.Date) dueLine {
	on := jitsuin.DateOf(v.At)
	return dueLine{On: on, At: v.At, InDays: int(on.Start().Sub(today.Start()).Hours()+12) / 24, Count: v.Count, What: dueText(l, v.Kind, "what"),
		Then: dueText(l, v.Kind, "then"), Whose: c.name(l, v.Actor), Fires: v.Fires, Routine: v.Routine}
}

type dueData struct {
	Lines  []dueLine
	Silent []string
	Clock  clockBar
}

func (c *Console) showDue(w http.ResponseWriter, r *http.Request) error {
	l := web.LangOf(r)
	all, silent := c.upcoming(r.Context())
	d := dueData{Clock: c.clockBar(r.Context(), l)}
	for _, id := range silent {
		d.Silent = append(d.Silent, c.name(l, id))
	}
	for _, v := range all {
		d.Lines = append(d.Lines, c.dueLine(l, v, jitsuin.DateOf(c.Clock.Now())))
	}
	c.site.Page(w, r, http.StatusOK, "due", d)
	return nil
}
