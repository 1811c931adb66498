package cert

import (
	"bytes"
	"context"
	"crypto/x509"
	"time"

	"github.com/jitsuin/jitsuin"
)

// checkChain applies everything but signatures and status to a chain that ends in an anchor.
func checkChain(chain []*x509.Certificate, at time.Time, o PathOptions) *PathError {
	for i := len(chain) - 1; i >= 0; i-- {
		c := chain[i]
		if err := checkEach(c, i, at, o.Algorithms); err != nil {
			return err
		}
		if i > 0 {
			if err := checkIssuer(chain, i); err != nil {
				return err
			}
		}
	}
	if err := checkKind(chain[0], o.Kind); err != nil {
		return err
	}
	return checkFurther(chain, at)
}

func checkEach(c *x509.Certificate, depth int, at time.Time, a Algorithms) *PathError {
	if err := a.CheckKey(c.PublicKey); err != nil {
		return &PathError{Code: BadAlgorithm, Depth: depth, Message: err.Error()}
	}
	switch {
	case at.Before(c.NotBefore):
		return pathErrorf(NotYetValid, depth, "the certificate is valid from %s, not yet at %s", stamp(c.NotBefore), stamp(at))
	case at.After(c.NotAfter):
		return pathErrorf(Expired, depth, "the certificate expired at %s, before %s", stamp(c.NotAfter), stamp(at))
	case len(c.UnhandledCriticalExtensions) > 0:
		return pathErrorf(BadConstraints, depth, "critical extension %v is not understood", c.UnhandledCriticalExtensions[0])
	}
	return nil
}

func stamp(t time.Time) string { return t.In(jitsuin.JST).Format(time.RFC3339) }

// checkIssuer checks that chain[i] may issue chain[i-1] (RFC 5280 §6.1.4 k to n).
func checkIssuer(chain []*x509.Certificate, i int) *PathError {
	c := chain[i]
	if !c.BasicConstraintsValid || !c.IsCA {
		return pathErrorf(BadConstraints, i, "the issuer is not a certification authority: basicConstraints does not say CA")
	}
	if c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return pathErrorf(BadUsage, i, "the issuer's key usage has no keyCertSign")
	}
	below := 0
	for _, d := range chain[1:i] {
		if !bytes.Equal(d.RawIssuer, d.RawSubject) {
			below++
		}
	}
	if limited := c.MaxPathLen > 0 || c.MaxPathLenZero; limited && below > c.MaxPathLen {
		return pathErrorf(BadConstraints, i, "the issuer allows %d intermediates below it, there are %d", c.MaxPathLen, below)
	}
	return nil
}

func checkKind(leaf *x509.Certificate, kind jitsuin.CertKind) *PathError {
	if kind == "" {
		return nil
	}
	if leaf.IsCA {
		return pathErrorf(BadConstraints, 0, "a certification authority's certificate is not a resident's")
	}
	said, ok := policyKind(leaf)
	switch {
	case !ok:
		return pathErrorf(WrongKind, 0, "the certificate has no policy of the %s certificate", kind)
	case said != kind:
		return pathErrorf(WrongKind, 0, "this is a %s certificate, a %s certificate is needed", said, kind)
	case leaf.KeyUsage != usageOf(kind):
		return pathErrorf(BadUsage, 0, "the key usage is not that of a %s certificate", kind)
	}
	return nil
}

// checkFurther has crypto/x509 judge name and policy constraints in the rare chain that has any;
// kinds of constraints that it does not know are unhandled critical extensions and refused before.
func checkFurther(chain []*x509.Certificate, at time.Time) *PathError {
	constrained := false
	for _, c := range chain[1:] {
		for _, e := range c.Extensions {
			id := e.Id.String()
			constrained = constrained || id == "2.5.29.30" || id == "2.5.29.36" || id == "2.5.29.33" || id == "2.5.29.54"
		}
	}
	if !constrained {
		return nil
	}
	v := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	v.Roots.AddCert(chain[len(chain)-1])
	for _, c := range chain[1 : len(chain)-1] {
		v.Intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(v); err != nil {
		return &PathError{Code: BadConstraints, Message: "name or policy constraints are not met", Err: err}
	}
	return nil
}

// checkStatus asks for every certificate below the anchor, the leaf first, and keeps the leaf's answer.
func checkStatus(ctx context.Context, p *Path, o PathOptions) error {
	p.Status = Status{State: NotChecked, Source: SourceNone}
	if o.Revocation == nil {
		return nil
	}
	for i := range len(p.Chain) - 1 {
		st, err := o.Revocation.Status(ctx, p.Chain[i], p.Chain[i+1], o.At)
		if err != nil {
			st = unknown(SourceNone, "the status could not be asked for")
		}
		st = JudgeAt(st, o.At)
		if i == 0 {
			p.Status = st
		}
		if failed := statusError(st, i); failed != nil {
			failed.Err = err
			return failed
		}
	}
	return nil
}

// JudgeAt applies the instant asked about to an answer: a revocation after it leaves the certificate
// good at it, one up to it does not; a good answer whose time is over is stale and so unknown;
// anything but good and revoked is unknown, and so is everything where no instant is asked about.
func JudgeAt(st Status, at time.Time) Status {
	if at.IsZero() {
		st.State, st.Why = Unknown, "no instant was asked about"
		return st
	}
	dead := !st.RevokedAt.IsZero() && !st.RevokedAt.After(at)
	switch {
	case st.State == Revoked && !dead && !st.RevokedAt.IsZero():
		st.State = Good
	case st.State == Good && dead:
		st.State = Revoked
	case st.State != Good && st.State != Revoked:
		st.State = Unknown
	}
	if st.State == Good && !st.NextUpdate.IsZero() && at.After(st.NextUpdate) {
		st.State, st.Stale, st.Why = Unknown, true, "the status is out of date"
	}
	return st
}

func statusError(st Status, depth int) *PathError {
	switch {
	case st.State == Good:
		return nil
	case st.State == Revoked:
		return pathErrorf(RevokedCode, depth, "the certificate was revoked at %s (%s)", stamp(st.RevokedAt), st.Reason)
	case st.Stale:
		return pathErrorf(StatusStale, depth, "the status of the certificate is out of date: %s", st.Why)
	}
	return pathErrorf(StatusUnknown, depth, "the status of the certificate is unknown: %s", st.Why)
}
