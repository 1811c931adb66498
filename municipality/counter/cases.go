package counter

import (
	"context"
	"net/http"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/municipality/api"
)

func (c *Counter) caseRoutes() {
	c.handle("GET /counter/residents/{id}/apply/{type}", c.applyForm)
	c.handle("POST /counter/residents/{id}/apply/{type}", c.apply)
	c.handle("GET /counter/cases/{id}", c.caseFile)
	c.handle("GET /counter/cases/{id}/check", c.checkForm)
	c.handle("POST /counter/cases/{id}/check", c.check)
	c.handle("POST /counter/cases/{id}/inquiry", c.inquiry)
	c.live("GET /counter/cases/{id}/live", func(ctx context.Context, r *http.Request, since string) (string, error) {
		one, err := c.town.Case(ctx, idOf(r))
		if err != nil {
			return "", err
		}
		list, err := c.town.DeskOf(ctx, one.Subject, since, pageWait)
		return list.Mark, err
	})
}

// actKey is the key of the form that was sent.
func actKey(ctx context.Context) string { return httpapi.IdempotencyKey(ctx) }

// steps ①–⑥ of an application, as the pages draw them.

// step is one of them: done, now, or still to come.
type step struct {
	Key       string
	Done, Now bool
}

// stepsOf tells how far a case is.
func stepsOf(one api.Application) []step {
	at := map[api.ApplicationState]int{api.Received: 2, api.InquirySent: 2, api.Checked: 3, api.Notified: 4, api.Delivered: 5, api.Ready: 6, api.Done: 7}[one.State]
	if one.Type == api.Reissue && one.State == api.Delivered {
		at = 6
	}
	var all []step
	for n, key := range []string{"counter.step.1", "counter.step.2", "counter.step.3", "counter.step.4", "counter.step.5", "counter.step.6"} {
		all = append(all, step{Key: key, Done: n+1 < at, Now: n+1 == at})
	}
	return all
}

