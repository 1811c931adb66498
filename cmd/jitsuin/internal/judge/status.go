package judge

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/signature"
)

// pathEnd is where a path error leads when a certificate is asked about. What is not here cannot be
// decided: another path may exist. Where the chain itself is asked about, one that breaks a rule fails.
func pathEnd(m Mode, e *cert.PathError) (signature.Verdict, signature.SubIndication) {
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
	switch {
	case e.Code == cert.StatusUnknown || e.Code == cert.StatusStale:
		return signature.Indeterminate, signature.TryLater
	case m == Chain && e.Code == cert.RevokedCode:
		return signature.Indeterminate, signature.RevokedCANoPOE
	case m == Chain && (e.Code == cert.BadConstraints || e.Code == cert.BadUsage || e.Code == cert.WrongKind):
		return signature.Failed, signature.ChainConstraints
	case m == Chain && e.Code == cert.BadAlgorithm:
		return signature.Indeterminate, signature.CryptoConstraints
	}
	return signature.Indeterminate, signature.NoCertificateChain
}

// certificate judges one certificate at the instant. In status mode the question is whether it is in
// force by what the files say: good passes, revoked fails, and what is not known cannot be decided. In
// chain mode it is whether a valid path leads to an anchor (RFC 5280 §6); status is part of the answer
// where any is named, and else the report says that it was not checked. Who may answer for a certificate
// follows from its path, so both need anchors.
func (n *named) certificate(ctx context.Context) (*signature.Report, error) {
	if n.policy.AnchorsNone || len(n.Detached) > 0 {
		return nil, ui.Usage("%s asks about one certificate with anchors; it takes neither --anchors none nor --detached", n.Mode)
	}
	all, err := parseCertificates(n.raw)
	r := &signature.Report{At: n.At.UTC(), Signatures: []signature.Signature{}}
	if err != nil {
		r.Verdict, r.SubIndication = signature.Malformed, signature.FormatFailure
		r.SetReasons(signature.Reason{Code: "malformed", JA: "証明書として読み取れません（" + err.Error() + "）。", EN: "This cannot be read as a certificate: " + err.Error() + "."})
		return r, nil
	}
	if err := n.trust(); err != nil {
		return nil, err
	}
	intermediates := append(n.intermediates, all[1:]...)
	n.ofPaths(intermediates)
	path, err := cert.ValidatePath(ctx, all[0], cert.PathOptions{Anchors: n.policy.Anchors,
		Intermediates: intermediates, At: n.At, Revocation: n.policy.Revocation, Policies: n.Policies, Strict: n.Mode == Chain})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	fill(r, path)
	var failed *cert.PathError
	switch {
	case errors.As(err, &failed):
		r.Verdict, r.SubIndication = pathEnd(n.Mode, failed)
		r.Chain.Reason = string(failed.Code) + ": " + failed.Message
		r.Chain.OK = r.Chain.Anchor != "" && (failed.Code == cert.RevokedCode || failed.Code == cert.StatusUnknown || failed.Code == cert.StatusStale)
	case err != nil:
		return nil, err
	case path.Status.State == cert.Good, n.Mode == Chain && path.Status.State == cert.NotChecked:
		r.Verdict, r.Chain.OK = signature.Passed, true
	default:
		r.Verdict, r.SubIndication, r.Chain.OK = signature.Indeterminate, signature.TryLater, true
	}
	r.SetReasons(append([]signature.Reason{statusReason(r)}, n.unreadReasons()...)...)
	return r, nil
}

// ofPaths has lists and responses answer for every certificate of a path: signers of lists are looked for among those at
// hand. A chain is judged by the letter of RFC 5280: as if it were then, so that nothing counts that was made after the
// instant asked about, and by no key but one under the path's own anchor. The same instant holds for a status in a batch.
func (n *named) ofPaths(certificates []*x509.Certificate) {
	if n.files == nil {
		return
	}
	n.files.Certificates = certificates
	if n.Mode == Chain {
		n.files.Strict, n.files.Anchors = true, nil
	}
	if (n.Mode == Chain || n.Lenient) && n.At.Before(n.Now) {
		n.files.Clock = func() time.Time { return n.At }
	}
}

// unreadReasons names material that could not be read and was left out.
func (n *named) unreadReasons() (all []signature.Reason) {
	for _, what := range n.unread {
		all = append(all, signature.Reason{Code: "material-unread", JA: "読み取れない資料は使いませんでした（" + what + "）。", EN: "Material that cannot be read was left out: " + what + "."})
	}
	return all
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
	case r.Verdict == signature.Passed && r.Revocation.Status == cert.NotChecked:
		return signature.Reason{Code: "path-valid", JA: "証明書は信頼する認証局につながります。失効は確認していません。",
			EN: "A valid path leads to a trusted authority. Whether the certificate was revoked was not checked."}
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
