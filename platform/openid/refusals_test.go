package openid_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// world is a bank with a client that has a key, a client of another tenant, and a resident.
func refusing(t *testing.T) (b *bank, p, other *rp, hanako *platformtest.Person) {
	t.Helper()
	b = open(t, "sqlite::memory:", nil)
	second := b.Register("tenant:other", origin)
	return b, b.relyingParty(b.tenant, nil), b.relyingParty(second, nil), b.Agency.Resident("霧島　花子")
}

// coded logs the resident in and gives what was asked and the code.
func (p *rp) coded(who *platformtest.Person, change url.Values) (asking, string) {
	p.b.t.Helper()
	a := newAsking()
	back := p.login(p.b.Browser(), who, p.query(a, change))
	if back.Get("code") == "" {
		p.b.t.Fatalf("no code but %v", back)
	}
	return a, back.Get("code")
}

// Each near copy of an authorization request is refused: to the client by redirect, or to the person where the way back is not sure.
func TestAuthorizationRequestsThatAreRefused(t *testing.T) {
	b, p, _, _ := refusing(t)
	for what, c := range map[string]struct {
		change url.Values
		code   string // "" for a page
	}{
		"no challenge":               {url.Values{"code_challenge": nil}, "invalid_request"},
		"no method":                  {url.Values{"code_challenge_method": nil}, "invalid_request"},
		"plain":                      {url.Values{"code_challenge_method": {"plain"}}, "invalid_request"},
		"s256 in small letters":      {url.Values{"code_challenge_method": {"s256"}}, "invalid_request"},
		"a short challenge":          {url.Values{"code_challenge": {"abc"}}, "invalid_request"},
		"a challenge that is no end": {url.Values{"code_challenge": {strings.Repeat("A", 42) + "B"}}, "invalid_request"}, // bits beyond 256
		"implicit":                   {url.Values{"response_type": {"id_token"}}, "unsupported_response_type"},
		"hybrid":                     {url.Values{"response_type": {"code id_token"}}, "unsupported_response_type"},
		"fragment":                   {url.Values{"response_mode": {"fragment"}}, "invalid_request"},
		"a request object":           {url.Values{"request": {"eyJhbGciOiJub25lIn0.e30."}}, "request_not_supported"},
		"a request by address":       {url.Values{"request_uri": {"https://evil.example/request"}}, "request_uri_not_supported"},
		"no openid":                  {url.Values{"scope": {"name"}}, "invalid_scope"},
		"a scope not registered":     {url.Values{"scope": {"openid age_over_65"}}, "invalid_scope"},
		"none and login":             {url.Values{"prompt": {"none login"}}, "invalid_request"},
		"nobody is here":             {url.Values{"prompt": {"none"}}, "login_required"},
		"a negative age":             {url.Values{"max_age": {"-1"}}, "invalid_request"},
		"three ages":                 {url.Values{"claims": {`{"userinfo":{"age_over_18":null,"age_over_20":null,"age_over_21":null}}`}}, "invalid_request"},
		"claims that are no JSON":    {url.Values{"claims": {"name"}}, "invalid_request"},
		"a context that is not had":  {url.Values{"claims": {`{"id_token":{"acr":{"essential":true,"value":"aal4"}}}`}}, "unmet_authentication_requirements"},
		"a foreign hint":             {url.Values{"id_token_hint": {"eyJhbGciOiJub25lIn0.e30."}}, "invalid_request"},
		"a state of two lines":       {url.Values{"state": {"a\nb"}}, "invalid_request"},
		"another address":            {url.Values{"redirect_uri": {origin + "/other"}}, ""},
		"the address and more":       {url.Values{"redirect_uri": {redirect + "&x=1"}}, ""},
		"the address with a dot":     {url.Values{"redirect_uri": {origin + "/./callback?from=card"}}, ""},
		"the address below":          {url.Values{"redirect_uri": {origin + "/callback/../callback?from=card"}}, ""},
		"the address in capitals":    {url.Values{"redirect_uri": {strings.ToUpper(origin) + "/callback?from=card"}}, ""},
		"a user in the address":      {url.Values{"redirect_uri": {"https://securities.example@evil.example/callback?from=card"}}, ""},
		"a fragment":                 {url.Values{"redirect_uri": {redirect + "#"}}, ""},
		"no address":                 {url.Values{"redirect_uri": nil}, ""},
		"another client":             {url.Values{"client_id": {string(jitsuin.NewID())}}, ""},
		"two addresses":              {url.Values{"redirect_uri": {redirect, "https://evil.example/"}}, ""},
		"two states":                 {url.Values{"state": {"a", "b"}}, ""},
	} {
		away, last := p.begun(b.Browser(), p.query(newAsking(), c.change))
		if c.code == "" {
			if away != "" || last.Status < 400 || last.Status > 499 {
				t.Errorf("%s: led to %q, HTTP %d", what, away, last.Status)
			}
			continue
		}
		u, err := url.Parse(away)
		if err != nil || !strings.HasPrefix(away, redirect) || u.Query().Get("error") != c.code || u.Query().Get("iss") != p.issuer || u.Query().Has("code") {
			t.Errorf("%s: led to %q, want %s; HTTP %d", what, away, c.code, last.Status)
		}
	}
}

