package cert

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"golang.org/x/crypto/cryptobyte"
)

// checkChain applies everything but signatures and status to a chain that ends in an anchor.
func (s *search) checkChain(chain []*x509.Certificate) (*Path, *PathError) {
	path := make([]*details, len(chain))
	for i := len(chain) - 1; i >= 0; i-- {
		d, err := s.read(chain[i], i)
		if err != nil {
			return nil, err
		}
		path[i] = d
		if err := s.checkEach(d, i); err != nil {
			return nil, err
		}
	}
	for i := len(path) - 1; i > 0; i-- {
		if err := checkIssuer(path, i); err != nil {
			return nil, err
		}
	}
	if err := checkKind(chain[0], s.o.Kind); err != nil {
		return nil, err
	}
	if s.o.Strict {
		if err := checkAnchor(path); err != nil {
			return nil, err
		}
		if err := checkKeyIDs(path); err != nil {
			return nil, err
		}
	}
	if err := checkPurpose(path, s.o.Purpose); err != nil {
		return nil, err
	}
	if depth, problem := checkNames(path); problem != "" {
		return nil, pathErrorf(BadConstraints, depth, "%s", problem)
	}
	policies, any, depth, problem := checkPolicies(path, s.o.Policies)
	if problem != "" {
		return nil, pathErrorf(BadConstraints, depth, "%s", problem)
	}
	kind, _ := KindOf(chain[0])
	return &Path{Chain: chain, Anchor: chain[len(chain)-1], Kind: kind, Policies: policyIDs(policies), AnyPolicy: any}, nil
}

