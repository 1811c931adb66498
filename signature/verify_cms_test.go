package signature_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// stampedAt asks the throwaway authority, whose clock shows at.
func stampedAt(t testing.TB, at time.Time) cms.Timestamper {
	a := signtest.NewTSA(t)
	return func(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
		q, err := tsp.NewRequest(h, digest, nil)
		if err != nil {
			return nil, err
		}
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			return nil, err
		}
		return a.Issuer().Token(ctx, q, serial.Add(serial, big.NewInt(1)), at)
	}
}

// TestLevelsInTheReport carries a resident's signature from B-B to B-LTA.
func TestLevelsInTheReport(t *testing.T) {
	ctx, j, a := context.Background(), signtest.NewJPKI(t), signtest.NewTSA(t)
	crl, err := signtest.List(a.Root)
	if err != nil {
		t.Fatal(err)
	}
	p := policy(j)
	p.TimeAnchors = []*x509.Certificate{a.Root.Certificate}
	der := detached(t, j.Sign, j.SignCA.Certificate)
	for _, step := range []struct {
		level  string
		stamps []signature.StampKind
		add    func() ([]byte, error)
	}{
		{"B-B", nil, func() ([]byte, error) { return der, nil }},
		{"B-T", []signature.StampKind{"signature"}, func() ([]byte, error) {
			return cms.AddTimestamp(ctx, der, 0, stampedAt(t, signtest.Now.Add(-30*time.Minute)))
		}},
		{"B-LT", []signature.StampKind{"signature"}, func() ([]byte, error) {
			return cms.AddEvidence(der, []*x509.Certificate{a.Root.Certificate}, [][]byte{crl}, nil)
		}},
		{"B-LTA", []signature.StampKind{"signature", "archive"}, func() ([]byte, error) {
			return cms.AddArchiveTimestamp(ctx, der, 0, bytes.NewReader(document), stampedAt(t, signtest.Now.Add(-20*time.Minute)))
		}},
	} {
		if der, err = step.add(); err != nil {
			t.Fatal(err)
		}
		r := report(t, der, document, p)
		one := r.Signatures[0]
		if r.Verdict != signature.Passed || one.Level != step.level || len(one.Timestamps) != len(step.stamps) || len(one.Unsigned) != 0 {
			t.Fatalf("%s: %s, level %s, %+v\n%s", step.level, r.Verdict, one.Level, one.Timestamps, r.Reason)
		}
		for i, st := range one.Timestamps {
			if !st.OK || st.Kind != step.stamps[i] {
				t.Errorf("%s: %+v", step.level, st)
			}
		}
		if proven := one.SigningTime.Proof == "timestamp"; proven != (step.stamps != nil) {
			t.Errorf("%s: the time is %s", step.level, one.SigningTime.Proof)
		}
		if bad := report(t, der, document[1:], p); bad.Verdict != signature.Failed || bad.SubIndication != signature.HashFailure {
			t.Errorf("%s over another document: %s/%s", step.level, bad.Verdict, bad.SubIndication)
		}
	}
}

