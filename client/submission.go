package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// The requests and answers of documents that residents submit straight to the platform.
type (
	SubmissionRequest  = api.SubmissionRequest
	SubmissionDocument = api.SubmissionDocument
	Submission         = api.Submission
	Delivery           = api.Delivery
)

// AskForSubmission asks a resident for a signed document: lead them to Link. requestID is as for Verify.
func (c *Client) AskForSubmission(ctx context.Context, requestID string, r SubmissionRequest) (Submission, error) {
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[Submission](ctx, c.remote, http.MethodPost, "/v1/submissions", requestID, r)
}

// Submission tells how a submission of this tenant stands; NotFound for any other.
func (c *Client) Submission(ctx context.Context, id jitsuin.ID) (Submission, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return Submission{}, err
	}
	return httpapi.Do[Submission](ctx, c.remote, http.MethodGet, "/v1/submissions/"+string(id), "", nil)
}

// Collect fetches a submitted document with its result (on the event EventSubmission), has keep store it, and acknowledges the
// receipt: the platform then destroys its copy. It may be called again and again for one submission, after whatever failed:
// keep is called until the receipt has been acknowledged, so it stores by d.Submission and has its effect once. An error of keep
// comes back as it is, and the platform keeps its copy. After the receipt there is nothing to do, and no error.
func (c *Client) Collect(ctx context.Context, id jitsuin.ID, keep func(ctx context.Context, d Delivery) error) error {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return err
	}
	d, err := httpapi.Do[Delivery](ctx, c.remote, http.MethodGet, "/v1/submissions/"+string(id)+"/document", "", nil)
	if jitsuin.CodeOf(err) == "submission-taken" {
		return nil
	}
	if err != nil {
		return err
	}
	h := sha256.New()
	h.Write(d.Document)
	h.Write(d.Signature)
	got := hex.EncodeToString(h.Sum(nil))
	if got != d.SHA256 {
		return jitsuin.Errorf(jitsuin.Unavailable, "delivery-cut", "the document came changed or cut short")
	}
	if err := keep(ctx, d); err != nil {
		return err
	}
	_, err = httpapi.Do[Submission](ctx, c.remote, http.MethodPost, "/v1/submissions/"+string(id)+"/receipt", NewRequestID(), api.Receipt{SHA256: got})
	return err
}
