package platform

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

const accreditedSignal = "platform.accredited"

// applyAccreditation keeps what the minister says of this very instance; the rest of the feed is
// about others.
func (p *Platform) applyAccreditation(ctx context.Context, tx *store.Tx, e feed.Event) error {
	if e.Subject != p.Self.ID || e.IsErased() {
		return nil
	}
	var a minister.Accreditation
	if err := e.Decode(&a); err != nil {
		return err
	}
	tx.Notify(accreditedSignal)
	line := audit.Line{Who: p.cfg.Minister, Act: "accreditation-" + a.State, Subject: string(a.ID), Reason: a.Reason,
		Detail: map[string]string{"from": a.GrantedOn.String(), "until": a.Until.String(), "ground": a.Ground}}
	if err := audit.Record(ctx, tx, e.RecordedAt, line); err != nil {
		return err
	}
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
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		a, notified, err = ownAccreditation(tx)
		return err
	})
	return a, notified, err
}

func ownAccreditation(tx *store.Tx) (a minister.Accreditation, notified string, err error) {
	var body string
	err = tx.QueryRow(`SELECT body, notified FROM own_accreditation WHERE one = 1`).Scan(&body, &notified)
	if errors.Is(err, sql.ErrNoRows) {
		return a, "", jitsuin.Errorf(jitsuin.Unavailable, "accreditation-unknown", "this verifier has not heard from the minister that it is accredited").
			WithHint("the minister's office accredits verifiers; without that nothing is verified (art. 17)")
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &a)
	}
	return a, notified, err
}

// mayVerify refuses everything while our accreditation is not in force on the civil day. It reads the table each time, so a
// suspension works from the moment in which it is heard of, in every process of this platform.
func (p *Platform) mayVerify(ctx context.Context) error {
	today := jitsuin.DateOf(p.Clock.Now())
	return p.DB.View(ctx, func(tx *store.Tx) error { return mayVerifyOn(tx, today) })
}

// mayVerifyOn is mayVerify in the transaction that stores what was verified: what began before a suspension does not take
// effect after it.
//
// A suspension is Unavailable: it is lifted or not without anybody here doing something, nothing was decided about what was
// sent, and the same request works afterwards. An accreditation that is over or withdrawn is Denied: only a new
// one, or a renewal, changes that, which takes months.
func mayVerifyOn(tx *store.Tx, today jitsuin.Date) error {
	a, _, err := ownAccreditation(tx)
	switch {
	case err != nil:
		return err
	case a.InForceOn(today):
		return nil
	case a.State == minister.InForce && !a.Until.IsZero() && today.After(a.Until):
		return jitsuin.Errorf(jitsuin.Denied, "accreditation-over", "the accreditation of this verifier ended on %s", a.Until).
			WithHint("nothing is verified here before it is accredited again: do not wait for it")
	case a.State == minister.Suspended:
		return jitsuin.Errorf(jitsuin.Unavailable, "accreditation-suspended", "the minister has suspended the accreditation of this verifier").
			WithHint("nothing was decided and nothing is lost: keep the request, and send it again with the same Idempotency-Key once the suspension is lifted; the minister's public register says when")
	}
	return jitsuin.Errorf(jitsuin.Denied, "accreditation-"+a.State, "the accreditation of this verifier is %s", a.State).
		WithHint("nothing is verified here before it is accredited again: do not wait for it")
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
	v := jlis.Verifier{Name: a.Name, Office: p.cfg.Office, StartsOn: jitsuin.DateOf(p.Clock.Now()), Accreditation: a.ID}
	if err := p.jlis.NotifyVerifier(ctx, v); err != nil {
		return err
	}
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		err := audit.Record(ctx, tx, p.Clock.Now(), p.own("notification-filed", string(a.ID), map[string]string{"with": p.cfg.JLIS, "office": v.Office, "starts_on": v.StartsOn.String()}))
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE own_accreditation SET notified = $1 WHERE one = 1`, string(a.ID))
		return err
	})
}
