// Package api is what other actors see of J-LIS (地方公共団体情報システム機構): the bodies of its
// feeds and its HTTP calls. It owns wire types and the client, and nothing else.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
)

// Topics and event types.
const (
	TopicApplications = "applications" // sent by each municipality, read by J-LIS
	TopicStatus       = "status"       // sent by J-LIS, read by its status nodes: StatusEvent

	TypeApplication = "jlis.application" // municipality → J-LIS: Application (step ③)
	TypeDelivered   = "jlis.delivered"   // J-LIS → municipality: Delivered (step ⑤)
	TypeRefused     = "jlis.refused"     // J-LIS → municipality: Refused
	TypeRevoked     = "jlis.revoked"     // J-LIS → municipality: Revoked
	TypeStatus      = "jlis.status"      // J-LIS → status nodes: StatusEvent
)

// TopicToTown is the topic of J-LIS's events for one municipality.
func TopicToTown(m jitsuin.MunicipalityCode) string { return "town-" + string(m) }

// ApplicationType is what is asked of J-LIS.
type ApplicationType string

const (
	NewCard ApplicationType = "new-card" // a chip and its certificates
	Reissue ApplicationType = "reissue"  // new certificates into the card that the resident holds
)

// Application is the notice that somebody has applied and was checked (step ③). Its subject in the
// feed is the application's id. J-LIS acts on it only after it has applied the municipality's
// residents feed up to Position.
type Application struct {
	ID           jitsuin.ID               `json:"id"`
	Type         ApplicationType          `json:"type"`
	Subject      jitsuin.ID               `json:"subject"`
	Municipality jitsuin.MunicipalityCode `json:"municipality"`
	Items        jitsuin.FourItems        `json:"items"`
	Holder       Holder                   `json:"holder,omitzero"`
	Position     jitsuin.Position         `json:"position"`
	Kinds        []jitsuin.CertKind       `json:"kinds"`
	// Card and PublicKeys are given for Reissue: the pair was made in this card at the counter's
	// terminal; the keys are DER SubjectPublicKeyInfo by kind.
	Card       jitsuin.ID                  `json:"card,omitempty"`
	PublicKeys map[jitsuin.CertKind][]byte `json:"public_keys,omitempty"`
	RequestID  string                      `json:"request_id,omitempty"`
	// Model is given for Phone, with the keys that the telephone has made.
	Model rules.PhoneModel `json:"model,omitempty"`
}

// Holder is what the municipality certifies of the applicant and J-LIS cannot know: what the right to
// a certificate and the validity of a card depend on besides the four items (rules.MayHold,
// rules.CardTerm). The zero value is a Japanese national who is no adult ward. J-LIS keeps it with the
// application and nowhere else.
type Holder struct {
	Stay      rules.Stay   `json:"stay,omitempty"`
	StayUntil jitsuin.Date `json:"stay_until,omitzero" doc:"the last day of a limited stay"`
	AdultWard bool         `json:"adult_ward,omitempty" doc:"成年被後見人"`
}

// Issued is one certificate that was issued.
type Issued struct {
	Kind        jitsuin.CertKind `json:"kind"`
	Certificate []byte           `json:"certificate" doc:"DER"`
	NotAfter    time.Time        `json:"not_after"`
}

// Delivered tells the municipality that its application is done: for NewCard the chip waits at
// POST /cards/{card}/receive, for Reissue the certificates are to be written at the terminal.
type Delivered struct {
	Application jitsuin.ID   `json:"application"`
	Subject     jitsuin.ID   `json:"subject"`
	Card        jitsuin.ID   `json:"card"`
	CardExpires jitsuin.Date `json:"card_expires"`
	// CardNumber (製造番号) and SecurityCode are printed on a new card; the code is part of what opens its pictures.
	CardNumber   string   `json:"card_number,omitempty"`
	SecurityCode string   `json:"security_code,omitempty"`
	Certificates []Issued `json:"certificates"`
	// Type is the application's; the first release did not tell it.
	Type ApplicationType `json:"type,omitempty"`
}

// Refused tells the municipality that J-LIS does not issue, and why: code four-items-differ,
// not-resident, not-entitled, certificate-in-force, key-refused, card-unknown …
type Refused struct {
	Application jitsuin.ID `json:"application"`
	Subject     jitsuin.ID `json:"subject"`
	Code        string     `json:"code"`
	Reason      string     `json:"reason"`
	Fields      []string   `json:"fields,omitempty" doc:"the items that differ"`
}

