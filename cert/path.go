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

// PathOptions says against what a certificate is validated.
type PathOptions struct {
	Anchors       []*x509.Certificate // CA certificates that are trusted as they are
	Intermediates []*x509.Certificate // untrusted helpers; a path may use them
	At            time.Time           // the instant asked about; required
	Kind          jitsuin.CertKind    // "" accepts any certificate
	Revocation    Revocation          // nil: status is NotChecked
	Policies      PolicyInputs        // what policies the path must be valid for
	Algorithms    Algorithms          // the zero value is the system's rule
}

// Path is a certificate path. Chain has the leaf first and the anchor last; Kind is ""
// for a certificate outside the JPKI profiles. Status is the leaf's.
type Path struct {
	Chain  []*x509.Certificate
	Anchor *x509.Certificate
	Kind   jitsuin.CertKind
	Status Status
}

// Bounds of the search: hostile input must not cost more than this.
const (
	maxPathLength = 8   // certificates from leaf to anchor
	maxPathTries  = 100 // signatures verified in one search
)

// ValidatePath finds and checks a path from leaf to one of the anchors at the instant o.At
// (RFC 5280 §6). Issuers are found by key: CA generations share one distinguished name, so a name only
// proposes candidates and the signature decides. Checked are signatures, validity of every certificate
// (the anchor's too), basic constraints, path length, key usage, critical extensions, algorithms, the
// kind if one is asked for, and the status of every certificate below the anchor. A certificate that is
// itself an anchor is its own path, without a status.
//
// The error is a *PathError. A Path is returned with it as far as one was built, else nil.
func ValidatePath(ctx context.Context, leaf *x509.Certificate, o PathOptions) (*Path, error) {
	if leaf == nil || o.At.IsZero() {
		return nil, pathErrorf(Malformed, 0, "a path needs a certificate and an instant to be judged at")
	}
	s := &search{o: o, at: o.At.Truncate(time.Second)}
	for _, a := range o.Anchors {
		if bytes.Equal(a.Raw, leaf.Raw) {
			s.consider([]*x509.Certificate{leaf})
		}
	}
	if s.found == nil {
		s.extend([]*x509.Certificate{leaf})
	}
	kind, _ := KindOf(leaf)
	if s.found == nil {
		p := &Path{Chain: s.chain, Kind: kind, Status: Status{State: NotChecked, Source: SourceNone}}
		if s.rank == rankAnchored {
			p.Anchor = s.chain[len(s.chain)-1]
		}
		return p, s.failure
	}
	p := &Path{Chain: s.found, Anchor: s.found[len(s.found)-1], Kind: kind}
	if err := checkStatus(ctx, p, o); err != nil {
		return p, err
	}
	return p, nil
}

// How far a failed attempt came; the farthest is the one worth reporting.
const (
	rankNothing = iota
	rankNoIssuer
	rankSignature
	rankAnchored
)

// search is a depth-first search for a path, from the leaf up.
type search struct {
	o       PathOptions
	at      time.Time
	tries   int
	found   []*x509.Certificate
	failure *PathError
	chain   []*x509.Certificate // of failure
	rank    int
}

func (s *search) fail(rank int, chain []*x509.Certificate, err *PathError) {
	if rank > s.rank {
		s.rank, s.failure, s.chain = rank, err, slices.Clone(chain)
	}
}

// extend tries every possible issuer of the last certificate of chain.
func (s *search) extend(chain []*x509.Certificate) {
	child, depth := chain[len(chain)-1], len(chain)-1
	if len(chain) >= maxPathLength {
		s.fail(rankNoIssuer, chain, pathErrorf(NoIssuer, depth, "no path of at most %d certificates leads to a trusted issuer", maxPathLength))
		return
	}
	named := false
	for _, c := range s.candidates(child) {
		if s.found != nil {
			return
		}
		if s.tries >= maxPathTries {
			s.fail(rankNoIssuer, chain, pathErrorf(NoIssuer, depth, "no path to a trusted issuer was found in %d tries", maxPathTries))
			return
		}
		if holds(chain, c.cert) {
			continue
		}
		named = true
		s.tries++
		err := s.o.Algorithms.Verify(c.cert.PublicKey, child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
		switch {
		case errors.Is(err, ErrAlgorithm):
			s.fail(rankSignature, chain, &PathError{Code: BadAlgorithm, Depth: depth, Message: err.Error()})
		case err != nil && c.byKey:
			s.fail(rankSignature, chain, pathErrorf(BadSignature, depth, "the signature on the certificate does not verify with its issuer's key"))
		case err != nil:
		case c.anchor:
			s.consider(append(slices.Clone(chain), c.cert))
		default:
			s.extend(append(slices.Clone(chain), c.cert))
		}
	}
	why := "no trusted issuer of this name is known"
	if named {
		why = "an issuer of this name is known, but it has another key"
	}
	s.fail(rankNoIssuer, chain, pathErrorf(NoIssuer, depth, "%s", why))
}

type candidate struct {
	cert   *x509.Certificate
	anchor bool
	byKey  bool // the key identifiers name this very key
}

// candidates lists certificates whose subject is the child's issuer: those that the key
// identifiers name first, anchors before intermediates.
func (s *search) candidates(child *x509.Certificate) []candidate {
	var first, rest []candidate
	add := func(list []*x509.Certificate, anchor bool) {
		for _, c := range list {
			if c == nil || !SameName(c.RawSubject, child.RawIssuer) {
				continue
			}
			byKey := len(child.AuthorityKeyId) > 0 && bytes.Equal(child.AuthorityKeyId, c.SubjectKeyId)
			if byKey {
				first = append(first, candidate{c, anchor, true})
			} else {
				rest = append(rest, candidate{c, anchor, false})
			}
		}
	}
	add(s.o.Anchors, true)
	add(s.o.Intermediates, false)
	return append(first, rest...)
}

// holds tells whether the chain already has this certificate, or its name and key.
func holds(chain []*x509.Certificate, c *x509.Certificate) bool {
	for _, have := range chain {
		if bytes.Equal(have.Raw, c.Raw) || bytes.Equal(have.RawSubject, c.RawSubject) &&
			bytes.Equal(have.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) {
			return true
		}
	}
	return false
}

// consider judges a chain that reached an anchor.
func (s *search) consider(chain []*x509.Certificate) {
	if err := checkChain(chain, s.at, s.o); err != nil {
		s.fail(rankAnchored, chain, err)
		return
	}
	s.found = chain
}
