package api

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

// Bounds of a batch.
const (
	MaxBatchItems = 100
	MaxBatchBytes = 32 << 20 // of documents, files and signatures together
)

// BatchRequest has several documents checked later. All are taken, or none.
type BatchRequest struct {
	Items []BatchItem `json:"items" minItems:"1" maxItems:"100"`
}

// BatchItem is one check. Key names the act as an Idempotency-Key does: an item whose key was used for the same
// request before, in a batch or at /v1/verifications, gives the verification of that time; for another request its
// problem is idempotency-key-reused.
type BatchItem struct {
	Key     string              `json:"key" minLength:"8" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"unique in the batch"`
	Request VerificationRequest `json:"request"`
}

// States of a check that is made later.
const (
	StateWaiting = "waiting"
	StateJudged  = "judged" // there is a verification; its verdict may be any
	StateFailed  = "failed" // no verification could be made: see the problem
)

// BatchEntry is how an item of a batch stands.
type BatchEntry struct {
	Key           string      `json:"key"`
	State         string      `json:"state" enum:"waiting,judged,failed"`
	Verification  jitsuin.ID  `json:"verification,omitempty" doc:"at /v1/verifications/{id}"`
	Verdict       string      `json:"verdict,omitempty"`
	SubIndication string      `json:"sub_indication,omitempty"`
	Problem       *ItemFailed `json:"problem,omitempty"`
	// Items and Comparison are those of the verification. As it holds neither, they lie here, encrypted, until the batch's
	// receipt is acknowledged, for seven days at most.
	Items      *jitsuin.FourItems `json:"items,omitempty"`
	Comparison *Comparison        `json:"comparison,omitempty"`
}

// Batch is how a batch stands. It is kept for 30 days after its end.
type Batch struct {
	ID      jitsuin.ID   `json:"id"`
	MadeAt  time.Time    `json:"made_at" doc:"civil time"`
	Total   int          `json:"total"`
	Waiting int          `json:"waiting"`
	Items   []BatchEntry `json:"items" doc:"in the order in which they were sent"`
}
