package api

import (
	"encoding/json"
	"time"

	"github.com/jitsuin/jitsuin"
)

// TenantRequest registers a tenant as a deemed verifier (みなし署名検証者).
type TenantRequest struct {
	ID      string   `json:"id" minLength:"3" maxLength:"64" doc:"the tenant's name as a caller, such as tenant:securities-1"`
	Name    string   `json:"name" minLength:"1" maxLength:"100" doc:"as people read it, in Japanese"`
	NameEN  string   `json:"name_en,omitempty" maxLength:"200" doc:"the same in English"`
	Origins []string `json:"origins" maxItems:"10"`
	// PublicKey is a P-256 key, DER SubjectPublicKeyInfo: the tenant's assertions are signed with it.
	PublicKey []byte `json:"public_key"`
	// Contract is needed before anything is checked for the tenant, except in a sandbox.
	Contract *Contract `json:"contract,omitempty"`
	Contact  *Contact  `json:"contact,omitempty"`
	Validity string    `json:"validity,omitempty" enum:"ocsp,crl" doc:"how status is asked (有効性確認); left out, as the platform does"`
	Quota    *Quota    `json:"quota,omitempty" doc:"left out, the platform's"`
}

// Parts of a verifier's work that a deemed verifier entrusts to the platform, all of them.
const (
	EntrustReceiving = "receiving" // 電子署名が行われた情報・電子証明書の受信
	EntrustValidity  = "validity"  // 電子証明書の有効性確認
)

// Contract is the contract by which a tenant entrusts the platform with the systems that receive and that
// check validity (委託契約). Only whoever entrusts all of them is a deemed verifier.
type Contract struct {
	Number   string       `json:"number" minLength:"1" maxLength:"100"`
	Since    jitsuin.Date `json:"since" doc:"the first civil day"`
	Until    jitsuin.Date `json:"until,omitzero" doc:"the last civil day; left out, until further notice"`
	Entrusts []string     `json:"entrusts" maxItems:"2" doc:"receiving and validity, both of them"`
	// PINless is for a specified verifier of authentication (特定利用者証明検証者), and for nobody else.
	PINless bool `json:"pinless,omitempty" doc:"the tenant is a specified verifier, who may have an authentication checked for which no PIN was asked (かざし利用)"`
}

// Contact is whom the office writes to.
type Contact struct {
	Name  string `json:"name,omitempty" maxLength:"100" doc:"a person or a desk"`
	Email string `json:"email,omitempty" maxLength:"200"`
	Phone string `json:"phone,omitempty" maxLength:"40"`
}

// Quota is how many requests a tenant may send.
type Quota struct {
	PerSecond int `json:"per_second" minimum:"1" maximum:"1000000" doc:"in the long run"`
	Burst     int `json:"burst" minimum:"1" maximum:"1000000" doc:"at once after a pause"`
}

// States of a tenant. One that is suspended or ended may read what is its own, and has nothing checked.
const (
	TenantActive    = "active"
	TenantSuspended = "suspended"
	TenantEnded     = "ended"
)

// Tenant is a registered tenant.
type Tenant struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	NameEN      string       `json:"name_en,omitempty"`
	Origins     []string     `json:"origins"`
	DeemedSince jitsuin.Date `json:"deemed_since"`
	State       string       `json:"state" enum:"active,suspended,ended"`
	StateAt     *time.Time   `json:"state_at,omitempty" doc:"civil time of its last change"`
	Contract    *Contract    `json:"contract,omitempty"`
	Contact     *Contact     `json:"contact,omitempty"`
	Validity    string       `json:"validity" enum:"ocsp,crl" doc:"how its checks ask for status"`
	Quota       Quota        `json:"quota"`
	OwnQuota    bool         `json:"own_quota" doc:"the quota was set for this tenant; else it is the platform's"`
	Sandbox     bool         `json:"sandbox,omitempty" doc:"made by self-service, for trying things out"`
	ExpiresAt   *time.Time   `json:"expires_at,omitempty" doc:"of a sandbox tenant: when it ends unless it is used before; wall time"`
	Keys        []TenantKey  `json:"keys"`
	// Reason and Refused are told to the office alone.
	Reason  string `json:"reason,omitempty" doc:"why the state is what it is; told to the office alone"`
	Refused int64  `json:"refused,omitempty" doc:"requests over its quota since the platform started; told to the office alone"`
}

