package api

// OpenIDClient is a client of the OpenID provider as its tenant sees it, without secrets.
type OpenIDClient struct {
	ID           string   `json:"client_id"`
	Name         string   `json:"client_name,omitempty"`
	RedirectURIs []string `json:"redirect_uris,omitempty"`
	AuthMethod   string   `json:"token_endpoint_auth_method,omitempty"`
	Scope        string   `json:"scope,omitempty"`
	IssuedAt     int64    `json:"client_id_issued_at,omitempty" doc:"seconds since 1970, wall time"`
	Pushed       bool     `json:"require_pushed_authorization_requests,omitempty"`
	DPoP         bool     `json:"dpop_bound_access_tokens,omitempty"`
}

// OpenIDClients are a tenant's clients.
type OpenIDClients struct {
	Clients []OpenIDClient `json:"clients"`
}
