package pdf_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/cputime"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"github.com/jitsuin/jitsuin/signature/pdf"
	"github.com/jitsuin/jitsuin/signature/pdf/pdftest"
)

// hostile are files made to keep a reader busy. Each is signed first, so that all of the reader runs.
var hostile = []struct {
	name string
	make func(f *pdftest.File, t testing.TB)
}{
	{"a page that decodes to nothing but zeros, under a seal", func(f *pdftest.File, t testing.TB) {
		f.Update(pdftest.Update{Objects: map[int]string{pdftest.Content: pdftest.Deflated("", strings.Repeat("\x00", 24<<20))}})
		f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "One"})
		f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "Two", FieldKeys: "/Rect[0 0 9 9]/AP<</N 200 0 R>>", Objects: pdftest.Seal(200)})
	}},
	{"an object stream of very many objects", func(f *pdftest.File, t testing.TB) {
		objects := map[int]string{}
		for n := 100; n < 30000; n++ {
			objects[n] = "<</A 1>>"
		}
		f.Update(pdftest.Update{Style: pdftest.Packed, Objects: objects})
	}},
	{"very many revisions", func(f *pdftest.File, t testing.TB) {
		for n := range 500 {
			f.Update(pdftest.Update{Objects: map[int]string{100 + n: "[3 0 R]"}})
		}
	}},
	{"more revisions than are read", func(f *pdftest.File, t testing.TB) {
		for n := range 600 {
			f.Update(pdftest.Update{Objects: map[int]string{100 + n: "null"}})
		}
	}},
	{"object numbers far apart", func(f *pdftest.File, t testing.TB) {
		f.Update(pdftest.Update{Style: pdftest.Stream, Objects: map[int]string{8388000: "null", 100: "[8388000 0 R 4000000 0 R]"}})
	}},
	{"a cross-reference of very many rows", func(f *pdftest.File, t testing.TB) {
		offsets := map[int]int{}
		for n := 100; n < 200000; n++ {
			offsets[n] = 20
		}
		f.Update(pdftest.Update{Style: pdftest.Stream, Offsets: offsets})
	}},
	{"a page tree of very many nodes", func(f *pdftest.File, t testing.TB) {
		var kids strings.Builder
		objects := map[int]string{}
		for n := 100; n < 20000; n++ {
			objects[n] = "<</Type/Page/Parent 2 0 R>>"
			fmt.Fprintf(&kids, "%d 0 R ", n)
		}
		objects[pdftest.Pages] = "<</Type/Pages/Count 1/Kids[" + kids.String() + "]>>"
		f.Update(pdftest.Update{Style: pdftest.Packed, Objects: objects})
	}},
	{"a page tree that bites its tail", func(f *pdftest.File, t testing.TB) {
		f.Update(pdftest.Update{Objects: map[int]string{pdftest.Page: "<</Type/Pages/Parent 2 0 R/Kids[2 0 R]>>"}})
	}},
	{"fields inside each other", func(f *pdftest.File, t testing.TB) {
		objects := map[int]string{pdftest.Amount: "<</T(a)/Kids[100 0 R]>>"}
		for n := 100; n < 2000; n++ {
			objects[n] = fmt.Sprintf("<</T(a)/Kids[%d 0 R]>>", n+1)
		}
		f.Update(pdftest.Update{Objects: objects})
	}},
	{"very many fields", func(f *pdftest.File, t testing.TB) {
		var list strings.Builder
		objects := map[int]string{}
		for n := 100; n < 16000; n++ {
			objects[n] = fmt.Sprintf("<</FT/Tx/T(f%d)/AP<</N 21 0 R/D 25 0 R/R 26 0 R>>>>", n)
			fmt.Fprintf(&list, "%d 0 R ", n)
		}
		objects[pdftest.Catalog] = strings.Replace(f.Bodies[pdftest.Catalog], "/Fields[", "/Fields["+list.String(), 1)
		f.Update(pdftest.Update{Style: pdftest.Packed, Objects: objects})
		f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "Late"})
		f.Update(pdftest.Update{Objects: map[int]string{pdftest.AmountAP: "null"}})
	}},
	{"more signatures than are read", func(f *pdftest.File, t testing.TB) {
		objects := map[int]string{}
		for n := 100; n < 200; n++ {
			objects[n] = fmt.Sprintf("<</FT/Sig/T(s%d)/V 99 0 R>>", n)
			f.AddField(objects, n)
		}
		for n := 100; n < 200; n++ {
			objects[n] = fmt.Sprintf("<</FT/Sig/T(s%d)/V<</ByteRange[0 1 2 3]>>>>", n)
		}
		f.Update(pdftest.Update{Objects: objects})
	}},
	{"very many mentions of signatures", func(f *pdftest.File, t testing.TB) {
		f.Update(pdftest.Update{Objects: map[int]string{100: "[" + strings.Repeat("<</ByteRange[0 1 2 3]/Contents<00>>>", 20000) + "]"}})
	}},
	{"a dictionary of very many keys", func(f *pdftest.File, t testing.TB) {
		var keys strings.Builder
		for n := range 60000 {
			fmt.Fprintf(&keys, "/K%d 1", n)
		}
		f.Update(pdftest.Update{Objects: map[int]string{pdftest.Catalog: strings.TrimSuffix(f.Bodies[pdftest.Catalog], ">>") + keys.String() + ">>"}})
	}},
	{"a long array", func(f *pdftest.File, t testing.TB) {
		f.Update(pdftest.Update{Objects: map[int]string{100: "[" + strings.Repeat("1 ", 4<<20) + "]", pdftest.Info: "<</A 100 0 R>>"}})
	}},
	{"lengths that refer to each other", func(f *pdftest.File, t testing.TB) {
		f.Update(pdftest.Update{Objects: map[int]string{pdftest.Content: "<</Length 100 0 R>>\nstream\nendstream", 100: "<</Length 4 0 R>>\nstream\nendstream"}})
	}},
	{"forms that show each other, under a seal", func(f *pdftest.File, t testing.TB) {
		body := "/Subtype/Form/Resources<</XObject<</A 100 0 R/B 101 0 R>>>>"
		draw := strings.Repeat("/A Do /B Do ", 2000) + "(" + strings.Repeat("x", 100000) + ") pop "
		f.Update(pdftest.Update{Objects: map[int]string{100: pdftest.StreamOf(body, draw), 101: pdftest.StreamOf(body, draw),
			pdftest.Page:    strings.Replace(f.Bodies[pdftest.Page], "/Logo 7 0 R", "/A 100 0 R", 1),
			pdftest.Content: pdftest.StreamOf("", "/A Do")}})
		f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "One"})
		f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "Two", FieldKeys: "/Rect[0 0 9 9]/AP<</N 200 0 R>>", Objects: pdftest.Seal(200)})
	}},
	{"a value of very many digits", func(f *pdftest.File, t testing.TB) {
		f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "Big", Room: 4 << 20})
	}},
}

// TestHostileFilesAreAnswered reads files that are made to cost time and room. What is asserted is far
// above what is needed, and far below what such a file costs a reader without bounds.
func TestHostileFilesAreAnswered(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			f := pdftest.Contract(pdftest.Table)
			f.Sign(t, signtest.New(t).RSA, pdftest.Sig{Field: "First"})
			c.make(f, t)
			b := f.Bytes
			f = nil
			runtime.GC()
			peak := watch(t)
			start := cputime.Used()
			if d, err := pdf.Read(b); err == nil {
				d.Signatures()
				d.Evidence()
				d.Current().Pages()
			}
			took, most := cputime.Used()-start, peak()
			t.Logf("%d kB: %v, %d kB", len(b)>>10, took.Round(time.Millisecond), most>>10)
			if took > 10*time.Second || most > 192<<20 {
				t.Errorf("%d bytes took %v and %d bytes of memory", len(b), took, most)
			}
		})
	}
}

// watch looks at the heap until the function that it gives is called, which tells how much it grew at most.
func watch(t *testing.T) func() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapInuse, m.HeapInuse
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most - min(before, most)
	}
}
