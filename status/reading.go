package status

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin/cert"
)

// Reading answers from the lists that a Folder held when it was made: one for each verification. It is a
// cert.Revocation, opens nothing, and remembers what it answered from lists that had ended, so that whoever
// made the verification can say so.
//
// Lists that the issuer's own key signed decide. Only where there is none of them at all may a list count that another
// key of the same name signed, one that is trusted itself and valid. Of several answers a revocation for good wins, then
// the newest. A revocation for good is believed also from a list that has ended: nothing lifts it.
type Reading struct {
	held       *shelf
	now        time.Time
	grace      time.Duration
	anchors    []*x509.Certificate
	algorithms cert.Algorithms

	mu    sync.Mutex
	ended []Ended
}

// Ended is a list that was asked after its time. Used says that the answer was taken from it under the grace,
// and not that there was none.
type Ended struct {
	FolderList
	Used bool
}

// Read begins a verification. grace is how long after its end a list may still answer; such answers are marked
// Overdue. With 0 none does, and what is asked is unknown.
func (f *Folder) Read(grace time.Duration) *Reading {
	return &Reading{held: f.held.Load(), now: f.Clock(), grace: grace, anchors: f.Anchors, algorithms: f.Algorithms}
}

// Ended tells which lists were asked after their time, each once.
func (r *Reading) Ended() []Ended {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ended)
}

// Status implements cert.Revocation.
func (r *Reading) Status(ctx context.Context, leaf, issuer *x509.Certificate, at time.Time) (cert.Status, error) {
	if err := ctx.Err(); err != nil {
		return cert.Status{}, err
	}
	lists := r.speaking(leaf, issuer)
	best := unknown(cert.SourceNone, "there is no revocation list of the certificate's authority at hand")
	var late *heldList // the newest list that would have answered, had it not ended; of equally new ones, one that suspends
	for _, l := range lists {
		st := l.crl.Status(leaf, r.times(at))
		if !st.Stale {
			best = better(best, st)
			continue
		}
		if then := l.crl.Status(leaf, r.times(l.crl.NextUpdate)); then.State == cert.Good || then.State == cert.Revoked {
			if late == nil || then.State == cert.Revoked && l.crl.ThisUpdate.Equal(late.crl.ThisUpdate) {
				late = l // they come newest first
			}
			if forGood(then) && !then.RevokedAt.After(at) {
				best = better(best, then)
			}
		}
		best = better(best, st)
	}
	if best.State != cert.Unknown || late == nil {
		return best, nil
	}
	return r.ofEnded(late, leaf, at, best), nil
}

func (r *Reading) times(at time.Time) cert.Times {
	return cert.Times{At: at, Now: r.now, Skew: clockSkew}
}

// ofEnded answers from a list that had ended, where the grace allows it.
func (r *Reading) ofEnded(l *heldList, leaf *x509.Certificate, at time.Time, none cert.Status) cert.Status {
	st := l.crl.Status(leaf, r.times(l.crl.NextUpdate))
	used := r.grace > 0 && at.Sub(l.crl.NextUpdate) <= r.grace
	r.note(Ended{l.describe(true, r.now), used})
	if !used {
		none.ThisUpdate, none.NextUpdate, none.Stale, none.Source = l.crl.ThisUpdate, l.crl.NextUpdate, true, cert.SourceCRL
		none.Why = fmt.Sprintf("the status at hand is of %s and has ended at %s", stamp(l.crl.ThisUpdate), stamp(l.crl.NextUpdate))
		return none
	}
	st.Overdue = true
	st.Why = fmt.Sprintf("the list had ended at %s; nothing is known of a revocation since it was made at %s", stamp(l.crl.NextUpdate), stamp(l.crl.ThisUpdate))
	return st
}

func (r *Reading) note(e Ended) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, had := range r.ended {
		if had.SHA256 == e.SHA256 && had.Used == e.Used {
			return
		}
	}
	r.ended = append(r.ended, e)
}

// speaking gives the lists that may speak of a certificate of an issuer, the newest first.
func (r *Reading) speaking(leaf, issuer *x509.Certificate) []*heldList {
	if r.held == nil {
		return nil
	}
	for _, n := range r.held.byName {
		if !cert.SameName(n.rawName, leaf.RawIssuer) {
			continue
		}
		if lists := n.ofKey(leaf, keyIDOf(issuer)); len(lists) > 0 {
			return lists
		}
		var others []*heldList
		for _, l := range n.lists {
			if r.otherGeneration(l, issuer) {
				others = append(others, l)
			}
		}
		return others
	}
	return nil
}

// maxSpoken bounds what is remembered of one name; authorities have a partition for each municipality, some 1,750.
const maxSpoken = 10_000

// ofKey gives the lists that were signed by a key and cover the certificate. Which they are follows from the certificate's
// distribution points, so it is found once for each partition: comparing names with two thousand lists takes
// milliseconds. Where none covers it, the newest is given, which then says so.
func (n *nameShelf) ofKey(leaf *x509.Certificate, key keyID) []*heldList {
	question := string(key[:]) + fmt.Sprint(leaf.IsCA) + string(leaf.RawIssuer)
	for _, e := range leaf.Extensions {
		if e.Id.Equal(oidDistributionPoints) {
			question += string(e.Value)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if found, ok := n.spoken[question]; ok {
		return found
	}
	var found, first []*heldList
	for _, l := range n.lists {
		if l.key != key {
			continue
		}
		if first == nil {
			first = []*heldList{l}
		}
		if l.crl.Covers(leaf) == nil {
			found = append(found, l)
		}
	}
	if found == nil {
		found = first
	}
	if n.spoken == nil || len(n.spoken) >= maxSpoken {
		n.spoken = map[string][]*heldList{}
	}
	n.spoken[question] = found
	return found
}

// oidDistributionPoints is cRLDistributionPoints.
var oidDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}

// otherGeneration tells whether a list was made by another trusted key of the issuer's name, while that was valid and is.
func (r *Reading) otherGeneration(l *heldList, issuer *x509.Certificate) bool {
	ca := l.signer
	outside := !slices.ContainsFunc(r.anchors, ca.Equal) || l.crl.ThisUpdate.Before(ca.NotBefore) || l.crl.ThisUpdate.After(ca.NotAfter) || r.now.After(ca.NotAfter)
	return !outside && cert.SameName(ca.RawSubject, issuer.RawSubject)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
