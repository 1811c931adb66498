package api

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

// Scopes of an adapter token.
const (
	// ScopeVerify is for signatures with the signature certificate over a digest of the tenant's document.
	ScopeVerify = "verify"
	// ScopeLegacyNonce is for protocols in which a card signs a nonce that the relying party made: such a signature is
	// bound to no origin and no purpose. It is legacy, and nobody has it who did not ask for it.
	ScopeLegacyNonce = "legacy-nonce"
)

// Lives of an adapter token, in days of wall time.
const (
	AdapterTokenDays    = 90
	MaxAdapterTokenDays = 365
)

// AdapterTokenRequest asks for a token with which code that was written for another platform's API calls
// this one for the tenant. Without a token the adapters are closed to the tenant.
type AdapterTokenRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"100" doc:"what the tenant calls it" example:"web shop"`
	Scopes  []string `json:"scopes" minItems:"1" maxItems:"2" enum:"verify,legacy-nonce" doc:"verify: signatures with the signature certificate; legacy-nonce: protocols in which a card signs a raw nonce"`
	Purpose string   `json:"purpose,omitempty" maxLength:"100" doc:"what signatures are for, a word as in a verification; left out, contract" example:"contract"`
	Days    int      `json:"days,omitempty" minimum:"1" maximum:"365" doc:"how long it lasts, in days; left out, 90" example:"90"`
}

// AdapterToken is a token as the tenant sees it. The token itself is told once, by the answer that made it:
// the platform keeps its digest alone.
type AdapterToken struct {
	ID        jitsuin.ID `json:"id" example:"0123456789abcdef0123456789abcdef"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes" enum:"verify,legacy-nonce"`
	Purpose   string     `json:"purpose"`
	MadeAt    time.Time  `json:"made_at" doc:"wall time"`
	ExpiresAt time.Time  `json:"expires_at" doc:"wall time"`
	RevokedAt *time.Time `json:"revoked_at,omitempty" doc:"wall time; absent while it is not revoked"`
	Token     string     `json:"token,omitempty" doc:"256 random bits; in the first answer that made it and never again, not even to a repetition of the request" example:"jad_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`
}

// AdapterTokens are the tokens of a tenant, the latest first, those that ended within the last year among them.
type AdapterTokens struct {
	Tokens []AdapterToken `json:"tokens"`
}
