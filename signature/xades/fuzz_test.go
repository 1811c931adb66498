package xades_test

import (
	"crypto"
	"crypto/x509"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/xades"
	"github.com/jitsuin/jitsuin/signature/xmldsig"
)

// FuzzRead reads the properties of whatever comes, and digests what its time-stamps would cover.
func FuzzRead(f *testing.F) {
	j := signtest.NewJPKI(f)
	for _, first := range []bool{false, true} {
		good, err := xades.Sign([]byte(`<a><b Id="x"/></a>`), []xmldsig.Target{{Document: true}}, []*x509.Certificate{j.Sign.Certificate}, j.Sign.Key,
			xades.Profile{SigningTime: signtest.Now, First: first})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good)
		more, err := xades.AddEvidence(good, "signature", xades.Evidence{Certificates: []*x509.Certificate{j.SignCA.Certificate}, CRLs: [][]byte{{0x30, 0}}, OCSPs: [][]byte{{0x30, 0}}}, xmldsig.Options{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(more)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := xmldsig.Parse(in)
		if err != nil {
			return
		}
		for i, r := range d.VerifyAll(xmldsig.Options{}) {
			p := xades.Read(d, d.Signatures[i], r, xmldsig.Options{})
			if p == nil {
				continue
			}
			for i := range p.Stamps {
				p.Stamps[i].Digest(crypto.SHA256)
				p.Stamps[i].Earlier(crypto.SHA256)
			}
		}
	})
}
