package openid

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

// params is what a client asks for, after it was checked.
type params struct {
	RedirectURI string   `json:"redirect_uri"`
	Scopes      []string `json:"scopes"`
	State       string   `json:"state,omitempty"`
	Nonce       string   `json:"nonce,omitempty"`
	Challenge   string   `json:"code_challenge"`
	ACR         []string `json:"acr_values,omitempty"`
	ACRNeeded   []string `json:"acr_needed,omitempty"` // one of them, or an error
	MaxAge      *int64   `json:"max_age,omitempty"`
	Prompts     []string `json:"prompt,omitempty"`
	Lang        string   `json:"lang,omitempty"`
	Subject     string   `json:"sub,omitempty"` // who must be logged in
	JKT         string   `json:"dpop_jkt,omitempty"`
	Claims      []Wanted `json:"claims,omitempty"`
	Agreed      []Wanted `json:"agreed,omitempty"`  // of Claims, what the person agreed to
	Signing     string   `json:"signing,omitempty"` // the transaction of the sign API that is to be signed
}

var (
	challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`) // SHA-256 in base64url
	thumbForm     = challengeForm
)

const (
	maxText = 500 // bytes of state and nonce
	maxWait = 365 * 24 * 3600
)

// parse checks what a client asks for. The redirect address is checked before everything else by redirectOf.
func (p *Provider) parse(i issuer, c client, in map[string]string, redirect string) (q params, err error) {
	q = params{RedirectURI: redirect, State: in["state"], Nonce: in["nonce"], Challenge: in["code_challenge"], Scopes: strings.Fields(in["scope"]),
		ACR: strings.Fields(in["acr_values"]), Prompts: strings.Fields(in["prompt"]), JKT: in["dpop_jkt"], Lang: langOf(in["ui_locales"]), Signing: in["sign_transaction_id"]}
	for _, check := range []func() error{func() error { return checkKind(in) }, q.checkTexts, func() error { return q.checkPKCE(in) },
		func() error { return q.checkScopes(c) }, q.checkPrompts, func() error { return q.checkSigning(i, c) }, func() error { return q.takeMaxAge(c, in["max_age"]) }} {
		if err := check(); err != nil {
			return q, err
		}
	}
	w, err := wantsOf(q.Scopes, in["claims"])
	if err != nil {
		return q, err
	}
	for _, cl := range w.claims {
		if c.mayAsk(cl.Name) {
			q.Claims = append(q.Claims, cl)
		}
	}
	q.ACRNeeded, q.Subject = w.acr, w.sub
	if len(q.ACRNeeded) > 0 {
		if q.ACR, err = neededACR(q.ACRNeeded); err != nil {
			return q, err
		}
	}
	if hint := in["id_token_hint"]; hint != "" {
		h, err := p.hint(i, hint)
		if err != nil || h.client != c.id {
			return q, fault(invalidRequest, "id_token_hint is no ID token that this issuer gave to this client")
		}
		if q.Subject != "" && q.Subject != h.Subject {
			return q, fault(invalidRequest, "id_token_hint and the claim sub name two people")
		}
		q.Subject = h.Subject
	}
	return q, nil
}

// neededACR gives the values of the first context that is needed and can be had.
func neededACR(needed []string) ([]string, error) {
	for _, n := range needed {
		if slices.Contains(acrs, n) {
			return strings.Fields(n), nil
		}
	}
	return nil, fault(unmetRequirements, "none of the authentication contexts that are essential is one of %s", strings.Join(acrs, ", "))
}

// checkKind refuses other flows, and request objects.
func checkKind(in map[string]string) error {
	switch {
	case in["request"] != "":
		return fault(requestNotSupported, "send the parameters as they are, or push them to the pushed authorization request endpoint")
	case in["response_type"] == "":
		return fault(invalidRequest, "response_type is missing")
	case in["response_type"] != "code":
		return fault(unsupportedResponse, "response_type is code")
	case in["response_mode"] != "" && in["response_mode"] != "query":
		return fault(invalidRequest, "response_mode is query")
	}
	return nil
}

func (q *params) checkTexts() error {
	for name, v := range map[string]string{"state": q.State, "nonce": q.Nonce} {
		if len(v) > maxText || strings.ContainsFunc(v, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			return fault(invalidRequest, "%s has at most %d printable ASCII characters", name, maxText)
		}
	}
	if q.JKT != "" && !thumbForm.MatchString(q.JKT) {
		return fault(invalidRequest, "dpop_jkt is no thumbprint by SHA-256 (RFC 7638)")
	}
	return nil
}

// checkPKCE: S256 always, whoever the client is (RFC 9700 §2.1.1); what leaves the method out means plain, which is refused.
func (q *params) checkPKCE(in map[string]string) error {
	switch {
	case q.Challenge == "":
		return fault(invalidRequest, "code_challenge is missing: PKCE is always used")
	case in["code_challenge_method"] != "S256":
		return fault(invalidRequest, "code_challenge_method is S256")
	case !challengeForm.MatchString(q.Challenge):
		return fault(invalidRequest, "code_challenge is 32 bytes in base64url")
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(q.Challenge); err != nil {
		return fault(invalidRequest, "code_challenge is 32 bytes in base64url")
	}
	return nil
}

func (q *params) checkScopes(c client) error {
	if !slices.Contains(q.Scopes, scopeOpenID) {
		return fault(invalidScope, "scope has openid in it")
	}
	allowed := strings.Fields(c.meta.Scope)
	for _, s := range q.Scopes {
		if s != scopeOpenID && !slices.Contains(allowed, s) {
			return fault(invalidScope, "this client has not registered the scope %q", s)
		}
	}
	return nil
}

// mayAsk tells whether a client registered a scope that has a claim.
func (c client) mayAsk(claim string) bool {
	for _, s := range strings.Fields(c.meta.Scope) {
		if slices.Contains(claimsOfScope(s), claim) {
			return true
		}
	}
	return false
}

func (q *params) checkPrompts() error {
	for _, s := range q.Prompts {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, s) {
			return fault(invalidRequest, "prompt has %q, which means nothing here", s)
		}
	}
	if len(q.Prompts) > 1 && slices.Contains(q.Prompts, "none") {
		return fault(invalidRequest, "prompt=none stands alone")
	}
	return nil
}

func (q *params) silent() bool { return slices.Contains(q.Prompts, "none") }

func (q *params) takeMaxAge(c client, raw string) error {
	q.MaxAge = c.meta.DefaultMaxAge
	if raw == "" {
		return nil
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n < 0 || n > maxWait {
		return fault(invalidRequest, "max_age is a number of seconds")
	}
	q.MaxAge = &n
	return nil
}

// langOf gives ja or en for ui_locales, "" where neither is there.
func langOf(locales string) string {
	for _, l := range strings.Fields(locales) {
		l, _, _ = strings.Cut(strings.ToLower(l), "-")
		if l == "ja" || l == "en" {
			return l
		}
	}
	return ""
}

// request is a row of openid_requests.
type request struct {
	id             jitsuin.ID
	tenant, client string
	issuer         issuer
	params         params
	browser        string // digest, "" until one came
	session        string // the login, "" until there is one
	errand         jitsuin.ID
	expiresAt      time.Time
	takenAt        int64
	fresh          bool // not in the database yet
}

const requestColumns = `id, tenant, client, issuer, params, browser, session, errand, expires_at, taken_at`

func scanRequest(s store.Scanner) (q request, err error) {
	var raw []byte
	var path string
	var expires int64
	if err = s.Scan(&q.id, &q.tenant, &q.client, &path, &raw, &q.browser, &q.session, &q.errand, &expires, &q.takenAt); err != nil {
		return q, err
	}
	q.issuer, q.expiresAt = issuerOf(path), store.Time(expires)
	return q, json.Unmarshal(raw, &q.params)
}

func (q request) put(tx *store.Tx, reference string) error {
	raw, err := json.Marshal(q.params)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO openid_requests (id, tenant, client, issuer, params, reference, browser, expires_at, taken_at, session) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '')`,
		q.id, q.tenant, q.client, q.issuer.path, string(raw), reference, q.browser, store.Micros(q.expiresAt), q.takenAt)
	return err
}

