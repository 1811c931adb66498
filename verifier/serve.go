package verifier

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
	"github.com/jitsuin/jitsuin/signature/report"
)

// Times of the server.
const (
	headerTime = 10 * time.Second
	drainTime  = 10 * time.Second
)

// Run serves until ctx ends, and looks after the lists meanwhile. ready is told the address; it may be nil.
func (v *Verifier) Run(ctx context.Context, ready func(address string)) error {
	h, err := v.Handler()
	if err != nil {
		return err
	}
	l, _, err := actor.ListenOn(ctx, v.cfg.Listen)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Unavailable, "listen", "the verifier cannot listen on %s: %w", v.cfg.Listen, err).
			WithHint("something else listens there already; stop it, or choose another address")
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: headerTime, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(v.log.Handler(), slog.LevelDebug)}
	work, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { v.watch(work) })
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	if ready != nil {
		ready(l.Addr().String())
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if err = s.Shutdown(drain); err != nil {
			err = s.Close()
		}
	}
	stop()
	all.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// Handler is page and API.
func (v *Verifier) Handler() (http.Handler, error) {
	api := httpapi.NewAPI("Jitsuin stand-alone verifier", "1", nil, v.log)
	site, err := v.newSite()
	if err != nil {
		return nil, err
	}
	everybody := httpapi.Public("who may come is decided in front of the verifier")
	api.Raw("POST /v1/verify", everybody, v.known(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := v.answer(w, r); err != nil {
			httpapi.WriteError(w, r, v.log, err)
		}
	})))
	httpapi.Register(api, httpapi.Operation{ID: "status", Method: http.MethodGet, Path: "/status", Summary: "Whom the verifier trusts and how old its lists are",
		Policy: everybody}, func(context.Context, *struct{}) (*stateAnswer, error) { return &stateAnswer{v.State()}, nil })
	v.pages(api, site)
	api.Ready("revocation-lists", v.ready)
	return v.known(api.Handler()), nil
}

type stateAnswer struct{ Body State }

// ready is for a monitor: the verifier answers without fresh lists too, but nothing passes.
func (v *Verifier) ready(context.Context) error {
	switch v.State().Condition {
	case Missing:
		return jitsuin.Errorf(jitsuin.Unavailable, "lists-missing", "there is no revocation list: nothing can pass")
	case Over:
		return jitsuin.Errorf(jitsuin.Unavailable, "lists-ended", "a revocation list has ended")
	}
	return nil
}

// known refuses requests under names that nobody gave the verifier, as a page of somebody else would make them by
// having its own name lead here.
func (v *Verifier) known(next http.Handler) http.Handler {
	hosts := v.hosts()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := hosts[strings.ToLower(r.Host)]; !ok && len(hosts) > 0 {
			httpapi.WriteError(w, r, nil, jitsuin.Errorf(jitsuin.Denied, "host-unknown", "the verifier does not answer to this name").WithHint("name it under hosts in the configuration"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hosts are the values of the Host header that are answered; none where every name is. An address that listens on all
// interfaces is asked under names that only its operator knows.
func (v *Verifier) hosts() map[string]bool {
	host, port, err := net.SplitHostPort(v.cfg.Listen)
	ip := net.ParseIP(host)
	if err != nil || len(v.cfg.Hosts) == 0 && (host == "" || ip != nil && ip.IsUnspecified() || port == "0") {
		return nil
	}
	all := map[string]bool{strings.ToLower(v.cfg.Listen): true, "localhost:" + port: true, "127.0.0.1:" + port: true, "[::1]:" + port: true}
	for _, h := range v.cfg.Hosts {
		all[strings.ToLower(h)] = true
	}
	return all
}

// answer verifies what a program sent.
func (v *Verifier) answer(w http.ResponseWriter, r *http.Request) error {
	a, free, err := v.read(w, r)
	if err != nil {
		return err
	}
	defer free()
	d, err := v.Verify(r.Context(), a.Job)
	if err != nil {
		return err
	}
	if a.as == "" || a.as == asPage {
		a.as = asJSON
	}
	if a.lang == "" {
		a.lang = string(web.LangOf(r))
	}
	return write(w, d, a)
}

// write answers with the report in one of its forms.
func write(w http.ResponseWriter, d *report.Document, a *asked) error {
	var raw []byte
	var err error
	kind := "application/json"
	switch a.as {
	case asText:
		raw, kind = []byte(d.Text(a.lang)), "text/plain; charset=utf-8"
	case asHTML:
		raw, err = d.HTML(a.lang)
		kind = "text/html; charset=utf-8"
	case asPDF:
		raw, err = d.PDF(a.lang)
		kind = "application/pdf"
	default:
		raw, err = d.JSON()
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	if a.as == asHTML || a.as == asPDF {
		h.Set("Content-Disposition", `attachment; filename="report.`+a.as+`"`)
	}
	_, err = w.Write(raw)
	return err
}