// Each near copy of the request that redeems a code is refused, and the code is still good for the right one.
func TestCodesAreRedeemedByWhomTheyAreFor(t *testing.T) {
	_, p, other, hanako := refusing(t)
	a, code := p.coded(hanako, nil)
	b2, code2 := p.coded(hanako, nil) // another login of the same person
	for what, c := range map[string]struct {
		change url.Values
		error  string
	}{
		"another verifier":       {url.Values{"code_verifier": {newAsking().Verifier}}, "invalid_grant"},
		"the challenge itself":   {url.Values{"code_verifier": {a.challenge()}}, "invalid_grant"},
		"no verifier":            {url.Values{"code_verifier": nil}, "invalid_request"},
		"another login's":        {url.Values{"code_verifier": {b2.Verifier}}, "invalid_grant"},
		"crossed codes":          {url.Values{"code": {code2}}, "invalid_grant"},
		"another address":        {url.Values{"redirect_uri": {origin + "/callback"}}, "invalid_grant"},
		"no address":             {url.Values{"redirect_uri": nil}, "invalid_grant"},
		"a code that never was":  {url.Values{"code": {rand.Text()}}, "invalid_grant"},
		"no code":                {url.Values{"code": nil}, "invalid_request"},
		"another grant":          {url.Values{"grant_type": {"password"}}, "unsupported_grant_type"},
		"no grant":               {url.Values{"grant_type": nil}, "invalid_request"},
		"two verifiers":          {url.Values{"code_verifier": {a.Verifier, "x"}}, "invalid_request"},
		"no proof of the client": {url.Values{"client_assertion": nil, "client_assertion_type": nil, "client_id": {p.id}}, "invalid_client"},
		"two ways":               {url.Values{"client_secret": {"x"}}, "invalid_request"},
		"the other client":       {url.Values{"client_assertion": {other.assertion(nil)}}, "invalid_grant"},
	} {
		if got := p.redeem(a, code, c.change); !got.is(c.error) || got.Status < 400 || got.Status > 401 || got.Members["access_token"] != nil {
			t.Errorf("%s: HTTP %d %s, want %s", what, got.Status, got.Raw, c.error)
		}
	}
	alias := *p
	alias.issuer = p.b.Origin + "/api/realms/main"
	if got := alias.redeem(a, code, url.Values{"client_assertion": {p.assertion(map[string]any{"aud": alias.issuer})}}); !got.is("invalid_grant") {
		t.Errorf("at the other issuer: HTTP %d %s", got.Status, got.Raw)
	}
	if got := post(t, p.tokenURL()+"?grant_type=authorization_code", nil, nil); !got.is("invalid_request") {
		t.Errorf("in the query: HTTP %d %s", got.Status, got.Raw)
	}
	good := p.redeem(a, code, nil)
	if good.Status != http.StatusOK {
		t.Fatalf("the right one: HTTP %d %s", good.Status, good.Raw)
	}
	// Used again, the code ends what it gave.
	bearer := map[string]string{"Authorization": "Bearer " + good.text("access_token")}
	if got := get(t, p.userinfoURL(), bearer); got.Status != http.StatusOK {
		t.Errorf("userinfo: HTTP %d", got.Status)
	}
	if got := p.redeem(a, code, nil); !got.is("invalid_grant") {
		t.Errorf("again: HTTP %d %s", got.Status, got.Raw)
	}
	if got := get(t, p.userinfoURL(), bearer); got.Status != http.StatusUnauthorized || !got.is("invalid_token") {
		t.Errorf("userinfo after a replay: HTTP %d %s", got.Status, got.Raw)
	}
}

