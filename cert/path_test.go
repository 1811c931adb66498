package cert_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

// fixed answers the same for every certificate.
type fixed cert.Status

func (f fixed) Status(context.Context, *x509.Certificate, *x509.Certificate, time.Time) (cert.Status, error) {
	return cert.Status(f), nil
}

func TestGenerationsOfACAShareANameAndAreToldApartByKey(t *testing.T) {
	for _, suite := range suites {
		old, now := certtest.NewAuthority(t, jitsuin.AuthCert, suite, 1), certtest.NewAuthority(t, jitsuin.AuthCert, suite, 2)
		leaf := now.Issue(t, now.Resident(t, big.NewInt(42)))
		o := cert.PathOptions{Anchors: []*x509.Certificate{old.Cert, now.Cert}, At: certtest.Now, Kind: jitsuin.AuthCert}
		p, err := cert.ValidatePath(t.Context(), leaf, o)
		if err != nil || p.Anchor != now.Cert || p.Kind != jitsuin.AuthCert || p.Status.State != cert.NotChecked {
			t.Fatalf("%+v, %v", p, err)
		}
		o.Anchors = o.Anchors[:1]
		refuse(t, leaf, o, cert.NoIssuer)
	}
}

func refuse(t *testing.T, leaf *x509.Certificate, o cert.PathOptions, want cert.PathCode) {
	t.Helper()
	_, err := cert.ValidatePath(t.Context(), leaf, o)
	e, ok := errors.AsType[*cert.PathError](err)
	if !ok || e.Code != want || jitsuin.CodeOf(err) != "path-"+string(want) {
		t.Errorf("want %s, got %v (%s)", want, err, jitsuin.CodeOf(err))
	}
}

func TestNearCopiesAreRefused(t *testing.T) {
	sign := certtest.NewAuthority(t, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	auth := certtest.NewAuthority(t, jitsuin.AuthCert, cert.RSA2048SHA256, 2)
	leaf := sign.Issue(t, sign.Resident(t, big.NewInt(42)))
	at := func(when time.Time) cert.PathOptions {
		return cert.PathOptions{Anchors: []*x509.Certificate{sign.Cert, auth.Cert}, At: when, Kind: jitsuin.SignCert}
	}
	if _, err := cert.ValidatePath(t.Context(), leaf, at(leaf.NotAfter.Add(999*time.Millisecond))); err != nil {
		t.Error("in its last second:", err)
	}
	refuse(t, leaf, at(leaf.NotAfter.Add(time.Second)), cert.Expired)
	refuse(t, leaf, at(leaf.NotBefore.Add(-time.Second)), cert.NotYetValid)
	refuse(t, leaf, at(time.Time{}), cert.Malformed)
	refuse(t, auth.Issue(t, auth.Resident(t, big.NewInt(1))), at(certtest.Now), cert.WrongKind)
	refuse(t, sign.Cert, at(certtest.Now), cert.BadConstraints)

	tbs := bytes.Replace(leaf.RawTBSCertificate, []byte{0x03, 0x02, 0x06, 0xc0}, []byte{0x03, 0x02, 0x07, 0x80}, 1)
	login := sign.Assemble(t, tbs) // the signature policy with the key usage of an authentication certificate
	refuse(t, login, at(certtest.Now), cert.BadUsage)
	both := *leaf
	both.PolicyIdentifiers = append(auth.Issue(t, auth.Resident(t, big.NewInt(2))).PolicyIdentifiers, leaf.PolicyIdentifiers...)
	refuse(t, &both, at(certtest.Now), cert.WrongKind)
	for _, c := range []*x509.Certificate{login, &both} {
		if kind, ok := cert.KindOf(c); ok {
			t.Errorf("a certificate that contradicts itself is of the kind %s", kind)
		}
	}

	altered := *leaf
	altered.Signature = append([]byte(nil), leaf.Signature...)
	altered.Signature[100] ^= 1
	refuse(t, &altered, at(certtest.Now), cert.BadSignature)

	// A resident's own key must not issue: right chain of keys, no CA.
	key := certtest.Key(t, cert.RSA2048SHA256, 1)
	forger := certtest.Authority{Cert: leaf, Key: key, Kind: jitsuin.SignCert, Suite: cert.RSA2048SHA256}
	fake := *leaf
	fake.IsCA = true // so that the template lets it pass; the certificate itself does not say so
	forger.Cert = &fake
	tmpl := forger.Resident(t, big.NewInt(43))
	tmpl.LastDay = jitsuin.DateOf(leaf.NotAfter)
	tmpl.NotBefore, tmpl.CommonName = leaf.NotBefore, "FORGED"
	o := at(certtest.Now)
	o.Intermediates = []*x509.Certificate{leaf}
	refuse(t, forger.Issue(t, tmpl), o, cert.BadConstraints)
}

func TestStatusDecidesAtTheInstantAskedAbout(t *testing.T) {
	sign := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	leaf := sign.Issue(t, sign.Resident(t, big.NewInt(42)))
	o := cert.PathOptions{Anchors: []*x509.Certificate{sign.Cert}, At: certtest.Now}
	next := certtest.Now.Add(time.Hour)
	for _, c := range []struct {
		name string
		st   cert.Status
		want cert.PathCode
	}{
		{"good", cert.Status{State: cert.Good, NextUpdate: next}, ""},
		{"revoked later", cert.Status{State: cert.Revoked, RevokedAt: next}, ""},
		{"revoked now", cert.Status{State: cert.Revoked, RevokedAt: certtest.Now, Reason: jitsuin.ReasonSuperseded}, cert.RevokedCode},
		{"held", cert.Status{State: cert.Revoked, RevokedAt: certtest.Now.Add(-time.Hour), Reason: jitsuin.ReasonCertificateHold}, cert.RevokedCode},
		{"revoked without a time", cert.Status{State: cert.Revoked}, cert.RevokedCode},
		{"unknown", cert.Status{State: cert.Unknown}, cert.StatusUnknown},
		{"nobody asked", cert.Status{State: cert.NotChecked}, cert.StatusUnknown},
		{"empty", cert.Status{}, cert.StatusUnknown},
		{"good, but out of date", cert.Status{State: cert.Good, NextUpdate: certtest.Now.Add(-time.Second)}, cert.StatusStale},
	} {
		o.Revocation = fixed(c.st)
		if c.want != "" {
			refuse(t, leaf, o, c.want)
		} else if p, err := cert.ValidatePath(t.Context(), leaf, o); err != nil || p.Status.State != cert.Good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// rawCert makes certificates that no profile has, with crypto/x509.
func rawCert(t *testing.T, tmpl, parent *x509.Certificate, suite cert.Suite, key, parentKey int) *x509.Certificate {
	t.Helper()
	tmpl.NotBefore, tmpl.NotAfter = certtest.Now.Add(-time.Hour), certtest.Now.Add(time.Hour)
	if tmpl.SerialNumber == nil {
		tmpl.SerialNumber = big.NewInt(int64(key))
	}
	der, err := x509.CreateCertificate(nil, tmpl, parent, certtest.Key(t, suite, key).Public(), certtest.Key(t, suite, parentKey))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLongerPathsAndTheirLimits(t *testing.T) {
	ca := func(n, parent int, under *x509.Certificate, change func(*x509.Certificate)) *x509.Certificate {
		m := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, MaxPathLen: -1}
		m.Subject.CommonName = big.NewInt(int64(n)).String()
		if change != nil {
			change(m)
		}
		if under == nil {
			under = m
		}
		return rawCert(t, m, under, cert.P384SHA384, n, parent)
	}
	root := ca(10, 10, nil, nil)
	mid := ca(11, 10, root, nil)
	leaf := func(under *x509.Certificate, n int) *x509.Certificate {
		return rawCert(t, &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature}, under, cert.P384SHA384, 20, n)
	}
	path := func(anchor, mid *x509.Certificate) cert.PathOptions {
		return cert.PathOptions{Anchors: []*x509.Certificate{anchor}, Intermediates: []*x509.Certificate{mid}, At: certtest.Now}
	}
	if p, err := cert.ValidatePath(t.Context(), leaf(mid, 11), path(root, mid)); err != nil || len(p.Chain) != 3 {
		t.Error("a path of three:", err)
	}
	short := ca(10, 10, nil, func(m *x509.Certificate) { m.MaxPathLen, m.MaxPathLenZero = 0, true })
	refuse(t, leaf(mid, 11), path(short, mid), cert.BadConstraints)
	noSign := ca(11, 10, root, func(m *x509.Certificate) { m.KeyUsage = x509.KeyUsageCRLSign })
	refuse(t, leaf(noSign, 11), path(root, noSign), cert.BadUsage)
	strange := ca(11, 10, root, func(m *x509.Certificate) {
		m.ExtraExtensions = append(m.ExtraExtensions, certExtension(asn1.ObjectIdentifier{1, 2, 3, 4}, true))
	})
	refuse(t, leaf(strange, 11), path(root, strange), cert.BadConstraints)
	named := ca(11, 10, root, func(m *x509.Certificate) {
		m.PermittedDNSDomainsCritical, m.PermittedDNSDomains = true, []string{"inside.example"}
	})
	outside := rawCert(t, &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: []string{"outside.example"}}, named, cert.P384SHA384, 20, 11)
	refuse(t, outside, path(root, named), cert.BadConstraints)
	inside := rawCert(t, &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: []string{"a.inside.example"}}, named, cert.P384SHA384, 20, 11)
	if _, err := cert.ValidatePath(t.Context(), inside, path(root, named)); err != nil {
		t.Error("inside the name constraints:", err)
	}
}

