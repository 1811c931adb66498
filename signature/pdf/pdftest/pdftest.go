// Package pdftest makes PDF files for tests, good ones and others: object by object, revision by
// revision, with a minimal signer. Nothing but tests imports it.
package pdftest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Style is how an update writes its cross-reference.
type Style int

const (
	Table   Style = iota // a table with a trailer
	Stream               // a cross-reference stream
	Packed               // a cross-reference stream, objects without streams in an object stream
	Hybrid               // a table, packed objects named by /XRefStm only
	Predict              // as Stream, compressed with PNG's predictor 12
)

// Numbers of the objects that Simple makes.
const (
	Catalog = 1
	Pages   = 2
	Page    = 3
	Content = 4
	Font    = 5
	Info    = 6
)

// File is a PDF file that grows by updates.
type File struct {
	Bytes     []byte
	Bodies    map[int]string // what each object number says now, without obj and endobj
	Offsets   map[int]int    // where it stands, for those that are not packed
	Next      int            // the first number that is free
	StartXRef int            // of the last revision, 0 before the first
	Ends      []int          // byte after each %%EOF
}

// Update is one revision.
type Update struct {
	Objects map[int]string // bodies, new or instead of older ones
	Free    []int
	Style   Style
	Trailer string      // further keys
	Root    int         // 0: the catalog
	Offsets map[int]int // entries that lie elsewhere than the objects just written
	Before  []byte      // bytes before the first object
	NoPrev  bool
	Prev    int // instead of the last startxref
}

// Simple makes a file of one page that says words, in one revision.
func Simple(style Style, words string) *File {
	f := New()
	f.Update(Update{Style: style, Objects: map[int]string{
		Catalog: "<</Type/Catalog/Pages 2 0 R>>",
		Pages:   "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		Page:    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		Content: StreamOf("", "BT /F1 12 Tf 72 770 Td ("+words+") Tj ET"),
		Font:    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		Info:    "<</Title(Test)/Producer(pdftest)>>",
	}})
	return f
}

// New gives a file with a header and nothing else.
func New() *File {
	return &File{Bytes: []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), Bodies: map[int]string{}, Offsets: map[int]int{}, Next: 1}
}

// StreamOf writes a stream object with further keys in its dictionary.
func StreamOf(keys, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", keys, len(data), data)
}

// Deflated writes a stream object compressed.
func Deflated(keys, data string) string {
	return StreamOf(keys+"/Filter/FlateDecode", string(deflate([]byte(data))))
}

