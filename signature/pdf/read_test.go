package pdf_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

var styles = map[string]pdftest.Style{"table": pdftest.Table, "stream": pdftest.Stream, "packed": pdftest.Packed,
	"hybrid": pdftest.Hybrid, "predicted": pdftest.Predict}

// read fails the test where b is no document.
func read(t testing.TB, b []byte) *pdf.Document {
	t.Helper()
	d, err := pdf.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// words gives what the page's content stream says in v.
func words(t testing.TB, v pdf.View) string {
	t.Helper()
	pages, err := v.Pages()
	if err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	o, err := v.Resolve(pages[0].Dict.Get("Contents"))
	st, ok := o.(*pdf.Stream)
	if err != nil || !ok {
		t.Fatalf("contents: %T, %v", o, err)
	}
	data, err := v.Decode(st)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEveryStyleIsReadRevisionByRevision(t *testing.T) {
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			f := pdftest.Simple(style, "first")
			f.Update(pdftest.Update{Style: style, Objects: map[int]string{
				pdftest.Content: pdftest.Deflated("", "(second)"), pdftest.Font: f.Bodies[pdftest.Font]}})
			f.Update(pdftest.Update{Style: style, Objects: map[int]string{pdftest.Content: pdftest.StreamOf("", "(third)")}})
			d := read(t, f.Bytes)
			if len(d.Revisions()) != 3 {
				t.Fatalf("%d revisions", len(d.Revisions()))
			}
			for i, want := range []string{"first", "second", "third"} {
				if got := words(t, d.At(i)); !strings.Contains(got, "("+want+")") {
					t.Errorf("revision %d says %q", i, got)
				}
				if d.Revisions()[i].End != f.Ends[i] {
					t.Errorf("revision %d ends at %d, not %d", i, d.Revisions()[i].End, f.Ends[i])
				}
			}
			if d.Current().Size() != f.Next {
				t.Errorf("next number %d, not %d", d.Current().Size(), f.Next)
			}
		})
	}
}