// Revoked tells the municipality that a resident's certificate has lapsed. EffectiveAt is the legal
// moment: the recording, or where the law names a day its beginning; RecordedAt is the recording. Both
// are civil times. Reason is the CRL reason.
type Revoked struct {
	Subject     jitsuin.ID               `json:"subject"`
	Kind        jitsuin.CertKind         `json:"kind"`
	EffectiveAt time.Time                `json:"effective_at"`
	RecordedAt  time.Time                `json:"recorded_at"`
	Reason      jitsuin.RevocationReason `json:"reason"`
	Cause       string                   `json:"cause"`
}

// States of a certificate in a StatusEvent.
const (
	StateGood    = "good"
	StateRevoked = "revoked"
	StateHeld    = "held" // suspended (一時停止): as good as revoked until it is lifted
)

// StatusEvent is one change of one certificate's status; its feed subject is the serial in hex and
// it carries the whole state. Times are civil; RevokedAt is when the certificate lost effect.
type StatusEvent struct {
	Kind         jitsuin.CertKind         `json:"kind"`
	Serial       string                   `json:"serial" doc:"hex, 32 digits"`
	Issuer       string                   `json:"issuer" doc:"key identifier of the CA key, hex: generations share a name"`
	Municipality jitsuin.MunicipalityCode `json:"municipality" doc:"of the CRL distribution point"`
	IssuedAt     time.Time                `json:"issued_at"`
	NotAfter     time.Time                `json:"not_after"`
	State        string                   `json:"state" enum:"good,held,revoked"`
	RevokedAt    *time.Time               `json:"revoked_at,omitempty"`
	Reason       jitsuin.RevocationReason `json:"reason,omitempty"`
	// HeldAt is when the last suspension began, ReleasedAt when it was lifted.
	HeldAt     *time.Time `json:"held_at,omitempty"`
	ReleasedAt *time.Time `json:"released_at,omitempty"`
}

// Received hands the custody of a finished chip to the municipality: the handle is the chip.
type Received struct {
	Card   jitsuin.ID `json:"card"`
	Handle string     `json:"handle" doc:"a secret; whoever has it has the card"`
}

// TerminalRequest registers a counter's terminal (統合端末): J-LIS signs its public key so that chips trust it.
type TerminalRequest struct {
	Terminal  string `json:"terminal" maxLength:"64"`
	PublicKey []byte `json:"public_key" doc:"P-256 public key, DER SubjectPublicKeyInfo"`
}

// TerminalCertificate is what the terminal shows to chips.
type TerminalCertificate struct {
	Certificate []byte `json:"certificate" doc:"the chip's small terminal certificate, see package card"`
}

// Verifier is a notification of a verifier to J-LIS (届出, JPKI Act art. 17(1), 36(1)).
type Verifier struct {
	Name     string       `json:"name"`
	Office   string       `json:"office" doc:"the office that receives the data"`
	StartsOn jitsuin.Date `json:"starts_on"`
	// Accreditation is the one that the notification is about; a verifier that is accredited anew notifies anew.
	Accreditation jitsuin.ID `json:"accreditation,omitempty"`
}

// Link names one certificate of a person: by kind and serial (発行番号).
type Link struct {
	Kind   jitsuin.CertKind `json:"kind" enum:"sign,auth"`
	Serial string           `json:"serial" minLength:"32" maxLength:"32" doc:"hex, 32 digits"`
}

// Links are all certificates of the person who holds the one asked for: the corresponding one
// (対応証明書の発行の番号, art. 18(5)) and the older and newer ones. For checking only (art. 52).
type Links struct {
	Links []Link `json:"links"`
}

// Client calls J-LIS.
type Client struct{ *httpapi.Remote }

// Receive takes custody of a finished chip. Repeating it gives the same handle.
func (c Client) Receive(ctx context.Context, card jitsuin.ID) (Received, error) {
	return httpapi.Do[Received](ctx, c.Remote, http.MethodPost, "/cards/"+string(card)+"/receive", "receive-"+string(card), nil)
}

// RegisterTerminal has a terminal's key signed.
func (c Client) RegisterTerminal(ctx context.Context, r TerminalRequest) ([]byte, error) {
	out, err := httpapi.Do[TerminalCertificate](ctx, c.Remote, http.MethodPost, "/terminals", string(jitsuin.NewID()), r)
	return out.Certificate, err
}

// NotifyVerifier files the verifier's notification.
func (c Client) NotifyVerifier(ctx context.Context, v Verifier) error {
	return c.Call(ctx, http.MethodPost, "/verifiers", string(jitsuin.NewID()), v, nil)
}

// Links asks for the other certificates of a certificate's holder.
func (c Client) Links(ctx context.Context, l Link) ([]Link, error) {
	out, err := httpapi.Do[Links](ctx, c.Remote, http.MethodPost, "/links", "", l)
	return out.Links, err
}
