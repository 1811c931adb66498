package jlis

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

// applyAccreditation notes the minister's decision on a verifier.
func (a *Agency) applyAccreditation(_ context.Context, tx *store.Tx, e feed.Event) error {
	if e.Type != minister.TypeAccreditation {
		return jitsuin.Errorf(jitsuin.Invalid, "event-unknown", "the minister sent an event of the type %q", e.Type)
	}
	var acc minister.Accreditation
	if err := e.Decode(&acc); err != nil {
		return err
	}
	body, err := json.Marshal(acc)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO accreditation (verifier, body) VALUES ($1, $2) ON CONFLICT (verifier) DO UPDATE SET body = excluded.body`,
		acc.Verifier, string(body))
	return err
}

// forgetAccreditation is for a minister whose database was restored to a day before an accreditation: what the minister no
// longer knows lets nobody in.
func (a *Agency) forgetAccreditation(_ context.Context, tx *store.Tx, subject string) error {
	_, err := tx.Exec(`DELETE FROM accreditation WHERE verifier = $1`, subject)
	return err
}

// verifiers lets in whoever may have status today: accredited, or named by the law, on the civil
// day (JPKI Act arts. 17 and 36), and, for a platform, having notified us of the beginning.
func (a *Agency) verifiers() httpapi.Policy {
	return httpapi.Checked("Verifiers whose accreditation is in force today; a platform must also have notified J-LIS of it", a.mayVerify)
}

// mayVerify reads the tables each time: a suspension works at the next request.
func (a *Agency) mayVerify(ctx context.Context, c httpapi.Caller) error {
	today := jitsuin.DateOf(a.Clock.Now())
	var acc minister.Accreditation
	var starts jitsuin.Date
	var known, notified bool
	var about string // the accreditation that was notified of
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		var body, from string
		err := tx.QueryRow(`SELECT body FROM accreditation WHERE verifier = $1`, c.ID).Scan(&body)
		if known = err == nil; known {
			err = json.Unmarshal([]byte(body), &acc)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		err = tx.QueryRow(`SELECT starts_on, accreditation FROM verifier WHERE instance = $1`, c.ID).Scan(&from, &about)
		if notified = err == nil; notified {
			err = starts.UnmarshalText([]byte(from))
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case known && acc.State == minister.Suspended:
		return jitsuin.Errorf(jitsuin.Denied, "accreditation-suspended", "the accreditation of %s is suspended", c.ID).
			WithHint("status is given again as soon as the minister has lifted the suspension; nothing needs to be notified anew")
	case !known || !acc.InForceOn(today):
		return jitsuin.Errorf(jitsuin.Denied, "not-accredited", "%s has no accreditation in force on %v", c.ID, today).
			WithHint("status is for verifiers under articles 17 and 36 of the JPKI Act; the minister accredits them")
	case c.Role == "platform" && (!notified || today.Before(starts) || about != "" && about != string(acc.ID)):
		return jitsuin.Errorf(jitsuin.Denied, "not-notified", "%s has not notified J-LIS of its accreditation, or not for %v yet", c.ID, today).
			WithHint("file the notification (届出) with POST /verifiers")
	}
	return nil
}

// notify files a verifier's notification. It gives nothing by itself: the accreditation does. Each stays on file; the latest counts.
func (a *Agency) notify(ctx context.Context, in *notifyIn) (*struct{}, error) {
	caller := httpapi.CallerOf(ctx)
	now := a.Clock.Now()
	if in.Body.StartsOn.IsZero() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "date-missing", "a notification says on which day the use begins").At("starts_on")
	}
	_, err := httpapi.Once(ctx, a.DB, "notify-verifier", in.Body, func(tx *store.Tx) (struct{}, error) {
		v := in.Body
		_, err := tx.Exec(`INSERT INTO verifier (instance, name, office, starts_on, notified_at, accreditation) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (instance) DO UPDATE SET name = excluded.name, office = excluded.office, starts_on = excluded.starts_on,
			notified_at = excluded.notified_at, accreditation = excluded.accreditation`, caller.ID, v.Name, v.Office, v.StartsOn.String(), store.Micros(now), v.Accreditation)
		if err == nil {
			_, err = tx.Exec(`INSERT INTO verifier_notice (instance, number, notified_at, name, office, starts_on, accreditation)
				SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6 FROM verifier_notice WHERE instance = $1`, caller.ID, store.Micros(now), v.Name, v.Office, v.StartsOn.String(), v.Accreditation)
		}
		return struct{}{}, err
	})
	return nil, err
}

// links gives all certificates of the holder of one: the corresponding one of the other kind, the
// older and the newer ones (対応証明書の発行の番号, JPKI Act art. 18(4) and (5)).
func (a *Agency) links(ctx context.Context, in *linksIn) (*linksOut, error) {
	kind := in.Body.Kind
	serial, err := parseSerial(in.Body.Serial)
	if err != nil {
		return nil, err
	}
	unknown := jitsuin.Errorf(jitsuin.NotFound, "certificate-unknown", "no certificate with this serial number was issued")
	if _, _, ok := a.codecs[kind].Decode(serial); !ok {
		return nil, unknown
	}
	out := &linksOut{}
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		r, err := bySerial(tx, kind, serial)
		if err != nil {
			return err
		}
		if r.Subject == "" {
			return unknown
		}
		all, err := certificatesIn(tx, `WHERE subject = $1 AND state = 'issued' ORDER BY issued_at, kind DESC`, string(r.Subject))
		if err != nil {
			return err
		}
		out.Body.Links = nil
		for _, c := range all {
			out.Body.Links = append(out.Body.Links, api.Link{Kind: c.Kind, Serial: c.Serial.String()})
		}
		return nil
	})
	return out, err
}
