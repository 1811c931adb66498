package jlis

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
)

// A card is lost (一時停止). Whoever has lost it has nothing left to show, so the report is taken as the call centre takes it: by what
// is in the register, day and night. It takes effect at once and does nothing that a counter cannot undo; therefore it asks for so
// little, and therefore nothing but a counter undoes it. The answer is the same for everybody and tells nobody who is in the register.

// releasedByEnd stands in the place of who lifted a suspension where the certificate ended for good.
const releasedByEnd = "revoked"

// openSuspension gives since when a certificate is suspended; nil where it is not.
func openSuspension(tx *store.Tx, r record) (*time.Time, error) {
	var at int64
	err := tx.QueryRow(`SELECT held_at FROM suspension WHERE kind = $1 AND serial = $2 AND released_at = 0`, string(r.Kind), r.Serial.String()).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	held := store.Time(at)
	return &held, err
}

// closeSuspension ends the open suspension of a certificate and gives when it began; nil where there is none.
func closeSuspension(tx *store.Tx, r record, at time.Time, by string) (*time.Time, error) {
	held, err := openSuspension(tx, r)
	if err != nil || held == nil {
		return nil, err
	}
	_, err = tx.Exec(`UPDATE suspension SET released_at = $3, released_by = $4 WHERE kind = $1 AND serial = $2 AND released_at = 0`,
		string(r.Kind), r.Serial.String(), store.Micros(at), by)
	return held, err
}

// living gives all certificates of a person that are in force or suspended: those of the card, then those of the telephone.
func living(tx *store.Tx, subject jitsuin.ID, at time.Time) (all []record, err error) {
	for _, find := range []func(*store.Tx, jitsuin.ID, jitsuin.CertKind, time.Time) ([]record, error){inForce, onPhoneInForce} {
		for _, kind := range jitsuin.CertKinds {
			have, err := find(tx, subject, kind, at)
			if err != nil {
				return nil, err
			}
			all = append(all, have...)
		}
	}
	return all, nil
}

