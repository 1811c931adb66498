package pades_test

import (
	"bytes"
	"crypto"
	"testing"

	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// FuzzSign signs whatever can be read: documents with a catalog, a form, a field and a page made of anything. What comes
// out begins with what went in, is read again, and holds; what is refused gives no document.
func FuzzSign(f *testing.F) {
	page := "/Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
	for i, objects := range []map[int]string{forms["in the catalog"], forms["an object"], forms["a list apart"], forms["a widget apart"], forms["in a group"], {}} {
		f.Add(objects[1], objects[27], objects[28], objects[29], "<<"+page+"/Annots[28 0 R]>>", byte(i), byte(i))
	}
	f.Add("<</Type/Catalog/Pages 2 0 R/Perms<</DocMDP 4 0 R>>/DSS<</VRI<<>>/Certs[4 0 R]>>>>", "", "", "", "<<"+page+"/Rotate 90/CropBox[1 2.5 300 400]/Annots 28 0 R>>", byte(1), byte(5))
	f.Add("<</Type/Catalog/Pages 2 0 R/AcroForm 27 0 R>>", "<</Fields[28 0 R]>>", "<</FT/Sig/T(Buyer)"+onPage+"/SV<</Ff 2/SubFilter[/ETSI.CAdES.detached]>>/Lock 29 0 R>>",
		"<</Action/Exclude/Fields[(a)]>>", "<<"+page+"/Annots[28 0 R]>>", byte(2), byte(2))
	who := signtest.NewJPKI(f).P384 // its signatures are the fastest
	f.Fuzz(func(t *testing.T, catalog, form, field, other, page string, style, how byte) {
		file := pdftest.Simple(pdftest.Style(style%5), "a contract")
		objects := map[int]string{}
		for n, body := range map[int]string{1: catalog, 3: page, 27: form, 28: field, 29: other} {
			if body != "" {
				objects[n] = body
			}
		}
		file.Update(pdftest.Update{Objects: objects, Style: pdftest.Style(style / 5 % 5)})
		in := file.Bytes
		o := options()
		if how&1 != 0 {
			o.Seal = impression(t, 10, 10)
		}
		if how&2 != 0 {
			o.Field = "Buyer"
		}
		if how&4 != 0 {
			o.Certify, o.Lock = pades.FormsAndSigns, &pades.Lock{Action: "Include", Fields: []string{"x"}}
		}
		p, err := pades.Prepare(in, o, 2000)
		if err != nil {
			code(t, nil, err)
			return
		}
		der, err := apart(t, who).DetachedDigest(p.Digest(crypto.SHA384), now)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Finish(t.Context(), der)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(out, in) {
			t.Fatal("what was there is not a prefix")
		}
		all := signatures(t, out)
		if len(all) == 0 || all[len(all)-1].Coverage != pdf.CoversWhole {
			t.Fatal("the signature is not there, or does not cover all")
		}
		if longer, err := pades.Preserve(out, now, pades.Evidence{Field: all[len(all)-1].Fields[0], Certificates: certificates(hanako(t))}); err == nil {
			signatures(t, longer)
		} else {
			code(t, longer, err)
		}
	})
}
