package platform_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/platformtest"
)

// adapters stands in the table of routes and roles for a tenant's adapter token, which no role there has.
const adapters = "adapter"

func init() {
	access["POST /v1/adapter-tokens"], access["GET /v1/adapter-tokens"], access["DELETE /v1/adapter-tokens/{id}"] = tenants, tenants, tenants
	for _, path := range []string{"VerificationService/Verify", "VerificationService/GetVerification", "UserService/GetUser", "UserService/CheckUserStatus",
		"CertificateService/GetCertificate", "CertificateService/CheckCertificateStatus"} {
		access["POST /adapters/verify-v2/pocketsign.verify.v2."+path] = adapters
	}
	access["POST /adapters/verify-v2/{service}/{method}"] = adapters
	for _, action := range []string{"registration", "login", "replacement"} {
		access["POST /adapters/mynumbercard-idp/verify/"+action] = adapters
	}
	access["GET /adapters/mynumbercard-idp/key/jwks.json"] = everybody
}

// token makes an adapter token for a tenant.
func (b *bank) token(tenant httpapi.Identity, scopes ...string) string {
	b.t.Helper()
	var t api.AdapterToken
	if err := b.once(tenant, "/v1/adapter-tokens", string(jitsuin.NewID()), api.AdapterTokenRequest{Name: "店", Scopes: scopes}, &t); err != nil || t.Token == "" {
		b.t.Fatalf("%+v, %v", t, err)
	}
	return t.Token
}

// madeToken makes a token and gives its id.
func (b *bank) madeToken(tenant httpapi.Identity) string {
	b.t.Helper()
	var t api.AdapterToken
	if err := b.once(tenant, "/v1/adapter-tokens", string(jitsuin.NewID()), api.AdapterTokenRequest{Name: "店", Scopes: []string{api.ScopeVerify}}, &t); err != nil {
		b.t.Fatal(err)
	}
	return string(t.ID)
}

// rawSign has a key sign a text's digest, as a card does.
func rawSign(t *testing.T, c platformtest.Credential, text string) (digest, value []byte) {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	value, err := c.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return sum[:], value
}

// raw sends a request as it stands, and gives the status, the headers and the body.
func (b *bank) raw(path, authorization, contentType string, body []byte) (int, http.Header, []byte) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.Origin+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, raw
}

func TestAdapterTokens(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		b := open(t, url, nil)
		other := b.Register("tenant:other", origin)
		key := string(jitsuin.NewID())
		ask := api.AdapterTokenRequest{Name: "店", Scopes: []string{api.ScopeVerify}}
		var first, again api.AdapterToken
		if err := b.once(b.tenant, "/v1/adapter-tokens", key, ask, &first); err != nil || !strings.HasPrefix(first.Token, "jad_") || len(first.Token) != 4+43 || first.Purpose != "contract" {
			t.Fatalf("%+v, %v", first, err)
		}
		if err := b.once(b.tenant, "/v1/adapter-tokens", key, ask, &again); err != nil || again.ID != first.ID || again.Token != "" {
			t.Errorf("the token was told twice: %+v, %v", again, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM api_request WHERE result LIKE '%jad!_%' ESCAPE '!'`) + b.count(`SELECT COUNT(*) FROM adapter_tokens WHERE digest = $1`, first.Token); n != 0 {
			t.Errorf("the token lies in %d rows", n)
		}
		list := func(tenant httpapi.Identity) (l api.AdapterTokens) {
			t.Helper()
			l, err := httpapi.Do[api.AdapterTokens](t.Context(), b.Tenant(tenant), "GET", "/v1/adapter-tokens", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		if mine, theirs := list(b.tenant), list(other); len(mine.Tokens) != 1 || mine.Tokens[0].Token != "" || len(theirs.Tokens) != 0 {
			t.Errorf("lists %+v and %+v", mine, theirs)
		}
		for what, r := range map[string]api.AdapterTokenRequest{
			"an unknown scope":   {Name: "x", Scopes: []string{"everything"}},
			"a scope twice":      {Name: "x", Scopes: []string{"verify", "verify"}},
			"no scope":           {Name: "x"},
			"for ever":           {Name: "x", Scopes: []string{"verify"}, Days: 4000},
			"an unknown purpose": {Name: "x", Scopes: []string{"verify"}, Purpose: "marketing"},
		} {
			if err := b.once(b.tenant, "/v1/adapter-tokens", string(jitsuin.NewID()), r, nil); jitsuin.KindOf(err) != jitsuin.Invalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		revoke := func(tenant httpapi.Identity, id jitsuin.ID) error {
			_, err := httpapi.Do[api.AdapterToken](t.Context(), b.Tenant(tenant), "DELETE", "/v1/adapter-tokens/"+string(id), string(jitsuin.NewID()), nil)
			return err
		}
		code(t, revoke(other, first.ID), jitsuin.NotFound, "token-unknown")
		code(t, revoke(b.tenant, jitsuin.NewID()), jitsuin.NotFound, "token-unknown")
		const path = "/adapters/verify-v2/pocketsign.verify.v2.VerificationService/GetVerification"
		asked := func() (int, string) {
			status, _, raw := b.raw(path, "Bearer "+first.Token, "application/json", []byte(`{"verificationId":"x"}`))
			var e struct{ Code string }
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			return status, e.Code
		}
		if status, c := asked(); status != 404 || c != "not_found" {
			t.Errorf("a good token: %d %s", status, c)
		}
		for range 2 {
			if err := revoke(b.tenant, first.ID); err != nil {
				t.Error(err)
			}
		}
		if status, c := asked(); status != 401 || c != "unauthenticated" {
			t.Errorf("a revoked token: %d %s", status, c)
		}
		if n := b.count(`SELECT COUNT(*) FROM adapter_tokens WHERE revoked_at <> 0`); n != 1 {
			t.Errorf("%d are revoked", n)
		}
	})
}

// An adapter's token opens no route but the adapters', and a tenant's access token opens none of theirs.
func TestAdapterTokensAreForAdaptersAlone(t *testing.T) {
	t.Parallel()
	b := open(t, "sqlite::memory:", nil)
	token := b.token(b.tenant, api.ScopeVerify, api.ScopeLegacyNonce)
	for _, r := range b.Platform.API.Routes() {
		if r.Method == "" || strings.HasPrefix(r.Path, "/adapters/") {
			continue
		}
		req, err := http.NewRequest(r.Method, b.Origin+strings.NewReplacer("{id}", "0123456789abcdef0123456789abcdef").Replace(r.Path), strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s answered %s", r.Method, r.Path, resp.Status)
		}
	}
	for _, authorization := range []string{"", "Bearer x", "Bearer jad_" + strings.Repeat("A", 43), "Basic " + base64.StdEncoding.EncodeToString([]byte("x:y"))} {
		status, _, raw := b.raw("/adapters/verify-v2/pocketsign.verify.v2.VerificationService/Verify", authorization, "application/json", []byte("{}"))
		if status != 401 || !strings.Contains(string(raw), `"code":"unauthenticated"`) {
			t.Errorf("verify-v2 with %q: %d %s", authorization, status, raw)
		}
		status, h, raw := b.raw("/adapters/mynumbercard-idp/verify/login", authorization, "application/json", []byte("{}"))
		if status != 401 || !strings.HasPrefix(h.Get("WWW-Authenticate"), "Basic ") || !strings.Contains(string(raw), `"status":"FAILED"`) {
			t.Errorf("mynumbercard-idp with %q: %d %s", authorization, status, raw)
		}
	}
	if strings.Contains(b.Log.String(), token) {
		t.Error("the log has the token")
	}
}
