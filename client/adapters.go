package client

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Tokens for code that was written for another platform's API, and their scopes.
type (
	AdapterTokenRequest = api.AdapterTokenRequest
	AdapterToken        = api.AdapterToken
)

// Scopes of an adapter token.
const (
	ScopeVerify      = api.ScopeVerify
	ScopeLegacyNonce = api.ScopeLegacyNonce
)

// MakeAdapterToken makes a token for this tenant. Token is in the first answer alone: a call that is repeated with its
// requestID, also behind this function because an answer was lost, comes back without it. Then revoke it, and make another.
func (c *Client) MakeAdapterToken(ctx context.Context, requestID string, r AdapterTokenRequest) (AdapterToken, error) {
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[AdapterToken](ctx, c.remote, http.MethodPost, "/v1/adapter-tokens", requestID, r)
}

// AdapterTokens lists this tenant's tokens, the latest first, without the tokens themselves.
func (c *Client) AdapterTokens(ctx context.Context) ([]AdapterToken, error) {
	list, err := httpapi.Do[api.AdapterTokens](ctx, c.remote, http.MethodGet, "/v1/adapter-tokens", "", nil)
	return list.Tokens, err
}

// RevokeAdapterToken ends a token at once; NotFound for one that is not this tenant's.
func (c *Client) RevokeAdapterToken(ctx context.Context, requestID string, id jitsuin.ID) (AdapterToken, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return AdapterToken{}, err
	}
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[AdapterToken](ctx, c.remote, http.MethodDelete, "/v1/adapter-tokens/"+string(id), requestID, nil)
}
