package api

import (
	"encoding/json"
	"time"

	"github.com/jitsuin/jitsuin"
)

// What a tenant is told, it is told as an event: numbered per tenant, stored in the transaction of its cause,
// and given out until the tenant has acknowledged it, by polling (GET /v1/events) and, where the tenant wants
// that, by webhook. An event may come more than once, by either way; its id is the same each time, so who
// commits the id together with the effect has the effect exactly once. Events name things by their ids and
// say nothing about a person: what there is to know is fetched with the tenant's own token.

// Types of events.
const (
	EventVerification = "verification.done"     // VerificationDone
	EventBatch        = "batch.done"            // BatchDone
	EventSubmission   = "submission.verified"   // SubmissionVerified
	EventDestroyed    = "submission.destroyed"  // SubmissionEnded: nobody fetched the document in time
	EventUnanswered   = "submission.unanswered" // SubmissionEnded: the resident did not submit in time
	EventChallenge    = "webhook.challenge"     // WebhookChallenge; it has no number and is never in the feed
)

// Event is one thing that a tenant is told.
type Event struct {
	ID     jitsuin.ID      `json:"id" doc:"the same however often the event comes"`
	N      int64           `json:"n" doc:"1, 2, 3 … per tenant, without gaps"`
	Cursor string          `json:"cursor" doc:"acknowledges this event and all before it: the next after"`
	Type   string          `json:"type"`
	At     time.Time       `json:"at" doc:"civil time"`
	Data   json.RawMessage `json:"data" doc:"by type: VerificationDone, BatchDone, SubmissionVerified …; unknown types are passed over"`
}

// Decode reads the event's data into one of the types below.
func (e Event) Decode(into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "event-data", "the data of the event %s cannot be read: %w", e.Type, err)
	}
	return nil
}

// Events is a page of a tenant's events, in their order.
type Events struct {
	Events []Event `json:"events"`
	Cursor string  `json:"cursor" doc:"of the last event of the page; the one that was sent where there is none"`
}

// MaxEvents is how many events one answer has at most; MaxEventWait how long a question for them may wait.
const (
	MaxEvents    = 100
	MaxEventWait = 30 * time.Second
)
