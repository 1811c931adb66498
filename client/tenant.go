package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// This tenant's registration, and what it may change of it.
type (
	Tenant     = api.Tenant
	TenantKey  = api.TenantKey
	OwnChange  = api.OwnChange
	KeyRequest = api.KeyRequest
	Usage      = api.Usage
)

// Tenant gives this tenant's registration: state, contract, quota, keys.
func (c *Client) Tenant(ctx context.Context) (Tenant, error) {
	return httpapi.Do[Tenant](ctx, c.remote, http.MethodGet, "/v1/tenant", "", nil)
}

// ChangeTenant changes origins, contact or validity of this tenant; what is nil stays.
func (c *Client) ChangeTenant(ctx context.Context, requestID string, r OwnChange) (Tenant, error) {
	return httpapi.Do[Tenant](ctx, c.remote, http.MethodPatch, "/v1/tenant", drawn(requestID), r)
}

// AddKey adds a public key of this tenant beside those that it has. To change keys: add the next, make a Client with it,
// and have that one end the old. Errors: Conflict "key-exists", "keys-many".
func (c *Client) AddKey(ctx context.Context, requestID string, r KeyRequest) (Tenant, error) {
	return httpapi.Do[Tenant](ctx, c.remote, http.MethodPost, "/v1/tenant/keys", drawn(requestID), r)
}

// EndKey ends a key of this tenant at once, with the tokens that it bought; Conflict "key-last" for the last one.
func (c *Client) EndKey(ctx context.Context, requestID, kid, reason string) (Tenant, error) {
	if kid == "" {
		return Tenant{}, jitsuin.Errorf(jitsuin.Invalid, "kid-form", "the key's id is missing").At("kid")
	}
	return httpapi.Do[Tenant](ctx, c.remote, http.MethodPost, "/v1/tenant/keys/"+url.PathEscape(kid)+"/end", drawn(requestID), api.Reasoned{Reason: reason})
}

// Usage gives what this tenant used between two civil days, both inclusive, with the fees of the days; a zero from is the
// first of the month of to, a zero to is today. byDay gives each day lines of its own.
func (c *Client) Usage(ctx context.Context, from, to jitsuin.Date, byDay bool) (Usage, error) {
	q := url.Values{}
	for name, d := range map[string]jitsuin.Date{"from": from, "to": to} {
		if !d.IsZero() {
			q.Set(name, d.String())
		}
	}
	if byDay {
		q.Set("by", "day")
	}
	return httpapi.Do[Usage](ctx, c.remote, http.MethodGet, "/v1/usage?"+q.Encode(), "", nil)
}
