package api

import (
	"crypto/ecdsa"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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

// MediaTypePDF is a document that is signed as it is.
const MediaTypePDF = "application/pdf"

// What the sign API has signed beside PDFs: a text, and a digest whose document stays with who asks.
const (
	MediaTypeText   = "text/plain"
	MediaTypeDigest = "application/vnd.jitsuin.digest"
)

// RequestDocument is a document to be signed: the holder fetches it from HRef, an address of the relying
// party, and refuses bytes whose SHA-256 is another.
type RequestDocument struct {
	Name      string `json:"name" minLength:"1" maxLength:"200"`
	MediaType string `json:"media_type" enum:"application/pdf,application/vnd.jitsuin.form+json"`
	SHA256    []byte `json:"sha256" doc:"32 bytes"`
	HRef      string `json:"href" maxLength:"500" doc:"empty where a digest alone is signed"`
	// Bare has the digest itself signed and the value alone answered, as the sign API of the state's service has it: in the platform's own
	// requests only.
	Bare bool `json:"bare,omitempty" doc:"of the platform's own requests only"`
}

// HolderRequest asks the platform to make a request. ResponseURI and every HRef lie at an origin that the tenant has
// registered. For ActSign there is one document, for ActLogin none: the platform draws the challenge, whose id
// (at /v1/logins) is the Txn.
type HolderRequest struct {
	Act         Act               `json:"act" enum:"sign,login"`
	Purpose     string            `json:"purpose" minLength:"1" maxLength:"100" doc:"what the person is told, in Japanese"`
	PurposeEN   string            `json:"purpose_en" minLength:"1" maxLength:"200"`
	Origin      string            `json:"origin" maxLength:"200" doc:"of the page that asks"`
	ResponseURI string            `json:"response_uri" maxLength:"500"`
	State       string            `json:"state" minLength:"16" maxLength:"128" doc:"of the relying party; comes back with the answer"`
	Documents   []RequestDocument `json:"documents,omitempty" maxItems:"1"`
	// Items are the four items that the form shows: name, address, birth_date, sex. The holder tells the person. A login's are read
	// from the card's text application (券面事項入力補助AP), with its own PIN, and may be age_over_N too: see LoginItem.
	Items []string `json:"items,omitempty" maxItems:"6"`
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
	// AnotherDevice says of ActLogin that another device began than the one on which it is answered: the holder says so to the person, leads
	// nobody back, and shows what the answer to its answer says (AnswerTaken.ScreenSecret).
	AnotherDevice bool `json:"another_device,omitempty"`
}

// HolderAnswer is what the holder posts to the ResponseURI as JSON. Either Error is there ("access_denied" where
// the person said no), or Certificate is. For ActSign of a form, the one document in Documents is signed inside itself
// (PAdES) and there is no Signature; for ActSign of a PDF that came as it is, Signature is a detached CMS over it. For
// ActLogin Signature is the answer to the challenge. For a Bare document Signature is the value of RSASSA-PKCS1-v1_5 over its SHA-256, which
// is the Content of the one in Documents.
type HolderAnswer struct {
	Txn         jitsuin.ID       `json:"txn"`
	State       string           `json:"state"`
	Error       string           `json:"error,omitempty" maxLength:"50"`
	Certificate []byte           `json:"certificate,omitempty" doc:"DER"`
	Signature   []byte           `json:"signature,omitempty"`
	DigestAlg   string           `json:"digest_alg,omitempty" maxLength:"20"`
	Documents   []AnswerDocument `json:"documents,omitempty" maxItems:"5"`
	// Items are of ActLogin: those of the request that the holder read from the card, after it checked their signature, by name:
	// name and address as on the card, birth_date as YYYY-MM-DD, sex as the code of JIS X 0303 (1, 2), age_over_N as true or false.
	// They are the holder's word, not evidence: neither they nor a login make a record of identity verification.
	Items map[string]string `json:"items,omitempty"`
	// Unattended says that nobody sits at the browser that is led back: an automated test answered in a persona's place. Pages that only
	// explain something to a person are left out on its way.
	Unattended bool `json:"unattended,omitempty" doc:"an automated test answered: nobody reads pages on the way back"`
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
	// ScreenSecret is there in the place of ReturnURL where the request says AnotherDevice and the person did not say no: six digits, which the
	// person types where they began.
	ScreenSecret string `json:"screen_secret,omitempty"`
}

// SignRequest writes claims as a request: a compact JWS with ES256.
// Claims that nobody would open are refused as by Check.
func SignRequest(c RequestClaims, key *ecdsa.PrivateKey) (string, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
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
	return c, c.Check()
}

// Printing tells whether a text is one line of characters that print: none that steer how others are
// shown, such as line breaks and right-to-left overrides, by which a page could be made to say something else.
func Printing(s string) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) || !unicode.IsGraphic(r)
	})
}

