// Package api is what other actors see of the competent minister (主務大臣): accreditations.
// It owns wire types and the client, and nothing else.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Topic and event type.
const (
	TopicAccreditations = "accreditations" // read by J-LIS and by the verifiers
	TypeAccreditation   = "minister.accreditation"
)

// State of an accreditation.
const (
	InForce   = "in-force"
	Suspended = "suspended"
	Withdrawn = "withdrawn"
)

// Accreditation is the minister's decision on one verifier (認定, JPKI Act art. 17(1)(vi)) or, for
// a body that the law itself names (art. 17(1)(i) to (v)), the record that it is one. The feed
// subject is the verifier's instance id; the event carries the whole state.
type Accreditation struct {
	ID        jitsuin.ID   `json:"id"`
	Verifier  string       `json:"verifier" doc:"instance id, such as platform:1"`
	Name      string       `json:"name"`
	Ground    string       `json:"ground" enum:"17-1-1,17-1-2,17-1-3,17-1-4,17-1-5,17-1-6" doc:"article, paragraph, item"`
	GrantedOn jitsuin.Date `json:"granted_on"`
	Until     jitsuin.Date `json:"until" doc:"last day in force; empty for bodies named by law"`
	State     string       `json:"state" enum:"in-force,suspended,withdrawn"`
	Reason    string       `json:"reason,omitempty"`
}

// InForceOn tells whether the accreditation lets its verifier work on the day.
func (a Accreditation) InForceOn(day jitsuin.Date) bool {
	return a.State == InForce && !day.Before(a.GrantedOn) && (a.Until.IsZero() || !day.After(a.Until))
}

// Decision asks the minister's office to record a decision.
type Decision struct {
	Verifier string `json:"verifier" minLength:"3" maxLength:"100"`
	Name     string `json:"name" minLength:"1" maxLength:"200"`
	Ground   string `json:"ground" enum:"17-1-1,17-1-2,17-1-3,17-1-4,17-1-5,17-1-6"`
	State    string `json:"state" enum:"in-force,suspended,withdrawn"`
	Reason   string `json:"reason,omitempty" maxLength:"500"`
	// Official is the name of who decides, for the history.
	Official string `json:"official,omitempty" maxLength:"100"`
}

// Step is one decision in the history of an accreditation. At is civil time, By the instance that called, Official the name
// of who decided, which is told to officials alone.
type Step struct {
	At       time.Time    `json:"at"`
	By       string       `json:"by"`
	State    string       `json:"state" enum:"in-force,suspended,withdrawn"`
	Until    jitsuin.Date `json:"until"`
	Reason   string       `json:"reason,omitempty"`
	Official string       `json:"official,omitempty"`
}

// History is an accreditation with every decision on it, the first one first.
type History struct {
	Accreditation
	Steps []Step `json:"steps"`
}

// Client calls the minister's office.
type Client struct{ *httpapi.Remote }

// Decide records a decision: a body that the law names, a suspension, its lifting, a renewal, a withdrawal.
func (c Client) Decide(ctx context.Context, d Decision, key string) (Accreditation, error) {
	return httpapi.Do[Accreditation](ctx, c.Remote, http.MethodPost, "/accreditations", key, d)
}

// List gives all accreditations, also those that are over.
func (c Client) List(ctx context.Context) ([]Accreditation, error) {
	out, err := httpapi.Do[struct {
		Accreditations []Accreditation `json:"accreditations"`
	}](ctx, c.Remote, http.MethodGet, "/accreditations", "", nil)
	return out.Accreditations, err
}

// One gives an accreditation with its history.
func (c Client) One(ctx context.Context, id jitsuin.ID) (History, error) {
	return httpapi.Do[History](ctx, c.Remote, http.MethodGet, "/accreditations/"+string(id), "", nil)
}
