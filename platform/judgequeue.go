package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// judgeQueue makes the checks of the queue until ctx ends. While our accreditation is not in force it rests, and goes
// on at once when it is again; nothing that waits is lost.
func (p *Platform) judgeQueue(ctx context.Context) error {
	signals, stop := p.DB.Watch(queueSignal)
	defer stop()
	accredited, stopAccredited := p.DB.Watch(accreditedSignal)
	defer stopAccredited()
	places := make(chan struct{}, p.cfg.Queue.Workers)
	var all sync.WaitGroup
	defer all.Wait()
	for turn := ""; ; {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		q, ok, wait, err := p.nextQueued(ctx, turn)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case ok:
			turn = q.tenant
			all.Go(func() {
				defer func() { <-places }()
				p.judgeQueued(ctx, q)
			})
			continue
		}
		<-places
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
		case <-accredited:
		case <-p.Clock.Changed(): // an accreditation begins or ends by civil time
		case <-time.After(wait):
		}
	}
}

// nextQueued claims a check, or says how long there is none to make.
func (p *Platform) nextQueued(ctx context.Context, turn string) (q queued, ok bool, wait time.Duration, err error) {
	now := time.Now()
	if err := p.mayVerify(ctx); err != nil {
		return q, false, lookAgain, p.giveUpWaiting(ctx, now)
	}
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) { wait, err = soonest(tx, now); return err })
	if err != nil || wait > time.Millisecond {
		return q, false, wait, err
	}
	err = p.DB.Update(ctx, func(tx *store.Tx) (err error) {
		q, ok, err = claimQueued(tx, turn, now, p.cfg.Queue.Claim)
		return err
	})
	return q, ok, wait, err
}

// finding is what came of a try to make a check.
type finding struct {
	verification  jitsuin.ID
	verdict       string
	subIndication string
	problem       *api.ItemFailed
	outcome       string // of a submitted document that is not accepted, "" for one that is
	digest        string // of a submitted document, as its receipt names it
	answered      []byte // of an item of a batch: what is answered once, sealed
	undecided     bool   // the report decides nothing; asking again may
	again         bool   // no report; asking again may give one
}

// judgeQueued makes one check and notes what came of it.
func (p *Platform) judgeQueued(ctx context.Context, q queued) {
	f := p.tryQueued(ctx, q)
	if ctx.Err() != nil { // we are ending: the next process takes it up at once
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = p.DB.Update(free, func(tx *store.Tx) error { return claimUntil(tx, q, time.Time{}) }) // else the claim ends by itself
		return
	}
	if err := p.concludeQueued(ctx, q, f); err != nil && ctx.Err() == nil {
		p.Log.WarnContext(ctx, "what came of a check that waited could not be noted; it is made again", "queued", q.id, "err", err)
	}
}

