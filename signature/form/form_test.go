package form

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/internal/paper"
)

var (
	hanako = jitsuin.FourItems{Name: "霧島　花子", Address: "架空県見本市一丁目１番１号", BirthDate: jitsuin.Date{Year: 1990, Month: 4, Day: 1}, Sex: jitsuin.Female}
	today  = jitsuin.Date{Year: 2026, Month: 11, Day: 25}
)

func text(ja, en string) Text { return Text{ja, en} }

// account is a form as a securities firm makes one.
func account() Form {
	return Form{ID: "account-opening", Number: "A-2026-000017", Title: text("総合証券口座開設申込書", "Application for a securities account"),
		Issuer: text("実印サンド証券株式会社", "Jitsuin Sand Securities"), Intro: text("私は、次のとおり総合証券口座の開設を申し込みます。", "I apply for a securities account as follows."),
		Fields: []Field{
			{Name: "name", Label: text("氏名", "Name"), From: FromCertificate, Item: ItemName},
			{Name: "address", Label: text("住所", "Address"), From: FromCertificate, Item: ItemAddress},
			{Name: "birth", Label: text("生年月日", "Date of birth"), From: FromCertificate, Item: ItemBirthDate},
			{Name: "sex", Label: text("性別", "Sex"), From: FromCertificate, Item: ItemSex},
			{Name: "occupation", Label: text("職業", "Occupation"), From: FromPerson, Required: true, Max: 30},
			{Name: "purpose", Label: text("取引の目的", "Purpose"), From: FromPerson, Required: true,
				Options: []Option{{"growth", text("資産形成", "Building assets")}, {"income", text("配当収入", "Income")}}},
			{Name: "remark", Label: text("備考", "Remarks"), From: FromPerson},
			{Name: "branch", Label: text("取扱店", "Branch"), From: FromIssuer, Value: "本店"},
		},
		Clauses: []Text{text("乙は、氏名又は住所に異動があったときは、遅滞なく甲に届け出る。", "Changes of name or address are notified."), text("反社会的勢力でないことを表明する。", "I declare that I do not belong to organised crime.")},
	}
}

var typed = map[string]string{"occupation": " 会社員 ", "purpose": "growth"}

func filled(t testing.TB, f Form) (Filled, []byte) {
	t.Helper()
	out, err := Fill(f, hanako, typed, today)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := out.PDF()
	if err != nil {
		t.Fatal(err)
	}
	return out, pdf
}

// judge finds a program that we did not write; under CI a missing one is a failure.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("JUDGE MISSING: %s is not installed (make judges)", name)
	}
	if err != nil {
		t.Skipf("################ JUDGE MISSING: %s is not installed (make judges); SKIPPED ################", name)
	}
	return path
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(judge(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestADocumentIsReadBack(t *testing.T) {
	f, pdf := filled(t, account())
	again, err := f.PDF()
	if err != nil || !bytes.Equal(pdf, again) {
		t.Fatalf("the same data give other bytes (%v)", err)
	}
	got, err := Read(pdf)
	if err != nil {
		t.Fatal(err)
	}
	if got.Form.Number != "A-2026-000017" || got.Values["occupation"] != "会社員" || got.Values["purpose"] != "growth" || got.Values["branch"] != "本店" || got.Date != today {
		t.Errorf("%+v", got.Values)
	}
	if _, there := got.Values["remark"]; there {
		t.Error("what was left out has a value")
	}
	if d := got.Differences(hanako); d != nil {
		t.Errorf("differs from its own signer in %v", d)
	}
	other := hanako
	other.Address, other.Sex = "別の市", jitsuin.Male
	if d := got.Differences(other); strings.Join(d, " ") != "address sex" {
		t.Errorf("differs from another in %v", d)
	}
}

// The rendering is part of what was signed: if this digest changes, old documents can no longer be
// read, and the format needs a new name beside the old one (see the package documentation).
func TestTheRenderingIsFixed(t *testing.T) {
	_, pdf := filled(t, account())
	sum := sha256.Sum256(pdf)
	const want = "02deb7ceab8c7edd52ab9bb1fbdcd0e30a380fc2ae14f42a9130cbd10d0157eb"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("format %s draws %s, not %s", Format, got, want)
	}
}

func TestJudgesReadTheDocument(t *testing.T) {
	f, pdf := filled(t, account())
	dir := t.TempDir()
	path := filepath.Join(dir, "a.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf: %s", out)
	}
	if out := run(t, "pdfdetach", "-list", path); !strings.Contains(out, "1 embedded files") || !strings.Contains(out, attachmentName) {
		t.Errorf("pdfdetach: %s", out)
	}
	run(t, "pdfdetach", "-save", "1", "-o", filepath.Join(dir, "data.json"), path)
	raw, err := os.ReadFile(filepath.Join(dir, "data.json"))
	want, _ := json.Marshal(f)
	if err != nil || !bytes.Equal(raw, want) {
		t.Errorf("the attachment is not the data: %v %s", err, raw)
	}
	if out := run(t, "qpdf", "--show-attachment="+attachmentName, path); out != string(want) {
		t.Errorf("qpdf shows another attachment")
	}
	seen := strings.Join(strings.Fields(run(t, "pdftotext", "-raw", path, "-")), "")
	lines, err := f.Lines()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		for _, s := range []string{l.Label, l.Text} {
			if s = strings.Join(strings.Fields(s), ""); !strings.Contains(seen, s) {
				t.Errorf("pdftotext does not show %q", s)
			}
		}
	}
	for _, s := range []string{"平成2年4月1日（1990-04-01）", "女", "令和8年11月25日", "資産形成", "（記入なし）", "A-2026-0000171／1"} {
		if !strings.Contains(seen, s) {
			t.Errorf("pdftotext does not show %q:\n%s", s, seen)
		}
	}
}

