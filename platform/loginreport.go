package platform

import (
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
)

// outcome is what an error code of signature.Challenge.Verify means for a login.
type outcome struct {
	verdict signature.Verdict
	sub     signature.SubIndication
	ja, en  string
}

// outcomes are the reasons for logins; a code that is not here is never good.
var outcomes = map[string]outcome{
	"": {signature.Passed, "", "利用者証明は有効です。証明書は確認時点で有効です。", "The authentication is valid, and the certificate is in force at the time of checking."},
	"challenge-signature": {signature.Failed, signature.SigCryptoFailure, "署名がこのチャレンジへの応答ではありません。",
		"The signature does not answer this challenge with the key of the certificate."},
	"path-revoked":       {signature.Failed, signature.Revoked, "証明書は確認時点で失効または効力停止しています。", "The certificate was revoked or suspended at the time of checking."},
	"path-expired":       {signature.Failed, signature.Expired, "証明書は確認時点で有効期間を過ぎています。", "The certificate has expired at the time of checking."},
	"path-not-yet-valid": {signature.Failed, signature.NotYetValid, "証明書は確認時点でまだ有効期間に入っていません。", "The certificate is not yet valid at the time of checking."},
	"path-wrong-kind":    {signature.Failed, signature.ChainConstraints, "利用者証明用電子証明書ではありません。", "This is not a certificate for user authentication."},
	"path-bad-usage":     {signature.Failed, signature.ChainConstraints, "証明書の鍵用途が利用者証明を許していません。", "The key usage of the certificate does not allow authentication."},
	"path-bad-signature": {signature.Failed, signature.ChainGeneral, "証明書に付された発行者の署名が一致しません。", "The authority named in the certificate did not sign it."},
	"path-no-issuer": {signature.Indeterminate, signature.NoCertificateChain, "証明書の発行者を信頼できる認証局まで確認できません。",
		"The certificate does not lead to a trusted certification authority."},
	"path-status-unknown": {signature.Indeterminate, signature.TryLater, "失効情報を確認できませんでした。後でもう一度お試しください。",
		"The status of the certificate could not be learned. Try again later."},
	"path-status-stale": {signature.Indeterminate, signature.TryLater, "手元の失効情報が古くなっています。", "The status at hand is out of date."},
}

var noPath = outcome{signature.Indeterminate, signature.ChainGeneral, "証明書の経路を確認できません。", "The certificate path could not be judged."}

// loginReport puts the outcome of a challenge into the form of a report: no items, no serial number, no subject.
func loginReport(path *cert.Path, leaf *x509.Certificate, at time.Time, err error) *signature.Report {
	code := jitsuin.CodeOf(err)
	o, known := outcomes[code]
	if !known || code == "" && err != nil {
		o = noPath
	}
	if code == "" {
		code = "passed"
	}
	r := &signature.Report{Verdict: o.verdict, SubIndication: o.sub, At: at.UTC(), Signatures: []signature.Signature{},
		Reasons: []signature.Reason{{Code: code, JA: o.ja, EN: o.en}}}
	switch {
	case code == "challenge-signature":
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
