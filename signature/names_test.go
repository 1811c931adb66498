package signature

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// FuzzName holds the short way of writing a name to the library's.
func FuzzName(f *testing.F) {
	j := signtest.NewJPKI(f)
	for _, c := range [][]byte{j.Sign.Certificate.RawSubject, j.Sign.Certificate.RawIssuer, j.Auth.Certificate.RawSubject} {
		f.Add(c)
	}
	for _, value := range []string{" a", "a ", "#a", "a#", "a,b", `a\\b`, "a+b", "実印", "a b", ""} {
		name := pkix.Name{CommonName: value, Organization: []string{value, "b"}, Country: []string{"JP"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: []int{1, 2, 3}, Value: value}}}
		for range 2 {
			der, err := asn1.Marshal(name.ToRDNSequence())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(der)
			name.ExtraNames = nil
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if short, ok := plainName(der); ok && short != anyName(der) {
			t.Fatalf("%q, and by the library %q", short, anyName(der))
		}
	})
}

func TestNamesOfResidentsAreWrittenTheShortWay(t *testing.T) {
	j := signtest.NewJPKI(t)
	for _, der := range [][]byte{j.Sign.Certificate.RawSubject, j.Sign.Certificate.RawIssuer, j.Auth.Certificate.RawIssuer} {
		if short, ok := plainName(der); !ok || short != anyName(der) {
			t.Errorf("%q, %t", short, ok)
		}
	}
}
