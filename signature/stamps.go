package signature

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

const (
	// maxStamps is how many time-stamps of one signature are judged; the rest count as not good.
	maxStamps = 32
	// stampTolerance is how far ahead of the instant asked about a time-stamp may lie: the clocks of an
	// authority and of a verifier are never quite the same.
	stampTolerance = time.Minute
)

// stamps judges the time-stamps that came with a signature and gives what the report says of them, in
// their order, and the earliest instant at which a good one shows that the signature was there, zero
// for none. That instant is the end of what the authority's accuracy allows.
//
// A time-stamp is judged as of the policy's instant, because the key of an authority whose
// certificate is over may be in anybody's hands, or as of a good time-stamp that covers it: where the
// reader of the format marks it sealed, the archive or document time-stamps after it do.
func (v *judgement) stamps(ctx context.Context, f *finding) (all []Timestamp, proven time.Time, err error) {
	at := v.policy.At
	all = make([]Timestamp, len(f.stamps))
	for i, s := range slices.Backward(f.stamps) {
		if i >= maxStamps {
			all[i] = Timestamp{Kind: s.kind, Why: fmt.Sprintf("limit: more than %d time-stamps are not judged", maxStamps)}
			continue
		}
		asOf := v.policy.At
		if s.sealed {
			asOf = at
		}
		one, end, err := v.stamp(ctx, &s, f, asOf)
		if err != nil {
			return nil, time.Time{}, err
		}
		all[i] = one
		if !one.OK {
			continue
		}
		if (s.kind == ArchiveStamp || s.kind == DocumentStamp) && end.Before(at) {
			at = end
		}
		if s.kind != ContentStamp && (proven.IsZero() || end.Before(proven)) {
			proven = end
		}
	}
	return all, proven, nil
}

// stamp judges one time-stamp as of an instant. end is its time with the accuracy added.
func (v *judgement) stamp(ctx context.Context, s *stamped, f *finding, asOf time.Time) (one Timestamp, end time.Time, err error) {
	one = Timestamp{Kind: s.kind}
	token, err := tsp.Parse(s.token)
	if err != nil {
		one.Why = "malformed: " + err.Error()
		return one, end, nil
	}
	one.At, end = token.Info.Time, token.Info.Time
	if a := token.Info.Accuracy; a != nil {
		one.Accuracy, end = time.Duration(*a).String(), end.Add(time.Duration(*a))
	}
	var sum []byte
	if h := token.Info.Imprint.Hash; h != 0 && s.digest != nil {
		sum = s.digest(h)
	}
	r := token.Verify(sum, slices.Concat(s.more, v.in.Certificates))
	if r.Certificate != nil {
		one.Authority = nameOf(r.Certificate.RawSubject)
	}
	switch fault := firstFault(r); {
	case s.fault != "":
		one.Why = s.fault
	case fault != "":
		one.Why = fault
	case v.policy.AnchorsNone:
		one.Why = "not-asked: trust was left out on request"
	default:
		j, err := v.authority(ctx, token, r.Certificate, slices.Concat(s.more, f.embedded), v.policy.revocation(f), asOf)
		if err != nil {
			return one, end, err
		}
		one.Why = j.why
	}
	one.OK = one.Why == ""
	return one, end, nil
}

// firstFault says what a result fails on, weakness included, "" for nothing.
func firstFault(r *cms.Result) string {
	for _, c := range r.Checks {
		if !c.OK {
			return fmt.Sprintf("%s: %s in place of %s", c.What, c.Got, c.Expected)
		}
	}
	if r.Certificate == nil {
		return "signer-certificate: the authority's certificate is not at hand"
	}
	return ""
}

// authorityJudged is what is known of the authority behind a token. The zero why means that it is
// trusted for the time that it states.
type authorityJudged struct {
	path   *cert.Path
	err    error // of the path
	status cert.Status
	ends   conclusion
	why    string // a stable word, a colon, a sentence
}

func (j *authorityJudged) refuse(c conclusion, format string, args ...any) authorityJudged {
	j.ends, j.why = c, c.reason+": "+fmt.Sprintf(format, args...)
	return *j
}

