package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

//go:embed templates/*.html
var frameFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// Options of a Site.
type Options struct {
	// Name is the key of the actor's name at the top left, Who what is said beside it (the town's own
	// name), which is no text of the catalogue; "" for none.
	Name, Who string
	// Accent is one of the colours in assets/base.css: green, cyan, blue, purple, gray, orange, teal, navy.
	Accent string
	// Templates holds the actor's pages: each NAME.html defines "title" and "main".
	Templates fs.FS
	// Assets are the actor's own scripts, styles and pictures, served below /assets/; nil for none.
	Assets fs.FS
	// Funcs are further functions of the templates; they do not depend on the language.
	Funcs template.FuncMap
	// Menu is the navigation below the head: keys of texts and where they lead.
	Menu []Item
	// Foot is the key of what stands below every page; "" for what holds for a sandbox, common.invented.
	Foot string
	// FormsTo are other origins to which a form of this site may lead, by redirect.
	FormsTo []string
	// Hosts are the values of the Host header that the site answers to; without any, all.
	Hosts []string
	Log   *slog.Logger
}

// Item is one entry of a site's navigation.
type Item struct{ Key, Path string }

// Site is the pages of one actor. Safe for concurrent use.
type Site struct {
	o      Options
	assets map[string]asset
	names  []string          // of the pages
	links  map[string]string // asset name to the path that carries its hash
	policy string            // Content-Security-Policy

	mu    sync.Mutex // owns pages
	pages map[pageKey]*template.Template
}

type pageKey struct {
	lang Lang
	name string
}

type asset struct {
	content []byte
	kind    string
}

// New reads templates and assets; what is wrong with them is an error now, not when a page is asked for.
func New(o Options) (*Site, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Foot == "" {
		o.Foot = "common.invented"
	}
	s := &Site{o: o, pages: map[pageKey]*template.Template{}, assets: map[string]asset{}, links: map[string]string{}}
	for _, from := range []fs.FS{sub(assetFiles, "assets"), o.Assets} {
		if err := s.addAssets(from); err != nil {
			return nil, err
		}
	}
	s.policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action " +
		strings.Join(append([]string{"'self'"}, o.FormsTo...), " ")
	var err error
	if s.names, err = namesIn(o.Templates); err != nil {
		return nil, err
	}
	for _, name := range s.names {
		if _, err := s.parse(JA, name); err != nil { // the languages differ in what the functions say
			return nil, err
		}
	}
	return s, nil
}

// namesIn lists the pages: the actor's, and that for errors.
func namesIn(templates fs.FS) ([]string, error) {
	all := []string{"error"}
	if templates == nil {
		return all, nil
	}
	files, err := fs.Glob(templates, "*.html")
	for _, f := range files {
		if !strings.HasPrefix(f, "_") {
			all = append(all, strings.TrimSuffix(f, ".html"))
		}
	}
	return all, err
}

func sub(files fs.FS, dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return f
}

func (s *Site) addAssets(files fs.FS) error {
	if files == nil {
		return nil
	}
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		link := "/assets/" + hex.EncodeToString(sum[:6]) + "/" + name
		s.assets[link] = asset{content, mime.TypeByExtension(path.Ext(name))}
		s.links[name] = link
		return nil
	})
}

// parse makes one page in one language: the frame with the actor's template in it, and with what
// several of its pages share (_NAME.html).
func (s *Site) parse(l Lang, name string) (*template.Template, error) {
	page, err := template.New("frame").Funcs(s.funcs(l)).Funcs(s.o.Funcs).ParseFS(frameFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("the frame of the pages: %w", err)
	}
	if s.o.Templates == nil {
		return page, nil // the error page is among the frame's files
	}
	parts, err := fs.Glob(s.o.Templates, "_*.html")
	if err != nil {
		return nil, err
	}
	own, err := fs.Glob(s.o.Templates, name+".html")
	if err != nil {
		return nil, err
	}
	if parts = append(parts, own...); len(parts) == 0 {
		return page, nil
	}
	if page, err = page.ParseFS(s.o.Templates, parts...); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return page, nil
}

// page gives a page of this site. It is made when it is first asked for and kept: most pages of most
// actors never are asked for, and each takes some hundred kilobytes.
func (s *Site) page(l Lang, name string) *template.Template {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := pageKey{l, name}
	if s.pages[key] == nil {
		if !slices.Contains(s.names, name) {
			panic("there is no page " + name)
		}
		page, err := s.parse(l, name)
		if err != nil {
			panic(err) // New has parsed it
		}
		s.pages[key] = page
	}
	return s.pages[key]
}

// View is what a page is made from: the dot of its template.
type View struct {
	Lang   Lang
	Path   string // of this page, for links back
	Query  url.Values
	Data   any
	Name   string
	Who    string
	Accent string
	Menu   []Item
	Other  string // this page in the other language
	Foot   string
}

