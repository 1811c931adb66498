// Package idp is the shape of the platform API of c-3lab's mynumbercard-idp, an identity provider for the My Number
// Card on Keycloak: POST /verify/registration, /verify/login and /verify/replacement, and the platform's key at
// GET /key/jwks.json. The identity provider is given the adapter's address as its platform's root, with the tenant's
// token as the password of the address's user information: its client has no other place for a credential, and its
// HTTP library answers a Basic challenge with it. A Bearer token is taken as well.
//
// In this API the card signs a nonce of the identity provider's, with the signature key too. It is the legacy exception that
// the scope legacy-nonce is for; nobody's token has it who did not ask for it.
//
// It owns the wire form. It must never tell more members than the API has: the client refuses answers
// with members that it does not know.
package idp

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/adapter"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Path is where the API begins: the root that the identity provider is configured with, without the last slash. Below
// ActionsPath a token is needed; at KeysPath are the public keys.
const (
	Path        = "/adapters/mynumbercard-idp/"
	ActionsPath = Path + "verify/"
	KeysPath    = Path + "key/jwks.json"
)

// ourName is what the API calls the platform, in requests and answers.
const ourName = "JPKI"

const maxBody = 256 << 10

// Keys opens what was encrypted for the platform, and publishes the keys for it.
type Keys interface {
	// Open decrypts a compact JWE (RSA-OAEP-256).
	Open(ctx context.Context, jwe string) ([]byte, error)
	// Public gives the keys to encrypt with, the one to use first.
	Public(ctx context.Context) (jose.JSONWebKeySet, error)
}

// Server translates the API.
type Server struct {
	Desk    adapter.Desk
	Keys    Keys
	Problem func(w http.ResponseWriter, r *http.Request, err error) // answers an error by Refuse, with what a caller may see
}

// Routes gives the handlers of the actions by pattern.
func (s *Server) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"POST " + ActionsPath + "registration": s.action(s.registration),
		"POST " + ActionsPath + "login":        s.action(s.login),
		"POST " + ActionsPath + "replacement":  s.action(s.replacement),
	}
}

type requestInfo struct {
	Transaction string `json:"transactionId"`
	Recipient   string `json:"recipient"`
	Sender      string `json:"sender"`
	At          string `json:"ts"` // not looked at: the public client writes months where minutes belong
}

// request is any of the three; which members it has tells the kind of certificate.
type request struct {
	Info       requestInfo `json:"requestInfo"`
	SignJWE    string      `json:"encryptedCertificateForSign"`
	Applicant  string      `json:"applicantData"`
	Sign       string      `json:"sign"`
	UserJWE    string      `json:"encryptedCertificateForUser"`
	Nonce      string      `json:"nonceData"`
	NonceValue string      `json:"nonceSign"`
}

type responseInfo struct {
	Transaction string `json:"transactionId,omitempty"`
	Recipient   string `json:"recipient,omitempty"`
	Sender      string `json:"sender"`
	At          string `json:"ts"`
}

type errorInfo struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type statusInfo struct {
	Status string     `json:"status"` // SUCCESS or FAILED
	Error  *errorInfo `json:"errorInfo,omitempty"`
}

type identity struct {
	User    string `json:"tisUserId"`
	Name    string `json:"name"`
	Birth   string `json:"dateOfBirth"` // YYYY-MM-DD
	Gender  string `json:"gender"`      // 0 not known, 1 male, 2 female, 9 not applicable
	Address string `json:"address"`
}

type response struct {
	Info      responseInfo `json:"responseInfo"`
	Status    statusInfo   `json:"status"`
	Applicant jitsuin.ID   `json:"applicantId,omitempty"`
	Identity  *identity    `json:"identityInfo,omitempty"`
}

type infoKey struct{}

// infoOf gives what is known of the request when it is answered, nothing before it was read.
func infoOf(ctx context.Context) responseInfo {
	info := responseInfo{Sender: ourName, At: time.Now().In(jitsuin.JST).Format("2006-01-02 15:04:05.000")}
	if r, ok := ctx.Value(infoKey{}).(*requestInfo); ok {
		info.Transaction, info.Recipient = r.Transaction, r.Sender
	}
	return info
}

