package httpapi

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/jitsuin/jitsuin"
)

// TokenLife is how long an access token lasts; AssertionLife the longest life of an assertion.
const (
	TokenLife     = 5 * time.Minute
	AssertionLife = 5 * time.Minute
	clockSkew     = 30 * time.Second
	grantJWT      = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// KeyLookup gives the caller that an assertion names and the keys that may have signed it.
type KeyLookup func(id string) (Caller, []jose.JSONWebKey, error)

// FromDirectory looks instances up in the directory.
func FromDirectory(d *Directory) KeyLookup {
	return func(id string) (Caller, []jose.JSONWebKey, error) {
		i, err := d.Lookup(id)
		if err != nil {
			return Caller{}, nil, err
		}
		return Caller{ID: i.ID, Role: RoleOf(i.ID)}, i.Keys, nil
	}
}

// Issuer is the callee's side: it sells access tokens for assertions (RFC 7523 §2.1) and checks
// them from memory. Times are wall time: the civil clock never touches tokens.
type Issuer struct {
	self   Identity
	lookup []KeyLookup
	now    func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time // jti of assertions already used, until they expire

	goodMu sync.RWMutex
	good   map[[sha256.Size]byte]goodToken // tokens that were checked before, by their digest
}

// goodToken is what a token that was checked says, so that its signature is checked once.
type goodToken struct {
	caller Caller
	until  time.Time
}

// maxGood is how many checked tokens are remembered.
const maxGood = 10_000

// NewIssuer makes the token side of the actor self; the lookups are asked in order.
func NewIssuer(self Identity, lookup ...KeyLookup) *Issuer {
	return &Issuer{self: self, lookup: lookup, now: time.Now, seen: map[string]time.Time{}, good: map[[sha256.Size]byte]goodToken{}}
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

type roleClaim struct {
	Role string `json:"role"`
	Key  string `json:"kid,omitempty"`
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// ServeHTTP is POST /token. Errors are OAuth errors (RFC 6749 §5.2).
func (s *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	fail := func(code, why string) {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(oauthError{code, why})
	}
	if err := r.ParseForm(); err != nil {
		fail("invalid_request", "the form cannot be read")
		return
	}
	if r.PostForm.Get("grant_type") != grantJWT {
		fail("unsupported_grant_type", "grant_type must be "+grantJWT)
		return
	}
	c, err := s.assert(r.PostForm.Get("assertion"))
	if err != nil {
		fail("invalid_grant", err.Error())
		return
	}
	token, err := s.issue(c)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		json.NewEncoder(w).Encode(oauthError{"server_error", "the token could not be made"})
		return
	}
	json.NewEncoder(w).Encode(tokenAnswer{token, "Bearer", int(TokenLife / time.Second)})
}

func invalidGrant(format string, args ...any) error {
	return jitsuin.Errorf(jitsuin.Unauthenticated, "assertion", format, args...)
}

// assert checks an assertion: known caller, its key, our name as audience, a short life, used once.
func (s *Issuer) assert(raw string) (Caller, error) {
	tok, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return Caller{}, invalidGrant("the assertion is no JWT signed with ES256")
	}
	var unverified jwt.Claims
	if err := tok.UnsafeClaimsWithoutVerification(&unverified); err != nil {
		return Caller{}, invalidGrant("the assertion's claims cannot be read")
	}
	caller, keys, err := s.find(unverified.Issuer)
	if err != nil {
		return Caller{}, invalidGrant("the issuer of the assertion is not known here")
	}
	var c jwt.Claims
	err = errNoKey
	for _, k := range keys {
		if err = tok.Claims(k, &c); err == nil {
			caller.Key = k.KeyID
			break
		}
	}
	if err != nil {
		return Caller{}, invalidGrant("the assertion is not signed with a key of %s", unverified.Issuer)
	}
	now := s.now()
	switch {
	case c.Subject != c.Issuer:
		return Caller{}, invalidGrant("iss and sub must both be the caller")
	case !c.Audience.Contains(s.self.ID):
		return Caller{}, invalidGrant("aud must be %s", s.self.ID)
	case c.Expiry == nil || c.IssuedAt == nil || c.ID == "":
		return Caller{}, invalidGrant("exp, iat and jti are needed")
	case c.Expiry.Time().Sub(c.IssuedAt.Time()) > AssertionLife:
		return Caller{}, invalidGrant("an assertion lives five minutes at most")
	case now.After(c.Expiry.Time().Add(clockSkew)):
		return Caller{}, invalidGrant("the assertion has expired")
	case c.IssuedAt.Time().After(now.Add(clockSkew)), c.NotBefore != nil && c.NotBefore.Time().After(now.Add(clockSkew)):
		return Caller{}, invalidGrant("the assertion is from the future; compare the clocks")
	}
	return caller, s.once(c.Issuer+" "+c.ID, c.Expiry.Time().Add(clockSkew))
}

func (s *Issuer) find(id string) (Caller, []jose.JSONWebKey, error) {
	var last error = errNoKey
	for _, l := range s.lookup {
		c, keys, err := l(id)
		if err == nil {
			return c, keys, nil
		}
		last = err
	}
	return Caller{}, nil, last
}

func (s *Issuer) once(jti string, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if len(s.seen) > 10000 {
		for k, t := range s.seen {
			if now.After(t) {
				delete(s.seen, k)
			}
		}
	}
	if _, used := s.seen[jti]; used {
		return invalidGrant("the assertion has been used before")
	}
	s.seen[jti] = until
	return nil
}

func (s *Issuer) issue(c Caller) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.self.Key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return "", err
	}
	now := s.now()
	return jwt.Signed(signer).Claims(jwt.Claims{Issuer: s.self.ID, Audience: jwt.Audience{s.self.ID}, Subject: c.ID,
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(TokenLife))}).Claims(roleClaim{c.Role, c.Key}).Serialize()
}

