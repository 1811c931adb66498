package platform

import (
	"context"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
)

// meCertificate is a certificate of the person's that was used here, and how it stands now. No serial number is in it.
type meCertificate struct {
	Kind  jitsuin.CertKind
	Until time.Time // the end of its validity
	State string    // good, revoked, suspended, expired, or unknown where it cannot be told now
	Since time.Time // of a state that is not good
}

// mineCertificates are the latest of those on which a check rests that is still remembered.
const mineCertificates = mineWhy + `SELECT DISTINCT k.kind, k.serial, k.issuer, k.not_before, k.not_after FROM check_certificates k
	JOIN person_certificates m ON m.kind = k.kind AND m.serial = k.serial WHERE m.person = $1 ORDER BY k.not_before DESC, k.serial LIMIT 8`

// certificatesOf asks how the certificates of a person stand now: whoever is shown them is the person.
func (p *Platform) certificatesOf(ctx context.Context, person jitsuin.ID) (out []meCertificate, err error) {
	var all []held
	err = p.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.Collect(scanHeld)(tx.Query(mineCertificates, person))
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, h := range all {
		c := meCertificate{Kind: h.kind, Until: h.notAfter, State: "unknown"}
		st, err := p.ask(ctx, h, p.cfg.Validity)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			p.Log.WarnContext(ctx, "a resident is not told how a certificate stands", "err", err)
		case st.reason == jitsuin.ReasonCertificateHold && st.state == string(cert.Revoked):
			c.State, c.Since = "suspended", st.since
		default:
			c.State, c.Since = st.state, st.since
		}
		out = append(out, c)
	}
	return out, nil
}

func scanHeld(s store.Scanner) (h held, err error) {
	var before, after int64
	err = s.Scan(&h.kind, &h.serial, &h.issuer, &before, &after)
	h.notBefore, h.notAfter = store.Time(before), store.Time(after)
	return h, err
}
