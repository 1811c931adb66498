// Package api is what the counter's terminal (統合端末) sees of its municipality: acts on the
// resident register, the cases of the counter, what lies on the desk, and what a change would do. It
// owns wire types and the client, and nothing else. Every state-changing call carries an Idempotency-Key and takes effect once.
package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/rules"
)

// Resident is a person on the register, without the two numbers: no act at the counter needs them.
type Resident struct {
	Subject      jitsuin.ID               `json:"subject"`
	Items        jitsuin.FourItems        `json:"items"`
	Household    jitsuin.ID               `json:"household,omitempty"`
	Municipality jitsuin.MunicipalityCode `json:"municipality"`
	State        jitsuin.ResidentState    `json:"state"`
	Standing     Standing                 `json:"standing,omitzero"`
	Card         jitsuin.ID               `json:"card,omitempty" doc:"the card that this municipality handed over or has seen"`
	DepartsOn    jitsuin.Date             `json:"departs_on,omitzero" doc:"the planned day of a departure, for the states moving and abroad"`
	Revision     int64                    `json:"revision,omitempty" doc:"rises with every change of the record"`
}

// Standing is what decides, besides the four items, which card and certificates the law lets a
// resident have. The zero value is a Japanese national who is no adult ward.
type Standing struct {
	Nationality string       `json:"nationality,omitempty" maxLength:"2" doc:"ISO 3166-1 alpha-2; left out or JP for nationals"`
	Stay        rules.Stay   `json:"stay,omitempty" maxLength:"30" doc:"在留資格, as far as validity depends on it: permanent, special-permanent, highly-skilled-2, mid-to-long-term, provisional, transitional"`
	StayUntil   jitsuin.Date `json:"stay_until,omitzero" doc:"在留期間等の満了の日 of a limited stay"`
	AdultWard   bool         `json:"adult_ward,omitempty" doc:"成年被後見人"`
}

// Residents is one page of a search.
type Residents struct {
	Residents []Resident `json:"residents"`
}

// Query searches the register; empty members do not narrow. Name is a name or its beginning, as the
// surname; blanks do not count. Limit is 1 to 500, and 50 where it is left out.
// Without Left it finds those who are on the register now; with it also the records of those who moved away,
// died or were deleted (除票), as long as nobody else has entered them.
type Query struct {
	Name      string     `json:"name,omitempty" maxLength:"100"`
	Left      bool       `json:"left,omitempty" doc:"also the records of those who are no longer on the register"`
	BirthDate string     `json:"birth_date,omitempty" maxLength:"10"`
	Household jitsuin.ID `json:"household,omitempty" maxLength:"32"`
	Limit     int        `json:"limit,omitempty" minimum:"1" maximum:"500" default:"50"`
}

// ChangeRequest records a change (異動). Which members are needed depends on Cause:
// move-within Address; move-out Destination, or Abroad with ContinuedUse; move-in Address (the
// moving-out certificate must have come); amended-officially Items or Standing; minor-correction
// Items and MinorRule; birth and entered-officially Items; the other causes OccurredOn alone. Subject
// is left out where somebody is entered for the first time. An entry without Standing keeps what a
// moving-out certificate or an earlier record says, and is of a national where there is neither.
type ChangeRequest struct {
	Subject      jitsuin.ID               `json:"subject,omitempty"`
	Cause        jitsuin.Cause            `json:"cause"`
	OccurredOn   jitsuin.Date             `json:"occurred_on"`
	Household    jitsuin.ID               `json:"household,omitempty" doc:"the household (世帯) that the person joins; for entries and move-within; without it an entry makes a new one"`
	Clerk        string                   `json:"clerk" minLength:"1" maxLength:"100" doc:"who records it"`
	Address      string                   `json:"address,omitempty" maxLength:"200"`
	Items        *jitsuin.FourItems       `json:"items,omitempty"`
	Standing     *Standing                `json:"standing,omitempty" doc:"for entries and amended-officially"`
	MinorRule    int                      `json:"minor_rule,omitempty" minimum:"0" maximum:"7"`
	Destination  jitsuin.MunicipalityCode `json:"destination,omitempty"`
	Abroad       bool                     `json:"abroad,omitempty"`
	ContinuedUse bool                     `json:"continued_use,omitempty" doc:"国外継続利用, asked for by the day before departure"`
	Revision     int64                    `json:"revision,omitempty" doc:"of the record that the clerk saw; where the record has changed since, it is a Conflict record-changed"`
}

