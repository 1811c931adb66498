package signature

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Input is what is to be judged.
type Input struct {
	Signature    []byte              // CMS SignedData, BER or DER
	Content      io.Reader           // the document, read once to its end; nil where it is embedded
	Digest       []byte              // in place of Content: its digest with DigestHash; signatures with attributes only
	DigestHash   crypto.Hash         // SHA-256, SHA-384 or SHA-512
	Certificates []*x509.Certificate // certificates that may be the signer's or its authority's, beside the embedded ones
}

// Policy says against what it is judged. The zero value trusts nobody and passes nothing.
type Policy struct {
	Anchors     []*x509.Certificate // CA certificates that are trusted as they are
	AnchorsNone bool                // leave trust out: judge integrity only, never pass
	At          time.Time           // the instant asked about, civil time; required
	Revocation  cert.Revocation     // nil: status is not checked and nothing passes
	Kind        jitsuin.CertKind    // the kind of certificate asked for; "" means the signature certificate
	AnyKind     bool                // also accept certificates outside the JPKI profiles; never the other kind
}

// maxIntermediates is how many CA certificates from a signature take part in the search for a path.
const maxIntermediates = 16

// Verify judges every signature in in and reports. A bad signature, whatever is bad about it, gives
// a report and no error; an error means that nothing was judged: ctx ended, the content
// could not be read, or the policy has no instant.
func Verify(ctx context.Context, in Input, p Policy) (*Report, error) {
	if p.At.IsZero() {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "policy-at", "the policy names no instant to be judged at")
	}
	if p.Kind == "" {
		p.Kind = jitsuin.SignCert
	}
	r := &Report{At: p.At.UTC(), AnchorsNone: p.AnchorsNone, Signatures: []Signature{}}
	sd, err := cms.Parse(in.Signature)
	if err != nil {
		return r.unread(err), nil
	}
	digests, err := in.digests(ctx, sd)
	if err != nil {
		return nil, err
	}
	v := verifier{in: in, policy: p, sd: sd, digests: digests}
	for _, s := range sd.Signers {
		one, err := v.signature(ctx, s)
		if err != nil {
			return nil, err
		}
		r.Signatures = append(r.Signatures, one)
	}
	r.conclude()
	return r, nil
}

// digests reads the content, or takes its digest as given.
func (in Input) digests(ctx context.Context, sd *cms.SignedData) (*cms.Digests, error) {
	switch {
	case in.Digest == nil:
		return sd.Digest(ctx, in.Content)
	case in.Content != nil:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "digest", "give the content or its digest, not both")
	}
	return sd.DigestGiven(ctx, in.DigestHash, in.Digest)
}

// unread concludes a report on input that could not be read.
func (r *Report) unread(err error) *Report {
	r.Verdict, r.SubIndication = Malformed, FormatFailure
	reason := reasonOf("malformed")
	if jitsuin.KindOf(err) == jitsuin.Unsupported {
		r.Verdict, r.SubIndication = Unsupported, noSubIndication
		reason = reasonOf("unsupported-form")
	}
	r.Reasons = []Reason{reason.with(err.Error())}
	return r
}

// conclude takes the top level from the signatures: the worst verdict, the weakest integrity.
func (r *Report) conclude() {
	if len(r.Signatures) == 0 {
		r.Verdict, r.SubIndication, r.Integrity, r.Format = Failed, FormatFailure, Broken, FormatCMS
		r.Reasons = []Reason{reasonOf("no-signature")}
		return
	}
	worst := &r.Signatures[0]
	r.Format, r.Integrity = FormatCAdES, Intact
	for i := range r.Signatures {
		s := &r.Signatures[i]
		if s.Indication.severity() > worst.Indication.severity() {
			worst = s
		}
		if s.Format == FormatCMS {
			r.Format = FormatCMS
		}
		if s.Integrity == Broken || s.Integrity == "" && r.Integrity == Intact {
			r.Integrity = s.Integrity
		}
	}
	r.Verdict, r.SubIndication, r.Reasons = worst.Indication, worst.SubIndication, worst.Reasons
	r.Chain, r.Revocation = &worst.Chain, &worst.Revocation
}

// verifier holds what all signatures of one document share.
type verifier struct {
	in      Input
	policy  Policy
	sd      *cms.SignedData
	digests *cms.Digests
}

