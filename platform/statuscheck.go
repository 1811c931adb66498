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
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/rules"
)

// A look at whether the certificate on which a customer's data rest is still in force (現況確認). It is a use of its own, told apart from the
// verification of a signature in what is reported to authorities, and a tenant says what it is for (JPKI Act art. 52: within need).

func (p *Platform) statusRoutes() {
	tenants := httpapi.Roles(roleTenant)
	const about = " The answer is about the newest certificate by which you have seen the user, and never names it: good, revoked or expired since when and why, or unknown where nobody can tell now. Needs the header Idempotency-Key."
	httpapi.Register(p.API, httpapi.Operation{ID: "check-user-status", Method: http.MethodPost, Path: "/v1/users/{id}/status-checks", Status: http.StatusCreated,
		Summary: "Is what you know of a user still current? (現況確認)", Description: "Error: user-unknown." + about, Policy: tenants}, p.postUserStatus)
	httpapi.Register(p.API, httpapi.Operation{ID: "check-verification-status", Method: http.MethodPost, Path: "/v1/verifications/{id}/status-checks", Status: http.StatusCreated,
		Summary: "Is the certificate behind a check of yours still in force? (現況確認)", Description: "For checks that were accepted, with or without a user. Error: verification-unknown." + about, Policy: tenants}, p.postVerificationStatus)
	httpapi.Register(p.API, httpapi.Operation{ID: "check-statuses", Method: http.MethodPost, Path: "/v1/status-checks", Status: http.StatusCreated,
		Summary: "The same for up to a hundred users", Description: "Who is no user of yours is named in unknown_users." + about, Policy: tenants}, p.postStatuses)
	httpapi.Register(p.API, httpapi.Operation{ID: "status-checks", Method: http.MethodGet, Path: "/v1/users/{id}/status-checks",
		Summary: "The looks that you had at a user, the latest first", Description: "At most a hundred. Error: user-unknown.", Policy: tenants}, p.getStatuses)
}

type statusIn struct {
	Key  string `header:"Idempotency-Key" json:"-"`
	ID   string `path:"id" maxLength:"64"`
	Body api.StatusRequest
}

type statusOut struct{ Body api.StatusCheck }

type statusBatchIn struct {
	Key  string `header:"Idempotency-Key" json:"-"`
	Body api.StatusBatch
}

type statusesOut struct{ Body api.StatusChecks }

func (p *Platform) postUserStatus(ctx context.Context, in *statusIn) (*statusOut, error) {
	all, err := p.checkStatuses(ctx, "check-user-status", in, []string{in.ID}, in.Body.Purpose)
	switch {
	case err != nil:
		return nil, err
	case len(all.Checks) == 0:
		return nil, errUserUnknown()
	}
	return &statusOut{all.Checks[0]}, nil
}

func (p *Platform) postStatuses(ctx context.Context, in *statusBatchIn) (*statusesOut, error) {
	all, err := p.checkStatuses(ctx, "check-statuses", in.Body, slices.Compact(slices.Sorted(slices.Values(in.Body.Users))), in.Body.Purpose)
	if err != nil {
		return nil, err
	}
	return &statusesOut{all}, nil
}

// checkStatuses looks at the newest certificate of each user and records it.
func (p *Platform) checkStatuses(ctx context.Context, operation string, in any, users []string, purpose string) (api.StatusChecks, error) {
	tenant := httpapi.CallerOf(ctx).ID
	return p.statusOnce(ctx, operation, in, func() ([]restsOn, []string, error) {
		var found []restsOn
		var strangers []string
		err := p.DB.View(ctx, func(tx *store.Tx) error {
			found, strangers = nil, nil
			for _, user := range users {
				have, err := newest(tx, tenant, user)
				if err != nil {
					return err
				}
				if len(have) == 0 {
					strangers = append(strangers, user)
					continue
				}
				found = append(found, have[0])
			}
			return nil
		})
		return found, strangers, err
	}, purpose)
}

func (p *Platform) postVerificationStatus(ctx context.Context, in *statusIn) (*statusOut, error) {
	tenant := httpapi.CallerOf(ctx).ID
	all, err := p.statusOnce(ctx, "check-verification-status", in, func() (found []restsOn, _ []string, err error) {
		err = p.DB.View(ctx, func(tx *store.Tx) error {
			r, err := scanRestsOn(tx.QueryRow(`SELECT `+heldColumns+` FROM check_certificates WHERE tenant = $1 AND verification = $2`, tenant, in.ID))
			if errors.Is(err, sql.ErrNoRows) {
				return jitsuin.Errorf(jitsuin.NotFound, "verification-unknown", "there is no such verification of yours")
			}
			found = []restsOn{r}
			return err
		})
		return found, nil, err
	}, in.Body.Purpose)
	if err != nil {
		return nil, err
	}
	return &statusOut{all.Checks[0]}, nil
}

