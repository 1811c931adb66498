package verifier

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/report"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

func (v *Verifier) newSite() (*web.Site, error) {
	templates, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return nil, err
	}
	assets, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, err
	}
	return web.New(web.Options{Name: "verifier.name", Accent: "navy", Templates: templates, Assets: assets, Foot: "verifier.foot", Log: v.log,
		Funcs: template.FuncMap{"at": stamp}})
}

func (v *Verifier) pages(api *httpapi.API, site *web.Site) {
	site.ServeAssets(api)
	everybody := httpapi.Public("who may come is decided in front of the verifier")
	site.Handle(api, "GET /{$}", everybody, func(w http.ResponseWriter, r *http.Request) error {
		site.Page(w, r, http.StatusOK, "home", v.home(web.LangOf(r)))
		return nil
	})
	// Not through site.Handle: a file is larger than other forms, and is read within bounds of its own.
	api.Raw("POST /{$}", everybody, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { v.post(site, w, r) }))
}

// homePage is what the first page shows. Wrong says why what was sent could not be checked.
type homePage struct {
	stateView
	MiB          int
	Purposes     []web.Option
	Shown        []ListState
	Wrong, Field string
}

// stateView is how old the status is, for the notice on every page.
type stateView struct {
	State  State
	Oldest *ListState
	Grace  string
}

const shownLists = 50

func (v *Verifier) stateView(l web.Lang) stateView {
	s := stateView{State: v.State(), Grace: duration(l, v.cfg.Grace)}
	s.Oldest = s.State.oldest()
	return s
}

func (v *Verifier) home(l web.Lang) homePage {
	p := homePage{stateView: v.stateView(l), MiB: v.cfg.Limits.FileMiB}
	p.Shown = p.State.shown(shownLists)
	for _, purpose := range rules.Purposes() {
		if purpose == rules.PurposeLogin {
			continue // nobody receives a document for that
		}
		p.Purposes = append(p.Purposes, web.Option{Value: string(purpose), Text: report.PurposeText(purpose, string(l))})
	}
	return p
}

// duration says for people how long something is.
func duration(l web.Lang, d time.Duration) string {
	hours, minutes := int(d.Hours()), int(d.Minutes())%60
	var parts []string
	if hours > 0 {
		parts = append(parts, fmt.Sprintf(map[web.Lang]string{web.JA: "%d時間", web.EN: "%d h"}[l], hours))
	}
	if minutes > 0 || hours == 0 {
		parts = append(parts, fmt.Sprintf(map[web.Lang]string{web.JA: "%d分", web.EN: "%d min"}[l], minutes))
	}
	return strings.Join(parts, " ")
}

// resultPage is what was found out about one file.
type resultPage struct {
	stateView
	File      string
	View      *report.View
	OtherLang web.Lang
	OtherText string
	JSON      string
}

// post verifies what a person sent.
func (v *Verifier) post(site *web.Site, w http.ResponseWriter, r *http.Request) {
	a, free, err := v.read(w, r)
	if err != nil {
		v.refuse(site, w, r, err)
		return
	}
	defer free()
	d, err := v.Verify(r.Context(), a.Job)
	if err != nil {
		v.refuse(site, w, r, err)
		return
	}
	l := web.LangOf(r)
	if a.lang != "" {
		l = web.Lang(a.lang)
	}
	a.lang = string(l)
	if a.as != "" && a.as != asPage {
		if err := write(w, d, a); err != nil {
			site.Error(w, r, err)
		}
		return
	}
	raw, err := d.JSON()
	if err != nil {
		site.Error(w, r, err)
		return
	}
	r.URL.RawQuery = "lang=" + a.lang // the page is written in the language of the form
	site.Page(w, r, http.StatusOK, "result", resultPage{stateView: v.stateView(l), File: a.Name, View: d.View(a.lang),
		OtherLang: l.Other(), OtherText: d.Text(string(l.Other())), JSON: string(raw)})
}

// refuse shows the form again with what was wrong. Errors that no person can do anything about have their own page.
func (v *Verifier) refuse(site *web.Site, w http.ResponseWriter, r *http.Request, err error) {
	l, code := web.LangOf(r), jitsuin.CodeOf(err)
	key, known := map[string]string{"signature-missing": "verifier.form.missing", "document-beside-pdf": "verifier.form.pdf-beside", "documents-many": "verifier.form.documents-many",
		"too-large": "verifier.form.too-large", "busy": "verifier.form.busy"}[code]
	if !known {
		site.Error(w, r, err)
		return
	}
	p := v.home(l)
	p.Wrong, p.Field = web.Text(l, key, "mib", p.MiB), httpapi.ProblemOf(r.Context(), err).Field
	site.Page(w, r, httpapi.ProblemOf(r.Context(), err).Status, "home", p)
}
