package minister

import (
	"context"

	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/minister/api"
)

var accreditations = metrics.NewGauge("minister_accreditations", "Accreditations by their present state.", "state")

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