// Each near copy of an assertion is refused.
func TestAssertionsThatAreRefused(t *testing.T) {
	_, p, other, hanako := refusing(t)
	a, code := p.coded(hanako, nil)
	now := time.Now()
	claims := func(aud string) map[string]any {
		return map[string]any{"iss": p.id, "sub": p.id, "aud": aud, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	}
	spki, err := x509.MarshalPKIXPublicKey(p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	used := p.assertion(nil)
	p.redeem(a, "x", url.Values{"client_assertion": {used}})
	kid := map[jose.HeaderKey]any{"kid": "k1"}
	for what, text := range map[string]string{
		"used before":                    used,
		"for another audience":           p.assertion(map[string]any{"aud": "https://evil.example/token"}),
		"for an audience that begins so": p.assertion(map[string]any{"aud": p.tokenURL() + "/x"}),
		"for the other issuer":           p.assertion(map[string]any{"aud": p.b.Origin + "/api/realms/main"}),
		"expired":                        p.assertion(map[string]any{"exp": now.Add(-2 * time.Minute).Unix()}),
		"without an end":                 p.assertion(map[string]any{"exp": nil}),
		"for a year":                     p.assertion(map[string]any{"exp": now.Add(365 * 24 * time.Hour).Unix()}),
		"not yet":                        p.assertion(map[string]any{"nbf": now.Add(time.Hour).Unix()}),
		"of the future":                  p.assertion(map[string]any{"iat": now.Add(time.Hour).Unix()}),
		"without an id":                  p.assertion(map[string]any{"jti": nil}),
		"of another issuer":              p.assertion(map[string]any{"iss": other.id}),
		"with another's key":             jws(t, jose.ES256, other.key, kid, claims(p.tokenURL())),
		"with a key that is not named":   jws(t, jose.ES256, p.key, map[jose.HeaderKey]any{"kid": "k2"}, claims(p.tokenURL())),
		"HMAC with the public key":       jws(t, jose.HS256, spki, kid, claims(p.tokenURL())),
		"without a signature":            "eyJhbGciOiJub25lIn0." + strings.Split(used, ".")[1] + ".",
		"none and a signature":           "eyJhbGciOiJub25lIn0." + strings.Join(strings.Split(used, ".")[1:], "."),
		"no JWT":                         "x",
	} {
		if got := p.redeem(a, code, url.Values{"client_assertion": {text}}); !got.is("invalid_client") || got.Status != http.StatusUnauthorized {
			t.Errorf("%s: HTTP %d %s", what, got.Status, got.Raw)
		}
	}
	if got := p.redeem(a, code, url.Values{"client_assertion_type": {"x"}}); !got.is("invalid_client") {
		t.Errorf("another type: HTTP %d %s", got.Status, got.Raw)
	}
	if got := p.redeem(a, code, url.Values{"client_id": {other.id}}); !got.is("invalid_client") {
		t.Errorf("two clients: HTTP %d %s", got.Status, got.Raw)
	}
	if got := p.redeem(a, code, nil); got.Status != http.StatusOK {
		t.Errorf("the right one: HTTP %d %s", got.Status, got.Raw)
	}
}

// A client with a secret gets in with it in the one way that it registered, a public client with PKCE alone.
func TestSecretsAndPublicClients(t *testing.T) {
	b, _, _, hanako := refusing(t)
	basic := b.relyingParty(b.tenant, func(m map[string]any) { m["token_endpoint_auth_method"], m["jwks"] = "client_secret_basic", nil })
	form := b.relyingParty(b.tenant, func(m map[string]any) { m["token_endpoint_auth_method"], m["jwks"] = "client_secret_post", nil })
	public := b.relyingParty(b.tenant, func(m map[string]any) { m["token_endpoint_auth_method"], m["jwks"] = "none", nil })
	bare := url.Values{"client_secret": nil, "client_id": nil, "client_assertion": nil, "client_assertion_type": nil}
	header := func(id, secret string) map[string]string {
		req, _ := http.NewRequest("GET", "/", nil)
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		return map[string]string{"Authorization": req.Header.Get("Authorization")}
	}
	a, code := basic.coded(hanako, nil)
	if got := basic.redeem(a, code, nil); !got.is("invalid_client") {
		t.Errorf("in the form: %s", got.Raw)
	}
	if got := post(t, basic.tokenURL(), basic.grant(a, code, bare), header(basic.id, form.secret)); !got.is("invalid_client") || got.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("another's secret: %s %v", got.Raw, got.Header)
	}
	if got := post(t, basic.tokenURL(), basic.grant(a, code, bare), header(basic.id, basic.secret)); got.Status != http.StatusOK {
		t.Errorf("its secret: %s", got.Raw)
	}
	a, code = form.coded(hanako, nil)
	if got := form.redeem(a, code, url.Values{"client_secret": {basic.secret}}); !got.is("invalid_client") {
		t.Errorf("another's secret: %s", got.Raw)
	}
	if got := form.redeem(a, code, nil); got.Status != http.StatusOK {
		t.Errorf("its secret: %s", got.Raw)
	}
	a, code = public.coded(hanako, nil)
	bare.Set("client_id", public.id)
	wrong := url.Values{"client_secret": nil, "client_id": {public.id}, "client_assertion": nil, "client_assertion_type": nil, "code_verifier": {newAsking().Verifier}}
	if got := public.redeem(a, code, wrong); !got.is("invalid_grant") {
		t.Errorf("a public client without the verifier: %s", got.Raw)
	}
	if got := public.redeem(a, code, bare); got.Status != http.StatusOK {
		t.Errorf("a public client: %s", got.Raw)
	}
}

// What is wrong with a code is told to the client whose it is, and to nobody who has not proved to be it.
func TestACodeTellsStrangersNothing(t *testing.T) {
	b, _, _, hanako := refusing(t)
	p := b.relyingParty(b.tenant, func(m map[string]any) { m["token_endpoint_auth_method"], m["jwks"] = "client_secret_post", nil })
	a, code := p.coded(hanako, nil)
	b.exec(`DELETE FROM openid_sessions`)
	for _, c := range []string{code, "x"} {
		if got := p.redeem(a, c, url.Values{"client_secret": {"wrong"}}); !got.is("invalid_client") {
			t.Errorf("without the secret: HTTP %d %s", got.Status, got.Raw)
		}
	}
	if got := p.redeem(a, code, nil); !got.is("invalid_grant") || got.Members["error_description"] != "the login is over" {
		t.Errorf("with it: HTTP %d %s", got.Status, got.Raw)
	}
}

// An answer that a holder sends again, also several times at once, is one login and leads to one place.
func TestAnAnswerThatIsSentAgainIsOneLogin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		p, hanako, br := b.relyingParty(b.tenant, nil), b.Agency.Resident("霧島　花子"), b.Browser()
		away, _ := p.begun(br, p.query(newAsking(), nil))
		asked := b.OpenRequest(away)
		answer := b.AnswerOf(asked, hanako)
		led := make([]string, 8)
		var all sync.WaitGroup
		for n := range led {
			all.Go(func() {
				status, back := b.PostAnswer(asked, answer)
				if led[n] = back; status != http.StatusOK {
					t.Errorf("HTTP %d", status)
				}
			})
		}
		all.Wait()
		if led = slices.Compact(led); len(led) != 1 {
			t.Fatalf("it leads to %q", led)
		}
		if got := p.back(br, led[0]); got.Get("code") == "" {
			t.Errorf("back with %v", got)
		}
		for what, query := range map[string]string{"logins": `SELECT COUNT(*) FROM checks WHERE sort = 'login'`, "sessions": `SELECT COUNT(*) FROM openid_sessions`, "uses of a login": `SELECT COUNT(*) FROM metered WHERE service = 'login'`} {
			if n := b.count(query); n != 1 {
				t.Errorf("%d %s", n, what)
			}
		}
		other := answer
		other.Signature = bytes.Clone(answer.Signature)
		other.Signature[0] ^= 1
		if status, _ := b.PostAnswer(asked, other); status != http.StatusConflict {
			t.Errorf("another answer: HTTP %d", status)
		}
	})
}