// Page writes a page of the actor. The template gets a View whose Data is data.
func (s *Site) Page(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	v := s.view(r)
	v.Data = data
	s.write(w, r, status, name, v)
}

func (s *Site) view(r *http.Request) View {
	l := LangOf(r)
	other := r.URL.Query()
	other.Set("lang", string(l.Other()))
	here := r.URL.Path
	if r.Method != http.MethodGet { // a page that answers a form is not asked for again
		other, here = url.Values{"lang": {string(l.Other())}}, s.backFrom(r)
	}
	return View{Lang: l, Path: r.URL.Path, Query: r.URL.Query(), Name: s.o.Name, Who: s.o.Who, Accent: s.o.Accent, Menu: s.o.Menu, Foot: s.o.Foot, Other: here + "?" + other.Encode()}
}

// backFrom is where the language switch leads from a page that answered a form.
func (s *Site) backFrom(r *http.Request) string {
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host && strings.HasPrefix(u.Path, "/") {
		return u.Path
	}
	return "/"
}

func (s *Site) write(w http.ResponseWriter, r *http.Request, status int, name string, v View) {
	var b bytes.Buffer
	if err := s.page(v.Lang, name).ExecuteTemplate(&b, "frame", v); err != nil {
		s.o.Log.ErrorContext(r.Context(), "a page could not be made", "page", name, "err", err)
		http.Error(w, Text(v.Lang, "common.page-broken"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Content-Language", string(v.Lang))
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		s.o.Log.DebugContext(r.Context(), "a page was not taken", "page", name, "err", err)
	}
}

// Handler is a page's handler. An error that it returns becomes a page that says what to do next.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle registers a page with its policy, as every route has one.
func (s *Site) Handle(api *httpapi.API, pattern string, policy httpapi.Policy, h Handler) {
	api.Raw(pattern, policy, s.Wrap(h))
}

// Guard is Handle for pages that are for some people alone: refused answers who may not come in, and what it
// gives is shown as a page.
func (s *Site) Guard(api *httpapi.API, pattern string, policy httpapi.Policy, h Handler, refused func(w http.ResponseWriter, r *http.Request, err error) error) {
	api.Guarded(pattern, policy, s.Wrap(h), func(w http.ResponseWriter, r *http.Request, err error) {
		s.Wrap(func(w http.ResponseWriter, r *http.Request) error { return refused(w, r, err) }).ServeHTTP(w, r)
	})
}

// Wrap makes a plain handler of a page's handler: Host checked, body bounded, errors shown as pages.
func (s *Site) Wrap(h Handler) http.Handler { return s.WrapUpTo(httpapi.MaxBody, h) }

// WrapUpTo is Wrap for a page that takes a body of at most so many bytes, such as a file.
func (s *Site) WrapUpTo(most int64, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.checkHost(r); err != nil {
			s.Error(w, r, err)
			return
		}
		keepLang(w, r)
		r.Body = http.MaxBytesReader(w, r.Body, most)
		if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			if err := r.ParseForm(); err != nil {
				s.Error(w, r, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the form cannot be read: %w", err))
				return
			}
		}
		if err := h(w, r); err != nil {
			s.Error(w, r, err)
		}
	})
}

// checkHost refuses requests under another name, as a page of somebody else would make them by
// having its own name lead here.
func (s *Site) checkHost(r *http.Request) error {
	if len(s.o.Hosts) == 0 {
		return nil
	}
	for _, h := range s.o.Hosts {
		if strings.EqualFold(h, r.Host) {
			return nil
		}
	}
	return jitsuin.Errorf(jitsuin.Denied, "host-unknown", "this site does not answer to the name %q", r.Host)
}

// ServeAssets registers the files below /assets/. Their paths carry a hash, so browsers may keep them.
func (s *Site) ServeAssets(api *httpapi.API) {
	api.Raw("GET /assets/", httpapi.Public("styles and scripts"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := s.assets[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Write(a.content)
	}))
}

const langCookie = "lang"

// keepLang remembers the language that an address asks for, also where it only leads on.
func keepLang(w http.ResponseWriter, r *http.Request) {
	if q := Lang(r.URL.Query().Get("lang")); q == JA || q == EN {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: string(q), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, HttpOnly: true})
	}
}

// LangOf gives the language of a request: ?lang=, the cookie of an earlier choice, what the browser
// asks for, Japanese.
func LangOf(r *http.Request) Lang {
	if q := Lang(r.URL.Query().Get("lang")); q == JA || q == EN {
		return q
	}
	if c, err := r.Cookie(langCookie); err == nil && (Lang(c.Value) == JA || Lang(c.Value) == EN) {
		return Lang(c.Value)
	}
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		if Lang(tag) == JA || Lang(tag) == EN {
			return Lang(tag)
		}
	}
	return JA
}