// suspend suspends all certificates of a person, on the card and on the telephone. What is suspended already stays so.
func (a *Agency) suspend(tx *store.Tx, subject jitsuin.ID, cause, report string, now time.Time) error {
	event, err := rules.EventOf(rules.EventCardLost)
	if err != nil {
		return err
	}
	keep, err := rules.KeepingOf(rules.RecordRevocation, jitsuin.DateOf(now))
	if err != nil {
		return err
	}
	all, err := living(tx, subject, now)
	if err != nil {
		return err
	}
	for _, r := range all {
		if held, err := openSuspension(tx, r); err != nil || held != nil {
			if err != nil {
				return err
			}
			continue
		}
		at := now
		if at.Before(r.NotBefore) {
			at = r.NotBefore
		}
		_, err := tx.Exec(`INSERT INTO suspension (kind, serial, held_at, cause, rule, report, released_at, released_by, keep_until) VALUES ($1, $2, $3, $4, $5, $6, 0, '', $7)`,
			string(r.Kind), r.Serial.String(), store.Micros(at), cause, event.ID, report, keep.Until(r.lastDay()).String())
		if err == nil {
			err = a.appendStatus(tx, r, standing{held: &at})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resume lifts the suspension of a person's certificates and tells how many are good again.
func (a *Agency) resume(tx *store.Tx, subject jitsuin.ID, by string, now time.Time) (n int, err error) {
	all, err := living(tx, subject, now)
	if err != nil {
		return 0, err
	}
	for _, r := range all {
		held, err := closeSuspension(tx, r, now, by)
		if err != nil {
			return 0, err
		}
		if held == nil {
			continue
		}
		if err := a.appendStatus(tx, r, standing{held: held, released: &now}); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

type (
	lostIn struct {
		Key  string `header:"Idempotency-Key" json:"-"`
		Body api.LostCard
	}
	lostOut struct{ Body api.LostReport }

	resumeIn struct {
		Key  string `header:"Idempotency-Key" json:"-"`
		Body api.Resumption
	}
	resumeOut struct{ Body api.Resumed }
)

func (a *Agency) lostRoutes() {
	httpapi.Register(a.API, httpapi.Operation{ID: "report-lost-card", Method: http.MethodPost, Path: "/lost-cards", Status: http.StatusCreated,
		Summary: "Report a card lost or stolen (紛失・盗難による一時停止)",
		Description: "At any hour, without a card. The certificates of who has these four items in the register, on the card and on a telephone, are suspended at once; the suspension is lifted only at a municipality's counter. " +
			"The answer is the same where nobody has them. Needs the header Idempotency-Key. Errors: lost-cause, reports-many (at most five an hour from one place).",
		Policy: httpapi.Public("who has lost the card has nothing to log in with; the act can be undone")}, a.reportLost)
	httpapi.Register(a.API, httpapi.Operation{ID: "resume-certificates", Method: http.MethodPost, Path: "/resumptions",
		Summary:     "Lift the suspension of a resident's certificates (一時停止の解除)",
		Description: "For the municipality on whose register the person stands, after a check at its counter. Nothing suspended is no error. Needs the header Idempotency-Key. Error: person-unknown.",
		Policy:      httpapi.Roles("municipality")}, a.resumeCertificates)
}

// reportLost takes a report in. It is counted by where it comes from, by wall time.
func (a *Agency) reportLost(ctx context.Context, in *lostIn) (*lostOut, error) {
	loss := in.Body.Normal()
	if loss.Cause != "lost" && loss.Cause != "stolen" {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "lost-cause", "a card is lost or stolen").At("cause")
	}
	if err := loss.Items.Check(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(httpapi.TerminalOf(ctx)))
	source := hex.EncodeToString(sum[:])
	reference, now, wall := string(jitsuin.NewID())[:12], a.Clock.Now(), time.Now()
	out, err := httpapi.Once(ctx, a.DB, "report-lost-card", in.Body, func(tx *store.Tx) (api.LostReport, error) {
		report := api.LostReport{Reference: reference, At: now.UTC()}
		var lately int
		err := tx.QueryRow(`SELECT COUNT(*) FROM lost_report WHERE source = $1 AND received_at > $2`, source, store.Micros(wall.Add(-time.Hour))).Scan(&lately)
		if err != nil {
			return report, err
		}
		if lately >= a.cfg.LostReports {
			return report, jitsuin.Errorf(jitsuin.Limited, "reports-many", "too many losses were reported from this place within an hour").WithHint("call the desk, day and night")
		}
		subject, err := whoHas(tx, loss.Items)
		if err == nil && subject != "" {
			err = a.suspend(tx, subject, loss.Cause, reference, now)
		}
		if err != nil {
			return report, err
		}
		_, err = tx.Exec(`INSERT INTO lost_report (reference, subject, source, cause, at, received_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			reference, string(subject), source, loss.Cause, store.Micros(now), store.Micros(wall))
		return report, err
	})
	if err != nil {
		return nil, err
	}
	return &lostOut{out}, nil
}

// reportsKept is how long it is kept from where a report came, which is counted for an hour, and that one suspended nothing.
const reportsKept = 24 * time.Hour

// forgetReports drops the reports of before a wall time that suspended nothing, and of the others from where they came.
func (a *Agency) forgetReports(ctx context.Context, before time.Time) error {
	return a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM lost_report WHERE source <> '' AND received_at < $1 AND reference NOT IN (SELECT report FROM suspension)`, store.Micros(before))
		if err == nil {
			_, err = tx.Exec(`UPDATE lost_report SET source = '' WHERE source <> '' AND received_at < $1`, store.Micros(before))
		}
		return err
	})
}

// whoHas gives the one person with these four items; "" where there is none, or more than one: then a person at the desk must look.
func whoHas(tx *store.Tx, items jitsuin.FourItems) (jitsuin.ID, error) {
	all, err := store.Collect(func(s store.Scanner) (id jitsuin.ID, err error) { return id, s.Scan(&id) })(
		tx.Query(`SELECT subject FROM person WHERE birth_date = $1 AND name = $2 AND address = $3 AND sex = $4 AND state IN ('present', 'moving', 'abroad')`,
			items.BirthDate.String(), items.Name, items.Address, string(items.Sex)))
	if err != nil || len(all) != 1 {
		return "", err
	}
	return all[0], nil
}

func (a *Agency) resumeCertificates(ctx context.Context, in *resumeIn) (*resumeOut, error) {
	caller, now := httpapi.CallerOf(ctx).ID, a.Clock.Now()
	out, err := httpapi.Once(ctx, a.DB, "resume-certificates", in.Body, func(tx *store.Tx) (out api.Resumed, err error) {
		p, known, err := findPerson(tx, in.Body.Subject)
		switch {
		case err != nil:
			return out, err
		case !known || caller != "municipality:"+string(p.Municipality):
			return out, jitsuin.Errorf(jitsuin.NotFound, "person-unknown", "nobody of that identity is on the register of %s", caller)
		}
		out.Certificates, err = a.resume(tx, p.Subject, caller, now)
		return out, err
	})
	if err != nil {
		return nil, err
	}
	return &resumeOut{out}, nil
}
