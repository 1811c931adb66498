// Package api is what a relying party sees of the platform operator (プラットフォーム事業者): checks
// of signed documents and logins with the card. It owns wire types and nothing else; package client
// is the way to call it.
package api

import (
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/platform/matching"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/report"
)

// VerificationRequest is one signed document to check, in any format. Either Document or
// DocumentDigest is given where the signature is detached; neither where it embeds its content. A PDF,
// or XML that holds its signature, is sent as either Signature or Document alone. The platform keeps
// no copy of the document.
type VerificationRequest struct {
	Document       []byte `json:"document,omitempty" doc:"the signed bytes; sent alone, what holds the signature as well"`
	DocumentDigest []byte `json:"digest,omitempty" doc:"SHA-256 (32 bytes), SHA-384 (48) or SHA-512 (64) of the signed bytes, with the signature's own hash, where the document itself stays with the tenant; for CMS with signed attributes and for time-stamps only"`
	Signature      []byte `json:"signature,omitzero" doc:"what holds the signature: CMS SignedData (DER or BER), PDF, XML, a time-stamp (RFC 3161) or a JWS in any of its forms"`
	Format         string `json:"format,omitempty" enum:"auto,cms,pdf,xml,timestamp,jws" doc:"what to read it as; left out or auto, its bytes tell"`
	// CertificateJWE is of a result of the sign API. Signature is then the bare value of that result.
	CertificateJWE string `json:"sign_certificate_jwe,omitempty" maxLength:"20000" doc:"of a result of the sign API (GET /api/sign-transactions/{id}/result), with that result's signature as signature"`
	Files          []File `json:"files,omitempty" maxItems:"32" doc:"of XML: the files that its references name"`
	// Purpose says what the signature is for, in a word of rules.Purposes: it decides which record is
	// kept and is stored. A certificate may be used for checking this signature and for nothing
	// else (JPKI Act art. 19(2)).
	Purpose string `json:"purpose" minLength:"1" maxLength:"100" doc:"such as contract, account, application"`
	// At looks back: the report then speaks of this civil time, and gives neither items nor user,
	// for a signature is accepted by its state now (art. 19(1)). A time in the future is refused.
	At *time.Time `json:"at,omitempty" doc:"leave out to accept a signature"`
	// IdentifyUser has the person named by an id that is the same when they come again. Who does not need that leaves it out of the world:
	// then no link of the certificate is asked for.
	IdentifyUser *bool `json:"identify_user,omitempty" doc:"left out: true"`
	// CustomerRecord is what the tenant has on file: the four items of the certificate are compared with it.
	// It is read for the answer and not kept.
	CustomerRecord *CustomerRecord `json:"customer_record,omitempty" doc:"what you have on file about the customer, to be compared with the four items; not kept"`
	// Record is what only the tenant knows of the record that the law asks for. What is left out is added later.
	Record *RecordFacts `json:"record,omitempty" doc:"what only you know of the record that the law asks for; it can be added later"`
	// Validity is how status is asked for this check alone.
	Validity string `json:"validity,omitempty" enum:"ocsp,crl" doc:"left out, as the tenant is set"`
}

// CustomerRecord and Comparison are a tenant's customer record and how the four items agree with it.
type (
	CustomerRecord = matching.CustomerRecord
	Comparison     = matching.Comparison
)

// Identifies tells whether the person is to be named.
func (r VerificationRequest) Identifies() bool { return r.IdentifyUser == nil || *r.IdentifyUser }

// Identifies tells whether the person is to be named.
func (r LoginRequest) Identifies() bool { return r.IdentifyUser == nil || *r.IdentifyUser }

// File is a file beside an XML signature, by the name that the signature has for it.
type File struct {
	Name    string `json:"name" minLength:"1" maxLength:"500" doc:"the URI of the reference, as it stands"`
	Content []byte `json:"content"`
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
	KeepUntil jitsuin.Date `json:"keep_until" doc:"empty: until a time that depends on the end of the contract"`
	Law       string       `json:"law"`
	// Complete tells that the record has every member that the law of the day asks for; else Missing says what it lacks, to be
	// added as an Amendment.
	Complete   bool          `json:"complete"`
	CompleteBy *jitsuin.Date `json:"complete_by,omitempty" doc:"last day on which it must be complete, where the law names one"`
	Missing    []RecordGap   `json:"missing,omitempty"`
}

