package records

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
)

// maxPage and usualPage are how many lines a page has.
const (
	maxPage   = 200
	usualPage = 50
)

func pageOf(limit int) int {
	if limit <= 0 {
		return usualPage
	}
	return min(limit, maxPage)
}

// mark is where a page ends: an instant and an id, for a list that runs by both.
type mark struct {
	at int64
	id string
}

func (m mark) String() string { return fmt.Sprintf("%d.%s", m.at, m.id) }

func readMark(text string) (m mark, err error) {
	if text == "" {
		return mark{at: math.MinInt64}, nil
	}
	at, id, ok := strings.Cut(text, ".")
	if m.at, err = strconv.ParseInt(at, 10, 64); err != nil || !ok {
		return m, jitsuin.Errorf(jitsuin.Invalid, "after", "the page does not go on from here").At("after").WithHint("take next of the page before")
	}
	m.id = id
	return m, nil
}

// After is where a list goes on after a record.
func After(r api.RecordHead) string { return mark{store.Micros(r.MadeAt), string(r.ID)}.String() }

// between gives the instants of whole days; a zero day is open.
func between(from, to jitsuin.Date) (first, last int64) {
	first, last = math.MinInt64, math.MaxInt64
	if !from.IsZero() {
		first = store.Micros(from.Start())
	}
	if !to.IsZero() {
		last = store.Micros(to.AddDays(1).Start()) - 1
	}
	return first, last
}

// states are the conditions of RecordQuery.State.
var states = map[string]string{
	"": "1 = 1", "complete": "complete = 1", "incomplete": "complete = 0", "held": "held > 0",
	"running": "keep_until = ''", "ending": "keep_until <> ''",
}

// List gives a page of a tenant's records, the oldest first.
func List(tx *store.Tx, tenant string, q api.RecordQuery) (page api.RecordPage, err error) {
	state, ok := states[q.State]
	if !ok {
		return page, jitsuin.Errorf(jitsuin.Invalid, "record-state", "there is no state %q of a record", q.State).At("state")
	}
	after, err := readMark(q.After)
	if err != nil {
		return page, err
	}
	first, last := between(q.From, q.To)
	limit := pageOf(q.Limit)
	all, err := store.Collect(scanHead)(tx.Query(`SELECT `+headColumns+` FROM vault_records WHERE tenant = $1 AND entries > 0 AND `+state+`
		AND ($2 = '' OR user_id = $2) AND ($3 = '' OR account = $3) AND ($4 = '' OR kind = $4) AND made_at >= $5 AND made_at <= $6
		AND (made_at > $7 OR made_at = $7 AND id > $8) ORDER BY made_at, id LIMIT $9`,
		tenant, q.User, q.Account, string(q.Kind), first, last, after.at, after.id, limit+1))
	if err != nil {
		return page, err
	}
	if len(all) > limit {
		all = all[:limit]
		page.Next = After(all[limit-1].RecordHead)
	}
	page.Records = []api.RecordHead{}
	for _, h := range all {
		page.Records = append(page.Records, h.RecordHead)
	}
	return page, nil
}

// Destructions gives a page of a tenant's certificates of destruction, the oldest first.
func Destructions(tx *store.Tx, tenant string, from, to jitsuin.Date, next string, limit int) (page api.DestructionPage, err error) {
	after, err := readMark(next)
	if err != nil {
		return page, err
	}
	first, last := between(from, to)
	limit = pageOf(limit)
	all, err := store.Collect(scanDestruction)(tx.Query(`SELECT `+destructionColumns+` FROM record_destructions WHERE tenant = $1 AND destroyed_at >= $2 AND destroyed_at <= $3
		AND (destroyed_at > $4 OR destroyed_at = $4 AND id > $5) ORDER BY destroyed_at, id LIMIT $6`, tenant, first, last, after.at, after.id, limit+1))
	if err != nil {
		return page, err
	}
	if len(all) > limit {
		all = all[:limit]
		page.Next = mark{store.Micros(all[limit-1].DestroyedAt), string(all[limit-1].ID)}.String()
	}
	page.Destructions = append([]api.Destruction{}, all...)
	return page, nil
}