// Many certificates of one name and crossed issuers must not make the search long.
func TestTheSearchIsBounded(t *testing.T) {
	var pool []*x509.Certificate
	m := func(cn string) *x509.Certificate {
		c := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
		c.Subject.CommonName = cn
		return c
	}
	for i := range 12 {
		for j := range 12 {
			c := m("loop")
			c.SerialNumber = big.NewInt(int64(100 + 12*i + j))
			pool = append(pool, rawCert(t, c, m("loop"), cert.P384SHA384, 30+i, 30+j))
		}
	}
	leaf := rawCert(t, &x509.Certificate{}, pool[0], cert.P384SHA384, 20, 30)
	began := time.Now()
	refuse(t, leaf, cert.PathOptions{Anchors: []*x509.Certificate{rawCert(t, m("other"), m("other"), cert.P384SHA384, 10, 10)}, Intermediates: pool, At: certtest.Now}, cert.NoIssuer)
	t.Logf("searched for %v", time.Since(began))
}

func TestWeakAlgorithmsAreRefused(t *testing.T) {
	for name, loose := range map[string]cert.Algorithms{"testdata/sha1.pem": {SHA1: true}, "testdata/rsa1024.pem": {MinRSABits: 1024}} {
		c := readPEM(t, name)
		o := cert.PathOptions{Anchors: []*x509.Certificate{readPEM(t, "testdata/weakca.pem")}, At: c.NotBefore.Add(time.Hour)}
		refuse(t, c, o, cert.BadAlgorithm)
		o.Algorithms = loose
		if _, err := cert.ValidatePath(t.Context(), c, o); err != nil {
			t.Errorf("%s under looser rules: %v", name, err)
		}
		c.Signature[9] ^= 1
		refuse(t, c, o, cert.BadSignature)
	}
}