// signature judges one signature: first the bytes, then the certificate, then the conclusion.
func (v *verifier) signature(ctx context.Context, s *cms.SignerInfo) (Signature, error) {
	result := v.sd.Verify(s, v.digests, v.in.Certificates)
	one := v.describe(s, result)
	all, weak := one.takeChecks(result)
	all = append(all, v.separate(&one, s)...)
	if c := result.Certificate; c != nil {
		more, err := v.trust(ctx, &one, c)
		if err != nil {
			return one, err
		}
		all = append(all, more...)
	}
	all = append(all, weak...)
	w := worst(all)
	one.Indication, one.SubIndication = w.verdict, w.sub
	one.Reasons = reasonsOf(w, all)
	one.addItems()
	if t := one.SigningTime; t != nil && t.At.After(v.policy.At.Add(clockTolerance)) {
		one.Reasons = append(one.Reasons, reasonOf("time-ahead"))
	}
	return one, nil
}

// clockTolerance is how far a claimed time may lie ahead before it is remarked on.
const clockTolerance = 5 * time.Minute

// describe fills in what the signature says of itself.
func (v *verifier) describe(s *cms.SignerInfo, result *cms.Result) Signature {
	one := Signature{
		Format: FormatCMS, Certificate: result.Certificate, Checks: []Check{},
		Algorithms: Algorithms{Digest: cms.HashName(result.Digest), Signature: result.Algorithm, Key: result.Key},
		Chain:      Chain{Path: []string{}},
		Revocation: Revocation{Status: cert.NotChecked, Source: cert.SourceNone},
	}
	if s.CAdES() {
		one.Format = FormatCAdES
	}
	if at, present, ok := s.SigningTime(); present && ok {
		one.SigningTime = &SigningTime{At: at, Proof: "claimed"}
		if s.CAdES() {
			one.Level = "B-B"
		}
	}
	for _, a := range s.Unsigned {
		one.Unsigned = append(one.Unsigned, a.Type.String())
	}
	if c := result.Certificate; c != nil {
		kind, _ := cert.KindOf(c)
		one.Signer = &Signer{Kind: kind, Subject: nameOf(c.RawSubject), Issuer: nameOf(c.RawIssuer),
			NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Restricted: &Restricted{Serial: c.SerialNumber.Text(16)}}
	}
	one.Covers = v.covers(result)
	return one
}

// covers says which bytes are signed, nil where they are not at hand.
func (v *verifier) covers(result *cms.Result) *Covered {
	d := v.digests
	if d == nil {
		return nil
	}
	c := &Covered{Content: "detached", Whole: true, Bytes: max(d.Size, 0), ContentType: v.sd.ContentType.String()}
	switch {
	case v.sd.Embedded:
		c.Content = "embedded"
	case d.Size < 0:
		c.Content = "digest"
	}
	if sum := d.Sum(result.Digest); sum != nil {
		c.DigestAlg, c.Digest = cms.HashName(result.Digest), hex.EncodeToString(sum)
	}
	return c
}

// takeChecks copies the checks of the syntax and tells what they leave of integrity. What is only
// weak comes apart: it decides nothing before trust has been judged.
func (one *Signature) takeChecks(result *cms.Result) (all, weak []conclusion) {
	one.Integrity = Intact
	for _, c := range result.Checks {
		one.Checks = append(one.Checks, Check{c.What, c.Expected, c.Got, c.OK})
		if c.OK {
			continue
		}
		if c.Fault == cms.FaultWeak {
			weak = append(weak, faults[c.Fault])
			continue
		}
		all = append(all, faults[c.Fault])
		left, known := integrities[c.Fault]
		switch {
		case !known:
			one.Integrity = Broken
		case left == "" && one.Integrity == Intact:
			one.Integrity = ""
		}
	}
	return all, weak
}

// separate keeps the login challenge and documents apart: a direct signature over a challenge's
// message is no signature over a document (see Challenge).
func (v *verifier) separate(one *Signature, s *cms.SignerInfo) []conclusion {
	if s.HasSigned || v.digests == nil || !isChallengeMessage(v.digests.Head) {
		return nil
	}
	one.Checks = append(one.Checks, Check{"domain", "a document", "a login challenge", false})
	one.Integrity = Broken
	return []conclusion{faults[cms.FaultAmbiguous]}
}

