package securities

import (
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

//go:embed templates/*.html
var templateFiles embed.FS

// newSite makes the firm's pages. Their forms lead to the holder, and the policy of the pages names it.
func (f *Firm) newSite() (*web.Site, error) {
	templates, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return nil, err
	}
	var formsTo []string
	if holder, err := f.Directory.Lookup(f.cfg.Holder); err == nil { // without one the platform refuses to make requests
		formsTo = append(formsTo, holder.Origin)
	}
	here, err := url.Parse(f.cfg.Origin)
	if err != nil {
		return nil, err
	}
	return web.New(web.Options{Name: "firm.name", Accent: "orange", Templates: templates, FormsTo: formsTo, Funcs: template.FuncMap{"pick2": pick2, "fill": f.fill}, Hosts: []string{here.Host}, Log: f.Log,
		Menu: []web.Item{{Key: "firm.menu.home", Path: "/"}, {Key: "firm.menu.open", Path: "/open"}, {Key: "firm.menu.login", Path: "/login"}, {Key: "firm.menu.account", Path: "/account"}}})
}

// fill puts the figures of the law and of this firm into a text.
func (f *Firm) fill(text string) (string, error) {
	today := jitsuin.DateOf(f.Clock.Now())
	sign, err := rules.PINOf(rules.SignPassword)
	if err != nil {
		return "", err
	}
	auth, err := rules.PINOf(rules.AuthPIN)
	if err != nil {
		return "", err
	}
	_, age := rules.IsAdult(today, today)
	return strings.NewReplacer("{age}", strconv.Itoa(age), "{sign-tries}", strconv.Itoa(sign.N), "{auth-tries}", strconv.Itoa(auth.N),
		"{minutes}", strconv.Itoa(int(api.RequestLife.Minutes())), "{days}", strconv.Itoa(int(applicationLife.Hours()/24))).Replace(text), nil
}

// pick2 gives the text in a language.
func pick2(l web.Lang, ja, en string) string { return web.Pair{JA: ja, EN: en}.In(l) }

func (f *Firm) pages() {
	everybody, browser, session := httpapi.Public("the firm's pages"), httpapi.Public("the browser that began it, by its cookie"), httpapi.Public("the session cookie decides")
	plain := func(name string) web.Handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			f.site.Page(w, r, http.StatusOK, name, nil)
			return nil
		}
	}
	f.site.ServeAssets(f.API)
	f.site.Handle(f.API, "GET /{$}", everybody, plain("home"))
	f.site.Handle(f.API, "GET /open", everybody, f.openPage)
	f.site.Handle(f.API, "POST /open", everybody, f.openStart)
	f.site.Handle(f.API, "GET /applications/{number}", browser, f.resultPage)
	f.site.Handle(f.API, "POST /applications/{number}/check", browser, f.tryAgain)
	f.site.Handle(f.API, "GET /return", browser, f.returned)
	f.site.Handle(f.API, "GET /login", everybody, f.loginPage)
	f.site.Handle(f.API, "POST /login", everybody, f.loginStart)
	f.site.Handle(f.API, "GET /account", session, f.accountPage)
	f.site.Handle(f.API, "GET /account/application.pdf", session, f.download("application/pdf", func(d *signedDocument) []byte { return d.content }))
	f.site.Handle(f.API, "GET /account/application.p7s", session, f.download("application/pkcs7-signature", func(d *signedDocument) []byte { return d.signature }))
	f.site.Handle(f.API, "POST /account/logout", session, f.leave)
}

// openPage says what is needed and what the firm will get.
func (f *Firm) openPage(w http.ResponseWriter, r *http.Request) error {
	today := jitsuin.DateOf(f.Clock.Now())
	letter, err := rules.LetterOf(rules.PurposeAccount, today)
	if err != nil {
		return err
	}
	keeping, err := keepingOf(today)
	if err != nil {
		return err
	}
	f.site.Page(w, r, http.StatusOK, "open", map[string]any{"Law": pick2(web.LangOf(r), letter.Source.Citation().JA, letter.Source.Citation().EN), "Keeping": keeping})
	return nil
}

// openStart draws an application and leads the browser to its holder.
func (f *Firm) openStart(w http.ResponseWriter, r *http.Request) error {
	s, err := f.start(r.Context(), cookieOf(r, visitCookie))
	if err != nil {
		return err
	}
	return f.leadAway(w, r, s)
}

func (f *Firm) loginStart(w http.ResponseWriter, r *http.Request) error {
	s, err := f.startAtHolder(r.Context(), cookieOf(r, visitCookie))
	if err != nil {
		return err
	}
	return f.leadAway(w, r, s)
}

// leadAway leads the browser to its holder, in the language that it reads here.
func (f *Firm) leadAway(w http.ResponseWriter, r *http.Request, s started) error {
	to, err := url.Parse(s.made.Open)
	if err != nil {
		return err
	}
	q := to.Query()
	q.Set("lang", string(web.LangOf(r)))
	to.RawQuery = q.Encode()
	visit := f.visit(s.browser)
	http.SetCookie(w, &visit)
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return nil
}

// result is what the page of an application shows.
type result struct {
	application
	Open    string // where it can still be answered
	Signed  bool
	Over    bool
	Account *Account
	Entries []Entry
	Keeping Keeping
	Digests []string // of the document and of a signature beside it, SHA-256
	JSON    string   // the platform's report
}

