package xmltree

import (
	"bytes"
	"testing"
)

// Whatever is read has canonical forms that are read again and stay as they are.
func FuzzParse(f *testing.F) {
	for i := range 40 {
		f.Add([]byte(makeDocument(uint64(i), i%2 == 0)))
	}
	f.Add([]byte("\xFF\xFE<\x00a\x00/\x00>\x00"))
	f.Add([]byte("<?xml version='1.0' encoding='Shift_JIS'?><a>\x8E\xC0\x88\xF3</a>"))
	f.Add([]byte("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		tree, err := Parse(in)
		if err != nil {
			return
		}
		for _, m := range []Method{{}, {Comments: true}, {Eleven: true}, {Exclusive: true, Comments: true}} {
			s := Set{Comments: true}
			var once, twice bytes.Buffer
			if err := tree.Canonical(&once, s, m); err != nil {
				t.Fatal(err)
			}
			again, err := Parse(bytes.Clone(once.Bytes()))
			if err != nil {
				if once.Len() > len(in)*2 {
					return // grown beyond a limit
				}
				t.Fatalf("the canonical form %q is not read: %v", once.Bytes(), err)
			}
			if err := again.Canonical(&twice, s, m); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(once.Bytes(), twice.Bytes()) {
				t.Fatalf("%+v\n%q\n%q", m, once.Bytes(), twice.Bytes())
			}
		}
		for n := range tree.Len() {
			if tree.Kind(ID(n)) == Element {
				tree.Path(ID(n))
				tree.Content(ID(n))
				break
			}
		}
	})
}
