package platform

import (
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
)

// loginReport puts what signature.Challenge.Verify gave into the form of a report: no items, no
// serial number, no subject.
func loginReport(path *cert.Path, leaf *x509.Certificate, at time.Time, err error) *signature.Report {
	verdict, sub, reason := signature.ChallengeVerdict(err)
	r := &signature.Report{Verdict: verdict, SubIndication: sub, At: at.UTC(), Signatures: []signature.Signature{}, Reasons: []signature.Reason{reason}}
	switch {
	case sub == signature.SigCryptoFailure:
		r.Integrity = signature.Broken
	case path != nil:
		r.Integrity = signature.Intact
	}
	if path == nil {
		return r
	}
	st := path.Status
	r.Chain = &signature.Chain{OK: path.Anchor != nil && err == nil, Path: []string{leaf.Issuer.String()}}
	if path.Anchor != nil {
		r.Chain.Anchor = path.Anchor.Subject.String()
	}
	r.Revocation = &signature.Revocation{Status: st.State, Source: st.Source, Reason: st.Reason, Why: st.Why,
		ThisUpdate: timeOf(st.ThisUpdate), NextUpdate: timeOf(st.NextUpdate), RevokedAt: timeOf(st.RevokedAt)}
	return r
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
