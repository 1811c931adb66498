package platform

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// deliver gives the document of a tenant's submission with its result, as often as it is asked for until the receipt.
func (p *Platform) deliver(ctx context.Context, tenant string, id jitsuin.ID) (api.Delivery, error) {
	var m submission
	var sealed []byte
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		if m, err = submissionOf(tx, tenant, id); err != nil {
			return err
		}
		if err := deliverable(m); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT copy FROM submissions WHERE id = $1 AND tenant = $2`, id, tenant).Scan(&sealed)
	})
	if err != nil {
		return api.Delivery{}, err
	}
	plain, err := p.copies.open(tenant, m.copyID, sealed)
	if err != nil {
		return api.Delivery{}, err
	}
	var in api.VerificationRequest
	if err := json.Unmarshal(plain, &in); err != nil {
		return api.Delivery{}, err
	}
	v, err := p.answer(ctx, tenant, m.verification, in, nil)
	if err != nil {
		return api.Delivery{}, err
	}
	d := api.Delivery{Submission: m.id, Reference: m.reference, Document: in.Document, Signature: in.Signature, SHA256: digestOfDelivery(in), Verification: v}
	return d, p.DB.Update(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, p.Clock.Now(), audit.Line{Act: "submission-fetched", Subject: string(m.id), Tenant: tenant})
	})
}

// deliverable tells why there is no document of a submission.
func deliverable(m submission) error {
	switch m.state {
	case api.SubmissionReady:
		return nil
	case api.SubmissionTaken:
		return jitsuin.Errorf(jitsuin.Conflict, "submission-taken", "its receipt was acknowledged, and the copy destroyed")
	case api.SubmissionDestroyed:
		return jitsuin.Errorf(jitsuin.Expired, "submission-destroyed", "its copy was destroyed after %s, as nobody had acknowledged it", m.destroyOn).
			WithHint("ask the resident to submit it again")
	}
	return jitsuin.Errorf(jitsuin.Conflict, "submission-not-ready", "no document has been accepted yet")
}

// acknowledge ends a delivery: the tenant has the document, and our copy is gone with the same commit. Acknowledged again,
// by any request, it stays as it is. Another digest is a Conflict and destroys nothing.
func (p *Platform) acknowledge(ctx context.Context, tenant string, id jitsuin.ID, in api.Receipt) (api.Submission, error) {
	now := p.Clock.Now()
	asked := struct {
		ID     jitsuin.ID
		SHA256 string
	}{id, in.SHA256}
	_, err := httpapi.Once(ctx, p.DB, "receipt", asked, func(tx *store.Tx) (done, error) {
		m, err := submissionOf(tx, tenant, id)
		if err == nil && m.state != api.SubmissionTaken {
			err = deliverable(m)
		}
		switch {
		case err != nil:
			return done{}, err
		case subtle.ConstantTimeCompare([]byte(m.copySHA256), []byte(in.SHA256)) != 1:
			return done{}, jitsuin.Errorf(jitsuin.Conflict, "receipt-differs", "this is not the digest of what was delivered").At("sha256").
				WithHint("fetch the document again; it is still here")
		case m.state == api.SubmissionTaken:
			return done{id}, nil
		}
		if err := endSubmission(tx, m, api.SubmissionTaken, now); err != nil {
			return done{}, err
		}
		return done{id}, audit.Record(ctx, tx, now, audit.Line{Act: "submission-taken", Subject: string(id), Tenant: tenant})
	})
	if err != nil {
		return api.Submission{}, err
	}
	return p.submission(ctx, tenant, id)
}

// endSubmission ends a submission, and with it every document of it that we have.
func endSubmission(tx *store.Tx, m submission, state string, now time.Time) error {
	tx.Notify(submissionSignal)
	_, err := tx.Exec(`UPDATE submissions SET state = $1, copy = $2, document = $2, ended_at = $3 WHERE id = $4 AND tenant = $5`, state, []byte{}, store.Micros(now), m.id, m.tenant)
	return err
}

// nextSubmissionEnd gives the first instant at which a copy must be gone, or the time to submit is over.
func (p *Platform) nextSubmissionEnd(ctx context.Context) (due time.Time, ok bool, err error) {
	list, err := p.submissionEnds(ctx)
	if err != nil || len(list) == 0 {
		return time.Time{}, false, err
	}
	return list[0].At, true, nil
}

// submissionEnds lists when copies are destroyed and submissions end.
func (p *Platform) submissionEnds(ctx context.Context) (all []clock.Due, err error) {
	type end struct {
		day string
		n   int
	}
	var ends []end
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		ends, err = store.Collect(func(s store.Scanner) (e end, err error) { return e, s.Scan(&e.day, &e.n) })(
			tx.Query(`/* every tenant: what falls due */ SELECT CASE WHEN state = $1 THEN destroy_on ELSE last_day END AS day, COUNT(*) FROM submissions
				WHERE state = $1 OR state = $2 GROUP BY CASE WHEN state = $1 THEN destroy_on ELSE last_day END ORDER BY day LIMIT 200`, api.SubmissionReady, api.SubmissionOpen))
		return err
	})
	for _, e := range ends {
		last, err := jitsuin.ParseDate(e.day)
		if err != nil {
			return nil, err
		}
		all = append(all, clock.Due{At: last.AddDays(1).Start(), Count: e.n})
	}
	return all, err
}

// endSubmissions destroys the copies whose last day is over, and ends submissions to which nobody came. The tenant is told of
// both. What is being checked ends when it was.
func (p *Platform) endSubmissions(ctx context.Context, now time.Time) error {
	for {
		var some int
		err := p.DB.Update(ctx, func(tx *store.Tx) error {
			over, err := store.Collect(scanSubmission)(tx.Query(`/* every tenant: what falls due */ SELECT `+submissionColumns+` FROM submissions
				WHERE state = $1 AND destroy_on < $3 OR state = $2 AND last_day < $3 ORDER BY id LIMIT 100`, api.SubmissionReady, api.SubmissionOpen, jitsuin.DateOf(now).String()))
			some = len(over)
			if err != nil {
				return err
			}
			for _, m := range over {
				if err := p.endOver(ctx, tx, m, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || some == 0 {
			return err
		}
	}
}

func (p *Platform) endOver(ctx context.Context, tx *store.Tx, m submission, now time.Time) error {
	state, kind := api.SubmissionDestroyed, api.EventDestroyed
	if m.state == api.SubmissionOpen {
		state, kind = api.SubmissionUnanswered, api.EventUnanswered
	}
	if err := endSubmission(tx, m, state, now); err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, now, audit.Line{Who: p.Config.Instance, Act: "submission-" + state, Subject: string(m.id), Tenant: m.tenant}); err != nil {
		return err
	}
	return p.tell(tx, m.tenant, kind, api.SubmissionEnded{Submission: m.id, Reference: m.reference})
}

// forgetSubmissions drops submissions that ended long ago, and what the queue still knows of them.
func (p *Platform) forgetSubmissions(ctx context.Context, now time.Time) error {
	before := store.Micros(now.AddDate(0, 0, -submissionsKept))
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`/* every tenant: the end of keeping */ DELETE FROM queued_checks WHERE submission IN (SELECT id FROM submissions WHERE ended_at > 0 AND ended_at < $1)`, before)
		if err == nil {
			_, err = tx.Exec(`/* every tenant: the end of keeping */ DELETE FROM submissions WHERE ended_at > 0 AND ended_at < $1`, before)
		}
		return err
	})
}

func (p *Platform) submissionRoutes(tenants httpapi.Policy) {
	httpapi.Register(p.API, httpapi.Operation{ID: "ask-for-submission", Method: http.MethodPost, Path: "/v1/submissions", Status: http.StatusCreated, MaxBody: maxSubmissionBody,
		Summary:     "Ask a resident to submit a signed document straight to the platform",
		Description: "Lead the resident to link. What they submit is verified and, where it passes, told by the event submission.verified and kept, encrypted, until you have acknowledged its receipt, for some days at most. Needs the header Idempotency-Key.",
		Policy:      tenants}, p.postSubmission)
	httpapi.Register(p.API, httpapi.Operation{ID: "submission", Method: http.MethodGet, Path: "/v1/submissions/{id}", Summary: "How a submission of yours stands", Policy: tenants}, p.getSubmission)
	httpapi.Register(p.API, httpapi.Operation{ID: "submitted-document", Method: http.MethodGet, Path: "/v1/submissions/{id}/document",
		Summary:     "The submitted document with the result of its verification",
		Description: "As often as you ask, until its receipt is acknowledged (then Conflict submission-taken) or its last day is over (Expired submission-destroyed). Conflict submission-not-ready before.",
		Policy:      tenants}, p.getDelivery)
	httpapi.Register(p.API, httpapi.Operation{ID: "acknowledge-submission", Method: http.MethodPost, Path: "/v1/submissions/{id}/receipt",
		Summary:     "Acknowledge that you have stored the document",
		Description: "The platform's copy is destroyed at once. Conflict receipt-differs where the digest is another: nothing is destroyed. Needs the header Idempotency-Key; acknowledged again, nothing changes.",
		Policy:      tenants}, p.postReceipt)
}

// maxSubmissionBody holds a document in base64.
const maxSubmissionBody = api.MaxSubmissionDocument/3*4 + 64<<10

type submissionIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.SubmissionRequest
}

type submissionOut struct{ Body api.Submission }

func (p *Platform) postSubmission(ctx context.Context, in *submissionIn) (*submissionOut, error) {
	v, err := p.askForDocument(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &submissionOut{v}, nil
}

func (p *Platform) getSubmission(ctx context.Context, in *idIn) (*submissionOut, error) {
	v, err := p.submission(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &submissionOut{v}, nil
}

// deliveryOut holds the document and the four items, so it stays in no cache.
type deliveryOut struct {
	CacheControl string `header:"Cache-Control"`
	Body         api.Delivery
}

func (p *Platform) getDelivery(ctx context.Context, in *idIn) (*deliveryOut, error) {
	d, err := p.deliver(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &deliveryOut{"no-store", d}, nil
}

type receiptIn struct {
	Key  string `header:"Idempotency-Key"`
	ID   string `path:"id" maxLength:"64"`
	Body api.Receipt
}

func (p *Platform) postReceipt(ctx context.Context, in *receiptIn) (*submissionOut, error) {
	v, err := p.acknowledge(ctx, httpapi.CallerOf(ctx).ID, jitsuin.ID(in.ID), in.Body)
	if err != nil {
		return nil, err
	}
	return &submissionOut{v}, nil
}
