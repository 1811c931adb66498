package platform

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Events are pushed in their order, one at a time per tenant, and each tenant has a worker of its own while there is
// something for it: a tenant that is slow or down delays nobody else. How far each has come stands in the database,
// so a restart goes on where the last process stopped; what it had sent without hearing the answer comes again.

// mostPushing is how many tenants are pushed to at a time. A try takes WebhookConfig.Timeout at most, and a tenant that
// is down is tried seldom, so a place is never long in coming.
const mostPushing = 256

// lookAgain is how often the database is looked at although nobody said that there is something: another process may
// have stored it.
const lookAgain = time.Minute

// pusher is the task that pushes.
type pusher struct {
	p      *Platform
	places chan struct{}
	all    sync.WaitGroup
	freed  chan struct{} // a worker has ended

	mu   sync.Mutex
	busy map[string]bool // tenants with a worker
}

// pushEvents pushes until ctx ends.
func (p *Platform) pushEvents(ctx context.Context) error {
	u := &pusher{p: p, places: make(chan struct{}, mostPushing), freed: make(chan struct{}, 1), busy: map[string]bool{}}
	defer u.all.Wait()
	told, stop := p.DB.Watch(toldSignal)
	defer stop()
	for {
		next, err := u.startDue(ctx, time.Now())
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-told:
		case <-u.freed:
		case <-time.After(next):
		}
	}
}

// startDue starts a worker for each tenant that is due, and says how long there is nothing more to do.
func (u *pusher) startDue(ctx context.Context, now time.Time) (time.Duration, error) {
	due, next, err := u.p.duePushes(ctx, now)
	if err != nil {
		if ctx.Err() != nil {
			return lookAgain, nil
		}
		return 0, err
	}
	for _, tenant := range due {
		if !u.take(tenant) {
			continue
		}
		select {
		case u.places <- struct{}{}:
		case <-ctx.Done():
			u.give(tenant)
			return lookAgain, nil
		}
		u.all.Go(func() {
			defer func() { <-u.places; u.give(tenant) }()
			u.work(ctx, tenant)
		})
	}
	return next, nil
}

func (u *pusher) take(tenant string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.busy[tenant] {
		return false
	}
	u.busy[tenant] = true
	return true
}

func (u *pusher) give(tenant string) {
	u.mu.Lock()
	delete(u.busy, tenant)
	u.mu.Unlock()
	select {
	case u.freed <- struct{}{}:
	default:
	}
}

// duePushes lists tenants to whom something is to be pushed now, and how long until the next is due.
func (p *Platform) duePushes(ctx context.Context, now time.Time) (due []string, next time.Duration, err error) {
	type one struct {
		tenant string
		at     int64
	}
	next = lookAgain
	var all []one
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(func(s store.Scanner) (o one, err error) { return o, s.Scan(&o.tenant, &o.at) })(
			tx.Query(`/* every tenant: whom to push to */ SELECT w.tenant, w.next_try FROM webhooks w JOIN tenant_outboxes o ON o.tenant = w.tenant
				WHERE w.stopped = 0 AND o.last_n > w.sent_n AND o.last_n > o.read_n ORDER BY w.next_try`))
		return err
	})
	for _, o := range all {
		if wait := store.Time(o.at).Sub(now); o.at != 0 && wait > 0 {
			next = min(next, wait+time.Millisecond)
			continue
		}
		due = append(due, o.tenant)
	}
	return due, next, err
}

// delivery is an event on its way to an address; the zero value is nothing to deliver.
type delivery struct {
	url   string
	event api.Event
}

// work pushes a tenant's events until none is left, or one is not taken.
func (u *pusher) work(ctx context.Context, tenant string) {
	p := u.p
	d, err := p.claimPush(ctx, tenant)
	for err == nil && d.url != "" && ctx.Err() == nil {
		_, failed := p.push(ctx, tenant, d.url, d.event)
		if failed != nil && ctx.Err() != nil {
			break // we are ending: the try says nothing about the address
		}
		p.count.pushed(failed)
		d, err = p.concludePush(ctx, tenant, d, failed)
	}
	if err != nil && ctx.Err() == nil {
		p.Log.WarnContext(ctx, "pushing to a tenant was interrupted and is taken up again", "tenant", tenant, "err", err)
	}
}

// claimPush takes the next event for a tenant, unless it is not yet time, or somebody else is at it.
func (p *Platform) claimPush(ctx context.Context, tenant string) (d delivery, err error) {
	now := time.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) (err error) {
		d = delivery{}
		var next int64
		err = tx.QueryRow(`SELECT next_try FROM webhooks WHERE tenant = $1 AND stopped = 0`, tenant).Scan(&next)
		if errors.Is(err, sql.ErrNoRows) || err == nil && next > store.Micros(now) {
			return nil
		}
		if err == nil {
			d, err = p.nextPush(tx, tenant, now)
		}
		return err
	})
	return d, err
}

