// Package metering counts what each tenant used and what the state's fee for it was on the day. A line is
// written in the transaction of what it counts, so nothing is counted twice or forgotten.
//
// It owns the table metered. A line says what, of which kind, how, on which civil day (JST) and for how many
// yen. It must never say who was checked: it has neither user nor certificate nor the check's id, only a
// random id of its own. The fees are J-LIS's, from package rules; what the operator charges its tenants is a
// matter of their contracts and is not here.
package metering

import (
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/scope"
	"github.com/jitsuin/jitsuin/rules"
)

// Services that are counted beside what J-LIS does (rules.Use); they carry no fee of their own.
const (
	Document = "document" // a signed document was judged
	Login    = "login"    // an answer to a challenge was judged
)

// Use is one thing used. Make it with Of, outside the transaction.
type Use struct {
	id      jitsuin.ID
	service string
	kind    jitsuin.CertKind
	method  string
}

// Of is one use of a service: Document, Login or a rules.Use. kind and method (rules.ByOCSP, rules.ByCRL) are
// "" where the service has none.
func Of(service string, kind jitsuin.CertKind, method string) Use {
	return Use{jitsuin.NewID(), service, kind, method}
}

// fee gives the fee on a day.
func (u Use) fee(on jitsuin.Date) (yen int, err error) {
	if u.service == Document || u.service == Login {
		return 0, nil
	}
	r, err := rules.UseFee(rules.Use(u.service), u.kind, u.method, on)
	return r.N, err
}

// Record counts what a tenant used at a civil time.
func Record(tx *store.Tx, tenant string, at time.Time, uses ...Use) error {
	day := jitsuin.DateOf(at)
	for _, u := range uses {
		yen, err := u.fee(day)
		if err != nil {
			return err
		}
		_, err = scope.Of(tx, tenant).Exec(`INSERT INTO metered (tenant, id, day, service, kind, method, fee) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			u.id, day.String(), u.service, u.kind, u.method, yen)
		if err != nil {
			return err
		}
	}
	return nil
}

// Line is a number of uses that are alike, with their fees.
type Line struct {
	Day     string // YYYY-MM-DD where days are told apart, else ""
	Service string
	Kind    jitsuin.CertKind
	Method  string
	Each    int // yen
	Count   int64
	Yen     int64 // Each times Count
}

// Sum adds up what a tenant used from one civil day to another, both inclusive. Uses of different fees stay
// apart, so that every sum is a count times a fee.
func Sum(tx *store.Tx, tenant string, from, to jitsuin.Date, byDay bool) ([]Line, error) {
	query := `SELECT '', service, kind, method, fee, COUNT(*), SUM(fee) FROM metered WHERE tenant = $1 AND day >= $2 AND day <= $3
		GROUP BY service, kind, method, fee ORDER BY service, kind, method, fee`
	if byDay {
		query = `SELECT day, service, kind, method, fee, COUNT(*), SUM(fee) FROM metered WHERE tenant = $1 AND day >= $2 AND day <= $3
		GROUP BY day, service, kind, method, fee ORDER BY day, service, kind, method, fee`
	}
	return store.Collect(func(s store.Scanner) (l Line, err error) {
		return l, s.Scan(&l.Day, &l.Service, &l.Kind, &l.Method, &l.Each, &l.Count, &l.Yen)
	})(scope.Of(tx, tenant).Query(query, from.String(), to.String()))
}

// Total adds the fees of lines.
func Total(lines []Line) (yen int64) {
	for _, l := range lines {
		yen += l.Yen
	}
	return yen
}

// Tenants lists who used anything between two days, for the office.
func Tenants(tx *store.Tx, from, to jitsuin.Date) ([]string, error) {
	return store.Collect(func(s store.Scanner) (id string, err error) { return id, s.Scan(&id) })(
		tx.Query(`/* every tenant: the office's statements */ SELECT tenant FROM metered WHERE day >= $1 AND day <= $2 GROUP BY tenant ORDER BY tenant`, from.String(), to.String()))
}
