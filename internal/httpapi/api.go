package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/trace"
)

// MaxBody is the largest request body that a route takes unless it says more, in bytes.
const MaxBody = 1 << 20

var setProblems sync.Once // huma makes its own errors through one variable; it is set once, before the first route

// API is one actor's HTTP face: its routes with their policies, its OpenAPI 3.1 description at
// /openapi.json, health at /healthz and /readyz, tokens at /token.
type API struct {
	mux      *http.ServeMux
	huma     huma.API
	log      *slog.Logger
	issuer   *Issuer
	routes   []Route
	observer Observer        // nil for none
	refused  func(Refused)   // nil for nobody
	trace    *trace.Recorder // nil where nothing is traced
	foreign  []*Foreign
	visitor  Visitor // nil where browsers are nobody
	admit    func(*http.Request, Caller) error

	mu     sync.Mutex
	checks map[string]func(context.Context) error
}

// Route is one registered route, for tests that try every route as every role.
type Route struct{ Method, Path, Policy string }

// NewAPI makes the face of an actor. issuer checks and sells access tokens; with nil every route
// that is not public refuses.
func NewAPI(title, version string, issuer *Issuer, log *slog.Logger) *API {
	setProblems.Do(func() { huma.NewError = newProblem })
	mux := http.NewServeMux()
	config := huma.DefaultConfig(title, version)
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token of five minutes, bought at POST /token (RFC 7523)."}}
	a := &API{mux: mux, huma: humago.New(mux, config), log: log, issuer: issuer, checks: map[string]func(context.Context) error{}}
	a.Raw("GET /healthz", Public("liveness"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }))
	a.Raw("GET /readyz", Public("readiness"), http.HandlerFunc(a.ready))
	if issuer != nil {
		a.Raw("POST /token", Public("the assertion in the body is the proof"), issuer)
	}
	return a
}

// Operation describes a JSON route.
type Operation struct {
	ID, Method, Path, Summary, Description string
	Policy                                 Policy
	Status                                 int   // of success; 200 when 0
	MaxBody                                int64 // in bytes, where more than the MaxBody of all routes
	Turn                                   Turn  // nil where nobody waits
}

// Register adds a JSON route: its input and output types are its schema, its errors become problems.
// A route without a policy panics here, when the program is built up, not when it is called.
func Register[I, O any](a *API, op Operation, handler func(context.Context, *I) (*O, error)) {
	if op.Policy.doc == "" {
		panic("route without an access policy: " + op.Method + " " + op.Path)
	}
	a.routes = append(a.routes, Route{op.Method, op.Path, op.Policy.doc})
	o := huma.Operation{OperationID: op.ID, Method: op.Method, Path: op.Path, Summary: op.Summary,
		Description: op.Description + "\n\nAccess: " + op.Policy.doc + ".", DefaultStatus: op.Status, MaxBodyBytes: max(op.MaxBody, MaxBody),
		BodyReadTimeout: 30 * time.Second}
	problem := reflect.TypeFor[Problem]()
	o.Responses = map[string]*huma.Response{"default": {Description: "A problem (RFC 9457)",
		Content: map[string]*huma.MediaType{"application/problem+json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(problem, true, "Problem")}}}}
	if !op.Policy.public {
		o.Security = []map[string][]string{{"bearer": {}}}
	}
	// The policy decides before a single byte of the body is looked at.
	o.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if err := op.Policy.Allow(r.Context(), CallerOf(r.Context())); err != nil {
			WriteError(w, r, a.log, err)
			return
		}
		if op.Turn != nil {
			a.await(op.Turn, o.MaxBodyBytes, ctx, next)
			return
		}
		next(ctx)
	}}
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			p := ProblemOf(ctx, err)
			observeProblem(ctx, p)
			if p.Status >= 500 {
				a.log.ErrorContext(ctx, "request failed", "operation", op.ID, "err", err)
			}
			return nil, p
		}
		return out, nil
	})
}

// Raw adds a route with a plain handler (feeds, DER, pages), under the same rule for policies.
func (a *API) Raw(pattern string, policy Policy, h http.Handler) {
	a.Guarded(pattern, policy, h, func(w http.ResponseWriter, r *http.Request, err error) { WriteError(w, r, a.log, err) })
}

// Guarded is Raw for pages: refused says to a person, in the place of a problem document, what the policy did not allow.
func (a *API) Guarded(pattern string, policy Policy, h http.Handler, refused func(http.ResponseWriter, *http.Request, error)) {
	if policy.doc == "" {
		panic("route without an access policy: " + pattern)
	}
	a.routes = append(a.routes, Route{"", pattern, policy.doc})
	a.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := policy.Allow(r.Context(), CallerOf(r.Context())); err != nil {
			refused(w, r, err)
			return
		}
		h.ServeHTTP(w, r)
	}))
}

// Routes lists what was registered.
func (a *API) Routes() []Route { return a.routes }

// OpenAPI gives the OpenAPI 3.1 document as JSON.
func (a *API) OpenAPI() ([]byte, error) { return json.MarshalIndent(a.huma.OpenAPI(), "", "  ") }