// Bounds of texts in a request, in bytes.
const (
	maxRequestText = 600
	maxRequestLink = 500
)

// Check tells whether everything is there, fits together and is bounded: Invalid "request-form", with the member.
func (c RequestClaims) Check() error {
	for _, check := range []func() error{c.checkTexts, c.checkLinks, c.checkAct} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c RequestClaims) checkTexts() error {
	texts := [][2]string{{"client", c.Client.NameJA}, {"client", c.Client.NameEN}, {"purpose", c.Purpose}, {"purpose_en", c.PurposeEN},
		{"txn", string(c.Txn)}, {"state", c.State}, {"nonce", c.Nonce}, {"client", c.Client.ID}, {"iss", c.Issuer}}
	for _, d := range c.Documents {
		texts = append(texts, [2]string{"documents", d.Name})
	}
	for _, t := range texts {
		if !Printing(t[1]) || len(t[1]) > maxRequestText {
			return badRequest(t[0], "a text of the request is missing, too long, or has characters that do not print")
		}
	}
	seen := map[string]bool{}
	for _, i := range c.Items {
		if !slices.Contains(requestItems, i) && (c.Act != ActLogin || !LoginItem(i)) || seen[i] {
			return badRequest("items", "the items are some of %s, each once", strings.Join(requestItems, ", "))
		}
		seen[i] = true
	}
	return nil
}

var requestItems = []string{"name", "address", "birth_date", "sex"}

var ageItem = regexp.MustCompile(`^age_over_([1-9][0-9]?|1[01][0-9]|120)$`)

// LoginItem tells whether a login may ask for an item: one of the four, or age_over_N with N from 1 to 120, which tells whether the
// person has reached that age, and nothing else.
func LoginItem(name string) bool {
	return slices.Contains(requestItems, name) || ageItem.MatchString(name)
}

func badRequest(field, format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Invalid, "request-form", format, args...).At(field)
}

func (c RequestClaims) checkLinks() error {
	origin, err := url.Parse(c.Client.Origin)
	if err != nil || origin.Host == "" || c.Client.Origin != origin.Scheme+"://"+origin.Host || origin.Scheme != "https" && origin.Scheme != "http" {
		return badRequest("client", "the request does not say at which origin its client is")
	}
	if !AtOrigin(c.ResponseURI, c.Client.Origin) {
		return badRequest("response_uri", "the answer would not go to the one who asks")
	}
	for _, d := range c.Documents {
		if d.Bare && d.MediaType == MediaTypeDigest && d.HRef == "" && len(d.SHA256) == 32 {
			continue
		}
		if !AtOrigin(d.HRef, c.Client.Origin) || len(d.SHA256) != 32 {
			return badRequest("documents", "the document %q is not at the origin of the one who asks, or has no digest", d.Name)
		}
		if d.MediaType != MediaTypePDF && (d.MediaType != MediaTypeForm || d.Bare) && (d.MediaType != MediaTypeText || !d.Bare) {
			return badRequest("documents", "a document is %s or %s", MediaTypeForm, MediaTypePDF)
		}
	}
	return nil
}

// AtOrigin tells whether a link is an absolute http or https URL at an origin, and bounded.
func AtOrigin(link, origin string) bool {
	u, err := url.Parse(link)
	return err == nil && len(link) <= maxRequestLink && u.User == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.Scheme+"://"+u.Host == origin
}

func (c RequestClaims) checkAct() error {
	if c.IssuedAt <= 0 || c.ExpiresAt <= c.IssuedAt || c.ExpiresAt-c.IssuedAt > int64(RequestLife/time.Second) {
		return badRequest("exp", "a request lasts at most %s", RequestLife)
	}
	switch c.Act {
	case ActSign:
		if len(c.Documents) != 1 || c.Challenge != nil {
			return badRequest("documents", "a request to sign has one document")
		}
	case ActLogin:
		h := c.Challenge
		if h == nil || h.Txn != string(c.Txn) || h.ClientID != c.Client.ID || h.Origin != c.Client.Origin || h.Purpose != c.Purpose || len(c.Documents) > 0 {
			return badRequest("challenge", "the challenge is not one of this request")
		}
		return h.ToSign().Check()
	default:
		return badRequest("act", "the request asks for %q", c.Act)
	}
	return nil
}
