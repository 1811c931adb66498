package counter

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

// show writes a page for the clerk.
func (c *Counter) show(w http.ResponseWriter, r *http.Request, s session, status int, name string, data map[string]any) error {
	data["Clerk"], data["Today"] = s.Clerk, c.today()
	c.site.Page(w, r, status, name, data)
	return nil
}

// turned writes a page for the resident, to whom the screen is turned.
func (c *Counter) turned(w http.ResponseWriter, r *http.Request, status int, name string, data map[string]any) error {
	c.facing.Page(w, r, status, name, data)
	return nil
}

// wordsOf gives what an error of the API means, in the clerk's language: the words that the catalogue
// has for its code, or else the API's own in English and those of its kind in Japanese.
func wordsOf(l web.Lang, err error) string {
	e, ok := errors.AsType[*jitsuin.Error](err)
	if !ok {
		return web.Explain(l, err).Means
	}
	if web.Has("counter.code." + e.Code) {
		return web.Text(l, "counter.code."+e.Code)
	}
	if l == web.EN && e.Message != "" {
		return strings.ToUpper(e.Message[:1]) + e.Message[1:] + "."
	}
	words := web.Explain(l, err)
	return words.Title + "。" + words.Means
}

// refuse notes an error of the API at the field of the form that it names, or above the form. It gives
// false for errors that are no matter of what was typed.
func refuse(l web.Lang, f *web.Form, err error) bool {
	e, ok := errors.AsType[*jitsuin.Error](err)
	if !ok || e.Kind == jitsuin.Internal || e.Kind == jitsuin.Unauthenticated {
		return false
	}
	field := fieldOf(f, e.Field)
	f.WrongText(field, wordsOf(l, err))
	return true
}

// fieldOf finds the field of a form that an API's member is typed into; "" where there is none.
func fieldOf(f *web.Form, member string) string {
	member = member[strings.LastIndex(member, ".")+1:]
	if other, ok := map[string]string{"document": "type", "items": "name", "standing": "stay", "kinds": "sign", "abroad": "destination"}[member]; ok {
		member = other
	}
	for _, d := range f.Fields {
		if d.Name == member {
			return member
		}
	}
	return ""
}

// stale tells that a case or a record has moved on since the page was made.
func stale(err error) bool {
	switch jitsuin.CodeOf(err) {
	case "case-state", "record-changed", "idempotency-key-reused":
		return true
	}
	return false
}

// itemFields ask for the four items under the names that the API has for them.
func itemFields() []web.Field {
	return []web.Field{
		{Name: "name", Label: "counter.item.name", Help: "counter.item.name-help", Kind: web.TextField, Need: true, Max: 100, Width: "medium"},
		{Name: "address", Label: "counter.item.address", Kind: web.TextField, Need: true, Max: 200},
		{Name: "birth_date", Label: "counter.item.birth-date", Kind: web.DateField, Need: true, Width: "narrow"},
		{Name: "sex", Label: "counter.item.sex", Kind: web.ChoiceField, Need: true, Width: "narrow", Options: sexes()},
	}
}

func sexes() []web.Option {
	var all []web.Option
	for _, s := range []jitsuin.Sex{jitsuin.Female, jitsuin.Male, jitsuin.SexNotApplicable, jitsuin.SexUnknown} {
		all = append(all, web.Option{Value: string(s), Label: "counter.sex." + string(s)})
	}
	return all
}

func fillItems(f *web.Form, i jitsuin.FourItems) {
	f.Set("name", i.Name)
	f.Set("address", i.Address)
	f.Set("birth_date", i.BirthDate.String())
	f.Set("sex", string(i.Sex))
}

// itemsOf reads the four items. A half-width blank between surname and given name is what keyboards give.
func itemsOf(f *web.Form) jitsuin.FourItems {
	return jitsuin.FourItems{Name: fullName(f.Get("name")), Address: f.Get("address"), BirthDate: f.Date("birth_date"), Sex: jitsuin.Sex(f.Get("sex"))}
}

func fullName(s string) string { return strings.Join(strings.Fields(s), "\u3000") }

// row is one of the four items in several places side by side.
type row struct {
	Label  string
	Values []string
	Differ bool
}

// compare sets items side by side; the first column is the register's.
func compare(l web.Lang, columns ...jitsuin.FourItems) []row {
	differ := map[string]bool{}
	for _, other := range columns[1:] {
		for _, name := range columns[0].Differences(other) {
			differ[name] = true
		}
	}
	rows := []row{{Label: "counter.item.name", Differ: differ["name"]}, {Label: "counter.item.address", Differ: differ["address"]},
		{Label: "counter.item.birth-date", Differ: differ["birth_date"]}, {Label: "counter.item.sex", Differ: differ["sex"]}}
	for _, i := range columns {
		sex := string(i.Sex)
		if i.Sex.Valid() {
			sex = web.Text(l, "counter.sex."+sex)
		}
		for n, v := range []string{i.Name, i.Address, web.DateText(l, i.BirthDate), sex} {
			rows[n].Values = append(rows[n].Values, v)
		}
	}
	return rows
}

// The headings of columns that stand side by side.
var (
	formColumns     = []string{"counter.compare.register", "counter.compare.form"}
	documentColumns = append(formColumns[:2:2], "counter.compare.document")
	changeColumns   = []string{"counter.compare.before", "counter.compare.after"}
)

// certificate is what the pages show of one.
type certificate struct {
	api.Certificate
	Case jitsuin.ID
	Over bool // its time has run out
}

// certificatesOf gives the newest certificate of each kind that this town knows of, in the order of jitsuin.CertKinds.
func (c *Counter) certificatesOf(cases []api.Case) []certificate {
	newest := map[jitsuin.CertKind]certificate{}
	for _, one := range cases { // the oldest change comes first
		for _, x := range one.Certificates {
			if had, has := newest[x.Kind]; has && had.RevokedAt == nil && x.RevokedAt != nil {
				continue
			}
			if had, has := newest[x.Kind]; has && had.RevokedAt == nil && had.NotAfter.After(x.NotAfter) {
				continue
			}
			newest[x.Kind] = certificate{x, one.ID, x.NotAfter.Before(c.actor.Clock.Now())}
		}
	}
	var all []certificate
	for _, kind := range jitsuin.CertKinds {
		if x, has := newest[kind]; has {
			all = append(all, x)
		}
	}
	return all
}

func pickText(l web.Lang, t rules.Text) string { return web.Pair{JA: t.JA, EN: t.EN}.In(l) }

// pageWait is how long a page's script waits for something to happen in one request.
const pageWait = 25 * time.Second

// live answers a page's script as soon as mark is another than the page's: {"mark": …}. watch waits and
// gives the mark.
func (c *Counter) live(pattern string, watch func(ctx context.Context, r *http.Request, since string) (string, error)) {
	c.actor.API.Raw(pattern, httpapi.Public("the answer itself asks for a clerk's session"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := c.peek(r)
		var mark string
		if err == nil {
			mark, err = watch(r.Context(), r, r.URL.Query().Get("since"))
		}
		if err != nil {
			httpapi.WriteError(w, r, c.actor.Log, err)
			return
		}
		writeJSON(w, map[string]string{"mark": mark})
	}))
}
