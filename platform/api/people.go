package api

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

// KnownUser is a user as the platform knows them for one tenant: when they came, and what rests on them. It names nobody.
type KnownUser struct {
	ID         string             `json:"id"`
	FirstSeen  time.Time          `json:"first_seen" doc:"civil time"`
	LastSeen   time.Time          `json:"last_seen" doc:"of the last accepted check, civil time"`
	Kinds      []jitsuin.CertKind `json:"kinds" doc:"of the certificates by which you have seen them"`
	Subscribed bool               `json:"subscribed" doc:"you are told when a certificate of theirs lapses"`
}

// Users are a tenant's users in the order of their ids; ask on with After the last one's id while there are more.
type Users struct {
	Users []KnownUser `json:"users"`
	More  bool        `json:"more"`
}

// ForgottenUser tells what became of a user whom the tenant has the platform forget: nobody is found by the id again, and the person
// comes back as somebody new. Records that the law keeps stay until their last day.
type ForgottenUser struct {
	ID      string   `json:"id"`
	Records []Record `json:"records" doc:"that stay"`
}

// Status of a certificate at a status check.
const (
	StatusGood    = "good"
	StatusRevoked = "revoked"
	StatusExpired = "expired"
	StatusUnknown = "unknown" // nobody could tell now; ask again
)

// Purposes of checks, as they are told to authorities.
const (
	SignatureVerification = "signature_verification"
	LivenessCheck         = "liveness_check"
)

// StatusRequest asks whether the certificate on which a customer's data rest is still in force (現況確認).
type StatusRequest struct {
	Purpose string `json:"purpose" minLength:"1" maxLength:"100" doc:"what you need to know it for; it is recorded, and the person can read it"`
}

// StatusBatch is a StatusRequest about several users.
type StatusBatch struct {
	Users   []string `json:"users" minItems:"1" maxItems:"100"`
	Purpose string   `json:"purpose" minLength:"1" maxLength:"100"`
}

// StatusCheck is the answer. It is about the newest certificate by which you have seen the user, or the one behind the verification, and
// never names it.
type StatusCheck struct {
	ID           jitsuin.ID               `json:"id"`
	User         string                   `json:"user,omitempty"`
	Verification jitsuin.ID               `json:"verification" doc:"the check on which it rests"`
	Kind         jitsuin.CertKind         `json:"kind" enum:"sign,auth"`
	Purpose      string                   `json:"purpose"`
	CheckPurpose string                   `json:"check_purpose" enum:"signature_verification,liveness_check" doc:"for reports to authorities"`
	CheckedAt    time.Time                `json:"checked_at" doc:"civil time"`
	Status       string                   `json:"status" enum:"good,revoked,expired,unknown"`
	Since        *time.Time               `json:"since,omitempty" doc:"since when it is not in force"`
	Reason       jitsuin.RevocationReason `json:"reason,omitempty" doc:"affiliationChanged: the four items have changed. cessationOfOperation: the person is not in the register any more. superseded: there is a newer certificate. certificateHold: suspended, it may come back"`
	Method       string                   `json:"method" enum:"ocsp,crl,none" doc:"none: an expired certificate is not asked about"`
	UpdatedAt    *time.Time               `json:"source_updated_at,omitempty"`
	Why          string                   `json:"why,omitempty" doc:"of unknown"`
}

// StatusChecks are the answers to a batch, or those of before, the latest first.
type StatusChecks struct {
	Checks  []StatusCheck `json:"checks"`
	Unknown []string      `json:"unknown_users,omitempty" doc:"who are no users of yours"`
}

// SubscriptionRequest wants to be told when a certificate of a user lapses (失効情報通知).
type SubscriptionRequest struct {
	Users   []string `json:"users" minItems:"1" maxItems:"1000"`
	Purpose string   `json:"purpose" minLength:"1" maxLength:"100" doc:"what you need to know it for; it is recorded, and the person can read it"`
}

// Subscriptions tell for whom it is wanted now.
type Subscriptions struct {
	Users   []string `json:"users"`
	Unknown []string `json:"unknown_users,omitempty" doc:"who are no users of yours"`
}

// Types of the events about users.
const (
	EventCertificateLapsed = "certificate.lapsed"   // CertificateChange with status revoked or expired
	EventCertificateBack   = "certificate.restored" // CertificateChange with status good: a suspension was lifted
	EventConsentGiven      = "consent.given"        // ConsentChange
	EventConsentRefused    = "consent.refused"      // ConsentChange: the person said no, or the signature was not accepted
	EventConsentWithdrawn  = "consent.withdrawn"    // ConsentChange
	EventConsentExpired    = "consent.expired"      // ConsentChange
	EventConsentReminder   = "consent.reminder-due" // ConsentChange: remind the person (once a year)
)

