package openid

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/web"
)

func hashed(s string) string { return web.Hash(s) }

// caller is a client that proved who it is.
type caller struct {
	client client
	seen   *seen // of its assertion, nil for none
	grant  grant // of the code that it brings to the token endpoint
	wrong  error // what is wrong with that code: it is none of its own, or its login is over
}

// seen is a proof that is taken once.
type seen struct {
	kind, digest string
	expiresAt    time.Time
}

func seenOf(kind, who, id string, until time.Time) *seen {
	sum := sha256.Sum256([]byte(who + "\x00" + id))
	return &seen{kind, hex.EncodeToString(sum[:]), until}
}

// mark notes that a proof was used, in whichever way the request goes on; used where it was before.
func (s *seen) mark(tx *store.Tx) (used bool, err error) {
	if s == nil {
		return false, nil
	}
	done, err := tx.Exec(`INSERT INTO openid_seen (kind, digest, expires_at) VALUES ($1, $2, $3) ON CONFLICT (kind, digest) DO NOTHING`, s.kind, s.digest, store.Micros(s.expiresAt))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 0, err
}

// takeSeen marks the proofs of a request that changes nothing else.
func (p *Provider) takeSeen(ctx context.Context, assertion, proof *seen) error {
	if assertion == nil && proof == nil {
		return nil
	}
	var wrong error
	err := p.DB.Update(ctx, func(tx *store.Tx) (err error) {
		wrong, err = markBoth(tx, assertion, proof)
		return err
	})
	if err != nil {
		return err
	}
	return wrong
}

func markBoth(tx *store.Tx, assertion, proof *seen) (wrong, err error) {
	used, err := assertion.mark(tx)
	if err != nil {
		return nil, err
	}
	if used {
		wrong = fault(invalidClient, "the assertion was used before")
	}
	if used, err = proof.mark(tx); err == nil && used && wrong == nil {
		wrong = fault(invalidDPoP, "the proof was used before")
	}
	return wrong, err
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// called gives the parameters of a client's request and who it is. A client proves itself in the one way that it registered.
func (p *Provider) called(r *http.Request, i issuer, path string) (in map[string]string, who caller, err error) {
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(t), "application/x-www-form-urlencoded") {
		return nil, who, fault(invalidRequest, "the request is a form, application/x-www-form-urlencoded")
	}
	if r.ParseForm() != nil {
		return nil, who, fault(invalidRequest, "the form cannot be read")
	}
	if in, err = single(r.PostForm); err != nil {
		return nil, who, err
	}
	id, secret, basic, err := basicOf(r)
	if err != nil {
		return nil, who, err
	}
	method := AuthPublic
	ways := 0
	for m, is := range map[string]bool{AuthBasic: basic, AuthPost: in["client_secret"] != "", AuthKey: in["client_assertion"] != "" || in["client_assertion_type"] != ""} {
		if is {
			method, ways = m, ways+1
		}
	}
	if ways > 1 {
		return nil, who, fault(invalidRequest, "the client proves itself in more than one way")
	}
	switch method {
	case AuthKey:
		id, err = subjectOf(in["client_assertion"])
	case AuthPost:
		id, secret = in["client_id"], in["client_secret"]
	case AuthPublic:
		id = in["client_id"]
	}
	if err != nil || id == "" || in["client_id"] != "" && in["client_id"] != id {
		return nil, who, fault(invalidClient, "the client does not say who it is, or says two things")
	}
	var standing error
	who.client, standing, err = p.clientNow(r.Context(), id, func(tx *store.Tx, c client) (err error) {
		if in["code"] == "" || path != i.token {
			return nil
		}
		// What is wrong with a code is told to who proves to be the client, and to nobody before.
		who.grant, err = findGrant(tx, hashed(in["code"]), c)
		who.wrong = nil
		switch {
		case errors.Is(err, sql.ErrNoRows):
			who.wrong, err = errCode, nil
		case errors.Is(err, errSessionOver):
			who.wrong, err = err, nil
		}
		return err
	})
	if jitsuin.KindOf(err) == jitsuin.NotFound && err != nil || err == nil && who.client.meta.AuthMethod != method {
		return nil, who, fault(invalidClient, "the client is unknown, or does not prove itself in this way")
	}
	if err != nil {
		return nil, who, err
	}
	switch method {
	case AuthBasic, AuthPost:
		if subtle.ConstantTimeCompare([]byte(hashed(secret)), []byte(who.client.secret)) != 1 {
			return nil, who, fault(invalidClient, "the client's secret is not right")
		}
	case AuthKey:
		if who.seen, err = p.assertion(i, path, who.client, in); err != nil {
			return nil, who, err
		}
	}
	if err := p.Host.Spend(who.client.tenant, method != AuthPublic); err != nil {
		return nil, who, err
	}
	return in, who, standing
}

