package country

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/trace"
)

// cardsTraceKey is the name of the secret that shows what cards:1 traced.
const cardsTraceKey = "cards-trace-key"

// cardsTrace remembers how the chips are used. The card host knows handles and no callers, so who asked
// is who has the card, or who the request says it is.
type cardsTrace struct {
	log      *slog.Logger
	recorder *trace.Recorder // nil where nothing is traced
	key      string
}

func newCardsTrace(c CardsConfig) (*cardsTrace, error) {
	t := &cardsTrace{log: c.Log.With("actor", c.Instance)}
	if c.TraceKey == "" {
		return t, nil
	}
	key, err := os.ReadFile(c.TraceKey)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config-read", "the key for reading what was traced: %w", err).At("trace_key")
	}
	t.key = strings.TrimSpace(string(key))
	t.recorder = trace.New(c.Instance, func() time.Time { return time.Time{} }) // chips know no civil time
	return t, nil
}

// serve puts request ids, the log and the trace around the host's routes.
func (t *cardsTrace) serve(mux *http.ServeMux) http.Handler {
	if t.recorder != nil {
		h := t.guard(t.recorder.Handler(func(w http.ResponseWriter, r *http.Request, err error) { httpapi.WriteError(w, r, t.log, err) }))
		mux.Handle("GET /trace", h)
		mux.Handle("GET /trace/{seq}", h)
	}
	return httpapi.WithRequestIDs(httpapi.Logged(t.log, func() *trace.Recorder { return t.recorder }, said(httpapi.Routed(mux))))
}

// said notes who the request says it is.
func said(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := r.Header.Get(httpapi.HeaderCaller); len(who) <= 80 {
			trace.Of(r.Context()).Asks(who)
		}
		next.ServeHTTP(w, r)
	})
}

func (t *cardsTrace) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if t.key == "" || subtle.ConstantTimeCompare([]byte(key), []byte(t.key)) != 1 {
			httpapi.WriteError(w, r, t.log, jitsuin.Errorf(jitsuin.Unauthenticated, "trace-key", "what was traced here is shown to who has the key"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// watcher is t, or nil where nothing is traced.
func (t *cardsTrace) watcher() host.Watcher {
	if t.recorder == nil {
		return nil
	}
	return t
}

// Asked notes which card a request is about.
func (t *cardsTrace) Asked(ctx context.Context, a host.Access) {
	trace.Of(ctx).Holds(string(a.Card), string(a.Custodian), a.Lent)
}

// Opened notes each command. A channel over HTTP is part of its request; one through a socket is an
// exchange of its own, which ends with the channel.
func (t *cardsTrace) Opened(ctx context.Context, a host.Access) (each func(host.Exchange), closed func()) {
	note := trace.Of(ctx)
	if a.Socket {
		note = t.recorder.Start(trace.Entry{Method: "SOCKET", Path: "/" + string(a.Card) + ".sock", Caller: string(a.Custodian)})
	}
	note.Holds(string(a.Card), string(a.Custodian), a.Lent)
	begun := time.Now()
	each = func(x host.Exchange) {
		note.APDU(trace.APDU{At: x.At, Command: hex.EncodeToString(x.Command), Response: hex.EncodeToString(x.Response),
			Masked: x.Masked, Took: x.Took.Microseconds()})
	}
	closed = func() {
		if !a.Socket {
			return
		}
		took := time.Since(begun)
		e := note.End("SOCKET card", "", "", http.StatusOK, took)
		t.log.Debug("request", "method", e.Method, "path", e.Path, "route", e.Route, "status", e.Status, "took", took.Round(time.Microsecond),
			"request_id", "", "caller", e.Caller, "seq", e.Seq, "events", 0)
	}
	return each, closed
}