// caseFile shows a case as it stands. With ?moved=on it says that the page before was out of date.
func (c *Counter) caseFile(w http.ResponseWriter, r *http.Request, s session) error {
	one, err := c.town.Case(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	list, err := c.town.DeskOf(r.Context(), one.Subject, "", 0)
	if err != nil {
		return err
	}
	for _, listed := range list.Cases { // as it stands under the list's mark, for the page waits for another mark
		if listed.ID == one.ID {
			one = listed
		}
	}
	person, err := c.town.Resident(r.Context(), one.Subject)
	if err != nil {
		return err
	}
	l := web.LangOf(r)
	why := ""
	if one.State == api.Refused {
		why = wordsOf(l, &jitsuin.Error{Kind: jitsuin.Denied, Code: one.Code, Message: one.Reason})
	}
	return c.show(w, r, s, http.StatusOK, "case", map[string]any{"Case": c.taskOf(one), "Person": person, "Steps": stepsOf(one.Application), "Mark": list.Mark,
		"Columns": formColumns, "Rows": compare(l, person.Items, one.Form), "Certificates": c.certificatesOf([]api.Case{one}), "Why": why, "CardLabel": c.labelOf(one.Card),
		"Moved": r.URL.Query().Get("moved") != "", "Newest": c.newestOf(list.Cases, one)})
}

// newestOf tells whether the case's certificates are the person's newest.
func (c *Counter) newestOf(all []api.Case, one api.Case) bool {
	return !slices.ContainsFunc(c.certificatesOf(all), func(x certificate) bool { return x.Case != one.ID && slices.Contains(one.Kinds, x.Kind) })
}

// movedOn leads to the case as it is now, because it is no longer as the page was made for.
func movedOn(w http.ResponseWriter, r *http.Request, id jitsuin.ID) error {
	http.Redirect(w, r, "/counter/cases/"+string(id)+"?moved=on", http.StatusSeeOther)
	return nil
}

// The photo documents (顔写真付き本人確認書類) that the page offers; the API takes any name.
var documents = []string{"driving-licence", "driving-record", "passport", "residence-card", "special-permanent-certificate", "disability-handbook", "my-number-card"}

// checkFields are those of a photo document.
func checkFields() []web.Field {
	var types []web.Option
	for _, d := range documents {
		types = append(types, web.Option{Value: d, Label: "counter.document." + d})
	}
	fields := []web.Field{
		{Name: "type", Label: "counter.check.type", Kind: web.ChoiceField, Need: true, Options: types, Width: "medium"},
		{Name: "number", Label: "counter.check.number", Kind: web.TextField, Need: true, Max: 50, Width: "medium"},
		{Name: "expires", Label: "counter.check.expires", Kind: web.DateField, Need: true, Width: "narrow"}}
	return append(append(fields, itemFields()...), web.Field{Name: "face_matches", Label: "counter.check.face", Kind: web.RadioField, Need: true,
		Options: []web.Option{{Value: "yes", Label: "counter.check.face-yes"}, {Value: "no", Label: "counter.check.face-no"}}})
}

func replyForm(values map[string][]string) *web.Form {
	return web.NewForm(values, web.Field{Name: "reply_code", Label: "counter.check.reply-code", Help: "counter.check.reply-help", Kind: web.TextField, Need: true, Max: 20, Width: "medium"})
}

// checking is the page of step ②.
type checking struct {
	one      api.Case
	person   api.Resident
	document *web.Form
	reply    *web.Form
}

func (c *Counter) checking(r *http.Request) (k checking, err error) {
	if k.one, err = c.town.Case(r.Context(), idOf(r)); err != nil {
		return k, err
	}
	k.person, err = c.town.Resident(r.Context(), k.one.Subject)
	k.document, k.reply = web.NewForm(nil, checkFields()...), replyForm(nil)
	return k, err
}

func (k checking) open() bool { return k.one.State == api.Received || k.one.State == api.InquirySent }

func (c *Counter) showCheck(w http.ResponseWriter, r *http.Request, s session, status int, k checking) error {
	return c.show(w, r, s, status, "check", map[string]any{"Case": k.one, "Person": k.person, "Steps": stepsOf(k.one.Application), "Document": k.document, "Reply": k.reply,
		"Columns": formColumns, "Rows": compare(web.LangOf(r), k.person.Items, k.one.Form), "Late": k.one.State == api.InquirySent && c.today().After(k.one.ReplyBy)})
}

func (c *Counter) checkForm(w http.ResponseWriter, r *http.Request, s session) error {
	k, err := c.checking(r)
	if err != nil {
		return err
	}
	if !k.open() {
		return movedOn(w, r, k.one.ID)
	}
	fillItems(k.document, k.one.Form) // what the applicant says; the clerk corrects it to what is printed
	return c.showCheck(w, r, s, http.StatusOK, k)
}

// check checks the applicant against a photo document or with the reply to the inquiry letter (②).
func (c *Counter) check(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, err := web.ActOf(r)
	if err != nil {
		return err
	}
	k, err := c.checking(r)
	if err != nil {
		return err
	}
	asked, form := api.Check{Clerk: s.Clerk}, (*web.Form)(nil)
	if r.PostForm.Has("reply_code") {
		k.reply = replyForm(r.PostForm)
		form, asked.ReplyCode = k.reply, k.reply.Get("reply_code")
		fillItems(k.document, k.one.Form)
	} else {
		k.document = web.NewForm(r.PostForm, checkFields()...)
		form = k.document
		asked.Document = &api.Document{Type: form.Get("type"), Number: form.Get("number"), Expires: form.Date("expires"), Items: itemsOf(form), FaceMatches: form.Get("face_matches") == "yes"}
	}
	form.Check()
	if form.OK() {
		one, err := c.town.Check(ctx, k.one.ID, asked)
		switch {
		case err == nil && one.State == api.Refused && asked.Document != nil:
			return c.refusedCheck(w, r, s, k, one, *asked.Document)
		case err == nil:
			http.Redirect(w, r, "/counter/cases/"+string(one.ID), http.StatusSeeOther)
			return nil
		case stale(err):
			return movedOn(w, r, k.one.ID)
		case !refuse(web.LangOf(r), form, err):
			return err
		}
	}
	return c.showCheck(w, r, s, http.StatusUnprocessableEntity, k)
}

// refusedCheck shows register, form and document side by side, once: the document's items are not kept.
func (c *Counter) refusedCheck(w http.ResponseWriter, r *http.Request, s session, k checking, one api.Application, d api.Document) error {
	l := web.LangOf(r)
	return c.show(w, r, s, http.StatusConflict, "refused", map[string]any{"Case": one, "Person": k.person,
		"Why": wordsOf(l, &jitsuin.Error{Kind: jitsuin.Denied, Code: one.Code, Message: one.Reason}), "Columns": documentColumns, "Rows": compare(l, k.person.Items, k.one.Form, d.Items),
		"Document": d, "Expired": d.Expires.Before(c.today())})
}

// inquiry makes the inquiry letter, which is shown once and printed.
func (c *Counter) inquiry(w http.ResponseWriter, r *http.Request, s session) error {
	ctx, err := web.ActOf(r)
	if err != nil {
		return err
	}
	letter, err := c.town.SendInquiry(ctx, idOf(r), s.Clerk)
	if stale(err) {
		return movedOn(w, r, idOf(r))
	}
	if err != nil {
		return err
	}
	return c.show(w, r, s, http.StatusOK, "letter", map[string]any{"Letter": letter, "Case": idOf(r), "TownName": c.townName(c.code)})
}