// basicOf reads the header of client_secret_basic, whose parts are form-encoded (RFC 6749 §2.3.1).
func basicOf(r *http.Request) (id, secret string, ok bool, err error) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false, nil
	}
	rawID, rawSecret, ok := r.BasicAuth()
	if ok {
		if id, err = url.QueryUnescape(rawID); err == nil {
			secret, err = url.QueryUnescape(rawSecret)
		}
	}
	if !ok || err != nil || id == "" {
		return "", "", true, fault(invalidClient, "the header Authorization cannot be read")
	}
	return id, secret, true, nil
}

// claimsOfAssertion are those of RFC 7523 §3.
type claimsOfAssertion struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	ID        string   `json:"jti"`
	Expires   float64  `json:"exp"`
	IssuedAt  float64  `json:"iat"`
	NotBefore float64  `json:"nbf"`
}

// audience is one text or several.
type audience []string

func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}

// subjectOf reads, without believing it, who an assertion is said to be of.
func subjectOf(assertion string) (string, error) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || len(assertion) > 8000 {
		return "", fault(invalidClient, "client_assertion is no JWT")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c claimsOfAssertion
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return "", fault(invalidClient, "client_assertion is no JWT")
	}
	return c.Subject, nil
}

// assertion checks a client's assertion (RFC 7523; OpenID Connect Core §9). Its aud is the issuer, or the endpoint that it is sent to.
func (p *Provider) assertion(i issuer, path string, c client, in map[string]string) (*seen, error) {
	refuse := func(why string) (*seen, error) { return nil, fault(invalidClient, "client_assertion: %s", why) }
	if in["client_assertion_type"] != assertionType {
		return refuse("client_assertion_type is " + assertionType)
	}
	algs := assertionAlgs
	if c.meta.AssertionAlg != "" {
		algs = []jose.SignatureAlgorithm{jose.SignatureAlgorithm(c.meta.AssertionAlg)}
	}
	jws, err := jose.ParseSignedCompact(in["client_assertion"], algs)
	if err != nil {
		return refuse("it is no JWT signed with " + strings.Join(names(algs), ", "))
	}
	payload, ok := verifiedBy(jws, c.meta.JWKS)
	if !ok {
		return refuse("it is not signed with a key of this client")
	}
	var a claimsOfAssertion
	if json.Unmarshal(payload, &a) != nil || a.Issuer != c.id || a.Subject != c.id {
		return refuse("iss and sub are the client's id")
	}
	if !slices.ContainsFunc(a.Audience, func(s string) bool {
		return s == p.url(i, "") || s == p.url(i, path) || s == p.url(i, i.token)
	}) {
		return refuse("aud is not this issuer or this endpoint")
	}
	now, until := p.Now(), time.Unix(int64(a.Expires), 0)
	switch {
	case a.ID == "" || len(a.ID) > 256:
		return refuse("jti is missing")
	case a.Expires == 0 || !now.Before(until.Add(proofWindow)):
		return refuse("it has expired")
	case until.Sub(now) > time.Hour+proofWindow:
		return refuse("it lasts for more than an hour")
	case a.NotBefore > float64(now.Add(proofWindow).Unix()) || a.IssuedAt > float64(now.Add(proofWindow).Unix()):
		return refuse("it is not valid yet")
	}
	return seenOf("assertion", c.id, a.ID, until.Add(2*proofWindow)), nil
}

// verifiedBy gives the payload, if one of the keys made the signature: the one that the header names, or any where it names none.
func verifiedBy(jws *jose.JSONWebSignature, keys *jose.JSONWebKeySet) ([]byte, bool) {
	if keys == nil || len(jws.Signatures) != 1 {
		return nil, false
	}
	h := jws.Signatures[0].Protected
	for _, k := range keys.Keys {
		if h.KeyID != "" && k.KeyID != "" && k.KeyID != h.KeyID || k.Algorithm != "" && k.Algorithm != h.Algorithm || k.Use != "" && k.Use != "sig" {
			continue
		}
		if payload, err := jws.Verify(k.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}
