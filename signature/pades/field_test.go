package pades_test

import (
	"testing"

	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

const onPage = "/Type/Annot/Subtype/Widget/Rect[300 100 400 150]/P 3 0 R/F 4"

// forms are ways in which a document may have a form already; object 28 is an empty signature field or its widget.
var forms = map[string]map[int]string{
	"in the catalog": {1: catalogWith + "/AcroForm<</Fields[28 0 R]>>>>", 28: "<</FT/Sig/T(Buyer)" + onPage + ">>"},
	"an object":      {1: catalogWith + "/AcroForm 27 0 R>>", 27: "<</Fields[28 0 R]/SigFlags 1>>", 28: "<</FT/Sig/T(Buyer)" + onPage + ">>"},
	"a list apart":   {1: catalogWith + "/AcroForm 27 0 R>>", 27: "<</Fields 29 0 R/SigFlags 3>>", 28: "<</FT/Sig/T(Buyer)" + onPage + ">>", 29: "[28 0 R]"},
	"a widget apart": {1: catalogWith + "/AcroForm 27 0 R>>", 27: "<</Fields[29 0 R]>>", 29: "<</FT/Sig/T(Buyer)/Kids[28 0 R]>>", 28: "<</Parent 29 0 R" + onPage + ">>"},
	"in a group":     {1: catalogWith + "/AcroForm 27 0 R>>", 27: "<</Fields[29 0 R]>>", 29: "<</FT/Sig/T(Sale)/Kids[28 0 R]>>", 28: "<</Parent 29 0 R/T(Buyer)" + onPage + ">>"},
}

// withForm is a document with a form.
func withForm(objects map[int]string, annots string) []byte {
	f := pdftest.Simple(pdftest.Packed, "a contract")
	all := map[int]string{3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>/Annots " + annots + ">>", 40: "[28 0 R]"}
	for n, body := range objects {
		all[n] = body
	}
	f.Update(pdftest.Update{Objects: all, Style: pdftest.Packed})
	return f.Bytes
}

// An empty field is filled, with a seal in its place; a new one is added beside it. Annotations may stand in the page or apart.
func TestFieldsThatAreThere(t *testing.T) {
	for name, objects := range forms {
		for _, annots := range []string{"[28 0 R]", "40 0 R"} {
			t.Run(name, func(t *testing.T) {
				in := withForm(objects, annots)
				field := "Buyer"
				if name == "in a group" {
					field = "Sale.Buyer"
				}
				o := options()
				o.Field, o.Seal = field, impression(t, 0, 0)
				out := mustSign(t, hanako(t), in, o)
				all := signatures(t, out)
				if len(all) != 1 || all[0].Fields[0] != field {
					t.Fatalf("%+v", all)
				}
				out2, err := hanako(t).Sign(t.Context(), out, o)
				if got := code(t, out2, err); got != "pdf-field" {
					t.Errorf("a field that is signed: %v", err)
				}
				out = mustSign(t, hanako(t), out, options())
				if all := signatures(t, out); len(all) != 2 || all[1].Fields[0] != "Signature1" {
					t.Fatalf("%+v", all)
				}
				if name != "a widget apart" { // pdfsig looks for the value in the widget alone
					judges(t, out, 2)
				}
				fieldsAre(t, out, field, "Signature1")
			})
		}
	}
}

// fieldsAre holds form and page to each other: every field stands in both.
func fieldsAre(t *testing.T, document []byte, names ...string) {
	t.Helper()
	d, err := pdf.Read(document)
	if err != nil {
		t.Fatal(err)
	}
	v := d.Current()
	fields, err := v.Fields()
	if err != nil || len(fields) != len(names) {
		t.Fatal(len(fields), err)
	}
	pages, err := v.Pages()
	if err != nil {
		t.Fatal(err)
	}
	annots, err := v.Array(pages[0].Dict.Get("Annots"))
	if err != nil || len(annots) != len(names) {
		t.Errorf("%d annotations on the page, %v", len(annots), err)
	}
	for i, f := range fields {
		if f.Name != names[i] || f.Value == nil {
			t.Errorf("field %d is %q, %v", i, f.Name, f.Value)
		}
	}
}

// What an empty field demands is followed or refused.
func TestDemandsOfFields(t *testing.T) {
	one := func(more string) []byte {
		return withForm(map[int]string{1: catalogWith + "/AcroForm<</Fields[28 0 R 29 0 R]>>>>",
			28: "<</FT/Sig/T(Buyer)" + onPage + more + ">>", 29: "<</FT/Tx/T(Price)/Kids[30 0 R]>>", 30: "<</Parent 29 0 R" + onPage + ">>"}, "[28 0 R 30 0 R]")
	}
	for name, c := range map[string]struct {
		more, want string
		change     func(*pades.Options)
	}{
		"a form that is ours":       {"/SV<</Ff 2/SubFilter[/adbe.pkcs7.detached/ETSI.CAdES.detached]>>", "", nil},
		"a form that is not":        {"/SV<</Ff 2/SubFilter[/adbe.pkcs7.detached]>>", "pdf-field", nil},
		"a form that is only liked": {"/SV<</SubFilter[/adbe.pkcs7.detached]>>", "", nil},
		"a filter":                  {"/SV<</Ff 1/Filter/Adobe.PPKLite>>", "", nil},
		"another filter":            {"/SV<</Ff 1/Filter/Entrust.PPKEF>>", "pdf-field", nil},
		"reasons":                   {"/SV<</Ff 8/Reasons[(x)]>>", "pdf-field", nil},
		"a certification":           {"/SV<</MDP<</P 1>>>>", "pdf-field", nil},
		"a lock":                    {"/Lock<</Type/SigFieldLock/Action/Include/Fields[(Price)]>>", "", nil},
		"a lock that certifies":     {"/Lock<</Type/SigFieldLock/Action/All/P 1>>", "pdf-field", nil},
		"a broken lock":             {"/Lock<</Action/Include>>", "pdf-malformed", nil},
		"two locks":                 {"/Lock<</Action/All>>", "pdf-field", func(o *pades.Options) { o.Lock = &pades.Lock{Action: "All"} }},
		"another kind of field":     {"", "pdf-field", func(o *pades.Options) { o.Field = "Price" }},
		"no room for a seal":        {"", "", nil},
	} {
		o := options()
		o.Field = "Buyer"
		if c.change != nil {
			c.change(&o)
		}
		out, err := hanako(t).Sign(t.Context(), one(c.more), o)
		if got := code(t, out, err); got != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			signatures(t, out)
			judges(t, out, 1)
		}
		if name == "a lock" && err == nil {
			o.Field = "Price"
			next := options()
			next.Field = "Price"
			if out, err := hanako(t).Sign(t.Context(), out, next); code(t, out, err) == "" {
				t.Error("a locked field is signed")
			}
		}
	}
}
