package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
)

// postAct takes in the click on an act's button, and leads to the page that follows the act.
func (d *desk) postAct(w http.ResponseWriter, r *http.Request) error {
	subject, err := jitsuin.ParseID(r.PathValue("subject"))
	if err != nil {
		return err
	}
	a, err := clicked(r)
	if err != nil {
		return err
	}
	a.Subject, a.Kind, a.To = subject, actKind(r.PostForm.Get("kind")), jitsuin.MunicipalityCode(r.PostForm.Get("to"))
	if !a.Kind.valid() || a.Kind == actBegin {
		return jitsuin.Errorf(jitsuin.Invalid, "act-kind", "there is no such act").At("kind")
	}
	if a.Kind == actDie && r.PostForm.Get("sure") == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "death-unsure", "a death is recorded only when the box is ticked").At("sure")
	}
	started, err := d.acting.start(r.Context(), a)
	if code := jitsuin.CodeOf(err); jitsuin.KindOf(err) == jitsuin.Conflict && web.Has("console.why."+code) {
		page, err := d.personPage(r, subject)
		if err != nil {
			return err
		}
		page.Refused = code
		d.site.Page(w, r, http.StatusConflict, "person", page)
		return nil
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/acts/"+string(started.ID), http.StatusSeeOther)
	return nil
}

// clicked makes a new act under the id of the form, so that the same click twice is one act.
func clicked(r *http.Request) (*actFile, error) {
	ctx, err := web.ActOf(r)
	if err != nil {
		return nil, err
	}
	id, err := jitsuin.ParseID(httpapi.IdempotencyKey(ctx))
	return &actFile{ID: id}, err
}

// actPage is the page of an act.
type actPage struct {
	*actFile
	Name  string   // of the resident
	Said  []string // the facts, in the reader's language
	Error web.Words
	Back  string
}

// showAct shows how far an act is, or what came of it.
func (d *desk) showAct(w http.ResponseWriter, r *http.Request) error {
	id, err := jitsuin.ParseID(r.PathValue("id"))
	if err != nil {
		return err
	}
	a, err := d.act(r.Context(), id)
	if err != nil {
		return err
	}
	p, err := d.person(r.Context(), a.Subject)
	if err != nil {
		return err
	}
	d.site.Page(w, r, http.StatusOK, "act", d.actPage(r, a, p))
	return nil
}

func (d *desk) actPage(r *http.Request, a *actFile, p *person) *actPage {
	page := &actPage{actFile: a, Name: p.Items.Name, Back: "/people/" + string(a.Subject)}
	l := web.LangOf(r)
	for _, f := range a.Facts {
		page.Said = append(page.Said, d.say(l, f))
	}
	switch {
	case a.Fault == nil:
	case a.Fault.Words != "" && web.Has(a.Fault.Words+".title"):
		page.Error = web.Words{Title: web.Text(l, a.Fault.Words+".title"), Means: web.Text(l, a.Fault.Words+".means"), Next: web.Text(l, a.Fault.Words+".next")}
	default:
		page.Error = web.Explain(l, a.Fault.err())
	}
	return page
}

// say writes a fact in a language. A value that begins with "town:" is a municipality's code.
func (d *desk) say(l web.Lang, f fact) string {
	pairs := make([]any, len(f.Values))
	for i, v := range f.Values {
		if code, ok := strings.CutPrefix(v, "town:"); ok {
			v = d.townText(l, code)
		}
		pairs[i] = v
	}
	return web.Text(l, "console.fact."+f.Key, pairs...)
}

// followTime is how long a page that follows an act waits for news in one request.
const followTime = 20 * time.Second

// followAct answers as soon as an act has come further than ?after=: its rev and whether it is under way.
func (d *desk) followAct(w http.ResponseWriter, r *http.Request) error {
	id, err := jitsuin.ParseID(r.PathValue("id"))
	if err != nil {
		return err
	}
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "rev-form", "after is a number").At("after")
	}
	a, err := d.acting.await(r.Context(), id, after, followTime)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"rev":` + strconv.FormatInt(a.Rev, 10) + `,"running":` + strconv.FormatBool(a.Running()) + "}\n"))
	return nil
}
