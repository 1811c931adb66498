package openid

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
)

// metadataOf reads what a client registers; members that are not known are left out (RFC 7591 §2).
func metadataOf(r *http.Request) (m Metadata, err error) {
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(t), "application/json") {
		return m, fault(invalidMetadata, "the metadata are JSON, application/json")
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return m, fault(invalidMetadata, "the metadata cannot be read")
	}
	return m, nil
}

// registerClient takes a client in that nobody sent: it becomes a tenant of the sandbox (RFC 7591 §3).
func (p *Provider) registerClient(w http.ResponseWriter, r *http.Request) error {
	m, err := metadataOf(r)
	if err != nil {
		return err
	}
	c, err := p.registerAnybody(r, m)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, c.Registered)
	return nil
}

func (p *Provider) registerAnybody(r *http.Request, m Metadata) (Prepared, error) {
	m.fill()
	if err := m.check(); err != nil {
		return Prepared{}, err
	}
	tenant, err := p.Host.NewTenant(r.Context(), m)
	if err != nil {
		return Prepared{}, err
	}
	c := p.prepared(tenant, m)
	return c, p.DB.Update(r.Context(), func(tx *store.Tx) error { return p.Put(r.Context(), tx, c) })
}

// managed reads, changes or ends a client for who has its registration token (RFC 7592). A client that is unknown and a token that is
// wrong are refused alike.
func (p *Provider) managed(w http.ResponseWriter, r *http.Request) error {
	c, err := p.client(r.Context(), r.PathValue("client"))
	if err != nil && jitsuin.KindOf(err) != jitsuin.NotFound {
		return err
	}
	_, token := schemeOf(r)
	if err != nil || token == "" || subtle.ConstantTimeCompare([]byte(hashed(token)), []byte(c.registration)) != 1 {
		return fault(invalidToken, "the registration token is not this client's")
	}
	switch r.Method {
	case http.MethodDelete:
		if err := p.DB.Update(r.Context(), func(tx *store.Tx) error { return p.End(r.Context(), tx, c.tenant, c.id) }); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodPut:
		if c.meta, err = p.replaced(r, c); err != nil {
			return err
		}
	}
	writeJSON(w, http.StatusOK, p.shown(c))
	return nil
}

// replaced puts other metadata in the place of a client's. Its addresses stay at origins of its tenant, and how it proves itself stays
// of the same sort: another is another client.
func (p *Provider) replaced(r *http.Request, c client) (Metadata, error) {
	m, err := metadataOf(r)
	if err != nil {
		return m, err
	}
	m.fill()
	if err := m.check(); err != nil {
		return m, err
	}
	if m.AuthMethod != c.meta.AuthMethod {
		return m, fault(invalidMetadata, "token_endpoint_auth_method: stays %s; register another client for another way", c.meta.AuthMethod)
	}
	for _, o := range m.origins() {
		if err := p.Host.MayUse(r.Context(), c.tenant, o); err != nil {
			return m, fault(invalidRedirect, "the origin %s is not one of the tenant's", o)
		}
	}
	return m, p.DB.Update(r.Context(), func(tx *store.Tx) error { return p.change(r.Context(), tx, c, m) })
}

// clientForm is the page on which a developer makes a client of the sandbox.
type clientForm struct {
	Error                   string // code of what was wrong, "" for nothing
	Detail                  string
	Name, Redirects, Logout string
	Auth, Keys              string
	Methods                 []string
	Scopes                  []string
	Chosen                  map[string]bool
	Issuer, Alias, Action   string
}

var formScopes = []string{"name", "address", "birthdate", "gender", "age_over_18", "age_over_20"}

func (p *Provider) clientForm(w http.ResponseWriter, r *http.Request) error {
	p.showForm(w, r, http.StatusOK, clientForm{Auth: AuthBasic, Chosen: map[string]bool{}})
	return nil
}

func (p *Provider) showForm(w http.ResponseWriter, r *http.Request, status int, f clientForm) {
	f.Methods, f.Scopes, f.Action = []string{AuthBasic, AuthPost, AuthKey, AuthPublic}, formScopes, issuers[0].path+"/clients"
	f.Issuer, f.Alias = p.url(issuers[0], ""), p.url(issuers[1], "")
	p.Host.Page(w, r, status, "openid-clients", f)
}

// clientMade registers what the form says, and shows the secret: this once.
func (p *Provider) clientMade(w http.ResponseWriter, r *http.Request) error {
	f := clientForm{Name: r.PostForm.Get("name"), Redirects: r.PostForm.Get("redirects"), Logout: r.PostForm.Get("logout"), Auth: r.PostForm.Get("auth"), Keys: r.PostForm.Get("jwks"), Chosen: map[string]bool{}}
	m := Metadata{Name: f.Name, RedirectURIs: strings.Fields(f.Redirects), PostLogoutURIs: strings.Fields(f.Logout), AuthMethod: f.Auth, Scope: scopeOpenID}
	for _, s := range formScopes {
		if r.PostForm.Has("scope-" + s) {
			f.Chosen[s] = true
			m.Scope += " " + s
		}
	}
	var err error
	if f.Auth == AuthKey {
		m.JWKS = &jose.JSONWebKeySet{}
		if json.Unmarshal([]byte(f.Keys), m.JWKS) != nil {
			err = fault(invalidMetadata, "jwks: this is no set of public keys in JSON (RFC 7517)")
		}
	}
	var c Prepared
	if err == nil {
		c, err = p.registerAnybody(r, m)
	}
	if e, ok := errors.AsType[*jitsuin.Error](err); ok && e.Kind == jitsuin.Invalid {
		f.Error, f.Detail = e.Code, e.Message
		p.showForm(w, r, http.StatusBadRequest, f)
		return nil
	}
	if err != nil {
		return err
	}
	p.Host.Page(w, r, http.StatusCreated, "openid-client", clientPage{c.Registered, p.url(issuers[0], ""), p.url(issuers[1], "")})
	return nil
}

// clientPage is what a developer is told of a client that was made.
type clientPage struct {
	Registered
	Issuer, Alias string
}

// ReadMetadata reads what a tenant registers by the API; members that are not known are left out (RFC 7591 §2).
func ReadMetadata(members map[string]any) (m Metadata, err error) {
	raw, err := json.Marshal(members)
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return m, fault(invalidMetadata, "the metadata cannot be read")
	}
	return m, nil
}
