package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// States of an application for accreditation (認定申請).
const (
	Received  = "received"   // filed or amended; the office examines it
	Returned  = "returned"   // items are to be amended by the applicant
	Granted   = "granted"    // accredited
	Refused   = "refused"    // not accredited, for the reason that it says
	TakenBack = "taken-back" // by the applicant
)

// Outcomes of examining one criterion.
const (
	Pending  = "pending"  // not examined yet, or amended since
	Accepted = "accepted" // shown
	Amend    = "amend"    // to be amended; Words say what is missing
)

// Bounds of evidence.
const (
	MaxDocument  = 2 << 20 // bytes of one document that is sent along
	MaxDocuments = 8 << 20 // bytes of all documents that are sent in one call
)

// Exhibit is one document that shows something: sent along in Content, or lying at Location. SHA256 and Bytes are those of
// the document either way. In answers Content is left out: it is asked for by its digest.
type Exhibit struct {
	Name      string `json:"name" minLength:"1" maxLength:"200" doc:"the document's name"`
	MediaType string `json:"media_type" enum:"application/pdf,text/plain,text/csv,application/json,image/png,image/jpeg,application/zip"`
	SHA256    string `json:"sha256" minLength:"64" maxLength:"64" doc:"of the document, hex in lower case"`
	Bytes     int64  `json:"bytes" minimum:"1" maximum:"1073741824" doc:"length of the document"`
	Location  string `json:"location,omitempty" maxLength:"500" doc:"https address where the office can get it, where it is not sent along"`
	Content   []byte `json:"content,omitempty" doc:"the document, base64; at most 2 MiB, 8 MiB in one call"`
}

// ApplicationItem shows one criterion (rules.Criteria): what the applicant does, and the evidence for it.
type ApplicationItem struct {
	Criterion string    `json:"criterion" minLength:"1" maxLength:"50" doc:"key of the criterion, see GET /accreditation-criteria"`
	Statement string    `json:"statement" minLength:"1" maxLength:"2000" doc:"how the criterion is met"`
	Evidence  []Exhibit `json:"evidence" minItems:"1" maxItems:"8"`
}

// Responsible is the person who answers for the work (責任者).
type Responsible struct {
	Name    string `json:"name" minLength:"1" maxLength:"100" yaml:"name"`
	Post    string `json:"post" minLength:"1" maxLength:"100" yaml:"post"`
	Contact string `json:"contact" minLength:"1" maxLength:"200" yaml:"contact" doc:"telephone or e-mail of the office"`
}

// Applicant is who applies and with what.
type Applicant struct {
	Name           string       `json:"name" minLength:"1" maxLength:"200" yaml:"name"`
	NameEN         string       `json:"name_en,omitempty" maxLength:"200" yaml:"name_en,omitempty"`
	Address        string       `json:"address" minLength:"1" maxLength:"200" yaml:"address"`
	Representative string       `json:"representative" minLength:"1" maxLength:"100" yaml:"representative"`
	Responsible    Responsible  `json:"responsible" yaml:"responsible"`
	System         string       `json:"system" minLength:"1" maxLength:"2000" yaml:"system" doc:"the equipment with which signatures will be verified, and where it stands"`
	StartsOn       jitsuin.Date `json:"starts_on" yaml:"starts_on" doc:"the planned first day"`
}

// ApplicationRequest applies for accreditation (認定申請, JPKI Act art. 17(1)(vi)). The verifier is the caller. Every criterion
// in force on the day of filing has one item.
type ApplicationRequest struct {
	Applicant
	Items []ApplicationItem `json:"items" minItems:"1" maxItems:"50"`
}

// AmendmentRequest answers an application that was returned: a new item for each criterion that is to be amended, and for no other.
type AmendmentRequest struct {
	Items []ApplicationItem `json:"items" minItems:"1" maxItems:"50"`
}

// Examined is the outcome of examining one criterion. Words are for the applicant. By whom it was is told to the office alone.
type Examined struct {
	Criterion string     `json:"criterion"`
	Outcome   string     `json:"outcome" enum:"pending,accepted,amend"`
	Words     string     `json:"words,omitempty"`
	At        *time.Time `json:"at,omitempty" doc:"civil time"`
	Official  string     `json:"official,omitempty"`
}

// Application is an application as it stands. Version rises with every step; Accreditation is what a granted one led to.
type Application struct {
	ID        jitsuin.ID `json:"id"`
	Verifier  string     `json:"verifier"`
	State     string     `json:"state" enum:"received,returned,granted,refused,taken-back"`
	Version   int64      `json:"version"`
	FiledAt   time.Time  `json:"filed_at" doc:"civil time"`
	UpdatedAt time.Time  `json:"updated_at" doc:"civil time"`
	ApplicationRequest
	Examination   []Examined `json:"examination" doc:"one entry a criterion, in the order of the items"`
	Reason        string     `json:"reason,omitempty" doc:"of the decision"`
	Accreditation jitsuin.ID `json:"accreditation,omitempty"`
}

