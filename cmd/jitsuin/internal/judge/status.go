package judge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature"
)

// statusEnd is where a path error leads when only the status of a certificate is asked for. What is
// not here cannot be decided.
func statusEnd(e *cert.PathError) (signature.Verdict, signature.SubIndication) {
	switch {
	case e.Depth > 0:
	case e.Code == cert.RevokedCode:
		return signature.Failed, signature.Revoked
	case e.Code == cert.Expired:
		return signature.Failed, signature.Expired
	case e.Code == cert.NotYetValid:
		return signature.Failed, signature.NotYetValid
	case e.Code == cert.BadSignature:
		return signature.Failed, signature.ChainGeneral
	}
	if e.Code == cert.StatusUnknown || e.Code == cert.StatusStale {
		return signature.Indeterminate, signature.TryLater
	}
	return signature.Indeterminate, signature.NoCertificateChain
}

// status tells whether a certificate is in force at the instant, by what the files say: good passes,
// revoked fails, and what is not known cannot be decided. Who may answer for the certificate
// follows from its path, so it needs anchors.
func (n *named) status(ctx context.Context) (*signature.Report, error) {
	if n.policy.AnchorsNone || len(n.Detached) > 0 {
		return nil, ui.Usage("status is asked for one certificate with anchors; it takes neither --anchors none nor --detached")
	}
	all, err := parseCertificates(n.raw)
	r := &signature.Report{At: n.At.UTC(), Signatures: []signature.Signature{}}
	if err != nil {
		r.Verdict, r.SubIndication = signature.Malformed, signature.FormatFailure
		r.Reasons = []signature.Reason{{Code: "malformed", JA: "証明書として読み取れません。", EN: "This cannot be read as a certificate."}}
		return r, nil
	}
	if err := n.trust(); err != nil {
		return nil, err
	}
	path, err := cert.ValidatePath(ctx, all[0], cert.PathOptions{Anchors: n.policy.Anchors,
		Intermediates: append(n.intermediates, all[1:]...), At: n.At, Revocation: n.policy.Revocation})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	fill(r, path)
	var failed *cert.PathError
	switch {
	case errors.As(err, &failed):
		r.Verdict, r.SubIndication = statusEnd(failed)
		r.Chain.Reason = string(failed.Code) + ": " + failed.Message
		r.Chain.OK = r.Chain.Anchor != "" && (failed.Code == cert.RevokedCode || failed.Code == cert.StatusUnknown || failed.Code == cert.StatusStale)
	case err != nil:
		return nil, err
	case path.Status.State == cert.Good:
		r.Verdict, r.Chain.OK = signature.Passed, true
	default:
		r.Verdict, r.SubIndication, r.Chain.OK = signature.Indeterminate, signature.TryLater, true
	}
	r.Reasons = []signature.Reason{statusReason(r)}
	return r, nil
}

// fill copies path and status into the report.
func fill(r *signature.Report, path *cert.Path) {
	r.Chain = &signature.Chain{Path: []string{}}
	r.Revocation = &signature.Revocation{Status: cert.NotChecked, Source: cert.SourceNone}
	if path == nil {
		return
	}
	for _, c := range path.Chain {
		r.Chain.Path = append(r.Chain.Path, c.Subject.String())
	}
	if a := path.Anchor; a != nil {
		sum := sha256.Sum256(a.Raw)
		r.Chain.Anchor, r.Chain.AnchorSHA256 = a.Subject.String(), hex.EncodeToString(sum[:])
	}
	st := path.Status
	*r.Revocation = signature.Revocation{Status: st.State, Source: st.Source, ThisUpdate: timeOf(st.ThisUpdate), NextUpdate: timeOf(st.NextUpdate),
		RevokedAt: timeOf(st.RevokedAt), Reason: st.Reason, Why: st.Why}
}

func statusReason(r *signature.Report) signature.Reason {
	switch {
	case r.Verdict == signature.Passed:
		return signature.Reason{Code: "good", JA: "証明書は確認時点で失効していません。", EN: "The certificate is in force at the time of checking."}
	case r.SubIndication == signature.Revoked:
		return signature.Reason{Code: "revoked", JA: "証明書は確認時点で失効または効力停止しています。", EN: "The certificate was revoked or suspended at the time of checking."}
	case r.Revocation.Status == cert.NotChecked && r.Chain.OK:
		return signature.Reason{Code: "status-not-checked", JA: "証明書の失効を確認していません。--crl または --ocsp を指定してください。",
			EN: "The status was not checked: give --crl or --ocsp."}
	case r.Chain.Reason != "":
		return signature.Reason{Code: "path", JA: "証明書を確認できません（" + r.Chain.Reason + "）。", EN: "The certificate does not hold (" + r.Chain.Reason + ")."}
	}
	return signature.Reason{Code: "status-unknown", JA: "失効情報を確認できませんでした。", EN: "The status of the certificate could not be learned: " + r.Revocation.Why}
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
