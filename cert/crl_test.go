package cert_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"iter"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

// revoked lists n entries with serial numbers of 16 octets in which i stands.
func revoked(n int) iter.Seq[cert.CRLEntry] {
	reasons := []jitsuin.RevocationReason{jitsuin.ReasonAffiliationChanged, jitsuin.ReasonUnspecified, jitsuin.ReasonCertificateHold, ""}
	return func(yield func(cert.CRLEntry) bool) {
		serial := make([]byte, 16)
		for i := range n {
			digest := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
			copy(serial, digest[:])
			serial[0] = serial[0]&0x7f | 1
			if !yield(cert.CRLEntry{Serial: serial, RevokedAt: certtest.Now.Add(time.Duration(i%10000) * -time.Second), Reason: reasons[i%4]}) {
				return
			}
		}
	}
}

func listTemplate(a *certtest.Authority) *cert.CRLTemplate {
	return &cert.CRLTemplate{Issuer: a.Cert, Number: 1 << 40, ThisUpdate: certtest.Now, NextUpdate: certtest.Now.Add(24 * time.Hour)}
}

func TestAListIsReadByEverybody(t *testing.T) {
	for _, suite := range suites {
		a := certtest.NewAuthority(t, jitsuin.SignCert, suite, 1)
		for _, n := range []int{0, 1, 3, 1000} {
			m := listTemplate(a)
			der, err := m.Build(t.Context(), revoked(n), a.Sign)
			if err != nil {
				t.Fatal(err)
			}
			std, err := x509.ParseRevocationList(der)
			if err != nil || std.CheckSignatureFrom(a.Cert) != nil || len(std.RevokedCertificateEntries) != n || std.Number.Cmp(new(big.Int).SetUint64(m.Number)) != 0 {
				t.Fatalf("crypto/x509: %v", err)
			}
			ours, err := cert.ParseCRL(der)
			if err != nil || ours.Count != n || ours.Verify(a.Cert, cert.Algorithms{}) != nil {
				t.Fatalf("ours: %v", err)
			}
			i := 0
			for e := range ours.Entries() {
				want := std.RevokedCertificateEntries[i]
				if code, _ := e.Reason.Code(); new(big.Int).SetBytes(e.Serial).Cmp(want.SerialNumber) != 0 || !e.RevokedAt.Equal(want.RevocationTime) || code != want.ReasonCode {
					t.Fatalf("entry %d differs", i)
				}
				i++
			}
			if out, ok := judge(t, "openssl", "crl", "-noout", "-inform", "DER", "-in", file(t, "l.crl", "", der), "-CAfile", file(t, "ca.pem", "CERTIFICATE", a.Cert.Raw)); !ok || !strings.Contains(out, "verify OK") {
				t.Errorf("openssl: %s", out)
			}
		}
	}
}

