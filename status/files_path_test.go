package status_test

import (
	"crypto/x509"
	"testing"

	"github.com/jitsuin/jitsuin/cert"
	ct "github.com/jitsuin/jitsuin/cert/chaintest"
	"github.com/jitsuin/jitsuin/status"
)

// Files answer for every certificate of a path, and find signers of lists that are not in it.
func TestFilesAnswerForAWholePath(t *testing.T) {
	w := ct.New(t)
	root := w.Root("Root")
	ca := root.CA("CA", ct.Field(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }))
	lister := root.CA("CA", ct.NamedLike(ca), ct.Field(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }))
	stranger := w.Root("CA")
	leaf := ca.Leaf("Leaf")
	for name, c := range map[string]struct {
		lists [][]byte
		known []*x509.Certificate
		want  cert.PathCode
	}{
		"both lists":                       {[][]byte{root.CRL(), lister.CRL()}, []*x509.Certificate{lister.Cert}, ""},
		"the signer is not at hand":        {[][]byte{root.CRL(), lister.CRL()}, nil, cert.StatusUnknown},
		"the leaf's list is missing":       {[][]byte{root.CRL()}, []*x509.Certificate{lister.Cert}, cert.StatusUnknown},
		"the CA's list is missing":         {[][]byte{lister.CRL()}, []*x509.Certificate{lister.Cert}, cert.StatusUnknown},
		"the leaf is revoked":              {[][]byte{root.CRL(), lister.CRL(ct.Revoke(leaf, 1))}, []*x509.Certificate{lister.Cert}, cert.RevokedCode},
		"the CA is revoked":                {[][]byte{root.CRL(ct.Revoke(ca, 1)), lister.CRL()}, []*x509.Certificate{lister.Cert}, cert.RevokedCode},
		"the signer is revoked":            {[][]byte{root.CRL(ct.Revoke(lister, 1)), lister.CRL()}, []*x509.Certificate{lister.Cert}, cert.StatusUnknown},
		"a list of somebody of that name":  {[][]byte{root.CRL(), stranger.CRL()}, []*x509.Certificate{lister.Cert, stranger.Cert}, cert.StatusUnknown},
		"a delta that revokes, in a file":  {[][]byte{root.CRL(), lister.CRL(), lister.CRL(ct.Delta(1), ct.Number(2), ct.Revoke(leaf, 1))}, []*x509.Certificate{lister.Cert}, cert.RevokedCode},
		"a list that answers for CAs only": {[][]byte{root.CRL(), lister.CRL(ct.Scope(ct.Point{}, ct.CAsOnly))}, []*x509.Certificate{lister.Cert}, cert.StatusUnknown},
	} {
		files := &status.Files{Certificates: c.known, Strict: true}
		for _, der := range c.lists {
			if err := files.AddCRL(der); err != nil {
				t.Fatal(err)
			}
		}
		path, err := cert.ValidatePath(t.Context(), leaf.Cert, cert.PathOptions{Anchors: []*x509.Certificate{root.Cert}, Intermediates: []*x509.Certificate{ca.Cert},
			At: ct.Now, Revocation: files, Strict: true})
		var got cert.PathCode
		if e, ok := err.(*cert.PathError); ok {
			got = e.Code
		}
		if got != c.want || err == nil && path.Status.State != cert.Good {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}
