package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// States of the audit of one year of an accreditation.
const (
	AuditDue       = "due"       // no report has come
	AuditSubmitted = "submitted" // the office looks at it
	AuditReturned  = "returned"  // something is to be remedied, and reported again
	AuditClosed    = "closed"    // nothing is left to do
)

// AuditFinding is one thing that an audit found wanting.
type AuditFinding struct {
	Criterion string       `json:"criterion" minLength:"1" maxLength:"50" doc:"key of the criterion"`
	Words     string       `json:"words" minLength:"1" maxLength:"1000" doc:"what was found"`
	Remedy    string       `json:"remedy,omitempty" maxLength:"1000" doc:"what was or will be done"`
	RemedyBy  jitsuin.Date `json:"remedy_by,omitzero" doc:"the last day for it; empty where it is done"`
}

// AuditReport is the report on the audit of one year (監査報告).
type AuditReport struct {
	Year       int            `json:"year" minimum:"1" maximum:"100" doc:"of the accreditation, from 1"`
	Auditor    string         `json:"auditor" minLength:"1" maxLength:"200"`
	AuditedOn  jitsuin.Date   `json:"audited_on" doc:"last day of the audit"`
	Conclusion string         `json:"conclusion" minLength:"1" maxLength:"2000"`
	Findings   []AuditFinding `json:"findings,omitempty" maxItems:"50"`
	Evidence   []Exhibit      `json:"evidence" minItems:"1" maxItems:"8" doc:"the auditor's report and what belongs to it"`
}

// AuditVerdict is what the office makes of a report.
type AuditVerdict struct {
	State    string `json:"state" enum:"closed,returned"`
	Words    string `json:"words,omitempty" maxLength:"1000" doc:"for the operator; needed with returned"`
	Official string `json:"official,omitempty" maxLength:"100"`
}

// AuditStep is one act on a year's audit: submitted, returned, closed. By and Official are told to the office alone.
type AuditStep struct {
	At       time.Time `json:"at" doc:"civil time"`
	Act      string    `json:"act"`
	By       string    `json:"by,omitempty"`
	Official string    `json:"official,omitempty"`
	Words    string    `json:"words,omitempty"`
}

// AuditYear is one year of an accreditation and its audit.
type AuditYear struct {
	Accreditation jitsuin.ID   `json:"accreditation"`
	Verifier      string       `json:"verifier"`
	Name          string       `json:"name"`
	Year          int          `json:"year"`
	From          jitsuin.Date `json:"from"`
	Until         jitsuin.Date `json:"until"`
	Due           jitsuin.Date `json:"due" doc:"last day for the report"`
	State         string       `json:"state" enum:"due,submitted,returned,closed"`
	Late          bool         `json:"late" doc:"the last day is past and the operator has something to report"`
	Report        *AuditReport `json:"report,omitempty"`
	Steps         []AuditStep  `json:"steps,omitempty"`
}

// SubmitAudit submits the report on a year of the caller's own accreditation; Conflict "audit-state" where one lies with the office.
func (c Client) SubmitAudit(ctx context.Context, accreditation jitsuin.ID, r AuditReport, key string) (AuditYear, error) {
	return httpapi.Do[AuditYear](ctx, c.Remote, http.MethodPost, "/accreditations/"+string(accreditation)+"/audits", key, r)
}

// Audits lists the years of an accreditation, for its verifier and for officials.
func (c Client) Audits(ctx context.Context, accreditation jitsuin.ID) ([]AuditYear, error) {
	out, err := httpapi.Do[struct {
		Audits []AuditYear `json:"audits"`
	}](ctx, c.Remote, http.MethodGet, "/accreditations/"+string(accreditation)+"/audits", "", nil)
	return out.Audits, err
}

// JudgeAudit records what the office makes of a year's report.
func (c Client) JudgeAudit(ctx context.Context, accreditation jitsuin.ID, year int, v AuditVerdict, key string) (AuditYear, error) {
	return httpapi.Do[AuditYear](ctx, c.Remote, http.MethodPost, "/accreditations/"+string(accreditation)+"/audits/"+strconv.Itoa(year)+"/examination", key, v)
}
