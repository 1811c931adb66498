package platform_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Classes of callers in the table below; every other class is refused.
const (
	everybody = "everybody"
	tenants   = "tenant"
	operators = "operator"
	instances = "jlis status minister official operator municipality service holder country" // of the directory
	nobody    = "-"                                                                          // no role at all, as things are configured here
)

// access says of every route who may use it. A route that is not here fails the test: whoever adds one says
// here who may use it, and what of it belongs to one tenant in things.
var access = map[string]string{
	"GET /feeds":                           instances,
	"POST /token":                          everybody,
	"GET /{$}":                             everybody,
	"GET /readyz":                          everybody,
	"GET /healthz":                         everybody,
	"GET /clock":                           everybody,
	"GET /upcoming":                        "country",
	"POST /v1/tenants":                     operators,
	"GET /v1/events":                       tenants,
	"POST /v1/verifications":               tenants,
	"GET /v1/verifications/{id}":           tenants,
	"GET /v1/verifications/{id}/report":    tenants,
	"GET /v1/records":                      tenants,
	"POST /v1/records":                     tenants,
	"GET /v1/records/{id}":                 tenants,
	"GET /v1/records/{id}/file":            tenants,
	"POST /v1/records/{id}/amendments":     tenants,
	"POST /v1/records/{id}/contracts":      tenants,
	"POST /v1/records/{id}/contract-end":   tenants,
	"POST /v1/records/{id}/holds":          tenants,
	"GET /v1/record-holds":                 tenants,
	"POST /v1/record-holds/{id}/release":   tenants,
	"GET /v1/record-exports":               tenants,
	"GET /v1/record-destructions":          tenants,
	"GET /v1/record-destructions/{id}":     tenants,
	"POST /v1/evidence-searches":           "minister",
	"GET /report.schema.json":              everybody,
	"GET /report.cer":                      everybody,
	"GET /report.crl":                      everybody,
	"POST /v1/login-challenges":            tenants,
	"POST /v1/logins":                      tenants,
	"POST /v1/holder-requests":             tenants,
	"GET /v1/holder-requests/{txn}":        everybody,
	"GET /feeds/{topic}":                   nobody,
	"GET /feeds/{topic}/head":              nobody,
	"GET /feeds/{topic}/snapshot":          nobody,
	"GET /v1/tenants":                      operators,
	"GET /v1/tenants/{id}":                 operators,
	"PATCH /v1/tenants/{id}":               operators,
	"POST /v1/tenants/{id}/suspension":     operators,
	"POST /v1/tenants/{id}/keys/{kid}/end": operators,
	"GET /v1/tenants/{id}/usage":           operators,
	"GET /v1/statements/{month}":           operators,
	"GET /v1/tenant":                       tenants,
	"PATCH /v1/tenant":                     tenants,
	"POST /v1/tenant/keys":                 tenants,
	"POST /v1/tenant/keys/{kid}/end":       tenants,
	"GET /v1/usage":                        tenants,
}

// thing is something of one tenant that a route with a place in its path is asked for.
type thing struct {
	id    string
	body  any
	query string // after the path
}

// things gives, for each route that names a thing of a tenant, one that tenant a really has.
func things(b *bank, a httpapi.Identity) map[string]thing {
	v, err := b.verifyAs(a, b.signed(b.Agency.Resident("霧島　花子")))
	if err != nil {
		b.t.Fatal(err)
	}
	second := secondKey(b, a)
	all := map[string]thing{
		"POST /v1/tenant/keys/{kid}/end":    {id: second, body: api.Reasoned{Reason: "rotation"}},
		"GET /v1/verifications/{id}":        {id: string(v.ID)},
		"GET /v1/verifications/{id}/report": {id: string(v.ID)},
		"DELETE /v1/adapter-tokens/{id}":    {id: b.madeToken(a)},
		"DELETE /v1/openid-clients/{id}":    {id: b.openidClient(a)},

		"GET /v1/records/{id}":               {id: string(v.Record.ID), query: "?purpose=audit"},
		"GET /v1/records/{id}/file":          {id: string(v.Record.ID), query: "?name=signature&purpose=audit"},
		"POST /v1/records/{id}/amendments":   {id: string(v.Record.ID), body: api.Amendment{Reason: "x", Items: map[string]string{"occupation": "x"}}},
		"POST /v1/records/{id}/contracts":    {id: string(v.Record.ID), body: api.ContractNote{Contract: string(jitsuin.NewID())}},
		"POST /v1/records/{id}/contract-end": {id: string(v.Record.ID), body: api.ContractNote{EndedOn: jitsuin.DateOf(time.Now())}},
		"POST /v1/records/{id}/holds":        {id: string(v.Record.ID), body: api.HoldRequest{Reason: "x"}},
		"POST /v1/record-holds/{id}/release": {id: b.holds(a, v.Record.ID), body: api.ReleaseRequest{Reason: "x"}},
		"GET /v1/record-destructions/{id}":   {id: b.destroyed(a)},
	}
	maps.Copy(all, resultThings(b, a))
	maps.Copy(all, peopleThings(b, a, v))
	return all
}