// Open tells whether something is still to be done with the application.
func (a Application) Open() bool { return a.State == Received || a.State == Returned }

// Asked lists the criteria that are to be amended.
func (a Application) Asked() (keys []string) {
	for _, e := range a.Examination {
		if e.Outcome == Amend {
			keys = append(keys, e.Criterion)
		}
	}
	return keys
}

// ExaminationRequest records what the office found of one criterion. Official is the name of who examined, for the history.
type ExaminationRequest struct {
	Criterion string `json:"criterion" minLength:"1" maxLength:"50"`
	Outcome   string `json:"outcome" enum:"accepted,amend"`
	Words     string `json:"words,omitempty" maxLength:"1000" doc:"for the applicant; needed with amend"`
	Official  string `json:"official,omitempty" maxLength:"100"`
}

// ReturnRequest sends an application back to be amended.
type ReturnRequest struct {
	Official string `json:"official,omitempty" maxLength:"100"`
}

// Verdict decides an application. Granted needs every criterion accepted, refused a reason.
type Verdict struct {
	State    string `json:"state" enum:"granted,refused"`
	Reason   string `json:"reason,omitempty" maxLength:"500"`
	Official string `json:"official,omitempty" maxLength:"100"`
}

// ApplicationStep is one act on an application: filed, examined, returned, amended, granted, refused, taken-back. By is the
// instance that called, Official the person of the office; both are told to the office alone. Criteria are those that it is about.
type ApplicationStep struct {
	At       time.Time `json:"at" doc:"civil time"`
	Act      string    `json:"act"`
	By       string    `json:"by,omitempty"`
	Official string    `json:"official,omitempty"`
	Criteria []string  `json:"criteria,omitempty"`
	Outcome  string    `json:"outcome,omitempty"`
	Words    string    `json:"words,omitempty"`
}

// ApplicationFile is an application with every step on it, the first one first.
type ApplicationFile struct {
	Application
	Steps []ApplicationStep `json:"steps"`
}

// Apply files an application. Conflict "application-open" while an earlier one is undecided, "already-accredited" where
// there is nothing to apply for.
func (c Client) Apply(ctx context.Context, r ApplicationRequest, key string) (Application, error) {
	return httpapi.Do[Application](ctx, c.Remote, http.MethodPost, "/accreditation-applications", key, r)
}

// Amend answers a returned application; Conflict "application-state" in any other state.
func (c Client) Amend(ctx context.Context, id jitsuin.ID, r AmendmentRequest, key string) (Application, error) {
	return httpapi.Do[Application](ctx, c.Remote, http.MethodPost, "/accreditation-applications/"+string(id)+"/amendment", key, r)
}

// TakeBack ends an application that is not decided.
func (c Client) TakeBack(ctx context.Context, id jitsuin.ID, key string) (Application, error) {
	return httpapi.Do[Application](ctx, c.Remote, http.MethodPost, "/accreditation-applications/"+string(id)+"/taking-back", key, nil)
}

// Application gives an application with its steps, at once or as soon as its version is no longer since, at the latest
// after wait. NotFound "application-unknown" for one that is another's.
func (c Client) Application(ctx context.Context, id jitsuin.ID, since int64, wait time.Duration) (ApplicationFile, error) {
	q := url.Values{"since": {strconv.FormatInt(since, 10)}, "wait": {wait.String()}}
	return httpapi.Do[ApplicationFile](ctx, c.Remote, http.MethodGet, "/accreditation-applications/"+string(id)+"?"+q.Encode(), "", nil)
}

// Applications lists the caller's own applications, for an official everybody's.
func (c Client) Applications(ctx context.Context) ([]Application, error) {
	out, err := httpapi.Do[struct {
		Applications []Application `json:"applications"`
	}](ctx, c.Remote, http.MethodGet, "/accreditation-applications", "", nil)
	return out.Applications, err
}

// Examine records the outcome for one criterion.
func (c Client) Examine(ctx context.Context, id jitsuin.ID, r ExaminationRequest, key string) (Application, error) {
	return httpapi.Do[Application](ctx, c.Remote, http.MethodPost, "/accreditation-applications/"+string(id)+"/examination", key, r)
}

// Return sends an application back; Conflict "nothing-to-amend" where no criterion asks for it.
func (c Client) Return(ctx context.Context, id jitsuin.ID, r ReturnRequest, key string) (Application, error) {
	return httpapi.Do[Application](ctx, c.Remote, http.MethodPost, "/accreditation-applications/"+string(id)+"/return", key, r)
}

// Conclude decides an application; Conflict "criteria-open" where granting lacks accepted criteria.
func (c Client) Conclude(ctx context.Context, id jitsuin.ID, v Verdict, key string) (Application, error) {
	return httpapi.Do[Application](ctx, c.Remote, http.MethodPost, "/accreditation-applications/"+string(id)+"/decision", key, v)
}
