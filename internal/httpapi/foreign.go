package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// Foreign is the part of an API below a path that speaks a protocol of others: with credentials of its own,
// which are no access tokens, and refusals in that protocol's form.
type Foreign struct {
	// Path is what its routes begin with, such as /adapters/name/.
	Path string
	// Enter gives the context in which a request is answered, with the caller (WithCaller) whom its credential names;
	// without a credential it is the request's own. A credential that is there and wrong is an error.
	Enter func(r *http.Request) (context.Context, error)
	// Refuse answers an error in the protocol's form.
	Refuse func(w http.ResponseWriter, r *http.Request, err error)
	// FromOutside are patterns of routes to which pages of other origins send browsers with what changes something: no cookie
	// decides there alone.
	FromOutside []string
}

// Foreign registers such a part; its routes follow with RawForeign. It belongs before anything is served.
func (a *API) Foreign(f *Foreign) { a.foreign = append(a.foreign, f) }

// RawForeign adds a route below the path of f, under the same rule for policies as Raw.
func (a *API) RawForeign(f *Foreign, pattern string, policy Policy, h http.Handler) {
	if _, path, ok := strings.Cut(pattern, " "); !ok || !strings.HasPrefix(path, f.Path) {
		panic("route outside the path of its protocol: " + pattern)
	}
	if policy.doc == "" {
		panic("route without an access policy: " + pattern)
	}
	a.routes = append(a.routes, Route{"", pattern, policy.doc})
	a.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := policy.allowForeign(r.Context()); err != nil {
			a.refuseForeign(f, w, r, err)
			return
		}
		h.ServeHTTP(w, r)
	}))
}

// allowForeign is Allow for callers without access tokens: the policy itself refuses nobody.
func (p Policy) allowForeign(ctx context.Context) error {
	if p.public {
		return nil
	}
	return p.check(ctx, CallerOf(ctx))
}

// foreignOf gives the part that a request belongs to, nil for none.
func (a *API) foreignOf(r *http.Request) *Foreign {
	for _, f := range a.foreign {
		if strings.HasPrefix(r.URL.Path, f.Path) {
			return f
		}
	}
	return nil
}

// serveForeign lets a request in with the caller that its own credential names.
func (a *API) serveForeign(f *Foreign, w http.ResponseWriter, r *http.Request, next http.Handler) {
	ctx, err := f.Enter(r)
	if c := CallerOf(ctx); err == nil && a.admit != nil && c.ID != "" {
		err = a.admit(r, c)
	}
	if err != nil {
		a.refuseForeign(f, w, r, err)
		return
	}
	next.ServeHTTP(w, r.WithContext(ctx))
}

func (a *API) refuseForeign(f *Foreign, w http.ResponseWriter, r *http.Request, err error) {
	p := ProblemOf(r.Context(), err)
	observeProblem(r.Context(), p)
	if p.Status >= 500 && a.log != nil {
		a.log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	}
	f.Refuse(w, r, &jitsuin.Error{Kind: kindNamed(p.Kind, kindOfStatus(p.Status)), Code: p.Code, Message: p.Detail, Hint: p.Hint, Field: p.Field})
}

// Problem answers err in the form of f's protocol: the caller is shown no more of it than ProblemOf shows, the log the rest.
func (a *API) Problem(f *Foreign, w http.ResponseWriter, r *http.Request, err error) {
	a.refuseForeign(f, w, r, err)
}