// statuses are the HTTP statuses that the API has for kinds of errors. There is none for being refused altogether,
// so that is 503, as "not usable now"; 401 is for the person's proof and for the tenant's.
var statuses = map[jitsuin.Kind]int{
	jitsuin.Invalid: 400, jitsuin.Unsupported: 400, jitsuin.Unauthenticated: 401, jitsuin.NotFound: 404, jitsuin.Conflict: 409,
	jitsuin.Revoked: 410, jitsuin.Expired: 410, jitsuin.Denied: 503, jitsuin.Limited: 503, jitsuin.Locked: 503,
	jitsuin.Unavailable: 503, jitsuin.Internal: 500,
}

// Refuse answers an error in the API's form; it is httpapi.Foreign.Refuse. A missing or wrong token asks for
// Basic, so that a client answers with what its address has.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := statuses[jitsuin.KindOf(err)]
	switch jitsuin.CodeOf(err) {
	case "adapter-token":
		w.Header().Set("WWW-Authenticate", `Basic realm="adapter token", charset="UTF-8"`)
	case "adapter-scope":
		status = http.StatusUnauthorized
	case "idempotency-key-reused":
		status = http.StatusBadRequest // 409 is for a person who is registered
	}
	message := err.Error()
	if e, ok := err.(*jitsuin.Error); ok && e.Hint != "" {
		message += " (" + e.Hint + ")"
	}
	write(w, status, response{Info: infoOf(r.Context()), Status: statusInfo{"FAILED", &errorInfo{fmt.Sprintf("%d %s", status, http.StatusText(status)), message}}})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// action serves one of the three. The transaction is the act's Idempotency-Key: sent again as it is, it gets the
// first answer.
func (s *Server) action(do func(ctx context.Context, q request) (response, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := read(r)
		r = r.WithContext(context.WithValue(r.Context(), infoKey{}, &q.Info))
		if err == nil {
			err = adapter.Need(r.Context(), api.ScopeLegacyNonce)
		}
		var out response
		if err == nil {
			sum := sha256.Sum256([]byte(r.URL.Path + "\x00" + q.Info.Transaction))
			out, err = do(httpapi.WithIdempotencyKey(r.Context(), hex.EncodeToString(sum[:16])), q)
		}
		if err != nil {
			s.Problem(w, r, err)
			return
		}
		out.Info, out.Status = infoOf(r.Context()), statusInfo{Status: "SUCCESS"}
		write(w, http.StatusOK, out)
	})
}

func wrong(name, what string) error {
	return jitsuin.Errorf(jitsuin.Invalid, "request-form", "%s must be %s", name, what).At(name)
}

func read(r *http.Request) (q request, err error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil || len(raw) > maxBody:
		return q, jitsuin.Errorf(jitsuin.Invalid, "request-large", "a request has at most %d bytes", maxBody)
	case json.Unmarshal(raw, &q) != nil:
		return q, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the request is no JSON of this API")
	case q.Info.Transaction == "" || len(q.Info.Transaction) > 64:
		return q, wrong("requestInfo.transactionId", "the id of the transaction, a UUID")
	case q.Info.Recipient != ourName:
		return q, wrong("requestInfo.recipient", ourName)
	case q.Info.Sender != adapter.GrantOf(r.Context()).Tenant:
		return q, wrong("requestInfo.sender", "the tenant whose token this is, such as tenant:name")
	}
	return q, nil
}

// signed opens the certificate and reads the value; content is what the card signed: the text's octets.
func (s *Server) signed(ctx context.Context, jwe, content, value string, kind jitsuin.CertKind) (adapter.Signed, error) {
	if jwe == "" || content == "" || value == "" {
		return adapter.Signed{}, jitsuin.Errorf(jitsuin.Invalid, "request-form", "certificate, nonce and signature are all needed")
	}
	c, err := s.certificate(ctx, jwe)
	if err != nil {
		return adapter.Signed{}, err
	}
	if k, _ := cert.KindOf(c); k != kind {
		return adapter.Signed{}, jitsuin.Errorf(jitsuin.Unauthenticated, "certificate-kind", "this needs another kind of certificate")
	}
	h, err := cms.SuiteHash(c.PublicKey)
	if err != nil {
		return adapter.Signed{}, err
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return adapter.Signed{}, wrong("the signature", "base64")
	}
	return adapter.Signed{Certificate: c, Value: raw, Hash: h, Digest: sum(h, content), Content: []byte(content)}, nil
}