// CertificateChange is told once for each change of a subscribed user's certificate. What the new items are, it does not say: ask the
// person, or for the latest items under their consent.
type CertificateChange struct {
	User      string                   `json:"user"`
	Kind      jitsuin.CertKind         `json:"kind"`
	Status    string                   `json:"status" enum:"good,revoked,expired"`
	Since     time.Time                `json:"since"`
	Reason    jitsuin.RevocationReason `json:"reason,omitempty"`
	UpdatedAt *time.Time               `json:"source_updated_at,omitempty"`
}

// Words are one text in both languages.
type Words struct {
	JA string `json:"ja" minLength:"1" maxLength:"80"`
	EN string `json:"en" minLength:"1" maxLength:"160"`
}

// ConsentRequest asks for a person's consent to your being told their latest four items (最新4情報提供の同意).
type ConsentRequest struct {
	User      string `json:"user" doc:"a user of yours; nobody else's signature is accepted"`
	Service   Words  `json:"service" doc:"a consent is for one service"`
	Purpose   string `json:"purpose" minLength:"1" maxLength:"150" doc:"what you use the items for, in Japanese: it stands in the text that is signed"`
	Contact   string `json:"contact" minLength:"1" maxLength:"150" doc:"whom a person asks, in Japanese"`
	ReturnURL string `json:"return_url" maxLength:"500" doc:"at an origin of yours; the browser comes back to it with ?consent=ID"`
}

// States of a consent.
const (
	ConsentDrawn     = "drawn" // the text is made and waits for the signature
	ConsentInForce   = "in-force"
	ConsentRefused   = "refused"
	ConsentWithdrawn = "withdrawn"
	ConsentExpired   = "expired"
	ConsentForgotten = "forgotten" // you had the user forgotten
)

// Consent is a consent with its ledger. You never get the certificate that was submitted with it.
type Consent struct {
	ID      jitsuin.ID     `json:"id"`
	User    string         `json:"user"`
	Service Words          `json:"service"`
	Purpose string         `json:"purpose"`
	State   string         `json:"state" enum:"drawn,in-force,refused,withdrawn,expired,forgotten"`
	GivenOn jitsuin.Date   `json:"given_on" doc:"empty before"`
	LastDay jitsuin.Date   `json:"last_day" doc:"ten years from the day after"`
	Remind  jitsuin.Date   `json:"remind_on" doc:"when the person is reminded next; empty for not any more"`
	Open    string         `json:"open,omitempty" doc:"of one just drawn: lead the person's browser there"`
	Ledger  []ConsentEntry `json:"ledger"`
}

// ConsentEntry is one line of a consent's ledger, which is appended to and never changed.
type ConsentEntry struct {
	At     time.Time `json:"at" doc:"civil time"`
	Act    string    `json:"act" enum:"drawn,given,refused,reminded,supplied,withdrawn,expired,forgotten"`
	Detail string    `json:"detail,omitempty" doc:"of supplied: the items that were new, by name; of refused: why"`
}

// Consents are those of one user, the latest first.
type Consents struct {
	Consents []Consent `json:"consents"`
}

// ConsentChange is told when something happens to a consent.
type ConsentChange struct {
	Consent jitsuin.ID `json:"consent"`
	User    string     `json:"user"`
	State   string     `json:"state"`
	Why     string     `json:"why,omitempty" doc:"of refused: cancelled, late, holder-failed, not-accepted, another-person, other-form"`
}

// LatestRequest asks for what is new of a user's four items under their consent.
type LatestRequest struct {
	Consent jitsuin.ID `json:"consent"`
}

// LatestItems is the answer: Items only where something is new. The platform passes them on and keeps none of them; only that, when and which were
// new. Repeat a call whose answer was lost with the same Idempotency-Key: it is not charged again.
type LatestItems struct {
	ID    jitsuin.ID         `json:"id"`
	At    time.Time          `json:"at" doc:"civil time"`
	New   bool               `json:"new"`
	Items *jitsuin.FourItems `json:"items,omitempty"`
	Which []string           `json:"which,omitempty" doc:"which items are new: name, address, birth_date, sex"`
	Yen   int                `json:"yen" doc:"the fee of J-LIS; nothing new costs nothing"`
}
