package platform

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// A tenant subscribes users, and is told when a certificate of theirs lapses (失効情報通知). The platform looks once in a civil day, by the
// revocation lists: J-LIS makes them daily, so more often finds nothing more; one list answers for all, so that nobody is asked about by name
// who has not lapsed (JPKI Act art. 52: within need); and the lists are free for good. A tenant who must know sooner makes a status check.
// A lapse is told once for each certificate and each state, with the new state in the transaction of the event.

const (
	roundEvery = 24 * time.Hour
	roundAgain = 15 * time.Minute // where a list could not be had
)

func (p *Platform) subscriptionRoutes() {
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "subscribe", Method: http.MethodPost, Path: "/v1/subscriptions", Status: http.StatusCreated,
		Summary: "Be told when a certificate of a user lapses (失効情報通知)",
		Description: "You get an event certificate.lapsed, and certificate.restored where a suspension is lifted, once for each change and within a day of its publication. " +
			"It says that and why the certificate ended, never what has changed. Needs the header Idempotency-Key.",
		Policy: tenants}, p.postSubscriptions)
	httpapi.Register(p.API, httpapi.Operation{ID: "unsubscribe", Method: http.MethodDelete, Path: "/v1/users/{id}/subscription",
		Summary: "Be told no more about a user", Description: "Needs the header Idempotency-Key. Error: user-unknown.", Policy: tenants}, p.deleteSubscription)
	p.At(clock.Job{Name: "status of subscribed users", Next: p.nextRound, Fire: p.round})
}

type subscriptionsIn struct {
	Key  string `header:"Idempotency-Key" json:"-"`
	Body api.SubscriptionRequest
}

type subscriptionsOut struct{ Body api.Subscriptions }

func (p *Platform) postSubscriptions(ctx context.Context, in *subscriptionsIn) (*subscriptionsOut, error) {
	tenant, now := httpapi.CallerOf(ctx).ID, p.Clock.Now()
	out, err := httpapi.Once(ctx, p.DB, "subscribe", in.Body, func(tx *store.Tx) (api.Subscriptions, error) {
		out := api.Subscriptions{Users: []string{}}
		for _, user := range slices.Compact(slices.Sorted(slices.Values(in.Body.Users))) {
			_, err := knownUser(tx, tenant, user)
			if jitsuin.KindOf(err) == jitsuin.NotFound && err != nil {
				out.Unknown = append(out.Unknown, user)
				continue
			}
			if err != nil {
				return out, err
			}
			if _, err := tx.Exec(`INSERT INTO subscriptions (tenant, user_id, purpose, since) VALUES ($1, $2, $3, $4)
				ON CONFLICT (tenant, user_id) DO UPDATE SET purpose = excluded.purpose`, tenant, user, in.Body.Purpose, store.Micros(now)); err != nil {
				return out, err
			}
			out.Users = append(out.Users, user)
			if err := audit.Record(ctx, tx, now, audit.Line{Act: "user-subscribed", Subject: user, Tenant: tenant, Reason: in.Body.Purpose}); err != nil {
				return out, err
			}
		}
		tx.AfterCommit(p.PokeJobs)
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	return &subscriptionsOut{out}, nil
}

func (p *Platform) deleteSubscription(ctx context.Context, in *userIn) (*userOut, error) {
	tenant, now := httpapi.CallerOf(ctx).ID, p.Clock.Now()
	u, err := httpapi.Once(ctx, p.DB, "unsubscribe", in, func(tx *store.Tx) (u api.KnownUser, err error) {
		if _, err = knownUser(tx, tenant, in.ID); err != nil {
			return u, err
		}
		if _, err = tx.Exec(`DELETE FROM subscriptions WHERE tenant = $1 AND user_id = $2`, tenant, in.ID); err != nil {
			return u, err
		}
		if err = audit.Record(ctx, tx, now, audit.Line{Act: "user-unsubscribed", Subject: in.ID, Tenant: tenant}); err != nil {
			return u, err
		}
		return knownUser(tx, tenant, in.ID)
	})
	if err != nil {
		return nil, err
	}
	return &userOut{u}, nil
}

// nextRound tells when subscribed users are looked at next: at once where nobody was before.
func (p *Platform) nextRound(ctx context.Context) (due time.Time, ok bool, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		var first, next int64
		if err := tx.QueryRow(`/* every tenant: whether anybody is subscribed */ SELECT COALESCE(MIN(since), 0) FROM subscriptions`).Scan(&first); err != nil || first == 0 {
			return err
		}
		ok = true
		err := tx.QueryRow(`SELECT next_at FROM status_rounds WHERE one = 1`).Scan(&next)
		if errors.Is(err, sql.ErrNoRows) {
			due = store.Time(first)
			return nil
		}
		due = store.Time(next)
		return err
	})
	return due, ok, err
}

