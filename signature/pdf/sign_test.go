package pdf_test

import (
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// signed gives a file of one page with a signature.
func signed(t testing.TB, s pdftest.Sig) *pdftest.File {
	t.Helper()
	f := pdftest.Simple(s.Style, "The rent is 80,000 yen.")
	f.Sign(t, signtest.New(t).RSA, s)
	return f
}

// signatures reads all signatures.
func signatures(t testing.TB, b []byte) []*pdf.Signature {
	t.Helper()
	all, err := read(t, b).Signatures()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSignatureInEveryStyle(t *testing.T) {
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			all := signatures(t, signed(t, pdftest.Sig{Style: style}).Bytes)
			if len(all) != 1 || len(all[0].Faults) > 0 || all[0].Coverage != pdf.CoversWhole || all[0].Level != pdf.LevelNone {
				t.Fatalf("%d signatures, %+v", len(all), all)
			}
		})
	}
}
