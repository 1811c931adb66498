package openid

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
)

// amr of a login with the card: a key in hardware, opened with its PIN (RFC 8176).
var amr = []string{"hwk", "pin", "mfa"}

// idToken makes the ID token of a login (OpenID Connect Core §2, §3.1.3.6).
func (p *Provider) idToken(ctx context.Context, c client, q request, o session, g given, accessToken string) (string, error) {
	now := p.Now()
	half := sha256.Sum256([]byte(accessToken))
	claims := map[string]any{"iss": p.url(q.issuer, ""), "sub": o.user, "aud": c.id, "iat": now.Unix(), "exp": now.Add(idTokenLife).Unix(), "auth_time": o.authTime.Unix(),
		"acr": o.acr, "amr": amr, "sid": o.id, "jti": string(jitsuin.NewID()), "at_hash": base64.RawURLEncoding.EncodeToString(half[:16])}
	if q.params.Nonce != "" {
		claims["nonce"] = q.params.Nonce
	}
	var here []string
	for _, a := range q.params.Agreed {
		if a.IDToken {
			here = append(here, a.Name)
		}
	}
	maps.Copy(claims, g.forClient(q.issuer, here))
	raw, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return p.sign(ctx, "JWT", raw)
}

// hinted is what an id_token_hint tells.
type hinted struct {
	Issuer  string   `json:"iss"`
	Subject string   `json:"sub"`
	Aud     audience `json:"aud"`
	SID     string   `json:"sid"`

	client string
}

// hint reads an ID token of ours that came back; it may have expired. Logout tokens and whatever else we sign is none.
func (p *Provider) hint(i issuer, raw string) (h hinted, err error) {
	refuse := fault(invalidRequest, "id_token_hint is no ID token of this issuer")
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(jws.Signatures) != 1 || jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != "JWT" {
		return h, refuse
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := p.known(ctx)
	if err != nil {
		return h, err
	}
	for _, k := range all {
		if k.kid != jws.Signatures[0].Protected.KeyID {
			continue
		}
		payload, err := jws.Verify(k.key.Public())
		if err != nil || json.Unmarshal(payload, &h) != nil || h.Issuer != p.url(i, "") || len(h.Aud) != 1 || h.SID == "" {
			return hinted{}, refuse
		}
		h.client = h.Aud[0]
		return h, nil
	}
	return h, refuse
}
