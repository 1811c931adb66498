package openid_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// silent asks with prompt=none and gives what came back.
func (p *rp) silent(br *platformtest.Browser, change url.Values) (asking, url.Values) {
	p.b.t.Helper()
	a := newAsking()
	q := p.query(a, change)
	q.Set("prompt", "none")
	away, last := p.begun(br, q)
	u, err := url.Parse(away)
	if err != nil || !strings.HasPrefix(away, redirect) {
		p.b.t.Fatalf("led to %q: HTTP %d %s", away, last.Status, last.Body)
	}
	return a, u.Query()
}

// prompt=none is answered from the session of this client in this browser while it lasts, and from nothing else.
func TestSilentLogins(t *testing.T) {
	b, p, other, hanako := refusing(t)
	br := b.Browser()
	a := newAsking()
	back := p.login(br, hanako, p.query(a, nil))
	token := p.redeem(a, back.Get("code"), nil).text("id_token")
	first := p.claims(token)
	a, back = p.silent(br, url.Values{"id_token_hint": {token}, "max_age": {"600"}})
	got := p.redeem(a, back.Get("code"), nil)
	if c := p.claims(got.text("id_token")); c["sub"] != first["sub"] || c["auth_time"] != first["auth_time"] || c["sid"] != first["sid"] || c["nonce"] != a.Nonce {
		t.Errorf("silently %v, at first %v", c, first)
	}
	taro := b.Agency.Resident("沢渡　太郎")
	a2 := newAsking()
	second := b.Browser()
	hers := p.redeem(a2, p.login(second, taro, p.query(a2, nil)).Get("code"), nil).text("id_token")
	no := func(what, code string, got url.Values) {
		t.Helper()
		if got.Get("error") != code || got.Has("code") {
			t.Errorf("%s: %v, want %s", what, got, code)
		}
	}
	_, got1 := p.silent(br, url.Values{"id_token_hint": {hers}})
	no("another person's hint", "login_required", got1)
	_, got1 = p.silent(br, url.Values{"scope": {"openid name"}})
	no("claims", "interaction_required", got1)
	_, got1 = p.silent(br, url.Values{"acr_values": {"aal3 crl"}})
	no("the list was not asked", "login_required", got1)
	_, got1 = p.silent(b.Browser(), nil)
	no("another browser", "login_required", got1)
	_, got1 = other.silent(br, nil)
	no("another client", "login_required", got1)
	b.exec(`UPDATE openid_sessions SET auth_time = auth_time - 60000000`)
	_, got1 = p.silent(br, url.Values{"max_age": {"30"}})
	no("too old", "login_required", got1)
	// A login for a named person by somebody else is none.
	no("somebody else logs in", "login_required", p.login(second, taro, p.query(newAsking(), url.Values{"id_token_hint": {token}})))
	b.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
	_, got1 = p.silent(br, nil)
	no("revoked meanwhile", "login_required", got1)
}

// hearing is a client's back channel: it fails as often as it is told to.
type hearing struct {
	url   string
	fails atomic.Int64
	heard chan string
}

