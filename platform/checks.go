package platform

import (
	"database/sql"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/signature"
)

// Sorts of checks in the log.
const (
	sortDocument = "document"
	sortLogin    = "login"
)

// entry is one line of the platform's own log.
type entry struct {
	id        jitsuin.ID
	tenant    string
	sort      string
	purpose   string
	checkedAt time.Time // civil
	atInstant time.Time // zero: as it stood at checkedAt
	digest    string    // hex, of the document
	verdict   string
	why       string // code of the first reason why it did not pass, "" where it did; of the operation log alone
	report    string // JSON of the public report
	user      string // pairwise, "" where nobody was accepted
	userNew   bool
	requestID string
}

// whyNot gives entry.why of a report.
func whyNot(r *signature.Report) string {
	if r.Verdict == signature.Passed || len(r.Reasons) == 0 {
		return ""
	}
	return r.Reasons[0].Code
}

// line tells of the check in the operation log: who had something checked, for what, what came of it and why.
func (e entry) line() audit.Line {
	l := audit.Line{Who: e.tenant, Act: "login", Subject: string(e.id), Tenant: e.tenant, Detail: map[string]string{"verdict": e.verdict}}
	if e.why != "" {
		l.Detail["why"] = e.why
	}
	if e.sort == sortDocument { // the purpose of a login is the tenant's own words, that of a document one of the law's
		l.Act, l.Detail["purpose"] = "verify", e.purpose
	}
	return l
}

const entryColumns = `id, tenant, sort, purpose, checked_at, at_instant, digest, verdict, report, user_id, user_new, request_id`

func putEntry(tx *store.Tx, e entry) error {
	userNew := 0
	if e.userNew {
		userNew = 1
	}
	_, err := tx.Exec(`INSERT INTO checks (`+entryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		e.id, e.tenant, e.sort, e.purpose, store.Micros(e.checkedAt), store.Micros(e.atInstant), e.digest, e.verdict, e.report, e.user, userNew, e.requestID)
	return err
}

// getEntry gives a tenant's check of a sort, NotFound for anything else.
func getEntry(tx *store.Tx, tenant, sort string, id jitsuin.ID) (e entry, err error) {
	var checked, instant int64
	var userNew int
	err = tx.QueryRow(`SELECT `+entryColumns+` FROM checks WHERE id = $1 AND tenant = $2 AND sort = $3`, id, tenant, sort).
		Scan(&e.id, &e.tenant, &e.sort, &e.purpose, &checked, &instant, &e.digest, &e.verdict, &e.report, &e.user, &userNew, &e.requestID)
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "verification-unknown", "there is no such verification of yours")
	}
	e.checkedAt, e.atInstant, e.userNew = store.Time(checked), store.Time(instant), userNew == 1
	return e, err
}
