package signature_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// objects is what an update writes.
type objects = map[int]string

// edit changes one object.
func edit(num int, old, new string) func(*pdftest.File) objects {
	return func(f *pdftest.File) objects { return objects{num: f.Edit(num, old, new)} }
}

// with makes an object's dictionary end with further keys.
func with(num int, keys string) func(*pdftest.File) objects {
	return func(f *pdftest.File) objects {
		return objects{num: strings.TrimSuffix(f.Bodies[num], ">>") + keys + ">>"}
	}
}

// put writes an object as it is given.
func put(num int, body string) func(*pdftest.File) objects {
	return func(*pdftest.File) objects { return objects{num: body} }
}

// all joins changes; none of them may touch an object of another.
func all(changes ...func(*pdftest.File) objects) func(*pdftest.File) objects {
	return func(f *pdftest.File) objects {
		o := objects{}
		for _, c := range changes {
			maps.Copy(o, c(f))
		}
		return o
	}
}

// annotation adds an annotation to the page.
func annotation(body string) func(*pdftest.File) objects {
	return all(edit(pdftest.Page, "/Annots[", "/Annots[60 0 R "), put(60, body))
}

const (
	appearance = "/AP<</N 61 0 R>>"
	spare      = 60 // the first number that no object of a contract has
)

// tenant gives the numbers of the tenant's field and signature.
func tenant(f *pdftest.File) (field, dict int) {
	for n, body := range f.Bodies {
		switch {
		case strings.Contains(body, "/T(Tenant)"):
			field = n
		case strings.Contains(body, "/ByteRange"):
			dict = n
		}
	}
	return field, dict
}

