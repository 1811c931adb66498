// Package api is what a relying party sees of the platform operator (プラットフォーム事業者): checks
// of signed documents and logins with the card. It owns wire types and nothing else; package client
// is the way to call it.
package api

import (
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature"
)

// VerificationRequest is one signed document to check. Either Document or DocumentDigest is given
// where the signature is detached; neither where it embeds its content. The platform keeps no copy
// of the document.
type VerificationRequest struct {
	Document       []byte `json:"document,omitempty" doc:"the signed bytes"`
	DocumentDigest []byte `json:"digest,omitempty" doc:"SHA-256 of the signed bytes, where the document itself stays with the tenant"`
	Signature      []byte `json:"signature" doc:"CMS SignedData, DER or BER"`
	// Purpose says what the signature is for. A certificate may be used for checking this
	// signature and for nothing else (JPKI Act art. 19(2)).
	Purpose string `json:"purpose" minLength:"1" maxLength:"100" doc:"such as contract, account-opening"`
	// At is the civil time at which the check is made; now where it is left out. A time in the
	// future is refused.
	At *time.Time `json:"at,omitempty"`
}

// User is a person at one relying party: a pairwise id, stable over renewal and re-issue.
type User struct {
	ID  string `json:"id"`
	New bool   `json:"new" doc:"first seen by this tenant now"`
}

// Record names the evidence that was kept for the tenant, and until when it must be.
type Record struct {
	ID        jitsuin.ID   `json:"id"`
	Kind      string       `json:"kind"`
	KeepUntil jitsuin.Date `json:"keep_until,omitempty" doc:"empty: until a time that depends on the end of the contract"`
	Law       string       `json:"law"`
}

// Verification is the answer to a VerificationRequest. Items are present only when the report passed.
type Verification struct {
	ID        jitsuin.ID         `json:"id"`
	CheckedAt time.Time          `json:"checked_at"`
	Purpose   string             `json:"purpose"`
	Report    signature.Report   `json:"report"`
	Items     *jitsuin.FourItems `json:"items,omitempty"`
	User      *User              `json:"user,omitempty"`
	Record    *Record            `json:"record,omitempty"`
}

// ChallengeRequest asks for a login challenge. Origin is the relying party's web origin and must
// be one that the tenant has registered.
type ChallengeRequest struct {
	Origin  string `json:"origin" maxLength:"200"`
	Purpose string `json:"purpose" minLength:"1" maxLength:"100"`
}

// Challenge is what the authentication key signs (domain-separated; never a document digest).
type Challenge struct {
	ID        jitsuin.ID          `json:"id"`
	Challenge signature.Challenge `json:"challenge"`
}

// LoginRequest answers a challenge.
type LoginRequest struct {
	Challenge   jitsuin.ID `json:"challenge_id"`
	Certificate []byte     `json:"certificate" doc:"authentication certificate, DER"`
	Signature   []byte     `json:"signature"`
}

// Login is the answer: passed or not, with reasons, and the pairwise user. It carries no four
// items and is no identity verification in the sense of the law: that needs the signature
// certificate over the transaction.
type Login struct {
	ID     jitsuin.ID       `json:"id"`
	At     time.Time        `json:"at"`
	Report signature.Report `json:"report"`
	User   *User            `json:"user,omitempty"`
}

// TenantRequest registers a tenant as a deemed verifier (みなし署名検証者).
type TenantRequest struct {
	ID      string   `json:"id" minLength:"3" maxLength:"64" doc:"the tenant's name as a caller, such as tenant:securities-1"`
	Name    string   `json:"name" minLength:"1" maxLength:"200"`
	Origins []string `json:"origins" maxItems:"10"`
	// PublicKey is a P-256 key, DER SubjectPublicKeyInfo: the tenant's assertions are signed with it.
	PublicKey []byte `json:"public_key"`
}

// Tenant is a registered tenant.
type Tenant struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Origins     []string     `json:"origins"`
	DeemedSince jitsuin.Date `json:"deemed_since"`
}
