package cert

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Lists answers for certificates from revocation lists at hand, of every kind that RFC 5280 has: complete lists and
// deltas, partitions by distribution point, by kind of certificate and by reason, and indirect lists
// (§5, §6.3.3). A list counts where its issuer is the certificate's, signing with the key that is in the path, or
// where its signer's own certificate is valid under the path's anchor. Safe for concurrent use.
type Lists struct {
	CRLs []*CRL
	// Certificates are where signers of lists are found that are not in the path; nobody is trusted by being here.
	Certificates []*x509.Certificate
	// Generations are trusted to sign for issuers of their name, though the anchor of the path is another:
	// a CA that changed its key. RFC 5280 has no such thing.
	Generations []*x509.Certificate
	Algorithms  Algorithms
	Strict      bool // as in PathOptions; also refuses lists that break a MUST of §5
}

// Bounds of one question.
const (
	maxListDepth = 4   // signers whose own status is asked for, one after the other
	maxListWork  = 200 // signatures on lists
)

// listQuery is one question with all that it leads to.
type listQuery struct {
	*Lists
	ctx     context.Context
	times   Times
	work    int
	signers []pending // whose status is being asked for
}

// pending is a signer under examination for a list.
type pending struct {
	list   *CRL
	signer *x509.Certificate
}

// StatusInPath answers for chain[i] of a path with the leaf first and the anchor last. It is Good only if the lists answer
// for every reason, Unknown with Why where they do not.
func (l *Lists) StatusInPath(ctx context.Context, chain []*x509.Certificate, i int, t Times) Status {
	q := &listQuery{Lists: l, ctx: ctx, times: t}
	return q.status(chain, i)
}

// listAnswer is what one list, with its delta, says of the certificate.
type listAnswer struct {
	reasons                uint16 // for which it speaks
	entry                  rawEntry
	found                  bool
	thisUpdate, nextUpdate time.Time
}

func (q *listQuery) status(chain []*x509.Certificate, i int) Status {
	best := unknown(SourceCRL, "there is no revocation list for the certificate")
	d, problem := readDetails(chain[i], false)
	if problem != "" {
		best.Why = "the certificate is malformed: " + problem
		return best
	}
	points := append(pointsOf(chain[i]), distributionPoint{names: []generalName{{nameDirectory, chain[i].RawIssuer}}})
	var answers []listAnswer
	for _, c := range q.CRLs {
		reasons, why := c.reasonsFor(d, points)
		if reasons == 0 && why == "" {
			continue
		}
		if why == "" {
			var a listAnswer
			a, stale, err := q.ask(c, d, chain, i)
			if err == nil {
				a.reasons = reasons
				answers = append(answers, a)
				continue
			}
			best.Stale = best.Stale || stale
			why = err.Error()
		}
		best.Why, best.ThisUpdate, best.NextUpdate = why, c.ThisUpdate, c.NextUpdate
	}
	return conclude(answers, best)
}

// conclude puts the answers together: a revocation for good counts wherever it stands, else the newest list
// that speaks for a reason decides for it, and of equally new ones that which has the certificate suspended.
func conclude(answers []listAnswer, none Status) Status {
	slices.SortStableFunc(answers, func(a, b listAnswer) int {
		if n := b.thisUpdate.Compare(a.thisUpdate); n != 0 || a.found == b.found {
			return n
		}
		if a.found {
			return -1
		}
		return 1
	})
	var dead *listAnswer
	for i := range answers {
		a := &answers[i]
		if a.found && a.entry.permanent() && (dead == nil || a.entry.at.Before(dead.entry.at)) {
			dead = a
		}
	}
	covered := uint16(0)
	st := Status{State: Good, Source: SourceCRL}
	for i := range answers {
		a := &answers[i]
		if dead != nil {
			break
		}
		if a.reasons&^covered == 0 {
			continue
		}
		covered |= a.reasons
		if a.found {
			dead = a
		}
		if st.ThisUpdate.IsZero() || a.thisUpdate.Before(st.ThisUpdate) {
			st.ThisUpdate = a.thisUpdate
		}
		if st.NextUpdate.IsZero() || a.nextUpdate.Before(st.NextUpdate) {
			st.NextUpdate = a.nextUpdate
		}
	}
	switch {
	case dead != nil:
		e := dead.entry.entry()
		return Status{State: Revoked, Source: SourceCRL, ThisUpdate: dead.thisUpdate, NextUpdate: dead.nextUpdate, RevokedAt: e.RevokedAt, Reason: e.Reason}
	case covered == allReasons:
		return st
	case covered != 0:
		return Status{State: Unknown, Source: SourceCRL, ThisUpdate: st.ThisUpdate, NextUpdate: st.NextUpdate,
			Why: "the revocation lists answer for some reasons only"}
	}
	return none
}

