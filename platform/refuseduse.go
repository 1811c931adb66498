package platform

import (
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/signature"
)

// Who has lost a card wants to know not only what it was used for but also what somebody has tried since.

// refusedFor tells why a check was refused: "" unless the certificate was suspended or revoked, the path led to an authority, and the
// signature was made with its key. Anything else says nothing about where the card is.
func refusedFor(r *signature.Report) jitsuin.RevocationReason {
	if r.Verdict == signature.Passed || r.Integrity != signature.Intact || r.Chain == nil || r.Chain.Anchor == "" || r.Revocation == nil || r.Revocation.Status != cert.Revoked {
		return ""
	}
	if r.Revocation.Reason == "" {
		return jitsuin.ReasonUnspecified
	}
	return r.Revocation.Reason
}

// putRefused remembers a refused use of a certificate, where it is one.
func putRefused(tx *store.Tx, e entry, kind jitsuin.CertKind, leaf *x509.Certificate, r *signature.Report) error {
	reason := refusedFor(r)
	if reason == "" || leaf == nil {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO refused_uses (verification, tenant, kind, serial, reason, checked_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		e.id, e.tenant, string(kind), heldOf(kind, leaf).serial, string(reason), store.Micros(e.checkedAt))
	return err
}

// meTry is a refused use that a resident sees.
type meTry struct {
	At            time.Time
	Firm          meFirm
	Sort, Purpose string
	Suspended     bool // the certificate was suspended, as after a report of its loss; else it had ended
}

const mineTries = mineWhy + `SELECT c.checked_at, t.name, t.name_en, c.sort, c.purpose, u.reason FROM refused_uses u JOIN checks c ON c.id = u.verification AND c.tenant = u.tenant
	JOIN person_certificates m ON m.kind = u.kind AND m.serial = u.serial JOIN tenants t ON t.id = u.tenant
	WHERE m.person = $1 AND c.checked_at >= $2 ORDER BY c.checked_at DESC, c.id LIMIT 200`

func scanMeTry(s store.Scanner) (m meTry, err error) {
	var at int64
	var reason jitsuin.RevocationReason
	err = s.Scan(&at, &m.Firm.JA, &m.Firm.EN, &m.Sort, &m.Purpose, &reason)
	m.At, m.Firm, m.Suspended = store.Time(at), firm(m.Firm.JA, m.Firm.EN), reason == jitsuin.ReasonCertificateHold
	return m, err
}
