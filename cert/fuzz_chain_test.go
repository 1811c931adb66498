package cert_test

import (
	"bytes"
	"crypto/x509"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	ct "github.com/jitsuin/jitsuin/cert/chaintest"
)

// FuzzPath puts a certificate everywhere in a path that one can stand.
func FuzzPath(f *testing.F) {
	w := ct.New(f)
	root := w.Root("Root", ct.Policies(ct.AnyPolicy))
	ca := root.CA("CA", ct.Constraints([]ct.Name{ct.DNS("test.example"), ct.MailName("a@test.example"), ct.URI(".test.example"), ct.IP(10, 0, 0, 0, 255, 0, 0, 0),
		ct.Directory("Test", ""), ct.Other("1.2.3", "x")}, []ct.Name{ct.DNS("a.test.example")}), ct.Policies(p1), ct.Mappings(p1, p2), ct.InhibitAny(1))
	leaf := ca.Leaf("Leaf", ct.SAN(ct.DNS("*.test.example"), ct.MailName("a@test.example"), ct.URI("https://u@x.test.example:1/"), ct.IP(10, 1, 1, 1), ct.Directory("Test", "y")),
		ct.Policies(p2), ct.Points(ct.Point{Relative: "Part", Issuer: []ct.Name{ct.Directory("Test", "z")}}))
	for _, n := range nodes(root, ca, leaf, ca.CA("Below", ct.RequireExplicit(0), ct.InhibitMapping(1))) {
		f.Add(n.DER)
	}
	plain, err := cert.Parse(ca.Leaf("Plain", ct.Names("b.test.example")).DER)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, _, err := cert.Inspect(der)
		if err != nil {
			if jitsuin.CodeOf(err) != "certificate-form" {
				t.Fatal(err)
			}
			if c, err = cert.Parse(der); err != nil {
				return
			}
		}
		o := cert.PathOptions{Anchors: []*x509.Certificate{root.Cert}, Intermediates: []*x509.Certificate{ca.Cert, c}, At: ct.Now,
			Policies: cert.PolicyInputs{Initial: ids(p1), RequireExplicit: true}}
		for _, strict := range []bool{false, true} {
			o.Strict = strict
			path, err := cert.ValidatePath(t.Context(), c, o)
			if err == nil && !bytes.Equal(der, leaf.DER) && !bytes.Equal(der, root.DER) && !known(der, path) {
				t.Fatal("a certificate that nobody signed is valid")
			}
			if _, err := cert.ValidatePath(t.Context(), plain, o); err == nil {
				t.Fatal("a leaf without policies is valid for one")
			}
			o.Anchors = append(o.Anchors, c)
			if path, err := cert.ValidatePath(t.Context(), c, o); err == nil && path.Anchor == nil {
				t.Fatal("a path without an anchor")
			}
			o.Anchors = o.Anchors[:1]
		}
	})
}

// known tells whether the signature on a certificate is one that was made for these very octets: a changed signature of
// ECDSA may still verify, a changed certificate may not.
func known(der []byte, path *cert.Path) bool {
	return len(path.Chain) > 1 && path.Chain[0].CheckSignatureFrom(path.Chain[1]) == nil && bytes.Equal(path.Chain[0].Raw, der)
}

// FuzzLists lets a list answer beside one that says that the leaf is revoked.
func FuzzLists(f *testing.F) {
	w := ct.New(f)
	root := w.Root("Root")
	ca, lister := root.CA("CA"), root.CA("Lister", usage(x509.KeyUsageCRLSign))
	here := ct.Point{Names: []ct.Name{ct.URI("http://lists.test.example/1")}}
	leaf := ca.Leaf("Leaf", ct.Points(here, ct.Point{Issuer: []ct.Name{ct.DirectoryOf(lister)}}))
	revoked := ca.CRL(ct.Number(5), ct.Revoke(leaf, keyCompromise))
	for _, der := range [][]byte{ca.CRL(), revoked, ca.CRL(ct.Delta(5), ct.Number(6), ct.Revoke(leaf, remove)), ca.CRL(ct.Scope(here, ct.UsersOnly)),
		ca.CRL(ct.Scope(ct.Point{Relative: "x", Reasons: someReasons})), lister.CRL(ct.Scope(ct.Point{}, ct.Indirect), ct.Revoke(leaf, hold, ca), ct.Revoke(root, hold))} {
		f.Add(der)
	}
	base, err := cert.ParseCRL(revoked)
	if err != nil {
		f.Fatal(err)
	}
	chain := []*x509.Certificate{leaf.Cert, ca.Cert, root.Cert}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := cert.ParseCRL(der)
		if err != nil {
			return
		}
		l := &cert.Lists{CRLs: []*cert.CRL{c, base}, Certificates: []*x509.Certificate{lister.Cert}}
		if st := l.StatusInPath(t.Context(), chain, 0, cert.Times{At: ct.Now}); st.State != cert.Revoked {
			t.Fatalf("another list makes a revoked certificate %s", st.State)
		}
		l.CRLs = l.CRLs[:1]
		if st := l.StatusInPath(t.Context(), chain, 0, cert.Times{At: ct.Now}); st.State == cert.Unknown && st.Why == "" {
			t.Fatal("unknown without a reason")
		}
		c.Scope()
	})
}

func FuzzRequest(f *testing.F) {
	for _, der := range requests(f) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := cert.ParseRequest(der)
		if err == nil && !bytes.Equal(r.Raw, der) {
			t.Fatal("something beside the request was accepted")
		}
	})
}