func TestALongFormTakesSeveralPages(t *testing.T) {
	f := account()
	for range maxClauses {
		f.Clauses = append(f.Clauses[:len(f.Clauses):len(f.Clauses)], text(strings.Repeat("長い条項の文字列、", 50), "long"))
		if len(f.Clauses) == maxClauses {
			break
		}
	}
	_, pdf := filled(t, f)
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "qpdf", "--check", path)
	if pages := strings.TrimSpace(run(t, "qpdf", "--show-npages", path)); pages < "1" || pages == "1" {
		t.Errorf("%s pages", pages)
	}
	if seen := run(t, "pdftotext", "-raw", path, "-"); strings.Count(seen, "長い条項") < 38*40 {
		t.Errorf("text was lost: %d", strings.Count(seen, "長い条項"))
	}
	if _, err := Read(pdf); err != nil {
		t.Error(err)
	}
}

func TestAMissingGlyphIsShownAsOne(t *testing.T) {
	who := hanako
	who.Name = "𪚲野　花子"
	f, err := Fill(account(), who, typed, today)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := f.PDF()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(pdf)
	if name, _ := got.Item(ItemName); err != nil || name != who.Name {
		t.Errorf("the data lost the character: %q, %v", name, err)
	}
	lines, err := f.Lines()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, l := range lines {
		seen = append(seen, l.Text)
	}
	if !strings.Contains(strings.Join(seen, "\n"), "〓野　花子") {
		t.Errorf("%q", seen)
	}
}

