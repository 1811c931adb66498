package client

import (
	"context"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// The requests and answers of checks that are made later.
type (
	BatchItem  = api.BatchItem
	BatchEntry = api.BatchEntry
	Batch      = api.Batch
	ItemFailed = api.ItemFailed
)

// States of a BatchEntry.
const (
	StateWaiting = api.StateWaiting
	StateJudged  = api.StateJudged
	StateFailed  = api.StateFailed
)

// VerifyLater has signed documents checked later, at most api.MaxBatchItems of api.MaxBatchBytes together: all are taken, or
// none. What comes of each is told as an event (see Events and Webhook), and stands in the batch. requestID is as for Verify;
// so is the Key of each item, which gives the same verification whether the item comes in this batch, in another, or by Verify.
func (c *Client) VerifyLater(ctx context.Context, requestID string, items []BatchItem) (Batch, error) {
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[Batch](ctx, c.remote, http.MethodPost, "/v1/batches", requestID, api.BatchRequest{Items: items})
}

// AcknowledgeBatch says that a batch's results are stored here: the platform destroys the four items that it kept in it.
func (c *Client) AcknowledgeBatch(ctx context.Context, requestID string, id jitsuin.ID) error {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return err
	}
	if requestID == "" {
		requestID = NewRequestID()
	}
	return c.remote.Call(ctx, http.MethodPost, "/v1/batches/"+string(id)+"/receipt", requestID, nil, nil)
}

// Batch tells how a batch of this tenant stands; NotFound for any other.
func (c *Client) Batch(ctx context.Context, id jitsuin.ID) (Batch, error) {
	if _, err := jitsuin.ParseID(string(id)); err != nil {
		return Batch{}, err
	}
	return httpapi.Do[Batch](ctx, c.remote, http.MethodGet, "/v1/batches/"+string(id), "", nil)
}
