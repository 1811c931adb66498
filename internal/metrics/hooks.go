package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// Buckets of requests reach from a look into memory to the end of a long poll, those of commits
// from a fast disk to one that is failing.
var (
	requestBuckets = []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30}
	commitBuckets  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}
)

// Requests counts what httpapi.Observe sees at the faces of an actor.
type Requests struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
	problems *prometheus.CounterVec

	mu    sync.Mutex // owns codes
	codes map[string]bool
}

// maxCodes is how many codes of problems are told apart. Codes are a few hundred words in the
// program; one that another actor sends is passed on only as far as this goes.
const maxCodes = 300

// NewRequests makes the figures of an actor's requests.
func (s *Set) NewRequests() *Requests {
	return &Requests{
		requests: s.Counter("http_requests_total", "Requests answered, by the route's pattern and the class of the status.", "face", "method", "route", "status"),
		seconds:  s.Histogram("http_request_seconds", "Time until a request was answered; feeds are long polls and wait on purpose.", requestBuckets, "face", "route"),
		inFlight: s.Gauge("http_requests_in_flight", "Requests that are being answered now, long polls included.", "face"),
		problems: s.Counter("http_problems_total", "Answers of 400 and more, by kind and code of the problem.", "face", "kind", "code"),
		codes:    map[string]bool{}}
}

// Face gives the observer of one face, which is an instance such as jlis:1.
func (q *Requests) Face(instance string) httpapi.Observer { return &face{q, instance} }

type face struct {
	*Requests
	name string
}

// Begun is called when a request has come in.
func (f *face) Begun() { f.inFlight.WithLabelValues(f.name).Inc() }

// Answered is called when it was answered.
func (f *face) Answered(a httpapi.Answered) {
	f.inFlight.WithLabelValues(f.name).Dec()
	route := a.Route
	if _, path, ok := strings.Cut(route, " "); ok {
		route = path
	}
	f.requests.WithLabelValues(f.name, method(a.Method), route, strconv.Itoa(a.Status/100)+"xx").Inc()
	f.seconds.WithLabelValues(f.name, route).Observe(a.Took.Seconds())
	if a.Status >= 400 {
		f.problems.WithLabelValues(f.name, a.Kind, f.code(a.Code)).Inc()
	}
}

func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// code keeps the label bounded, whatever another actor calls its problems.
func (q *Requests) code(code string) string {
	if len(code) > 48 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return "other"
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.codes[code] {
		if len(q.codes) >= maxCodes {
			return "other"
		}
		q.codes[code] = true
	}
	return code
}

// Transactions gives the observer of an actor's database.
func (s *Set) Transactions() store.Observer {
	commits := s.Histogram("db_commit_seconds", "Time that COMMIT took, the write to the disk included.", commitBuckets).WithLabelValues()
	reruns := s.Counter("db_reruns_total", "Transactions that were run again because another one was in their way.").WithLabelValues()
	unknown := s.Counter("db_commits_unknown_total", "Commits of which nobody learnt whether they took effect.").WithLabelValues()
	return store.Observer{
		Committed: func(took time.Duration) { commits.Observe(took.Seconds()) },
		Rerun:     func() { reruns.Inc() },
		Unknown:   func() { unknown.Inc() },
	}
}
