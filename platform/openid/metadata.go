package openid

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
)

// Ways in which a client proves who it is (token_endpoint_auth_method).
const (
	AuthKey    = "private_key_jwt"
	AuthBasic  = "client_secret_basic"
	AuthPost   = "client_secret_post"
	AuthPublic = "none"
)

// scopeOpenID is what every request has; all other scopes name claims, and a client registers those that it has a need for.
const scopeOpenID = "openid"

// Metadata is what a client registers (RFC 7591 §2, OpenID Connect Registration §2, RP-Initiated Logout §3.1, Back-Channel Logout §2.2,
// RFC 9126 §6, RFC 9449 §5.2).
type Metadata struct {
	Name          string   `json:"client_name,omitempty"`
	NameJA        string   `json:"client_name#ja,omitempty"`
	RedirectURIs  []string `json:"redirect_uris"`
	AuthMethod    string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes    []string `json:"grant_types,omitempty"`
	ResponseTypes []string `json:"response_types,omitempty"`
	// Scope are the scopes that the client may ask for, by blanks: openid where it says none, and those of items where it has a need for them.
	Scope         string              `json:"scope,omitempty"`
	JWKS          *jose.JSONWebKeySet `json:"jwks,omitempty"`
	JWKSURI       string              `json:"jwks_uri,omitempty"`
	AssertionAlg  string              `json:"token_endpoint_auth_signing_alg,omitempty"`
	IDTokenAlg    string              `json:"id_token_signed_response_alg,omitempty"`
	SubjectType   string              `json:"subject_type,omitempty"`
	ClientURI     string              `json:"client_uri,omitempty"`
	DefaultMaxAge *int64              `json:"default_max_age,omitempty"`

	PostLogoutURIs    []string `json:"post_logout_redirect_uris,omitempty"`
	BackChannelLogout string   `json:"backchannel_logout_uri,omitempty"`
	BackChannelSID    bool     `json:"backchannel_logout_session_required,omitempty"`

	RequirePushed bool `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBound     bool `json:"dpop_bound_access_tokens,omitempty"`
}

// assertionAlgs are the algorithms of assertions and of proofs: asymmetric ones alone.
var assertionAlgs = []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.PS256, jose.RS256, jose.EdDSA}

func names(algs []jose.SignatureAlgorithm) (all []string) {
	for _, a := range algs {
		all = append(all, string(a))
	}
	return all
}

// fill puts the defaults in: private_key_jwt, as the state's service has it.
func (m *Metadata) fill() {
	if m.AuthMethod == "" {
		m.AuthMethod = AuthKey
	}
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{grantCode}
	}
	if slices.Contains(strings.Fields(m.Scope), scopeSign) && !slices.Contains(m.GrantTypes, grantClient) {
		m.GrantTypes = append(slices.Clone(m.GrantTypes), grantClient)
	}
	if len(m.ResponseTypes) == 0 {
		m.ResponseTypes = []string{"code"}
	}
	if m.Scope == "" {
		m.Scope = scopeOpenID
	}
	m.IDTokenAlg, m.SubjectType = orElse(m.IDTokenAlg, string(jose.ES256)), orElse(m.SubjectType, "pairwise")
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

const (
	maxURIs = 20
	maxURI  = 500
)

// check refuses what the provider would not do; what it does not know it leaves out, as RFC 7591 §2 says.
func (m Metadata) check() error {
	bad := func(field, format string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, invalidMetadata, field+": "+format, args...).At(field)
	}
	switch {
	case !slices.Contains([]string{AuthKey, AuthBasic, AuthPost, AuthPublic}, m.AuthMethod):
		return bad("token_endpoint_auth_method", "one of %s, %s, %s, %s", AuthKey, AuthBasic, AuthPost, AuthPublic)
	case !m.grantsFit():
		return bad("grant_types", "authorization_code is what there is, and client_credentials for the scope sign")
	case !slices.Equal(m.ResponseTypes, []string{"code"}):
		return bad("response_types", "code is what there is")
	case m.IDTokenAlg != string(jose.ES256):
		return bad("id_token_signed_response_alg", "ES256 is what there is")
	case m.SubjectType != "pairwise":
		return bad("subject_type", "subjects are pairwise")
	case m.JWKSURI != "":
		return bad("jwks_uri", "keys are not fetched; register them as jwks")
	case m.AssertionAlg != "" && !slices.Contains(names(assertionAlgs), m.AssertionAlg):
		return bad("token_endpoint_auth_signing_alg", "one of %s", strings.Join(names(assertionAlgs), ", "))
	case len(m.Name) > 200 || len(m.NameJA) > 200:
		return bad("client_name", "at most 200 bytes")
	case m.DefaultMaxAge != nil && *m.DefaultMaxAge < 0:
		return bad("default_max_age", "seconds")
	}
	for _, s := range strings.Fields(m.Scope) {
		if !knownScope(s) {
			return bad("scope", "there is no scope %q", s)
		}
	}
	if err := m.checkKeys(bad); err != nil {
		return err
	}
	return m.checkURIs(bad)
}

// grantsFit: a client that signs opens its transactions with a token of its own, and no other has one.
func (m Metadata) grantsFit() bool {
	if !slices.Contains(strings.Fields(m.Scope), scopeSign) {
		return slices.Equal(m.GrantTypes, []string{grantCode})
	}
	return len(m.GrantTypes) == 2 && slices.Contains(m.GrantTypes, grantCode) && slices.Contains(m.GrantTypes, grantClient) && m.AuthMethod != AuthPublic
}

type badField func(field, format string, args ...any) error

// checkKeys: a client with private_key_jwt has public keys that are as strong as ours, and nobody else has any.
func (m Metadata) checkKeys(bad badField) error {
	if m.AuthMethod != AuthKey {
		return nil
	}
	if m.JWKS == nil || len(m.JWKS.Keys) == 0 || len(m.JWKS.Keys) > 10 {
		return bad("jwks", "a client with %s registers up to ten public keys", AuthKey)
	}
	for _, k := range m.JWKS.Keys {
		if !k.Valid() || !k.IsPublic() {
			return bad("jwks", "the keys are public ones; the members d and k stay with you")
		}
		if !strong(k.Key) {
			return bad("jwks", "a key is EC on P-256 or P-384, Ed25519, or RSA of at least 2048 bits")
		}
	}
	return nil
}

func (m Metadata) checkURIs(bad badField) error {
	if len(m.RedirectURIs) == 0 || len(m.RedirectURIs) > maxURIs || len(m.PostLogoutURIs) > maxURIs {
		return jitsuin.Errorf(jitsuin.Invalid, invalidRedirect, "redirect_uris: between one and %d", maxURIs).At("redirect_uris")
	}
	for _, u := range m.RedirectURIs {
		if why := badURI(u); why != "" {
			return jitsuin.Errorf(jitsuin.Invalid, invalidRedirect, "redirect_uris: %s", why).At("redirect_uris")
		}
	}
	for _, u := range m.PostLogoutURIs {
		if why := badURI(u); why != "" {
			return bad("post_logout_redirect_uris", "%s", why)
		}
	}
	if m.BackChannelLogout != "" && badURI(m.BackChannelLogout) != "" {
		return bad("backchannel_logout_uri", "%s", badURI(m.BackChannelLogout))
	}
	return nil
}

// badURI says why an address is none to lead a browser to: no fragment, no user, nothing that a browser and a server might read
// differently, and http on the same machine only (RFC 9700 §4.1, RFC 8252 §7.3).
func badURI(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || len(raw) > maxURI:
		return "an absolute URL of at most 500 bytes"
	case u.User != nil || strings.Contains(raw, "#") || strings.ContainsAny(raw, "\\*") || u.String() != raw:
		return "no user, no fragment, no wildcard, and written as URLs are"
	case strings.ToLower(u.Host) != u.Host || strings.Contains(u.Path, "/../") || strings.Contains(u.Path, "/./"):
		return "host in lower case, no dots in the path"
	case u.Scheme == "https":
		return ""
	case u.Scheme != "http" || !onThisMachine(u.Hostname()):
		return "https, or http on the machine itself"
	}
	return ""
}

func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// origins gives the origins of all addresses to which browsers are led, each once.
func (m Metadata) origins() (all []string) {
	for _, raw := range slices.Concat(m.RedirectURIs, m.PostLogoutURIs) {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		if o := u.Scheme + "://" + u.Host; !slices.Contains(all, o) {
			all = append(all, o)
		}
	}
	return all
}

// Origins gives the origins of the client's pages.
func (m Metadata) Origins() []string { return m.origins() }

// Names gives what people are told, in Japanese and English; "" where the client has no name of its own.
func (m Metadata) Names() (ja, en string) { return orElse(m.NameJA, m.Name), orElse(m.Name, m.NameJA) }
