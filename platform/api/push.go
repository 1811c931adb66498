package api

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
)

// A pushed event is a Security Event Token (RFC 8417) that is delivered as RFC 8935 says: the body of the POST is
// one compact JWS (ES256) that holds the event, for whom it is, when it was sent and a jti of its own. We chose it
// over headers beside a body (Standard Webhooks, RFC 9421) because nothing that counts can be outside of
// the signature, and because of the platform's published key there is no secret that both sides must keep. Each
// attempt is a token of its own with another jti, as RFC 8417 wants; what stays the same is the event in it,
// whose id is the token's txn. So a repetition by the platform and a replay by somebody else are told apart.

// TypePush is the JWS header typ of a pushed event, MediaTypePush the Content-Type it comes with.
const (
	TypePush      = "secevent+jwt"
	MediaTypePush = "application/secevent+jwt"
)

// PushLife is how old a pushed event may be when it arrives; PushSkew by how much clocks may differ.
const (
	PushLife = 5 * time.Minute
	PushSkew = 30 * time.Second
)

// MaxPush is the largest pushed event, in bytes.
const MaxPush = 64 << 10

// pushEvent begins the URI that names an event's type in the claim events.
const pushEvent = "urn:jitsuin:event:"

// Push is one delivery of an event.
type Push struct {
	ID    jitsuin.ID // jti: of this delivery alone
	At    time.Time  // iat, wall time
	Event Event
}

// WebhookChallenge is sent once to an address that a tenant names: it proves to be the tenant's by answering 200
// with this same JSON.
type WebhookChallenge struct {
	Challenge string `json:"challenge"`
}

// PushRefusal is what an address answers (400) to what it refuses: Err is a code of RFC 8935 §2.4.
type PushRefusal struct {
	Err         string `json:"err"`
	Description string `json:"description,omitempty"`
}

type pushClaims struct {
	Issuer   string           `json:"iss"`
	Audience string           `json:"aud"`
	ID       jitsuin.ID       `json:"jti"`
	IssuedAt int64            `json:"iat"`
	Txn      jitsuin.ID       `json:"txn"`
	Events   map[string]Event `json:"events"`
}

// KeyID names a key: its thumbprint (RFC 7638, SHA-256).
func KeyID(key *ecdsa.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}

// SignPush writes an event for a tenant as a delivery with an id of its own; now is wall time.
func SignPush(e Event, issuer, tenant string, id jitsuin.ID, key *ecdsa.PrivateKey, now time.Time) (string, error) {
	payload, err := json.Marshal(pushClaims{Issuer: issuer, Audience: tenant, ID: id, IssuedAt: now.Unix(), Txn: e.ID, Events: map[string]Event{pushEvent + e.Type: e}})
	if err != nil {
		return "", err
	}
	kid, err := KeyID(&key.PublicKey)
	if err != nil {
		return "", err
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, (&jose.SignerOptions{}).WithType(TypePush))
	if err != nil {
		return "", err
	}
	signed, err := s.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// OpenPush checks a delivery and gives the event in it: signed by the platform issuer with a key that keyOf gives for its
// id, meant for the tenant, and of now. It keeps no memory: whether the delivery came before, its caller must look up
// by Push.ID. Errors: Invalid "push-form", Denied "push-signature", "push-issuer" and "push-audience", Expired
// "push-old", Invalid "push-early"; those of keyOf as they are.
func OpenPush(raw, issuer, tenant string, keyOf func(kid string) (*ecdsa.PublicKey, error), now time.Time) (Push, error) {
	refuse := func(kind jitsuin.Kind, code, text string, args ...any) (Push, error) {
		return Push{}, jitsuin.Errorf(kind, code, text, args...)
	}
	if len(raw) > MaxPush {
		return refuse(jitsuin.Invalid, "push-form", "what was sent has more than %d bytes", MaxPush)
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != TypePush {
		return refuse(jitsuin.Invalid, "push-form", "what was sent is no security event token signed with ES256")
	}
	key, err := keyOf(jws.Signatures[0].Protected.KeyID)
	if err != nil {
		return Push{}, err
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return refuse(jitsuin.Denied, "push-signature", "the platform has not signed what was sent")
	}
	var c pushClaims
	if err := json.Unmarshal(payload, &c); err != nil || len(c.Events) != 1 {
		return refuse(jitsuin.Invalid, "push-form", "the token does not hold one event")
	}
	sent := time.Unix(c.IssuedAt, 0)
	switch {
	case c.Issuer != issuer:
		return refuse(jitsuin.Denied, "push-issuer", "the event is not of %s", issuer)
	case c.Audience != tenant:
		return refuse(jitsuin.Denied, "push-audience", "the event is not for %s", tenant)
	case now.Sub(sent) > PushLife+PushSkew:
		return refuse(jitsuin.Expired, "push-old", "the event was sent more than %s ago", PushLife)
	case sent.Sub(now) > PushSkew:
		return refuse(jitsuin.Invalid, "push-early", "the event is from the future; compare the clocks")
	}
	p := Push{ID: c.ID, At: sent}
	for name, e := range c.Events {
		if p.Event = e; name != pushEvent+e.Type || e.ID != c.Txn || e.ID == "" || c.ID == "" {
			return refuse(jitsuin.Invalid, "push-form", "the token names another event than it holds")
		}
	}
	return p, nil
}

// WebhookRequest names the address to which a tenant's events are pushed.
type WebhookRequest struct {
	URL string `json:"url" minLength:"1" maxLength:"500" doc:"https; no user, no fragment"`
}

// Webhook is how pushing to a tenant's address fares. Times are wall time.
type Webhook struct {
	URL     string     `json:"url"`
	Since   time.Time  `json:"since" doc:"when the address proved to be the tenant's"`
	Sent    int64      `json:"sent" doc:"number of the last event that the address has taken"`
	Waiting int64      `json:"waiting" doc:"events that neither the address has taken nor a poll has acknowledged"`
	Tries   int        `json:"tries" doc:"how often the next event was sent in vain"`
	NextTry *time.Time `json:"next_try,omitempty"`
	Stopped bool       `json:"stopped" doc:"nothing is pushed any more until the address is named again; the events wait for a poll"`
	Problem string     `json:"problem,omitempty" doc:"what came of the last try"`
}
