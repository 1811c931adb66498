package cert

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
)

// PathOptions says against what a certificate is validated.
type PathOptions struct {
	Anchors       []*x509.Certificate   // CA certificates that are trusted as they are
	Intermediates []*x509.Certificate   // untrusted helpers; a path may use them
	At            time.Time             // the instant asked about; required
	Kind          jitsuin.CertKind      // "" accepts any certificate
	Revocation    Revocation            // nil: status is NotChecked
	Algorithms    Algorithms            // the zero value is the system's rule
	Policies      PolicyInputs          // the zero value asks for no policy
	Purpose       asn1.ObjectIdentifier // extended key usage that the leaf must be for and no CA may exclude; nil: any
	// Strict also refuses certificates that break a MUST of RFC 5280 §4 on which no step of §6 depends:
	// criticality, key identifiers, syntax of names, serial numbers. It is for judging other authorities'
	// paths for their own sake; documents are judged without.
	Strict bool
}

// Path is a certificate path. Chain has the leaf first and the anchor last; Kind is ""
// for a certificate outside the JPKI profiles. Status is the leaf's.
type Path struct {
	Chain  []*x509.Certificate
	Anchor *x509.Certificate
	Kind   jitsuin.CertKind
	Status Status
	// Policies are those that hold for the whole path, of those asked for; AnyPolicy means all that are.
	Policies  []asn1.ObjectIdentifier
	AnyPolicy bool
}

// Bounds of the search: hostile input must not cost more than this.
const (
	maxPathLength = 16    // certificates from leaf to anchor
	maxPathTries  = 100   // signatures verified in one search
	maxPathSteps  = 2_000 // certificates looked at as issuers
	maxPathsFound = 32    // paths to an anchor that are judged
	maxPathPool   = 2_000 // certificates each of anchors and intermediates that issuers are looked for among
)

// ValidatePath finds and checks a path from leaf to one of the anchors at the instant o.At
// (RFC 5280 §6). Issuers are found by key: CA generations share one distinguished name, so a name only
// proposes candidates and the signature decides. Every path is tried until one holds, status and all. Checked are
// signatures, validity of every certificate (the anchor's too), basic constraints, path length, key usage,
// name constraints, policies, critical extensions, algorithms, the form of every certificate, the kind and purpose if
// one is asked for, and the status of every certificate below the anchor. What the anchor's certificate says
// (validity, name and policy constraints, path length) binds like that of any CA, which RFC 5280 leaves open. A
// certificate that is itself an anchor is its own path, without a status.
//
// The error is a *PathError. A Path is returned with it as far as one was built, else nil.
func ValidatePath(ctx context.Context, leaf *x509.Certificate, o PathOptions) (*Path, error) {
	if leaf == nil || o.At.IsZero() {
		return nil, pathErrorf(Malformed, 0, "a path needs a certificate and an instant to be judged at")
	}
	s := &search{ctx: ctx, o: o, at: o.At.Truncate(time.Second)}
	if _, err := s.read(leaf, 0); err != nil {
		return nil, err
	}
	for _, a := range o.Anchors {
		if bytes.Equal(a.Raw, leaf.Raw) {
			s.consider([]*x509.Certificate{leaf})
		}
	}
	if s.found == nil {
		s.extend([]*x509.Certificate{leaf})
	}
	if s.found != nil {
		return s.found, nil
	}
	if s.failedPath != nil {
		return s.failedPath, s.failure
	}
	kind, _ := KindOf(leaf)
	p := &Path{Chain: s.chain, Kind: kind, Status: Status{State: NotChecked, Source: SourceNone}}
	if s.rank == rankAnchored {
		p.Anchor = s.chain[len(s.chain)-1]
	}
	return p, s.failure
}

// How far a failed attempt came; the farthest is the one worth reporting.
const (
	rankNothing = iota
	rankNoIssuer
	rankSignature
	rankAnchored
	rankStatus
)

// search is a depth-first search for a path, from the leaf up.
type search struct {
	ctx     context.Context
	o       PathOptions
	at      time.Time
	tries   int
	steps   int
	paths   int
	known   []*details // of the certificates looked at
	made    []signedBy // signatures that were verified
	issuers map[*x509.Certificate][]candidate
	found   *Path
	failure *PathError
	chain   []*x509.Certificate // of failure
	// failedPath is the path of a failure that is about status.
	failedPath *Path
	rank       int
}

type signedBy struct {
	child, issuer *x509.Certificate
	err           error
}