// ChangeResult is the change as recorded.
type ChangeResult struct {
	Change     jitsuin.Change `json:"change"`
	RecordedAt time.Time      `json:"recorded_at"`
	// NoticeDue is the last day on which the resident had to notify (届出期間), no date where the
	// act has none; Late tells that the notice came after it. It is noted, not refused.
	NoticeDue jitsuin.Date `json:"notice_due"`
	Late      bool         `json:"late,omitempty"`
	Revision  int64        `json:"revision,omitempty" doc:"of the record after it"`
}

// ApplicationState is where a case of the counter stands.
type ApplicationState string

const (
	Received    ApplicationState = "received"     // ① taken in
	InquirySent ApplicationState = "inquiry-sent" // the inquiry letter (照会書) is on its way
	Checked     ApplicationState = "checked"      // ② identity checked; a re-issue now waits for its public keys
	Notified    ApplicationState = "notified"     // ③ J-LIS has been told
	Delivered   ApplicationState = "delivered"    // ⑤ certificates (and chip) are ready at J-LIS
	Ready       ApplicationState = "ready"        // ⑤ the chip is here and recorded
	Done        ApplicationState = "done"         // ⑥ handed over
	Refused     ApplicationState = "refused"
)

// ApplicationType says what a resident asks for.
type ApplicationType string

const (
	NewCard ApplicationType = "new-card" // a card with its certificates
	Reissue ApplicationType = "reissue"  // new certificates into the card that the resident has brought
)

// NewApplication is an application form (申請書) as the resident filled it in (step ①).
type NewApplication struct {
	Type ApplicationType `json:"type" enum:"new-card,reissue"`
	// Subject is the resident whom the clerk has found in the register; without it the items on
	// the form say who it is.
	Subject jitsuin.ID         `json:"subject,omitempty"`
	Items   jitsuin.FourItems  `json:"items" doc:"as written on the form"`
	Kinds   []jitsuin.CertKind `json:"kinds" minItems:"1" maxItems:"2"`
	Card    jitsuin.ID         `json:"card,omitempty" doc:"for a re-issue: the card presented"`
	Clerk   string             `json:"clerk" minLength:"1" maxLength:"100"`
}

// Document is a photo document (顔写真付き本人確認書類) that was shown.
type Document struct {
	Type    string            `json:"type" maxLength:"50" doc:"such as driving-licence, passport, residence-card, my-number-card"`
	Number  string            `json:"number" maxLength:"50"`
	Expires jitsuin.Date      `json:"expires"`
	Items   jitsuin.FourItems `json:"items" doc:"as printed on the document"`
	// FaceMatches is the clerk's own judgement: the face is that of the photograph.
	FaceMatches bool `json:"face_matches"`
}

// Check is the identity check (step ②): against a photo document, or with the reply code of the
// inquiry letter (照会・回答書).
type Check struct {
	Clerk     string    `json:"clerk" minLength:"1" maxLength:"100"`
	Document  *Document `json:"document,omitempty"`
	ReplyCode string    `json:"reply_code,omitempty" maxLength:"20"`
}

// Letter is the inquiry letter, to be printed and posted to the registered address.
type Letter struct {
	Address   string       `json:"address"`
	Name      string       `json:"name"`
	ReplyCode string       `json:"reply_code"`
	ReplyBy   jitsuin.Date `json:"reply_by"`
}

// Keys are the public keys that the terminal had the presented card make, DER SubjectPublicKeyInfo.
type Keys struct {
	PublicKeys map[jitsuin.CertKind][]byte `json:"public_keys"`
}

// Certificate is one issued certificate.
type Certificate struct {
	Kind        jitsuin.CertKind `json:"kind"`
	Certificate []byte           `json:"certificate" doc:"DER"`
	NotAfter    time.Time        `json:"not_after"`
	RevokedAt   *time.Time       `json:"revoked_at,omitempty" doc:"civil time at which it lost effect"`
	RecordedAt  *time.Time       `json:"revocation_recorded_at,omitempty" doc:"civil time at which J-LIS recorded that"`
}

