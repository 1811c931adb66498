package tsa

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// counters are raised as things happen.
type counters struct{ answers *prometheus.CounterVec }

const granted = "granted"

func newCounters(s *metrics.Set) counters {
	c := counters{s.Counter("tsa_answers_total", "Requests for time-stamps by what was answered: granted, or the failure of RFC 3161.", "result")}
	for _, f := range []tsp.Failure{tsp.BadAlg, tsp.BadDataFormat, tsp.TimeNotAvailable, tsp.UnacceptedPolicy, tsp.UnacceptedExtension, tsp.SystemFailure} {
		c.answers.WithLabelValues(f.String()) // 0 from the beginning, so that the first is a rise
	}
	c.answers.WithLabelValues(granted)
	return c
}

func (c counters) answered(result string) { c.answers.WithLabelValues(result).Inc() }

var (
	clockAhead  = metrics.NewGauge("tsa_clock_ahead_seconds", "How far the wall clock is ahead of a second source of time; absent while the source does not tell.", "source")
	clockSure   = metrics.NewGauge("tsa_clock_sure", "1 while the clocks agree, 0 while nothing is stamped because they do not.")
	certificate = metrics.NewGauge("tsa_certificate_left_seconds", "For how long in civil time the certificate of the unit that stamps still holds.")
)

// figures adds what is the authority's own.
func (t *TSA) figures() {
	t.Metrics.Read("time-stamps", func(ctx context.Context, w *metrics.Writer) error {
		t.watch.each(func(name string, ahead float64, ok bool) {
			if ok {
				w.Set(clockAhead, ahead, name)
			}
		})
		now, err := t.now(ctx)
		if err == nil {
			err = t.notBefore(ctx, now)
		}
		w.Bool(clockSure, err == nil)
		w.Set(certificate, t.issuer.Load().Certificate.NotAfter.Sub(t.Clock.Now()).Seconds())
		return nil
	})
}
