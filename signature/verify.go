package signature

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
)

// Input is what is to be judged.
type Input struct {
	Signature    []byte              // the whole file, of any format
	Format       Format              // what to read it as; "" tells it from the bytes
	Content      io.Reader           // the document of a detached signature, read once to its end; of XML the one file that it names; nil where it is embedded
	Files        map[string][]byte   // documents that a signature names, by the name that it gives them (XML references, JWS payloads)
	Digest       []byte              // in place of Content: its digest with DigestHash; CMS with signed attributes and time-stamps only
	DigestHash   crypto.Hash         // SHA-256, SHA-384 or SHA-512
	Vouched      bool                // whoever gave Digest holds the content and made it from that: then CMS without signed attributes is judged by it, too
	Certificates []*x509.Certificate // certificates that may be the signer's or its authority's, beside the embedded ones
	Keys         []crypto.PublicKey  // bare keys that may be the signer's, of XML: integrity can be told with them, and nothing more
}

// Policy says against what it is judged. The zero value trusts nobody and passes nothing.
type Policy struct {
	Anchors     []*x509.Certificate // CA certificates that are trusted as they are
	TimeAnchors []*x509.Certificate // those trusted for time-stamps; nil: Anchors
	AnchorsNone bool                // leave trust out: judge integrity only, never pass
	At          time.Time           // the instant asked about, civil time; required
	Proven      bool                // ask about the earliest instant that a good time-stamp proves, if it is before At
	Revocation  cert.Revocation     // nil: status is not checked and nothing passes
	Kind        jitsuin.CertKind    // the kind of certificate asked for; "" means the signature certificate
	AnyKind     bool                // also accept certificates outside the JPKI profiles; never the other kind

	// Embedded makes an answer from the revocation lists and OCSP responses (DER) that came with a
	// signature, asked where Revocation does not know. nil: they are not used.
	Embedded func(crls, ocsps [][]byte) cert.Revocation
}

// maxIntermediates is how many CA certificates from a signature take part in the search for a path.
const maxIntermediates = 16

// reader reads one format into findings. An error that is unreadable speaks of the signature itself and
// becomes a report; any other means that nothing was judged.
type reader func(ctx context.Context, in Input) ([]finding, error)

// unreadable wraps what is wrong with a file as a whole: kind Invalid where it is nothing of the
// format, kind Unsupported where it is and is not judged.
type unreadable struct{ error }

// Unwrap lets the kind of the error be asked for.
func (u unreadable) Unwrap() error { return u.error }

// readers are all formats that are read, by the plain format of each family.
var readers = map[Format]reader{
	FormatCMS:     readCMS,
	FormatJWS:     readJWS,
	FormatPDF:     readPDF,
	FormatTST:     readTST,
	FormatXMLDSig: readXML,
}

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
	format := in.Format.Family()
	if format == "" {
		format = FormatOf(in.Signature)
	}
	read, provided := readers[format]
	if !provided {
		return r.notProvided(format), nil
	}
	found, err := read(ctx, in)
	var whole unreadable
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &whole):
		return r.unread(err), nil
	case err != nil:
		return nil, err
	}
	v := judgement{in: in, policy: p}
	for i := range found {
		one, err := v.signature(ctx, &found[i])
		if err != nil {
			return nil, err
		}
		r.Signatures = append(r.Signatures, one)
	}
	r.conclude(format)
	return r, nil
}

// notProvided is the honest answer to a format that this release does not judge.
func (r *Report) notProvided(f Format) *Report {
	r.Verdict, r.Format = Unsupported, f
	r.SetReasons(reasonOf("unsupported-format").with(string(f)))
	return r
}

// unread concludes a report on input that could not be read.
func (r *Report) unread(err error) *Report {
	r.Verdict, r.SubIndication = Malformed, FormatFailure
	reason := reasonOf("malformed")
	if jitsuin.KindOf(err) == jitsuin.Unsupported {
		r.Verdict, r.SubIndication = Unsupported, noSubIndication
		reason = reasonOf("unsupported-form")
	}
	r.SetReasons(reason.with(err.Error()))
	return r
}

// SetReasons gives the report its reasons, the deciding one first, which is repeated in a line for programs.
func (r *Report) SetReasons(all ...Reason) {
	r.Reasons = all
	if len(all) > 0 {
		r.Reason = all[0].Code + ": " + all[0].EN
	}
}