// What the holder answers for one login is no answer to another, nor is what another origin or client asked for.
func TestASignatureForOneLoginIsNoneForAnother(t *testing.T) {
	b, p, other, hanako := refusing(t)
	mine, theirs := b.Browser(), b.Browser()
	begin := func(p *rp, br *platformtest.Browser) (string, api.RequestClaims) {
		away, _ := p.begun(br, p.query(newAsking(), nil))
		return away, b.OpenRequest(away)
	}
	sign := func(c api.ChallengeText) (api.HolderAnswer, error) {
		s, err := c.ToSign().Sign(hanako.Auth.Cert, hanako.Auth.Key)
		return api.HolderAnswer{Certificate: s.Certificate.Raw, Signature: s.Signature, DigestAlg: s.DigestAlg}, err
	}
	_, first := begin(p, mine)
	for what, change := range map[string]func(c *api.ChallengeText){
		"a client":  func(c *api.ChallengeText) { c.ClientID = "tenant:other" },
		"an origin": func(c *api.ChallengeText) { c.Origin = "https://evil.example" },
		"a nonce":   func(c *api.ChallengeText) { c.Nonce = strings.Repeat("n", 43) },
		"a purpose": func(c *api.ChallengeText) { c.Purpose = "送金" },
		"a time":    func(c *api.ChallengeText) { c.ExpiresAt-- },
		"an errand": func(c *api.ChallengeText) { c.Txn = string(jitsuin.NewID()) },
	} {
		br := b.Browser()
		_, asked := begin(p, br)
		shown := *asked.Challenge
		change(&shown)
		a, err := sign(shown)
		if err != nil {
			t.Fatal(err)
		}
		a.Txn, a.State = asked.Txn, asked.State
		status, back := b.PostAnswer(asked, a)
		if got := p.turnedAway(br, back, "could not be established").back; status != http.StatusOK || got.Get("error") != "access_denied" || got.Has("code") {
			t.Errorf("%s is another: HTTP %d, %v", what, status, got)
		}
	}
	// The signature that B's login got is shown for A's, and A's answer posted with B's state.
	_, second := begin(other, theirs)
	a, err := sign(*second.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	a.Txn, a.State = first.Txn, second.State
	if status, _ := b.PostAnswer(first, a); status != http.StatusNotFound {
		t.Errorf("with another's state: HTTP %d", status)
	}
	a.State = first.State
	_, back := b.PostAnswer(first, a)
	if got := p.turnedAway(mine, back, "could not be established").back; got.Get("error") != "access_denied" {
		t.Errorf("B's signature for A: %v", got)
	}
	// The way back is for the browser that began.
	begun := b.Browser()
	away, _ := p.begun(begun, p.query(newAsking(), nil))
	from := b.Answered(away, hanako)
	if led, last := follow(b.Browser(), b.Origin, from); led != "" || last.Status != http.StatusForbidden {
		t.Errorf("another browser is led to %q, HTTP %d", led, last.Status)
	}
	if got := p.back(begun, from); got.Get("code") == "" {
		t.Errorf("the browser that began: %v", got)
	}
}

// turned is a login that was turned away by a page: what it says, and where its person may go.
type turned struct {
	login string
	back  url.Values // what the client gets
	page  string
}

// turnedAway follows the way back from the holder to the page that says in English why nobody was logged in.
func (p *rp) turnedAway(b *platformtest.Browser, from, says string) (out turned) {
	p.b.t.Helper()
	b.Get(p.b.Origin + "/me?lang=en")
	away, last := follow(b, p.b.Origin, from)
	if away != "" || last.Status != http.StatusOK || !strings.Contains(last.Body, says) {
		p.b.t.Fatalf("led to %q: HTTP %d, want %q in %s", away, last.Status, says, last.Body)
	}
	out.page = last.Body
	_, out.login, _ = strings.Cut(last.Body, `name="login" value="`)
	out.login, _, _ = strings.Cut(out.login, `"`)
	_, link, _ := strings.Cut(last.Body, `href="`+redirect)
	link, _, _ = strings.Cut(link, `"`)
	u, err := url.Parse(html.UnescapeString(redirect + link))
	if err != nil {
		p.b.t.Fatal(err)
	}
	out.back = u.Query()
	return out
}

// answered begins a login and has somebody's card answer it.
func (p *rp) answered(b *platformtest.Browser, who *platformtest.Person, a asking, change url.Values) (from string) {
	p.b.t.Helper()
	away, last := p.begun(b, p.query(a, change))
	if !strings.Contains(away, "request_uri=") {
		p.b.t.Fatalf("not led to a holder but to %q: HTTP %d %s", away, last.Status, last.Body)
	}
	return p.b.Answered(away, who)
}

// Whose certificate is not accepted reads why, and comes back to the client without a code, or goes on with another card. The client learns
// that it was not accepted, and never why.
func TestLoginsThatAreNotAccepted(t *testing.T) {
	b, p, _, hanako := refusing(t)
	revoked, expired := b.Agency.Resident("失効　太郎"), b.Agency.Resident("期限　切子")
	b.Agency.Revoke(jitsuin.AuthCert, revoked.Auth.Cert)
	b.Agency.Reissue(expired, jitsuin.AuthCert, func(c *cert.Template) {
		c.NotBefore, c.LastDay = time.Now().AddDate(-4, 0, 0).Truncate(time.Second), jitsuin.DateOf(time.Now()).AddDays(-2)
	})
	for _, c := range []struct {
		who              *platformtest.Person
		says, why, error string
		down             bool
	}{
		{revoked, "revoked or suspended", "revoked", "access_denied", false},
		{expired, "not within its time", "expired", "access_denied", false},
		{hanako, "cannot be told now", "status-unknown", "temporarily_unavailable", true},
	} {
		br, a := b.Browser(), newAsking()
		from := func() string {
			b.Status.Down.Store(c.down)
			defer b.Status.Down.Store(false)
			return p.answered(br, c.who, a, nil)
		}()
		got := p.turnedAway(br, from, c.says)
		if got.back.Get("error") != c.error || got.back.Has("code") || got.back.Get("state") != a.State || got.back.Get("iss") != p.issuer || strings.Contains(got.back.Encode(), c.why) {
			t.Errorf("%s: the client gets %v", c.why, got.back)
		}
		if n := b.count(`SELECT COUNT(*) FROM (SELECT body FROM feed_events WHERE topic = $1 UNION ALL SELECT body FROM feed_outbox WHERE topic = $1) l
			WHERE body LIKE '%"act":"login"%' AND body LIKE $2`, audit.Topic, `%"why":"`+c.why+`"%`); n != 1 {
			t.Errorf("%s: %d lines of the operation log say so", c.why, n)
		}
		// Nobody else goes on with it, and it does with a card that is in force.
		if page := b.Browser().Post("/openid/again", url.Values{"login": {got.login}}); page.Status != http.StatusNotFound {
			t.Errorf("another browser: HTTP %d to %q", page.Status, page.Location)
		}
		if back := p.back(br, b.Answered(br.Post("/openid/again", url.Values{"login": {got.login}}).Location, hanako)); p.redeem(a, back.Get("code"), nil).Status != http.StatusOK {
			t.Errorf("%s, and then another card: %v", c.why, back)
		}
		if page := br.Get(p.issuer + "/refused?outcome=revoked&login=" + got.login); page.Status != http.StatusNotFound {
			t.Errorf("a login that is done: HTTP %d", page.Status)
		}
	}
	if n := b.count(`SELECT COUNT(*) FROM openid_sessions`); n != 3 {
		t.Errorf("%d sessions", n)
	}
}

// What a person agreed to give is asked for again of their other card, and nothing else.
func TestTriedAgainWithWhatWasAgreed(t *testing.T) {
	b, p, _, hanako := refusing(t)
	revoked := b.Agency.Resident("失効　太郎")
	b.Agency.Revoke(jitsuin.AuthCert, revoked.Auth.Cert)
	br, a := b.Browser(), newAsking()
	_, page := p.begun(br, p.query(a, url.Values{"scope": {"openid name address"}}))
	_, login, _ := strings.Cut(page.Body, `name="login" value="`)
	login, _, _ = strings.Cut(login, `"`)
	got := p.turnedAway(br, b.Answered(br.Post("/openid/consent", url.Values{"login": {login}, "claim-name": {"yes"}}).Location, revoked), "revoked or suspended")
	away := br.Post("/openid/again", url.Values{"login": {got.login}}).Location
	if items := b.OpenRequest(away).Items; len(items) != 1 || items[0] != "name" {
		t.Errorf("asked for %v", items)
	}
	if back := p.back(br, b.Answered(away, hanako)); back.Get("code") == "" {
		t.Errorf("led back with %v", back)
	}
}

// Who says no, or lets an automated test answer, needs no page.
func TestLoginsThatComeBackWithoutAPage(t *testing.T) {
	b, p, _, hanako := refusing(t)
	br := b.Browser()
	away, _ := p.begun(br, p.query(newAsking(), nil))
	asked := b.OpenRequest(away)
	_, back := b.PostAnswer(asked, api.HolderAnswer{Txn: asked.Txn, State: asked.State, Error: "access_denied"})
	if got := p.back(br, back); got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("said no: %v", got)
	}
	b.Agency.Revoke(jitsuin.AuthCert, hanako.Auth.Cert)
	away, _ = p.begun(br, p.query(newAsking(), nil))
	asked = b.OpenRequest(away)
	s, err := asked.Challenge.ToSign().Sign(hanako.Auth.Cert, hanako.Auth.Key)
	if err != nil {
		t.Fatal(err)
	}
	_, back = b.PostAnswer(asked, api.HolderAnswer{Txn: asked.Txn, State: asked.State, Certificate: s.Certificate.Raw, Signature: s.Signature, DigestAlg: s.DigestAlg, Unattended: true})
	if got := p.back(br, back); got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("a test with a revoked card: %v", got)
	}
	if n := b.count(`SELECT COUNT(*) FROM openid_sessions`); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// A code and a pushed request end by themselves.