// What nobody may do after a signature, whatever else it allows: each is refused.
func TestPDFForbiddenChanges(t *testing.T) {
	stream := func(s string) string { return pdftest.StreamOf("", s) }
	seal := pdftest.Seal(61)[61]
	for _, c := range []struct {
		name string
		sig  pdftest.Sig
		make func(*pdftest.File) objects
	}{
		{"text of a page", pdftest.Sig{}, put(pdftest.Content, stream("BT (The rent is 8,000 yen.) Tj ET"))},
		{"more text on a page", pdftest.Sig{}, all(edit(pdftest.Page, "/Contents 4 0 R", "/Contents[4 0 R 60 0 R]"), put(60, stream("BT ET")))},
		{"other text by reference", pdftest.Sig{}, all(edit(pdftest.Page, "/Contents 4 0 R", "/Contents 60 0 R"), put(60, stream("BT ET")))},
		{"an image", pdftest.Sig{}, edit(pdftest.Logo, "\x80", "\x00")},
		{"a font", pdftest.Sig{}, edit(pdftest.Font, "Helvetica", "Symbol")},
		{"resources of a page", pdftest.Sig{}, edit(pdftest.Page, "/Logo 7 0 R", "/Logo 60 0 R")},
		{"size of a page", pdftest.Sig{}, edit(pdftest.Page, "[0 0 595 842]", "[0 0 595 400]")},
		{"crop of a page", pdftest.Sig{}, with(pdftest.Page, "/CropBox[0 0 595 400]")},
		{"turn of a page", pdftest.Sig{}, with(pdftest.Page, "/Rotate 180")},
		{"unit of a page", pdftest.Sig{}, with(pdftest.Page, "/UserUnit 10")},
		{"action of a page", pdftest.Sig{}, with(pdftest.Page, "/AA<</O<</S/JavaScript/JS(x)>>>>")},
		{"a page added", pdftest.Sig{}, all(edit(pdftest.Pages, "[3 0 R]/Count 1", "[3 0 R 60 0 R]/Count 2"), put(60, "<</Type/Page/Parent 2 0 R>>"))},
		{"a page in place of another", pdftest.Sig{}, all(edit(pdftest.Pages, "[3 0 R]", "[60 0 R]"), put(60, "<</Type/Page/Parent 2 0 R>>"))},
		{"pages removed", pdftest.Sig{}, edit(pdftest.Pages, "[3 0 R]/Count 1", "[]/Count 0")},
		{"another page tree", pdftest.Sig{}, all(edit(pdftest.Catalog, "/Pages 2 0 R", "/Pages 60 0 R"), put(60, "<</Type/Pages/Kids[3 0 R]/Count 1/Rotate 90>>"))},
		{"a page tree with an inherited entry", pdftest.Sig{}, with(pdftest.Pages, "/Rotate 90")},
		{"an action on opening", pdftest.Sig{}, with(pdftest.Catalog, "/OpenAction[3 0 R/Fit]")},
		{"actions of the document", pdftest.Sig{}, with(pdftest.Catalog, "/AA<</WP<</S/JavaScript/JS(x)>>>>")},
		{"scripts", pdftest.Sig{}, with(pdftest.Catalog, "/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(x)>>]>>>>")},
		{"attached files", pdftest.Sig{}, with(pdftest.Catalog, "/Names<</EmbeddedFiles<</Names[]>>>>")},
		{"layers", pdftest.Sig{}, with(pdftest.Catalog, "/OCProperties<</OCGs[]/D<<>>>>")},
		{"bookmarks", pdftest.Sig{}, with(pdftest.Catalog, "/Outlines<<>>")},
		{"a key that nobody knows", pdftest.Sig{}, with(pdftest.Catalog, "/Hidden 4 0 R")},
		{"a catalog with a key twice", pdftest.Sig{}, with(pdftest.Catalog, "/Pages 2 0 R")},
		{"metadata that is none", pdftest.Sig{}, put(8, stream("x"))},
		{"extensions that say less", pdftest.Sig{}, edit(pdftest.Catalog, "/ExtensionLevel 5", "/ExtensionLevel 3")},
		{"extensions removed", pdftest.Sig{}, edit(pdftest.Catalog, "/Extensions<</ADBE<</BaseVersion/1.7/ExtensionLevel 5>>>>", "")},
		{"the structure of the text", pdftest.Sig{}, edit(pdftest.Element, "/K 0", "/K 0/ActualText(another text)")},
		{"an element of structure that is no form's", pdftest.Sig{}, all(edit(pdftest.Structure, "[31 0 R]", "[31 0 R 60 0 R]"), put(60, "<</Type/StructElem/S/P/K 0/Pg 3 0 R>>"))},
		{"the structure tree removed", pdftest.Sig{}, edit(pdftest.Catalog, "/StructTreeRoot 30 0 R", "")},

		{"a text over the page", pdftest.Sig{}, annotation("<</Type/Annot/Subtype/FreeText/Rect[72 760 300 790]/DA(/Helv 12 Tf)/Contents(8,000)>>")},
		{"a stamp", pdftest.Sig{DocMDP: 3}, all(annotation("<</Type/Annot/Subtype/Stamp/Rect[72 760 300 790]"+appearance+">>"), put(61, seal))},
		{"a free text where notes are allowed", pdftest.Sig{DocMDP: 3}, annotation("<</Type/Annot/Subtype/FreeText/Rect[72 760 300 790]/Contents(8,000)>>")},
		{"a redaction where notes are allowed", pdftest.Sig{DocMDP: 3}, annotation("<</Type/Annot/Subtype/Redact/Rect[72 760 300 790]>>")},
		{"a square where notes are allowed", pdftest.Sig{DocMDP: 3}, annotation("<</Type/Annot/Subtype/Square/IC[1 1 1]/Rect[72 760 300 790]>>")},
		{"a marking that looks like something else", pdftest.Sig{DocMDP: 3}, all(annotation("<</Type/Annot/Subtype/Highlight/Rect[72 760 300 790]"+appearance+">>"), put(61, seal))},
		{"a note with an action", pdftest.Sig{DocMDP: 3}, annotation("<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/A<</S/URI/URI(x)>>>>")},
		{"a note under an approval", pdftest.Sig{}, annotation("<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(x)>>")},
		{"a note under a certification for forms", pdftest.Sig{DocMDP: 2}, annotation("<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(x)>>")},
		{"a note changed", pdftest.Sig{DocMDP: 3}, edit(pdftest.Note, "(A note)", "(Another)")},
		{"a note removed", pdftest.Sig{DocMDP: 3}, edit(pdftest.Page, "24 0 R ", "")},
		{"notes in another order", pdftest.Sig{DocMDP: 3}, edit(pdftest.Page, "22 0 R 23 0 R", "23 0 R 22 0 R")},

		{"a field filled in under an approval", pdftest.Sig{}, all(edit(pdftest.Amount, "/V(80,000)", "/V(8,000)"), edit(pdftest.AmountAP, "80,000", "8,0000"))},
		{"a field that looks filled in", pdftest.Sig{}, edit(pdftest.AmountAP, "80,000", "8,0000")},
		{"a field that looks filled in by another object", pdftest.Sig{}, all(edit(pdftest.Amount, "/N 21 0 R", "/N 60 0 R"), put(60, seal))},
		{"a field that looks filled in where that is allowed", pdftest.Sig{DocMDP: 2}, edit(pdftest.AmountAP, "80,000", "8,0000")},
		{"a field that shows nothing any more", pdftest.Sig{DocMDP: 2}, edit(pdftest.Amount, "/N 21 0 R", "/N 60 0 R")},
		{"a field that may only be read", pdftest.Sig{DocMDP: 2}, edit(pdftest.Fixed, "/V(1)", "/V(9)")},
		{"a field renamed", pdftest.Sig{DocMDP: 2}, edit(pdftest.Amount, "/T(Amount)", "/T(Total)")},
		{"a field moved", pdftest.Sig{DocMDP: 2}, edit(pdftest.Amount, "[72 600 200 620]", "[72 765 200 785]")},
		{"a field's flags", pdftest.Sig{DocMDP: 2}, with(pdftest.Amount, "/Ff 8192")},
		{"a field's action", pdftest.Sig{DocMDP: 2}, with(pdftest.Amount, "/AA<</K<</S/JavaScript/JS(x)>>>>")},
		{"a field's default", pdftest.Sig{DocMDP: 2}, with(pdftest.Amount, "/DV(9)")},
		{"a field hidden", pdftest.Sig{DocMDP: 2}, edit(pdftest.Amount, "/F 4", "/F 6")},
		{"a field with a key twice", pdftest.Sig{DocMDP: 2}, with(pdftest.Amount, "/V(9)")},
		{"a button's face", pdftest.Sig{DocMDP: 2}, edit(25, "2 2 16 16", "0 0 99 99")},
		{"a field removed", pdftest.Sig{DocMDP: 3}, edit(pdftest.Catalog, "20 0 R ", "")},
		{"a text field added", pdftest.Sig{DocMDP: 3}, all(edit(pdftest.Catalog, "/Fields[", "/Fields[60 0 R "), put(60, "<</FT/Tx/T(More)>>"))},
		{"appearances that are to be made", pdftest.Sig{DocMDP: 3}, edit(pdftest.Catalog, "/SigFlags 1", "/SigFlags 1/NeedAppearances true")},
		{"another form inside the form", pdftest.Sig{DocMDP: 3}, edit(pdftest.Catalog, "/SigFlags 1", "/SigFlags 1/XFA(x)")},
		{"fonts of the form", pdftest.Sig{DocMDP: 3}, all(edit(pdftest.Catalog, "/Helv 5 0 R", "/Helv 60 0 R"), put(60, "<</Type/Font>>"))},
		{"the form removed", pdftest.Sig{DocMDP: 3}, edit(pdftest.Catalog, "/AcroForm", "/Other")},
		{"a locked field filled in", pdftest.Sig{DocMDP: 2, FieldMDP: "/Action/All"}, edit(pdftest.Amount, "/V(80,000)", "/V(9)")},
		{"a field locked by name filled in", pdftest.Sig{DocMDP: 2, FieldMDP: "/Action/Include/Fields[(Amount)]"}, edit(pdftest.Amount, "/V(80,000)", "/V(9)")},
		{"a field not left out of a lock filled in", pdftest.Sig{DocMDP: 2, FieldMDP: "/Action/Exclude/Fields[(Agreed)]"}, edit(pdftest.Amount, "/V(80,000)", "/V(9)")},
		{"a field locked by the signature's field", pdftest.Sig{DocMDP: 2, FieldKeys: "/Rect[0 0 0 0]/Lock<</Type/SigFieldLock/Action/All>>"}, edit(pdftest.Amount, "/V(80,000)", "/V(9)")},
		{"a field filled in where nothing is allowed", pdftest.Sig{DocMDP: 1}, edit(pdftest.Amount, "/V(80,000)", "/V(9)")},
		{"a field filled in where the field's lock allows nothing", pdftest.Sig{DocMDP: 2, FieldKeys: "/Rect[0 0 0 0]/Lock<</Action/Include/Fields[]/P 1>>"}, edit(pdftest.Amount, "/V(80,000)", "/V(9)")},

		{"an empty signature field added", pdftest.Sig{}, all(edit(pdftest.Catalog, "/Fields[", "/Fields[60 0 R "), put(60, "<</FT/Sig/T(More)/Rect[0 0 0 0]>>"))},
		{"the look of a signature", pdftest.Sig{FieldKeys: "/Rect[300 20 360 80]/AP<</N 26 0 R>>"}, put(26, seal)},
		{"a signature's reason", pdftest.Sig{}, func(f *pdftest.File) objects { _, n := tenant(f); return with(n, "/Reason(x)")(f) }},
		{"a signature's place", pdftest.Sig{}, func(f *pdftest.File) objects {
			n, _ := tenant(f)
			return edit(n, "[0 0 0 0]", "[72 760 300 790]")(f)
		}},
		{"the certification removed", pdftest.Sig{DocMDP: 2}, edit(pdftest.Catalog, "/Perms", "/Other")},
		{"a certification added", pdftest.Sig{}, func(f *pdftest.File) objects {
			_, n := tenant(f)
			return with(pdftest.Catalog, fmt.Sprintf("/Perms<</DocMDP %d 0 R>>", n))(f)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := contract(t, c.sig)
			f.Update(pdftest.Update{Objects: c.make(f)})
			r := judgePDF(t, f.Bytes)
			if r.Verdict != signature.Malformed { // a form that cannot be read says nothing of anybody
				refused(t, r, "")
				if s := r.Signatures[0]; !s.ModifiedAfter || s.Modification != signature.Forbidden {
					t.Errorf("%v %s: %v", s.ModifiedAfter, s.Modification, failed(r))
				}
			}
			if r.ExitCode() == signature.ExitPassed {
				t.Fatal("accepted")
			}
		})
	}
}

