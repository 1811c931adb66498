package platform

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/webhook"
)

// results is what openResults makes.
type results struct {
	webhooks *webhook.Sender
	copies   copies
}

// openResults readies how tenants get to know results: events, webhooks, checks that are made later, and what
// residents submit.
func (p *Platform) openResults() (err error) {
	if p.copies, err = p.openCopies(); err != nil {
		return err
	}
	p.webhooks = webhook.New(p.cfg.Webhooks.Loopback, p.cfg.Webhooks.Timeout)
	p.Go("push events", p.pushEvents)
	p.Go("judge what waits", p.judgeQueue)
	p.openSubmissions()
	p.At(clock.Job{Name: "end of submissions", Next: p.nextSubmissionEnd, Fire: p.endSubmissions, List: p.submissionEnds})
	p.Metrics.Read("results", p.readResults)
	p.Every(time.Hour, "forget results", p.forgetResults)
	return nil
}

// resultRoutes registers the routes of the same.
func (p *Platform) resultRoutes() {
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "events", Method: http.MethodGet, Path: "/v1/events",
		Summary: "What you are told, in its order",
		Description: "At least once: ask on with the cursor that was committed together with the effect of the events before it, and drop an event whose id had its effect. " +
			"With wait the answer comes as soon as there is an event. Conflict cursor-foreign: begin anew without a cursor. Expired events-gone: some are no longer kept.",
		Policy: tenants}, p.getEvents)
	httpapi.Register(p.API, httpapi.Operation{ID: "batch-verify", Method: http.MethodPost, Path: "/v1/batches", Status: http.StatusAccepted,
		MaxBody: maxBatchBody, Summary: "Have signed documents checked later",
		Description: "Answers at once; each item is judged in its turn, and told by the event verification.done, the end of the batch by batch.done. A check whose certificate's status cannot be had is made again for about half an hour, then told as it is; " +
			"while the platform's accreditation is suspended everything waits, for seven days at most. Documents lie encrypted until they are judged, and no longer. Needs the header Idempotency-Key.",
		Policy: tenants}, p.postBatch)
	httpapi.Register(p.API, httpapi.Operation{ID: "batch", Method: http.MethodGet, Path: "/v1/batches/{id}", Summary: "How a batch of yours stands",
		Description: "Kept for 30 days after its end; the four items until their receipt is acknowledged, for seven days at most.", Policy: tenants}, p.getBatch)
	httpapi.Register(p.API, httpapi.Operation{ID: "acknowledge-batch", Method: http.MethodPost, Path: "/v1/batches/{id}/receipt", Status: http.StatusNoContent,
		Summary:     "Acknowledge that you have stored a batch's results",
		Description: "The four items in it are destroyed at once; the verifications stay. Conflict batch-waiting before its end. Needs the header Idempotency-Key; acknowledged again, nothing changes.",
		Policy:      tenants}, p.postBatchReceipt)
	p.submissionRoutes(tenants)
	p.submissionPages()
	httpapi.Register(p.API, httpapi.Operation{ID: "set-webhook", Method: http.MethodPut, Path: "/v1/webhook",
		Summary: "Have your events pushed to an address",
		Description: "The address is sent the event webhook.challenge first and must give its data back. Events come as security event tokens (RFC 8417, RFC 8935), signed with a key of /.well-known/jwks.json, in their order, one at a time; " +
			"any answer of 2xx takes one, after anything else it comes again, with pauses that grow, for four days. Then they wait for a poll until an address is named again. Needs the header Idempotency-Key.",
		Policy: tenants}, p.putWebhook)
	httpapi.Register(p.API, httpapi.Operation{ID: "webhook", Method: http.MethodGet, Path: "/v1/webhook",
		Summary: "How pushing your events fares", Policy: tenants}, p.getWebhookRoute)
	httpapi.Register(p.API, httpapi.Operation{ID: "remove-webhook", Method: http.MethodDelete, Path: "/v1/webhook", Status: http.StatusNoContent,
		Summary: "Have your events pushed no more", Description: "They can be polled as before. Needs the header Idempotency-Key.", Policy: tenants}, p.deleteWebhook)
	p.API.Raw("GET /.well-known/jwks.json", httpapi.Public("who is sent an event checks its signature"), http.HandlerFunc(p.serveKeys))
}

type eventsIn struct {
	After string `query:"after" maxLength:"40" doc:"the cursor of the last event that had its effect; left out, from the beginning"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"100"`
	Wait  int    `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for an event where there is none"`
}

type eventsOut struct{ Body api.Events }

func (p *Platform) getEvents(ctx context.Context, in *eventsIn) (*eventsOut, error) {
	page, err := p.events(ctx, httpapi.CallerOf(ctx).ID, in.After, in.Limit, time.Duration(in.Wait)*time.Second)
	if err != nil {
		return nil, err
	}
	return &eventsOut{page}, nil
}

// forgetResults drops what is no longer kept: events and batches by wall time, submissions by civil time.
func (p *Platform) forgetResults(ctx context.Context) error {
	now := time.Now()
	return errors.Join(p.forgetEvents(ctx, now.Add(-eventsKept)), p.forgetAnswers(ctx, now.Add(-answersKept)), p.forgetBatches(ctx, now.Add(-batchesKept)), p.forgetSubmissions(ctx, p.Clock.Now()))
}
