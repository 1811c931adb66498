package minister

import (
	"context"

	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/minister/api"
)

var (
	accreditations = metrics.NewGauge("minister_accreditations", "Accreditations by their present state.", "state")
	applications   = metrics.NewGauge("minister_applications_open", "Applications for accreditation that are not decided, by state.", "state")
	auditsOpen     = metrics.NewGauge("minister_audits_open", "Yearly audits that are not closed, by state.", "state")
	auditsLate     = metrics.NewGauge("minister_audits_late", "Yearly audits whose report, or whose report on what was to be remedied, has not come by its last day.")
)

// readAudits gives what waits at the desk.
func (m *Minister) readAudits(ctx context.Context, w *metrics.Writer) error {
	open, err := m.OpenAudits(ctx)
	if err != nil {
		return err
	}
	all, err := m.Applications(ctx, "")
	if err != nil {
		return err
	}
	audits, late := map[string]float64{api.AuditDue: 0, api.AuditSubmitted: 0, api.AuditReturned: 0}, 0.0
	for _, a := range open {
		audits[a.State]++
		if a.Late {
			late++
		}
	}
	waiting := map[string]float64{api.Received: 0, api.Returned: 0}
	for _, a := range all {
		if a.Open() {
			waiting[a.State]++
		}
	}
	for state, n := range audits {
		w.Set(auditsOpen, n, state)
	}
	for state, n := range waiting {
		w.Set(applications, n, state)
	}
	w.Set(auditsLate, late)
	return nil
}

// readFigures gives what is the minister's own.
func (m *Minister) readFigures(ctx context.Context, w *metrics.Writer) error {
	all, err := list(ctx, m.DB)
	if err != nil {
		return err
	}
	states := map[string]float64{api.InForce: 0, api.Suspended: 0, api.Withdrawn: 0}
	for _, a := range all {
		states[a.State]++
	}
	for state, n := range states {
		w.Set(accreditations, n, state)
	}
	return nil
}
