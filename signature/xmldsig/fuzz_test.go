package xmldsig

import (
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// No document makes the verifier fail, and none that differs from what was signed is whole and intact
// but for what canonical forms take for the same.
func FuzzVerify(f *testing.F) {
	pki := signtest.New(f)
	for _, s := range shapes() {
		f.Add(s.make(f, pki.P384))
	}
	sig, whole, bare := signedAssertion(f)
	f.Add([]byte(response(whole)))
	f.Add([]byte(response(sig + bare)))
	f.Add([]byte("<a>" + signatureOver("", "", transformTo(xpathFilter, `<XPath>ancestor-or-self::a</XPath>`), "") + "</a>"))
	f.Add([]byte("<a>" + signatureOver("#xpointer(id('a'))", "", transformTo(xpathFilter2, `<XPath xmlns="`+xpathFilter2+`" Filter="union">//b</XPath>`), "<Object><Manifest/></Object>") + "</a>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := Parse(in)
		if err != nil {
			return
		}
		for _, r := range d.VerifyAll(Options{Content: withAttachment}) {
			if len(r.Checks) == 0 {
				t.Fatal("a signature without a single check")
			}
			if r.holds() && len(r.References) == 0 {
				t.Fatal("a signature over nothing holds")
			}
		}
	})
}