// Application is a case of the counter.
type Application struct {
	ID           jitsuin.ID         `json:"id"`
	Type         ApplicationType    `json:"type"`
	State        ApplicationState   `json:"state"`
	Subject      jitsuin.ID         `json:"subject,omitempty"`
	Kinds        []jitsuin.CertKind `json:"kinds"`
	Card         jitsuin.ID         `json:"card,omitempty"`
	Position     string             `json:"position,omitempty" doc:"of the register's feed, EPOCH.N, that J-LIS must have applied"`
	Certificates []Certificate      `json:"certificates,omitempty"`
	CardExpires  jitsuin.Date       `json:"card_expires,omitzero" doc:"of a new card: its last day"`
	CardNumber   string             `json:"card_number,omitempty" doc:"of a new card: 製造番号, fifteen digits, as printed"`
	SecurityCode string             `json:"security_code,omitempty" doc:"of a new card: four digits, as printed"`
	Code         string             `json:"code,omitempty" doc:"why it was refused, for programs"`
	Reason       string             `json:"reason,omitempty" doc:"why it was refused, for people"`
	Fields       []string           `json:"fields,omitempty" doc:"the items that disagree"`
	UpdatedAt    time.Time          `json:"updated_at"`
}

// Applications is one page of cases in the order of their ids, which says nothing about time.
type Applications struct {
	Applications []Application `json:"applications"`
}

// RecordedChange is a change (異動) as the register keeps it: the notice itself and who recorded it.
// Before has the four items as they were, nil for a first entry.
type RecordedChange struct {
	Revision   int64              `json:"revision,omitempty" doc:"of the record after it"`
	Cause      jitsuin.Cause      `json:"cause"`
	OccurredOn jitsuin.Date       `json:"occurred_on"`
	NoticeDue  jitsuin.Date       `json:"notice_due"`
	Clerk      string             `json:"clerk"`
	RequestID  string             `json:"request_id,omitempty" doc:"of the request that caused it"`
	RecordedAt time.Time          `json:"recorded_at" doc:"civil time"`
	Before     *jitsuin.FourItems `json:"before,omitempty"`
}

// RecordedChanges are those of one person at this municipality, the oldest first.
type RecordedChanges struct {
	Changes []RecordedChange `json:"changes"`
}

// Handover gives the terminal the chip to set the PINs (step ⑥).
type Handover struct {
	Card   jitsuin.ID `json:"card"`
	Handle string     `json:"handle" doc:"a secret; whoever has it has the card"`
}

// TerminalKey asks for a chip-terminal certificate for the counter's terminal.
type TerminalKey struct {
	PublicKey []byte `json:"public_key" doc:"P-256, DER SubjectPublicKeyInfo"`
}

// TerminalCertificate answers TerminalKey.
type TerminalCertificate struct {
	Certificate []byte `json:"certificate"`
}

// Client is the terminal's way to its municipality.
type Client struct{ *httpapi.Remote }

func newKey() string { return string(jitsuin.NewID()) }

// Search looks residents up.
func (c Client) Search(ctx context.Context, q Query) ([]Resident, error) {
	out, err := httpapi.Do[Residents](ctx, c.Remote, http.MethodPost, "/residents/search", "", q)
	return out.Residents, err
}

// Resident gives one person of the register.
func (c Client) Resident(ctx context.Context, subject jitsuin.ID) (Resident, error) {
	return httpapi.Do[Resident](ctx, c.Remote, http.MethodGet, "/residents/"+string(subject), "", nil)
}

// Record records a change. key is the Idempotency-Key; "" draws one.
func (c Client) Record(ctx context.Context, r ChangeRequest, key string) (ChangeResult, error) {
	if key == "" {
		key = newKey()
	}
	return httpapi.Do[ChangeResult](ctx, c.Remote, http.MethodPost, "/changes", key, r)
}

