package site

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

// denied is the error of an answer by which the person said no (OAuth's word).
const denied = "access_denied"

// cancel says no to the one who asks. Nothing was signed.
func (s *Site) cancel(ctx context.Context, f *flow) error {
	f.closeCard()
	if f.answer != nil {
		return jitsuin.Errorf(jitsuin.Conflict, "request-answered", "the request has been answered already")
	}
	if err := s.note(ctx, f, outcomeDenied); err != nil {
		return err
	}
	f.answer = &api.HolderAnswer{Txn: f.claims.Txn, State: f.claims.State, Error: denied}
	return s.send(ctx, f)
}

// send posts the answer that was made; it may be called again with the same answer where it failed with
// Unavailable. Where the relying party did not take it, f.refusal says why, and there is no error.
func (s *Site) send(ctx context.Context, f *flow) error {
	if f.sent {
		return nil
	}
	if left := f.untilLate(time.Now()); left > 0 {
		return jitsuin.Errorf(jitsuin.Conflict, "answer-waits", "the answer is held back for %s, as the tester asked", left)
	}
	taken, err := s.post(ctx, f)
	if err != nil && jitsuin.KindOf(err) == jitsuin.Unavailable {
		return err
	}
	f.sent = true
	outcome := outcomeSent
	switch {
	case err != nil:
		f.refusal, outcome = err.Error(), outcomeRefused
	case f.claims.AnotherDevice:
		if f.secret = taken.ScreenSecret; f.secret == "" && f.answer.Error != denied {
			f.refusal = "the request's time was over where it was begun"
		}
	case !api.AtOrigin(taken.ReturnURL, f.claims.Client.Origin):
		f.refusal = "the address to return to is not at the origin of the one who asked"
	default:
		f.back = taken.ReturnURL
	}
	if f.answer.Error == denied {
		outcome = outcomeDenied
	}
	if f.fault == faultTwice {
		f.second = "taken"
		if _, err := s.post(ctx, f); err != nil {
			f.second = jitsuin.CodeOf(err)
		}
	}
	return s.conclude(ctx, f.claims.Txn, outcome)
}

// maxTaken bounds the answer to an answer.
const maxTaken = 64 << 10

func (s *Site) post(ctx context.Context, f *flow) (taken api.AnswerTaken, err error) {
	body, err := json.Marshal(f.answer)
	if err != nil {
		return taken, fmt.Errorf("write the answer: %w", err)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, f.claims.ResponseURI, bytes.NewReader(body))
	if err != nil {
		return taken, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the answer cannot be sent where the request says")
	}
	req.Header.Set("Content-Type", "application/json")
	if id := httpapi.RequestID(ctx); id != "" {
		req.Header.Set(httpapi.HeaderRequestID, id)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return taken, undelivered(err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= 500:
		return taken, undelivered(fmt.Errorf("answered %s", resp.Status))
	case resp.StatusCode >= 400:
		return taken, httpapi.DecodeProblem(resp)
	case resp.StatusCode >= 300:
		return taken, jitsuin.Errorf(jitsuin.Denied, "answer-led-away", "the answer was to be sent on to another place (%s)", resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxTaken+1))
	if err != nil {
		return taken, undelivered(err)
	}
	if len(raw) > maxTaken || json.Unmarshal(raw, &taken) != nil {
		return taken, jitsuin.Errorf(jitsuin.Invalid, "answer-unclear", "what the other side said about the answer cannot be read")
	}
	return taken, nil
}

func undelivered(err error) error {
	return jitsuin.Errorf(jitsuin.Unavailable, "answer-undelivered", "the answer did not get through: %w", err)
}