// What may be done after a signature, near copies of what may not.
func TestPDFAllowedChanges(t *testing.T) {
	for _, c := range []struct {
		name string
		sig  pdftest.Sig
		make func(*pdftest.File) objects
	}{
		{"nothing but an update", pdftest.Sig{}, put(spare, "(garbage)")},
		{"objects written again", pdftest.Sig{}, func(f *pdftest.File) objects {
			return objects{pdftest.Content: f.Bodies[pdftest.Content], pdftest.Page: f.Bodies[pdftest.Page]}
		}},
		{"numbers written otherwise", pdftest.Sig{}, edit(pdftest.Page, "[0 0 595 842]", "[0.0 0 595.00 842]")},
		{"document information", pdftest.Sig{}, edit(pdftest.Info, "(Contract)", "(Contract, filed)")},
		{"metadata", pdftest.Sig{DocMDP: 1}, put(8, pdftest.StreamOf("/Type/Metadata/Subtype/XML", "<x:xmpmeta>y</x:xmpmeta>"))},
		{"evidence", pdftest.Sig{DocMDP: 1}, all(with(pdftest.Catalog, "/DSS<</Certs[60 0 R]>>"), put(60, pdftest.StreamOf("", "x")))},
		{"extensions that say more", pdftest.Sig{}, edit(pdftest.Catalog, "/ExtensionLevel 5>>", "/ExtensionLevel 8>>/ESIC<</BaseVersion/1.7/ExtensionLevel 2>>")},
		{"a field filled in", pdftest.Sig{DocMDP: 2}, all(edit(pdftest.Amount, "/V(80,000)", "/V(90,000)"), edit(pdftest.AmountAP, "80,000", "90,000"))},
		{"a field filled in with a new appearance", pdftest.Sig{DocMDP: 2}, all(func(f *pdftest.File) objects {
			return objects{pdftest.Amount: strings.Replace(f.Edit(pdftest.Amount, "/V(80,000)", "/V(9)"), "/N 21 0 R", "/N 60 0 R", 1)}
		}, put(60, pdftest.StreamOf("/Type/XObject/Subtype/Form/BBox[0 0 9 9]", "")))},
		{"a button pressed", pdftest.Sig{DocMDP: 2}, edit(pdftest.Agreed, "/V/Off/AS/Off", "/V/Yes/AS/Yes")},
		{"a field that no lock names filled in", pdftest.Sig{DocMDP: 2, FieldMDP: "/Action/Exclude/Fields[(Amount)]"}, edit(pdftest.Amount, "/V(80,000)", "/V(9)")},
		{"a note", pdftest.Sig{DocMDP: 3}, annotation("<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(x)>>")},
		{"a marking", pdftest.Sig{DocMDP: 3}, annotation("<</Type/Annot/Subtype/Highlight/Rect[72 760 300 790]/QuadPoints[]>>")},
		{"a field made read-only", pdftest.Sig{}, with(pdftest.Amount, "/Ff 1")},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := contract(t, c.sig)
			f.Update(pdftest.Update{Objects: c.make(f)})
			allowed(t, judgePDF(t, f.Bytes))
		})
	}
}

