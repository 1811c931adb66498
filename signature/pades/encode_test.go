package pades

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/pdf"
)

// What is written is read as it was meant: through a file, by the reader that signatures are judged with.
func TestObjectsAreReadAsTheyAreWritten(t *testing.T) {
	in := dict("Text", text("a (b) c\\"), "Kanji", text("実印　𠮷野"), "Name", pdf.Name("A B/C#D(é)"), "Real", 1.5, "Whole", int64(-7), "Yes", true,
		"Nothing", nil, "Array", pdf.Array{pdf.Ref{Num: 3}, 1, pdf.Array{}, pdf.String{Raw: []byte("<0a>")}}, "Octets", octets("\x00\xff"), "Raw", raw("[1 2]"), "Date",
		date(time.Date(2026, 12, 31, 20, 0, 0, 0, time.UTC)))
	u := newUpdate(base{file: []byte("%PDF-1.7\n"), trailer: &pdf.Dict{}, size: 1})
	pages := u.add(dict("Type", pdf.Name("Pages"), "Kids", pdf.Array{}, "Count", 0))
	root := u.add(with(with(in, "Type", pdf.Name("Catalog")), "Pages", pages))
	u.trailer = dict("Root", root)
	u.section = 0
	file, _, err := u.write(pdf.Ref{})
	if err != nil {
		t.Fatal(err)
	}
	file = bytes.Replace(file, []byte("/Prev 0\n"), []byte("/XPrv 0\n"), 1) // it is the first revision
	d, err := pdf.Read(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	out, _, err := d.Current().Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[pdf.Name]string{"Text": "a (b) c\\", "Kanji": "実印　𠮷野", "Date": "D:20270101050000+09'00'"} {
		if got, _ := out.Get(key).(pdf.String); got.Text() != want {
			t.Errorf("/%s is %q", key, got.Text())
		}
	}
	for key, want := range map[pdf.Name]pdf.Object{"Name": pdf.Name("A B/C#D(é)"), "Real": 1.5, "Whole": int64(-7), "Yes": true} {
		if got := out.Get(key); got != want {
			t.Errorf("/%s is %v", key, got)
		}
	}
	if out.Has("Nothing") {
		t.Error("what is left out is there")
	}
	a, _ := out.Get("Array").(pdf.Array)
	if len(a) != 4 || a[0] != pdf.Object(pdf.Ref{Num: 3}) || a[1] != pdf.Object(int64(1)) {
		t.Errorf("the array is %v", a)
	}
}

// A copy of a dictionary with another entry leaves the one that was read as it is.
func TestWithLeavesTheOldAlone(t *testing.T) {
	old := dict("A", 1, "B", 2)
	if changed := with(old, "B", 3); old.Get("B") != pdf.Object(2) || changed.Get("B") != pdf.Object(3) || len(changed.Entries) != 2 {
		t.Error("B")
	}
	if longer := with(old, "C", 3); old.Has("C") || string(appendDict(nil, longer)) != "<<\n/A 1\n/B 2\n/C 3\n>>" {
		t.Error("C")
	}
}

// Numbers of objects are cut into runs, as both forms of a cross-reference want them.
func TestRuns(t *testing.T) {
	var all []object
	for _, n := range []int{9, 3, 4, 12, 5} {
		all = append(all, object{Ref: pdf.Ref{Num: n}})
	}
	var got []string
	for _, r := range runs(all) {
		var one strings.Builder
		for _, o := range r {
			one.WriteByte(byte('0' + o.Num))
		}
		got = append(got, one.String())
	}
	if strings.Join(got, " ") != "345 9 <" {
		t.Error(got)
	}
}
