package api

import (
	"time"

	"github.com/jitsuin/jitsuin"
)

// Bounds of a submission.
const (
	MaxSubmissionDocument = 4 << 20 // bytes of the document that is signed, or brought
	MaxSubmissionDays     = 90      // civil days that a resident may be given
)

// SubmissionRequest asks one resident for one signed document, which they submit straight to the platform
// (検証結果と文書の送付): the tenant leads them to the link. With a Document the resident signs it with their card;
// without one they bring a document that they have signed already.
type SubmissionRequest struct {
	Reference string              `json:"reference,omitempty" maxLength:"100" doc:"your own name for it; the resident does not see it"`
	Purpose   string              `json:"purpose" minLength:"1" maxLength:"100" doc:"as of a verification"`
	Title     string              `json:"title" minLength:"1" maxLength:"100" doc:"what the resident is asked for, in Japanese"`
	TitleEN   string              `json:"title_en" minLength:"1" maxLength:"200" doc:"the same in English"`
	Document  *SubmissionDocument `json:"document,omitempty"`
	LastDay   jitsuin.Date        `json:"last_day" doc:"civil day until whose end the resident may submit; at most 90 days ahead"`
}

// SubmissionDocument is a document to be signed: a PDF as it is, or a form that the holder fills in.
type SubmissionDocument struct {
	Name      string `json:"name" minLength:"1" maxLength:"200"`
	MediaType string `json:"media_type" enum:"application/pdf,application/vnd.jitsuin.form+json"`
	Content   []byte `json:"content"`
}

// States of a submission.
const (
	SubmissionOpen       = "open"       // the resident may submit
	SubmissionChecking   = "checking"   // submitted, and being verified
	SubmissionReady      = "ready"      // verified; the document waits to be fetched
	SubmissionTaken      = "taken"      // receipt acknowledged; the platform has no copy any more
	SubmissionDestroyed  = "destroyed"  // nobody acknowledged in time; the platform has no copy any more
	SubmissionUnanswered = "unanswered" // the last day is over
)

// Submission is how a submission stands. It is kept for 90 civil days after its end.
type Submission struct {
	ID           jitsuin.ID   `json:"id"`
	Reference    string       `json:"reference,omitempty"`
	Purpose      string       `json:"purpose"`
	Link         string       `json:"link" doc:"where the resident submits; whoever has it may, so it goes to the resident alone"`
	MadeAt       time.Time    `json:"made_at" doc:"civil time"`
	LastDay      jitsuin.Date `json:"last_day"`
	State        string       `json:"state" enum:"open,checking,ready,taken,destroyed,unanswered"`
	Tries        int          `json:"tries" doc:"documents that were not accepted"`
	Verification jitsuin.ID   `json:"verification,omitempty" doc:"of the last document; at /v1/verifications/{id}"`
	DestroyOn    jitsuin.Date `json:"destroy_on" doc:"last civil day on which the document can be fetched; empty before there is one"`
	EndedAt      *time.Time   `json:"ended_at,omitempty" doc:"civil time"`
}

// Delivery is a submitted document with the result of its verification.
type Delivery struct {
	Submission   jitsuin.ID   `json:"submission"`
	Reference    string       `json:"reference,omitempty"`
	Document     []byte       `json:"document"`
	Signature    []byte       `json:"signature,omitempty" doc:"CMS beside the document; absent where the signature is inside"`
	SHA256       string       `json:"sha256" doc:"hex, of the bytes of document and signature one after the other: what the receipt names"`
	Verification Verification `json:"verification"`
}

// Receipt acknowledges a delivery: the tenant has stored it, and the platform destroys its copy.
type Receipt struct {
	SHA256 string `json:"sha256" minLength:"64" maxLength:"64" doc:"of the delivery"`
}