// TestAStampOfAnotherSignatureProvesNothing, whatever it takes the place of; the signature stays good.
func TestAStampOfAnotherSignatureProvesNothing(t *testing.T) {
	ctx, j, a := context.Background(), signtest.NewJPKI(t), signtest.NewTSA(t)
	stamp := stampedAt(t, signtest.Now.Add(-30*time.Minute))
	other, err := cms.AddTimestamp(ctx, detached(t, j.P384), 0, stamp)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(other)
	if err != nil {
		t.Fatal(err)
	}
	der, err := cms.AddUnsigned(detached(t, j.Sign), 0, sd.Signers[0].Unsigned[0])
	if err != nil {
		t.Fatal(err)
	}
	p := policy(j)
	p.TimeAnchors = []*x509.Certificate{a.Root.Certificate}
	r := report(t, der, document, p)
	one := r.Signatures[0]
	if r.Verdict != signature.Passed || one.Level != "B-B" || one.SigningTime.Proof != "claimed" || len(one.Timestamps) != 1 || one.Timestamps[0].OK {
		t.Fatalf("%s, level %s, time %s, %+v", r.Verdict, one.Level, one.SigningTime.Proof, one.Timestamps)
	}
	if !slices.ContainsFunc(one.Warnings, func(w signature.Reason) bool { return w.Code == "stamp-bad" }) {
		t.Errorf("no warning: %+v", one.Warnings)
	}
	old, err := cms.AddUnsigned(der, 0, cms.Attribute{Type: []int{1, 2, 840, 113549, 1, 9, 16, 2, 48}, Values: [][]byte{{0x30, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	if one := report(t, old, document, p).Signatures[0]; !slices.ContainsFunc(one.Warnings, func(w signature.Reason) bool { return w.Code == "stamp-old" }) || one.Level != "B-B" {
		t.Errorf("an archive of an older form: level %s, %+v", one.Level, one.Warnings)
	}
}

// TestEveryCountersignatureCounts like a signature: it is in the report, and a bad one decides.
func TestEveryCountersignatureCounts(t *testing.T) {
	j := signtest.NewJPKI(t)
	counter := cms.Signer{Certificate: j.P384.Certificate, Key: j.P384.Key}
	der, err := counter.Countersign(context.Background(), detached(t, j.Sign), 0, signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	r := report(t, der, document, policy(j))
	if r.Verdict != signature.Passed || len(r.Signatures) != 2 || r.Signatures[1].Coverage != "part" || r.Signatures[1].Covers.Content != "signature" ||
		r.Signatures[1].Name != "countersignature" || r.Signatures[0].Coverage != "whole" {
		t.Fatalf("%s\n%+v", r.Verdict, r.Signatures)
	}
	p := policy(j)
	one := signtest.Good()
	one.Of = map[string]cert.Status{j.P384.Certificate.SerialNumber.Text(16): {State: cert.Revoked, Source: "crl", RevokedAt: signtest.Now.Add(-time.Hour)}}
	p.Revocation = one
	if r := report(t, der, document, p); r.Verdict != signature.Failed || r.SubIndication != signature.Revoked {
		t.Errorf("a countersigner's certificate is revoked: %s/%s", r.Verdict, r.SubIndication)
	}
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := cms.AddUnsigned(detached(t, j.P384), 0, sd.Signers[0].Unsigned[0])
	if err != nil {
		t.Fatal(err)
	}
	if r := report(t, moved, document, policy(j)); r.Verdict != signature.Failed || r.Integrity != signature.Broken || r.SubIndication != signature.HashFailure {
		t.Errorf("a countersignature moved onto another signature: %s/%s", r.Verdict, r.SubIndication)
	}
}

// TestEmbeddedEvidenceIsForThePolicyToUse: what came with a signature is handed to who may use it, and
// to nobody else.
func TestEmbeddedEvidenceIsForThePolicyToUse(t *testing.T) {
	j := signtest.NewJPKI(t)
	crl, err := signtest.List(j.SignCA)
	if err != nil {
		t.Fatal(err)
	}
	der, err := cms.AddEvidence(detached(t, j.Sign), nil, [][]byte{crl}, [][]byte{{0x30, 3, 0x0a, 1, 6}})
	if err != nil {
		t.Fatal(err)
	}
	p := policy(j)
	p.Revocation = nil
	if r := report(t, der, document, p); r.Verdict != signature.Indeterminate || r.SubIndication != signature.TryLater {
		t.Errorf("used unasked: %s/%s", r.Verdict, r.SubIndication)
	}
	p.Embedded = func(crls, ocsps [][]byte) cert.Revocation {
		if len(crls) != 1 || !bytes.Equal(crls[0], crl) || len(ocsps) != 1 {
			t.Errorf("%d lists and %d answers are handed on", len(crls), len(ocsps))
		}
		return signtest.Good()
	}
	if r := report(t, der, document, p); r.Verdict != signature.Passed {
		t.Errorf("%s/%s", r.Verdict, r.SubIndication)
	}
}
