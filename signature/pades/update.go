package pades

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/signature/pdf"
)

// base is what an update must know of the file that it continues.
type base struct {
	file    []byte
	section int // where the last cross-reference section lies, as startxref says
	stream  bool
	trailer *pdf.Dict // of that section
	size    int       // one more than the highest object number in use
}

// update collects the objects of one incremental update (ISO 32000-2 §7.5.6). It only ever appends: the file as it
// was is a prefix of the file as it will be.
type update struct {
	base
	objects []object
	next    int // number of the next new object
}

// object is one new or replaced object; body is all between obj and endobj.
type object struct {
	pdf.Ref
	body []byte
}

func newUpdate(b base) *update { return &update{base: b, next: b.size} }

// reserve gives a number to an object whose body comes later.
func (u *update) reserve() pdf.Ref {
	u.next++
	return pdf.Ref{Num: u.next - 1}
}

// add writes a new object and gives its reference.
func (u *update) add(o pdf.Object) pdf.Ref {
	ref := u.reserve()
	u.put(ref, o)
	return ref
}

// put writes an object under a number, in place of what this update has there already.
func (u *update) put(ref pdf.Ref, o pdf.Object) {
	body := appendObject(nil, o)
	if i := slices.IndexFunc(u.objects, func(x object) bool { return x.Ref == ref }); i >= 0 {
		u.objects[i].body = body
		return
	}
	u.objects = append(u.objects, object{ref, body})
}

// addStream writes a new stream; data are as they shall stand, so d names their filter where they have one.
func (u *update) addStream(d *pdf.Dict, data []byte) pdf.Ref {
	ref := u.reserve()
	body := appendDict(nil, with(d, "Length", len(data)))
	body = append(body, "\nstream\n"...)
	body = append(body, data...)
	u.objects = append(u.objects, object{ref, append(body, "\nendstream"...)})
	return ref
}

// maxFile is the largest file that cross-reference entries of ten digits and streams of four octets can address here.
const maxFile = 1 << 31

// write gives the whole file, and where the body of the object marked lies in it.
func (u *update) write(marked pdf.Ref) (file []byte, at int, err error) {
	var b bytes.Buffer
	size := len(u.file) + 1024
	for _, o := range u.objects {
		size += len(o.body) + 64
	}
	b.Grow(size)
	b.Write(u.file)
	if n := len(u.file); n > 0 && u.file[n-1] != '\n' && u.file[n-1] != '\r' {
		b.WriteByte('\n')
	}
	offsets := map[pdf.Ref]int{}
	for _, o := range u.objects {
		offsets[o.Ref] = b.Len()
		fmt.Fprintf(&b, "%d %d obj\n", o.Num, o.Gen)
		if o.Ref == marked {
			at = b.Len()
		}
		b.Write(o.body)
		b.WriteString("\nendobj\n")
	}
	if b.Len() > maxFile {
		return nil, 0, jitsuin.Errorf(jitsuin.Unsupported, "pdf-size", "the signed document would have more than %d bytes", maxFile)
	}
	if u.stream {
		u.writeStream(&b, offsets)
	} else {
		u.writeTable(&b, offsets)
	}
	return b.Bytes(), at, nil
}

// trailerEntries are those of the new section: what the last one says of the document, and the way back to it.
// What belongs to that section alone (such as XRefStm of a hybrid file, which Prev leads to) is left behind.
func (u *update) trailerEntries() *pdf.Dict {
	d := dict("Size", u.next, "Root", u.trailer.Get("Root"), "Info", u.trailer.Get("Info"), "Prev", u.section)
	sum := sha256.New()
	sum.Write(u.file)
	for _, o := range u.objects {
		sum.Write(o.body)
	}
	changed := octets(sum.Sum(nil)[:16])
	var first pdf.Object = changed
	if old, ok := u.trailer.Get("ID").(pdf.Array); ok && len(old) == 2 {
		first = old[0]
	}
	d.Entries = append(d.Entries, pdf.Entry{Key: "ID", Value: pdf.Array{first, changed}})
	return d
}

// runs gives the objects in the order of their numbers, cut where numbers are left out.
func runs(objects []object) [][]object {
	sorted := slices.SortedFunc(slices.Values(objects), func(a, b object) int { return cmp.Compare(a.Num, b.Num) })
	var all [][]object
	for i, o := range sorted {
		if i == 0 || o.Num != sorted[i-1].Num+1 {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], o)
	}
	return all
}

// writeTable writes a table with its trailer (ISO 32000-2 §7.5.4, §7.5.5).
func (u *update) writeTable(b *bytes.Buffer, offsets map[pdf.Ref]int) {
	start := b.Len()
	b.WriteString("xref\n")
	for _, run := range runs(u.objects) {
		fmt.Fprintf(b, "%d %d\n", run[0].Num, len(run))
		for _, o := range run {
			fmt.Fprintf(b, "%010d %05d n \n", offsets[o.Ref], o.Gen)
		}
	}
	b.WriteString("trailer\n")
	b.Write(appendDict(nil, u.trailerEntries()))
	fmt.Fprintf(b, "\nstartxref\n%d\n%%%%EOF\n", start)
}

// writeStream writes a cross-reference stream (ISO 32000-2 §7.5.8), which names itself too.
func (u *update) writeStream(b *bytes.Buffer, offsets map[pdf.Ref]int) {
	start := b.Len()
	self := object{Ref: u.reserve()}
	offsets[self.Ref] = start
	var index pdf.Array
	var data []byte
	for _, run := range runs(append(slices.Clone(u.objects), self)) {
		index = append(index, run[0].Num, len(run))
		for _, o := range run {
			at := offsets[o.Ref]
			data = append(data, 1, byte(at>>24), byte(at>>16), byte(at>>8), byte(at), byte(o.Gen>>8), byte(o.Gen))
		}
	}
	d := u.trailerEntries()
	d.Entries = append([]pdf.Entry{{Key: "Type", Value: pdf.Name("XRef")}, {Key: "W", Value: pdf.Array{1, 4, 2}}, {Key: "Index", Value: index}}, d.Entries...)
	fmt.Fprintf(b, "%d 0 obj\n", self.Num)
	b.Write(appendDict(nil, with(d, "Length", len(data))))
	b.WriteString("\nstream\n")
	b.Write(data)
	fmt.Fprintf(b, "\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", start)
}
