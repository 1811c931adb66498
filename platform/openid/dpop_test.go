package openid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// bound redeems a code with a proof.
func (p *rp) bound(a asking, code, proof string) answer {
	p.b.t.Helper()
	return post(p.b.t, p.tokenURL(), p.grant(a, code, nil), map[string]string{"DPoP": proof})
}

// A token that is bound to a key is good with a fresh proof of it, and each near copy is refused.
func TestTokensThatAreBoundToAKey(t *testing.T) {
	b, _, _, hanako := refusing(t)
	p := b.relyingParty(b.tenant, func(m map[string]any) { m["dpop_bound_access_tokens"] = true })
	key, thief, now := newKey(t), newKey(t), time.Now()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	a, code := p.coded(hanako, nil)
	if got := p.redeem(a, code, nil); !got.is("invalid_dpop_proof") {
		t.Errorf("without a proof: %s", got.Raw)
	}
	used := proof(t, key, "POST", p.tokenURL(), nil)
	p.bound(a, "x", used)
	head := func(alg jose.SignatureAlgorithm, k any, h map[jose.HeaderKey]any) string {
		return jws(t, alg, k, h, map[string]any{"jti": "1", "htm": "POST", "htu": p.tokenURL(), "iat": now.Unix()})
	}
	jwk := jose.JSONWebKey{Key: key.Public()}
	for what, text := range map[string]string{
		"used before":          used,
		"for another method":   proof(t, key, "GET", p.tokenURL(), nil),
		"for another address":  proof(t, key, "POST", p.userinfoURL(), nil),
		"old":                  proof(t, key, "POST", p.tokenURL(), map[string]any{"iat": now.Add(-time.Hour).Unix()}),
		"of the future":        proof(t, key, "POST", p.tokenURL(), map[string]any{"iat": now.Add(time.Hour).Unix()}),
		"without an id":        proof(t, key, "POST", p.tokenURL(), map[string]any{"jti": nil}),
		"of another type":      head(jose.ES256, key, map[jose.HeaderKey]any{"typ": "JWT", "jwk": jwk}),
		"without its key":      head(jose.ES256, key, map[jose.HeaderKey]any{"typ": "dpop+jwt"}),
		"signed by another":    head(jose.ES256, thief, map[jose.HeaderKey]any{"typ": "dpop+jwt", "jwk": jwk}),
		"with the private key": head(jose.ES256, key, map[jose.HeaderKey]any{"typ": "dpop+jwt", "jwk": jose.JSONWebKey{Key: key}}),
		"HMAC":                 head(jose.HS256, spki, map[jose.HeaderKey]any{"typ": "dpop+jwt", "jwk": jwk}),
		"no JWT":               "x",
	} {
		if got := p.bound(a, code, text); !got.is("invalid_dpop_proof") {
			t.Errorf("%s: HTTP %d %s", what, got.Status, got.Raw)
		}
	}
	got := p.bound(a, code, proof(t, key, "POST", p.tokenURL(), nil))
	if got.Status != http.StatusOK || got.text("token_type") != "DPoP" {
		t.Fatalf("HTTP %d %s", got.Status, got.Raw)
	}
	p.usedByItsKeyAlone(t, key, got.text("access_token"))
}

func (p *rp) usedByItsKeyAlone(t *testing.T, ec *ecdsa.PrivateKey, token string) {
	t.Helper()
	ath := map[string]any{"ath": s256(token)}
	once := proof(t, ec, "GET", p.userinfoURL(), ath)
	ask := func(scheme, proof string) answer {
		h := map[string]string{"Authorization": scheme + " " + token}
		if proof != "" {
			h["DPoP"] = proof
		}
		return get(t, p.userinfoURL(), h)
	}
	if who := ask("DPoP", once); who.Status != http.StatusOK || who.text("sub") == "" {
		t.Errorf("with its key: HTTP %d %s", who.Status, who.Raw)
	}
	for what, got := range map[string]answer{
		"the proof again":     ask("DPoP", once),
		"as a bearer":         ask("Bearer", ""),
		"bearer with a proof": ask("Bearer", proof(t, ec, "GET", p.userinfoURL(), ath)),
		"without a proof":     ask("DPoP", ""),
		"of another token":    ask("DPoP", proof(t, ec, "GET", p.userinfoURL(), map[string]any{"ath": s256("x")})),
		"of no token":         ask("DPoP", proof(t, ec, "GET", p.userinfoURL(), nil)),
		"with another key":    ask("DPoP", proof(t, newKey(t), "GET", p.userinfoURL(), ath)),
	} {
		if got.Status != http.StatusUnauthorized && got.Status != http.StatusBadRequest || got.text("sub") != "" || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: HTTP %d %s", what, got.Status, got.Raw)
		}
	}
}

// A code that was asked for with a key's thumbprint is redeemed with that key alone.
func TestCodesThatAreBoundToAKey(t *testing.T) {
	_, p, _, hanako := refusing(t)
	key := newKey(t)
	a, code := p.coded(hanako, url.Values{"dpop_jkt": {thumbprint(t, key)}})
	if got := p.redeem(a, code, nil); !got.is("invalid_dpop_proof") {
		t.Errorf("without a key: %s", got.Raw)
	}
	if got := p.bound(a, code, proof(t, newKey(t), "POST", p.tokenURL(), nil)); !got.is("invalid_dpop_proof") {
		t.Errorf("with another key: %s", got.Raw)
	}
	if got := p.bound(a, code, proof(t, key, "POST", p.tokenURL(), nil)); got.Status != http.StatusOK {
		t.Errorf("with the key: %s", got.Raw)
	}
	// Pushed with a proof, the request is bound to its key.
	a = newAsking()
	form := p.query(a, url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {p.assertion(nil)}})
	pushed := post(t, p.issuer+"/par", form, map[string]string{"DPoP": proof(t, key, "POST", p.issuer+"/par", nil)})
	back := p.login(p.b.Browser(), hanako, url.Values{"client_id": {p.id}, "request_uri": {pushed.text("request_uri")}})
	if got := p.bound(a, back.Get("code"), proof(t, newKey(t), "POST", p.tokenURL(), nil)); !got.is("invalid_dpop_proof") {
		t.Errorf("pushed, with another key: %s", got.Raw)
	}
	if got := p.bound(a, back.Get("code"), proof(t, key, "POST", p.tokenURL(), nil)); got.Status != http.StatusOK {
		t.Errorf("pushed: %s", got.Raw)
	}
}

func thumbprint(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}
