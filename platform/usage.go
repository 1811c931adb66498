package platform

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/platform/metering"
	"github.com/jitsuin/jitsuin/rules"
)

// used is what a check is metered as: itself, and each answer about a certificate that J-LIS gave for it. A
// question that was not answered is none: nobody is charged for it. An answer from a list that was fetched before
// is one all the same, for the fee is for the check and not for the transport.
func (w *witness) used(service string, kind jitsuin.CertKind) []metering.Use {
	return append([]metering.Use{metering.Of(service, kind, "")}, w.answers()...)
}

// answers are those about certificates, without the check.
func (w *witness) answers() (used []metering.Use) {
	for raw, h := range w.heard {
		if h.status.State == cert.Unknown && h.status.ThisUpdate.IsZero() {
			continue
		}
		leaf, err := cert.Parse([]byte(raw))
		if err != nil {
			continue // it was parsed before
		}
		if of, ours := cert.KindOf(leaf); ours {
			used = append(used, metering.Of(string(rules.UseStatus), of, w.sort()))
		}
	}
	return used
}

// maxUsageDays is the longest time that is added up at once.
const maxUsageDays = 800

// usage adds up what a tenant used. Without days it is the civil month so far.
func (p *Platform) usage(ctx context.Context, tenant string, from, to jitsuin.Date, byDay bool) (out api.Usage, err error) {
	today := jitsuin.DateOf(p.Clock.Now())
	if to.IsZero() {
		to = today
	}
	if from.IsZero() {
		from = jitsuin.Date{Year: to.Year, Month: to.Month, Day: 1}
	}
	if from.After(to) || from.AddDays(maxUsageDays).Before(to) {
		return out, jitsuin.Errorf(jitsuin.Invalid, "usage-days", "from is a day before to, %d days at most", maxUsageDays).At("from")
	}
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := getTenant(tx, tenant); err != nil {
			return err
		}
		out, err = usageIn(tx, tenant, from, to, byDay)
		return err
	})
	return out, err
}

func usageIn(tx *store.Tx, tenant string, from, to jitsuin.Date, byDay bool) (api.Usage, error) {
	lines, err := metering.Sum(tx, tenant, from, to, byDay)
	out := api.Usage{Tenant: tenant, From: from, To: to, Lines: []api.UsageLine{}, Yen: metering.Total(lines)}
	for _, l := range lines {
		out.Lines = append(out.Lines, api.UsageLine{Day: l.Day, Service: l.Service, Kind: string(l.Kind), Method: l.Method, Count: l.Count, Each: l.Each, Yen: l.Yen})
	}
	return out, err
}

// statements gives the office what every tenant used in a month, YYYY-MM.
func (p *Platform) statements(ctx context.Context, month string) (out api.Statements, err error) {
	first, err := time.Parse("2006-01", month)
	if err != nil {
		return out, jitsuin.Errorf(jitsuin.Invalid, "month-form", "a month is written YYYY-MM").At("month")
	}
	from := jitsuin.Date{Year: first.Year(), Month: first.Month(), Day: 1}
	next := first.AddDate(0, 1, 0)
	to := jitsuin.Date{Year: next.Year(), Month: next.Month(), Day: 1}.AddDays(-1)
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		out = api.Statements{Month: month, Statements: []api.Usage{}}
		ids, err := metering.Tenants(tx, from, to)
		if err != nil {
			return err
		}
		for _, id := range ids {
			one, err := usageIn(tx, id, from, to, false)
			if err != nil {
				return err
			}
			out.Statements, out.Yen = append(out.Statements, one), out.Yen+one.Yen
		}
		return nil
	})
	return out, err
}
