package pades_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/pades"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
	"github.com/jitsuin/jitsuin/signature/seal"
)

// changed is a document in which some objects say something else.
func changed(objects map[int]string) []byte {
	f := pdftest.Simple(pdftest.Table, "a contract")
	f.Update(pdftest.Update{Objects: objects})
	return f.Bytes
}

const catalogWith = "<</Type/Catalog/Pages 2 0 R"

// What cannot be signed is refused, by name, and nothing comes out.
func TestDocumentsThatAreNotSigned(t *testing.T) {
	plain := document(pdftest.Table)
	signed := mustSign(t, hanako(t), plain, options())
	prepared, err := pades.Prepare(plain, options(), 3000)
	if err != nil {
		t.Fatal(err)
	}
	unfinished := new(bytes.Buffer)
	if _, err := unfinished.ReadFrom(prepared.Covered()); err != nil {
		t.Fatal(err)
	}
	encrypted := pdftest.New()
	encrypted.Update(pdftest.Update{Objects: map[int]string{1: "<</Type/Catalog/Pages 2 0 R>>", 2: "<</Type/Pages/Kids[]/Count 0>>"}, Trailer: "/Encrypt<</Filter/Standard/V 5>>"})
	edit := func(old, new string) []byte {
		if !bytes.Contains(signed, []byte(old)) || len(old) != len(new) {
			t.Fatalf("no edit: %q", old)
		}
		return bytes.Replace(bytes.Clone(signed), []byte(old), []byte(new), 1)
	}
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"nothing":                   {nil, "pdf-malformed"},
		"text":                      {[]byte("a contract"), "pdf-malformed"},
		"half a file":               {plain[:len(plain)/2], "pdf-malformed"},
		"no end":                    {bytes.TrimSuffix(plain, []byte("%%EOF\n")), "pdf-malformed"},
		"encrypted":                 {encrypted.Bytes, "pdf-encrypted"},
		"a place that is none":      {bytes.Replace(plain, []byte("startxref\n"), []byte("startxref\n9"), 1), "pdf-malformed"},
		"XFA":                       {changed(map[int]string{1: catalogWith + "/AcroForm<</Fields[]/XFA 4 0 R>>>>"}), "pdf-xfa"},
		"XFA that renders":          {changed(map[int]string{1: catalogWith + "/NeedsRendering true/AcroForm<</Fields[]>>>>"}), "pdf-xfa"},
		"a key twice in catalog":    {changed(map[int]string{1: catalogWith + "/AcroForm<<>>/AcroForm<<>>>>"}), "pdf-malformed"},
		"a key twice in the form":   {changed(map[int]string{1: catalogWith + "/AcroForm<</Fields[]/Fields[]>>>>"}), "pdf-malformed"},
		"no catalog":                {changed(map[int]string{1: "null"}), "pdf-malformed"},
		"no pages":                  {changed(map[int]string{2: "<</Type/Pages/Kids[]/Count 0>>"}), "pdf-page"},
		"pages in a circle":         {changed(map[int]string{2: "<</Type/Pages/Kids[2 0 R]/Count 1>>"}), "pdf-malformed"},
		"a page without area":       {changed(map[int]string{3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 0 842]>>"}), "pdf-malformed"},
		"a page without a box":      {changed(map[int]string{3: "<</Type/Page/Parent 2 0 R>>"}), "pdf-malformed"},
		"annotations that are none": {changed(map[int]string{3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots 7>>"}), "pdf-malformed"},
		"fields in a circle":        {changed(map[int]string{1: catalogWith + "/AcroForm<</Fields[27 0 R]>>>>", 27: "<</T(a)/Kids[27 0 R]>>"}), "pdf-malformed"},
		"signed, one byte changed":  {edit("(a contract)", "(b contract)"), "pdf-broken"},
		"signed, name changed":      {edit("/Filter /Adobe.PPKLite", "/Filter /Adobe.PPKlite"), "pdf-broken"},
		"signed, value cut":         {append(bytes.Clone(signed[:bytes.Index(signed, []byte("/Contents <"))+11]), append(bytes.Repeat([]byte("0"), 20), signed[bytes.Index(signed, []byte("/Contents <"))+31:]...)...), "pdf-broken"},
		"prepared, not finished":    {unfinished.Bytes(), "pdf-broken"},
	} {
		for what, do := range map[string]func() ([]byte, error){
			"sign":    func() ([]byte, error) { return hanako(t).Sign(t.Context(), c.in, options()) },
			"archive": func() ([]byte, error) { return pades.Archive(t.Context(), c.in, stamper(t, now), 0) },
			"preserve": func() ([]byte, error) {
				return pades.Preserve(c.in, now, pades.Evidence{Certificates: certificates(hanako(t))})
			},
		} {
			out, err := do()
			got := code(t, out, err)
			if what == "preserve" && (strings.Contains(name, "page") || strings.Contains(name, "annotations")) {
				continue // it needs no page
			}
			if got != c.want && !(name == "prepared, not finished" && got == "pdf-malformed") {
				t.Errorf("%s %s: %q %v", what, name, got, err)
			}
		}
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	s, err := seal.New("実印")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*pades.Options)
		want   string
	}{
		"no time":               {func(o *pades.Options) { *o = pades.Options{} }, "pdf-options"},
		"another form":          {func(o *pades.Options) { o.Form = "adbe.pkcs7.sha1" }, "pdf-options"},
		"a filing without name": {func(o *pades.Options) { o.Form, o.Name = pades.PKCS7, "" }, "pdf-options"},
		"a long reason":         {func(o *pades.Options) { o.Reason = strings.Repeat("印", 501) }, "pdf-options"},
		"no UTF-8":              {func(o *pades.Options) { o.Location = "\xff" }, "pdf-options"},
		"permission 4":          {func(o *pades.Options) { o.Certify = 4 }, "pdf-options"},
		"permission -1":         {func(o *pades.Options) { o.Certify = -1 }, "pdf-options"},
		"a lock without fields": {func(o *pades.Options) { o.Lock = &pades.Lock{Action: "Include"} }, "pdf-options"},
		"a lock of something":   {func(o *pades.Options) { o.Lock = &pades.Lock{Action: "Some"} }, "pdf-options"},
		"all but some":          {func(o *pades.Options) { o.Lock = &pades.Lock{Action: "All", Fields: []string{"a"}} }, "pdf-options"},
		"no seal":               {func(o *pades.Options) { o.Seal = &pades.Appearance{Page: 1} }, "pdf-options"},
		"page 0":                {func(o *pades.Options) { o.Seal = &pades.Appearance{Seal: s} }, "pdf-options"},
		"a small seal":          {func(o *pades.Options) { o.Seal = &pades.Appearance{Seal: s, Page: 1, Side: 3} }, "pdf-options"},
		"page 2 of 1":           {func(o *pades.Options) { o.Seal = &pades.Appearance{Seal: s, Page: 2} }, "pdf-page"},
		"outside, right":        {func(o *pades.Options) { o.Seal = &pades.Appearance{Seal: s, Page: 1, X: 560} }, "pdf-page"},
		"outside, above":        {func(o *pades.Options) { o.Seal = &pades.Appearance{Seal: s, Page: 1, Y: 800} }, "pdf-page"},
		"outside, left":         {func(o *pades.Options) { o.Seal = &pades.Appearance{Seal: s, Page: 1, X: -560} }, "pdf-page"},
		"a new field in groups": {func(o *pades.Options) { o.Field = "a.b" }, "pdf-field"},
	} {
		o := options()
		c.change(&o)
		out, err := hanako(t).Sign(t.Context(), document(pdftest.Table), o)
		if got := code(t, out, err); got != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out, err := pades.Prepare(document(pdftest.Table), options(), 0); out != nil || err == nil {
		t.Error("no room is taken")
	}
}
