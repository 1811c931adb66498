package openid

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// proved is a proof of possession: the thumbprint of its key, "" where there is none.
type proved struct {
	jkt  string
	seen *seen
}

// proof checks the header DPoP of a request (RFC 9449 §4.3); token is the access token that comes with it, "" for none. Whether the proof
// is new is told by its seen.
func (p *Provider) proof(r *http.Request, i issuer, path, token string) (proved, error) {
	all := r.Header.Values("DPoP")
	if len(all) == 0 {
		return proved{}, nil
	}
	refuse := func(why string) (proved, error) { return proved{}, fault(invalidDPoP, "DPoP: %s", why) }
	if len(all) > 1 || len(all[0]) > 4000 {
		return refuse("there is one proof in a request")
	}
	jws, err := jose.ParseSignedCompact(all[0], assertionAlgs)
	if err != nil || len(jws.Signatures) != 1 {
		return refuse("it is no JWT signed with " + strings.Join(names(assertionAlgs), ", "))
	}
	h := jws.Signatures[0].Protected
	if h.ExtraHeaders[jose.HeaderType] != "dpop+jwt" {
		return refuse("its typ is dpop+jwt")
	}
	if h.JSONWebKey == nil || !h.JSONWebKey.Valid() || !h.JSONWebKey.IsPublic() || !strong(h.JSONWebKey.Key) {
		return refuse("its jwk is a public key, EC on P-256 or P-384, Ed25519 or RSA of at least 2048 bits")
	}
	payload, err := jws.Verify(h.JSONWebKey.Key)
	if err != nil {
		return refuse("it is not signed with its jwk")
	}
	var c struct {
		ID       string  `json:"jti"`
		Method   string  `json:"htm"`
		URI      string  `json:"htu"`
		IssuedAt float64 `json:"iat"`
		Hash     string  `json:"ath"`
	}
	now := p.Now()
	switch {
	case json.Unmarshal(payload, &c) != nil || c.ID == "" || len(c.ID) > 256:
		return refuse("jti is missing")
	case c.Method != r.Method || !sameURI(c.URI, p.url(i, path)):
		return refuse("htm and htu name another request")
	case time.Unix(int64(c.IssuedAt), 0).Before(now.Add(-maxProofAge)) || time.Unix(int64(c.IssuedAt), 0).After(now.Add(proofWindow)):
		return refuse("iat is not now")
	case token != "" && subtle.ConstantTimeCompare([]byte(c.Hash), []byte(sha256URL(token))) != 1:
		return refuse("ath names another access token")
	}
	sum, err := h.JSONWebKey.Thumbprint(crypto.SHA256)
	if err != nil {
		return refuse("its jwk has no thumbprint")
	}
	jkt := base64.RawURLEncoding.EncodeToString(sum)
	return proved{jkt, seenOf("dpop", jkt, c.ID, now.Add(maxProofAge+2*proofWindow))}, nil
}

func sha256URL(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sameURI compares without query and fragment, as RFC 9449 §4.3 has it.
func sameURI(given, ours string) bool {
	a, err := url.Parse(given)
	if err != nil {
		return false
	}
	a.RawQuery, a.Fragment, a.ForceQuery = "", "", false
	a.Host, a.Scheme = strings.ToLower(a.Host), strings.ToLower(a.Scheme)
	if host, ok := strings.CutSuffix(a.Host, ":443"); ok && a.Scheme == "https" {
		a.Host = host
	}
	return a.String() == ours
}