func TestWhatIsOver(t *testing.T) {
	b, p, other, hanako := refusing(t)
	a, code := p.coded(hanako, nil)
	b.exec(`UPDATE openid_codes SET expires_at = 1`)
	if got := p.redeem(a, code, nil); !got.is("invalid_grant") {
		t.Errorf("a code that is over: %s", got.Raw)
	}
	push := func(p *rp, a asking) string {
		form := p.query(a, url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {p.assertion(nil)}})
		got := post(t, p.issuer+"/par", form, nil)
		if got.Status != http.StatusCreated || got.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("HTTP %d %s", got.Status, got.Raw)
		}
		return got.text("request_uri")
	}
	refused := func(what string, p *rp, ref string) {
		t.Helper()
		away, last := p.begun(b.Browser(), url.Values{"client_id": {p.id}, "request_uri": {ref}})
		if away != "" || last.Status < 400 {
			t.Errorf("%s: led to %q, HTTP %d", what, away, last.Status)
		}
	}
	a = newAsking()
	ref := push(p, a)
	refused("another client's", other, ref)
	if got := p.login(b.Browser(), hanako, url.Values{"client_id": {p.id}, "request_uri": {ref}}); got.Get("code") == "" || got.Get("state") != a.State {
		t.Errorf("a pushed request: %v", got)
	}
	refused("used", p, ref)
	late := push(p, newAsking())
	b.exec(`UPDATE openid_requests SET expires_at = 1 WHERE taken_at = 0`)
	refused("late", p, late)
	must := b.relyingParty(b.tenant, func(m map[string]any) { m["require_pushed_authorization_requests"] = true })
	away, _ := must.begun(b.Browser(), must.query(newAsking(), nil))
	if u, err := url.Parse(away); err != nil || u.Query().Get("error") != "invalid_request" {
		t.Errorf("not pushed: led to %q", away)
	}
}