// resultPage shows how an application stands, to the browser that began it.
func (f *Firm) resultPage(w http.ResponseWriter, r *http.Request) error {
	a, q, err := f.mine(r.Context(), r.PathValue("number"), cookieOf(r, visitCookie))
	if err != nil {
		return err
	}
	v := result{application: a, Open: q.open, Signed: a.signed != nil, Over: time.Now().After(a.ExpiresAt)}
	if a.signed != nil {
		v.Digests = []string{hexSum(a.signed.content)}
		if !a.signed.inside() {
			v.Digests = append(v.Digests, hexSum(a.signed.signature))
		}
	}
	if v.JSON, err = indented(a.Report); err != nil {
		return err
	}
	if v.Keeping, err = keepingOf(jitsuin.DateOf(f.Clock.Now())); err != nil {
		return err
	}
	if a.Outcome == opened {
		err = f.DB.View(r.Context(), func(tx *store.Tx) (err error) {
			if v.Account, err = accountOf(tx, a.Customer); err == nil {
				v.Entries, err = entriesOf(tx, v.Account.Number)
			}
			return err
		})
	}
	if err != nil {
		return err
	}
	f.site.Page(w, r, http.StatusOK, pageOf(v), v)
	return nil
}

// pageOf names the page of a result.
func pageOf(v result) string {
	switch {
	case v.Outcome == opened:
		return "opened"
	case v.Outcome != pending:
		return "refused"
	case v.Signed:
		return "waiting"
	}
	return "drawn"
}

func indented(v any) (string, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	return string(raw), err
}

// tryAgain has an application decided that could not be when it was signed.
func (f *Firm) tryAgain(w http.ResponseWriter, r *http.Request) error {
	a, _, err := f.mine(r.Context(), r.PathValue("number"), cookieOf(r, visitCookie))
	if err != nil {
		return err
	}
	if err := f.decide(r.Context(), a.Number); err != nil && jitsuin.KindOf(err) != jitsuin.Unavailable {
		return err
	}
	http.Redirect(w, r, "/applications/"+a.Number, http.StatusSeeOther)
	return nil
}

// loginOutcomes are what a login can come to, other than a session.
var loginOutcomes = []outcome{cancelled, holderFailed, late, altered, revoked, expired, notYetValid, wrongKind, issuerUnknown, notAccepted, noCustomer, unavailable}

// loginPage offers a login, and says why the last one came to nothing.
func (f *Firm) loginPage(w http.ResponseWriter, r *http.Request) error {
	var last outcome
	for _, o := range loginOutcomes {
		if r.URL.Query().Get("outcome") == string(o) {
			last = o
		}
	}
	f.site.Page(w, r, http.StatusOK, "login", last)
	return nil
}

// accountPage shows a customer their account.
func (f *Firm) accountPage(w http.ResponseWriter, r *http.Request) error {
	c, record, err := f.accountIn(r.Context(), cookieOf(r, sessionCookie))
	if err != nil {
		return err
	}
	beside := false // an application of before has its signature in a file of its own
	if c.Account != nil {
		err = f.DB.View(r.Context(), func(tx *store.Tx) error {
			a, err := getApplication(tx, c.Account.Application)
			beside = err == nil && a.signed != nil && !a.signed.inside()
			return err
		})
	}
	if err != nil {
		return err
	}
	f.site.Page(w, r, http.StatusOK, "account", map[string]any{"Customer": c, "Record": record, "Beside": beside})
	return nil
}

// accountIn gives the customer of a session with the confirmation record, which is nil where there is no account.
func (f *Firm) accountIn(ctx context.Context, session string) (c Customer, record *Record, err error) {
	now := time.Now()
	err = f.DB.View(ctx, func(tx *store.Tx) error {
		record = nil
		id, err := customerIn(tx, session, now)
		if err != nil {
			return err
		}
		if c, err = getCustomer(tx, id); err != nil || c.Account == nil {
			return err
		}
		record = &Record{Account: c.Account.Number}
		record.Entries, err = entriesOf(tx, c.Account.Number)
		return err
	})
	if err == nil && record != nil {
		record.Keeping, err = keepingOf(jitsuin.DateOf(f.Clock.Now()))
	}
	return c, record, err
}

type recordOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         Record
}

func (f *Firm) getRecord(ctx context.Context, in *sessionIn) (*recordOut, error) {
	_, record, err := f.accountIn(ctx, in.Session)
	if err == nil && record == nil {
		err = jitsuin.Errorf(jitsuin.NotFound, "no-account", "this customer has no account, and so no record")
	}
	if err != nil {
		return nil, err
	}
	return &recordOut{"no-store", *record}, nil
}

// download gives a customer the application by which their account was opened, as it was signed.
func (f *Firm) download(mediaType string, part func(*signedDocument) []byte) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, _, err := f.accountIn(r.Context(), cookieOf(r, sessionCookie))
		if err != nil {
			return err
		}
		var a application
		err = f.DB.View(r.Context(), func(tx *store.Tx) (err error) {
			if c.Account == nil {
				return jitsuin.Errorf(jitsuin.NotFound, "no-account", "this customer has no account")
			}
			a, err = getApplication(tx, c.Account.Application)
			return err
		})
		if err != nil {
			return err
		}
		content := part(a.signed)
		if len(content) == 0 {
			return jitsuin.Errorf(jitsuin.NotFound, "signature-inside", "the signature is in the document itself")
		}
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Content-Disposition", `attachment; filename="`+a.Number+r.URL.Path[len("/account/application"):]+`"`)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, err = w.Write(content)
		return err
	}
}

// leave ends the session, in the database and in the browser.
func (f *Firm) leave(w http.ResponseWriter, r *http.Request) error {
	out, err := f.logout(r.Context(), &sessionIn{cookieOf(r, sessionCookie)})
	if err != nil {
		return err
	}
	http.SetCookie(w, &out.SetCookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