func listen(t *testing.T) *hearing {
	h := &hearing{heard: make(chan string, 8)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		if h.fails.Add(-1) >= 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		h.heard <- form.Get("logout_token")
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL + "/logout"
	return h
}

// logoutToken waits for a logout token and checks it as Back-Channel Logout §2.6 says.
func (p *rp) logoutToken(t *testing.T, h *hearing) map[string]any {
	t.Helper()
	select {
	case raw := <-h.heard:
		token, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil || token.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != "logout+jwt" {
			t.Fatalf("%q: %v", raw, err)
		}
		c := p.claims(raw)
		events, _ := json.Marshal(c["events"])
		if c["iss"] != p.issuer || c["aud"] != p.id || c["nonce"] != nil || c["jti"] == nil || string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` {
			t.Errorf("the logout token has %v", c)
		}
		return c
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was told of the logout")
		return nil
	}
}

// A logout that the client begins ends the login here, and the client's back channel hears of it; so does one that the person begins.
func TestLogout(t *testing.T) {
	b := open(t, "sqlite::memory:", func(c *platform.Config) { c.Webhooks.Loopback = true })
	h := listen(t)
	p := b.relyingParty(b.tenant, func(m map[string]any) { m["backchannel_logout_uri"] = h.url })
	hanako, br := b.Agency.Resident("霧島　花子"), b.Browser()
	begin := func() (idToken, access string) {
		a := newAsking()
		got := p.redeem(a, p.login(br, hanako, p.query(a, nil)).Get("code"), nil)
		return got.text("id_token"), got.text("access_token")
	}
	token, access := begin()
	out := func(br *platformtest.Browser, q url.Values) (string, platformtest.Page) {
		return follow(br, b.Origin, p.issuer+"/logout?"+q.Encode())
	}
	for what, q := range map[string]url.Values{
		"an address that is not registered": {"id_token_hint": {token}, "post_logout_redirect_uri": {origin + "/bye?x"}},
		"an address and no client":          {"post_logout_redirect_uri": {origin + "/bye"}},
		"a forged hint":                     {"id_token_hint": {token[:len(token)-4] + "AAAA"}},
		"two clients":                       {"id_token_hint": {token}, "client_id": {string(jitsuin.NewID())}},
	} {
		if away, page := out(br, q); away != "" || page.Status < 400 || page.Status > 499 {
			t.Errorf("%s: led to %q, HTTP %d", what, away, page.Status)
		}
	}
	// In another browser, nothing ends by the hint alone: the person is asked.
	if away, page := out(b.Browser(), url.Values{"id_token_hint": {token}}); away != "" || page.Status != http.StatusOK || !strings.Contains(page.Body, "logout-confirmed") {
		t.Errorf("another browser: led to %q, HTTP %d", away, page.Status)
	}
	if _, got := p.silent(br, nil); got.Get("code") == "" {
		t.Errorf("the login has ended already: %v", got)
	}
	away, _ := out(br, url.Values{"id_token_hint": {token}, "post_logout_redirect_uri": {origin + "/bye"}, "state": {"s1"}})
	if away != origin+"/bye?state=s1" {
		t.Errorf("led to %q", away)
	}
	if told, was := p.logoutToken(t, h), p.claims(token); told["sid"] != was["sid"] || told["sub"] != was["sub"] {
		t.Errorf("told of %v, was %v", told, was)
	}
	if _, got := p.silent(br, nil); got.Get("error") != "login_required" {
		t.Errorf("after the logout: %v", got)
	}
	if who := get(t, p.userinfoURL(), map[string]string{"Authorization": "Bearer " + access}); who.Status != http.StatusUnauthorized {
		t.Errorf("the access token after the logout: HTTP %d", who.Status)
	}
	// By the person, at the page of the provider.
	begin()
	if page := br.Post("/openid/logout-confirmed", url.Values{"client": {p.id}, "return": {origin + "/bye"}}); page.Status != http.StatusOK || !strings.Contains(page.Body, origin+"/bye") {
		t.Errorf("HTTP %d %s", page.Status, page.Body)
	}
	p.logoutToken(t, h)
	if page := br.Post("/openid/logout-confirmed", url.Values{"client": {p.id}, "return": {"https://evil.example/"}}); page.Status != http.StatusBadRequest {
		t.Errorf("led elsewhere: HTTP %d", page.Status)
	}
}

var endForm = regexp.MustCompile(`/me/logins/[0-9a-f]{32}/end`)

// The resident sees where they are logged in and ends it from another browser; the client hears of it, also where it was down at first.
func TestAResidentEndsALoginFromElsewhere(t *testing.T) {
	b := open(t, "sqlite::memory:", func(c *platform.Config) { c.Webhooks.Loopback = true })
	h := listen(t)
	h.fails.Store(1)
	p := b.relyingParty(b.tenant, func(m map[string]any) { m["backchannel_logout_uri"] = h.url })
	hanako, br := b.Agency.Resident("霧島　花子"), b.Browser()
	a := newAsking()
	token := p.redeem(a, p.login(br, hanako, p.query(a, nil)).Get("code"), nil).text("id_token")
	me, stranger := b.Browser(), b.Browser()
	me.Open("/me?lang=ja")
	path := endForm.FindString(me.Errand("/me/login", nil, hanako).Body)
	if path == "" {
		t.Fatal("the resident does not see the login")
	}
	stranger.Open("/me?lang=ja")
	if page := stranger.Errand("/me/login", nil, b.Agency.Resident("沢渡　太郎")).Body; endForm.MatchString(page) {
		t.Error("somebody else sees the login")
	}
	if foreign := stranger.Post(path, nil); foreign.Status != http.StatusNotFound {
		t.Errorf("somebody else ends it: HTTP %d", foreign.Status)
	}
	if p := b.Browser().Post(path, nil); p.Location != "/me" {
		t.Errorf("nobody ends it: HTTP %d", p.Status)
	}
	if page := me.Post(path, nil); page.Location != "/me?login=ended" {
		t.Errorf("HTTP %d %s", page.Status, page.Body)
	}
	b.await("the first try", func() bool {
		return b.count(`SELECT COUNT(*) FROM openid_logouts WHERE outcome = 'webhook-answered' AND ended_at = 0`) == 1
	})
	b.exec(`UPDATE openid_logouts SET next_at = 1`) // the pause is over
	if told := p.logoutToken(t, h); told["sid"] != p.claims(token)["sid"] {
		t.Errorf("told of %v", told)
	}
	if page := me.Get("/me"); endForm.MatchString(page.Body) {
		t.Error("the login is still shown")
	}
}

func (b *bank) await(what string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A key signs after it was published, and is published until all that it signed is over; a stolen one ends at once.
func TestSigningKeysRotate(t *testing.T) {
	b, p, _, hanako := refusing(t)
	idToken := func() string {
		a := newAsking()
		return p.redeem(a, p.login(b.Browser(), hanako, p.query(a, nil)).Get("code"), nil).text("id_token")
	}
	kids := func() (all []string) {
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(get(t, p.issuer+"/jwks", nil).Raw, &set); err != nil {
			t.Fatal(err)
		}
		for _, k := range set.Keys {
			if !k.IsPublic() || k.Algorithm != "ES256" {
				t.Errorf("published: %+v", k)
			}
			all = append(all, k.KeyID)
		}
		return all
	}
	first := kids()
	old := idToken()
	p.claims(old)
	later := func(d time.Duration) { // the keys grow older
		t.Helper()
		b.exec(`UPDATE openid_keys SET active_at = active_at - $1`, d.Microseconds())
		if err := b.Platform.OpenID().Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	later(89*24*time.Hour + time.Hour)
	if all := kids(); len(all) != 2 || all[0] != first[0] {
		t.Errorf("before it signs, %v are published", all)
	}
	later(2 * 24 * time.Hour)
	if all := kids(); len(all) != 2 {
		t.Errorf("after it began to sign, %v are published", all)
	}
	later(2 * 24 * time.Hour)
	if all := kids(); len(all) != 1 || all[0] == first[0] {
		t.Errorf("when all that the first signed is over, %v are published", all)
	}
	if err := b.Platform.OpenID().Replace(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := kids(); len(all) != 1 || all[0] == first[0] {
		t.Errorf("after a theft, %v are published", all)
	}
	p.claims(idToken())
	if away, page := p.begun(b.Browser(), p.query(newAsking(), url.Values{"id_token_hint": {old}})); !strings.Contains(away, "error=invalid_request") {
		t.Errorf("what the stolen key signed: led to %q, HTTP %d", away, page.Status)
	}
}

// In a sandbox whoever comes registers a client, manages it with its token, and ends it.
func TestRegistration(t *testing.T) {
	b := open(t, "sqlite::memory:", func(c *platform.Config) { c.Sandbox.Open = true })
	send := func(method, link, token string, m map[string]any) answer {
		t.Helper()
		raw, _ := json.Marshal(m)
		req, err := http.NewRequestWithContext(t.Context(), method, link, strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return do(t, req)
	}
	at := get(t, b.Origin+"/openid/.well-known/openid-configuration", nil).text("registration_endpoint")
	good := map[string]any{"client_name": "Trial", "redirect_uris": []string{redirect}, "token_endpoint_auth_method": "client_secret_basic", "unknown": 1}
	for what, change := range map[string]map[string]any{
		"no address":            {"redirect_uris": nil},
		"a fragment":            {"redirect_uris": []string{redirect + "#x"}},
		"http elsewhere":        {"redirect_uris": []string{"http://shop.example/cb"}},
		"a scheme of its own":   {"redirect_uris": []string{"javascript:alert(1)"}},
		"a wildcard":            {"redirect_uris": []string{"https://*.example/cb"}},
		"implicit":              {"response_types": []string{"id_token"}},
		"password":              {"grant_types": []string{"password"}},
		"no keys":               {"token_endpoint_auth_method": "private_key_jwt"},
		"secrets in JWTs":       {"token_endpoint_auth_method": "client_secret_jwt"},
		"keys to be fetched":    {"jwks_uri": "http://169.254.169.254/"},
		"public subjects":       {"subject_type": "public"},
		"unsigned ID tokens":    {"id_token_signed_response_alg": "none"},
		"a scope of its own":    {"scope": "openid everything"},
		"a symmetric key":       {"token_endpoint_auth_method": "private_key_jwt", "jwks": map[string]any{"keys": []any{map[string]any{"kty": "oct", "k": "AAAA"}}}},
		"a private key":         {"token_endpoint_auth_method": "private_key_jwt", "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: newKey(t)}}}},
		"a back channel in ftp": {"backchannel_logout_uri": "ftp://shop.example/"},
	} {
		m := map[string]any{}
		for k, v := range good {
			m[k] = v
		}
		for k, v := range change {
			m[k] = v
		}
		if got := send("POST", at, "", m); got.Status != http.StatusBadRequest || !got.is("invalid_client_metadata") && !got.is("invalid_redirect_uri") {
			t.Errorf("%s: HTTP %d %s", what, got.Status, got.Raw)
		}
	}
	made := send("POST", at, "", good)
	if made.Status != http.StatusCreated || made.text("client_secret") == "" || made.text("scope") != "openid" || made.Members["client_secret_expires_at"] != 0.0 {
		t.Fatalf("HTTP %d %s", made.Status, made.Raw)
	}
	uri, token := made.text("registration_client_uri"), made.text("registration_access_token")
	other := send("POST", at, "", good)
	for what, got := range map[string]answer{"no token": send("GET", uri, "", nil), "another's token": send("GET", uri, other.text("registration_access_token"), nil),
		"no client": send("GET", at+"/"+string(jitsuin.NewID()), token, nil), "an end by another": send("DELETE", uri, other.text("registration_access_token"), nil)} {
		if got.Status != http.StatusUnauthorized || !got.is("invalid_token") {
			t.Errorf("%s: HTTP %d %s", what, got.Status, got.Raw)
		}
	}
	if got := send("GET", uri, token, nil); got.Status != http.StatusOK || got.text("client_secret") != "" || got.text("client_name") != "Trial" {
		t.Errorf("HTTP %d %s", got.Status, got.Raw)
	}
	elsewhere := map[string]any{"redirect_uris": []string{"https://evil.example/cb"}, "token_endpoint_auth_method": "client_secret_basic"}
	if got := send("PUT", uri, token, elsewhere); !got.is("invalid_redirect_uri") {
		t.Errorf("to another origin: HTTP %d %s", got.Status, got.Raw)
	}
	good["redirect_uris"] = []string{origin + "/second"}
	if got := send("PUT", uri, token, good); got.Status != http.StatusOK {
		t.Errorf("HTTP %d %s", got.Status, got.Raw)
	}
	if got := send("DELETE", uri, token, nil); got.Status != http.StatusNoContent {
		t.Errorf("HTTP %d %s", got.Status, got.Raw)
	}
	if got := send("GET", uri, token, nil); !got.is("invalid_token") {
		t.Errorf("after its end: HTTP %d %s", got.Status, got.Raw)
	}
	// A tenant's client stays at the tenant's origins, sandbox or not; its secret is told once.
	key := string(jitsuin.NewID())
	m := map[string]any{"redirect_uris": []string{redirect}, "token_endpoint_auth_method": "client_secret_basic"}
	first, err := httpapi.Do[openid.Registered](t.Context(), b.Tenant(b.tenant), "POST", "/v1/openid-clients", key, m)
	again, err2 := httpapi.Do[openid.Registered](t.Context(), b.Tenant(b.tenant), "POST", "/v1/openid-clients", key, m)
	if err != nil || err2 != nil || first.Secret == "" || again.ID != first.ID || again.Secret != "" || again.RegistrationToken != "" {
		t.Errorf("first %+v %v, again %+v %v", first, err, again, err2)
	}
	m["redirect_uris"] = []string{"https://evil.example/cb"}
	if _, err := httpapi.Do[openid.Registered](t.Context(), b.Tenant(b.tenant), "POST", "/v1/openid-clients", string(jitsuin.NewID()), m); jitsuin.CodeOf(err) != "origin-not-registered" {
		t.Errorf("at another origin: %v", err)
	}
	if p := open(t, "sqlite::memory:", nil); get(t, p.Origin+"/openid/.well-known/openid-configuration", nil).Members["registration_endpoint"] != nil {
		t.Error("outside a sandbox a registration endpoint is told")
	}
}
