package pdf_test

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// BenchmarkSignatures is what reading costs of a verification: a signed file of 100 kB, from its bytes
// to its signature, what is in it not looked at.
func BenchmarkSignatures(b *testing.B) {
	for name, style := range map[string]pdftest.Style{"table": pdftest.Table, "stream": pdftest.Packed} {
		f := pdftest.Simple(style, strings.Repeat("0123456789abcdef", 88_000/16))
		f.Sign(b, signtest.New(b).RSA, pdftest.Sig{Style: style})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, err := pdf.Read(f.Bytes)
				if err != nil {
					b.Fatal(err)
				}
				if all, err := d.Signatures(); err != nil || len(all) != 1 {
					b.Fatal(len(all), err)
				}
			}
		})
	}
}
