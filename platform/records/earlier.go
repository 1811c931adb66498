package records

import (
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/rules"
)

// oldest bounds how many records of earlier releases get their first entry in one transaction.
const oldest = 100

// Old lists records that were made before records had entries.
func Old(tx *store.Tx) ([]Check, error) {
	return store.Collect(func(s store.Scanner) (c Check, err error) {
		var at int64
		var leaf []byte
		var id, purpose string
		if err = s.Scan(&id, &c.Tenant, &c.Verification, &at, &c.Digest, &c.Signature, &leaf, &c.Status, &purpose); err != nil {
			return c, err
		}
		return c.old(id, purpose, store.Time(at), leaf)
	})(tx.Query(`/* every tenant: records of earlier releases */ SELECT v.id, v.tenant, v.verification, v.made_at, c.digest, v.signature, v.certificate, v.status, v.purpose
		FROM vault_records v JOIN checks c ON c.id = v.verification AND c.tenant = v.tenant
		WHERE v.entries = 0 AND v.kind <> 'repetition' ORDER BY v.made_at LIMIT $1`, oldest))
}

// old completes what is read of a record of an earlier release.
func (c Check) old(id, purpose string, at time.Time, leaf []byte) (Check, error) {
	var err error
	c.Record, c.At = jitsuin.ID(id), at
	if c.Leaf, err = cert.Parse(leaf); err != nil {
		return c, err
	}
	c.Reading, err = rules.LegalReading(jitsuin.SignCert, rules.Purpose(purpose), jitsuin.DateOf(at))
	return c, err
}

// Begin gives a record of an earlier release its first entry: what the check found.
func Begin(tx *store.Tx, d *Draft) error {
	complete := 0
	if d.head.Complete {
		complete = 1
	}
	r, err := tx.Exec(`UPDATE vault_records SET cases = $1, complete = $2, entries = 1, head = $3 WHERE tenant = $4 AND id = $5 AND entries = 0`,
		joinCases(d.head.Cases), complete, d.head.Head, d.head.tenant, d.head.ID)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err // another process was faster
	}
	return putEntry(tx, d.head.tenant, d.entry)
}
