package platform

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/errand"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature/form"
)

// What becomes of a consent: the yearly reminder, its last day, its withdrawal, and the end of its ledger.

// nextConsent gives the first instant at which a consent needs something.
func (p *Platform) nextConsent(ctx context.Context) (due time.Time, ok bool, err error) {
	var remind, last, keep string
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`/* every tenant: what falls due first */ SELECT COALESCE(MIN(CASE WHEN state = 'in-force' AND remind_on <> '' THEN remind_on END), ''),
			COALESCE(MIN(CASE WHEN state = 'in-force' THEN last_day END), ''), COALESCE(MIN(CASE WHEN keep_until <> '' THEN keep_until END), '') FROM consents`).Scan(&remind, &last, &keep)
	})
	if err != nil {
		return due, false, err
	}
	for text, after := range map[string]int{remind: 0, last: 1, keep: 1} {
		if text == "" {
			continue
		}
		day, err := jitsuin.ParseDate(text)
		if err != nil {
			return due, false, err
		}
		if at := day.AddDays(after).Start(); !ok || at.Before(due) {
			due, ok = at, true
		}
	}
	return due, ok, nil
}

// consentsDue reminds, ends and drops what is due.
func (p *Platform) consentsDue(ctx context.Context, now time.Time) error {
	today := jitsuin.DateOf(now)
	var due []consent
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = store.Collect(scanConsent)(tx.Query(`/* every tenant: what falls due, each told of its own */ SELECT `+consentColumns+` FROM consents WHERE state = 'in-force' AND (last_day < $1 OR remind_on <> '' AND remind_on <= $1) ORDER BY id`, today.String()))
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range due {
		if today.After(c.LastDay) {
			err = p.endConsent(ctx, c, api.EventConsentExpired, api.ConsentExpired, c.LastDay, now)
		} else {
			err = p.remind(ctx, c, today, now)
		}
		if err != nil {
			return err
		}
	}
	return p.dropConsents(ctx, today)
}

// remind has the tenant remind a person, once a year.
func (p *Platform) remind(ctx context.Context, c consent, today jitsuin.Date, now time.Time) error {
	next := rules.ConsentReminder(c.GivenOn, today)
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(`UPDATE consents SET remind_on = $1 WHERE tenant = $2 AND id = $3 AND state = 'in-force' AND remind_on = $4`, next.String(), c.tenant, c.ID, c.Remind.String())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return p.consentTold(ctx, tx, c, now, api.EventConsentReminder, "reminded", c.State, "")
	})
}

// endConsent ends a consent that was in force; on is its end, from which the ledger's time counts.
func (p *Platform) endConsent(ctx context.Context, c consent, event, state string, on jitsuin.Date, now time.Time) error {
	keep, err := keepLedger(on)
	if err != nil {
		return err
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(`UPDATE consents SET state = $1, keep_until = $2, remind_on = '' WHERE tenant = $3 AND id = $4 AND state = 'in-force'`, state, keep.String(), c.tenant, c.ID)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		tx.AfterCommit(p.PokeJobs)
		return p.consentTold(ctx, tx, c, now, event, state, state, "")
	})
}

// endConsentsOf ends the consents of a user whom their tenant has forgotten. At J-LIS they stand until they are withdrawn or expire; nobody here
// asks under them any more, and the person can still withdraw them.
func (p *Platform) endConsentsOf(tx *store.Tx, tenant, user string, now time.Time) error {
	keep, err := keepLedger(jitsuin.DateOf(now))
	if err != nil {
		return err
	}
	all, err := store.Collect(scanConsent)(tx.Query(`SELECT `+consentColumns+` FROM consents WHERE tenant = $1 AND user_id = $2 AND state IN ('drawn', 'in-force')`, tenant, user))
	if err != nil {
		return err
	}
	for _, c := range all {
		if _, err := tx.Exec(`UPDATE consents SET state = 'forgotten', keep_until = $1, remind_on = '' WHERE tenant = $2 AND id = $3`, keep.String(), tenant, c.ID); err != nil {
			return err
		}
		if err := note(tx, c, now, api.ConsentForgotten, ""); err != nil {
			return err
		}
	}
	tx.AfterCommit(p.PokeJobs)
	return nil
}

// dropConsents deletes what no longer has to be kept.
func (p *Platform) dropConsents(ctx context.Context, today jitsuin.Date) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		for _, text := range []string{`/* every tenant: the end of retention */ DELETE FROM latest_items WHERE consent IN (SELECT id FROM consents WHERE keep_until <> '' AND keep_until < $1)`,
			`/* every tenant: the end of retention */ DELETE FROM consent_entries WHERE consent IN (SELECT id FROM consents WHERE keep_until <> '' AND keep_until < $1)`,
			`/* every tenant: the end of retention */ DELETE FROM consents WHERE keep_until <> '' AND keep_until < $1`} {
			if _, err := tx.Exec(text, today.String()); err != nil {
				return err
			}
		}
		return nil
	})
}

const errandWithdrawal = "withdrawal"

// withdrawalForm gives the text by which a consent is withdrawn.
func withdrawalForm(c consent) ([]byte, error) {
	var given form.Form
	if err := json.Unmarshal(c.form, &given); err != nil {
		return nil, err
	}
	f := jlis.WithdrawalForm(string(c.ID), c.agency, given.Issuer, form.Text(c.Service))
	if err := f.Check(); err != nil {
		return nil, err
	}
	return json.Marshal(f)
}

func (p *Platform) serveWithdrawalForm(w http.ResponseWriter, r *http.Request) {
	var encoded []byte
	c, err := p.consentForm(r.Context(), r.PathValue("id"))
	if err == nil && c.agency == "" {
		err = jitsuin.Errorf(jitsuin.NotFound, "consent-unknown", "there is no consent with this number")
	}
	if err == nil {
		encoded, err = withdrawalForm(c)
	}
	p.serveForm(w, r, encoded, err)
}

// decideWithdrawal takes a signed withdrawal to J-LIS, which judges it by its own record, and ends the consent here at once.
func (p *Platform) decideWithdrawal(ctx context.Context, v errand.Visit, a api.HolderAnswer) (outcome, result string, err error) {
	tenant, id := consentAbout(v.About)
	var c consent
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) { c, err = consentOf(tx, tenant, id); return err })
	if err != nil {
		return "", "", err
	}
	if c.State == api.ConsentWithdrawn {
		return consentWithdrawn, string(id), nil
	}
	_, err = p.jlis.Withdraw(ctx, string(v.Txn), c.agency, a.Documents[0].Content)
	switch k := jitsuin.KindOf(err); {
	case err == nil:
	case jitsuin.CodeOf(err) == "withdrawal-person":
		return anotherPerson, string(id), nil
	case k == jitsuin.Invalid || k == jitsuin.Denied:
		return ownNotAccepted, string(id), nil
	default:
		return "", "", err
	}
	now := p.Clock.Now()
	return consentWithdrawn, string(id), p.endConsent(ctx, c, api.EventConsentWithdrawn, api.ConsentWithdrawn, jitsuin.DateOf(now), now)
}
