// Package client is how a relying party (事業者) in Go calls a platform operator: it has signed
// documents checked, and people logged in with their card. The party is a tenant of the platform
// (みなし署名検証者), known there by a P-256 key; tokens are bought and renewed behind the calls.
//
//	c, err := client.New("https://platform.example", "platform:1", "tenant:securities-1", key)
//	if err != nil {
//		return err
//	}
//	v, err := c.Verify(ctx, requestID, client.VerificationRequest{
//		Document: contract, Signature: cms, Purpose: "account"})
//	if err != nil {
//		return err // nothing was decided: see jitsuin.KindOf(err)
//	}
//	if err := client.Refusal(v.Report); err != nil {
//		return err // decided, and not accepted: err says why
//	}
//	customer := customers[v.User.ID] // the same id when this person comes again
//
// The package owns no state and no server code. It must never keep a document, a certificate or
// the four items: what comes back is the caller's.
package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// The requests and answers of the platform.
type (
	VerificationRequest = api.VerificationRequest
	Verification        = api.Verification
	User                = api.User
	Record              = api.Record
	Legal               = api.Legal
	File                = api.File
	CustomerRecord      = api.CustomerRecord
	Comparison          = api.Comparison
	Challenge           = api.Challenge
	ChallengeText       = api.ChallengeText
	LoginRequest        = api.LoginRequest
	Login               = api.Login
	HolderRequest       = api.HolderRequest
	RequestDocument     = api.RequestDocument
	MadeRequest         = api.MadeRequest
	HolderAnswer        = api.HolderAnswer
	AnswerDocument      = api.AnswerDocument
	AnswerTaken         = api.AnswerTaken
)

// Client calls one platform as one tenant. It is safe for concurrent use. Every error is, or wraps,
// a *jitsuin.Error: the platform's own, or Unavailable where it does not answer.
type Client struct{ remote *httpapi.Remote }

// New makes the client of tenantID, such as tenant:securities-1, for the platform whose instance is
// platformID and whose origin is baseURL. Nothing is sent yet.
func New(baseURL, platformID, tenantID string, key *ecdsa.PrivateKey) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "client-url", "the platform's address is an origin such as https://platform.example")
	}
	if key == nil || key.Curve != elliptic.P256() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "client-key", "a tenant signs with a P-256 key")
	}
	return &Client{httpapi.NewRemoteAt(httpapi.Identity{ID: tenantID, Key: key}, u.Scheme+"://"+u.Host, platformID)}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.remote.Close() }

// NewRequestID draws the id of one act.
func NewRequestID() string { return string(jitsuin.NewID()) }

// Verify has one signed document checked. A signature that is not accepted is no error: read
// Report, or ask Refusal. requestID names the act (8 to 64 letters, digits, - and _): repeating the
// call with it and the same request gives the first answer again, as of its CheckedAt, for a week: so
// look at CheckedAt before accepting by a repeated call. "" draws one. Calls whose answer is lost are
// repeated with it. A Document that is there and empty is Invalid, so that it is not taken for none.
func (c *Client) Verify(ctx context.Context, requestID string, r VerificationRequest) (Verification, error) {
	if requestID == "" {
		requestID = NewRequestID()
	}
	if r.Signature != nil && len(r.Signature) == 0 {
		return Verification{}, jitsuin.Errorf(jitsuin.Invalid, "signature-empty", "the signature is empty").At("signature")
	}
	if r.Document != nil && len(r.Document) == 0 || r.DocumentDigest != nil && len(r.DocumentDigest) == 0 {
		return Verification{}, jitsuin.Errorf(jitsuin.Invalid, "document-empty", "the document or its digest is empty").At("document")
	}
	return httpapi.Do[Verification](ctx, c.remote, http.MethodPost, "/v1/verifications", requestID, r)
}

// Verification gives a check of this tenant again; NotFound for any other.
func (c *Client) Verification(ctx context.Context, id jitsuin.ID) (Verification, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return Verification{}, err
	}
	return httpapi.Do[Verification](ctx, c.remote, http.MethodGet, "/v1/verifications/"+string(id), "", nil)
}