func TestNearCopiesAreRefused(t *testing.T) {
	f, pdf := filled(t, account())
	refuse := func(what string, copy []byte, codes ...string) {
		t.Helper()
		_, err := Read(copy)
		if err == nil || jitsuin.KindOf(err) != jitsuin.Invalid || !strings.Contains(strings.Join(codes, " "), jitsuin.CodeOf(err)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	all := []string{"form-differs", "form-none", "form-json", "form-content"}
	for at := 0; at < len(pdf); at += 4001 {
		b := bytes.Clone(pdf)
		b[at] ^= 1
		refuse("a changed byte", b, all...)
	}
	other := f
	other.Values = map[string]string{}
	for k, v := range f.Values {
		other.Values[k] = v
	}
	other.Values["occupation"] = "会社長"
	swapped := func(from, to string) []byte { return bytes.Replace(pdf, []byte(from), []byte(to), 1) }
	refuse("the data say something else than the page", swapped(`"occupation":"会社員"`, `"occupation":"会社長"`), "form-differs")
	refuse("the number of another application", bytes.ReplaceAll(pdf, []byte("A-2026-000017"), []byte("A-2026-000018")), "form-differs")
	refuse("an option that is not offered", swapped(`"purpose":"growth"`, `"purpose":"losses"`), "form-content")
	data, _ := json.Marshal(other)
	at := bytes.LastIndex(pdf, []byte(paper.EmbeddedMark))
	refuse("a second attachment", append(bytes.Clone(pdf[:at]), append([]byte(paper.EmbeddedMark+"/Length 2 >>\nstream\n{}\nendstream\nendobj\n\n99 0 obj\n"), pdf[at:]...)...), "form-differs")
	refuse("an attachment after the end", append(bytes.Clone(pdf), append([]byte("\n99 0 obj\n"+paper.EmbeddedMark+"/Length "), append([]byte(itoa(len(data))+" >>\nstream\n"), data...)...)...), "form-differs")
	refuse("an appended revision", append(bytes.Clone(pdf), []byte("\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\nxref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 2 /Root 1 0 R /Prev 0 >>\nstartxref\n0\n%%EOF\n")...), "form-differs")
	refuse("one byte more", append(bytes.Clone(pdf), '\n'), "form-differs")
	refuse("one byte less", pdf[:len(pdf)-1], "form-differs")
	refuse("no PDF", []byte("hello"), "form-none")
	refuse("a PDF of another kind", []byte("%PDF-1.7\n%%EOF\n"), "form-none")
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestALinearisedCopyIsRefused(t *testing.T) {
	_, pdf := filled(t, account())
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "qpdf", filepath.Join(dir, "a.pdf"), filepath.Join(dir, "b.pdf"))
	b, err := os.ReadFile(filepath.Join(dir, "b.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(b); err == nil {
		t.Error("the same pages in other bytes were taken for the document")
	}
}

func TestWhatAPersonTypes(t *testing.T) {
	for name, c := range map[string]struct {
		typed map[string]string
		want  string
	}{
		"nothing":               {nil, "occupation: missing, purpose: missing"},
		"too long":              {map[string]string{"occupation": strings.Repeat("員", 31), "purpose": "growth"}, "occupation: long"},
		"not offered":           {map[string]string{"occupation": "員", "purpose": "fun"}, "purpose: choice"},
		"a line break":          {map[string]string{"occupation": "会社\n員", "purpose": "growth"}, "occupation: characters"},
		"right-to-left":         {map[string]string{"occupation": "a\u202eb", "purpose": "growth"}, "occupation: characters"},
		"an item":               {map[string]string{"occupation": "員", "purpose": "growth", "name": "別人"}, "name: unknown"},
		"a value of the issuer": {map[string]string{"occupation": "員", "purpose": "growth", "branch": "支店"}, "branch: unknown"},
		"no field at all":       {map[string]string{"occupation": "員", "purpose": "growth", "x": "y"}, "x: unknown"},
	} {
		_, err := Fill(account(), hanako, c.typed, today)
		if jitsuin.CodeOf(err) != "form-values" || ProblemsOf(err).Error() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFormOfAStrangerIsBounded(t *testing.T) {
	for name, change := range map[string]func(*Form){
		"no number":               func(f *Form) { f.Number = "" },
		"a number with a space":   func(f *Form) { f.Number = "A 1" },
		"no title":                func(f *Form) { f.Title.JA = "" },
		"one language":            func(f *Form) { f.Title.EN = " " },
		"a long title":            func(f *Form) { f.Title.JA = strings.Repeat("題", 101) },
		"a control character":     func(f *Form) { f.Intro.JA = "a\x00b" },
		"a right-to-left mark":    func(f *Form) { f.Issuer.JA = "a\u202eb" },
		"a private character":     func(f *Form) { f.Issuer.JA = "\ue000" },
		"no fields":               func(f *Form) { f.Fields = nil },
		"many fields":             func(f *Form) { f.Fields = make([]Field, maxFields+1) },
		"two of a name":           func(f *Form) { f.Fields[5].Name = "occupation" },
		"two of an item":          func(f *Form) { f.Fields[1].Item = ItemName },
		"an unknown item":         func(f *Form) { f.Fields[0].Item = "my_number" },
		"an unknown source":       func(f *Form) { f.Fields[0].From = "anybody" },
		"an issuer without value": func(f *Form) { f.Fields[7].Value = "" },
		"an item that is typed":   func(f *Form) { f.Fields[0].Required = true },
		"a negative length":       func(f *Form) { f.Fields[4].Max = -1 },
		"a huge length":           func(f *Form) { f.Fields[4].Max = 1 << 20 },
		"two options alike":       func(f *Form) { f.Fields[5].Options[1].Value = "growth" },
		"many options":            func(f *Form) { f.Fields[5].Options = make([]Option, maxOptions+1) },
		"many clauses":            func(f *Form) { f.Clauses = make([]Text, maxClauses+1) },
		"a long clause":           func(f *Form) { f.Clauses[0].JA = strings.Repeat("条", 1001) },
	} {
		f := account()
		change(&f)
		raw, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(raw); jitsuin.CodeOf(err) != "form-content" {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := json.Marshal(account())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(good); err != nil {
		t.Error(err)
	}
	for name, raw := range map[string]string{"unknown member": strings.Replace(string(good), `"id"`, `"script":"x","id"`, 1), "something after": string(good) + "{}",
		"not UTF-8": strings.Replace(string(good), "総", "\xff", 1), "huge": string(good) + strings.Repeat(" ", MaxSize), "empty": "", "a list": "[]"} {
		if _, err := Parse([]byte(raw)); jitsuin.CodeOf(err) != "form-json" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	out, err := Fill(account(), hanako, typed, today)
	if err != nil {
		f.Fatal(err)
	}
	pdf, err := out.PDF()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pdf)
	f.Add(pdf[bytes.LastIndex(pdf, []byte(paper.EmbeddedMark)):])
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Read(in)
		if err != nil {
			return
		}
		again, err := got.PDF()
		if err != nil || !bytes.Equal(in, again) {
			t.Fatal("a document was taken that its data do not make")
		}
	})
}

func FuzzForm(f *testing.F) {
	good, err := json.Marshal(account())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, in []byte) {
		form, err := Parse(in)
		if err != nil {
			return
		}
		// Whatever form is taken can be filled in, or says by field why not.
		values := map[string]string{}
		for _, d := range form.Fields {
			if d.From == FromPerson && len(d.Options) > 0 {
				values[d.Name] = d.Options[0].Value
			} else if d.From == FromPerson {
				values[d.Name] = "あ"
			}
		}
		if _, err := Fill(form, hanako, values, today); err != nil {
			t.Fatalf("a form that was taken cannot be filled in: %v", err)
		}
	})
}

func BenchmarkPDF(b *testing.B) {
	out, err := Fill(account(), hanako, typed, today)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := out.PDF(); err != nil {
			b.Fatal(err)
		}
	}
}