// save puts a fresh request into the database.
func (q request) save(tx *store.Tx) error {
	if !q.fresh {
		return nil
	}
	return q.put(tx, "")
}

// keep is save in a transaction of its own.
func (p *Provider) keep(ctx context.Context, q request) error {
	if !q.fresh {
		return nil
	}
	return p.DB.Update(ctx, q.save)
}

var errRequestUnknown = jitsuin.Errorf(jitsuin.NotFound, "login-unknown", "there is no such login, or its time is over").WithHint("begin again at the site that you came from")

// findRequest gives a request that is not over.
func findRequest(tx *store.Tx, id jitsuin.ID, now time.Time) (request, error) {
	q, err := scanRequest(tx.QueryRow(`/* every tenant: the request tells whose it is */ SELECT `+requestColumns+` FROM openid_requests WHERE id = $1 AND expires_at > $2`, id, store.Micros(now)))
	if errors.Is(err, sql.ErrNoRows) {
		return q, errRequestUnknown
	}
	return q, err
}

func (p *Provider) request(ctx context.Context, id jitsuin.ID) (q request, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error { q, err = findRequest(tx, id, p.Now()); return err })
	return q, err
}

const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// push keeps a request for the browser that will bring its reference.
func (p *Provider) push(ctx context.Context, i issuer, c client, q params) (reference string, err error) {
	token, now := web.NewToken(), p.Now()
	row := request{id: jitsuin.NewID(), tenant: c.tenant, client: c.id, issuer: i, params: q, expiresAt: now.Add(pushedLife)}
	return pushedPrefix + token, p.DB.Update(ctx, func(tx *store.Tx) error { return row.put(tx, web.Hash(token)) })
}

// takePushed gives what a client pushed, once: a reference that is brought again, late or by another client is refused.
func (p *Provider) takePushed(ctx context.Context, i issuer, c client, reference, browser string) (q request, err error) {
	token, ok := strings.CutPrefix(reference, pushedPrefix)
	if !ok {
		return q, fault(requestURINotSupported, "request_uri is one that the pushed authorization request endpoint gave")
	}
	now := p.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		q, err = scanRequest(tx.QueryRow(`SELECT `+requestColumns+` FROM openid_requests WHERE reference = $1 AND tenant = $2 AND client = $3`, web.Hash(token), c.tenant, c.id))
		switch {
		case errors.Is(err, sql.ErrNoRows) || err == nil && (q.takenAt != 0 || !now.Before(q.expiresAt) || q.issuer.path != i.path):
			return fault(invalidRequestURI, "the request_uri is unknown, was used, or is over")
		case err != nil:
			return err
		}
		q.browser, q.expiresAt, q.takenAt = browser, now.Add(requestLife), store.Micros(now)
		_, err = tx.Exec(`UPDATE openid_requests SET taken_at = $1, browser = $2, expires_at = $3 WHERE id = $4 AND tenant = $5`, q.takenAt, browser, store.Micros(q.expiresAt), q.id, c.tenant)
		return err
	})
	return q, err
}
