package cert_test

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	ct "github.com/jitsuin/jitsuin/cert/chaintest"
	"github.com/jitsuin/jitsuin/internal/cputime"
)

// within fails where f takes more than a second of processor time.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	began := cputime.Used()
	f()
	took := cputime.Used() - began
	t.Logf("%s: %v", what, took)
	if took > time.Second*hostileFactor {
		t.Errorf("%s took %v", what, took)
	}
}

// hostileFactor leaves room for the race detector.
const hostileFactor = 5

func TestHostilePathsAreAnsweredSoon(t *testing.T) {
	w := ct.New(t)
	root := w.Root("Root")
	t.Run("many names and constraints", func(t *testing.T) {
		var hosts, leafHosts []ct.Name
		for i := range 1000 {
			hosts = append(hosts, ct.DNS(fmt.Sprintf("t%d.test.example", i)))
			leafHosts = append(leafHosts, ct.DNS(fmt.Sprintf("x.t%d.test.example", i)))
		}
		ca := root.CA("CA", ct.Constraints(hosts, nil))
		leaf := ca.Leaf("Leaf", ct.SAN(leafHosts...))
		within(t, "a million comparisons", func() {
			_, err := cert.ValidatePath(t.Context(), leaf.Cert, cert.PathOptions{Anchors: []*x509.Certificate{root.Cert}, Intermediates: []*x509.Certificate{ca.Cert}, At: ct.Now})
			if err == nil || !strings.Contains(err.Error(), "too many") {
				t.Error(err)
			}
		})
		few := ca.Leaf("Leaf", ct.SAN(leafHosts[:50]...))
		if _, err := cert.ValidatePath(t.Context(), few.Cert, cert.PathOptions{Anchors: []*x509.Certificate{root.Cert}, Intermediates: []*x509.Certificate{ca.Cert}, At: ct.Now}); err != nil {
			t.Error("fifty thousand:", err)
		}
	})
	t.Run("many CAs of one name", func(t *testing.T) {
		other := w.Root("Other")
		var pool []*x509.Certificate
		first := other.CA("Maze")
		pool = append(pool, first.Cert)
		for range 40 {
			pool = append(pool, first.CA("Maze", ct.KeyOf(first)).Cert, first.CA("Maze").Cert)
		}
		leaf := first.Leaf("Leaf")
		within(t, "a maze", func() {
			if _, err := cert.ValidatePath(t.Context(), leaf.Cert, cert.PathOptions{Anchors: []*x509.Certificate{root.Cert}, Intermediates: pool, At: ct.Now}); err == nil {
				t.Error("it leads out")
			}
		})
	})
	t.Run("many policies and mappings", func(t *testing.T) {
		var policies, pairs []string
		for i := range 200 {
			policies = append(policies, fmt.Sprintf("1.3.6.1.4.1.99999.%d", i))
			for j := range 5 {
				pairs = append(pairs, policies[i], fmt.Sprintf("1.3.6.1.4.1.99999.%d", (i+j)%200))
			}
		}
		n, o := root, cert.PathOptions{Anchors: []*x509.Certificate{root.Cert}, At: ct.Now, Policies: cert.PolicyInputs{RequireExplicit: true}}
		for i := range 8 {
			n = n.CA(string(rune('A'+i)), ct.Policies(policies...), ct.Mappings(pairs...))
			o.Intermediates = append(o.Intermediates, n.Cert)
		}
		within(t, "mappings", func() {
			if _, err := cert.ValidatePath(t.Context(), n.Leaf("Leaf", ct.Policies(policies...)).Cert, o); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("signers of lists that vouch for one another", func(t *testing.T) {
		ca := root.CA("CA", usage(x509.KeyUsageCertSign))
		leaf := ca.Leaf("Leaf")
		l := &cert.Lists{}
		for i := range 30 {
			lister := root.CA("CA", ct.NamedLike(ca), usage(x509.KeyUsageCRLSign))
			l.Certificates = append(l.Certificates, lister.Cert)
			for range 3 {
				crl, err := cert.ParseCRL(lister.CRL(ct.Number(int64(i + 1))))
				if err != nil {
					t.Fatal(err)
				}
				l.CRLs = append(l.CRLs, crl)
			}
		}
		within(t, "ninety lists", func() {
			st := l.StatusInPath(t.Context(), []*x509.Certificate{leaf.Cert, ca.Cert, root.Cert}, 0, cert.Times{At: ct.Now})
			if st.State == cert.Good {
				t.Error("good, though nobody answers for the signers")
			}
		})
	})
	t.Run("a long indirect list", func(t *testing.T) {
		lister := root.CA("Lister", usage(x509.KeyUsageCRLSign))
		ca := root.CA("CA")
		leaf := ca.Leaf("Leaf", ct.Points(ct.Point{Issuer: names(ct.DirectoryOf(lister))}))
		der := lister.CRL(ct.Scope(ct.Point{}, ct.Indirect), ct.Revoke(root, keyCompromise, ca), ct.ListField(func(l *x509.RevocationList) {
			for i := range 50_000 {
				e := l.RevokedCertificateEntries[0]
				e.SerialNumber = big.NewInt(int64(1_000_000 + i))
				l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, e)
			}
		}))
		crl, err := cert.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		l := &cert.Lists{CRLs: []*cert.CRL{crl}, Certificates: []*x509.Certificate{lister.Cert}}
		within(t, "fifty thousand entries", func() {
			l.StatusInPath(t.Context(), []*x509.Certificate{leaf.Cert, ca.Cert, root.Cert}, 0, cert.Times{At: ct.Now})
		})
	})
}