// Legal is what the law makes of a check for its purpose, and what to do next.
type Legal = report.Reading

// Verification is the answer to a VerificationRequest. Items, User and Record are present only when the report passed, and
// Record only where a law asks for one. Items stand in the answer to the request that brought the certificate, however
// often it is repeated, and in no other: later they are read from the record. Legal says what to do in any case.
type Verification struct {
	ID        jitsuin.ID         `json:"id"`
	CheckedAt time.Time          `json:"checked_at" doc:"civil time"`
	Purpose   string             `json:"purpose"`
	Report    signature.Report   `json:"report"`
	Legal     *Legal             `json:"legal,omitempty" doc:"The legal reading for the purpose, and what to do next"`
	Items     *jitsuin.FourItems `json:"items,omitempty"`
	User      *User              `json:"user,omitempty"`
	Record    *Record            `json:"record,omitempty"`
	// Comparison is present where the request had a customer record and the items are answered.
	Comparison *Comparison `json:"comparison,omitempty" doc:"how the four items agree with the customer record of the request, and why"`
}

// ChallengeRequest asks for a login challenge. Origin is the relying party's web origin and must
// be one that the tenant has registered.
type ChallengeRequest struct {
	Origin  string `json:"origin" maxLength:"200"`
	Purpose string `json:"purpose" minLength:"1" maxLength:"100"`
	// PINless asks for a challenge that a terminal answers without the PIN (かざし利用). Its purpose begins with PINlessPurpose, inside what
	// is signed.
	PINless bool `json:"pinless,omitempty" doc:"for specified verifiers only"`
}

// PINlessPurpose begins the purpose of a challenge that is answered without the PIN.
const PINlessPurpose = "かざし利用（暗証番号なし）："

// ChallengeText is a signature.Challenge as it is written; iat and exp are seconds since 1970.
type ChallengeText struct {
	Origin    string `json:"origin"`
	ClientID  string `json:"client_id"`
	Purpose   string `json:"purpose"`
	Nonce     string `json:"nonce"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	Txn       string `json:"txn"`
	PINless   bool   `json:"pinless,omitempty" doc:"the purpose says so too; this member is not signed"`
}

// ToSign gives the challenge that the authentication key answers.
func (c ChallengeText) ToSign() signature.Challenge {
	return signature.Challenge{Origin: c.Origin, ClientID: c.ClientID, Purpose: c.Purpose, Nonce: c.Nonce,
		IssuedAt: time.Unix(c.IssuedAt, 0), ExpiresAt: time.Unix(c.ExpiresAt, 0), Txn: c.Txn}
}

// Challenge is what the authentication key signs (domain-separated; never a document digest).
type Challenge struct {
	ID        jitsuin.ID    `json:"id"`
	Challenge ChallengeText `json:"challenge"`
}

// LoginRequest answers a challenge.
type LoginRequest struct {
	Challenge   jitsuin.ID `json:"challenge_id"`
	Certificate []byte     `json:"certificate" doc:"authentication certificate, DER"`
	Signature   []byte     `json:"signature"`
	DigestAlg   string     `json:"digest_alg,omitempty" doc:"SHA-256 or SHA-384; left out, what the key's suite uses"`
	// IdentifyUser is as in a VerificationRequest.
	IdentifyUser *bool `json:"identify_user,omitempty" doc:"left out: true"`
}

// Login is the answer: passed or not, with reasons, and the pairwise user. It carries no four
// items and is no identity verification in the sense of the law: that needs the signature
// certificate over the transaction.
type Login struct {
	ID     jitsuin.ID       `json:"id"`
	At     time.Time        `json:"at"`
	Report signature.Report `json:"report"`
	User   *User            `json:"user,omitempty"`
	// PINless tells that the challenge was one for かざし利用: the card was there, and nobody was asked for its PIN. That names the user
	// of the card and says nothing of who held it: it is no login of a person, never acr aal3, and never an identity verification.
	PINless bool `json:"pinless,omitempty" doc:"no PIN was asked for: the card was there; who held it is not known"`
}