// statusOnce asks about certificates and records the answers together; a repeated request is answered from the record.
func (p *Platform) statusOnce(ctx context.Context, operation string, in any, find func() ([]restsOn, []string, error), purpose string) (none api.StatusChecks, err error) {
	if err := p.mayVerify(ctx); err != nil {
		return none, err
	}
	before, err := httpapi.Once(ctx, p.DB, operation, in, func(*store.Tx) (api.StatusChecks, error) { return none, errNew })
	if !errors.Is(err, errNew) {
		return before, err
	}
	found, strangers, err := find()
	if err != nil {
		return none, err
	}
	tenant := httpapi.CallerOf(ctx).ID
	known, leave, err := p.turn(ctx, tenant)
	if err != nil {
		return none, err
	}
	defer leave()
	var used []metering.Use
	now := p.Clock.Now()
	out := api.StatusChecks{Checks: []api.StatusCheck{}, Unknown: strangers}
	for _, r := range found {
		st, err := p.ask(ctx, r.held, p.validityOf(known))
		if err != nil {
			return none, err
		}
		out.Checks = append(out.Checks, newStatusCheck(r, st, purpose, now))
		if !st.updated.IsZero() { // J-LIS answered
			used = append(used, metering.Of(string(rules.UseStatus), r.kind, st.method))
		}
	}
	return httpapi.Once(ctx, p.DB, operation, in, func(tx *store.Tx) (api.StatusChecks, error) {
		for _, c := range out.Checks {
			if err := p.recordStatusCheck(ctx, tx, tenant, c); err != nil {
				return none, err
			}
		}
		return out, metering.Record(tx, tenant, now, used...)
	})
}

func newStatusCheck(r restsOn, st standing, purpose string, now time.Time) api.StatusCheck {
	return api.StatusCheck{ID: jitsuin.NewID(), User: r.user, Verification: r.verification, Kind: r.kind, Purpose: purpose, CheckPurpose: api.LivenessCheck,
		CheckedAt: now.UTC(), Status: st.state, Since: timeOf(st.since), Reason: st.reason, Method: st.method, UpdatedAt: timeOf(st.updated), Why: st.why}
}

// recordStatusCheck is the one place at which a look at a status is recorded. What was used for it is metered beside it.
func (p *Platform) recordStatusCheck(ctx context.Context, tx *store.Tx, tenant string, c api.StatusCheck) error {
	since, updated := int64(0), int64(0)
	if c.Since != nil {
		since = store.Micros(*c.Since)
	}
	if c.UpdatedAt != nil {
		updated = store.Micros(*c.UpdatedAt)
	}
	_, err := tx.Exec(`INSERT INTO status_checks (id, tenant, user_id, verification, kind, purpose, check_purpose, method, status, reason, revoked_at, source_updated, checked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, c.ID, tenant, c.User, c.Verification, c.Kind, c.Purpose, c.CheckPurpose, c.Method, c.Status,
		string(c.Reason), since, updated, store.Micros(c.CheckedAt))
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, c.CheckedAt, audit.Line{Act: "status-checked", Subject: string(c.ID), Tenant: tenant, Reason: c.Purpose,
		Detail: map[string]string{"verification": string(c.Verification), "status": c.Status}})
}

func (p *Platform) getStatuses(ctx context.Context, in *userIn) (*statusesOut, error) {
	tenant := httpapi.CallerOf(ctx).ID
	out := &statusesOut{api.StatusChecks{Checks: []api.StatusCheck{}}}
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := knownUser(tx, tenant, in.ID); err != nil {
			return err
		}
		all, err := store.Collect(scanStatusCheck)(tx.Query(`SELECT id, user_id, verification, kind, purpose, check_purpose, method, status, reason, revoked_at, source_updated, checked_at
			FROM status_checks WHERE tenant = $1 AND user_id = $2 ORDER BY checked_at DESC, id LIMIT 100`, tenant, in.ID))
		out.Body.Checks = append(out.Body.Checks, all...)
		return err
	})
	return out, err
}

func scanStatusCheck(s store.Scanner) (c api.StatusCheck, err error) {
	var since, updated, checked int64
	err = s.Scan(&c.ID, &c.User, &c.Verification, &c.Kind, &c.Purpose, &c.CheckPurpose, &c.Method, &c.Status, &c.Reason, &since, &updated, &checked)
	if since != 0 {
		c.Since = timeOf(store.Time(since))
	}
	if updated != 0 {
		c.UpdatedAt = timeOf(store.Time(updated))
	}
	c.CheckedAt = store.Time(checked).UTC()
	return c, err
}
