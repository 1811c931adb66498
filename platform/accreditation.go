package platform

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

const accreditedSignal = "platform.accredited"

// applyAccreditation keeps what the minister says of this very instance; the rest of the feed is
// about others.
func (p *Platform) applyAccreditation(_ context.Context, tx *store.Tx, e feed.Event) error {
	if e.Subject != p.Self.ID || e.IsErased() {
		return nil
	}
	var a minister.Accreditation
	if err := e.Decode(&a); err != nil {
		return err
	}
	tx.Notify(accreditedSignal)
	_, err := tx.Exec(`INSERT INTO own_accreditation (one, body, notified) VALUES (1, $1, '')
		ON CONFLICT (one) DO UPDATE SET body = excluded.body`, string(e.Body))
	return err
}

// forgetAccreditation is for a minister whose database was restored to a day before our accreditation.
func (p *Platform) forgetAccreditation(_ context.Context, tx *store.Tx, subject string) error {
	if subject != p.Self.ID {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM own_accreditation WHERE one = 1`)
	return err
}

// accreditation gives our own as last heard, and the id of the one that J-LIS was notified of.
func (p *Platform) accreditation(ctx context.Context) (a minister.Accreditation, notified string, err error) {
	var body string
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT body, notified FROM own_accreditation WHERE one = 1`).Scan(&body, &notified)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return a, "", jitsuin.Errorf(jitsuin.Unavailable, "accreditation-unknown", "this verifier has not heard from the minister that it is accredited").
			WithHint("the minister's office records accreditations; without one nothing is verified (art. 17)")
	}
	if err != nil {
		return a, "", err
	}
	err = json.Unmarshal([]byte(body), &a)
	return a, notified, err
}

// mayVerify refuses everything while our accreditation is not in force on the civil day.
func (p *Platform) mayVerify(ctx context.Context) error {
	a, _, err := p.accreditation(ctx)
	if err != nil {
		return err
	}
	today := jitsuin.DateOf(p.Clock.Now())
	switch {
	case a.InForceOn(today):
		return nil
	case a.State == minister.InForce && !a.Until.IsZero() && today.After(a.Until):
		return jitsuin.Errorf(jitsuin.Denied, "accreditation-over", "the accreditation of this verifier ended on %s", a.Until).
			WithHint("it must be renewed before anything is verified again")
	}
	return jitsuin.Errorf(jitsuin.Denied, "accreditation-"+a.State, "the accreditation of this verifier is %s", a.State).
		WithHint("nothing is verified until the minister's office has lifted this")
}

const notifyRetry = 2 * time.Second

// notifyJLIS files the notification (届出) once per accreditation, then waits for the next one.
func (p *Platform) notifyJLIS(ctx context.Context) error {
	accredited, stop := p.DB.Watch(accreditedSignal)
	defer stop()
	for {
		wait := time.Minute // another process may have applied the event
		if err := p.notifyOnce(ctx); err != nil {
			wait = notifyRetry
			if jitsuin.CodeOf(err) != "accreditation-unknown" && ctx.Err() == nil {
				p.Log.WarnContext(ctx, "the notification to J-LIS has not been taken yet", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-accredited:
		case <-time.After(wait):
		}
	}
}

func (p *Platform) notifyOnce(ctx context.Context) error {
	a, notified, err := p.accreditation(ctx)
	if err != nil {
		return err
	}
	if notified == string(a.ID) || a.State != minister.InForce {
		return nil
	}
	v := jlis.Verifier{Name: a.Name, Office: p.cfg.Office, StartsOn: jitsuin.DateOf(p.Clock.Now())}
	if err := p.jlis.NotifyVerifier(ctx, v); err != nil {
		return err
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE own_accreditation SET notified = $1 WHERE one = 1`, string(a.ID))
		return err
	})
}