func policyIDs(ders []string) (ids []asn1.ObjectIdentifier) {
	for _, der := range ders {
		in := cryptobyte.String("\x06" + string([]byte{byte(len(der))}) + der)
		var id asn1.ObjectIdentifier
		if in.ReadASN1ObjectIdentifier(&id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *search) checkEach(d *details, depth int) *PathError {
	if err := s.o.Algorithms.CheckKey(d.cert.PublicKey); err != nil {
		return &PathError{Code: BadAlgorithm, Depth: depth, Message: err.Error()}
	}
	switch side := d.validAt(s.at); {
	case side < 0:
		return pathErrorf(NotYetValid, depth, "the certificate is valid from %s, not yet at %s", stamp(d.cert.NotBefore), stamp(s.at))
	case side > 0:
		return pathErrorf(Expired, depth, "the certificate expired at %s, before %s", stamp(d.cert.NotAfter), stamp(s.at))
	case d.unprocessed():
		return pathErrorf(BadConstraints, depth, "a critical extension is not understood")
	case s.o.Strict && d.form+d.breach != "":
		return pathErrorf(BadConstraints, depth, "the certificate breaks the profile: %s", cmp.Or(d.form, d.breach))
	}
	if k, ok := d.cert.PublicKey.(*rsa.PublicKey); ok && s.o.Strict && k.N.BitLen()%8 != 0 {
		return pathErrorf(BadAlgorithm, depth, "an RSA key of %d bits is of no usual length", k.N.BitLen())
	}
	return nil
}

func stamp(t time.Time) string { return t.In(jitsuin.JST).Format(time.RFC3339) }

// checkIssuer checks that path[i] may issue path[i-1] (RFC 5280 §6.1.4 k to n).
func checkIssuer(path []*details, i int) *PathError {
	d := path[i]
	if !d.isCA {
		return pathErrorf(BadConstraints, i, "the issuer is not a certification authority: basicConstraints does not say CA")
	}
	if d.has(extKeyUsage) && d.keyUsage&bitCertSign == 0 {
		return pathErrorf(BadUsage, i, "the issuer's key usage has no keyCertSign")
	}
	below := 0
	for _, c := range path[1:i] {
		if !c.selfIssued {
			below++
		}
	}
	if d.pathLen >= 0 && below > d.pathLen {
		return pathErrorf(BadConstraints, i, "the issuer allows %d intermediates below it, there are %d", d.pathLen, below)
	}
	return nil
}

// checkAnchor minds what is nobody's business but of those who choose anchors: basicConstraints that are not critical
// pass in an intermediate, where suites call them valid, and a certificate that is its own path must be
// that of a CA, signed by itself.
func checkAnchor(path []*details) *PathError {
	i := len(path) - 1
	switch d := path[i]; {
	case d.critical&extBasic == 0 && d.isCA:
		return pathErrorf(BadConstraints, i, "the anchor's basicConstraints are not critical")
	case i == 0 && !(d.isCA && d.selfIssued && d.signedByItself()):
		return pathErrorf(NoIssuer, i, "the certificate is trusted, and no path leads to it")
	}
	return nil
}

// checkKeyIDs wants key identifiers wherever a path uses any (RFC 5280 §4.2.1.1, §4.2.1.2): each certificate but a
// self-signed anchor names its issuer's key, and each CA its own. A path without any is older than the rule.
func checkKeyIDs(path []*details) *PathError {
	used := false
	for _, d := range path {
		used = used || d.has(extAKI|extSKI)
	}
	for i, d := range path {
		switch {
		case !used:
		case d.isCA && !d.has(extSKI):
			return pathErrorf(BadConstraints, i, "a CA without subjectKeyIdentifier")
		case i == len(path)-1 && d.signedByItself():
			if d.issuerKey != nil && d.keyID != nil && !bytes.Equal(d.issuerKey, d.keyID) {
				return pathErrorf(BadConstraints, i, "a self-signed certificate names another key as its issuer's")
			}
		case !d.has(extAKI):
			return pathErrorf(BadConstraints, i, "a certificate without authorityKeyIdentifier")
		case i < len(path)-1 && !d.namesIssuer(path[i+1]):
			return pathErrorf(BadConstraints, i, "the authorityKeyIdentifier names another certificate than the issuer's")
		}
	}
	return nil
}

func (d *details) signedByItself() bool {
	return d.cert.CheckSignature(d.cert.SignatureAlgorithm, d.cert.RawTBSCertificate, d.cert.Signature) == nil
}

// namesIssuer compares authorityCertIssuer and authorityCertSerialNumber, where they are.
func (d *details) namesIssuer(issuer *details) bool {
	if d.issuerSN == nil {
		return true
	}
	if !bytes.Equal(d.issuerSN, integerBytes(issuer.cert.SerialNumber.Bytes())) {
		return false
	}
	for _, n := range d.issuerName {
		if n.tag == nameDirectory && SameName(n.value, issuer.cert.RawIssuer) {
			return true
		}
	}
	return false
}

const (
	anyPurposeDER   = "\x55\x1d\x25\x00"
	timeStampingDER = "\x2b\x06\x01\x05\x05\x07\x03\x08"
	ocspSigningDER  = "\x2b\x06\x01\x05\x05\x07\x03\x09"
)

// checkPurpose wants the leaf to be for the purpose, and every CA that lists purposes to list it too, or any.
// Time-stamping and OCSP must be said in so many words by the leaf (RFC 3161 §2.3, RFC 6960 §4.2.2.2).
func checkPurpose(path []*details, purpose asn1.ObjectIdentifier) *PathError {
	if purpose == nil {
		return nil
	}
	want, ok := oidContents(purpose)
	for i, d := range path {
		named := slices.Contains(d.purposes, want)
		special := i == 0 && (want == timeStampingDER || want == ocspSigningDER)
		open := !d.has(extEKU) || slices.Contains(d.purposes, anyPurposeDER)
		if !ok || !named && (special || !open) {
			return pathErrorf(BadUsage, i, "the certificate is not for the purpose %v", purpose)
		}
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

// checkStatus asks for every certificate below the anchor, the leaf first, and keeps the leaf's answer.
func checkStatus(ctx context.Context, p *Path, o PathOptions) *PathError {
	p.Status = Status{State: NotChecked, Source: SourceNone}
	if o.Revocation == nil {
		return nil
	}
	for i := range len(p.Chain) - 1 {
		st, err := statusOf(ctx, p.Chain, i, o)
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

func statusOf(ctx context.Context, chain []*x509.Certificate, i int, o PathOptions) (Status, error) {
	if r, ok := o.Revocation.(PathRevocation); ok {
		return r.StatusInPath(ctx, chain, i, o.At)
	}
	return o.Revocation.Status(ctx, chain[i], chain[i+1], o.At)
}

// JudgeAt applies the instant asked about to an answer: a revocation after it leaves the certificate
// good at it, one up to it does not; a good answer whose time is over is stale and so unknown, unless it is
// marked as Overdue;
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
	if st.State == Good && !st.Overdue && !st.NextUpdate.IsZero() && at.After(st.NextUpdate) {
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