// Describe lets f add to the OpenAPI document what routes cannot say. It belongs after the last route and before the first request.
func (a *API) Describe(f func(*huma.OpenAPI)) { f(a.huma.OpenAPI()) }

// Ready adds a check to /readyz; nil means well. Everybody can read /readyz, so of an error that is no
// *jitsuin.Error, or is Internal, it tells no more than that there is one; the log has the text.
func (a *API) Ready(name string, check func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.checks[name] = check
}

// Unready runs all checks and gives what is wrong by name.
func (a *API) Unready(ctx context.Context) map[string]string {
	wrong := map[string]string{}
	for name, err := range a.failed(ctx) {
		wrong[name] = err.Error()
	}
	return wrong
}

// Checks runs all checks and gives their results by name.
func (a *API) Checks(ctx context.Context) map[string]error {
	a.mu.Lock()
	checks := maps.Clone(a.checks)
	a.mu.Unlock()
	results := map[string]error{}
	for name, check := range checks {
		results[name] = check(ctx)
	}
	return results
}

func (a *API) failed(ctx context.Context) map[string]error {
	failed := a.Checks(ctx)
	maps.DeleteFunc(failed, func(_ string, err error) bool { return err == nil })
	return failed
}

func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	wrong := map[string]string{}
	for name, err := range a.failed(ctx) {
		p := ProblemOf(ctx, err)
		if wrong[name] = p.Detail; p.Status == http.StatusInternalServerError {
			a.log.ErrorContext(ctx, "not ready", "check", name, "err", err)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if len(wrong) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(map[string]any{"ready": len(wrong) == 0, "wrong": wrong})
}

// Trace has every exchange remembered, and offers what is remembered to the callers whom the policy
// admits. It is called before anything is served.
func (a *API) Trace(r *trace.Recorder, readers Policy, wrap func(http.HandlerFunc) http.Handler) {
	a.trace = r
	h := r.Handler(func(w http.ResponseWriter, req *http.Request, err error) { WriteError(w, req, a.log, err) })
	a.Raw("GET /trace", readers, wrap(h.ServeHTTP))
	a.Raw("GET /trace/{seq}", readers, h)
}

// Handler is the whole: request id, log, caller, routes.
func (a *API) Handler() http.Handler {
	origins := http.NewCrossOriginProtection()
	for _, f := range a.foreign {
		for _, pattern := range f.FromOutside {
			origins.AddInsecureBypassPattern(pattern)
		}
	}
	h := origins.Handler(Routed(observeRoute(a.mux)))
	h = withRequestID(a.withRefused(Logged(a.log, func() *trace.Recorder { return a.trace }, withBodyDeadline(bodyTime, withRecovery(a.log, a.withCaller(h))))))
	if a.observer != nil {
		h = Observe(a.observer, h)
	}
	return h
}

// Visitor tells who a browser is whose request brings no access token: its session's person as a caller, and
// the context that the request goes on with. The zero Caller is nobody. An error ends the request.
type Visitor func(r *http.Request) (context.Context, Caller, error)

// Visitors has v asked about requests without an access token. It is called before anything is served. Requests of
// other sites that change something are refused before any route (http.CrossOriginProtection), so a cookie is proof enough.
func (a *API) Visitors(v Visitor) { a.visitor = v }

// Observe has o told of every request of the handlers that are made from now on.
func (a *API) Observe(o Observer) { a.observer = o }

// Admit has f asked of every request with a good access token, before its route, its policy or a byte of its
// body is looked at: an error refuses. It must be quick. It is called before anything is served.
func (a *API) Admit(f func(r *http.Request, c Caller) error) { a.admit = f }

// withCaller reads the access token, if one was sent. A wrong one is refused even on public
// routes: the sender believes to be somebody and should learn that they are not.
func (a *API) withCaller(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := a.foreignOf(r); f != nil {
			a.serveForeign(f, w, r, next)
			return
		}
		token, ok := bearer(r)
		if !ok {
			a.visited(w, r, next)
			return
		}
		if a.issuer == nil {
			WriteError(w, r, a.log, jitsuin.Errorf(jitsuin.Unauthenticated, "token-unknown", "this actor takes no access tokens"))
			return
		}
		c, err := a.issuer.Check(token)
		if err == nil && a.admit != nil {
			err = a.admit(r, c)
		}
		if err != nil {
			WriteError(w, r, a.log, err)
			return
		}
		if seen, ok := r.Context().Value(observedKey).(*observed); ok {
			seen.caller = c.ID
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey, c)))
	})
}

// visited serves a request without an access token, as the person of the browser's session if there is one.
func (a *API) visited(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if a.visitor == nil {
		next.ServeHTTP(w, r)
		return
	}
	ctx, c, err := a.visitor(r)
	if err != nil {
		WriteError(w, r, a.log, err)
		return
	}
	if c.ID != "" {
		r = r.WithContext(context.WithValue(ctx, callerKey, c))
	}
	next.ServeHTTP(w, r)
}