// Forms of a report.
const (
	HTML = "html"
	PDF  = "pdf"
	Text = "text"
	JSON = "json"
)

// maxReport is the size of the largest report that is taken, in bytes.
const maxReport = 16 << 20

// Report gives the report on a check of this tenant in a form (HTML, PDF, Text or JSON) and a language
// ("ja" or "en"): what it means, what to do next, and what the law says. The PDF is the evidence to
// keep. It names the person as long as the record is kept.
func (c *Client) Report(ctx context.Context, id jitsuin.ID, form, lang string) ([]byte, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return nil, err
	}
	query := url.Values{"format": {form}, "lang": {lang}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://callee/v1/verifications/"+string(id)+"/report?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.remote.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return nil, httpapi.DecodeProblem(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReport+1))
	if err != nil || len(body) > maxReport {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "report-cut", "the report was cut short, or has more than %d bytes", maxReport)
	}
	return body, nil
}

// Challenge draws a challenge for a login at origin, one of the tenant's registered web origins.
// purpose is what the person is told. It lasts some minutes and is answered once.
func (c *Client) Challenge(ctx context.Context, origin, purpose string) (Challenge, error) {
	return httpapi.Do[Challenge](ctx, c.remote, http.MethodPost, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: purpose})
}

// PINlessChallenge is Challenge for a terminal that answers without the PIN (かざし利用), for specified verifiers only: Denied
// "pinless-not-entitled" for any other. What Login then says names the card's user and not who holds the card.
func (c *Client) PINlessChallenge(ctx context.Context, origin, purpose string) (Challenge, error) {
	return httpapi.Do[Challenge](ctx, c.remote, http.MethodPost, "/v1/login-challenges", "", api.ChallengeRequest{Origin: origin, Purpose: purpose, PINless: true})
}

// Login has the answer to a challenge checked. It is never repeated by itself, because a challenge
// is used up by the first try. The answer has no four items: a login proves presence, not name.
func (c *Client) Login(ctx context.Context, r LoginRequest) (Login, error) {
	return httpapi.Do[Login](ctx, c.remote, http.MethodPost, "/v1/logins", "", r)
}

// What a request to the holder asks for, and the media types of its document.
const (
	ActSign       = api.ActSign
	ActLogin      = api.ActLogin
	MediaTypeForm = api.MediaTypeForm
	MediaTypePDF  = api.MediaTypePDF
)

// Request has the platform make a signed request to the person's holder: lead the browser to its Open. The holder
// posts a HolderAnswer to ResponseURI; the answer's Txn is that of the request, and of a login also the
// Challenge of the LoginRequest. requestID is as for Verify: repeated, the same request comes back.
func (c *Client) Request(ctx context.Context, requestID string, r HolderRequest) (MadeRequest, error) {
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[MadeRequest](ctx, c.remote, http.MethodPost, "/v1/holder-requests", requestID, r)
}

// Refusal gives nil for a report that passed, else why it must not be accepted: kind Unavailable
// where nothing could be decided now, Revoked or Expired for the certificate, Invalid for the rest.
// Code is the first reason's, the message its English and the hint its Japanese sentence.
func Refusal(r signature.Report) error {
	if r.Verdict == signature.Passed {
		return nil
	}
	kind := jitsuin.Invalid
	switch r.SubIndication {
	case signature.TryLater:
		kind = jitsuin.Unavailable
	case signature.Revoked:
		kind = jitsuin.Revoked
	case signature.Expired, signature.NotYetValid:
		kind = jitsuin.Expired
	}
	if len(r.Reasons) == 0 {
		return jitsuin.Errorf(kind, "refused", "the signature is not accepted (%s)", r.Verdict)
	}
	var ja, en []string
	for _, reason := range r.Reasons {
		ja, en = append(ja, reason.JA), append(en, reason.EN)
	}
	return &jitsuin.Error{Kind: kind, Code: r.Reasons[0].Code, Message: strings.Join(en, " "), Hint: strings.Join(ja, "")}
}
