package openid

import (
	"context"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Lives, wall time.
const (
	pushedLife  = 90 * time.Second // of a pushed request until a browser brings it
	requestLife = 30 * time.Minute // of a request until its code
	codeLife    = time.Minute
	tokenLife   = 10 * time.Minute // of access tokens, and of the items of a login
	idTokenLife = 10 * time.Minute
	sessionLife = 8 * time.Hour
	// proofWindow is how far the clock of a client may be off.
	proofWindow = time.Minute
	maxProofAge = 5 * time.Minute
)

// Ask is a login that a browser is to be led away for.
type Ask struct {
	Request jitsuin.ID // the errand's About
	Tenant  string
	Client  Metadata
	// Items are names of Claims that the person agreed to give, in the words of the holder: name, address, birth_date, sex, age_over_N.
	Items []string
	// Elsewhere says that the person answers on another device than the one with this browser.
	Elsewhere bool
	// With runs in the transaction that notes the errand.
	With func(tx *store.Tx) error
}

// Host is what the provider needs of the platform around it.
type Host interface {
	// Begin leads the browser to the holder. The errand's outcome comes back by Accept, Land and Arrive.
	Begin(w http.ResponseWriter, r *http.Request, a Ask) error
	// Present leads the browser to where it shows the card's certificate itself, for a request without Items. Where the certificate is not
	// accepted the outcome comes back by ChooseAgain.
	Present(w http.ResponseWriter, r *http.Request, request jitsuin.ID) error
	// Sign leads the browser to the holder with what a transaction of the sign API is about; document is where the holder fetches it.
	// The errand's outcome comes back by Signed, Land and Arrive, or EndSigning.
	Sign(w http.ResponseWriter, r *http.Request, a Ask, t Signing, document string) error
	// MaySign tells whether a purpose is one that a signature serves.
	MaySign(ctx context.Context, purpose string) error
	// Verified gives what the check of a signature found, as the API tells it, with the certificate that it was made with.
	Verified(ctx context.Context, t Signing, check jitsuin.ID, certificate []byte) (any, error)
	// Words gives the stem of the texts about an outcome that ChooseAgain or Arrive was told, of a login or of a signature, "" for one that
	// there is nothing to say about.
	Words(outcome string, signing bool) string
	// Spend takes one request from what a tenant may send: of its quota where it proved who it is (proven), else of as much again that is
	// there for browsers and for clients without a secret, so that strangers do not use its quota up. Limited where nothing is left.
	Spend(tenant string, proven bool) error
	// Standing tells whether the tenant may log people in now; its errors are for who asks.
	Standing(tx *store.Tx, tenant string) error
	// Good tells whether a user's certificate is in force now.
	Good(ctx context.Context, tenant, user string) (bool, error)
	// MayUse tells whether an origin is one of the tenant's.
	MayUse(ctx context.Context, tenant, origin string) error
	// Firm gives a tenant's name as people read it, in Japanese and English.
	Firm(ctx context.Context, tenant string) (ja, en string, err error)
	// NewTenant makes a tenant of the sandbox for who registers a client without having one; an error where there is no sandbox.
	NewTenant(ctx context.Context, m Metadata) (tenant string, err error)
	// Record writes a line of the operation log.
	Record(ctx context.Context, tx *store.Tx, tenant, act, subject string, detail map[string]string) error
	// Page shows a page: openid-choose, openid-consent, openid-refused, openid-logout, openid-logged-out, openid-clients, openid-client.
	Page(w http.ResponseWriter, r *http.Request, status int, name string, data any)
	// Wrap makes a handler of a page's: what it returns as an error is shown as a page.
	Wrap(h func(w http.ResponseWriter, r *http.Request) error) http.Handler
	// Post sends a form to an address of a client's (Back-Channel Logout §2.5).
	Post(ctx context.Context, address, contentType, body string) error
}

// Provider is the OpenID provider. Fill the fields before its first use.
type Provider struct {
	DB     *store.DB
	Host   Host
	Origin string // under which browsers and clients reach it
	Log    *slog.Logger
	// Key is the platform's: what lies sealed in the database is sealed with what comes from it.
	Key *ecdsa.PrivateKey
	// Registration says that whoever comes may register a client (a sandbox).
	Registration bool
	// KeyLife is how long a key signs: 90 days where 0.
	KeyLife time.Duration
	Secure  bool // reached by https
	// Presents says that a browser may show the card's certificate itself (Host.Present): the person is asked which way to go.
	Presents bool
	// Chooses says that the person is asked whether this device or another one answers, also where there is no other choice.
	Chooses bool
	// Now is wall time; time.Now where nil.
	Now func() time.Time

	keys keyring
	poke chan struct{}
}

// Open readies the provider: its first signing key is there afterwards.
func (p *Provider) Open(ctx context.Context) error {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.KeyLife == 0 {
		p.KeyLife = 90 * 24 * time.Hour
	}
	p.poke = make(chan struct{}, 1)
	return p.Rotate(ctx)
}

// issuer is a face of the provider: its own, or the alias with the paths of the state's service (デジタル認証アプリ, a Keycloak of
// the realm main). Requests, codes and tokens of one do not work at the other.
type issuer struct {
	path                                                            string // of the issuer below the origin
	authorize, pushed, token, userinfo, certs, endSession, register string // below path
	state                                                           bool   // claims in the forms of the state's service
}

var issuers = []issuer{
	{path: "/openid", authorize: "/authorize", pushed: "/par", token: "/token", userinfo: "/userinfo", certs: "/jwks", endSession: "/logout", register: "/register"},
	{path: "/api/realms/main", authorize: "/protocol/openid-connect/auth", pushed: "/protocol/openid-connect/ext/par/request", token: "/protocol/openid-connect/token",
		userinfo: "/protocol/openid-connect/userinfo", certs: "/protocol/openid-connect/certs", endSession: "/protocol/openid-connect/logout",
		register: "/clients-registrations/openid-connect", state: true},
}

// url gives the issuer's identifier, and with a path an endpoint of it.
func (p *Provider) url(i issuer, path string) string { return p.Origin + i.path + path }

// stateIssuer is the alias.
func stateIssuer() issuer { return issuers[1] }

func issuerOf(path string) issuer {
	for _, i := range issuers {
		if i.path == path {
			return i
		}
	}
	return issuers[0]
}

// secret derives a key of its own for a use.
func (p *Provider) secret(use string) []byte {
	d, err := p.Key.Bytes()
	if err != nil {
		panic(err) // a P-256 key that was read
	}
	key, err := hkdf.Key(sha256.New, d, nil, "jitsuin openid "+use, 32)
	if err != nil {
		panic(err) // 32 bytes can always be had
	}
	return key
}

// derived gives a token that only who has the platform's key can make of an id, and always the same: a browser that arrives twice
// brings the same code.
func (p *Provider) derived(use string, id jitsuin.ID) string {
	mac := hmac.New(sha256.New, p.secret(use))
	mac.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
