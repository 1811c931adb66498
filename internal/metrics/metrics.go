// Package metrics is what an actor tells its operator in figures, in the format of Prometheus.
//
// It owns the registry of one actor, the two ways into it, and the page that shows it:
//
//   - counters that are raised as things happen (requests, commits, signatures), for what cannot be
//     looked up afterwards;
//   - readers, which look figures up when somebody asks, and cost nothing otherwise.
//
// Labels are bounded: routes, states, names of tasks and of instances in the directory, codes of
// errors. It must never be given anything about a person: no identifier of a resident, a case, a
// card or a certificate, no serial number, no name, no My Number. The page is for the operator and
// has a listener of its own; it is never served at an origin that others reach.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Prefix begins the name of every figure of ours.
const Prefix = "jitsuin_"

// readTime is how long all readers together may look when somebody asks.
const readTime = 5 * time.Second

// Set is the figures of one actor. It is safe for concurrent use.
type Set struct {
	registry *prometheus.Registry
	log      *slog.Logger
	failed   *prometheus.CounterVec

	mu      sync.Mutex // owns readers
	readers []namedReader
}

// Reader looks figures up. An error is logged and counted; the figures that were given before it stay.
type Reader func(ctx context.Context, w *Writer) error

type namedReader struct {
	name string
	read Reader
}

// New makes the figures of an instance, with those of the Go runtime and the process.
func New(instance, role string, log *slog.Logger) *Set {
	s := &Set{registry: prometheus.NewRegistry(), log: log}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		lookup{s}, buildInfo(instance, role))
	s.failed = s.Counter("metrics_reader_failures_total", "How often figures could not be looked up.", "reader")
	return s
}

// Counter makes a counter that belongs to the set. name is given without Prefix.
func (s *Set) Counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: Prefix + name, Help: help}, labels)
	s.registry.MustRegister(c)
	return c
}

// Gauge makes a gauge that belongs to the set, for what is counted up and down.
func (s *Set) Gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: Prefix + name, Help: help}, labels)
	s.registry.MustRegister(g)
	return g
}

// Histogram makes a histogram of seconds that belongs to the set.
func (s *Set) Histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: Prefix + name, Help: help, Buckets: buckets}, labels)
	s.registry.MustRegister(h)
	return h
}

// Read adds a reader. name is the label under which its failures are counted.
func (s *Set) Read(name string, r Reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed.WithLabelValues(name)
	s.readers = append(s.readers, namedReader{name, r})
}

// Handler shows the figures at /metrics and nothing else. Two may look at a time.
func (s *Set) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, Timeout: 2 * readTime,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}))
	return mux
}

// Figure is a kind of figure that a reader gives.
type Figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// NewGauge describes a figure that readers give; name is given without Prefix.
func NewGauge(name, help string, labels ...string) Figure {
	return Figure{prometheus.NewDesc(Prefix+name, help, labels, nil), prometheus.GaugeValue}
}

// NewCounter describes a figure that readers give and that only rises while the process lives.
func NewCounter(name, help string, labels ...string) Figure {
	return Figure{prometheus.NewDesc(Prefix+name, help, labels, nil), prometheus.CounterValue}
}

// Writer takes what a reader has found.
type Writer struct{ out chan<- prometheus.Metric }

// Set gives one value of f; labels are in the order of the description.
func (w *Writer) Set(f Figure, value float64, labels ...string) {
	w.out <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
}

// Time gives an instant in Unix seconds; the zero time is 0.
func (w *Writer) Time(f Figure, t time.Time, labels ...string) {
	if t.IsZero() {
		w.Set(f, 0, labels...)
		return
	}
	w.Set(f, float64(t.UnixMicro())/1e6, labels...)
}

// Bool gives 1 for true.
func (w *Writer) Bool(f Figure, is bool, labels ...string) {
	value := 0.0
	if is {
		value = 1
	}
	w.Set(f, value, labels...)
}

// lookup asks all readers, one after the other.
type lookup struct{ set *Set }

// Describe says nothing: which figures there are, the readers know.
func (lookup) Describe(chan<- *prometheus.Desc) {}

// Collect asks the readers.
func (l lookup) Collect(out chan<- prometheus.Metric) {
	l.set.mu.Lock()
	readers := l.set.readers
	l.set.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	for _, r := range readers {
		if err := r.read(ctx, &Writer{out}); err != nil {
			l.set.failed.WithLabelValues(r.name).Inc()
			l.set.log.WarnContext(ctx, "figures could not be looked up", "reader", r.name, "err", err)
		}
	}
}

var version = "dev"

// SetVersion says what this program calls itself. The program does so before it makes an actor.
func SetVersion(v string) { version = v }

func buildInfo(instance, role string) prometheus.Collector {
	labels := prometheus.Labels{"instance_id": instance, "role": role, "version": version, "revision": "", "goversion": ""}
	if b, ok := debug.ReadBuildInfo(); ok {
		labels["goversion"] = b.GoVersion
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				labels["revision"] = s.Value
			}
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: Prefix + "build_info", ConstLabels: labels,
		Help: "Always 1; the labels say which instance this is and what it was built from."})
	g.Set(1)
	return g
}
