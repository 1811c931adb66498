package api

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Topic and event type of ordinances.
const (
	TopicOrdinances = "ordinances" // read by J-LIS
	TypeOrdinance   = "municipality.ordinance"
)

// States of an ordinance.
const (
	InForce  = "in-force"
	Repealed = "repealed"
)

// Ordinance is a municipal ordinance (条例) by which the town uses the free area (空き領域) of the card for the
// convenience of its residents (My Number Act art. 18(i)). One stands for one application. The feed subject is the AID;
// the event carries the whole state.
type Ordinance struct {
	ID      jitsuin.ID   `json:"id"`
	Number  string       `json:"number" doc:"as it is cited, such as 令和8年条例第12号"`
	Title   string       `json:"title"`
	Name    string       `json:"name" doc:"what the application is called"`
	NameEN  string       `json:"name_en,omitempty"`
	AID     string       `json:"aid" doc:"the application's name on the chip, hex; see card.TownAID"`
	Purpose string       `json:"purpose"`
	Bytes   int          `json:"bytes" doc:"room on the chip that the application may take"`
	From    jitsuin.Date `json:"from"`
	Until   jitsuin.Date `json:"until,omitzero" doc:"last day in force; empty where there is no end"`
	State   string       `json:"state" enum:"in-force,repealed"`
	Reason  string       `json:"reason,omitempty"`
}

// InForceOn tells whether the ordinance lets the town load and write its application on the day.
func (o Ordinance) InForceOn(day jitsuin.Date) bool {
	return o.State == InForce && !day.Before(o.From) && (o.Until.IsZero() || !day.After(o.Until))
}

// OrdinanceRequest enters an ordinance into the town's register.
type OrdinanceRequest struct {
	Number  string       `json:"number" minLength:"1" maxLength:"100"`
	Title   string       `json:"title" minLength:"1" maxLength:"200"`
	Name    string       `json:"name" minLength:"1" maxLength:"100"`
	NameEN  string       `json:"name_en,omitempty" maxLength:"100"`
	AID     string       `json:"aid" minLength:"10" maxLength:"32"`
	Purpose string       `json:"purpose" minLength:"1" maxLength:"500"`
	Bytes   int          `json:"bytes" minimum:"1" maximum:"32768"`
	From    jitsuin.Date `json:"from"`
	Until   jitsuin.Date `json:"until,omitzero"`
}

// RepealRequest ends an ordinance.
type RepealRequest struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

// Enact enters an ordinance; Conflict "aid-taken" while another one that is in force or to come has the AID.
func (c Client) Enact(ctx context.Context, r OrdinanceRequest, key string) (Ordinance, error) {
	return httpapi.Do[Ordinance](ctx, c.Remote, http.MethodPost, "/ordinances", key, r)
}

// Repeal ends an ordinance; Conflict "already-repealed" where that was done before.
func (c Client) Repeal(ctx context.Context, id jitsuin.ID, reason, key string) (Ordinance, error) {
	return httpapi.Do[Ordinance](ctx, c.Remote, http.MethodPost, "/ordinances/"+string(id)+"/repeal", key, RepealRequest{reason})
}

// Ordinances gives all ordinances on the free area, also those that are over. Everybody may ask.
func (c Client) Ordinances(ctx context.Context) ([]Ordinance, error) {
	out, err := httpapi.Do[struct {
		Ordinances []Ordinance `json:"ordinances"`
	}](ctx, c.Remote, http.MethodGet, "/ordinances", "", nil)
	return out.Ordinances, err
}
