package jlis

import (
	"context"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/status"
)

// offerDue tells which days come here without a job: certificates that end, the next revocation list.
func (a *Agency) offerDue() {
	a.Upcoming("certificates-end", false, a.endingCertificates)
	a.Upcoming("list-is-renewed", true, a.nextList)
}

func scanDue(s store.Scanner) (d clock.Due, err error) {
	var at int64
	err = s.Scan(&at, &d.Count)
	d.At = store.Time(at)
	return d, err
}

// plannedRevocations lists the revocations that the law puts on a later day.
func (a *Agency) plannedRevocations(ctx context.Context) (all []clock.Due, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(scanDue)(tx.Query(`SELECT due_at, COUNT(*) FROM revocation_due GROUP BY due_at ORDER BY due_at LIMIT 200`))
		return err
	})
	return all, err
}

// endingCertificates lists when residents' certificates that are not revoked end; the moment after the
// last second of validity.
func (a *Agency) endingCertificates(ctx context.Context, now time.Time) (all []clock.Due, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(scanDue)(tx.Query(`SELECT not_after, COUNT(*) FROM certificate c
			WHERE state = 'issued' AND profile IN ('sign', 'auth', 'phone-sign', 'phone-auth') AND not_after >= $1
			AND NOT EXISTS (SELECT 1 FROM revocation r WHERE r.kind = c.kind AND r.serial = c.serial)
			GROUP BY not_after ORDER BY not_after LIMIT 200`, store.Micros(now)))
		return err
	})
	for i := range all {
		all[i].At = all[i].At.Truncate(time.Second).Add(time.Second)
	}
	return all, err
}

// nextList is the midnight at which the list of the day is made; with the cadence immediate lists have no day.
func (a *Agency) nextList(_ context.Context, now time.Time) ([]clock.Due, error) {
	if a.cfg.Status.Cadence != status.Official {
		return nil, nil
	}
	return []clock.Due{{At: jitsuin.DateOf(now).AddDays(1).Start(), Count: len(jitsuin.CertKinds)}}, nil
}

// respondersDue lists when the OCSP responders get their next certificates.
func (a *Agency) respondersDue(context.Context) ([]clock.Due, error) {
	count := map[time.Time]int{}
	for _, r := range *a.responders.Load() {
		if at, more := r.renewal(); more {
			count[at]++
		}
	}
	var all []clock.Due
	for at, n := range count {
		all = append(all, clock.Due{At: at, Count: n})
	}
	slices.SortFunc(all, func(x, y clock.Due) int { return x.At.Compare(y.At) })
	return all, nil
}