// Search is the search of an auditor over the log of checks of all tenants (証跡照会), the oldest first. No line says
// who a person is.
func Search(tx *store.Tx, q api.EvidenceQuery) (lines []api.EvidenceLine, next string, err error) {
	after, err := readMark(q.After)
	if err != nil {
		return nil, "", err
	}
	first, last := between(q.From, q.To)
	limit := pageOf(q.Limit)
	verification := q.Verification
	if q.Record != "" {
		of, err := checkOf(tx, q.Tenant, q.Record)
		if err != nil {
			return nil, "", err
		}
		if of == "" || verification != "" && verification != of {
			return []api.EvidenceLine{}, "", nil
		}
		verification = of
	}
	lines, err = store.Collect(scanLine)(tx.Query(`SELECT id, tenant, sort, checked_at, purpose, digest, verdict, user_id FROM checks
		WHERE ($1 = '' OR tenant = $1) AND ($2 = '' OR id = $2) AND ($3 = '' OR digest = $3) AND ($4 = '' OR user_id = $4)
		AND ($5 = '' OR purpose = $5) AND ($6 = '' OR verdict = $6) AND checked_at >= $7 AND checked_at <= $8
		AND (checked_at > $9 OR checked_at = $9 AND id > $10) ORDER BY checked_at, id LIMIT $11`,
		q.Tenant, string(verification), strings.ToLower(q.Digest), q.User, string(q.Use), q.Verdict, first, last, after.at, after.id, limit+1))
	if err != nil {
		return nil, "", err
	}
	if len(lines) > limit {
		lines = lines[:limit]
		next = mark{store.Micros(lines[limit-1].CheckedAt), string(lines[limit-1].Verification)}.String()
	}
	for i := range lines {
		if err := fillLine(tx, &lines[i]); err != nil {
			return nil, "", err
		}
	}
	return append([]api.EvidenceLine{}, lines...), next, nil
}

func scanLine(s store.Scanner) (l api.EvidenceLine, err error) {
	var at int64
	err = s.Scan(&l.Verification, &l.Tenant, &l.Sort, &at, &l.Purpose, &l.Digest, &l.Verdict, &l.User)
	l.CheckedAt = store.Time(at)
	return l, err
}

// checkOf gives the check that a record comes from, whether the record is there or destroyed.
func checkOf(tx *store.Tx, tenant string, record jitsuin.ID) (of jitsuin.ID, err error) {
	err = tx.QueryRow(`SELECT COALESCE(verification, '') FROM vault_records WHERE ($1 = '' OR tenant = $1) AND id = $2`, tenant, record).Scan(&of)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRow(`SELECT verification FROM record_destructions WHERE ($1 = '' OR tenant = $1) AND record = $2`, tenant, record).Scan(&of)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return of, err
}

// fillLine adds the legal reading of the day, and what became of the record.
func fillLine(tx *store.Tx, l *api.EvidenceLine) error {
	if l.User != "" && l.Sort == "document" {
		if r, err := rules.LegalReading(jitsuin.SignCert, rules.Purpose(l.Purpose), jitsuin.DateOf(l.CheckedAt)); err == nil && len(r.Basis) > 0 {
			method := r.Basis[len(r.Basis)-1].Cited()
			l.Method = &method
		}
	}
	r, ok, err := OfCheck(tx, l.Tenant, l.Verification)
	if err != nil {
		return err
	}
	if ok && r.Entries > 0 {
		r.Account = ""
		l.Record = &r
		return nil
	}
	d, err := scanDestruction(tx.QueryRow(`SELECT `+destructionColumns+` FROM record_destructions WHERE tenant = $1 AND verification = $2`, l.Tenant, l.Verification))
	switch {
	case err == nil:
		l.Destroyed = &d
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	return nil
}

// IsRecord tells whether an id is that of a record, whoever's, that is there or was destroyed.
func IsRecord(tx *store.Tx, id jitsuin.ID) (bool, error) {
	var n int
	err := tx.QueryRow(`/* every tenant: an auditor's search */ SELECT (SELECT COUNT(*) FROM vault_records WHERE id = $1) + (SELECT COUNT(*) FROM record_destructions WHERE record = $1)`, id).Scan(&n)
	return n > 0, err
}
