package minister

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/metrics"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

func (m *Minister) witnessRoutes() {
	published := httpapi.Public("what the witness of the operation logs states is published")
	httpapi.Register(m.API, httpapi.Operation{ID: "witness", Method: http.MethodGet, Path: "/witness",
		Summary: "The verifiers' operation logs, as their outside witness sees them", Policy: published}, m.witnessedLogs)
	httpapi.Register(m.API, httpapi.Operation{ID: "witness-statements", Method: http.MethodGet, Path: "/witness/{verifier}/statements",
		Summary:     "What was stated on a verifier's operation log",
		Description: "Signed statements in the order of their numbers, at most 1000. Each says up to which line the log was read, and that all of it continues what was read before.",
		Policy:      published}, m.statements)
}

type witnessOut struct {
	Body struct {
		Logs []api.Witnessed `json:"logs"`
	}
}

func (m *Minister) witnessedLogs(context.Context, *struct{}) (*witnessOut, error) {
	out := &witnessOut{}
	out.Body.Logs = m.witness.all()
	return out, nil
}

// all gives how each log stands.
func (w *witness) all() []api.Witnessed {
	w.mu.Lock()
	defer w.mu.Unlock()
	logs := []api.Witnessed{}
	for _, l := range w.logs {
		logs = append(logs, l.standing())
	}
	slices.SortFunc(logs, func(a, b api.Witnessed) int { return strings.Compare(a.Verifier, b.Verifier) })
	return logs
}

func (l *witnessed) standing() api.Witnessed {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := api.Witnessed{Verifier: l.verifier, Number: l.number, Finding: l.finding, HeardAt: l.heardAt, Trouble: l.trouble}
	if l.stated != nil {
		out.Seen, out.StatedAt = l.stated.Position().String(), l.statedW
	}
	if l.read.N > 0 {
		out.Read = l.read.String()
	}
	return out
}

type statementsIn struct {
	Verifier string `path:"verifier" maxLength:"100"`
	After    uint64 `query:"after" maximum:"9007199254740991" doc:"number of the last statement that is known already"`
}

type statementsOut struct{ Body api.StatementList }

func (m *Minister) statements(ctx context.Context, in *statementsIn) (*statementsOut, error) {
	out := &statementsOut{api.StatementList{Statements: []string{}, Last: in.After}}
	err := m.DB.View(ctx, func(tx *store.Tx) (err error) {
		out.Body.Statements, err = store.Collect(func(s store.Scanner) (jws string, err error) { return jws, s.Scan(&out.Body.Last, &jws) })(
			tx.Query(`SELECT number, statement FROM witness_statement WHERE verifier = $1 AND number > $2 ORDER BY number LIMIT $3`,
				in.Verifier, in.After, api.MaxStatements))
		if out.Body.Statements == nil {
			out.Body.Statements = []string{}
		}
		return err
	})
	return out, err
}

// Statements gives what an office's database, which may be one that is only open for reading, has stated on a verifier's log.
func Statements(tx *store.Tx, verifier string) ([]string, error) {
	return store.Collect(func(s store.Scanner) (jws string, err error) { return jws, s.Scan(&jws) })(
		tx.Query(`SELECT statement FROM witness_statement WHERE verifier = $1 ORDER BY number`, verifier))
}

var witnessAlarm = metrics.NewGauge("minister_witness_alarm",
	"1 while a verifier's operation log does not continue what its outside witness had read: it was tampered with, or its database was rolled back.", "verifier")

func (m *Minister) readWitness(_ context.Context, w *metrics.Writer) error {
	for _, l := range m.witness.all() {
		w.Bool(witnessAlarm, isAlarm(l.Finding), l.Verifier)
	}
	return nil
}
