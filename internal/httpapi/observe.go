package httpapi

import (
	"context"
	"net/http"
	"time"
)

// Observer is told of every request. It must be quick and safe for concurrent use.
type Observer interface {
	Begun()
	Answered(Answered)
}

// Answered is one request that was answered. It has nothing that the caller chose except the method.
type Answered struct {
	Method string
	Route  string // the pattern that took it, such as "POST /cards/{card}/receive"; "none" where none did
	Status int
	Took   time.Duration
	Kind   string // of the problem, where Status is 400 or more
	Code   string
}

// noRoute stands for requests that no route took.
const noRoute = "none"

// observed is what the inside of the server tells about the request of a context.
type observed struct{ route, kind, code, caller string }

// Observe tells o of the requests that next answers. Routes below it may be those of any ServeMux.
func Observe(o Observer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, sw, start := &observed{}, &statusWriter{ResponseWriter: w, status: http.StatusOK}, time.Now()
		r = r.WithContext(context.WithValue(r.Context(), observedKey, seen))
		o.Begun()
		defer func() {
			a := Answered{Method: r.Method, Route: seen.route, Status: sw.status, Took: time.Since(start), Kind: seen.kind, Code: seen.code}
			if a.Route == "" {
				if a.Route = r.Pattern; a.Route == "" {
					a.Route = noRoute
				}
			}
			if a.Status >= 400 && a.Code == "" {
				a.Kind, a.Code = kindOfStatus(a.Status).String(), "no-problem-document"
			}
			o.Answered(a)
		}()
		next.ServeHTTP(sw, r)
	})
}

// observeRoute notes which route the mux chose.
func observeRoute(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if seen, ok := r.Context().Value(observedKey).(*observed); ok {
				seen.route = r.Pattern
			}
		}()
		mux.ServeHTTP(w, r)
	})
}

// observeProblem notes what a request was answered with.
func observeProblem(ctx context.Context, p *Problem) {
	if seen, ok := ctx.Value(observedKey).(*observed); ok {
		seen.kind, seen.code = p.Kind, p.Code
	}
}