// reasonsFor tells for which reasons the list speaks about a certificate with these distribution points (§6.3.3 b, d,
// e). Neither reasons nor why means that it is another matter altogether.
func (c *CRL) reasonsFor(d *details, points []distributionPoint) (reasons uint16, why string) {
	if c.base != nil {
		return 0, ""
	}
	s := c.scope
	mine := false
	for i := range points {
		p := &points[i]
		if !c.issuedFor(p, d.cert.RawIssuer) {
			continue
		}
		mine = true
		if s != nil && !s.namesPoint(p, d.cert.RawIssuer, c.RawIssuer) {
			continue
		}
		one := uint16(allReasons)
		if p.hasReasons {
			one &= p.reasons
		}
		if s != nil && s.hasReasons {
			one &= s.reasons
		}
		reasons |= one
	}
	switch {
	case !mine:
		return 0, ""
	case c.unusable != "":
		return 0, "the revocation list is not usable: " + c.unusable
	case s != nil && s.excludes(d.isCA) != "":
		return 0, s.excludes(d.isCA)
	case reasons == 0:
		return 0, "the revocation list is another distribution point's"
	}
	return reasons, ""
}

// issuedFor tells whether the list's issuer is the one that a point has: the certificate's, or the one that the point names.
func (c *CRL) issuedFor(p *distributionPoint, issuer []byte) bool {
	if len(p.issuers) == 0 {
		return SameName(c.RawIssuer, issuer)
	}
	return c.scope != nil && c.scope.indirect && slices.ContainsFunc(p.issuers, func(n generalName) bool {
		return n.tag == nameDirectory && SameName(n.value, c.RawIssuer)
	})
}

// namesPoint compares the distribution point of a list with one of a certificate.
func (s *crlScope) namesPoint(p *distributionPoint, issuer, lister []byte) bool {
	have := s.names
	switch {
	case s.relative != nil:
		have = []generalName{below(lister, s.relative)}
	case have == nil:
		return true
	}
	for _, want := range p.pointNames(issuer) {
		if slices.ContainsFunc(have, want.equal) {
			return true
		}
	}
	return false
}

// ask verifies a list that concerns the certificate, looks for a delta to it, and reads what both say.
func (q *listQuery) ask(c *CRL, d *details, chain []*x509.Certificate, i int) (a listAnswer, stale bool, err error) {
	if stale, why := q.times.check(c.ThisUpdate, c.NextUpdate); why != "" {
		return a, stale, errors.New("the revocation list is not usable: " + why)
	}
	if q.Strict && c.breach != "" {
		return a, false, errors.New("the revocation list is not usable: " + c.breach)
	}
	signer, err := q.signer(c, chain, i)
	if err != nil {
		return a, false, err
	}
	a = listAnswer{thisUpdate: c.ThisUpdate, nextUpdate: c.NextUpdate}
	a.entry, a.found = c.lookupIssued(d.cert.SerialNumber, d.cert.RawIssuer)
	if delta := q.deltaOf(c, signer); delta != nil {
		a.thisUpdate = delta.ThisUpdate
		if delta.NextUpdate.Before(a.nextUpdate) {
			a.nextUpdate = delta.NextUpdate
		}
		e, found := delta.lookupIssued(d.cert.SerialNumber, d.cert.RawIssuer)
		a.apply(e, found, c.freshest || d.has(extFreshest))
	}
	if !a.found && a.thisUpdate.After(d.cert.NotAfter) {
		return a, false, errors.New("the revocation list was made after the certificate expired and may have dropped it")
	}
	return a, false, nil
}

// apply lets a delta speak. removeFromCRL lifts a suspension only: nothing revives what was revoked for good. It does so where
// the certificate or the list points to deltas; a delta that came along of itself can only revoke.
func (a *listAnswer) apply(e rawEntry, found, pointed bool) {
	switch {
	case !found, e.reason == codeRemove && !pointed:
	case e.reason != codeRemove:
		if !a.found || !a.entry.permanent() {
			a.entry, a.found = e, true
		}
	case !a.found || !a.entry.permanent():
		a.entry, a.found = rawEntry{}, false
	}
}

