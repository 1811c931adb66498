package platform

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/clock"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/rules"
	"github.com/jitsuin/jitsuin/signature"
)

// record is one entry of a tenant's vault (確認の記録): signature, certificate and what the status
// origin answered, as the law wants them attached.
type record struct {
	id, verification jitsuin.ID
	tenant           string
	kind, law        string
	madeAt           time.Time
	keepUntil        jitsuin.Date // no date: it depends on the end of a contract
	signature        []byte
	certificate      []byte
	status           []byte
}

// kindRepetition is the record of a check for which no law asks for one: it is kept as long as its
// request may be repeated, and then dropped.
const kindRepetition = "repetition"

// keepEvidence makes the vault record of an accepted check.
func (c *check) keepEvidence(in api.VerificationRequest, reading rules.Reading) error {
	today := jitsuin.DateOf(c.entry.checkedAt)
	r := &record{id: jitsuin.NewID(), verification: c.entry.id, tenant: c.entry.tenant, madeAt: c.entry.checkedAt,
		kind: kindRepetition, keepUntil: jitsuin.DateOf(c.entry.checkedAt.Add(httpapi.RequestsKept)), certificate: c.leaf, status: c.status}
	if len(reading.Keep) > 0 {
		k := reading.Keep[0]
		r.kind, r.law, r.keepUntil = string(k.Record), k.Source.Citation().JA, jitsuin.Date{}
		if !k.CountsFromContract() {
			r.keepUntil = k.Until(today)
		}
	}
	var err error
	if r.signature, err = signature.Apart(signedFile(in)); err != nil {
		return err
	}
	c.record = r
	return nil
}

func putRecord(tx *store.Tx, r record) error {
	_, err := tx.Exec(`INSERT INTO vault_records (id, tenant, verification, kind, law, made_at, keep_until, signature, certificate, status)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.id, r.tenant, r.verification, r.kind, r.law, store.Micros(r.madeAt), r.keepUntil.String(), r.signature, r.certificate, r.status)
	return err
}

// getRecord gives a tenant's record of a check; ok is false where there is none, or no more.
func getRecord(tx *store.Tx, tenant string, verification jitsuin.ID) (r record, ok bool, err error) {
	var made int64
	var until string
	err = tx.QueryRow(`SELECT id, tenant, verification, kind, law, made_at, keep_until, signature, certificate, status
		FROM vault_records WHERE tenant = $1 AND verification = $2`, tenant, verification).
		Scan(&r.id, &r.tenant, &r.verification, &r.kind, &r.law, &made, &until, &r.signature, &r.certificate, &r.status)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	r.madeAt = store.Time(made)
	err = r.keepUntil.UnmarshalText([]byte(until))
	return r, true, err
}

// nextRecordEnd gives the first instant at which a record is no longer kept.
func (p *Platform) nextRecordEnd(ctx context.Context) (due time.Time, ok bool, err error) {
	var first string
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`/* every tenant: what falls due */ SELECT COALESCE(MIN(keep_until), '') FROM vault_records WHERE keep_until <> ''`).Scan(&first)
	})
	if err != nil || first == "" {
		return time.Time{}, false, err
	}
	last, err := jitsuin.ParseDate(first)
	return last.AddDays(1).Start(), true, err
}

// recordEnds lists when records of the vaults end.
func (p *Platform) recordEnds(ctx context.Context) ([]clock.Due, error) {
	type end struct {
		last string
		n    int
	}
	var ends []end
	err := p.DB.View(ctx, func(tx *store.Tx) (err error) {
		ends, err = store.Collect(func(s store.Scanner) (e end, err error) { return e, s.Scan(&e.last, &e.n) })(
			tx.Query(`/* every tenant: what falls due */ SELECT keep_until, COUNT(*) FROM vault_records WHERE keep_until <> '' GROUP BY keep_until ORDER BY keep_until LIMIT 200`))
		return err
	})
	var all []clock.Due
	for _, e := range ends {
		last, err := jitsuin.ParseDate(e.last)
		if err != nil {
			return nil, err
		}
		all = append(all, clock.Due{At: last.AddDays(1).Start(), Count: e.n})
	}
	return all, err
}

// dropRecords deletes the records whose last day is over. The log of checks stays.
func (p *Platform) dropRecords(ctx context.Context, now time.Time) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`/* every tenant: the end of retention */ DELETE FROM vault_records WHERE keep_until <> '' AND keep_until < $1`, jitsuin.DateOf(now).String())
		return err
	})
}