func sum(h crypto.Hash, text string) []byte {
	running := h.New()
	io.WriteString(running, text)
	return running.Sum(nil)
}

// certificate decrypts a certificate: PEM, or base64 of its DER.
func (s *Server) certificate(ctx context.Context, jwe string) (*x509.Certificate, error) {
	plain, err := s.Keys.Open(ctx, jwe)
	if err != nil {
		return nil, err
	}
	var der []byte
	if block, _ := pem.Decode(plain); block != nil {
		der = block.Bytes
	} else if der, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(plain))); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-form", "what was encrypted is no certificate in PEM")
	}
	c, err := cert.Parse(der)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-form", "what was encrypted is no X.509 certificate")
	}
	return c, nil
}

// passed turns a report into the API's way of saying no: everything that is wrong with the person's proof is 401,
// what cannot be told now 503.
func passed(r signature.Report) error {
	if r.Verdict == signature.Passed {
		return nil
	}
	why := string(r.SubIndication)
	if len(r.Reasons) > 0 {
		why = r.Reasons[0].EN
	}
	if r.SubIndication == signature.TryLater {
		return jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "%s", why)
	}
	return jitsuin.Errorf(jitsuin.Unauthenticated, "proof", "%s", why)
}

// accept has a signature with the signature certificate checked and tells whom it names.
func (s *Server) accept(ctx context.Context, q request, who adapter.Who) (response, error) {
	given, err := s.signed(ctx, q.SignJWE, q.Applicant, q.Sign, jitsuin.SignCert)
	if err != nil {
		return response{}, err
	}
	o, err := s.Desk.Document(ctx, given, who)
	if err == nil {
		err = passed(o.Report)
	}
	if err != nil {
		return response{}, err
	}
	items, err := cert.ItemsOf(given.Certificate)
	if err != nil {
		return response{}, err
	}
	return response{Applicant: o.ID, Identity: identityOf(o.User.ID, items)}, nil
}

func identityOf(user string, i cert.Items) *identity {
	return &identity{User: user, Name: i.Name, Birth: i.BirthDate.String(), Gender: string(i.Sex), Address: i.Address}
}

// registration accepts somebody who is no user yet: 409 for one who is.
func (s *Server) registration(ctx context.Context, q request) (response, error) {
	return s.accept(ctx, q, adapter.Newcomer)
}

// replacement accepts a user's new signature certificate: 404 where it is linked to none that is known.
func (s *Server) replacement(ctx context.Context, q request) (response, error) {
	return s.accept(ctx, q, adapter.Known)
}

// login accepts a user by the authentication certificate: 404 for somebody who is none, and 410 where the signature
// certificate of the tenant's record is dead, or the record's time is over, so that the client asks for it again (replacement).
func (s *Server) login(ctx context.Context, q request) (response, error) {
	given, err := s.signed(ctx, q.UserJWE, q.Nonce, q.NonceValue, jitsuin.AuthCert)
	if err != nil {
		return response{}, err
	}
	o, err := s.Desk.Nonce(ctx, given, adapter.Known)
	if err == nil {
		err = passed(o.Report)
	}
	if err != nil {
		return response{}, err
	}
	at, err := s.Desk.Standing(ctx, jitsuin.ID(o.User.ID), "")
	if err != nil {
		return response{}, err
	}
	var items *cert.Items
	if at.Kind == jitsuin.SignCert && at.Status == string(cert.Good) {
		if items, err = s.Desk.Items(ctx, at.Verification); err != nil {
			return response{}, err
		}
	}
	switch {
	case at.Status == string(cert.Unknown):
		return response{}, jitsuin.Errorf(jitsuin.Unavailable, "status-unknown", "the status of the signature certificate cannot be had now")
	case items == nil:
		return response{}, jitsuin.Errorf(jitsuin.Revoked, "sign-certificate", "the signature certificate has been revoked, has expired, or is not kept any more").
			WithHint("ask for the signature certificate (replacement)")
	}
	return response{Applicant: o.ID, Identity: identityOf(o.User.ID, *items)}, nil
}

// ServeKeys publishes what certificates are encrypted with.
func (s *Server) ServeKeys(w http.ResponseWriter, r *http.Request) {
	set, err := s.Keys.Public(r.Context())
	if err != nil {
		s.Problem(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	write(w, http.StatusOK, set)
}