// Apply takes in an application (①).
func (c Client) Apply(ctx context.Context, a NewApplication, key string) (Application, error) {
	if key == "" {
		key = newKey()
	}
	return httpapi.Do[Application](ctx, c.Remote, http.MethodPost, "/applications", key, a)
}

// Application gives a case; with wait it answers as soon as the state is no longer since, at the latest after wait.
func (c Client) Application(ctx context.Context, id jitsuin.ID, since ApplicationState, wait time.Duration) (Application, error) {
	v := url.Values{"since": {string(since)}, "wait": {wait.String()}}
	return httpapi.Do[Application](ctx, c.Remote, http.MethodGet, "/applications/"+string(id)+"?"+v.Encode(), "", nil)
}

// Applications gives every case of the municipality.
func (c Client) Applications(ctx context.Context) ([]Application, error) {
	var all []Application
	for after := ""; ; {
		v := url.Values{"after": {after}, "limit": {strconv.Itoa(casesAtOnce)}}
		page, err := httpapi.Do[Applications](ctx, c.Remote, http.MethodGet, "/applications?"+v.Encode(), "", nil)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Applications...)
		if len(page.Applications) < casesAtOnce {
			return all, nil
		}
		after = string(page.Applications[casesAtOnce-1].ID)
	}
}

// ApplicationsOf gives every case of a person here.
func (c Client) ApplicationsOf(ctx context.Context, subject jitsuin.ID) ([]Application, error) {
	out, err := httpapi.Do[Applications](ctx, c.Remote, http.MethodGet, "/residents/"+string(subject)+"/applications", "", nil)
	return out.Applications, err
}

const casesAtOnce = 200

// Changes gives what was recorded of a person here.
func (c Client) Changes(ctx context.Context, subject jitsuin.ID) ([]RecordedChange, error) {
	out, err := httpapi.Do[RecordedChanges](ctx, c.Remote, http.MethodGet, "/residents/"+string(subject)+"/changes", "", nil)
	return out.Changes, err
}

// act posts an act on a case. Its Idempotency-Key is that of ctx, or a new one.
func (c Client) act(ctx context.Context, id jitsuin.ID, verb string, in, out any) error {
	key := httpapi.IdempotencyKey(ctx)
	if key == "" {
		key = newKey()
	}
	return c.Call(ctx, http.MethodPost, "/applications/"+string(id)+"/"+verb, key, in, out)
}

// SendInquiry makes the inquiry letter for somebody without a photo document.
func (c Client) SendInquiry(ctx context.Context, id jitsuin.ID, clerk string) (Letter, error) {
	var out Letter
	err := c.act(ctx, id, "inquiry", map[string]string{"clerk": clerk}, &out)
	return out, err
}

// Check checks the applicant's identity (②) and, for a new card, notifies J-LIS (③).
func (c Client) Check(ctx context.Context, id jitsuin.ID, k Check) (Application, error) {
	var out Application
	err := c.act(ctx, id, "check", k, &out)
	return out, err
}

// SubmitKeys sends the public keys of a re-issue and notifies J-LIS (③).
func (c Client) SubmitKeys(ctx context.Context, id jitsuin.ID, k Keys) (Application, error) {
	var out Application
	err := c.act(ctx, id, "keys", k, &out)
	return out, err
}

// BeginHandover gives the terminal the chip (⑥).
func (c Client) BeginHandover(ctx context.Context, id jitsuin.ID) (Handover, error) {
	var out Handover
	err := c.act(ctx, id, "handover", nil, &out)
	return out, err
}

// Complete records that the resident has the card with their PINs set (⑥), or that the re-issued
// certificates are in the card. For a new card the custody passes to the resident's holder.
func (c Client) Complete(ctx context.Context, id jitsuin.ID, clerk string) (Application, error) {
	var out Application
	err := c.act(ctx, id, "complete", map[string]string{"clerk": clerk}, &out)
	return out, err
}

// CertifyTerminal has the terminal's chip key certified by J-LIS.
func (c Client) CertifyTerminal(ctx context.Context, publicKey []byte) ([]byte, error) {
	out, err := httpapi.Do[TerminalCertificate](ctx, c.Remote, http.MethodPost, "/terminal-certificates", newKey(), TerminalKey{publicKey})
	return out.Certificate, err
}
