package openid_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/platform"
	"github.com/jitsuin/jitsuin/platform/openid"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

const (
	origin   = "https://securities.example"
	redirect = origin + "/callback?from=card"
)

// bank is a world with one tenant, accredited.
type bank struct {
	*platformtest.World
	t      testing.TB
	tenant httpapi.Identity
}

func open(t testing.TB, database string, change func(*platform.Config)) *bank {
	t.Helper()
	w := platformtest.New(t, database, change)
	w.Accredit(minister.InForce)
	return &bank{w, t, w.Register("tenant:bank", origin)}
}

// rp is a relying party of the tests: it speaks the protocol by hand, so that each part of it can be made wrong.
type rp struct {
	b        *bank
	issuer   string
	id       string
	secret   string
	key      *ecdsa.PrivateKey
	register openid.Registered
	keys     *jose.JSONWebKeySet // nil where they are fetched each time
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// relyingParty registers a client of a tenant, with a key of its own unless change says something else.
func (b *bank) relyingParty(tenant httpapi.Identity, change func(map[string]any)) *rp {
	b.t.Helper()
	p := &rp{b: b, issuer: b.Origin + "/openid", key: newKey(b.t)}
	m := map[string]any{"client_name": "Shop", "redirect_uris": []string{redirect}, "scope": "openid name address birthdate gender age_over_20", "post_logout_redirect_uris": []string{origin + "/bye"},
		"jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}}}
	if change != nil {
		change(m)
	}
	c, err := httpapi.Do[openid.Registered](b.t.Context(), b.Tenant(tenant), "POST", "/v1/openid-clients", string(jitsuin.NewID()), m)
	if err != nil {
		b.t.Fatal(err)
	}
	p.id, p.secret, p.register = c.ID, c.Secret, c
	return p
}

// asking is a login as the relying party began it.
type asking struct{ State, Nonce, Verifier string }

func newAsking() asking {
	return asking{rand.Text(), rand.Text(), rand.Text() + rand.Text()}
}

func (a asking) challenge() string { return s256(a.Verifier) }

func s256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// query gives the parameters of an authorization request; change alters them.
func (p *rp) query(a asking, change url.Values) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {p.id}, "redirect_uri": {redirect}, "scope": {"openid"}, "state": {a.State}, "nonce": {a.Nonce},
		"code_challenge": {a.challenge()}, "code_challenge_method": {"S256"}}
	maps.Copy(q, change)
	maps.DeleteFunc(q, func(_ string, v []string) bool { return len(v) == 0 })
	return q
}

func (p *rp) path(plain, state string) string {
	if strings.HasSuffix(p.issuer, "/openid") {
		return p.issuer + plain
	}
	return p.issuer + state
}

func (p *rp) authorizeURL() string { return p.path("/authorize", "/protocol/openid-connect/auth") }
func (p *rp) tokenURL() string     { return p.path("/token", "/protocol/openid-connect/token") }
func (p *rp) userinfoURL() string  { return p.path("/userinfo", "/protocol/openid-connect/userinfo") }

// follow opens an address of the platform and goes on until it leads to somebody else.
func follow(b *platformtest.Browser, origin, link string) (away string, last platformtest.Page) {
	for range 6 {
		if !strings.HasPrefix(link, origin) {
			return link, last
		}
		last = b.Get(link)
		if last.Location == "" {
			return "", last
		}
		if link = last.Location; strings.HasPrefix(link, "/") {
			link = origin + link
		}
	}
	return link, last
}

// begun opens an authorization request and gives what came: an address at the holder or at the relying party, or a page.
func (p *rp) begun(b *platformtest.Browser, q url.Values) (away string, last platformtest.Page) {
	return follow(b, p.b.Origin, p.authorizeURL()+"?"+q.Encode())
}

// login logs somebody in and gives what comes to the redirect address.
func (p *rp) login(b *platformtest.Browser, who *platformtest.Person, q url.Values) url.Values {
	p.b.t.Helper()
	away, last := p.begun(b, q)
	if !strings.Contains(away, "request_uri=") {
		p.b.t.Fatalf("not led to a holder but to %q: HTTP %d %s", away, last.Status, last.Body)
	}
	return p.back(b, p.b.Answered(away, who))
}

// back follows the way back from the holder to the relying party.
func (p *rp) back(b *platformtest.Browser, from string) url.Values {
	p.b.t.Helper()
	away, last := follow(b, p.b.Origin, from)
	u, err := url.Parse(away)
	if err != nil || !strings.HasPrefix(away, redirect) {
		p.b.t.Fatalf("not led back but to %q: HTTP %d %s", away, last.Status, last.Body)
	}
	return u.Query()
}

