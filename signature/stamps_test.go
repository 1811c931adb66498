package signature

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

var stampedBytes = []byte("what existed at a time")

// unit issues a unit of the throwaway authority for its own key, with its purpose and change.
func unit(t testing.TB, root signtest.Identity, change func(*x509.Certificate)) *signtest.TSA {
	t.Helper()
	a := signtest.NewTSA(t)
	c := signtest.Leaf(t, root, a.Unit.Key, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{signtest.Purposes(true, signtest.TimeStamping)}
		if change != nil {
			change(c)
		}
	})
	return &signtest.TSA{Root: root, Unit: signtest.Identity{Certificate: c, Key: a.Unit.Key}}
}

func until(end time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = end }
}

func revoked(a *signtest.TSA, at time.Time, reason jitsuin.RevocationReason) cert.Revocation {
	s := signtest.Good()
	s.Of = map[string]cert.Status{a.Unit.Certificate.SerialNumber.Text(16): {State: cert.Revoked, Source: "crl", RevokedAt: at, Reason: reason}}
	return s
}

func TestTimeStampsAreJudged(t *testing.T) {
	a, p, now := signtest.NewTSA(t), signtest.New(t), signtest.Now
	stamped := now.Add(-time.Hour)
	der := a.Stamp(t, stampedBytes, stamped)
	short, late := unit(t, a.Root, until(now.Add(time.Hour))), unit(t, a.Root, func(c *x509.Certificate) { c.NotBefore = now.Add(-time.Minute) })
	limited := signtest.NewIdentity(t, a.Root, 256, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	below := unit(t, limited, nil)
	belowIssuer := below.Issuer()
	belowIssuer.Others = []*x509.Certificate{limited.Certificate}
	sum := sha256.Sum256(stampedBytes)
	pass := conclusion{Passed, "", "passed-stamp"}
	for _, c := range []struct {
		name   string
		der    []byte
		change func(in *Input, p *Policy)
		want   conclusion
	}{
		{"as it is", der, nil, pass},
		{"in a response", response(t, tsp.Grant(der)), nil, pass},
		{"its digest alone", der, func(in *Input, _ *Policy) { in.Content, in.Digest, in.DigestHash = nil, sum[:], crypto.SHA256 }, pass},
		{"with status", der, func(_ *Input, p *Policy) { p.Revocation = signtest.Good() }, pass},
		{"by the anchors for time", der, func(_ *Input, p *Policy) { p.TimeAnchors, p.Anchors = p.Anchors, []*x509.Certificate{} }, pass},
		{"with a status that nobody knows", der, func(_ *Input, p *Policy) { p.Revocation = signtest.Status{Answer: cert.Status{State: cert.Unknown}} }, pass},
		{"made just now by a clock that is ahead", a.Stamp(t, stampedBytes, now.Add(20*time.Second)), nil, pass},
		{"revoked in good order afterwards", der, func(_ *Input, p *Policy) { p.Revocation = revoked(a, now.Add(-time.Minute), jitsuin.ReasonSuperseded) }, pass},

		{"over another document", der, func(in *Input, _ *Policy) { in.Content = bytes.NewReader(stampedBytes[1:]) }, conclusion{Failed, HashFailure, "content-changed"}},
		{"another digest", der, func(in *Input, _ *Policy) {
			in.Content, in.Digest, in.DigestHash = nil, make([]byte, 32), crypto.SHA256
		}, conclusion{Failed, HashFailure, "content-changed"}},
		{"a digest of another algorithm", der, func(in *Input, _ *Policy) {
			in.Content, in.Digest, in.DigestHash = nil, make([]byte, 48), crypto.SHA384
		}, conclusion{Indeterminate, SignedDataNotFound, "no-content"}},
		{"nothing given", der, func(in *Input, _ *Policy) { in.Content = nil }, conclusion{Indeterminate, SignedDataNotFound, "no-content"}},
		{"an authority that nobody trusts", der, func(_ *Input, q *Policy) { q.Anchors = []*x509.Certificate{p.Root.Certificate} }, conclusion{Indeterminate, NoCertificateChain, "no-issuer"}},
		{"an authority that is not trusted for time", der, func(_ *Input, q *Policy) { q.TimeAnchors = []*x509.Certificate{p.Root.Certificate} }, conclusion{Indeterminate, NoCertificateChain, "no-issuer"}},
		{"nobody trusted for time", der, func(_ *Input, q *Policy) { q.TimeAnchors = []*x509.Certificate{} }, conclusion{Indeterminate, NoCertificateChain, "no-issuer"}},
		{"a time ahead", a.Stamp(t, stampedBytes, now.Add(2*time.Minute)), nil, conclusion{Failed, NotYetValid, "stamp-ahead"}},
		{"asked about an earlier instant", der, func(_ *Input, p *Policy) { p.At = stamped.Add(-time.Hour) }, conclusion{Failed, NotYetValid, "stamp-ahead"}},
		{"asked after the certificate's end", short.Stamp(t, stampedBytes, stamped), func(_ *Input, p *Policy) { p.At = now.Add(2 * time.Hour) }, conclusion{Indeterminate, OutOfBoundsNoPOE, "stamp-expired"}},
		{"a time before the certificate", late.Stamp(t, stampedBytes, stamped), nil, conclusion{Failed, ChainConstraints, "stamp-outside"}},
		{"a time after the certificate", short.Stamp(t, stampedBytes, now.Add(90*time.Minute)), func(_ *Input, p *Policy) { p.At = now.Add(2 * time.Hour) }, conclusion{Failed, ChainConstraints, "stamp-outside"}},
		{"revoked", der, func(_ *Input, p *Policy) {
			p.Revocation = revoked(a, stamped.Add(-time.Hour), jitsuin.ReasonSuperseded)
		}, conclusion{Failed, Revoked, "revoked"}},
		{"revoked afterwards because the key was lost", der, func(_ *Input, p *Policy) {
			p.Revocation = revoked(a, now.Add(-time.Minute), jitsuin.ReasonKeyCompromise)
		}, conclusion{Failed, Revoked, "revoked"}},
		{"revoked afterwards without a reason", der, func(_ *Input, p *Policy) { p.Revocation = revoked(a, now.Add(-time.Minute), "") }, conclusion{Failed, Revoked, "revoked"}},
		{"an authority below one that is for something else", issued(t, belowIssuer, stamped), nil, conclusion{Indeterminate, ChainConstraints, "bad-constraints"}},
		{"by somebody without the purpose", stampBy(t, p.P384, stamped), func(_ *Input, q *Policy) { q.Anchors = []*x509.Certificate{p.Root.Certificate} }, conclusion{Failed, FormatFailure, "format"}},
		{"a refusal", response(t, tsp.Refuse(&tsp.Refusal{Failure: tsp.TimeNotAvailable, Text: "no"})), nil, conclusion{Malformed, FormatFailure, "malformed"}},
		{"octets behind it", append(bytes.Clone(der), 0), nil, conclusion{Malformed, FormatFailure, "malformed"}},
		{"trust left out", der, func(_ *Input, p *Policy) { p.AnchorsNone = true }, conclusion{Indeterminate, NoCertificateChain, "anchors-none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Signature: c.der, Format: FormatTST, Content: bytes.NewReader(stampedBytes)}
			policy := Policy{Anchors: []*x509.Certificate{a.Root.Certificate}, At: now}
			if c.change != nil {
				c.change(&in, &policy)
			}
			r, err := Verify(context.Background(), in, policy)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != c.want.verdict || r.SubIndication != c.want.sub || r.Reasons[0].Code != c.want.reason {
				t.Fatalf("%s/%s %s, not %v\n%s", r.Verdict, r.SubIndication, r.Reason, c.want, r.Reason)
			}
			if c.want == pass {
				one := r.Signatures[0]
				if !one.Chain.OK || r.Integrity != Intact || one.SigningTime.Proof != "timestamp" || !one.Timestamps[0].OK || one.Timestamps[0].Accuracy != "1s" {
					t.Fatalf("%+v", one)
				}
			}
		})
	}
	if f := FormatOf(der); f != FormatTST {
		t.Errorf("a token is taken for %s", f)
	}
	if f := FormatOf(response(t, tsp.Grant(der))); f != FormatTST {
		t.Errorf("a response is taken for %s", f)
	}
}

func response(t testing.TB, r *tsp.Response) []byte {
	t.Helper()
	der, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func issued(t testing.TB, i *tsp.Issuer, at time.Time) []byte {
	t.Helper()
	sum := sha256.Sum256(stampedBytes)
	q, err := tsp.NewRequest(crypto.SHA256, sum[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := i.Token(context.Background(), q, big.NewInt(1), at)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func stampBy(t testing.TB, who signtest.Identity, at time.Time) []byte {
	return issued(t, &tsp.Issuer{Certificate: who.Certificate, Key: who.Key, Policy: signtest.TimePolicy}, at)
}

// TestWhatTimeStampsProve judges the time-stamps of a signature.
func TestWhatTimeStampsProve(t *testing.T) {
	a, now := signtest.NewTSA(t), signtest.Now
	old := unit(t, a.Root, until(now.Add(-24*time.Hour))) // its certificate is over
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	over := func(covered []byte) func(crypto.Hash) []byte {
		return func(h crypto.Hash) []byte { d := h.New(); d.Write(covered); return d.Sum(nil) }
	}
	by := func(a *signtest.TSA, kind StampKind, at time.Time) stamped {
		return stamped{kind: kind, token: a.Stamp(t, stampedBytes, at), digest: over(stampedBytes)}
	}
	sealed := func(s stamped) stamped { s.sealed = true; return s }
	with := func(s stamped, change func(*stamped)) stamped { change(&s); return s }
	for _, c := range []struct {
		name   string
		stamps []stamped
		ok     []bool
		proven time.Time // zero: nothing
	}{
		{"one", []stamped{by(a, SignatureStamp, day(1))}, []bool{true}, day(1)},
		{"two: the earlier counts", []stamped{by(a, SignatureStamp, day(1)), by(a, SignatureStamp, day(2))}, []bool{true, true}, day(2)},
		{"of the content, which proves nothing of the signature", []stamped{by(a, ContentStamp, day(3))}, []bool{true}, time.Time{}},
		{"one that is over", []stamped{by(old, SignatureStamp, day(10))}, []bool{false}, time.Time{}},
		{"one that is over, sealed by an archive time-stamp from before", []stamped{sealed(by(old, SignatureStamp, day(10))), by(a, ArchiveStamp, day(5))}, []bool{true, true}, day(10)},
		{"one that is over, sealed too late", []stamped{sealed(by(old, SignatureStamp, day(10))), by(a, ArchiveStamp, now.Add(-time.Hour))}, []bool{false, true}, now.Add(-time.Hour)},
		{"one that is over beside an archive time-stamp that does not cover it", []stamped{by(old, SignatureStamp, day(10)), by(a, ArchiveStamp, day(5))}, []bool{false, true}, day(5)},
		{"one that is over before another of its kind", []stamped{sealed(by(old, SignatureStamp, day(10))), by(a, SignatureStamp, day(5))}, []bool{false, true}, day(5)},
		{"sealed by one that is over itself", []stamped{sealed(by(old, SignatureStamp, day(10))), by(old, ArchiveStamp, day(5))}, []bool{false, false}, time.Time{}},
		{"a chain of seals", []stamped{sealed(by(old, SignatureStamp, day(10))), sealed(by(old, ArchiveStamp, day(8))), by(a, ArchiveStamp, day(5))}, []bool{true, true, true}, day(10)},
		{"a seal in front seals nothing", []stamped{by(a, ArchiveStamp, day(5)), sealed(by(old, SignatureStamp, day(10)))}, []bool{true, false}, day(5)},
		{"over something else", []stamped{with(by(a, SignatureStamp, day(1)), func(s *stamped) { s.digest = over([]byte("else")) })}, []bool{false}, time.Time{}},
		{"over what is not at hand", []stamped{with(by(a, SignatureStamp, day(1)), func(s *stamped) { s.digest = nil })}, []bool{false}, time.Time{}},
		{"in a wrong place", []stamped{with(by(a, SignatureStamp, day(1)), func(s *stamped) { s.fault = "place: it stands where none may be" })}, []bool{false}, time.Time{}},
		{"no time-stamp at all", []stamped{with(by(a, SignatureStamp, day(1)), func(s *stamped) { s.token = []byte{0x30, 0} })}, []bool{false}, time.Time{}},
		{"ahead", []stamped{by(a, SignatureStamp, now.Add(time.Hour))}, []bool{false}, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judgement{policy: Policy{Anchors: []*x509.Certificate{a.Root.Certificate}, At: now}}
			all, proven, err := v.stamps(context.Background(), &finding{stamps: c.stamps})
			if err != nil || len(all) != len(c.ok) {
				t.Fatal(all, err)
			}
			for i, one := range all {
				if one.OK != c.ok[i] || one.OK != (one.Why == "") {
					t.Errorf("%d: ok %v, %s", i, one.OK, one.Why)
				}
			}
			if want := c.proven; !want.IsZero() && !proven.Equal(want.Add(time.Second)) || want.IsZero() && !proven.IsZero() {
				t.Errorf("proven is %s, not %s and a second", proven, want)
			}
		})
	}
	v := judgement{policy: Policy{AnchorsNone: true, At: now}}
	all, proven, err := v.stamps(context.Background(), &finding{stamps: []stamped{by(a, SignatureStamp, day(1))}})
	if err != nil || all[0].OK || !proven.IsZero() {
		t.Errorf("trust left out: %+v %s %v", all, proven, err)
	}
	many := make([]stamped, maxStamps+1)
	for i := range many {
		many[i] = stamped{kind: SignatureStamp, token: nil}
	}
	if all, _, err = v.stamps(context.Background(), &finding{stamps: many}); err != nil || len(all) != len(many) || all[maxStamps].OK {
		t.Errorf("%d time-stamps: %v", len(all), err)
	}
}

// TestTheProvenInstantIsAskedAbout: with Policy.Proven a certificate that expired after a good time-stamp
// is judged as of that time-stamp, and only then.
func TestTheProvenInstantIsAskedAbout(t *testing.T) {
	a, p, now := signtest.NewTSA(t), signtest.New(t), signtest.Now
	expired := signtest.Leaf(t, p.Root, p.P384.Key, until(now.AddDate(0, 0, -2)))
	one := finding{format: FormatCMS, result: &cms.Result{Certificate: expired}, coverage: Whole, modification: Unmodified,
		stamps: []stamped{{kind: SignatureStamp, token: a.Stamp(t, stampedBytes, now.AddDate(0, 0, -3)),
			digest: func(h crypto.Hash) []byte { d := h.New(); d.Write(stampedBytes); return d.Sum(nil) }}}}
	policy := Policy{Anchors: []*x509.Certificate{p.Root.Certificate}, TimeAnchors: []*x509.Certificate{a.Root.Certificate}, At: now, AnyKind: true, Revocation: signtest.Good()}
	for _, c := range []struct {
		name   string
		change func(*Policy)
		want   Verdict
	}{
		{"asked about the proven instant", func(p *Policy) { p.Proven = true }, Passed},
		{"asked about now", func(*Policy) {}, Failed},
		{"no authority for time is trusted", func(p *Policy) { p.Proven, p.TimeAnchors = true, []*x509.Certificate{} }, Failed},
	} {
		q := policy
		c.change(&q)
		got, err := (&judgement{policy: q}).signature(context.Background(), &one)
		if err != nil || got.Indication != c.want {
			t.Errorf("%s: %s %+v %v", c.name, got.Indication, got.Reasons, err)
		}
	}
}
