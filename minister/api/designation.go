package api

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Topic and event type of designations.
const (
	TopicDesignations = "designations" // read by J-LIS
	TypeDesignation   = "minister.designation"
)

// Grounds on which the minister lets somebody use the free area (空き領域) of the card: the My Number Act (番号法)
// art. 18(ii), which leaves the bodies to its Cabinet Order (施行令 art. 18), and that the tasks to the minister. How the
// order numbers its items was not read again, so the two kinds of body have names of ours. Municipalities need no
// designation: they use the area by their own ordinances (art. 18(i)).
const (
	GroundPublicBody = "18-2-public"  // a national or other public body (行政機関等), such as a ministry for its staff cards
	GroundOperator   = "18-2-private" // a private operator (民間事業者)
)

// Designation is the minister's decision that a body may keep one application on cards. The feed subject is
// the AID; the event carries the whole state.
type Designation struct {
	ID       jitsuin.ID   `json:"id"`
	Provider string       `json:"provider" doc:"instance id of the body, such as provider:ministry-1"`
	Body     string       `json:"body" doc:"the body's name"`
	BodyEN   string       `json:"body_en,omitempty"`
	Name     string       `json:"name" doc:"what the application is called"`
	NameEN   string       `json:"name_en,omitempty"`
	AID      string       `json:"aid" doc:"the application's name on the chip, hex"`
	Ground   string       `json:"ground" enum:"18-2-public,18-2-private" doc:"article and item of the My Number Act, and the kind of body"`
	Purpose  string       `json:"purpose"`
	Bytes    int          `json:"bytes" doc:"room on the chip that the application may take"`
	From     jitsuin.Date `json:"from"`
	Until    jitsuin.Date `json:"until,omitzero" doc:"last day in force; empty where there is no end"`
	State    string       `json:"state" enum:"in-force,withdrawn"`
	Reason   string       `json:"reason,omitempty"`
}

// InForceOn tells whether the designation lets its body load and write its application on the day.
func (d Designation) InForceOn(day jitsuin.Date) bool {
	return d.State == InForce && !day.Before(d.From) && (d.Until.IsZero() || !day.After(d.Until))
}

// DesignationRequest asks the minister's office to record a designation.
type DesignationRequest struct {
	Provider string       `json:"provider" minLength:"3" maxLength:"100"`
	Body     string       `json:"body" minLength:"1" maxLength:"200"`
	BodyEN   string       `json:"body_en,omitempty" maxLength:"200"`
	Name     string       `json:"name" minLength:"1" maxLength:"100"`
	NameEN   string       `json:"name_en,omitempty" maxLength:"100"`
	AID      string       `json:"aid" minLength:"10" maxLength:"32"`
	Ground   string       `json:"ground" enum:"18-2-public,18-2-private"`
	Purpose  string       `json:"purpose" minLength:"1" maxLength:"500"`
	Bytes    int          `json:"bytes" minimum:"1" maximum:"32768"`
	From     jitsuin.Date `json:"from"`
	Until    jitsuin.Date `json:"until,omitzero"`
}

// WithdrawalRequest ends a designation; nothing revives it.
type WithdrawalRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

// DesignationHistory is a designation with every decision on it, the first one first.
type DesignationHistory struct {
	Designation
	Steps []Step `json:"steps"`
}

// Designate records a designation; Conflict "aid-taken" while another one in force or to come has the AID.
func (c Client) Designate(ctx context.Context, d DesignationRequest, key string) (Designation, error) {
	return httpapi.Do[Designation](ctx, c.Remote, http.MethodPost, "/designations", key, d)
}

// Withdraw ends a designation; Conflict "already-withdrawn" where that was done before.
func (c Client) Withdraw(ctx context.Context, id jitsuin.ID, reason, key string) (Designation, error) {
	return httpapi.Do[Designation](ctx, c.Remote, http.MethodPost, "/designations/"+string(id)+"/withdrawal", key, WithdrawalRequest{reason})
}

// Designations gives all designations, also those that are over.
func (c Client) Designations(ctx context.Context) ([]Designation, error) {
	out, err := httpapi.Do[struct {
		Designations []Designation `json:"designations"`
	}](ctx, c.Remote, http.MethodGet, "/designations", "", nil)
	return out.Designations, err
}

// Designation gives a designation with its history.
func (c Client) Designation(ctx context.Context, id jitsuin.ID) (DesignationHistory, error) {
	return httpapi.Do[DesignationHistory](ctx, c.Remote, http.MethodGet, "/designations/"+string(id), "", nil)
}