func TestAListIsWrittenWithoutHoldingIt(t *testing.T) {
	a := certtest.NewAuthority(t, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	m := listTemplate(a)
	var tbs, whole bytes.Buffer
	if err := m.WriteTBS(&tbs, revoked(500)); err != nil {
		t.Fatal(err)
	}
	signature, _ := a.Sign(t.Context(), tbs.Bytes())
	if err := m.Write(&whole, revoked(500), signature); err != nil {
		t.Fatal(err)
	}
	built, _ := m.Build(t.Context(), revoked(500), a.Sign)
	if !bytes.Equal(whole.Bytes(), built) {
		t.Error("written and built lists differ")
	}
	n := 3
	changing := func(yield func(cert.CRLEntry) bool) { n--; revoked(n)(yield) }
	if err := m.WriteTBS(&tbs, changing); jitsuin.KindOf(err) != jitsuin.Internal || err == nil {
		t.Error("entries that change between passes:", err)
	}
	for _, e := range []cert.CRLEntry{{Serial: []byte{0}, RevokedAt: certtest.Now}, {Serial: make([]byte, 21), RevokedAt: certtest.Now}, {Serial: []byte{1}}, {Serial: []byte{1}, RevokedAt: certtest.Now, Reason: "whim"}} {
		if err := m.WriteTBS(&tbs, slices.Values([]cert.CRLEntry{e})); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

func TestLookupFindsTheDeadAndOnlyThem(t *testing.T) {
	a := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	der, err := listTemplate(a).Build(t.Context(), revoked(777), a.Sign)
	if err != nil {
		t.Fatal(err)
	}
	scan, _ := cert.ParseCRL(der)
	indexed, _ := cert.ParseCRL(der)
	indexed.BuildIndex()
	for e := range scan.Entries() {
		n := new(big.Int).SetBytes(e.Serial)
		one, ok1 := scan.Lookup(n)
		two, ok2 := indexed.Lookup(n)
		if !ok1 || !ok2 || !one.RevokedAt.Equal(e.RevokedAt) || two.Reason != e.Reason {
			t.Fatalf("%v is not found", n)
		}
		if _, ok := indexed.Lookup(n.Add(n, big.NewInt(1))); ok {
			t.Fatal("a neighbour is found")
		}
	}
	for _, n := range []*big.Int{nil, big.NewInt(0), big.NewInt(-5)} {
		if _, ok := indexed.Lookup(n); ok {
			t.Error("found", n)
		}
	}
}

func TestWhatAListMayAnswerFor(t *testing.T) {
	a := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	elsewhere := certtest.Town
	elsewhere.Municipality = "Yuunagi-machi"
	leaf := a.Issue(t, a.Resident(t, big.NewInt(42)))
	build := func(change func(*cert.CRLTemplate)) *cert.CRL {
		m := listTemplate(a)
		change(m)
		der, err := m.Build(t.Context(), revoked(2), a.Sign)
		if err != nil {
			t.Fatal(err)
		}
		l, err := cert.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	now := cert.Times{At: certtest.Now}
	for name, c := range map[string]struct {
		list  *cert.CRL
		times cert.Times
		want  cert.State
	}{
		"complete": {build(func(*cert.CRLTemplate) {}), now, cert.Good},
		"the town's": {build(func(m *cert.CRLTemplate) {
			m.DistributionPoint = cert.Sandbox().DistributionPoint(a.Kind, certtest.Town)
		}), now, cert.Good},
		"other town's":  {build(func(m *cert.CRLTemplate) { m.DistributionPoint = cert.Sandbox().DistributionPoint(a.Kind, elsewhere) }), now, cert.Unknown},
		"ended":         {build(func(*cert.CRLTemplate) {}), cert.Times{At: certtest.Now.Add(25 * time.Hour)}, cert.Unknown},
		"of the future": {build(func(m *cert.CRLTemplate) { m.ThisUpdate = m.ThisUpdate.Add(time.Hour) }), now, cert.Unknown},
		"later, known":  {build(func(m *cert.CRLTemplate) { m.ThisUpdate = m.ThisUpdate.Add(time.Hour) }), cert.Times{At: certtest.Now, Now: certtest.Now.Add(2 * time.Hour)}, cert.Good},
		"too old":       {build(func(m *cert.CRLTemplate) { m.ThisUpdate = m.ThisUpdate.Add(-time.Hour) }), cert.Times{At: certtest.Now, MaxAge: time.Minute}, cert.Unknown},
		"after expiry": {build(func(m *cert.CRLTemplate) {
			m.ThisUpdate, m.NextUpdate = leaf.NotAfter.Add(time.Hour), leaf.NotAfter.Add(2*time.Hour)
		}), cert.Times{At: certtest.Now, Now: leaf.NotAfter.Add(time.Hour)}, cert.Unknown},
	} {
		if st := c.list.Status(leaf, c.times); st.State != c.want || c.want == cert.Unknown && st.Why == "" {
			t.Errorf("%s: %+v", name, st)
		}
	}
	l := build(func(*cert.CRLTemplate) {})
	next := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 2)
	if err := l.Verify(next.Cert, cert.Algorithms{}); jitsuin.CodeOf(err) != "crl-signature" {
		t.Error("another generation of the same name:", err)
	}
	altered := bytes.Clone(l.Raw)
	altered[len(altered)-20] ^= 1
	if bad, err := cert.ParseCRL(altered); err == nil && bad.Verify(a.Cert, cert.Algorithms{}) == nil {
		t.Error("an altered list verifies")
	}
}

// Lists with critical or odd extensions, made with crypto/x509.
func TestListsThatMustNotBeUsed(t *testing.T) {
	a := certtest.NewAuthority(t, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	leaf := a.Issue(t, a.Resident(t, big.NewInt(42)))
	for name, c := range map[string]struct {
		id    []int
		value string
		want  cert.State
	}{
		"unknown critical":      {[]int{1, 2, 3}, "\x05\x00", cert.Unknown},
		"delta":                 {[]int{2, 5, 29, 27}, "\x02\x01\x01", cert.Unknown},
		"for CAs only":          {[]int{2, 5, 29, 28}, "\x30\x03\x82\x01\xff", cert.Unknown},
		"for people only":       {[]int{2, 5, 29, 28}, "\x30\x03\x81\x01\xff", cert.Good},
		"some reasons":          {[]int{2, 5, 29, 28}, "\x30\x04\x83\x02\x05\x60", cert.Unknown},
		"indirect":              {[]int{2, 5, 29, 28}, "\x30\x03\x84\x01\xff", cert.Unknown},
		"attribute certs":       {[]int{2, 5, 29, 28}, "\x30\x03\x85\x01\xff", cert.Unknown},
		"relative to an issuer": {[]int{2, 5, 29, 28}, "\x30\x0e\xa0\x0c\xa1\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x", cert.Unknown},
		"relative to nothing":   {[]int{2, 5, 29, 28}, "\x30\x04\xa0\x02\xa1\x00", "refused"},
		"malformed scope":       {[]int{2, 5, 29, 28}, "\x30\x03\x86\x01\xff", "refused"},
	} {
		m := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: certtest.Now, NextUpdate: certtest.Now.Add(time.Hour)}
		e := certExtension(c.id, true)
		e.Value = []byte(c.value)
		m.ExtraExtensions = append(m.ExtraExtensions, e)
		der, err := x509.CreateRevocationList(nil, m, a.Cert, a.Key)
		if err != nil {
			t.Fatal(err)
		}
		l, err := cert.ParseCRL(der)
		if c.want == "refused" {
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
			continue
		}
		if err != nil || l.Verify(a.Cert, cert.Algorithms{}) != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if st := l.Status(leaf, cert.Times{At: certtest.Now}); st.State != c.want {
			t.Errorf("%s: %+v", name, st)
		}
	}
}