// holds puts a hold on a record.
func (b *bank) holds(a httpapi.Identity, record jitsuin.ID) string {
	b.t.Helper()
	var h api.Hold
	if err := b.once(a, "/v1/records/"+string(record)+"/holds", string(jitsuin.NewID()), api.HoldRequest{Reason: "係争中"}, &h); err != nil {
		b.t.Fatal(err)
	}
	return string(h.ID)
}

// destroyed puts a certificate of destruction into the database, as if a record of a's had ended.
func (b *bank) destroyed(a httpapi.Identity) string {
	b.t.Helper()
	id := jitsuin.NewID()
	err := b.Platform.DB.Update(b.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO record_destructions (id, tenant, record, verification, kind, made_at, kept_until, rule, law, entries, head, destroyed_at, cleaned_at)
			VALUES ($1, $2, $3, '', 'antique', 1, '2026-01-01', 'keep-antique', '古物営業法', 1, '', 1, 1)`, id, a.ID, jitsuin.NewID())
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return string(id)
}

// inBody are routes whose body names a thing of a tenant.
func inBody(b *bank, a httpapi.Identity) map[string]func(id string) any {
	return map[string]func(string) any{
		"POST /v1/logins": func(id string) any {
			c := api.Challenge{ID: jitsuin.ID(id), Challenge: api.ChallengeText{Origin: origin, ClientID: a.ID, Purpose: "x", Nonce: strings.Repeat("n", 43), IssuedAt: 1, ExpiresAt: 2, Txn: id}}
			who := b.Agency.Resident("沢渡　太郎")
			return api.LoginRequest{Challenge: c.ID, Certificate: who.Auth.Cert.Raw, Signature: []byte("x"), DigestAlg: "SHA-256"}
		},
	}
}

// answer is what a caller can tell apart: status and body, without the request's own number.
type answer struct {
	status int
	body   string
}

// ask sends one request as a caller; nil is nobody.
func ask(t *testing.T, b *bank, as *httpapi.Remote, method, path string, body any) answer {
	t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	} else if method != http.MethodGet {
		text = []byte("{}")
	}
	base, send := b.Origin, http.DefaultTransport
	if as != nil {
		base, send = "http://callee", as
	}
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, string(jitsuin.NewID()))
	req.Header.Set(httpapi.HeaderRequestID, "the-same-for-all") // error pages show it
	resp, err := send.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var problem map[string]any
	if json.Unmarshal(raw, &problem) == nil && (problem["request_id"] != nil || problem["responseInfo"] != nil) {
		delete(problem, "request_id")
		delete(problem, "responseInfo") // of an adapter: the time of the answer
		raw, _ = json.Marshal(problem)
	}
	return answer{resp.StatusCode, string(raw)}
}

// split gives method and path of a route, as the table writes it.
func split(route string) (method, path string) {
	method, path, _ = strings.Cut(route, " ")
	return method, path
}

// fill puts an id into every place of a path.
func fill(path, id string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") && p != "{$}" {
			parts[i] = id
		}
	}
	return strings.TrimSuffix(strings.Join(parts, "/"), "{$}")
}

func routesOf(b *bank) (all []string) {
	for _, r := range b.Platform.API.Routes() {
		name := r.Method + " " + r.Path
		if r.Method == "" {
			name = r.Path // a raw route's path begins with its method
		}
		all = append(all, name)
	}
	return all
}

// Every route is asked by every role, with things that exist and with things that never were: who may not is
// refused, always alike.
func TestEveryRouteAndEveryRole(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	mine := things(b, b.tenant)
	callers := map[string]*httpapi.Remote{"nobody": nil, tenants: b.Tenant(b.tenant)}
	for _, id := range []string{"jlis:1", "status:1", "minister:1", "official:1", "operator:1", "municipality:91201", "service:securities-1", "holder:1", "country:1"} {
		callers[httpapi.RoleOf(id)] = b.As(id)
	}
	for _, r := range callers {
		if r != nil {
			t.Cleanup(r.Close)
		}
	}
	known := map[string]bool{}
	for _, route := range routesOf(b) {
		known[route] = true
		may, ok := access[route]
		if !ok {
			t.Errorf("%s is not in the table of who may use what", route)
			continue
		}
		method, path := split(route)
		for name, as := range callers {
			allowed := may == everybody || slices.Contains(strings.Fields(may), name)
			if allowed && may != everybody {
				continue // what it answers is the matter of its own tests; refusals below
			}
			exists, not := cmpID(mine[route].id), string(jitsuin.NewID())
			real, never := ask(t, b, as, method, fill(path, exists)+mine[route].query, nil), ask(t, b, as, method, fill(path, not)+mine[route].query, nil)
			real.body = strings.ReplaceAll(real.body, exists, not) // a page links to itself in the other language
			switch {
			case allowed && (real.status == http.StatusUnauthorized || real.status == http.StatusForbidden):
				t.Errorf("%s refuses %s with %d", route, name, real.status)
			case may == adapters && real.status == http.StatusUnauthorized && real == never: // access tokens are nobody's there
			case strings.Contains(path, "/feeds/") && real.status == http.StatusNotFound && real == never: // every topic that is not for the caller is unknown
			case !allowed && as == nil && real.status != http.StatusUnauthorized, !allowed && as != nil && real.status != http.StatusForbidden:
				t.Errorf("%s answers %s with %d: %.200s", route, name, real.status, real.body)
			case !allowed && real != never:
				t.Errorf("%s tells %s what exists: %+v and %+v", route, name, real, never)
			}
		}
		// Whoever is let in is really let in.
		for _, name := range strings.Fields(may) {
			as, ok := callers[name]
			if may == everybody || name == nobody || !ok {
				continue
			}
			if got := ask(t, b, as, method, fill(path, cmpID(mine[route].id))+mine[route].query, mine[route].body); got.status == http.StatusUnauthorized || got.status == http.StatusForbidden {
				t.Errorf("%s refuses %s: %d %.200s", route, name, got.status, got.body)
			}
		}
	}
	for _, route := range slices.Sorted(maps.Keys(access)) {
		if !known[route] {
			t.Errorf("%s is in the table and is no route", route)
		}
	}
}

func cmpID(id string) string {
	if id == "" {
		return string(jitsuin.NewID())
	}
	return id
}

// What belongs to one tenant does not exist for another: asked for by its real id, it is refused like an id
// that never was, byte for byte.
func TestAnotherTenantsThingsDoNotExist(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	other := b.Tenant(b.Register("tenant:other", origin))
	t.Cleanup(other.Close)
	owner := b.Tenant(b.tenant)
	t.Cleanup(owner.Close)
	mine := things(b, b.tenant)
	for _, route := range routesOf(b) {
		method, path := split(route)
		if !strings.Contains(access[route], tenants) || !strings.Contains(path, "{") {
			continue
		}
		th, ok := mine[route]
		if !ok {
			t.Errorf("%s: nothing of a tenant to try it with", route)
			continue
		}
		never := string(jitsuin.NewID())
		asked, unknown := ask(t, b, other, method, fill(path, th.id)+th.query, th.body), ask(t, b, other, method, fill(path, never)+th.query, th.body)
		if asked.body = strings.ReplaceAll(asked.body, th.id, never); asked != unknown || asked.status != http.StatusNotFound {
			t.Errorf("%s: another tenant's is refused with %+v, what never was with %+v", route, asked, unknown)
		}
		if got := ask(t, b, owner, method, fill(path, th.id)+th.query, th.body); got.status >= 400 {
			t.Errorf("%s: the owner gets %+v, so the refusals above say nothing", route, got)
		}
	}
	for route, body := range inBody(b, b.tenant) {
		method, path := split(route)
		real, never := string(b.challenge(b.tenant).ID), string(jitsuin.NewID())
		asked, unknown := ask(t, b, other, method, path, body(real)), ask(t, b, other, method, path, body(never))
		if asked.body = strings.ReplaceAll(asked.body, real, never); asked != unknown || asked.status < 400 {
			t.Errorf("%s: %+v and %+v", route, asked, unknown)
		}
	}
}
