package xmltree

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// form100k is a filled-in form of 100 kB, rich in markup: what administrations exchange.
func form100k() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DataRoot xmlns=\"urn:x-mihon:form\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<構成情報 Id=\"構成情報\">\n")
	for i := 0; b.Len() < 100_000; i++ {
		fmt.Fprintf(&b, "  <明細 番号=\"%d\" 区分=\"A\">\n    <氏名>実印　花子</氏名>\n    <金額 単位=\"円\">%d</金額>\n    <日付><年>2026</年><月>11</月><日>%d</日></日付>\n  </明細>\n", i, i*1234, i%28+1)
	}
	b.WriteString("</構成情報>\n</DataRoot>\n")
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	in := form100k()
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		t, err := Parse(in)
		if err != nil {
			b.Fatal(err)
		}
		t.Free()
	}
}

func BenchmarkCanonical(b *testing.B) {
	in := form100k()
	tree, err := Parse(in)
	if err != nil {
		b.Fatal(err)
	}
	spelt, err := Parse([]byte(strings.ReplaceAll(string(in), "\n", "\r\n")))
	if err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]struct {
		t *Tree
		m Method
	}{"inclusive": {tree, Method{}}, "exclusive": {tree, Method{Exclusive: true}}, "respelt": {spelt, Method{}}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			h := sha256.New()
			for b.Loop() {
				h.Reset()
				if err := c.t.Canonical(h, Set{Top: c.t.Root()}, c.m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("limit", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		for b.Loop() {
			sha256.Sum256(in)
		}
	})
}