// read gives the details of a certificate, each read once.
func (s *search) read(c *x509.Certificate, depth int) (*details, *PathError) {
	for _, d := range s.known {
		if d.cert == c {
			return d, nil
		}
	}
	d, problem := readDetails(c, s.o.Strict)
	if problem != "" {
		return nil, pathErrorf(Malformed, depth, "a certificate is malformed: %s", problem)
	}
	s.known = append(s.known, d)
	return d, nil
}

func (s *search) fail(rank int, chain []*x509.Certificate, err *PathError) {
	if rank > s.rank {
		s.rank, s.failure, s.chain = rank, err, slices.Clone(chain)
	}
}

// spent tells whether the search has done all the work that one may.
func (s *search) spent() bool {
	return s.tries >= maxPathTries || s.steps >= maxPathSteps || s.paths >= maxPathsFound || s.ctx.Err() != nil
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
		if s.spent() {
			s.fail(rankNoIssuer, chain, pathErrorf(NoIssuer, depth, "no path to a trusted issuer was found in %d tries", maxPathTries))
			return
		}
		if s.steps++; holds(chain, c.cert) {
			continue
		}
		named = true
		s.step(chain, c)
	}
	why := "no trusted issuer of this name is known"
	if named {
		why = "an issuer of this name is known, but it has another key"
	}
	s.fail(rankNoIssuer, chain, pathErrorf(NoIssuer, depth, "%s", why))
}

// step tries one issuer.
func (s *search) step(chain []*x509.Certificate, c candidate) {
	child, depth := chain[len(chain)-1], len(chain)-1
	err := s.verify(child, c.cert)
	switch {
	case errors.Is(err, ErrAlgorithm):
		s.fail(rankSignature, chain, &PathError{Code: BadAlgorithm, Depth: depth, Message: err.Error()})
	case err != nil && c.byKey:
		s.fail(rankSignature, chain, pathErrorf(BadSignature, depth, "the signature on the certificate does not verify with its issuer's key"))
	case err != nil:
	case s.o.Strict && c.contradicts:
		s.fail(rankSignature, chain, pathErrorf(BadConstraints, depth, "the authorityKeyIdentifier names another key than the issuer's"))
	case c.anchor:
		s.consider(append(slices.Clone(chain), c.cert))
	default:
		s.extend(append(slices.Clone(chain), c.cert))
	}
}

// verify checks a signature once, however many paths it is part of.
func (s *search) verify(child, issuer *x509.Certificate) error {
	for _, m := range s.made {
		if m.child == child && m.issuer == issuer {
			return m.err
		}
	}
	s.tries++
	err := s.o.Algorithms.Verify(issuer.PublicKey, child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature)
	s.made = append(s.made, signedBy{child, issuer, err})
	return err
}

type candidate struct {
	cert        *x509.Certificate
	anchor      bool
	byKey       bool // the key identifiers name this very key
	contradicts bool // they name another
}

// candidates lists certificates whose subject is the child's issuer: those that the key identifiers name first,
// then those that are valid at the instant, anchors before intermediates.
func (s *search) candidates(child *x509.Certificate) []candidate {
	if all, known := s.issuers[child]; known {
		return all
	}
	var all []candidate
	add := func(list []*x509.Certificate, anchor bool) {
		for _, c := range list[:min(len(list), maxPathPool)] {
			if c == nil || !SameName(c.RawSubject, child.RawIssuer) {
				continue
			}
			both := len(child.AuthorityKeyId) > 0 && len(c.SubjectKeyId) > 0
			byKey := both && bytes.Equal(child.AuthorityKeyId, c.SubjectKeyId)
			all = append(all, candidate{c, anchor, byKey, both && !byKey})
		}
	}
	add(s.o.Anchors, true)
	add(s.o.Intermediates, false)
	if len(all) > 1 {
		slices.SortStableFunc(all, func(a, b candidate) int { return s.order(a) - s.order(b) })
	}
	if s.steps > 0 {
		if s.issuers == nil {
			s.issuers = map[*x509.Certificate][]candidate{}
		}
		s.issuers[child] = all
	}
	return all
}

func (s *search) order(c candidate) (n int) {
	if !c.byKey {
		n += 2
	}
	if s.at.Before(c.cert.NotBefore) || s.at.After(c.cert.NotAfter) {
		n++
	}
	return n
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
	s.paths++
	p, err := s.checkChain(chain)
	if err != nil {
		s.fail(rankAnchored, chain, err)
		return
	}
	if err := checkStatus(s.ctx, p, s.o); err != nil {
		if s.rank < rankStatus {
			s.failedPath = p
		}
		s.fail(rankStatus, chain, err)
		return
	}
	s.found = p
}
