package api

import (
	"crypto/ecdsa"
	"encoding/json"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
)

// How a page reaches a card. A relying party never touches the card: it has the platform make a signed
// request (who asks, what for, what is to be signed, where the answer goes), and leads the person's browser to
// their holder with it. The holder fetches and checks the request, shows it in plain words, asks for the PIN, and
// posts the answer to the relying party, which names the page to which the person returns.

// TypeRequest is the JWS header typ of a request to the holder.
const TypeRequest = "jitsuin-request+jwt"

// RequestLife is how long a request may be answered, wall time.
const RequestLife = 15 * time.Minute

// Act is what the holder is asked for.
type Act string

const (
	ActSign  Act = "sign"  // documents, with the signature key (署名用電子証明書)
	ActLogin Act = "login" // a challenge, with the authentication key (利用者証明用電子証明書)
)

// MediaTypeForm is a form (signature/form) that the holder fills in from the certificate that is about to
// sign; what is signed is the PDF made from it.
const MediaTypeForm = "application/vnd.jitsuin.form+json"

// RequestDocument is a document to be signed: the holder fetches it from HRef, an address of the relying
// party, and refuses bytes whose SHA-256 is another.
type RequestDocument struct {
	Name      string `json:"name" minLength:"1" maxLength:"200"`
	MediaType string `json:"media_type" enum:"application/pdf,application/vnd.jitsuin.form+json"`
	SHA256    []byte `json:"sha256" doc:"32 bytes"`
	HRef      string `json:"href" maxLength:"500"`
}

// HolderRequest asks the platform to make a request. ResponseURI and every HRef lie at an origin that the tenant has
// registered. For ActSign there is one document at least, for ActLogin none: the platform draws the challenge.
type HolderRequest struct {
	Act         Act               `json:"act" enum:"sign,login"`
	Purpose     string            `json:"purpose" minLength:"1" maxLength:"100" doc:"what the person is told, in Japanese"`
	PurposeEN   string            `json:"purpose_en" minLength:"1" maxLength:"200"`
	Origin      string            `json:"origin" maxLength:"200" doc:"of the page that asks"`
	ResponseURI string            `json:"response_uri" maxLength:"500"`
	State       string            `json:"state" minLength:"16" maxLength:"128" doc:"of the relying party; comes back with the answer"`
	Documents   []RequestDocument `json:"documents,omitempty" maxItems:"5"`
	// Items are the four items that the form shows: name, address, birth_date, sex. The holder tells the person.
	Items []string `json:"items,omitempty" maxItems:"4"`
}

// MadeRequest is a request that was made: the person's browser is led to Open.
type MadeRequest struct {
	Txn       jitsuin.ID `json:"txn"`
	URI       string     `json:"request_uri" doc:"where the holder fetches the request, once or again, until it expires"`
	Open      string     `json:"open" doc:"address of the holder's page that opens this request"`
	ExpiresAt time.Time  `json:"expires_at" doc:"wall time"`
}

// RequestClient is who asks, as the platform knows them.
type RequestClient struct {
	ID     string `json:"id"`
	NameJA string `json:"name_ja"`
	NameEN string `json:"name_en"`
	Origin string `json:"origin"`
}

// RequestClaims is the payload of a request; iat and exp are seconds since 1970, wall time.
type RequestClaims struct {
	Issuer      string            `json:"iss"` // the platform's instance
	Txn         jitsuin.ID        `json:"txn"`
	Client      RequestClient     `json:"client"`
	Act         Act               `json:"act"`
	Purpose     string            `json:"purpose"`
	PurposeEN   string            `json:"purpose_en"`
	ResponseURI string            `json:"response_uri"`
	State       string            `json:"state"`
	Nonce       string            `json:"nonce"`
	IssuedAt    int64             `json:"iat"`
	ExpiresAt   int64             `json:"exp"`
	Documents   []RequestDocument `json:"documents,omitempty"`
	Items       []string          `json:"items,omitempty"`
	Challenge   *ChallengeText    `json:"challenge,omitempty"` // of ActLogin; its txn is Txn
}