// subscribed is a user with the certificates by which their tenant knows them.
type subscribed struct{ tenant, user string }

// round looks at every subscribed user's newest certificates and tells their tenants what has changed. While our accreditation is not in
// force nothing is asked. Where a list cannot be had, what is known is told, and the rest is looked at again soon.
func (p *Platform) round(ctx context.Context, now time.Time) error {
	next := now.Add(roundEvery)
	if err := p.mayVerify(ctx); err != nil {
		return p.setRound(ctx, now, now.Add(roundAgain))
	}
	var all []subscribed
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(func(s store.Scanner) (u subscribed, err error) { return u, s.Scan(&u.tenant, &u.user) })(
			tx.Query(`/* every tenant: the daily look, each told of its own */ SELECT tenant, user_id FROM subscriptions ORDER BY tenant, user_id`))
		return err
	})
	if err != nil {
		return err
	}
	for _, u := range all {
		sure, err := p.lookAt(ctx, u, now)
		if err != nil {
			return err
		}
		if !sure {
			next = now.Add(roundAgain)
		}
	}
	return p.setRound(ctx, now, next)
}

func (p *Platform) setRound(ctx context.Context, now, next time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO status_rounds (one, last_at, next_at) VALUES (1, $1, $2) ON CONFLICT (one) DO UPDATE SET last_at = excluded.last_at, next_at = excluded.next_at`,
			store.Micros(now), store.Micros(next))
		return err
	})
}

// lookAt tells a tenant what has changed of one user; sure is false where something could not be told.
func (p *Platform) lookAt(ctx context.Context, u subscribed, now time.Time) (sure bool, err error) {
	var have []restsOn
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) { have, err = newest(tx, u.tenant, u.user); return err })
	if err != nil {
		return false, err
	}
	sure = true
	for _, r := range have {
		st, err := p.ask(ctx, r.held, ValidityCRL)
		switch {
		case err != nil:
			return false, err
		case st.state == api.StatusUnknown:
			sure = false
			continue
		}
		if err := p.tellChange(ctx, u, r, st, now); err != nil {
			return false, err
		}
	}
	return sure, nil
}

// tellChange tells of a state that the tenant has not been told of this certificate; of one that was good all the time there is nothing to
// tell. What is suspended and then ended for good is two changes.
func (p *Platform) tellChange(ctx context.Context, u subscribed, r restsOn, st standing, now time.Time) error {
	state := st.state + ":" + string(st.reason)
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		told := api.StatusGood + ":"
		err := tx.QueryRow(`SELECT state FROM told_states WHERE tenant = $1 AND kind = $2 AND serial = $3`, u.tenant, r.kind, r.serial).Scan(&told)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || told == state {
			if told == state {
				return nil
			}
			return err
		}
		var n int
		if err := tx.QueryRow(`SELECT COUNT(*) FROM subscriptions WHERE tenant = $1 AND user_id = $2`, u.tenant, u.user).Scan(&n); err != nil || n == 0 {
			return err // unsubscribed meanwhile
		}
		_, err = tx.Exec(`INSERT INTO told_states (tenant, user_id, kind, serial, state, told_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant, kind, serial) DO UPDATE SET state = excluded.state, told_at = excluded.told_at, user_id = excluded.user_id`,
			u.tenant, u.user, r.kind, r.serial, state, store.Micros(now))
		if err != nil {
			return err
		}
		change := api.CertificateChange{User: u.user, Kind: r.kind, Status: st.state, Since: st.since.UTC(), Reason: st.reason, UpdatedAt: timeOf(st.updated)}
		kind := api.EventCertificateLapsed
		if st.state == api.StatusGood {
			kind, change.Since = api.EventCertificateBack, now.UTC()
		}
		if err := p.tell(tx, u.tenant, kind, change); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Line{Who: p.Config.Instance, Act: "change-told", Subject: u.user, Tenant: u.tenant, Detail: map[string]string{"status": st.state}})
	})
}
