package platform

import (
	"context"
	"database/sql"
	"errors"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

const usersPage = 100

func (p *Platform) userRoutes() {
	tenants := httpapi.Roles(roleTenant)
	httpapi.Register(p.API, httpapi.Operation{ID: "users", Method: http.MethodGet, Path: "/v1/users",
		Summary: "Your users", Description: "A hundred at a time, in the order of their ids, which says nothing of anything.", Policy: tenants}, p.getUsers)
	httpapi.Register(p.API, httpapi.Operation{ID: "user", Method: http.MethodGet, Path: "/v1/users/{id}",
		Summary: "A user of yours", Description: "The id is the same after a move, a renewal, a re-issue and with a new card, and another at every other tenant. Error: user-unknown.", Policy: tenants}, p.getUser)
	httpapi.Register(p.API, httpapi.Operation{ID: "forget-user", Method: http.MethodDelete, Path: "/v1/users/{id}",
		Summary:     "Have a user forgotten",
		Description: "The certificates by which they are known are forgotten, and with them subscription and consents; whoever comes back is new. Records that the law keeps stay until their last day and are named. Needs the header Idempotency-Key. Error: user-unknown.",
		Policy:      tenants}, p.deleteUser)
}

func errUserUnknown() error {
	return jitsuin.Errorf(jitsuin.NotFound, "user-unknown", "there is no such user of yours")
}

const userColumns = `SELECT u.id, u.first_seen,
	COALESCE((SELECT MAX(c.checked_at) FROM checks c WHERE c.tenant = $1 AND c.user_id = u.id), u.first_seen),
	(SELECT COUNT(*) FROM check_certificates k WHERE k.tenant = $1 AND k.user_id = u.id AND k.kind = 'sign'),
	(SELECT COUNT(*) FROM check_certificates k WHERE k.tenant = $1 AND k.user_id = u.id AND k.kind = 'auth'),
	(SELECT COUNT(*) FROM subscriptions s WHERE s.tenant = $1 AND s.user_id = u.id)
	FROM users u WHERE u.tenant = $1 `

func scanUser(s store.Scanner) (u api.KnownUser, err error) {
	var first, last int64
	var sign, auth, subscribed int
	err = s.Scan(&u.ID, &first, &last, &sign, &auth, &subscribed)
	u.FirstSeen, u.LastSeen, u.Kinds, u.Subscribed = store.Time(first).UTC(), store.Time(last).UTC(), []jitsuin.CertKind{}, subscribed > 0
	if sign > 0 {
		u.Kinds = append(u.Kinds, jitsuin.SignCert)
	}
	if auth > 0 {
		u.Kinds = append(u.Kinds, jitsuin.AuthCert)
	}
	return u, err
}

// knownUser gives a tenant's user; another tenant's, one who was forgotten and one who never was are NotFound alike.
func knownUser(tx *store.Tx, tenant, id string) (api.KnownUser, error) {
	u, err := scanUser(tx.QueryRow(userColumns+`AND u.id = $2`, tenant, id))
	if errors.Is(err, sql.ErrNoRows) {
		return u, errUserUnknown()
	}
	return u, err
}

type usersIn struct {
	After string `query:"after" maxLength:"64" doc:"the last id of the page before"`
}

type usersOut struct{ Body api.Users }

func (p *Platform) getUsers(ctx context.Context, in *usersIn) (*usersOut, error) {
	out := &usersOut{Body: api.Users{Users: []api.KnownUser{}}}
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.Collect(scanUser)(tx.Query(userColumns+`AND u.id > $2 ORDER BY u.id LIMIT $3`, httpapi.CallerOf(ctx).ID, in.After, usersPage+1))
		if out.Body.More = len(all) > usersPage; out.Body.More {
			all = all[:usersPage]
		}
		out.Body.Users = append(out.Body.Users, all...)
		return err
	})
	return out, err
}

type userIn struct {
	Key string `header:"Idempotency-Key" json:"-"`
	ID  string `path:"id" maxLength:"64"`
}

type userOut struct{ Body api.KnownUser }

func (p *Platform) getUser(ctx context.Context, in *userIn) (*userOut, error) {
	out := &userOut{}
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		out.Body, err = knownUser(tx, httpapi.CallerOf(ctx).ID, in.ID)
		return err
	})
	return out, err
}

type forgottenOut struct{ Body api.ForgottenUser }

// deleteUser has a tenant forget a user. Checks and records keep the id that they were made with: they belong to the law until their
// last day, and nobody is found by it any more.
func (p *Platform) deleteUser(ctx context.Context, in *userIn) (*forgottenOut, error) {
	tenant, now := httpapi.CallerOf(ctx).ID, p.Clock.Now()
	out, err := httpapi.Once(ctx, p.DB, "forget-user", in, func(tx *store.Tx) (api.ForgottenUser, error) {
		u, err := knownUser(tx, tenant, in.ID)
		if err != nil {
			return api.ForgottenUser{}, err
		}
		f := api.ForgottenUser{ID: u.ID}
		if f.Records, err = recordsOf(tx, tenant, u.ID); err != nil {
			return f, err
		}
		if err := p.endConsentsOf(tx, tenant, u.ID, now); err != nil {
			return f, err
		}
		if err := p.openid.Forget(tx, tenant, u.ID); err != nil {
			return f, err
		}
		for _, text := range []string{`DELETE FROM subscriptions WHERE tenant = $1 AND user_id = $2`, `DELETE FROM told_states WHERE tenant = $1 AND user_id = $2`,
			`UPDATE check_certificates SET user_id = '' WHERE tenant = $1 AND user_id = $2`,
			`DELETE FROM user_certificates WHERE tenant = $1 AND user_id = $2`, `DELETE FROM users WHERE tenant = $1 AND id = $2`} {
			if _, err := tx.Exec(text, tenant, u.ID); err != nil {
				return f, err
			}
		}
		return f, audit.Record(ctx, tx, now, audit.Line{Act: "user-forgotten", Subject: u.ID, Tenant: tenant})
	})
	if err != nil {
		return nil, err
	}
	return &forgottenOut{out}, nil
}

// recordsOf gives the records that stay of a user.
func recordsOf(tx *store.Tx, tenant, user string) ([]api.Record, error) {
	all, err := store.Collect(func(s store.Scanner) (r api.Record, err error) {
		var until string
		if err := s.Scan(&r.ID, &r.Kind, &until, &r.Law); err != nil {
			return r, err
		}
		return r, r.KeepUntil.UnmarshalText([]byte(until))
	})(tx.Query(`SELECT r.id, r.kind, r.keep_until, r.law FROM vault_records r JOIN checks c ON c.id = r.verification AND c.tenant = r.tenant
		WHERE r.tenant = $1 AND c.user_id = $2 ORDER BY r.made_at, r.id`, tenant, user))
	if all == nil {
		all = []api.Record{}
	}
	return all, err
}