// HolderAnswer is what the holder posts to the ResponseURI as JSON. Either Error is there ("access_denied" where
// the person said no), or Certificate and Signature are. For ActSign, Signature is a detached CMS over the one
// document in Documents; for ActLogin it is the answer to the challenge.
type HolderAnswer struct {
	Txn         jitsuin.ID       `json:"txn"`
	State       string           `json:"state"`
	Error       string           `json:"error,omitempty" maxLength:"50"`
	Certificate []byte           `json:"certificate,omitempty" doc:"DER"`
	Signature   []byte           `json:"signature,omitempty"`
	DigestAlg   string           `json:"digest_alg,omitempty" maxLength:"20"`
	Documents   []AnswerDocument `json:"documents,omitempty" maxItems:"5"`
}

// AnswerDocument is a document as it was signed.
type AnswerDocument struct {
	Name      string `json:"name" maxLength:"200"`
	MediaType string `json:"media_type" maxLength:"100"`
	Content   []byte `json:"content"`
}

// AnswerTaken is the relying party's answer to a HolderAnswer that it has taken in, whatever it decided: the
// person's browser is led to ReturnURL, which carries a code that works once and only there.
type AnswerTaken struct {
	ReturnURL string `json:"return_url"`
}

// SignRequest writes claims as a request: a compact JWS with ES256.
func SignRequest(c RequestClaims, key *ecdsa.PrivateKey) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: c.Issuer}}, (&jose.SignerOptions{}).WithType(TypeRequest))
	if err != nil {
		return "", err
	}
	signed, err := s.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// OpenRequest checks a request and gives its claims: signed by the platform that it names, whose key keyOf gives, of
// the right type, in its time, and complete. Errors: Denied "request-signature", Expired "request-expired", Invalid "request-form".
func OpenRequest(raw string, keyOf func(platform string) (*ecdsa.PublicKey, error), now time.Time) (RequestClaims, error) {
	var c RequestClaims
	refuse := func(why string) (RequestClaims, error) {
		return RequestClaims{}, jitsuin.Errorf(jitsuin.Denied, "request-signature", "the request is not to be trusted: %s", why)
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != TypeRequest {
		return refuse("it is no request of this kind")
	}
	key, err := keyOf(jws.Signatures[0].Protected.KeyID)
	if err != nil {
		return refuse("nobody known has signed it")
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return refuse("the signature is wrong")
	}
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer != jws.Signatures[0].Protected.KeyID {
		return refuse("it names another issuer than it was signed by")
	}
	switch {
	case now.Unix() >= c.ExpiresAt:
		return RequestClaims{}, jitsuin.Errorf(jitsuin.Expired, "request-expired", "the request was to be answered by %s", time.Unix(c.ExpiresAt, 0).In(jitsuin.JST).Format(time.DateTime))
	case c.IssuedAt > now.Add(time.Minute).Unix():
		return RequestClaims{}, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the request is from the future; compare the clocks")
	}
	return c, c.check()
}

func (c RequestClaims) check() error {
	bad := func(field, format string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, "request-form", format, args...).At(field)
	}
	origin, err := url.Parse(c.Client.Origin)
	if err != nil || origin.Host == "" {
		return bad("client", "the request does not say at which origin its client is")
	}
	here := func(link string) bool {
		u, err := url.Parse(link)
		return err == nil && u.Scheme == origin.Scheme && u.Host == origin.Host && u.User == nil
	}
	if !here(c.ResponseURI) {
		return bad("response_uri", "the answer would not go to the one who asks")
	}
	for _, d := range c.Documents {
		if !here(d.HRef) || len(d.SHA256) != 32 {
			return bad("documents", "the document %q is not at the origin of the one who asks, or has no digest", d.Name)
		}
	}
	switch {
	case c.Act == ActSign && len(c.Documents) == 0:
		return bad("documents", "there is nothing to sign")
	case c.Act == ActLogin && (c.Challenge == nil || c.Challenge.Txn != string(c.Txn) || c.Challenge.ClientID != c.Client.ID || c.Challenge.Origin != c.Client.Origin || len(c.Documents) > 0):
		return bad("challenge", "the challenge is not one of this request")
	case c.Act != ActSign && c.Act != ActLogin:
		return bad("act", "the request asks for %q", c.Act)
	case c.Txn == "" || c.State == "" || c.Nonce == "" || c.Client.ID == "":
		return bad("txn", "the request is not complete")
	}
	return nil
}
