package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// What a tenant is told.
type (
	Event              = api.Event
	EventPage          = api.Events
	VerificationDone   = api.VerificationDone
	BatchDone          = api.BatchDone
	SubmissionVerified = api.SubmissionVerified
	SubmissionEnded    = api.SubmissionEnded
	WebhookRequest     = api.WebhookRequest
	WebhookStatus      = api.Webhook
)

// Types of events.
const (
	EventVerification = api.EventVerification
	EventBatch        = api.EventBatch
	EventSubmission   = api.EventSubmission
	EventDestroyed    = api.EventDestroyed
	EventUnanswered   = api.EventUnanswered
)

// maxPollPause is the longest pause before a platform that does not answer is asked again.
const maxPollPause = 30 * time.Second

// EventsAfter gives the events after a cursor ("" for the beginning), and waits up to wait for one where there is none.
// Asking with a cursor acknowledges it: it must be committed before.
func (c *Client) EventsAfter(ctx context.Context, cursor string, wait time.Duration) (EventPage, error) {
	seconds := int(min(max(wait, 0), api.MaxEventWait) / time.Second)
	query := url.Values{"wait": {strconv.Itoa(seconds)}}
	if cursor != "" {
		query.Set("after", cursor)
	}
	return httpapi.Do[EventPage](ctx, c.remote, http.MethodGet, "/v1/events?"+query.Encode(), "", nil)
}

// Events calls handle for each event after cursor, one after the other and in their order, until ctx ends or handle
// fails; its error comes back as it is. handle has the event's effect and stores e.Cursor in one transaction: where the
// program begins again with the cursor that it stored last, each event has its effect exactly once. A platform that does not answer is
// asked again, with pauses. Errors that end it besides: Conflict "cursor-foreign" and Expired "events-gone", after which
// the caller begins without a cursor and passes over events whose id it has.
func (c *Client) Events(ctx context.Context, cursor string, handle func(ctx context.Context, e Event) error) error {
	pause := 100 * time.Millisecond
	for {
		page, err := c.EventsAfter(ctx, cursor, api.MaxEventWait)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case jitsuin.KindOf(err) == jitsuin.Unavailable || jitsuin.KindOf(err) == jitsuin.Limited:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
			pause = min(2*pause, maxPollPause)
			continue
		case err != nil:
			return err
		}
		pause = 100 * time.Millisecond
		for _, e := range page.Events {
			if err := handle(ctx, e); err != nil {
				return err
			}
			cursor = e.Cursor
		}
	}
}

// SetWebhook has this tenant's events pushed to an address, at which a Webhook must be listening already: the address
// is tried at once. requestID is as for Verify.
func (c *Client) SetWebhook(ctx context.Context, requestID, address string) (WebhookStatus, error) {
	if requestID == "" {
		requestID = NewRequestID()
	}
	return httpapi.Do[WebhookStatus](ctx, c.remote, http.MethodPut, "/v1/webhook", requestID, api.WebhookRequest{URL: address})
}

// WebhookStatus tells how pushing to this tenant's address fares; NotFound "webhook-none" where none is named.
func (c *Client) WebhookStatus(ctx context.Context) (WebhookStatus, error) {
	return httpapi.Do[WebhookStatus](ctx, c.remote, http.MethodGet, "/v1/webhook", "", nil)
}

// RemoveWebhook ends pushing. Events can be polled as before.
func (c *Client) RemoveWebhook(ctx context.Context, requestID string) error {
	if requestID == "" {
		requestID = NewRequestID()
	}
	return c.remote.Call(ctx, http.MethodDelete, "/v1/webhook", requestID, nil, nil)
}