// TenantKey is one of a tenant's keys.
type TenantKey struct {
	KID       string     `json:"kid"`
	PublicKey []byte     `json:"public_key" doc:"P-256, DER SubjectPublicKeyInfo"`
	AddedAt   time.Time  `json:"added_at" doc:"wall time"`
	EndedAt   *time.Time `json:"ended_at,omitempty" doc:"wall time; what it signed, and the tokens that it bought, are refused since then"`
}

// KeyRequest is a new key, in one of three forms.
type KeyRequest struct {
	PublicKey []byte          `json:"public_key,omitempty" maxLength:"2000" doc:"DER SubjectPublicKeyInfo in base64"`
	PEM       string          `json:"pem,omitempty" maxLength:"2000" doc:"BEGIN PUBLIC KEY"`
	JWK       json.RawMessage `json:"jwk,omitempty" doc:"RFC 7517, the public part alone"`
	KID       string          `json:"kid,omitempty" maxLength:"64" doc:"letters, digits, - and _; left out, the JWK's own or its thumbprint (RFC 7638)"`
}

// Reasoned is an act that needs a reason.
type Reasoned struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"why, in words that an auditor understands"`
}

// TenantChange changes what is given and leaves the rest.
type TenantChange struct {
	Name     *string   `json:"name,omitempty" minLength:"1" maxLength:"100"`
	NameEN   *string   `json:"name_en,omitempty" maxLength:"200"`
	Origins  *[]string `json:"origins,omitempty" maxItems:"10"`
	Contract *Contract `json:"contract,omitempty"`
	Contact  *Contact  `json:"contact,omitempty"`
	Validity *string   `json:"validity,omitempty" enum:"ocsp,crl"`
	Quota    *Quota    `json:"quota,omitempty"`
}

// OfficeChange is what the role operator may change of a tenant by API.
type OfficeChange struct {
	Contract *Contract `json:"contract,omitempty"`
	Contact  *Contact  `json:"contact,omitempty"`
	Validity *string   `json:"validity,omitempty" enum:"ocsp,crl"`
	Quota    *Quota    `json:"quota,omitempty"`
	Reason   string    `json:"reason,omitempty" maxLength:"500" doc:"why, for the operation log"`
}

// OwnChange is what a tenant may change of itself; name, contract and quota are the office's.
type OwnChange struct {
	Origins  *[]string `json:"origins,omitempty" maxItems:"10"`
	Contact  *Contact  `json:"contact,omitempty"`
	Validity *string   `json:"validity,omitempty" enum:"ocsp,crl"`
}

// TenantList is a page of tenants, by id.
type TenantList struct {
	Tenants []Tenant `json:"tenants"`
	Next    string   `json:"next,omitempty" doc:"send it as after for the next page"`
}

// SandboxRequest makes a tenant in a sandbox. Its id is drawn.
type SandboxRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"100"`
	NameEN  string   `json:"name_en,omitempty" maxLength:"200"`
	Origins []string `json:"origins,omitempty" maxItems:"10" doc:"web origins, for logins and requests to the holder"`
	KeyRequest
}

// SandboxTenant is a tenant that was made, and where it goes on.
type SandboxTenant struct {
	Tenant   Tenant `json:"tenant"`
	Platform string `json:"platform" doc:"the platform's instance: the audience of assertions"`
	Origin   string `json:"origin" doc:"the platform's origin"`
	Token    string `json:"token_url" doc:"where assertions buy access tokens (RFC 7523)"`
}

// UsageLine is a number of uses that are alike.
type UsageLine struct {
	Day     string `json:"day,omitempty" doc:"YYYY-MM-DD, with by=day"`
	Service string `json:"service" doc:"document, login: checks; status, latest-items, latest-items-nothing-new: what J-LIS did for them"`
	Kind    string `json:"kind,omitempty" doc:"of the certificate: sign, auth"`
	Method  string `json:"method,omitempty" doc:"ocsp, crl"`
	Count   int64  `json:"count"`
	Each    int    `json:"fee_each_yen" doc:"the state's fee on the day"`
	Yen     int64  `json:"fee_yen" doc:"count times fee_each_yen"`
}

// Usage is what a tenant used between two civil days (JST), both inclusive. The fees are those of J-LIS on
// the days; what the platform charges stands in the contract.
type Usage struct {
	Tenant string       `json:"tenant"`
	From   jitsuin.Date `json:"from"`
	To     jitsuin.Date `json:"to"`
	Lines  []UsageLine  `json:"lines"`
	Yen    int64        `json:"fee_yen"`
}

// Statements are the usages of all tenants in a month.
type Statements struct {
	Month      string  `json:"month" doc:"YYYY-MM"`
	Statements []Usage `json:"statements"`
	Yen        int64   `json:"fee_yen"`
}