// deltaOf finds the newest delta that goes with a complete list (§5.2.4): same issuer, scope and key, on a base that
// is not newer than the list, itself newer than the list.
func (q *listQuery) deltaOf(c *CRL, signer *x509.Certificate) (newest *CRL) {
	if c.Number == nil {
		return nil
	}
	for _, d := range q.CRLs {
		if d.base == nil || d.Number == nil || d.unusable != "" || q.Strict && d.breach != "" || !SameName(d.RawIssuer, c.RawIssuer) || !sameScope(c.scope, d.scope) ||
			d.base.Cmp(c.Number) > 0 || d.Number.Cmp(c.Number) < 0 || !bytes.Equal(c.AuthorityKeyID, d.AuthorityKeyID) {
			continue
		}
		if _, why := q.times.check(d.ThisUpdate, d.NextUpdate); why != "" {
			continue
		}
		if newest != nil && newest.Number.Cmp(d.Number) >= 0 {
			continue
		}
		if q.verify(d, signer) == nil {
			newest = d
		}
	}
	return newest
}

func sameScope(a, b *crlScope) bool {
	if a == nil || b == nil {
		return a == b
	}
	return bytes.Equal(a.raw, b.raw)
}

// verify checks a list's signature within the bounds of the question.
func (q *listQuery) verify(c *CRL, ca *x509.Certificate) error {
	if q.work++; q.work > maxListWork {
		return errors.New("there are too many revocation lists to verify")
	}
	return c.verify(ca, q.Algorithms, true)
}

// signer finds who signed the list and may: the issuer in the path, another generation of its, or somebody of the list's
// issuer name whose certificate is valid under the same anchor (§6.3.3 f, g).
func (q *listQuery) signer(c *CRL, chain []*x509.Certificate, i int) (*x509.Certificate, error) {
	first := crlSignature("no certificate of the list's issuer is at hand")
	if SameName(c.RawIssuer, chain[i+1].RawSubject) {
		err := q.verify(c, chain[i+1])
		if err == nil {
			return chain[i+1], nil
		}
		first = err
	}
	now := q.times.now()
	for _, ca := range q.Generations {
		outside := c.ThisUpdate.Before(ca.NotBefore) || c.ThisUpdate.After(ca.NotAfter) || now.After(ca.NotAfter)
		if !outside && SameName(ca.RawSubject, chain[i+1].RawSubject) && q.verify(c, ca) == nil {
			return ca, nil
		}
	}
	for _, list := range [][]*x509.Certificate{chain[i+1:], q.Certificates} {
		for _, ca := range list {
			if ca == chain[i+1] || !SameName(ca.RawSubject, c.RawIssuer) || q.verify(c, ca) != nil {
				continue
			}
			err := q.entitled(c, ca, chain, i)
			if err == nil {
				return ca, nil
			}
			first = err
		}
	}
	return nil, first
}

// entitled validates the certificate of a signer that is not the issuer in the path.
func (q *listQuery) entitled(c *CRL, ca *x509.Certificate, chain []*x509.Certificate, i int) error {
	for _, p := range q.signers {
		if p.list == c && p.signer == ca {
			// The list is asked whether its own signer is alive. That is so where the CA has sent the signer's
			// certificate to this very list: no other could answer.
			if ca == chain[i] && slices.ContainsFunc(pointsOf(ca), func(p distributionPoint) bool { return len(p.issuers) > 0 && c.issuedFor(&p, ca.RawIssuer) }) {
				return nil
			}
			return crlSignature("the list's signer would answer for itself")
		}
	}
	if len(q.signers) >= maxListDepth {
		return crlSignature("too many signers of lists answer for one another")
	}
	q.signers = append(q.signers, pending{c, ca})
	defer func() { q.signers = q.signers[:len(q.signers)-1] }()
	_, err := ValidatePath(q.ctx, ca, PathOptions{Anchors: chain[len(chain)-1:], Intermediates: slices.Concat(chain[1:], q.Certificates),
		At: q.times.At, Algorithms: q.Algorithms, Strict: q.Strict, Revocation: nested{q}})
	if err != nil {
		return crlSignature("the certificate of its signer is not valid: %w", err)
	}
	return nil
}

// nested answers for the certificates of a signer's path within the same question.
type nested struct{ q *listQuery }

func (n nested) Status(context.Context, *x509.Certificate, *x509.Certificate, time.Time) (Status, error) {
	return Status{}, jitsuin.Errorf(jitsuin.Internal, "status-path", "this source answers within a path only")
}

func (n nested) StatusInPath(_ context.Context, chain []*x509.Certificate, i int, _ time.Time) (Status, error) {
	return n.q.status(chain, i), nil
}