// tryQueued has a check made in the name of its tenant. A document that makes us stumble fails alone.
func (p *Platform) tryQueued(ctx context.Context, q queued) (f finding) {
	defer func() {
		if v := recover(); v != nil {
			p.Log.ErrorContext(ctx, "a check that waited panicked", "queued", q.id, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			f = failed(jitsuin.Errorf(jitsuin.Internal, "internal", "the document could not be judged"))
		}
	}()
	in, err := p.openQueued(ctx, q)
	if err != nil {
		return failed(err)
	}
	caller := httpapi.Caller{ID: q.tenant, Role: roleTenant}
	ctx = httpapi.WithIdempotencyKey(httpapi.WithCaller(httpapi.WithRequestID(ctx, string(q.id)), caller), q.key)
	v, err := p.verify(ctx, q.tenant, in)
	if err != nil {
		return failed(err)
	}
	f = finding{verification: v.ID, verdict: string(v.Report.Verdict), subIndication: string(v.Report.SubIndication), undecided: v.Report.SubIndication == signature.TryLater}
	if q.submission == "" {
		if f.answered, err = p.sealAnswer(q, v); err != nil {
			return failed(err)
		}
		return f
	}
	if f.outcome, err = p.judgeSubmitted(ctx, q, in, v); err != nil {
		return failed(err)
	}
	f.digest = digestOfDelivery(in)
	return f
}

func (p *Platform) openQueued(ctx context.Context, q queued) (in api.VerificationRequest, err error) {
	var sealed []byte
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT sealed FROM queued_checks WHERE id = $1 AND tenant = $2`, q.id, q.tenant).Scan(&sealed)
	})
	if err != nil {
		return in, jitsuin.Errorf(jitsuin.Unavailable, "queue-read", "what waits cannot be read now: %w", err)
	}
	plain, err := p.copies.open(q.tenant, q.id, sealed)
	if err != nil {
		p.Log.ErrorContext(ctx, "a document that waited is lost", "queued", q.id, "err", err)
		return in, err
	}
	return in, json.Unmarshal(plain, &in)
}

// failed is a try without a report.
func failed(err error) finding {
	e, ok := errors.AsType[*jitsuin.Error](err)
	if !ok {
		e = jitsuin.Errorf(jitsuin.Internal, "internal", "something went wrong at the platform")
	}
	suspended := strings.HasPrefix(e.Code, "accreditation-") || e.Code == "tenant-suspended" // between the claim and the check
	return finding{again: e.Kind == jitsuin.Unavailable || e.Kind == jitsuin.Limited || suspended || !ok,
		problem: &api.ItemFailed{Kind: e.Kind.String(), Code: e.Code, Detail: e.Message, Hint: e.Hint, Field: e.Field}}
}

// concludeQueued notes what came of a check: it is tried again, or its end is told. The document goes with the end.
func (p *Platform) concludeQueued(ctx context.Context, q queued, f finding) error {
	now := time.Now()
	act, undecided := splitKey(q.key)
	if f.undecided && undecided >= p.cfg.Queue.Undecided {
		f.undecided = false // told as it is
	}
	over := now.Sub(q.queuedAt) > p.cfg.Queue.Longest
	err := p.DB.Update(ctx, func(tx *store.Tx) error {
		var state string
		if err := tx.QueryRow(`SELECT state FROM queued_checks WHERE id = $1 AND tenant = $2`, q.id, q.tenant).Scan(&state); err != nil || state != api.StateWaiting {
			return err // it has come to its end before
		}
		if (f.undecided || f.again) && !over {
			key := q.key
			if f.undecided {
				key = fmt.Sprintf("%s~%d", act, undecided+1)
			}
			tx.Notify(queueSignal)
			_, err := tx.Exec(`UPDATE queued_checks SET key = $1, tries = $2, next_try = $3 WHERE id = $4 AND tenant = $5`,
				key, q.tries+1, store.Micros(now.Add(p.cfg.Queue.pause(q.tries+1))), q.id, q.tenant)
			return err
		}
		return p.endQueued(tx, q, f)
	})
	if err == nil {
		p.PokeJobs()
	}
	return err
}

// endQueued ends a check that waited: nobody needs the document any more, except who fetches what a resident submitted.
func (p *Platform) endQueued(tx *store.Tx, q queued, f finding) error {
	state, problem := api.StateJudged, ""
	if f.problem != nil {
		raw, err := json.Marshal(f.problem)
		if err != nil {
			return err
		}
		state, problem = api.StateFailed, string(raw)
	}
	if q.submission != "" {
		if err := p.concludeSubmission(tx, q, f); err != nil {
			return err
		}
	}
	_, err := tx.Exec(`UPDATE queued_checks SET state = $1, sealed = $2, verification = $3, verdict = $4, sub_indication = $5, problem = $6 WHERE id = $7 AND tenant = $8`,
		state, append([]byte{}, f.answered...), f.verification, f.verdict, f.subIndication, problem, q.id, q.tenant)
	if err != nil || q.batch == "" {
		return err
	}
	return p.concludeItem(tx, q, f)
}

// giveUpWaiting ends checks that have waited for too long while nothing may be checked.
func (p *Platform) giveUpWaiting(ctx context.Context, now time.Time) error {
	const at = 100 // at a time
	var over []queued
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		over, err = store.Collect(func(s store.Scanner) (q queued, err error) {
			return q, s.Scan(&q.id, &q.tenant, &q.batch, &q.submission, &q.i, &q.key, &q.tries)
		})(tx.Query(`/* every tenant: what has waited for too long */ SELECT id, tenant, batch, submission, i, key, tries FROM queued_checks WHERE state = $1 AND queued_at < $2 ORDER BY queued_at LIMIT $3`,
			api.StateWaiting, store.Micros(now.Add(-p.cfg.Queue.Longest)), at))
		return err
	})
	for _, q := range over {
		if err != nil {
			return err
		}
		err = p.concludeQueued(ctx, q, failed(jitsuin.Errorf(jitsuin.Unavailable, "check-waited", "nothing could be checked for too long").
			WithHint("send the document again when the platform is accredited again")))
	}
	return err
}