// Check gives the caller of an access token of ours. It looks at memory alone: whether the caller, or the
// key that bought the token, still may come is for API.Admit.
func (s *Issuer) Check(raw string) (Caller, error) {
	digest := sha256.Sum256([]byte(raw))
	s.goodMu.RLock()
	known, ok := s.good[digest]
	s.goodMu.RUnlock()
	if ok && !s.now().After(known.until) {
		return known.caller, nil
	}
	c, until, err := s.check(raw)
	if err != nil {
		return Caller{}, err
	}
	s.goodMu.Lock()
	defer s.goodMu.Unlock()
	if len(s.good) >= maxGood {
		clear(s.good)
	}
	s.good[digest] = goodToken{c, until}
	return c, nil
}

// check reads an access token and gives until when it is one.
func (s *Issuer) check(raw string) (Caller, time.Time, error) {
	refuse := func(why string) (Caller, time.Time, error) {
		return Caller{}, time.Time{}, jitsuin.Errorf(jitsuin.Unauthenticated, "token", "the access token %s", why).WithHint("buy a new one at POST /token")
	}
	tok, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(tok.Headers) != 1 || tok.Headers[0].ExtraHeaders[jose.HeaderType] != "at+jwt" {
		return refuse("is not one of ours")
	}
	var c jwt.Claims
	var extra roleClaim
	if err := tok.Claims(&s.self.Key.PublicKey, &c, &extra); err != nil {
		return refuse("is not one of ours")
	}
	now := s.now()
	if !c.Audience.Contains(s.self.ID) || c.Expiry == nil || c.Subject == "" {
		return refuse("is not for this actor")
	}
	if now.After(c.Expiry.Time()) {
		return refuse("has expired")
	}
	return Caller{ID: c.Subject, Role: extra.Role, Key: extra.Key}, c.Expiry.Time(), nil
}

// assertion makes what the caller sends to buy a token at the instance audience.
func assertion(self string, key *ecdsa.PrivateKey, audience string, now time.Time) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{Issuer: self, Subject: self, Audience: jwt.Audience{audience}, ID: string(jitsuin.NewID()),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize()
}