func TestQPDFReadsWhatTheGeneratorWrites(t *testing.T) {
	for name, style := range styles {
		t.Run(name, func(t *testing.T) {
			f := pdftest.Simple(style, "first")
			f.Update(pdftest.Update{Style: style, Objects: map[int]string{pdftest.Content: pdftest.Deflated("", "BT ET")}})
			if out, err := signtest.Judge(t, "qpdf", "--check", signtest.Write(t, "a.pdf", f.Bytes)); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// The values of every type of object, and near copies that are refused.
func TestObjects(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"null", "null", "<nil>"}, {"true", "true", "true"}, {"false", "false", "false"}, {"integer", "-17", "-17"},
		{"plus", "+17", "17"}, {"real", "-.5", "-0.5"}, {"real with a point at the end", "4.", "4"},
		{"literal", `(a\(b\)(c)\n\101\7\
)`, "a(b)(c)\nA\a"}, {"literal with ends of line", "(a\r\nb\rc)", "a\nb\nc"}, {"hexadecimal", "<4 a4B4>", "JK@"},
		{"name", "/A#42c", "ABc"}, {"empty name", "/", ""}, {"reference", "[1 0 R 2]", "[{1 0} 2]"},
		{"numbers", "[1 0 2 0 R]", "[1 0 {2 0}]"}, {"comment", "[1%]\n2]", "[1 2]"}, {"no space", "[/A(b)<43>]", "[A b C]"},
		{"unknown word", "nil", ""}, {"broken name", "/A#4", ""}, {"zero in a name", "/A#00", ""}, {"open string", "(a", ""},
		{"bad hexadecimal", "<4g>", ""}, {"open array", "[1", ""}, {"open dictionary", "<</A 1", ""}, {"single >", "<</A 1>", ""},
		{"key that is no name", "<<1 2>>", ""}, {"two signs", "--1", ""}, {"two points", "1.2.3", ""}, {"sign alone", "-", ""},
		{"too deep", strings.Repeat("[", 70) + strings.Repeat("]", 70), ""}, {"long name", "/" + strings.Repeat("a", 2000), ""},
		{"too many", "[" + strings.Repeat("1 ", 200000) + "]", ""}, {"odd dictionary", "<</A>>", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := pdftest.Simple(pdftest.Table, "x")
			f.Update(pdftest.Update{Objects: map[int]string{9: c.body}})
			o, err := read(t, f.Bytes).Current().Object(pdf.Ref{Num: 9})
			if (err != nil) != (c.want == "" && c.name != "empty name") {
				t.Fatalf("%v, %v", o, err)
			}
			if got := shown(o); err == nil && got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
}

func shown(o pdf.Object) string {
	switch o := o.(type) {
	case pdf.String:
		return string(o.Bytes())
	case pdf.Array:
		var all []string
		for _, e := range o {
			all = append(all, shown(e))
		}
		return "[" + strings.Join(all, " ") + "]"
	}
	return fmt.Sprint(o)
}

// Files whose frame is broken are refused whole: they are not repaired.
func TestBrokenFramesAreRefused(t *testing.T) {
	f := pdftest.Simple(pdftest.Table, "first")
	first := string(f.Bytes)
	f.Update(pdftest.Update{Objects: map[int]string{pdftest.Content: pdftest.StreamOf("", "(second)")}})
	whole := string(f.Bytes)
	locked := f.Clone()
	locked.Update(pdftest.Update{Trailer: "/Encrypt 9 0 R"})
	at := func(s string) string { return fmt.Sprint(strings.LastIndex(whole, s)) }
	for _, c := range []struct{ name, file, code string }{
		{"empty", "", "pdf-malformed"},
		{"no header", whole[1:], "pdf-malformed"},
		{"bytes before the header", "\n" + whole, "pdf-malformed"},
		{"version 3", strings.Replace(whole, "PDF-1.7", "PDF-3.0", 1), "pdf-malformed"},
		{"no startxref", strings.ReplaceAll(whole, "startxref", "startxxxx"), "pdf-malformed"},
		{"no %%EOF", strings.TrimSuffix(whole, "%%EOF\n"), "pdf-malformed"},
		{"startxref far from the end", whole + strings.Repeat(" ", 4096), "pdf-malformed"},
		{"startxref to nowhere", strings.Replace(whole, "startxref\n"+at("xref\n4"), "startxref\n9999999", 1), "pdf-malformed"},
		{"startxref into an object", strings.Replace(whole, "startxref\n"+at("xref\n4"), "startxref\n20", 1), "pdf-malformed"},
		{"startxref to the older section", whole + "startxref\n" + fmt.Sprint(strings.Index(whole, "xref\n0")) + "\n%%EOF\n", "pdf-malformed"},
		{"/Prev to itself", strings.Replace(whole, "/Prev ", "/Prev "+at("xref\n4")+"%", 1), "pdf-malformed"},
		{"/Prev that is no number", strings.Replace(whole, "/Prev ", "/Prev /", 1), "pdf-malformed"},
		{"broken row", strings.Replace(whole, " 00000 n", " 0000x n", 1) + "", "row"},
		{"no trailer", strings.ReplaceAll(whole, "trailer", "trolley"), "pdf-malformed"},
		{"key twice in a trailer", strings.ReplaceAll(whole, "/Size", "/Root 3 0 R/Size"), "pdf-malformed"},
		{"encrypted", string(locked.Bytes), "pdf-encrypted"},
		{"cut", first[:len(first)/2], "pdf-malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := pdf.Read([]byte(c.file))
			if c.code == "row" { // rows are looked at when they are asked for
				if err == nil {
					_, _, err = d.Current().Catalog()
				}
				c.code = "pdf-malformed"
			}
			if code := jitsuin.CodeOf(err); code != c.code {
				t.Fatalf("%q: %v", code, err)
			}
		})
	}
}