// nextPush claims and gives the first event that a tenant has neither taken nor acknowledged.
func (p *Platform) nextPush(tx *store.Tx, tenant string, now time.Time) (delivery, error) {
	var d delivery
	var sent int64
	err := tx.QueryRow(`SELECT url, sent_n FROM webhooks WHERE tenant = $1`, tenant).Scan(&d.url, &sent)
	if err != nil {
		return d, err
	}
	d.event, err = scanEvent(tx.QueryRow(`SELECT `+eventColumns+` FROM tenant_events WHERE tenant = $1 AND n > $2
		AND n > (SELECT COALESCE(MAX(read_n), 0) FROM tenant_outboxes WHERE tenant = $1) ORDER BY n LIMIT 1`, tenant, sent))
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.Exec(`UPDATE webhooks SET next_try = 0 WHERE tenant = $1`, tenant)
		return delivery{}, err
	}
	if err != nil {
		return d, err
	}
	_, err = tx.Exec(`UPDATE webhooks SET next_try = $1 WHERE tenant = $2`, store.Micros(now.Add(p.cfg.Webhooks.lease())), tenant)
	return d, err
}

// concludePush notes what came of a try, and gives the next event where there is one to go on with.
func (p *Platform) concludePush(ctx context.Context, tenant string, d delivery, failed error) (next delivery, err error) {
	now := time.Now()
	err = p.DB.Update(ctx, func(tx *store.Tx) error {
		next = delivery{}
		var url string
		var tries int
		var since int64
		err := tx.QueryRow(`SELECT url, tries, failing_since FROM webhooks WHERE tenant = $1`, tenant).Scan(&url, &tries, &since)
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && url != d.url: // the tenant has changed its mind meanwhile
			return nil
		case err != nil:
			return err
		case failed != nil:
			return p.notePushFailure(tx, tenant, failed, tries+1, store.Time(since), now)
		}
		if _, err := tx.Exec(`UPDATE webhooks SET sent_n = $1, tries = 0, failing_since = 0, problem = '' WHERE tenant = $2 AND sent_n < $1`, d.event.N, tenant); err != nil {
			return err
		}
		next, err = p.nextPush(tx, tenant, now)
		return err
	})
	return next, err
}

// notePushFailure says when an event is tried again, or that pushing stops and the events wait for a poll.
func (p *Platform) notePushFailure(tx *store.Tx, tenant string, failed error, tries int, since, now time.Time) error {
	if since.IsZero() {
		since = now
	}
	stopped := 0
	if now.Sub(since) >= p.cfg.Webhooks.GiveUp {
		stopped = 1
		line := audit.Line{Who: p.Config.Instance, Act: "webhook-stopped", Subject: tenant, Tenant: tenant, Reason: problemText(failed)}
		if err := audit.Record(context.Background(), tx, p.Clock.Now(), line); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			p.Log.Error("pushing events to a tenant has stopped; they wait for a poll", "tenant", tenant, "problem", problemText(failed))
		})
	}
	_, err := tx.Exec(`UPDATE webhooks SET tries = $1, failing_since = $2, next_try = $3, stopped = $4, problem = $5 WHERE tenant = $6`,
		tries, store.Micros(since), store.Micros(now.Add(p.cfg.Webhooks.pause(tries))), stopped, problemText(failed), tenant)
	return err
}

// problemText is what a tenant is told of an error: the message of one of ours, and of no other.
func problemText(err error) string {
	if e, ok := errors.AsType[*jitsuin.Error](err); ok && e.Kind != jitsuin.Internal {
		return e.Message
	}
	return "something went wrong at the platform"
}

type webhookIn struct {
	Key  string `header:"Idempotency-Key"`
	Body api.WebhookRequest
}

type webhookOut struct{ Body api.Webhook }

func (p *Platform) putWebhook(ctx context.Context, in *webhookIn) (*webhookOut, error) {
	w, err := p.setWebhook(ctx, httpapi.CallerOf(ctx).ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &webhookOut{w}, nil
}

func (p *Platform) getWebhookRoute(ctx context.Context, _ *struct{}) (*webhookOut, error) {
	w, err := p.webhook(ctx, httpapi.CallerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	return &webhookOut{w}, nil
}

type keyIn struct {
	Key string `header:"Idempotency-Key"`
}

func (p *Platform) deleteWebhook(ctx context.Context, _ *keyIn) (*struct{}, error) {
	return nil, p.dropWebhook(ctx, httpapi.CallerOf(ctx).ID)
}
