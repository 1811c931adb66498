package pdf_test

import (
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// seeds are files of every style, signed, and changed afterwards.
func seeds(f *testing.F) {
	for _, style := range styles {
		file := pdftest.Contract(style)
		f.Add(file.Bytes)
		file.Sign(f, signtest.New(f).RSA, pdftest.Sig{Style: style, Room: 2048})
		f.Add(file.Bytes)
		file.Update(pdftest.Update{Style: style, Objects: map[int]string{pdftest.Amount: "<</V(9)>>", pdftest.Content: pdftest.Deflated("", "BT ET")}})
		f.Add(file.Bytes)
		file.Sign(f, signtest.New(f).RSA, pdftest.Sig{Style: style, Room: 2048, FieldKeys: "/Rect[400 20 460 80]/AP<</N 61 0 R>>", Objects: pdftest.Seal(61)})
		f.Add(file.Bytes)
	}
}

// FuzzRead reads everything that a file offers; nothing may panic, and what is said of revisions must hold.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := pdf.Read(b)
		if err != nil {
			return
		}
		last := 0
		for i, r := range d.Revisions() {
			if r.End <= last || r.End > len(b) {
				t.Fatalf("revision %d ends at %d after %d of %d bytes", i, r.End, last, len(b))
			}
			last = r.End
			v := d.At(i)
			v.Catalog()
			v.Pages()
			v.Fields()
			for n := range min(v.Size(), 64) {
				if o, err := v.Object(pdf.Ref{Num: n}); err == nil {
					if st, ok := o.(*pdf.Stream); ok {
						v.Decode(st)
					}
				}
			}
		}
		d.Evidence()
	})
}

// FuzzSignatures judges what was changed after signatures. A signature without a fault covers bytes
// that are there, and one that covers the whole file was not followed by changes.
func FuzzSignatures(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := pdf.Read(b)
		if err != nil {
			return
		}
		all, err := d.Signatures()
		if err != nil {
			return
		}
		for _, s := range all {
			ranges := d.Ranges(s)
			switch {
			case len(s.Faults) > 0:
			case len(ranges) != 2 || len(s.Contents) == 0 || s.Revision < 0 || s.Coverage == pdf.CoversPart:
				t.Fatalf("no fault, and %d ranges, %d bytes, revision %d", len(ranges), len(s.Contents), s.Revision)
			case s.Coverage == pdf.CoversWhole && s.Level != pdf.LevelNone:
				t.Fatalf("whole, and changed afterwards: %v", s.Changes)
			}
		}
	})
}
