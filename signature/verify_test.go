package signature_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

var document = []byte(strings.Repeat("賃貸借契約書 a contract that somebody signs\n", 40))

// detached signs with package cms, which signs with any certificate: the tests need wrong ones.
func detached(t testing.TB, who signtest.Identity, others ...*x509.Certificate) []byte {
	t.Helper()
	s := &cms.Signer{Certificate: who.Certificate, Key: who.Key, Others: others}
	der, err := s.Detached(context.Background(), bytes.NewReader(document), signtest.Now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// policy trusts the sandbox, with good and fresh status.
func policy(j *signtest.JPKI) signature.Policy {
	return signature.Policy{Anchors: []*x509.Certificate{j.SignCA.Certificate, j.AuthCA.Certificate},
		At: signtest.Now, Revocation: signtest.Good()}
}

func report(t testing.TB, der, content []byte, p signature.Policy) *signature.Report {
	t.Helper()
	in := signature.Input{Signature: der}
	if content != nil {
		in.Content = bytes.NewReader(content)
	}
	r, err := signature.Verify(context.Background(), in, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAResidentSignsAndAServiceVerifies(t *testing.T) {
	j := signtest.NewJPKI(t)
	for name, who := range map[string]signtest.Identity{"RSA-2048": j.Sign, "P-384": j.P384} {
		t.Run(name, func(t *testing.T) {
			d := signature.DocumentSigner{Certificate: who.Certificate, Key: who.Key}
			der, err := d.Embedded(context.Background(), document, signtest.Now)
			if err != nil {
				t.Fatal(err)
			}
			r := report(t, der, nil, policy(j))
			if r.Verdict != signature.Passed || r.SubIndication != "" || r.ExitCode() != 0 || r.Format != signature.FormatCAdES || r.Integrity != signature.Intact {
				t.Fatalf("%+v", r)
			}
			s := r.Signatures[0]
			if s.Items == nil || s.Items.FourItems != signtest.Hanako || s.Signer.Kind != jitsuin.SignCert || s.Level != "B-B" {
				t.Errorf("signer %+v, items %+v", s.Signer, s.Items)
			}
			if !s.Covers.Whole || s.Covers.Bytes != int64(len(document)) || s.Covers.Content != "embedded" || s.SigningTime.Proof != "claimed" || !s.SigningTime.At.Equal(signtest.Now) {
				t.Errorf("covers %+v at %+v", s.Covers, s.SigningTime)
			}
			if s.Signer.Subject != "CN=91201EXAMPLE0001,L=Mihon-shi,L=Mihon-ken,C=JP" {
				t.Errorf("subject %s", s.Signer.Subject)
			}
			if !s.Chain.OK || s.Chain.Reason != "" || len(s.Chain.Path) != 2 || s.Revocation.Status != cert.Good || s.Revocation.Source != "ocsp" {
				t.Errorf("chain %+v status %+v", s.Chain, s.Revocation)
			}
			for _, c := range s.Checks {
				if !c.OK {
					t.Errorf("failed check %+v", c)
				}
			}
		})
	}
}

// TestPolicyTable is the table of the package documentation: one fact changed at a time.
func TestPolicyTable(t *testing.T) {
	j := signtest.NewJPKI(t)
	good := detached(t, j.Sign)
	status := func(st cert.Status, err error) func(*signature.Policy) {
		return func(p *signature.Policy) { p.Revocation = signtest.Status{Answer: st, Err: err} }
	}
	hour := time.Hour
	revoked := func(at time.Time, why jitsuin.RevocationReason) cert.Status {
		return cert.Status{State: cert.Revoked, Source: "crl", ThisUpdate: signtest.Now.Add(-hour), NextUpdate: signtest.Now.Add(hour), RevokedAt: at, Reason: why}
	}
	auth := detached(t, j.Auth)
	old := detached(t, signtest.Identity{Certificate: j.Issue(t, jitsuin.SignCert, j.SignCA, j.Sign.Key, -4), Key: j.Sign.Key})
	early := detached(t, signtest.Identity{Certificate: j.Issue(t, jitsuin.SignCert, j.SignCA, j.Sign.Key, 2), Key: j.Sign.Key})
	imposter := signtest.Identity{Certificate: j.SignCA.Certificate, Key: j.Auth.Key}
	forged := detached(t, signtest.Identity{Certificate: j.Issue(t, jitsuin.SignCert, imposter, j.Sign.Key, 0), Key: j.Sign.Key})
	foreign := detached(t, signtest.New(t).RSA)
	weak := signtest.NewIdentity(t, signtest.New(t).Root, 1024, nil)
	for _, c := range []struct {
		name    string
		der     []byte
		change  func(*signature.Policy)
		verdict signature.Verdict
		sub     signature.SubIndication
		exit    int
	}{
		{"all is well", good, nil, "TOTAL-PASSED", "", 0},
		{"revoked before", good, status(revoked(signtest.Now.Add(-hour), jitsuin.ReasonAffiliationChanged), nil), "TOTAL-FAILED", "REVOKED", 1},
		{"revoked this very second", good, status(revoked(signtest.Now, jitsuin.ReasonKeyCompromise), nil), "TOTAL-FAILED", "REVOKED", 1},
		{"suspended", good, status(revoked(signtest.Now.Add(-hour), jitsuin.ReasonCertificateHold), nil), "TOTAL-FAILED", "REVOKED", 1},
		{"revoked later", good, status(revoked(signtest.Now.Add(time.Minute), jitsuin.ReasonSuperseded), nil), "TOTAL-PASSED", "", 0},
		{"status unknown", good, status(cert.Status{State: cert.Unknown, Source: "ocsp", Why: "no answer"}, nil), "INDETERMINATE", "TRY_LATER", 2},
		{"status stale", good, status(cert.Status{State: cert.Good, Source: "crl", ThisUpdate: signtest.Now.Add(-9 * hour), NextUpdate: signtest.Now.Add(-hour)}, nil), "INDETERMINATE", "TRY_LATER", 2},
		{"status fails", good, status(cert.Status{}, errors.New("the line is dead")), "INDETERMINATE", "TRY_LATER", 2},
		{"status says nothing", good, status(cert.Status{}, nil), "INDETERMINATE", "TRY_LATER", 2},
		{"status not asked", good, func(p *signature.Policy) { p.Revocation = nil }, "INDETERMINATE", "TRY_LATER", 2},
		{"no anchors", good, func(p *signature.Policy) { p.Anchors = nil }, "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", 2},
		{"anchors none", good, func(p *signature.Policy) { p.AnchorsNone = true }, "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", 0},
		{"expired", old, nil, "TOTAL-FAILED", "EXPIRED", 1},
		{"not yet valid", early, nil, "TOTAL-FAILED", "NOT_YET_VALID", 1},
		{"authentication certificate", auth, nil, "TOTAL-FAILED", "CHAIN_CONSTRAINTS_FAILURE", 1},
		{"authentication certificate, any kind", auth, func(p *signature.Policy) { p.AnyKind = true }, "TOTAL-FAILED", "CHAIN_CONSTRAINTS_FAILURE", 1},
		{"authentication certificate, anchors none", auth, func(p *signature.Policy) { p.AnchorsNone = true }, "TOTAL-FAILED", "CHAIN_CONSTRAINTS_FAILURE", 1},
		{"forged certificate", forged, nil, "TOTAL-FAILED", "CERTIFICATE_CHAIN_GENERAL_FAILURE", 1},
		{"another country", foreign, nil, "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", 2},
		{"outside the profiles", foreign, trustForeign(t, false), "TOTAL-FAILED", "CHAIN_CONSTRAINTS_FAILURE", 1},
		{"outside the profiles, any kind", foreign, trustForeign(t, true), "TOTAL-PASSED", "", 0},
		{"short key", shortKey(t, weak), trustForeign(t, true), "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := policy(j)
			if c.change != nil {
				c.change(&p)
			}
			r := report(t, c.der, document, p)
			if asked := p.Revocation != nil; c.sub == "TRY_LATER" && asked == (r.Reasons[0].Code == "status-not-checked") {
				t.Errorf("the reason is %s", r.Reasons[0].Code)
			}
			if r.Verdict != c.verdict || r.SubIndication != c.sub || r.ExitCode() != c.exit {
				t.Fatalf("%s/%s exit %d, want %s/%s exit %d\n%s", r.Verdict, r.SubIndication, r.ExitCode(), c.verdict, c.sub, c.exit, r.Reason)
			}
			if r.Integrity != signature.Intact {
				t.Error("the document is whole in every one of these")
			}
			if items := r.Signatures[0].Items; items != nil && (r.Verdict == signature.Failed || !r.Chain.OK) {
				t.Error("items of a failed or untrusted signature")
			}
		})
	}
}

func trustForeign(t *testing.T, anyKind bool) func(*signature.Policy) {
	root := signtest.New(t).Root.Certificate
	return func(p *signature.Policy) { p.Anchors, p.AnyKind = []*x509.Certificate{root}, anyKind }
}

// shortKey signs with a key that package cms refuses to sign with, through the judge's own program.
func shortKey(t *testing.T, who signtest.Identity) []byte {
	t.Helper()
	return opensslSign(t, who, document)
}

func TestTheDocumentMustBeTheOne(t *testing.T) {
	j := signtest.NewJPKI(t)
	der := detached(t, j.Sign)
	near := bytes.Replace(document, []byte("契約"), []byte("契絢"), 1)
	for _, c := range []struct {
		name    string
		content []byte
		verdict signature.Verdict
		sub     signature.SubIndication
	}{
		{"the document", document, "TOTAL-PASSED", ""},
		{"a near copy", near, "TOTAL-FAILED", "HASH_FAILURE"},
		{"one byte more", append(bytes.Clone(document), 0), "TOTAL-FAILED", "HASH_FAILURE"},
		{"one byte less", document[:len(document)-1], "TOTAL-FAILED", "HASH_FAILURE"},
		{"nothing in it", []byte{}, "TOTAL-FAILED", "HASH_FAILURE"},
		{"not given", nil, "INDETERMINATE", "SIGNED_DATA_NOT_FOUND"},
	} {
		r := report(t, der, c.content, policy(j))
		if r.Verdict != c.verdict || r.SubIndication != c.sub {
			t.Errorf("%s: %s/%s", c.name, r.Verdict, r.SubIndication)
		}
		none := policy(j)
		none.AnchorsNone = true
		if code := report(t, der, c.content, none).ExitCode(); (code == 0) != (c.verdict == signature.Passed) {
			t.Errorf("%s: exit %d with anchors none", c.name, code)
		}
	}
}

func TestEmbeddedContentMustBeTheGivenOne(t *testing.T) {
	j := signtest.NewJPKI(t)
	d := signature.DocumentSigner{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	der, err := d.Embedded(context.Background(), document, signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	if r := report(t, der, document, policy(j)); r.Verdict != signature.Passed {
		t.Errorf("the same content: %s", r.Verdict)
	}
	for _, other := range [][]byte{[]byte("another"), document[:10], append(bytes.Clone(document), 'x'), {}} {
		if r := report(t, der, other, policy(j)); r.Verdict != signature.Failed || r.SubIndication != signature.HashFailure {
			t.Errorf("%d other bytes: %s/%s", len(other), r.Verdict, r.SubIndication)
		}
	}
}

func TestADigestStandsInForTheDocument(t *testing.T) {
	j := signtest.NewJPKI(t)
	sum, near := sha256.Sum256(document), sha256.Sum256(document[1:])
	long := sha512.Sum512(document)
	d := signature.DocumentSigner{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	embedded, err := d.Embedded(context.Background(), document, signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	value, err := j.Sign.Key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	direct := directCMS(t, j.Sign.Certificate, value)
	if r := report(t, direct, document, policy(j)); r.Verdict != signature.Passed {
		t.Fatalf("direct, with the document: %s", r.Reason)
	}
	for _, c := range []struct {
		name    string
		in      signature.Input
		verdict signature.Verdict
		sub     signature.SubIndication
	}{
		{"its digest", signature.Input{Signature: detached(t, j.Sign), Digest: sum[:], DigestHash: crypto.SHA256}, "TOTAL-PASSED", ""},
		{"another's", signature.Input{Signature: detached(t, j.Sign), Digest: near[:], DigestHash: crypto.SHA256}, "TOTAL-FAILED", "HASH_FAILURE"},
		{"by another hash", signature.Input{Signature: detached(t, j.Sign), Digest: long[:], DigestHash: crypto.SHA512}, "INDETERMINATE", "SIGNED_DATA_NOT_FOUND"},
		{"embedded", signature.Input{Signature: embedded, Digest: sum[:], DigestHash: crypto.SHA256}, "TOTAL-PASSED", ""},
		{"embedded, by another hash", signature.Input{Signature: embedded, Digest: long[:], DigestHash: crypto.SHA512}, "TOTAL-PASSED", ""},
		{"embedded, another's", signature.Input{Signature: embedded, Digest: near[:], DigestHash: crypto.SHA256}, "TOTAL-FAILED", "HASH_FAILURE"},
		{"direct, which could be attributes", signature.Input{Signature: direct, Digest: sum[:], DigestHash: crypto.SHA256}, "TOTAL-FAILED", "SIG_CONSTRAINTS_FAILURE"},
	} {
		r, err := signature.Verify(context.Background(), c.in, policy(j))
		if err != nil || r.Verdict != c.verdict || r.SubIndication != c.sub {
			t.Errorf("%s: %v %s/%s", c.name, err, r.Verdict, r.SubIndication)
		}
	}
	if _, err := signature.Verify(context.Background(), signature.Input{Signature: direct, Digest: sum[:5], DigestHash: crypto.SHA256}, policy(j)); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("a digest of five bytes: %v", err)
	}
}

func TestOpenSSLAcceptsTheProfiles(t *testing.T) {
	j := signtest.NewJPKI(t)
	root := signtest.WritePEM(t, "root.pem", j.SignCA.Certificate)
	for name, who := range map[string]signtest.Identity{"RSA-2048": j.Sign, "P-384": j.P384} {
		file := signtest.Write(t, "signature.p7s", detached(t, who))
		args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-CAfile", root, "-purpose", "any", "-cades", "-attime", "1795489445", "-out", os.DevNull, "-in", file, "-content"}
		if out, err := signtest.Judge(t, "openssl", append(args, signtest.Write(t, "document", document))...); err != nil {
			t.Errorf("%s: %s", name, out)
		}
		if out, err := signtest.Judge(t, "openssl", append(args, signtest.Write(t, "document", document[1:]))...); err == nil {
			t.Errorf("%s: the judge accepts another document: %s", name, out)
		}
	}
}

func TestEverySignerCounts(t *testing.T) {
	j := signtest.NewJPKI(t)
	der := opensslSign(t, j.Sign, document, j.P384)
	r := report(t, der, document, policy(j))
	if r.Verdict != signature.Passed || len(r.Signatures) != 2 || r.Format != signature.FormatCMS {
		t.Fatalf("%s with %d signatures\n%s", r.Verdict, len(r.Signatures), r.Reason)
	}
	p := policy(j)
	one := signtest.Good()
	one.Of = map[string]cert.Status{j.P384.Certificate.SerialNumber.Text(16): {State: cert.Revoked, Source: "crl", RevokedAt: signtest.Now.Add(-time.Hour)}}
	p.Revocation = one
	r = report(t, der, document, p)
	if r.Verdict != signature.Failed || r.SubIndication != signature.Revoked || r.Revocation.Status != cert.Revoked {
		t.Fatalf("one of two revoked: %s/%s", r.Verdict, r.SubIndication)
	}
}

func TestAnErrorIsOnlyForTheEnvironment(t *testing.T) {
	j := signtest.NewJPKI(t)
	der := detached(t, j.Sign)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := signature.Verify(ended, signature.Input{Signature: der, Content: bytes.NewReader(document)}, policy(j)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	broken := errors.New("the disk is gone")
	if _, err := signature.Verify(context.Background(), signature.Input{Signature: der, Content: iotest.ErrReader(broken)}, policy(j)); !errors.Is(err, broken) {
		t.Errorf("broken reader: %v", err)
	}
	if _, err := signature.Verify(context.Background(), signature.Input{Signature: der}, signature.Policy{}); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("no instant: %v", err)
	}
	for name, c := range map[string]struct {
		der     []byte
		verdict signature.Verdict
		exit    int
	}{
		"nothing":       {nil, signature.Malformed, 4},
		"text":          {[]byte("no signature at all"), signature.Malformed, 4},
		"garbage after": {append(bytes.Clone(der), 0), signature.Malformed, 4},
		"plain data":    {[]byte{0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}, signature.Unsupported, 3},
	} {
		r := report(t, c.der, nil, policy(j))
		if r.Verdict != c.verdict || r.ExitCode() != c.exit || len(r.Reasons) != 1 || r.Signatures == nil {
			t.Errorf("%s: %s exit %d", name, r.Verdict, r.ExitCode())
		}
	}
}

func TestDetachedContentIsStreamed(t *testing.T) {
	j := signtest.NewJPKI(t)
	const size = 64 << 20
	endless := func() io.Reader { return io.LimitReader(zeros{}, size) }
	s := signature.DocumentSigner{Certificate: j.Sign.Certificate, Key: j.Sign.Key}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	der, err := s.Detached(context.Background(), endless(), signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	r, err := signature.Verify(context.Background(), signature.Input{Signature: der, Content: endless()}, policy(j))
	if err != nil || r.Verdict != signature.Passed || r.Signatures[0].Covers.Bytes != size {
		t.Fatalf("%v %+v", err, r)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Fatalf("%d bytes were allocated for a document of %d", n, size)
	}
}

// zeros is a document without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestTheHoldersOwnSignerRefusesTheWrongCertificate(t *testing.T) {
	j := signtest.NewJPKI(t)
	wrong := signature.DocumentSigner{Certificate: j.Auth.Certificate, Key: j.Auth.Key}
	if _, err := wrong.Detached(context.Background(), bytes.NewReader(document), signtest.Now); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("authentication certificate: %v", err)
	}
	other := signature.DocumentSigner{Certificate: j.Sign.Certificate, Key: j.AuthCA.Key}
	if _, err := other.Detached(context.Background(), bytes.NewReader(document), signtest.Now); jitsuin.KindOf(err) != jitsuin.Conflict {
		t.Errorf("another key: %v", err)
	}
}
