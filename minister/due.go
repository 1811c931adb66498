package minister

import (
	"context"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

// endingAccreditations lists when accreditations in force end, unless they are renewed before.
func (m *Minister) endingAccreditations(ctx context.Context, now time.Time) ([]clock.Due, error) {
	all, err := list(ctx, m.DB)
	if err != nil {
		return nil, err
	}
	var due []clock.Due
	for _, a := range all {
		if a.State == api.InForce && !a.Until.IsZero() && !jitsuin.DateOf(now).After(a.Until) {
			due = append(due, clock.Due{At: a.Until.AddDays(1).Start(), Count: 1})
		}
	}
	slices.SortFunc(due, func(x, y clock.Due) int { return x.At.Compare(y.At) })
	return due, nil
}

func sortAudits(all []api.AuditYear) {
	slices.SortStableFunc(all, func(x, y api.AuditYear) int { return x.Due.Compare(y.Due) })
}

// auditsAhead lists the last days for reports on audits that have not come: the moment from which each is late.
func (m *Minister) auditsAhead(ctx context.Context, now time.Time) (due []clock.Due, err error) {
	open, err := m.OpenAudits(ctx)
	for _, a := range open {
		if (a.State == api.AuditDue || a.State == api.AuditReturned) && !a.Late {
			due = append(due, clock.Due{At: a.Due.AddDays(1).Start(), Count: 1})
		}
	}
	return due, err
}

// endingDesignations lists when designations in force end.
func (m *Minister) endingDesignations(ctx context.Context, now time.Time) (due []clock.Due, err error) {
	err = m.DB.View(ctx, func(tx *store.Tx) error {
		all, err := designations(tx)
		due = nil
		for _, d := range all {
			if d.State == api.InForce && !d.Until.IsZero() && !jitsuin.DateOf(now).After(d.Until) {
				due = append(due, clock.Due{At: d.Until.AddDays(1).Start(), Count: 1})
			}
		}
		return err
	})
	slices.SortFunc(due, func(x, y clock.Due) int { return x.At.Compare(y.At) })
	return due, err
}
