package platform

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature"
)

// counters are raised as things happen.
type counters struct {
	verdicts *prometheus.CounterVec
	status   *prometheus.CounterVec
	pushes   *prometheus.CounterVec
	refused  *prometheus.CounterVec
	waited   *prometheus.HistogramVec
}

func newCounters(s *metrics.Set) counters {
	c := counters{
		verdicts: s.Counter("platform_verdicts_total", "Documents and logins judged, by verdict and sub-indication (ETSI EN 319 102-1).", "sort", "verdict", "sub_indication"),
		status:   s.Counter("platform_status_answers_total", "What the status origin was asked for a check, and said: good, revoked, unknown (it did not answer, or did not know), error.", "source", "outcome"),
		pushes:   s.Counter("platform_pushes_total", "Events sent to the addresses of tenants, by what came of it: taken, answered (with a refusal), unreachable, refused (the address must not be dialled).", "outcome"),
		refused:  s.Counter("platform_quota_refusals_total", "Requests that tenants sent beyond what is theirs, by why: rate (the quota), waiting (too many checks of one tenant wait).", "why"),
		waited:   s.Histogram("platform_turn_wait_seconds", "How long checks waited for their tenant's turn.", []float64{.001, .005, .02, .1, .5, 2, 10}),
	}
	for _, why := range []string{"rate", "waiting"} {
		c.refused.WithLabelValues(why)
	}
	for _, source := range []string{cert.SourceOCSP, cert.SourceCRL} {
		for _, outcome := range []string{string(cert.Good), string(cert.Revoked), string(cert.Unknown), "error"} {
			c.status.WithLabelValues(source, outcome)
		}
	}
	return c
}

// judged counts a report.
func (c counters) judged(sort string, r *signature.Report) {
	c.verdicts.WithLabelValues(sort, string(r.Verdict), string(r.SubIndication)).Inc()
}

// asked counts an answer about a certificate's status.
func (c counters) asked(source string, st cert.Status, err error) {
	outcome := string(st.State)
	if err != nil {
		outcome = "error"
	}
	c.status.WithLabelValues(source, outcome).Inc()
}

var (
	inForce = metrics.NewGauge("platform_accreditation_in_force", "1 while the minister's accreditation of this verifier is in force on the civil day.")
	left    = metrics.NewGauge("platform_accreditation_left_seconds", "For how long in civil time the accreditation still lasts; absent where it has no end or is not known.")
	due     = metrics.NewGauge("platform_vault_records_due", "Records of the vaults whose last day is over and that are still there.")
	tenants = metrics.NewGauge("platform_tenants", "Tenants (みなし署名検証者) that are registered.")
	inState = metrics.NewGauge("platform_tenants_by_state", "Tenants by state: active, suspended, ended, and sandbox for active ones that were made by self-service.", "state")
	turns   = metrics.NewGauge("platform_checks", "Checks that run, and that wait for their tenant's turn.", "state")
)

// figures adds what is the platform's own.
func (p *Platform) figures() {
	p.Metrics.Read("accreditation", p.readAccreditation)
	p.Metrics.Read("vault", p.readVault)
	p.Metrics.Read("tenants", p.readTenants)
}

func (p *Platform) readAccreditation(ctx context.Context, w *metrics.Writer) error {
	a, _, err := p.accreditation(ctx)
	if err != nil && jitsuin.CodeOf(err) != "accreditation-unknown" {
		return err
	}
	now := p.Clock.Now()
	w.Bool(inForce, err == nil && a.InForceOn(jitsuin.DateOf(now)))
	if err == nil && !a.Until.IsZero() {
		w.Set(left, a.Until.LastSecond().Add(time.Second).Sub(now).Seconds())
	}
	return nil
}

func (p *Platform) readVault(ctx context.Context, w *metrics.Writer) error {
	var over float64
	err := p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`/* every tenant: a figure for the operator */ SELECT COUNT(*) FROM vault_records WHERE keep_until <> '' AND keep_until < $1 AND held = 0`,
			jitsuin.DateOf(p.Clock.Now()).String()).Scan(&over)
	})
	if err != nil {
		return err
	}
	w.Set(due, over)
	return nil
}

func (p *Platform) readTenants(_ context.Context, w *metrics.Writer) error {
	n, by := 0.0, map[string]float64{api.TenantActive: 0, api.TenantSuspended: 0, api.TenantEnded: 0, "sandbox": 0}
	p.members.each(func(m *member) {
		n++
		state := m.tenant.state
		if m.tenant.sandbox && state == api.TenantActive {
			state = "sandbox"
		}
		by[state]++
	})
	w.Set(tenants, n)
	for state, of := range by {
		w.Set(inState, of, state)
	}
	running, waiting := p.checks.Load()
	w.Set(turns, float64(running), "running")
	w.Set(turns, float64(waiting), "waiting")
	return nil
}