// trust judges the certificate and gives the conclusions.
func (v *verifier) trust(ctx context.Context, one *Signature, c *x509.Certificate) ([]conclusion, error) {
	p := v.policy
	all := one.checkKind(c, p)
	if p.AnchorsNone {
		one.Chain.Reason = "not-asked: trust was left out on request"
		return append(all, conclusion{Indeterminate, NoCertificateChain, "anchors-none"}), nil
	}
	o := cert.PathOptions{Anchors: p.Anchors, Intermediates: v.authorities(), At: p.At, Kind: p.Kind, Revocation: p.Revocation}
	if p.AnyKind {
		o.Kind = ""
	}
	path, err := cert.ValidatePath(ctx, c, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	one.takePath(path, err)
	var failed *cert.PathError
	switch {
	case errors.As(err, &failed):
		all = append(all, pathConclusion(failed))
	case err != nil:
		all = append(all, conclusion{Indeterminate, ChainGeneral, "chain-malformed"})
	case path == nil || path.Status.State == cert.NotChecked:
		all = append(all, conclusion{Indeterminate, TryLater, "status-not-checked"})
	case path.Status.State != cert.Good:
		all = append(all, conclusion{Indeterminate, TryLater, "status-unknown"})
	}
	return all, nil
}

// checkKind refuses what the certificate itself says that it is not for, whoever vouches for it.
func (one *Signature) checkKind(c *x509.Certificate, p Policy) []conclusion {
	const signing = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if c.KeyUsage != 0 && c.KeyUsage&signing == 0 {
		one.Checks = append(one.Checks, Check{"key-usage", "digitalSignature or nonRepudiation", "neither", false})
		return []conclusion{paths[cert.BadUsage]}
	}
	kind, known := cert.KindOf(c)
	if known {
		one.Checks = append(one.Checks, Check{"certificate-kind", string(p.Kind), string(kind), kind == p.Kind})
	}
	if known && kind != p.Kind {
		return []conclusion{paths[cert.WrongKind]}
	}
	return nil
}

// authorities gives the CA certificates that came with the document.
func (v *verifier) authorities() []*x509.Certificate {
	var all []*x509.Certificate
	for _, list := range [][]*x509.Certificate{v.in.Certificates, v.sd.Certificates} {
		for _, c := range list {
			if c.IsCA && len(all) < maxIntermediates {
				all = append(all, c)
			}
		}
	}
	return all
}

// takePath copies path and status into the report.
func (one *Signature) takePath(path *cert.Path, err error) {
	var failed *cert.PathError
	errors.As(err, &failed)
	statusOnly := failed != nil && (failed.Code == cert.RevokedCode && failed.Depth == 0 ||
		failed.Code == cert.StatusUnknown || failed.Code == cert.StatusStale)
	one.Chain.OK = path != nil && path.Anchor != nil && (err == nil || statusOnly)
	if failed != nil && !one.Chain.OK {
		one.Chain.Reason = string(failed.Code) + ": " + failed.Message
	}
	one.Checks = append(one.Checks, Check{"chain", "a path to a trust anchor", orWord(one.Chain.Reason, "found"), one.Chain.OK})
	if path == nil {
		return
	}
	for _, c := range path.Chain {
		one.Chain.Path = append(one.Chain.Path, nameOf(c.RawSubject))
	}
	if a := path.Anchor; a != nil {
		sum := sha256.Sum256(a.Raw)
		one.Chain.Anchor, one.Chain.AnchorSHA256 = one.Chain.Path[len(one.Chain.Path)-1], hex.EncodeToString(sum[:])
	}
	st := path.Status
	one.Revocation = Revocation{Status: st.State, Source: st.Source, ThisUpdate: timeOf(st.ThisUpdate),
		NextUpdate: timeOf(st.NextUpdate), RevokedAt: timeOf(st.RevokedAt), Reason: st.Reason, Why: st.Why}
	one.Checks = append(one.Checks, Check{"status", string(cert.Good), string(st.State), st.State == cert.Good})
}

// addItems adds the four items where the certificate is the authority's word, the key was used,
// and nothing forbids to go on: a lapsed certificate's items are nobody's to use (art. 19).
func (one *Signature) addItems() {
	if one.Indication == Failed || !one.Chain.OK || one.Integrity != Intact || one.Signer.Kind != jitsuin.SignCert {
		return
	}
	if items, err := cert.ItemsOf(one.Certificate); err == nil {
		one.Items = &items
	}
}

// nameOf writes a DER name as RFC 4514 does; pkix.Name would join the two localities of a
// resident's name to one part.
func nameOf(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "(a name that cannot be read)"
	}
	return name.String()
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func orWord(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
