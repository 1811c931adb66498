package pdftest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// Sig is one signature to be made. The zero value is an invisible approval signature in a field of its own.
type Sig struct {
	Field     string // name of a new field, "" for Sig and the object's number
	Existing  int    // object number of a field that is there, instead of a new one
	SubFilter string // "" for ETSI.CAdES.detached
	DocMDP    int    // certify with this P
	FieldMDP  string // /Action and /Fields of a FieldMDP transform
	Keys      string // further keys of the signature dictionary
	FieldKeys string // further keys of the new field, instead of an empty rectangle
	Style     Style
	Objects   map[int]string // further objects of the same revision
	Room      int            // bytes of /Contents, 0 for what suffices

	// Value makes the value, nil for a CMS of the identity.
	Value func(covered []byte) []byte
	// Layout may change the dictionary before it is written; %BR and %C stand for the numbers and the
	// digits, which have their final lengths already.
	Layout func(dict string) string
	// Range may change the numbers.
	Range func(r [4]int) string
	// Tail may change the end of the revision that is signed.
	Tail func(b []byte) []byte
}

const rangeWidth = 48 // characters of the numbers with their brackets

// Sign appends a revision with a signature of who and returns the number of the signature dictionary.
func (f *File) Sign(t testing.TB, who signtest.Identity, s Sig) int {
	t.Helper()
	room := s.Room
	if room == 0 {
		room = 4096
	}
	objects, dict := f.signedObjects(s)
	for n, body := range s.Objects {
		objects[n] = body
	}
	text := "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/" + s.SubFilterName() + "/M(D:20261124030405Z)/ByteRange%BR/Contents<%C>" +
		f.references(s) + s.Keys + ">>"
	if s.Layout != nil {
		text = s.Layout(text)
	}
	text = strings.Replace(text, "%BR", strings.Repeat("*", rangeWidth), 1)
	text = strings.Replace(text, "%C", strings.Repeat("0", 2*room), 1)
	objects[dict] = text
	start := len(f.Bytes)
	f.Update(Update{Objects: objects, Style: s.Style})
	if s.Tail != nil {
		f.Bytes = s.Tail(f.Bytes)
	}
	f.fill(t, who, s, start, room)
	f.Bodies[dict] = string(f.Bytes[f.Offsets[dict]+len(fmt.Sprintf("%d 0 obj\n", dict)):][:len(text)])
	return dict
}

// SubFilterName gives the sub-filter.
func (s Sig) SubFilterName() string {
	if s.SubFilter == "" {
		return "ETSI.CAdES.detached"
	}
	return s.SubFilter
}

// signedObjects writes field, form, page and catalog.
func (f *File) signedObjects(s Sig) (objects map[int]string, dict int) {
	objects = map[int]string{}
	dict = f.take()
	if s.Existing != 0 {
		objects[s.Existing] = strings.TrimSuffix(f.Bodies[s.Existing], ">>") + fmt.Sprintf("/V %d 0 R>>", dict)
		return objects, f.certify(objects, s, dict)
	}
	field := f.take()
	name, more := s.Field, s.FieldKeys
	if name == "" {
		name = fmt.Sprintf("Sig%d", field)
	}
	if more == "" {
		more = "/Rect[0 0 0 0]/F 132"
	}
	objects[field] = fmt.Sprintf("<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/P 3 0 R/V %d 0 R%s>>", name, dict, more)
	f.AddField(objects, field)
	return objects, f.certify(objects, s, dict)
}

// AddField adds a field to the form and to the page's annotations, in objects.
func (f *File) AddField(objects map[int]string, field int) {
	body := func(n int) string {
		if b, ok := objects[n]; ok {
			return b
		}
		return f.Bodies[n]
	}
	ref := fmt.Sprintf("%d 0 R", field)
	objects[Page] = insert(body(Page), "/Annots[", ref)
	c := body(Catalog)
	if !strings.Contains(c, "/AcroForm") {
		c = strings.TrimSuffix(c, ">>") + "/AcroForm<</SigFlags 3/Fields[]>>>>"
	}
	objects[Catalog] = insert(c, "/Fields[", ref)
}

// insert adds a reference at the end of the array that opens with key.
func insert(body, key, ref string) string {
	i := strings.Index(body, key)
	if i < 0 {
		return strings.TrimSuffix(body, ">>") + key + ref + "]>>"
	}
	end := i + strings.Index(body[i:], "]")
	return body[:end] + " " + ref + body[end:]
}

// certify adds /Perms where s certifies.
func (f *File) certify(objects map[int]string, s Sig, dict int) int {
	if s.DocMDP == 0 {
		return dict
	}
	c, ok := objects[Catalog]
	if !ok {
		c = f.Bodies[Catalog]
	}
	objects[Catalog] = strings.TrimSuffix(c, ">>") + fmt.Sprintf("/Perms<</DocMDP %d 0 R>>>>", dict)
	return dict
}

// references writes /Reference.
func (f *File) references(s Sig) string {
	var all string
	if s.DocMDP != 0 {
		all += fmt.Sprintf("<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/V/1.2/P %d>>>>", s.DocMDP)
	}
	if s.FieldMDP != "" {
		all += "<</Type/SigRef/TransformMethod/FieldMDP/TransformParams<</Type/TransformParams/V/1.2" + s.FieldMDP + ">>>>"
	}
	if all == "" {
		return ""
	}
	return "/Reference[" + all + "]"
}

// fill puts in the byte range and the value.
func (f *File) fill(t testing.TB, who signtest.Identity, s Sig, start, room int) {
	t.Helper()
	gap := start + bytes.Index(f.Bytes[start:], []byte("<"+strings.Repeat("0", 2*room)+">"))
	if gap < start {
		t.Fatal("the layout has no /Contents")
	}
	stop := gap + 2*room + 2
	r := [4]int{0, gap, stop, len(f.Bytes) - stop}
	numbers := fmt.Sprintf("[%d %d %d %d]", r[0], r[1], r[2], r[3])
	if s.Range != nil {
		numbers = s.Range(r)
	}
	if i := bytes.Index(f.Bytes[start:], []byte(strings.Repeat("*", rangeWidth))); i >= 0 {
		copy(f.Bytes[start+i:], fmt.Sprintf("%-*s", rangeWidth, numbers))
	}
	covered := append(bytes.Clone(f.Bytes[:gap]), f.Bytes[stop:]...)
	var value []byte
	if s.Value != nil {
		value = s.Value(covered)
	} else {
		value = CMS(t, who, covered)
	}
	if len(value) > room {
		t.Fatalf("the value of %d bytes does not fit", len(value))
	}
	copy(f.Bytes[gap+1:], fmt.Sprintf("%x", value))
}

// CMS makes a detached CMS of who over covered.
func CMS(t testing.TB, who signtest.Identity, covered []byte) []byte {
	t.Helper()
	signer := &cms.Signer{Certificate: who.Certificate, Key: who.Key}
	der, err := signer.Detached(context.Background(), bytes.NewReader(covered), signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
