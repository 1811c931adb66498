package httpapi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/trace"
)

// HeaderRequestID carries the id of the act that started a chain of calls and events.
const HeaderRequestID = "X-Request-Id"

// HeaderIdempotencyKey makes a state-changing call take effect once (128 random bits).
const HeaderIdempotencyKey = "Idempotency-Key"

// HeaderCaller says who asks, where nothing proves it: at the card host, which knows handles and no callers.
const HeaderCaller = "X-Caller"

// ActHeaders gives the headers that say to a callee outside the directory who asks and for which act.
func ActHeaders(self string) func(context.Context) http.Header {
	return func(ctx context.Context) http.Header {
		h := http.Header{HeaderCaller: {self}}
		if id := RequestID(ctx); id != "" {
			h.Set(HeaderRequestID, id)
		}
		return h
	}
}

// RequestID gives the id of the act that this context belongs to, "" outside one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// WithRequestID puts work under an act's id; calls made with the context carry it on.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// IdempotencyKey gives the key that the caller sent, "" for none.
func IdempotencyKey(ctx context.Context) string {
	k, _ := ctx.Value(idempotencyKey).(string)
	return k
}

// WithIdempotencyKey puts work under a key that did not come in the header, such as that of a form.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey, key)
}

func plainToken(s string) bool {
	return len(s) >= 8 && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

// WithRequestIDs gives every request the id of its act: the one that the caller sent, or a new one.
func WithRequestIDs(next http.Handler) http.Handler { return withRequestID(next) }

func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(HeaderRequestID)
		if !plainToken(id) {
			id = string(jitsuin.NewID())
		}
		w.Header().Set(HeaderRequestID, id)
		w.Header().Set("Cache-Control", "no-store") // a route whose answer may be kept says so itself
		ctx := context.WithValue(WithRequestID(r.Context(), id), terminalKey, terminal(r))
		if k := r.Header.Get(HeaderIdempotencyKey); plainToken(k) {
			ctx = context.WithValue(ctx, idempotencyKey, k)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach flushing and hijacking.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush keeps handlers that ask for http.Flusher working.
func (w *statusWriter) Flush() { http.NewResponseController(w.ResponseWriter).Flush() }

// exchange is one request while it is answered: what its log line and its trace say comes from here.
type exchange struct {
	statusWriter
	route  string // the pattern that answers, "" for none
	caller string
	note   *trace.Note // nil where nothing is traced
}

func (x *exchange) Write(p []byte) (int, error) {
	n, err := x.ResponseWriter.Write(p)
	if x.note != nil {
		x.note.Wrote(p[:n], x.Header().Get("Content-Type"))
	}
	return n, err
}

// Logged writes one line per request, and traces it where a recorder is given: both say the same, under
// the same number. The query is left out of the line: it may say more than a log should know. What is
// served inside tells by Route which route answers.
func Logged(log *slog.Logger, recorder func() *trace.Recorder, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, x := time.Now(), &exchange{statusWriter: statusWriter{w, http.StatusOK}}
		x.note, r = recorder().Begin(r, RequestID(r.Context()))
		next.ServeHTTP(x, r)
		level := slog.LevelDebug
		if x.status >= 500 {
			level = slog.LevelWarn
		}
		took := time.Since(start)
		line := []any{"method", r.Method, "path", r.URL.Path, "route", x.route, "status", x.status,
			"took", took.Round(time.Microsecond), "request_id", RequestID(r.Context())}
		if x.note != nil {
			e := x.note.End(x.route, x.caller, x.Header().Get("Content-Type"), x.status, took)
			line = append(line, "caller", e.Caller, "seq", e.Seq, "events", len(e.Events))
		} else {
			line = append(line, "caller", x.caller)
		}
		log.Log(r.Context(), level, "request", line...)
	})
}

// Routed serves a mux and tells the log which route answered, and whom.
func Routed(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x, ok := w.(*exchange); ok {
			x.caller = CallerOf(r.Context()).ID
			defer func() { x.route = r.Pattern }()
		}
		mux.ServeHTTP(w, r)
	})
}

func withRecovery(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			log.ErrorContext(r.Context(), "handler panicked", "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			WriteError(w, r, nil, fmt.Errorf("panic"))
		}()
		next.ServeHTTP(w, r)
	})
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// bodyTime is how long the sending of a request's body may take.
const bodyTime = 30 * time.Second

// withBodyDeadline ends requests whose body does not come. The deadline is taken off again once the
// body was read: from then on the connection is only watched for its end.
func withBodyDeadline(longest time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			c := http.NewResponseController(w)
			if c.SetReadDeadline(time.Now().Add(longest)) == nil {
				r.Body = &timedBody{r.Body, c}
			}
		}
		next.ServeHTTP(w, r)
	})
}

type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