func deflate(data []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

// Clone gives a copy that goes its own way.
func (f *File) Clone() *File {
	c := *f
	c.Bytes, c.Ends = bytes.Clone(f.Bytes), slices.Clone(f.Ends)
	c.Bodies, c.Offsets = maps.Clone(f.Bodies), maps.Clone(f.Offsets)
	return &c
}

// Edit gives the body of object num with old replaced by new; it panics where old is not there.
func (f *File) Edit(num int, old, new string) string {
	body, ok := f.Bodies[num]
	if !ok || !strings.Contains(body, old) {
		panic(fmt.Sprintf("object %d has no %q in it: %s", num, old, body))
	}
	return strings.Replace(body, old, new, 1)
}

// entry is one row of a cross-reference.
type entry struct{ kind, a, b int }

// Update appends a revision.
func (f *File) Update(u Update) {
	f.write(u.Before)
	rows := map[int]entry{}
	packed := f.writeObjects(u, rows)
	for _, n := range u.Free {
		rows[n] = entry{0, 0, 1}
		delete(f.Bodies, n)
	}
	for n, at := range u.Offsets {
		rows[n] = entry{1, at, 0}
	}
	if len(f.Ends) == 0 {
		rows[0] = entry{0, 0, 65535}
	}
	hidden := map[int]entry{}
	if len(packed) > 0 {
		holder := f.take()
		f.object(holder, objectStream(packed, f.Bodies), rows)
		into := rows
		if u.Style == Hybrid {
			into = hidden
		}
		for i, n := range packed {
			into[n] = entry{2, holder, i}
		}
	}
	if len(hidden) > 0 {
		num := f.take()
		at := len(f.Bytes)
		f.object(num, f.xrefStream(u, hidden, ""), rows)
		u.Trailer += fmt.Sprintf("/XRefStm %d", at)
	}
	f.finish(u, rows)
}

// writeObjects writes the objects that stand alone and lists the others.
func (f *File) writeObjects(u Update, rows map[int]entry) (packed []int) {
	for _, n := range slices.Sorted(maps.Keys(u.Objects)) {
		body := u.Objects[n]
		f.Next = max(f.Next, n+1)
		f.Bodies[n] = body
		if (u.Style == Packed || u.Style == Hybrid) && !strings.Contains(body, "stream") && !strings.Contains(body, "/ByteRange") {
			packed = append(packed, n)
			delete(f.Offsets, n)
			continue
		}
		f.object(n, body, rows)
	}
	return packed
}

func (f *File) write(b []byte) { f.Bytes = append(f.Bytes, b...) }

func (f *File) take() int {
	f.Next++
	return f.Next - 1
}

func (f *File) object(num int, body string, rows map[int]entry) {
	rows[num] = entry{1, len(f.Bytes), 0}
	f.Offsets[num] = len(f.Bytes)
	f.write(fmt.Appendf(nil, "%d 0 obj\n%s\nendobj\n", num, body))
}

// objectStream packs objects (ISO 32000-2 §7.5.7).
func objectStream(numbers []int, bodies map[int]string) string {
	var table, data strings.Builder
	for _, n := range numbers {
		fmt.Fprintf(&table, "%d %d ", n, data.Len())
		data.WriteString(bodies[n] + "\n")
	}
	return Deflated(fmt.Sprintf("/Type/ObjStm/N %d/First %d", len(numbers), table.Len()), table.String()+data.String())
}

// keys writes what trailers and cross-reference streams have in common.
func (f *File) keys(u Update) string {
	root := u.Root
	if root == 0 {
		root = Catalog
	}
	s := fmt.Sprintf("/Size %d/Root %d 0 R/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]", f.Next, root)
	if _, ok := f.Bodies[Info]; ok {
		s += fmt.Sprintf("/Info %d 0 R", Info)
	}
	switch {
	case u.Prev != 0:
		s += fmt.Sprintf("/Prev %d", u.Prev)
	case f.StartXRef != 0 && !u.NoPrev:
		s += fmt.Sprintf("/Prev %d", f.StartXRef)
	}
	return s + u.Trailer
}

// finish writes the cross-reference and the end.
func (f *File) finish(u Update, rows map[int]entry) {
	var at int
	if u.Style == Table || u.Style == Hybrid {
		at = len(f.Bytes)
		f.write([]byte("xref\n"))
		for _, run := range runs(rows) {
			f.write(fmt.Appendf(nil, "%d %d\n", run[0], len(run)))
			for _, n := range run {
				e := rows[n]
				f.write(fmt.Appendf(nil, "%010d %05d %c\r\n", e.a, e.b, "fn"[e.kind]))
			}
		}
		f.write([]byte("trailer\n<<" + f.keys(u) + ">>\n"))
	} else {
		num := f.take()
		at = len(f.Bytes)
		rows[num] = entry{1, at, 0}
		f.object(num, f.xrefStream(u, rows, f.keys(u)), map[int]entry{})
	}
	f.StartXRef = at
	f.write(fmt.Appendf(nil, "startxref\n%d\n%%%%EOF\n", at))
	f.Ends = append(f.Ends, len(f.Bytes)-1)
}

// runs cuts object numbers into runs without gaps.
func runs(rows map[int]entry) [][]int {
	var all [][]int
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		if k := len(all) - 1; k >= 0 && all[k][len(all[k])-1] == n-1 {
			all[k] = append(all[k], n)
			continue
		}
		all = append(all, []int{n})
	}
	return all
}

// xrefStream writes a cross-reference stream with fields of 1, 4 and 2 bytes.
func (f *File) xrefStream(u Update, rows map[int]entry, keys string) string {
	var data []byte
	var index strings.Builder
	for _, run := range runs(rows) {
		fmt.Fprintf(&index, "%d %d ", run[0], len(run))
		for _, n := range run {
			e := rows[n]
			data = append(data, byte(e.kind), byte(e.a>>24), byte(e.a>>16), byte(e.a>>8), byte(e.a), byte(e.b>>8), byte(e.b))
		}
	}
	if keys == "" {
		keys = fmt.Sprintf("/Size %d", f.Next)
	}
	head := fmt.Sprintf("/Type/XRef/W[1 4 2]/Index[%s]%s", index.String(), keys)
	if u.Style == Predict {
		return Deflated(head+"/DecodeParms<</Predictor 12/Columns 7>>", string(up(data, 7)))
	}
	return Deflated(head, string(data))
}

// up applies PNG's filter 2 to every row.
func up(data []byte, row int) []byte {
	above := make([]byte, row)
	var out []byte
	for ; len(data) > 0; data = data[row:] {
		out = append(out, 2)
		for i := range row {
			out = append(out, data[i]-above[i])
		}
		above = data[:row]
	}
	return out
}
