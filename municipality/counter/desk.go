package counter

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
)

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who has gone away needs no answer
}

func (c *Counter) deskRoutes() {
	c.handle("GET /counter/{$}", c.work)
	c.handle("GET /counter/residents", c.searchForm)
	c.handle("POST /counter/residents", c.search)
	c.handle("GET /counter/residents/{id}", c.resident)
	c.live("GET /counter/live", func(ctx context.Context, _ *http.Request, since string) (string, error) {
		list, err := c.town.Desk(ctx, since, pageWait)
		return list.Mark, err
	})
	c.live("GET /counter/residents/{id}/live", func(ctx context.Context, r *http.Request, since string) (string, error) {
		list, err := c.town.DeskOf(ctx, idOf(r), since, pageWait)
		return list.Mark, err
	})
}

// idOf reads the identifier in the path; what is none matches nothing.
func idOf(r *http.Request) jitsuin.ID {
	id, err := jitsuin.ParseID(r.PathValue("id"))
	if err != nil {
		return "00000000000000000000000000000000"
	}
	return id
}

// group is one part of the work list.
type group struct {
	Key   string
	Cases []task
}

// task is a case with what is to be done next.
type task struct {
	api.Case
	Next string // a text's key, and where it is done; "" where the counter waits
	Path string
	Late bool // the last day for the reply is past
}

func (c *Counter) taskOf(one api.Case) task {
	t := task{Case: one, Path: "/counter/cases/" + string(one.ID)}
	reissue := one.Type == api.Reissue
	switch {
	case one.State == api.Received:
		t.Next, t.Path = "counter.next.check", t.Path+"/check"
	case one.State == api.InquirySent:
		t.Next, t.Path, t.Late = "counter.next.reply", t.Path+"/check", c.today().After(one.ReplyBy)
	case reissue && (one.State == api.Checked || one.State == api.Delivered):
		t.Next, t.Path = "counter.next.card", t.Path+"/card"
	case one.State == api.Ready:
		t.Next, t.Path = "counter.next.handover", t.Path+"/handover"
	}
	return t
}

func (t task) group() string {
	switch {
	case t.State == api.Done || t.State == api.Refused:
		return "closed"
	case t.State == api.InquirySent:
		return "letters"
	case t.Next == "":
		return "waiting"
	}
	return "now"
}

// work is the list of what is at hand.
func (c *Counter) work(w http.ResponseWriter, r *http.Request, s session) error {
	list, err := c.town.Desk(r.Context(), "", 0)
	if err != nil {
		return err
	}
	groups := []group{{Key: "now"}, {Key: "letters"}, {Key: "waiting"}, {Key: "closed"}}
	for _, one := range list.Cases {
		t := c.taskOf(one)
		for i := range groups {
			if groups[i].Key == t.group() {
				groups[i].Cases = append(groups[i].Cases, t)
			}
		}
	}
	return c.show(w, r, s, http.StatusOK, "work", map[string]any{"Groups": groups, "Arrivals": c.arrivals(list.Arrivals), "Mark": list.Mark})
}

type arrival struct {
	api.Arrival
	FromName string
}

func (c *Counter) arrivals(all []api.Arrival) []arrival {
	var out []arrival
	for _, a := range all {
		out = append(out, arrival{a, c.townName(a.From)})
	}
	return out
}

func searchFields(values map[string][]string) *web.Form {
	return web.NewForm(values,
		web.Field{Name: "name", Label: "counter.search.name", Help: "counter.search.name-help", Kind: web.TextField, Max: 100, Width: "medium"},
		web.Field{Name: "birth_date", Label: "counter.item.birth-date", Kind: web.DateField, Width: "narrow"},
		web.Field{Name: "left", Label: "counter.search.left", Kind: web.CheckField})
}

func (c *Counter) searchForm(w http.ResponseWriter, r *http.Request, s session) error {
	return c.show(w, r, s, http.StatusOK, "search", map[string]any{"Form": searchFields(nil)})
}

const mostFound = 50

func blankless(s string) string { return strings.Join(strings.Fields(s), "") }

// search takes name and date of birth in the body: they have no place in a URL.
func (c *Counter) search(w http.ResponseWriter, r *http.Request, s session) error {
	f := searchFields(r.PostForm)
	f.Check()
	if f.OK() && f.Get("name") == "" && f.Get("birth_date") == "" {
		f.Wrong("name", "counter.search.empty")
	}
	if !f.OK() {
		return c.show(w, r, s, http.StatusUnprocessableEntity, "search", map[string]any{"Form": f})
	}
	found, err := c.town.Search(r.Context(), api.Query{Name: f.Get("name"), BirthDate: f.Get("birth_date"), Left: f.Checked("left"), Limit: mostFound})
	if err != nil {
		return err
	}
	list, err := c.town.Desk(r.Context(), "", 0)
	if err != nil {
		return err
	}
	var coming []api.Arrival
	for _, a := range list.Arrivals {
		if strings.HasPrefix(blankless(a.Items.Name), blankless(f.Get("name"))) && (f.Get("birth_date") == "" || f.Get("birth_date") == a.Items.BirthDate.String()) {
			coming = append(coming, a)
		}
	}
	return c.show(w, r, s, http.StatusOK, "search", map[string]any{"Form": f, "Searched": true, "Found": found, "Most": len(found) == mostFound, "Arrivals": c.arrivals(coming)})
}

// resident shows one person: the record, the card, the cases, and what can be done now.
func (c *Counter) resident(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, id := r.Context(), idOf(r)
	list, err := c.town.DeskOf(ctx, id, "", 0) // first: its mark must not be newer than what is shown
	if err != nil {
		return err
	}
	person, err := c.town.Resident(ctx, id)
	if jitsuin.CodeOf(err) == "resident-unknown" {
		if a, e := c.town.Arrival(ctx, id); e == nil { // on the way to this town
			http.Redirect(w, r, "/counter/arrivals/"+string(a.Subject), http.StatusSeeOther)
			return nil
		}
	}
	if err != nil {
		return err
	}
	history, err := c.town.Changes(ctx, id)
	if err != nil {
		return err
	}
	slices.Reverse(history) // the newest first
	members, err := c.household(ctx, person)
	if err != nil {
		return err
	}
	var tasks []task
	for _, one := range list.Cases {
		tasks = append(tasks, c.taskOf(one))
	}
	l := web.LangOf(r)
	can, cannot := c.actionsFor(l, person, list.Cases)
	return c.show(w, r, s, http.StatusOK, "resident", map[string]any{"Person": person, "TownName": c.townName(person.Municipality), "Items": compare(l, person.Items),
		"Members": members, "Cases": tasks, "Certificates": c.certificatesOf(list.Cases), "History": history, "Mark": list.Mark,
		"CardLabel": c.labelOf(person.Card), "Can": can, "Cannot": cannot})
}

// household lists the others of a person's household.
func (c *Counter) household(ctx context.Context, p api.Resident) ([]api.Resident, error) {
	if p.State != jitsuin.Present {
		return nil, nil
	}
	all, err := c.town.Search(ctx, api.Query{Household: p.Household, Limit: mostFound})
	var others []api.Resident
	for _, m := range all {
		if m.Subject != p.Subject {
			others = append(others, m)
		}
	}
	return others, err
}
