package site

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/form"
)

const cookieName = "jitsuin-holder"

// browserOf knows a browser by its cookie; "" for one that has none.
func browserOf(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil || c.Value == "" {
		return ""
	}
	return web.Hash(c.Value)
}

// meet gives a browser that has no cookie one.
func (s *Site) meet(w http.ResponseWriter, r *http.Request) string {
	if known := browserOf(r); known != "" {
		return known
	}
	token := web.NewToken()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure()})
	return web.Hash(token)
}

func (s *Site) secure() bool {
	self, err := s.Directory.Lookup(s.Config.Instance)
	return err == nil && strings.HasPrefix(self.Origin, "https://")
}

// open is the page to which a relying party leads a browser.
func (s *Site) open(w http.ResponseWriter, r *http.Request) error {
	uri := r.URL.Query().Get("request_uri")
	_, txn, err := s.platformAt(uri)
	if err != nil {
		return err
	}
	k := flowKey{s.meet(w, r), jitsuin.ID(txn)}
	f := s.flows.get(k)
	if f == nil {
		if f, err = s.begin(r.Context(), uri); err != nil {
			return err
		}
		if f, err = s.flows.put(k, f); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	link := f.path(f.stage())
	if l := r.URL.Query().Get("lang"); l == string(web.JA) || l == string(web.EN) {
		link += "?lang=" + l // the language in which the person was at the relying party
	}
	http.Redirect(w, r, link, http.StatusSeeOther)
	return nil
}

// flowPage is a page of one flow: it belongs to the browser that opened it, and to one hand at a time.
func (s *Site) flowPage(h func(http.ResponseWriter, *http.Request, *flow) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		f := s.flows.get(flowKey{browserOf(r), jitsuin.ID(r.PathValue("txn"))})
		if f == nil {
			return jitsuin.Errorf(jitsuin.NotFound, "flow-unknown", "no such request is open in this browser")
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		return s.trouble(w, r, f, h(w, r, f))
	}
}

func (f *flow) path(stage string) string { return "/request/" + string(f.claims.Txn) + stage }

// goOn leads to the page on which the flow stands.
func (s *Site) goOn(w http.ResponseWriter, r *http.Request, f *flow) error {
	http.Redirect(w, r, f.path(f.stage()), http.StatusSeeOther)
	return nil
}

// about is what every page of a flow says: who asks, for what, until when.
type about struct {
	Path            string // of the flow
	Name, Purpose   web.Pair
	Origin          string
	Login           bool
	AsksItems       bool // of a login
	Minutes         int  // that are left
	Document, Label string
	AnotherDevice   bool // began it
	Sandbox         bool
	Step            string
}

func (s *Site) about(f *flow, step string) about {
	c := f.claims
	a := about{Path: f.path(""), Name: web.Pair{JA: c.Client.NameJA, EN: c.Client.NameEN}, Purpose: web.Pair{JA: c.Purpose, EN: c.PurposeEN}, Origin: c.Client.Origin,
		Login: c.Act == api.ActLogin, AsksItems: f.asksItems(), AnotherDevice: c.AnotherDevice, Minutes: int(time.Until(time.Unix(c.ExpiresAt, 0)) / time.Minute), Label: f.label, Sandbox: s.cfg.Sandbox, Step: step}
	if len(c.Documents) > 0 {
		a.Document = c.Documents[0].Name
	}
	return a
}

type choosePage struct {
	about
	Form  *web.Form
	Items []string // that the document shows, or that a login asks for
	Title *web.Pair
	None  bool // no card is here
	Desk  *desk
	// Computer leads to the holder of the person's own computer; "" for nowhere.
	Computer string
}

func (s *Site) showChoose(w http.ResponseWriter, r *http.Request, f *flow) error {
	return s.choosePage(w, r, f, nil)
}

func (s *Site) choosePage(w http.ResponseWriter, r *http.Request, f *flow, wrong error) error {
	if f.answer != nil {
		return s.goOn(w, r, f)
	}
	if err := f.notExpired(); err != nil {
		return err
	}
	options, err := s.cardOptions(r.Context(), web.LangOf(r))
	if err != nil {
		return err
	}
	var before *desk
	if s.cfg.own != nil {
		d := s.desk(r.Context(), s.readerText(r))
		before = &d
	}
	options = slices.DeleteFunc(options, func(o web.Option) bool { return !f.takes(o.Value) || before != nil && !before.usable(o.Value) })
	p := choosePage{about: s.about(f, "ask"), None: len(options) == 0, Desk: before, Computer: at(s.cfg.Computer, f.uri), Form: web.NewForm(r.PostForm, web.Field{Name: "card", Label: "holder.choose.card", Kind: web.RadioField, Need: true, Options: options})}
	if p.Login {
		p.Items = f.claims.Items
	}
	if f.form != nil {
		p.Items = f.form.Items()
		p.Title = &web.Pair{JA: f.form.Title.JA, EN: f.form.Title.EN}
	}
	status := http.StatusOK
	if wrong != nil {
		p.Form.Wrong("card", "common.form.choice")
		status = http.StatusUnprocessableEntity
	} else if f.card != "" {
		p.Form.Set("card", f.card)
	}
	s.pages.Page(w, r, status, "choose", p)
	return nil
}

// cardOptions lists the cards that may be chosen.
func (s *Site) cardOptions(ctx context.Context, l web.Lang) ([]web.Option, error) {
	cards, err := s.choices(ctx)
	var all []web.Option
	for _, c := range cards {
		if c.text == "" {
			c.text = readerText(l, c.label)
		}
		all = append(all, web.Option{Value: c.card, Text: c.text})
	}
	return all, err
}

func readerText(l web.Lang, name string) string {
	return web.Text(l, "holder.choose.reader", "name", name)
}

func cardText(label string, id jitsuin.ID) string {
	short := string(id)[:min(8, len(id))]
	if label == "" {
		return short + "…"
	}
	return label + "（" + short + "…）"
}

func (s *Site) takeChoose(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.answer != nil {
		return s.goOn(w, r, f)
	}
	if err := s.choose(r.Context(), f, r.PostForm.Get("card")); err != nil {
		return s.choosePage(w, r, f, err)
	}
	return s.goOn(w, r, f)
}

// takeAnother gives the card back, to choose another.
func (s *Site) takeAnother(w http.ResponseWriter, r *http.Request, f *flow) error {
	f.closeCard()
	f.card, f.label, f.read = "", "", nil
	return s.goOn(w, r, f)
}

func (s *Site) takeCancel(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.answer == nil {
		if err := s.cancel(r.Context(), f); err != nil && jitsuin.KindOf(err) != jitsuin.Unavailable {
			return err
		}
	}
	return s.goOn(w, r, f)
}

type warningPage struct {
	about
	Codes []string
}

func (s *Site) showWarning(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() != "/warning" {
		return s.goOn(w, r, f)
	}
	p := warningPage{about: s.about(f, "pin")}
	for _, one := range f.warnings {
		p.Codes = append(p.Codes, one.Code)
	}
	s.pages.Page(w, r, http.StatusOK, "warning", p)
	return nil
}

func (s *Site) takeWarning(w http.ResponseWriter, r *http.Request, f *flow) error {
	if f.stage() == "/warning" {
		f.warned = true
		return s.afterPIN(w, r, f)
	}
	return s.goOn(w, r, f)
}

// finish signs and sends. An answer that does not get through waits on its own page.
func (s *Site) finish(ctx context.Context, f *flow, t test) error {
	if err := s.sign(ctx, f, t); err != nil {
		return err
	}
	err := s.send(ctx, f)
	if code := jitsuin.CodeOf(err); code == "answer-undelivered" || code == "answer-waits" {
		return nil
	}
	return err
}

type formPage struct {
	about
	Form  *web.Form
	Title web.Pair
	Intro web.Pair
	Known []known
}

// known is a line of the form that nobody types.
type known struct {
	Label web.Pair
	Value string
}

func pair(t form.Text) web.Pair { return web.Pair{JA: t.JA, EN: t.EN} }