// jws signs claims by hand.
func jws(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, claims map[string]any) string {
	t.Helper()
	o := &jose.SignerOptions{}
	for k, v := range header {
		o = o.WithHeader(k, v)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	text, err := out.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (p *rp) assertion(change map[string]any) string {
	c := map[string]any{"iss": p.id, "sub": p.id, "aud": p.tokenURL(), "jti": rand.Text(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(c, change)
	return jws(p.b.t, jose.ES256, p.key, map[jose.HeaderKey]any{"kid": "k1"}, c)
}

// proof makes a DPoP proof.
func proof(t testing.TB, key *ecdsa.PrivateKey, method, uri string, change map[string]any) string {
	c := map[string]any{"jti": rand.Text(), "htm": method, "htu": uri, "iat": time.Now().Unix()}
	maps.Copy(c, change)
	return jws(t, jose.ES256, key, map[jose.HeaderKey]any{"typ": "dpop+jwt", "jwk": jose.JSONWebKey{Key: key.Public()}}, c)
}

// grant gives the form that redeems a code; change alters it.
func (p *rp) grant(a asking, code string, change url.Values) url.Values {
	f := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {a.Verifier}}
	if p.secret == "" {
		f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		f.Set("client_assertion", p.assertion(nil))
	} else {
		f.Set("client_id", p.id)
		f.Set("client_secret", p.secret)
	}
	maps.Copy(f, change)
	maps.DeleteFunc(f, func(_ string, v []string) bool { return len(v) == 0 })
	return f
}

// answer is what an endpoint answered.
type answer struct {
	Status  int
	Header  http.Header
	Members map[string]any
	Raw     []byte
}

func (a answer) is(code string) bool { return a.Members["error"] == code }

func (a answer) text(name string) string {
	s, _ := a.Members[name].(string)
	return s
}

func do(t testing.TB, req *http.Request) (a answer) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a.Raw, err = io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a.Status, a.Header = resp.StatusCode, resp.Header
	json.Unmarshal(a.Raw, &a.Members)
	return a
}

func post(t testing.TB, link string, form url.Values, header map[string]string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, link, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	return do(t, req)
}

func get(t testing.TB, link string, header map[string]string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	return do(t, req)
}

func (p *rp) redeem(a asking, code string, change url.Values) answer {
	p.b.t.Helper()
	return post(p.b.t, p.tokenURL(), p.grant(a, code, change), nil)
}

// published fetches the provider's keys.
func (p *rp) published() *jose.JSONWebKeySet {
	p.b.t.Helper()
	set := &jose.JSONWebKeySet{}
	if err := json.Unmarshal(get(p.b.t, p.path("/jwks", "/protocol/openid-connect/certs"), nil).Raw, set); err != nil {
		p.b.t.Fatal(err)
	}
	return set
}

// claims reads an ID token with the published keys.
func (p *rp) claims(idToken string) map[string]any {
	p.b.t.Helper()
	set := p.keys
	if set == nil {
		set = p.published()
	}
	token, err := jose.ParseSignedCompact(idToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		p.b.t.Fatal(err)
	}
	payload, err := token.Verify(set.Key(token.Signatures[0].Protected.KeyID)[0].Key)
	if err != nil {
		p.b.t.Fatal(err)
	}
	var c map[string]any
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&c); err != nil {
		p.b.t.Fatal(err)
	}
	return c
}

// A resident logs in at a client with private_key_jwt, and again with the next certificate: it is the same user.
func TestAResidentLogsInByOpenIDConnect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db string) {
		b := open(t, db, nil)
		p, hanako := b.relyingParty(b.tenant, nil), b.Agency.Resident("霧島　花子")
		var subs []string
		for range 2 {
			a := newAsking()
			back := p.login(b.Browser(), hanako, p.query(a, url.Values{"acr_values": {"aal3"}}))
			if back.Get("state") != a.State || back.Get("iss") != p.issuer || back.Get("code") == "" || back.Get("from") != "card" {
				t.Fatalf("came back with %v", back)
			}
			got := p.redeem(a, back.Get("code"), nil)
			if got.Status != http.StatusOK || got.text("token_type") != "Bearer" || got.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("HTTP %d %s", got.Status, got.Raw)
			}
			c := p.claims(got.text("id_token"))
			half := sha256.Sum256([]byte(got.text("access_token")))
			for name, want := range map[string]any{"iss": p.issuer, "aud": p.id, "nonce": a.Nonce, "acr": "aal3", "at_hash": base64.RawURLEncoding.EncodeToString(half[:16])} {
				if c[name] != want {
					t.Errorf("%s is %v, want %v", name, c[name], want)
				}
			}
			if age := time.Now().Unix() - int64(c["auth_time"].(float64)); age < 0 || age > 60 || c["name"] != nil {
				t.Errorf("auth_time is %d seconds ago; claims %v", age, c)
			}
			who := get(t, p.userinfoURL(), map[string]string{"Authorization": "Bearer " + got.text("access_token")})
			if who.Status != http.StatusOK || who.text("sub") != c["sub"] || len(who.Members) != 1 {
				t.Errorf("userinfo: HTTP %d %s", who.Status, who.Raw)
			}
			subs = append(subs, c["sub"].(string))
			b.Agency.Reissue(hanako, jitsuin.AuthCert, nil)
		}
		if subs[0] != subs[1] || subs[0] == "" {
			t.Errorf("the subject was %s and is %s", subs[0], subs[1])
		}
		if strings.Contains(b.Log.String(), p.secret) && p.secret != "" {
			t.Error("the log has the secret")
		}
	})
}