// count and exec look at and change what the platform has.
func (b *bank) count(query string, args ...any) (n int) {
	b.t.Helper()
	if err := b.Platform.DB.View(b.t.Context(), func(tx *store.Tx) error { return tx.QueryRow(query, args...).Scan(&n) }); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *bank) exec(query string, args ...any) {
	b.t.Helper()
	if err := b.Platform.DB.Update(b.t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
		b.t.Fatal(err)
	}
}

// A tenant that is suspended logs nobody in, redeems no code and reads no claims, at once.
func TestASuspendedTenant(t *testing.T) {
	b, p, _, hanako := refusing(t)
	a, code := p.coded(hanako, nil)
	second, kept := p.coded(hanako, nil)
	bearer := map[string]string{"Authorization": "Bearer " + p.redeem(a, code, nil).text("access_token")}
	if got := get(t, p.userinfoURL(), bearer); got.Status != http.StatusOK {
		t.Fatalf("HTTP %d %s", got.Status, got.Raw)
	}
	if _, err := httpapi.Do[api.Tenant](t.Context(), b.As("operator:1"), "POST", "/v1/tenants/tenant:bank/suspension", string(jitsuin.NewID()),
		api.Reasoned{Reason: "調査中"}); err != nil {
		t.Fatal(err)
	}
	away, _ := p.begun(b.Browser(), p.query(newAsking(), nil))
	if u, err := url.Parse(away); err != nil || u.Query().Get("error") != "unauthorized_client" {
		t.Errorf("a login is led to %q", away)
	}
	if got := p.redeem(second, kept, nil); !got.is("unauthorized_client") {
		t.Errorf("a code: HTTP %d %s", got.Status, got.Raw)
	}
	if got := get(t, p.userinfoURL(), bearer); got.Status != http.StatusBadRequest || got.text("sub") != "" {
		t.Errorf("userinfo: HTTP %d %s", got.Status, got.Raw)
	}
}
