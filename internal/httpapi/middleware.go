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
)

// HeaderRequestID carries the id of the act that started a chain of calls and events.
const HeaderRequestID = "X-Request-Id"

// HeaderIdempotencyKey makes a state-changing call take effect once (128 random bits).
const HeaderIdempotencyKey = "Idempotency-Key"

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

func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(HeaderRequestID)
		if !plainToken(id) {
			id = string(jitsuin.NewID())
		}
		w.Header().Set(HeaderRequestID, id)
		w.Header().Set("Cache-Control", "no-store") // a route whose answer may be kept says so itself
		ctx := WithRequestID(r.Context(), id)
		if k := r.Header.Get(HeaderIdempotencyKey); plainToken(k) {
			ctx = context.WithValue(ctx, idempotencyKey, k)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

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

// withLog writes one line per request. The query is left out: it may say more than a log should know.
func withLog(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, sw := time.Now(), &statusWriter{ResponseWriter: w, status: 200}
		next.ServeHTTP(sw, r)
		level := slog.LevelDebug
		if sw.status >= 500 {
			level = slog.LevelWarn
		}
		log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "status", sw.status,
			"took", time.Since(start).Round(time.Microsecond), "request_id", RequestID(r.Context()))
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