// authority judges the certificate c of a token as of an instant: a path to an anchor for time, the
// stated time inside the certificate's validity and not ahead, and no revocation. A status that nobody
// could tell leaves the token standing: authorities publish it for years, and seldom to those who are
// offline; one that says revoked does not, unless the key was given up in good order after the
// token was made (RFC 3161 §4.1). An error means that ctx has ended.
func (v *judgement) authority(ctx context.Context, t *tsp.Token, c *x509.Certificate, more []*x509.Certificate, asked cert.Revocation, asOf time.Time) (authorityJudged, error) {
	j := authorityJudged{status: cert.Status{State: cert.NotChecked, Source: cert.SourceNone}}
	stated := t.Info.Time
	if stated.After(v.policy.At.Add(stampTolerance)) {
		return j.refuse(conclusion{Failed, NotYetValid, "stamp-ahead"}, "the time-stamp states %s, which is after the time of checking", stamp(stated)), nil
	}
	if stated.Truncate(time.Second).Before(c.NotBefore) || stated.After(c.NotAfter.Add(time.Second)) {
		return j.refuse(conclusion{Failed, ChainConstraints, "stamp-outside"}, "the authority's certificate was not valid at %s", stamp(stated)), nil
	}
	anchors := v.policy.TimeAnchors
	if anchors == nil {
		anchors = v.policy.Anchors
	}
	intermediates := v.authorities(&finding{embedded: slices.Concat(t.CMS.Certificates, more)})
	j.path, j.err = cert.ValidatePath(ctx, c, cert.PathOptions{Anchors: anchors, Intermediates: intermediates, At: asOf})
	if ctx.Err() != nil {
		return j, ctx.Err()
	}
	var failed *cert.PathError
	switch {
	case errors.As(j.err, &failed) && failed.Code == cert.Expired && failed.Depth == 0:
		return j.refuse(conclusion{Indeterminate, OutOfBoundsNoPOE, "stamp-expired"}, "%s", failed.Message), nil
	case errors.As(j.err, &failed):
		return j.refuse(pathConclusion(failed), "%s", failed.Message), nil
	case j.err != nil:
		return j.refuse(conclusion{Indeterminate, ChainGeneral, "chain-malformed"}, "the path could not be judged"), nil
	}
	for depth, above := range j.path.Chain[1:] {
		if !mayIssueForTime(above) {
			return j.refuse(conclusion{Indeterminate, ChainConstraints, "bad-constraints"}, "the certificate %d above the authority's is not for time-stamping", depth+1), nil
		}
	}
	return j.checkStatus(ctx, asked, stated, asOf)
}

// mayIssueForTime tells whether a CA certificate that limits the purposes below it allows time-stamping.
func mayIssueForTime(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// inGoodOrder are the reasons of a revocation after which tokens made before it still count
// (RFC 3161 §4.1).
var inGoodOrder = []jitsuin.RevocationReason{jitsuin.ReasonAffiliationChanged, jitsuin.ReasonSuperseded, jitsuin.ReasonCessationOfOperation}

// checkStatus asks about every certificate of the path below its anchor.
func (j *authorityJudged) checkStatus(ctx context.Context, asked cert.Revocation, stated, asOf time.Time) (authorityJudged, error) {
	if asked == nil {
		return *j, nil
	}
	for i := range len(j.path.Chain) - 1 {
		st, err := asked.Status(ctx, j.path.Chain[i], j.path.Chain[i+1], asOf)
		if ctx.Err() != nil {
			return *j, ctx.Err()
		}
		if err != nil {
			st = cert.Status{State: cert.Unknown, Source: cert.SourceNone, Why: "the status could not be asked for"}
		}
		st = cert.JudgeAt(st, asOf)
		if i == 0 {
			j.status = st
		}
		if st.State != cert.Revoked || slices.Contains(inGoodOrder, st.Reason) && st.RevokedAt.After(stated) {
			continue
		}
		c := conclusion{Failed, Revoked, "revoked"}
		if i > 0 {
			c = conclusion{Indeterminate, RevokedCANoPOE, "issuer-revoked"}
		}
		return j.refuse(c, "revoked at %s (%s)", stamp(st.RevokedAt), st.Reason), nil
	}
	return *j, nil
}

// time judges the time-stamps of a signature, puts them into the report and gives the instant as of which
// its certificate is to be judged.
func (v *judgement) time(ctx context.Context, one *Signature, f *finding) (time.Time, error) {
	if len(f.stamps) == 0 {
		return v.policy.At, nil
	}
	var proven time.Time
	var err error
	if one.Timestamps, proven, err = v.stamps(ctx, f); err != nil {
		return v.policy.At, err
	}
	for _, t := range one.Timestamps {
		if !t.OK && !v.policy.AnchorsNone {
			one.warn("stamp-bad")
		}
	}
	if proven.IsZero() {
		return v.policy.At, nil
	}
	one.SigningTime = &SigningTime{At: proven, Proof: "timestamp"}
	if v.policy.Proven && proven.Before(v.policy.At) {
		return proven, nil
	}
	return v.policy.At, nil
}

// concludeTime says of a signature that is a time-stamp itself what its time rests on.
func (one *Signature) concludeTime(f *finding) {
	if f.token == nil {
		return
	}
	t := Timestamp{Kind: DocumentStamp, At: f.token.Info.Time, Authority: one.SignedBy, OK: one.Indication == Passed}
	if a := f.token.Info.Accuracy; a != nil {
		t.Accuracy = time.Duration(*a).String()
	}
	if t.OK {
		one.SigningTime.Proof = "timestamp"
		one.Reasons[0] = reasonOf("passed-stamp")
	} else if len(one.Reasons) > 0 {
		t.Why = one.Reasons[0].Code + ": " + one.Reasons[0].EN
	}
	one.Timestamps = []Timestamp{t}
}