// conclude takes the top level from the signatures: the worst verdict, the weakest integrity.
func (r *Report) conclude(family Format) {
	r.Format = family
	if len(r.Signatures) == 0 {
		r.Verdict, r.SubIndication, r.Integrity = Failed, FormatFailure, Broken
		r.SetReasons(reasonOf("no-signature"))
		return
	}
	worst, stampsOnly := &r.Signatures[0], true
	r.Format, r.Integrity = FormatTST, Intact
	for i := range r.Signatures {
		s := &r.Signatures[i]
		if s.Format != FormatTST && stampsOnly {
			r.Format, stampsOnly = s.Format, false
		}
		if s.Indication.severity() > worst.Indication.severity() {
			worst = s
		}
		if s.Format == family {
			r.Format = family
		}
		switch {
		case s.Integrity == Broken || s.Modification == Forbidden:
			r.Integrity = Broken
		case s.Integrity == "" && r.Integrity == Intact:
			r.Integrity = ""
		}
	}
	r.Verdict, r.SubIndication = worst.Indication, worst.SubIndication
	r.SetReasons(worst.Reasons...)
	r.Chain, r.Revocation = &worst.Chain, &worst.Revocation
	if stampsOnly && family != FormatTST && r.Verdict == Passed {
		// Anybody can have a document stamped: that is nobody's signature.
		r.Verdict, r.SubIndication = Indeterminate, SigConstraints
		r.SetReasons(reasonOf("only-stamps"))
	}
}

// judgement is what all signatures of one document share while they are judged.
type judgement struct {
	in     Input
	policy Policy
}

// signature judges one signature: first the bytes, then the certificate, then the conclusion.
func (v *judgement) signature(ctx context.Context, f *finding) (Signature, error) {
	one := f.describe()
	all, weak := one.takeChecks(f.result)
	all = append(all, f.further...)
	at, err := v.time(ctx, &one, f)
	if err != nil {
		return one, err
	}
	if c := f.result.Certificate; c != nil {
		more, err := v.trust(ctx, &one, f, at)
		if err != nil {
			return one, err
		}
		all = append(all, more...)
	}
	all = append(all, weak...)
	w := worst(all)
	one.Indication, one.SubIndication = w.verdict, w.sub
	one.Reasons = reasonsOf(w, all)
	for _, c := range weak {
		one.warn(c.reason)
	}
	one.addItems()
	one.concludeTime(f)
	if t := one.SigningTime; t != nil && t.At.After(v.policy.At.Add(clockTolerance)) {
		one.Reasons = append(one.Reasons, reasonOf("time-ahead"))
		one.warn("time-ahead")
	}
	return one, nil
}

// warn adds a warning once.
func (one *Signature) warn(code string) {
	for _, had := range one.Warnings {
		if had.Code == code {
			return
		}
	}
	one.Warnings = append(one.Warnings, reasonOf(code))
}

// clockTolerance is how far a claimed time may lie ahead before it is remarked on.
const clockTolerance = 5 * time.Minute

// usualChecks is how many checks trust adds to those of the bytes.
const usualChecks = 4

// takeChecks copies the checks of the syntax and tells what they leave of integrity. What is only
// weak comes apart: it decides nothing before trust has been judged.
func (one *Signature) takeChecks(result *cms.Result) (all, weak []conclusion) {
	one.Integrity = Intact
	one.Checks = slices.Grow(one.Checks, len(result.Checks)+usualChecks)
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

// trust judges the certificate and gives the conclusions.
func (v *judgement) trust(ctx context.Context, one *Signature, f *finding, at time.Time) ([]conclusion, error) {
	if f.token != nil {
		return v.trustTime(ctx, one, f)
	}
	p, c := v.policy, f.result.Certificate
	all := one.checkKind(c, p)
	if p.AnchorsNone {
		one.Chain.Reason = "not-asked: trust was left out on request"
		return append(all, conclusion{Indeterminate, NoCertificateChain, "anchors-none"}), nil
	}
	o := cert.PathOptions{Anchors: p.Anchors, Intermediates: v.authorities(f), At: at, Kind: p.Kind, Revocation: p.revocation(f)}
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
func (v *judgement) authorities(f *finding) []*x509.Certificate {
	var all []*x509.Certificate
	for _, list := range [][]*x509.Certificate{v.in.Certificates, f.embedded} {
		for _, c := range list {
			if c.IsCA && len(all) < maxIntermediates {
				all = append(all, c)
			}
		}
	}
	return all
}

// revocation is who is asked about status: the policy's source, then what came with the signature.
func (p *Policy) revocation(f *finding) cert.Revocation {
	if p.Embedded == nil || len(f.crls)+len(f.ocsps) == 0 {
		return p.Revocation
	}
	return inTurn{p.Revocation, p.Embedded(f.crls, f.ocsps)}
}

// inTurn asks one after the other until one knows.
type inTurn []cert.Revocation

// Status implements cert.Revocation.
func (all inTurn) Status(ctx context.Context, c, issuer *x509.Certificate, at time.Time) (st cert.Status, err error) {
	st = cert.Status{State: cert.Unknown, Source: cert.SourceNone, Why: "nobody was asked"}
	for _, r := range all {
		if r == nil {
			continue
		}
		if st, err = r.Status(ctx, c, issuer, at); err != nil || st.State == cert.Good || st.State == cert.Revoked {
			return st, err
		}
	}
	return st, nil
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

// stamp writes an instant as people in Japan read it.
func stamp(t time.Time) string { return t.In(jitsuin.JST).Format("2006-01-02 15:04:05 JST") }
