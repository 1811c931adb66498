package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Topic and event type of what the office states as the outside witness of the verifiers' operation logs. The feed
// subject is the verifier; the event carries the latest statement.
const (
	TopicWitness  = "witness" // read by the verifiers
	TypeStatement = "minister.statement"
)

// StatementEvent is the body of such an event: a statement of package audit, a compact JWS signed with the office's key.
type StatementEvent struct {
	Statement string `json:"statement"`
	Number    uint64 `json:"number"`
	Epoch     uint32 `json:"epoch"`
	N         uint64 `json:"n"`
}

// Witnessed is how the office stands with one verifier's operation log.
type Witnessed struct {
	Verifier string    `json:"verifier"`
	Number   uint64    `json:"number" doc:"of the last statement; 0 where there is none"`
	Seen     string    `json:"seen,omitempty" doc:"EPOCH.N, up to where the last statement goes"`
	StatedAt time.Time `json:"stated_at,omitzero" doc:"wall time"`
	Read     string    `json:"read,omitempty" doc:"EPOCH.N, up to where the log was read since the office was started; what lies behind seen is stated within a minute"`
	Finding  string    `json:"finding,omitempty" enum:",new-epoch,lines-lost,rewritten,rolled-back" doc:"of the last statement, besides a log that grows"`
	HeardAt  time.Time `json:"heard_at,omitzero" doc:"wall time at which the log last answered since the office was started"`
	Trouble  string    `json:"trouble,omitempty" doc:"code of the present failure to read the log"`
}

// MaxStatements is how many statements one answer has at most.
const MaxStatements = 1000

// StatementList is what the office has stated on one log, in the order of numbers.
type StatementList struct {
	Statements []string `json:"statements" doc:"compact JWS (ES256, typ jitsuin-witness+jws)"`
	Last       uint64   `json:"last" doc:"number of the last one here; ask for what comes after it until nothing comes"`
}

// Witnessed gives how the office stands with each log.
func (c Client) Witnessed(ctx context.Context) ([]Witnessed, error) {
	out, err := httpapi.Do[struct {
		Logs []Witnessed `json:"logs"`
	}](ctx, c.Remote, http.MethodGet, "/witness", "", nil)
	return out.Logs, err
}

// StatementsPath is where the statements on a verifier's log with numbers beyond after are published.
func StatementsPath(verifier string, after uint64) string {
	return "/witness/" + url.PathEscape(verifier) + "/statements?after=" + strconv.FormatUint(after, 10)
}