// allowed fails the test unless all signatures are intact and the first one says that what came after it was allowed.
func allowed(t *testing.T, r *signature.Report) {
	t.Helper()
	if r.ExitCode() != signature.ExitPassed {
		t.Fatalf("refused: %s %v", r.Verdict, failed(r))
	}
	if s := r.Signatures[0]; s.Modification == signature.Forbidden || s.Coverage != signature.Revision {
		t.Fatalf("%s %s", s.Modification, s.Coverage)
	}
}

// Further signatures, and what they may not hide.
func TestPDFFurtherSignatures(t *testing.T) {
	visible := func(rect string) pdftest.Sig {
		return pdftest.Sig{Field: "Second", FieldKeys: "/Rect[" + rect + "]/F 4" + appearance, Objects: pdftest.Seal(61)}
	}
	place := func(rect string) pdftest.Sig { // the landlord's field is elsewhere, with an empty look
		return pdftest.Sig{Objects: objects{61: pdftest.StreamOf("/Subtype/Form/BBox[0 0 9 9]", ""),
			pdftest.Landlord: "<</Type/Annot/Subtype/Widget/FT/Sig/T(Landlord)/F 4/P 3 0 R/AP<</N 61 0 R>>/Rect[" + rect + "]>>"}}
	}
	for _, c := range []struct {
		name   string
		first  pdftest.Sig
		second pdftest.Sig
		good   bool
	}{
		{"invisible", pdftest.Sig{}, pdftest.Sig{}, true},
		{"in the field that was there", pdftest.Sig{}, pdftest.Sig{Existing: pdftest.Landlord}, true},
		{"under a certification for forms", pdftest.Sig{DocMDP: 2}, pdftest.Sig{Existing: pdftest.Landlord}, true},
		{"under a certification that allows nothing", pdftest.Sig{DocMDP: 1}, pdftest.Sig{Existing: pdftest.Landlord}, false},
		{"in a field that was locked", pdftest.Sig{FieldMDP: "/Action/All"}, pdftest.Sig{Existing: pdftest.Landlord}, false},
		{"a seal on a blank place", pdftest.Sig{}, visible("400 20 460 80"), true},
		{"a seal over text", pdftest.Sig{}, visible("72 760 132 800"), false},
		{"a seal over text in pieces", pdftest.Sig{}, visible("150 740 210 760"), false},
		{"a seal over an image", pdftest.Sig{}, visible("480 690 540 750"), false},
		{"a seal over a line", pdftest.Sig{}, visible("100 480 160 520"), false},
		{"a seal over a grey field", pdftest.Sig{}, visible("90 290 150 330"), false},
		{"a seal over a form field", pdftest.Sig{}, visible("150 590 210 610"), false},
		{"a seal after a certification", pdftest.Sig{DocMDP: 2}, visible("400 20 460 80"), false},
		{"a seal after a lock", pdftest.Sig{FieldMDP: "/Action/All"}, visible("400 20 460 80"), false},
		{"a seal over the whole page", pdftest.Sig{}, visible("0 0 595 842"), false},
		{"a seal that does not turn with the page", pdftest.Sig{}, pdftest.Sig{FieldKeys: "/Rect[400 20 460 80]/F 20" + appearance, Objects: pdftest.Seal(61)}, false},
		{"a seal that shows when it is printed", pdftest.Sig{}, pdftest.Sig{FieldKeys: "/Rect[72 760 132 800]/F 36" + appearance, Objects: pdftest.Seal(61)}, false},
		{"a seal that shows under the mouse", pdftest.Sig{}, pdftest.Sig{FieldKeys: "/Rect[72 760 132 800]/F 4/AP<</R 61 0 R>>", Objects: pdftest.Seal(61)}, false},
		{"with a look in a field that was there", place("300 100 400 160"), pdftest.Sig{Existing: pdftest.Landlord, Objects: pdftest.Seal(61)}, true},
		{"with a look in a field over words", place("72 760 132 800"), pdftest.Sig{Existing: pdftest.Landlord, Objects: pdftest.Seal(61)}, true},
		{"with a look in a field as large as the page", place("0 0 595 842"), pdftest.Sig{Existing: pdftest.Landlord, Objects: pdftest.Seal(61)}, false},
		{"with an action", pdftest.Sig{}, pdftest.Sig{FieldKeys: "/Rect[0 0 0 0]/A<</S/URI/URI(x)>>"}, false},
		{"together with another text", pdftest.Sig{}, pdftest.Sig{Objects: objects{pdftest.Content: pdftest.StreamOf("", "BT (8,000) Tj ET")}}, false},
		{"together with another image", pdftest.Sig{}, pdftest.Sig{Objects: objects{pdftest.Logo: pdftest.StreamOf("/Subtype/Image", "")}}, false},
		{"together with a filled-in field", pdftest.Sig{}, pdftest.Sig{Objects: objects{pdftest.Fixed: "<</FT/Tx/T(Fixed)/V(9)>>"}}, false},
		{"a certification after an approval", pdftest.Sig{}, pdftest.Sig{DocMDP: 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := contract(t, c.first)
			c.second.Style = pdftest.Packed
			f.Sign(t, signtest.New(t).Other, c.second)
			r := judgePDF(t, f.Bytes)
			if c.good {
				allowed(t, r)
				return
			}
			refused(t, r, "changes-after")
			if second := r.Signatures[1]; second.Integrity != signature.Intact || second.Coverage != signature.Whole {
				t.Errorf("the second signature itself is fine: %v", failed(r))
			}
		})
	}
}

// The fonts of the form may become more, but not where a page uses them, too.
func TestPDFSharedResources(t *testing.T) {
	for name, c := range map[string]struct {
		page string
		good bool
	}{"of the form alone": {"/Resources<</Font 72 0 R>>", true}, "of a page, too": {"/Resources 70 0 R", false}} {
		t.Run(name, func(t *testing.T) {
			f := pdftest.Contract(pdftest.Table)
			own := "/Resources<</Font<</F1 5 0 R>>/XObject<</Logo 7 0 R>>>>"
			f.Update(pdftest.Update{Objects: objects{
				pdftest.Catalog: f.Edit(pdftest.Catalog, "/DR<</Font<</Helv 5 0 R>>>>", "/DR 70 0 R"),
				pdftest.Page:    f.Edit(pdftest.Page, own, c.page),
				70:              "<</Font 71 0 R>>", 71: "<</Helv 5 0 R>>", 72: "<</F1 5 0 R>>"}})
			f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "Tenant"})
			r := judgePDF(t, change(f, objects{71: "<</Helv 5 0 R/F1 5 0 R>>"}))
			if c.good {
				allowed(t, r)
			} else {
				refused(t, r, "changes-after")
			}
		})
	}
}
