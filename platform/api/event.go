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

// VerificationDone tells that a check that was asked for in a batch has been made, or has come to an end without
// being made: then there is a Problem and no Verification. The check itself is at /v1/verifications/{id}.
type VerificationDone struct {
	Batch         jitsuin.ID  `json:"batch"`
	Key           string      `json:"key" doc:"of the item"`
	Verification  jitsuin.ID  `json:"verification,omitempty"`
	Verdict       string      `json:"verdict,omitempty"`
	SubIndication string      `json:"sub_indication,omitempty"`
	Problem       *ItemFailed `json:"problem,omitempty"`
}

// ItemFailed is why a check was not made: what the same request would have been answered at /v1/verifications.
type ItemFailed struct {
	Kind   string `json:"kind"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
	Field  string `json:"field,omitempty"`
}

// BatchDone tells that nothing of a batch is waiting any more.
type BatchDone struct {
	Batch  jitsuin.ID `json:"batch"`
	Total  int        `json:"total"`
	Judged int        `json:"judged"`
	Failed int        `json:"failed"`
}

// SubmissionVerified tells that a resident has submitted a document whose signature passed: it can be fetched at
// /v1/submissions/{id}/document until the end of DestroyOn, or until its receipt is acknowledged.
type SubmissionVerified struct {
	Submission   jitsuin.ID   `json:"submission"`
	Reference    string       `json:"reference,omitempty"`
	Verification jitsuin.ID   `json:"verification"`
	Verdict      string       `json:"verdict"`
	DestroyOn    jitsuin.Date `json:"destroy_on" doc:"the last civil day on which the platform has the document"`
}

// SubmissionEnded tells that a submission is over without a document for the tenant.
type SubmissionEnded struct {
	Submission jitsuin.ID `json:"submission"`
	Reference  string     `json:"reference,omitempty"`
}
